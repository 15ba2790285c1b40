//! The ruleset: chains of typed terms, made from a plan or read back from the kernel; its text and hash.
//!
//! A device's packets are led to two chains of its own, one for what it sends and one for what is sent to it.
//! There a packet that fits an approved conduit, or answers one, goes back and on; what is left is counted, and
//! dropped if the device is enforced. No rule accepts for good, so other tables keep their say.
//!
//! It must never hold text from outside: every name is a typed one, and every value a number or an address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use labward_base::id::DeviceId;

use crate::conduit::{Conduit, Decision, Direction, Ports, Service};
use crate::hash::Hash;
use crate::name::{ChainName, Counter, Flow, MapName, Tally, log_prefix};
use crate::network::Network;
use crate::plan::{Mode, Plan, PlannedDevice};

/// The name of the one table, of family `inet`, that is Labward's.
pub const TABLE: &str = "labward_segmentation";
/// What stands before the hash in the comment of the first rule.
pub(crate) const COMMENT: &str = "labward sha256:";
/// So many packets of a device and direction are logged a minute.
pub(crate) const LOGS_PER_MINUTE: u64 = 6;
/// So many packets are logged at once, before the rate counts.
pub(crate) const LOGS_AT_ONCE: u64 = 5;

/// Which end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Destination,
    Source,
}

/// One term of a rule: a condition, or what is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Address(Side, Network),
    Count(Counter),
    Dispatch(MapName),
    Drop,
    /// It belongs to a conversation that both sides took part in.
    Established,
    /// A helper of the kernel, such as that for FTP, announced this connection.
    Expected,
    Log(DeviceId, Flow, Tally),
    /// It opens no TCP connection. Unlike the state of a connection this holds for one that was open before the
    /// router knew of it, so that a restart of the router ends none.
    NotOpening,
    Port(Side, Service),
    Protocol(u8),
    /// An error about another packet, such as "too long", or what a helper announced.
    Related,
    Return,
}

pub(crate) type Rule = Vec<Term>;

/// Chains, maps and counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    pub(crate) chains: BTreeMap<ChainName, Vec<Rule>>,
    pub(crate) maps: BTreeMap<MapName, BTreeMap<IpAddr, ChainName>>,
    pub(crate) counters: BTreeSet<Counter>,
}

/// Why a plan cannot be put in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The device has no address.
    #[error("device {device} is to be guarded and has no address")]
    NoAddress {
        /// The device.
        device: DeviceId,
    },
    /// Enforcing would cut the device off, and no person said so.
    #[error(
        "device {device} has no approved conduit that a router sees: enforcing would cut it off; \
        approve what it needs, or set \"isolate\": true if that is meant"
    )]
    NothingAllowed {
        /// The device.
        device: DeviceId,
    },
}

/// What may pass: packets of one direction that open or answer what an approved conduit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) flow: Flow,
    pub(crate) peer: Network,
    pub(crate) service: Service,
    /// Not the packets that ask, but those that answer.
    pub(crate) is_answer: bool,
}

impl PlannedDevice {
    /// The approved conduits.
    pub(crate) fn approved(&self) -> impl Iterator<Item = &Conduit> {
        let all = self.conduits.iter();
        all.filter(|one| one.decision == Decision::Approved)
    }

    /// Its approved conduits that a router sees, as packets.
    pub(crate) fn passes(&self) -> Vec<Pass> {
        let routed = self.approved().filter(|one| !one.is_local());
        routed.flat_map(Conduit::passes).collect()
    }
}

impl Conduit {
    /// The packets that it is made of.
    pub(crate) fn passes(&self) -> [Pass; 2] {
        let (asks, answers) = match self.direction {
            Direction::Inbound => (Flow::To, Flow::From),
            Direction::Outbound => (Flow::From, Flow::To),
        };
        [(asks, false), (answers, true)].map(|(flow, is_answer)| Pass {
            flow,
            peer: self.peer,
            service: self.service,
            is_answer,
        })
    }
}

impl Pass {
    fn terms(self) -> Rule {
        let peer_side = match self.flow {
            Flow::From => Side::Destination,
            Flow::To => Side::Source,
        };
        let port_side = match self.is_answer {
            false => Side::Destination,
            true => Side::Source,
        };
        let mut terms = vec![
            Term::Address(peer_side, self.peer),
            match self.service {
                Service::Other(number) => Term::Protocol(number),
                service => Term::Port(port_side, service),
            },
        ];
        if self.is_answer {
            terms.push(match self.service {
                // With a whole network "opens nothing" would let anybody there send to any port.
                Service::Tcp(_) if self.peer.is_host() => Term::NotOpening,
                _ => Term::Established,
            });
        }
        terms
    }
}

impl Ruleset {
    /// The ruleset of a plan: of its devices that are not `off`.
    ///
    /// # Errors
    /// [`CompileError`] if a device could not be guarded, or would be cut off without a person having said so.
    pub fn of(plan: &Plan) -> Result<Self, CompileError> {
        let mut ruleset = Self::default();
        ruleset.counters.insert(Counter::Forwarded);
        let mut forward = vec![vec![Term::Count(Counter::Forwarded)]];
        for flow in Flow::BOTH {
            for is_v6 in [false, true] {
                let map = MapName { flow, is_v6 };
                ruleset.maps.insert(map, BTreeMap::new());
                forward.push(vec![Term::Dispatch(map)]);
            }
        }
        ruleset.chains.insert(ChainName::Forward, forward);
        for device in plan.devices() {
            let tally = match device.mode {
                Mode::Off => continue,
                Mode::Test => Tally::WouldDrop,
                Mode::Enforce => Tally::Dropped,
            };
            ruleset.guard(device, tally)?;
        }
        Ok(ruleset)
    }

    fn guard(&mut self, device: &PlannedDevice, tally: Tally) -> Result<(), CompileError> {
        let id = device.id;
        let passes = device.passes();
        if device.addresses.is_empty() {
            return Err(CompileError::NoAddress { device: id });
        }
        if tally == Tally::Dropped && passes.is_empty() && !device.isolate {
            return Err(CompileError::NothingAllowed { device: id });
        }
        for flow in Flow::BOTH {
            let name = ChainName::Device(id, flow);
            let allowed = Counter::Device(id, flow, Tally::Allowed);
            let left = Counter::Device(id, flow, tally);
            self.counters.extend([allowed, left]);
            let pass = |mut terms: Rule| {
                terms.extend([Term::Count(allowed), Term::Return]);
                terms
            };
            let mut rules = vec![pass(vec![Term::Related]), pass(vec![Term::Expected])];
            let fitting = passes.iter().filter(|one| one.flow == flow);
            rules.extend(fitting.map(|one| pass(one.terms())));
            rules.push(vec![Term::Log(id, flow, tally)]);
            let end = match tally {
                Tally::Dropped => Term::Drop,
                _ => Term::Return,
            };
            rules.push(vec![Term::Count(left), end]);
            self.chains.insert(name, rules);
            for address in &device.addresses {
                let is_v6 = address.is_ipv6();
                let map = self.maps.entry(MapName { flow, is_v6 }).or_default();
                map.insert(*address, name);
            }
        }
        Ok(())
    }

    /// Its hash: the same for what was made and for what is read back of it, on trial or not.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.text(None, None))
    }

    /// A file for `nft -f` that replaces whatever the table held, in one step.
    ///
    /// On trial the devices' addresses leave the maps after `trial` by themselves (rounded up to seconds): then
    /// the kernel guards no device any more, whatever became of who was to put the former ruleset back.
    pub fn nft(&self, trial: Option<Duration>) -> String {
        let hash = self.hash();
        format!(
            "add table inet {TABLE}\ndelete table inet {TABLE}\n{}",
            self.text(Some(hash), trial)
        )
    }

    fn text(&self, hash: Option<Hash>, trial: Option<Duration>) -> String {
        let mut text = format!("table inet {TABLE} {{\n");
        for counter in &self.counters {
            line(&mut text, &format!("\tcounter {counter} {{ }}"));
        }
        for (name, elements) in &self.maps {
            write_map(&mut text, *name, elements, trial);
        }
        for (name, rules) in &self.chains {
            line(&mut text, &format!("\tchain {name} {{"));
            if *name == ChainName::Forward {
                line(
                    &mut text,
                    "\t\ttype filter hook forward priority 0; policy accept;",
                );
            }
            for (place, rule) in rules.iter().enumerate() {
                let terms: Vec<String> = rule.iter().map(ToString::to_string).collect();
                let mut rule = format!("\t\t{}", terms.join(" "));
                if let (ChainName::Forward, 0, Some(hash)) = (name, place, hash) {
                    rule.push_str(&format!(" comment \"{COMMENT}{hash}\""));
                }
                line(&mut text, &rule);
            }
            line(&mut text, "\t}");
        }
        line(&mut text, "}");
        text
    }
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

fn write_map(
    text: &mut String,
    name: MapName,
    elements: &BTreeMap<IpAddr, ChainName>,
    trial: Option<Duration>,
) {
    let kind = if name.is_v6 { "ipv6_addr" } else { "ipv4_addr" };
    line(text, &format!("\tmap {name} {{"));
    line(text, &format!("\t\ttype {kind} : verdict"));
    let limit = trial.map(|trial| {
        line(text, "\t\tflags timeout");
        format!(" timeout {}s", trial.as_millis().div_ceil(1_000).max(1))
    });
    let limit = limit.unwrap_or_default();
    let shown: Vec<String> = elements
        .iter()
        .map(|(address, chain)| format!("{address}{limit} : jump {chain}"))
        .collect();
    if !shown.is_empty() {
        line(text, &format!("\t\telements = {{ {} }}", shown.join(", ")));
    }
    line(text, "\t}");
}

impl Side {
    const fn address(self) -> &'static str {
        match self {
            Self::Destination => "daddr",
            Self::Source => "saddr",
        }
    }

    const fn port(self) -> &'static str {
        match self {
            Self::Destination => "dport",
            Self::Source => "sport",
        }
    }
}

const fn family(is_v6: bool) -> &'static str {
    match is_v6 {
        true => "ip6",
        false => "ip",
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(side, network) => {
                let family = family(network.address().is_ipv6());
                write!(f, "{family} {} {network}", side.address())
            }
            Self::Count(counter) => write!(f, "counter name \"{counter}\""),
            Self::Dispatch(map) => {
                let side = match map.flow {
                    Flow::From => Side::Source,
                    Flow::To => Side::Destination,
                };
                write!(f, "{} {} vmap @{map}", family(map.is_v6), side.address())
            }
            Self::Drop => f.write_str("drop"),
            Self::Established => f.write_str("ct state established"),
            Self::Expected => f.write_str("ct status expected"),
            Self::Log(id, flow, tally) => write!(
                f,
                "limit rate {LOGS_PER_MINUTE}/minute burst {LOGS_AT_ONCE} packets log prefix \"{}\"",
                log_prefix(*id, *flow, *tally)
            ),
            Self::NotOpening => f.write_str("tcp flags & (syn | ack) != syn"),
            Self::Port(side, service) => {
                let ports = service.ports().map(|ports: Ports| ports.to_string());
                let (name, ports) = (service.protocol_name(), ports.unwrap_or_default());
                write!(f, "{name} {} {ports}", side.port())
            }
            Self::Protocol(number) => write!(f, "meta l4proto {number}"),
            Self::Related => f.write_str("ct state related"),
            Self::Return => f.write_str("return"),
        }
    }
}

impl Plan {
    /// The names of the guarded devices as comments of a ruleset, with every other sign than letters, digits,
    /// dots, hyphens and spaces replaced.
    pub fn legend(&self) -> String {
        let mut text = String::new();
        for device in self.devices().iter().filter(|one| one.mode != Mode::Off) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# d{}: {} ({})",
                device.id,
                tame(&device.name),
                device.mode.name()
            );
        }
        text
    }
}

/// A name in which nothing is obeyed by whoever reads the file.
pub(crate) fn tame(text: &str) -> String {
    let is_tame = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | ' ');
    let signs = text.chars().take(64);
    signs
        .map(|sign| if is_tame(sign) { sign } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{listed, plan};

    #[test]
    fn only_what_is_approved_and_routed_is_in_the_rules() {
        let text = Ruleset::of(&plan()).unwrap().nft(None);
        for expected in [
            "add table inet labward_segmentation\ndelete table inet labward_segmentation\ntable inet",
            "elements = { 10.1.0.7 : jump d7_from, 10.1.0.8 : jump d8_from }",
            "elements = { fd00:1::8 : jump d8_to }",
            "ip daddr 10.1.9.1 tcp dport 2575 counter name \"d7_from_allowed\" return",
            "ip saddr 10.1.9.1 tcp sport 2575 tcp flags & (syn | ack) != syn counter name \"d7_to_allowed\" return",
            "ip saddr 10.1.9.1 tcp dport 104 counter name \"d7_to_allowed\" return",
            "ip daddr 10.1.9.1 tcp sport 104 tcp flags & (syn | ack) != syn counter name \"d7_from_allowed\" return",
            "ip daddr 10.1.8.0/22 tcp dport 1024-2048 counter",
            "ip saddr 10.1.8.0/22 tcp sport 1024-2048 ct state established counter",
            "ip6 saddr fd00:9::1 udp sport 123 ct state established counter name \"d8_to_allowed\" return",
            "ip6 daddr fd00:9::1 meta l4proto 58 ct state established counter name \"d8_from_allowed\" return",
            "counter name \"d7_from_dropped\" drop",
            "counter name \"d8_from_would_drop\" return",
            "log prefix \"labward d8 to would-drop: \"",
            "policy accept;\n\t\tcounter name \"forwarded\" comment \"labward sha256:",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        for absent in [
            "10.1.9.9",
            "10.1.9.8",
            "224.0.0.251",
            "accept\n",
            "Haematology",
            "timeout",
        ] {
            assert!(!text.contains(absent), "{absent}\n{text}");
        }
    }

    #[test]
    fn a_device_is_not_cut_off_unless_a_person_says_so() {
        let mut plan = Plan::default();
        plan.enrol(vec![listed(7, "a", "10.1.0.7")]).unwrap();
        let mut with = |act: &dyn Fn(&mut PlannedDevice)| {
            plan.change(|devices| act(&mut devices[0])).unwrap();
            Ruleset::of(&plan)
        };
        let id = DeviceId::new(7);
        assert!(with(&|device| device.mode = Mode::Test).is_ok());
        let refused = with(&|device| device.mode = Mode::Enforce);
        assert_eq!(refused, Err(CompileError::NothingAllowed { device: id }));
        assert!(with(&|device| device.isolate = true).is_ok());
        let nowhere = with(&|device| device.addresses.clear());
        assert_eq!(nowhere, Err(CompileError::NoAddress { device: id }));
        assert!(with(&|device| device.mode = Mode::Off).is_ok());
    }

    #[test]
    fn a_trial_has_the_hash_of_what_it_tries_and_every_address_runs_out() {
        let ruleset = Ruleset::of(&plan()).unwrap();
        let trial = ruleset.nft(Some(Duration::from_millis(1_500)));
        assert!(trial.contains(&ruleset.hash().to_string()));
        assert_eq!(
            trial.matches(": jump").count(),
            trial.matches(" timeout 2s : jump").count()
        );
        assert_eq!(trial.matches("flags timeout").count(), 4);
    }

    #[test]
    fn no_name_of_a_device_leaves_its_comment() {
        let mut plan = plan();
        let evil = "x\u{2028}\"; flush ruleset; # é{}";
        plan.change(|devices| devices[0].name = evil.to_owned())
            .unwrap();
        assert_eq!(
            plan.legend(),
            "# d7: x___ flush ruleset_ _ ___ (enforce)\n# d8: Chemistry (test)\n"
        );
        let renamed = Ruleset::of(&plan).unwrap();
        assert_eq!(
            renamed.hash(),
            Ruleset::of(&crate::samples::plan()).unwrap().hash()
        );
    }
}
