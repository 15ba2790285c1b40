//! The plan for somebody else's firewall: a table with a row a conduit, and an extended access list.
//!
//! It must never show as allowed what is not approved, nor leave a spreadsheet a formula to obey.

use std::net::IpAddr;

use crate::conduit::{Conduit, Decision, Direction, ICMP, ICMPV6, Ports, Service};
use crate::name::Flow;
use crate::network::{Network, everything};
use crate::plan::{Mode, Plan, PlannedDevice};
use crate::ruleset::{Pass, tame};

/// The head of the table.
const HEAD: [&str; 16] = [
    "device",
    "name",
    "zone",
    "mode",
    "direction",
    "source",
    "destination",
    "protocol",
    "port",
    "service",
    "decision",
    "reach",
    "packets",
    "bytes",
    "first seen",
    "last seen",
];

impl Plan {
    /// A table in CSV (RFC 4180) with a row a conduit, decided or not. Source is who opens it; several addresses of
    /// the device have spaces between them. `reach` is `link` for what no router forwards.
    ///
    /// # Errors
    /// [`csv::Error`] if the writer fails, which into memory it does not.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(HEAD)?;
        for device in self.devices() {
            for conduit in &device.conduits {
                writer.write_record(row(device, conduit))?;
            }
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Named extended access lists in the form of Cisco IOS: for each family one for what devices send (inbound at
    /// the devices' VLAN) and one for what is sent to them (outbound there). Devices that are `off` do not occur;
    /// for one on test what would be dropped is permitted and logged.
    ///
    /// An access list knows no state: answers to UDP are permitted by port, and helpers such as that for FTP are not
    /// there.
    pub fn access_lists(&self) -> String {
        let mut text = self.legend().replace('#', "!");
        for is_v6 in [false, true] {
            for flow in Flow::BOTH {
                let has_any = |device: &&PlannedDevice| {
                    device.mode != Mode::Off && device.family(is_v6).next().is_some()
                };
                let mut devices = self.devices().iter().filter(has_any).peekable();
                if devices.peek().is_none() {
                    continue;
                }
                let name = format!("LABWARD-{}", flow.name().to_uppercase());
                let mut lines = match is_v6 {
                    false => vec![format!("ip access-list extended {name}")],
                    true => vec![format!("ipv6 access-list {name}-V6")],
                };
                lines.extend(always(flow, is_v6).map(|line| format!(" {line}")));
                for device in devices {
                    let entries = entries(device, flow, is_v6);
                    lines.extend(entries.into_iter().map(|line| format!(" {line}")));
                }
                lines.push(format!(
                    " permit {} any any",
                    if is_v6 { "ipv6" } else { "ip" }
                ));
                text.push_str(&lines.join("\n"));
                text.push_str("\n!\n");
            }
        }
        text
    }
}

impl PlannedDevice {
    fn family(&self, is_v6: bool) -> impl Iterator<Item = IpAddr> {
        let all = self.addresses.iter().copied();
        all.filter(move |ip| ip.is_ipv6() == is_v6)
    }
}

fn row(device: &PlannedDevice, conduit: &Conduit) -> [String; 16] {
    let own: Vec<String> = device
        .family(conduit.peer.address().is_ipv6())
        .map(|ip| ip.to_string())
        .collect();
    let (own, peer) = (own.join(" "), conduit.peer.to_string());
    let (source, destination) = match conduit.direction {
        Direction::Inbound => (peer, own),
        Direction::Outbound => (own, peer),
    };
    let seen = conduit.seen.as_ref();
    let of_seen = |text: &dyn Fn(&crate::Seen) -> String| seen.map(text).unwrap_or_default();
    let text = |text: Option<&str>| harmless(text.unwrap_or_default());
    [
        device.id.to_string(),
        text(Some(&device.name)),
        text(device.zone.as_deref()),
        device.mode.name().to_owned(),
        conduit.direction.name().to_owned(),
        source,
        destination,
        conduit.service.protocol_name(),
        conduit
            .service
            .ports()
            .map(|ports| ports.to_string())
            .unwrap_or_default(),
        text(conduit.known_as.as_deref()),
        conduit.decision.name().to_owned(),
        if conduit.is_local() { "link" } else { "routed" }.to_owned(),
        of_seen(&|seen| seen.packets.to_string()),
        of_seen(&|seen| seen.bytes.to_string()),
        of_seen(&|seen| seen.first.to_rfc3339()),
        of_seen(&|seen| seen.last.to_rfc3339()),
    ]
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// What every device needs to have an address, and what an access list without state must let through for it.
fn always(flow: Flow, is_v6: bool) -> impl Iterator<Item = &'static str> {
    let lines: &[&str] = match (flow, is_v6) {
        (Flow::From, false) => &[
            "permit udp any eq 68 any eq 67",
            "permit icmp any any unreachable",
        ],
        (Flow::To, false) => &[
            "permit udp any eq 67 any eq 68",
            "permit icmp any any unreachable",
            "permit icmp any any time-exceeded",
        ],
        (_, true) => &[
            "permit icmp any any nd-ns",
            "permit icmp any any nd-na",
            "permit icmp any any packet-too-big",
            "permit icmp any any unreachable",
        ],
    };
    lines.iter().copied()
}

/// The lines of one device: a remark, what may pass, and what becomes of the rest.
fn entries(device: &PlannedDevice, flow: Flow, is_v6: bool) -> Vec<String> {
    let mut lines = vec![format!("remark d{} {}", device.id, tame(&device.name))];
    let all = device.conduits.iter();
    // On a port of a switch what never leaves the link passes the list, too.
    let approved = all.filter(|one| one.decision == Decision::Approved);
    let passes = approved.flat_map(Conduit::passes).filter(|pass| {
        let peer = pass.peer.address();
        let is_from_group = pass.flow == Flow::To && peer.is_multicast();
        pass.flow == flow && peer.is_ipv6() == is_v6 && !is_from_group
    });
    let passes: Vec<Pass> = passes.collect();
    for own in device.family(is_v6) {
        lines.extend(passes.iter().map(|pass| entry(*pass, own)));
        let (action, end) = match device.mode {
            Mode::Enforce => ("deny", "log"),
            _ => ("permit", "log"),
        };
        let family = if is_v6 { "ipv6" } else { "ip" };
        let ends = ends(flow, own, everything(is_v6));
        lines.push(format!("{action} {family} {} {} {end}", ends.0, ends.1));
    }
    lines
}

/// Source and destination.
fn ends(flow: Flow, own: IpAddr, peer: Network) -> (String, String) {
    let (own, peer) = (address(Network::host(own)), address(peer));
    match flow {
        Flow::From => (own, peer),
        Flow::To => (peer, own),
    }
}

fn entry(pass: Pass, own: IpAddr) -> String {
    let (mut source, mut destination) = ends(pass.flow, own, pass.peer);
    if let Some(ports) = pass.service.ports() {
        // Who is asked has the port: it is the source of an answer.
        let end = if pass.is_answer {
            &mut source
        } else {
            &mut destination
        };
        end.push_str(&port(ports));
    }
    let protocol = match pass.service {
        Service::Other(ICMP | ICMPV6) => "icmp".to_owned(),
        Service::Other(number) => number.to_string(),
        service => service.protocol_name(),
    };
    let established = match (pass.service, pass.is_answer) {
        (Service::Tcp(_), true) => " established",
        _ => "",
    };
    format!("permit {protocol} {source} {destination}{established}")
}

fn port(ports: Ports) -> String {
    match ports.first() == ports.last() {
        true => format!(" eq {}", ports.first()),
        false => format!(" range {} {}", ports.first(), ports.last()),
    }
}

/// An end in the words of an access list: wildcard bits for IPv4, a prefix for IPv6.
fn address(network: Network) -> String {
    match network.address() {
        _ if network.length() == 0 => "any".to_owned(),
        ip if network.is_host() => format!("host {ip}"),
        IpAddr::V4(v4) => {
            let wildcard = u32::MAX.checked_shr(network.length().into()).unwrap_or(0);
            format!("{v4} {}", std::net::Ipv4Addr::from_bits(wildcard))
        }
        IpAddr::V6(_) => network.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::plan;

    #[test]
    fn the_access_lists_permit_what_is_approved_and_deny_for_the_enforced_alone() {
        assert_eq!(
            plan().access_lists(),
            "\
! d7: Haematology 1 (enforce)
! d8: Chemistry (test)
ip access-list extended LABWARD-FROM
 permit udp any eq 68 any eq 67
 permit icmp any any unreachable
 remark d7 Haematology 1
 permit tcp host 10.1.0.7 eq 104 host 10.1.9.1 established
 permit tcp host 10.1.0.7 host 10.1.9.1 eq 2575
 deny ip host 10.1.0.7 any log
 remark d8 Chemistry
 permit tcp host 10.1.0.8 10.1.8.0 0.0.3.255 range 1024 2048
 permit udp host 10.1.0.8 host 224.0.0.251 eq 5353
 permit ip host 10.1.0.8 any log
 permit ip any any
!
ip access-list extended LABWARD-TO
 permit udp any eq 67 any eq 68
 permit icmp any any unreachable
 permit icmp any any time-exceeded
 remark d7 Haematology 1
 permit tcp host 10.1.9.1 host 10.1.0.7 eq 104
 permit tcp host 10.1.9.1 eq 2575 host 10.1.0.7 established
 deny ip any host 10.1.0.7 log
 remark d8 Chemistry
 permit tcp 10.1.8.0 0.0.3.255 range 1024 2048 host 10.1.0.8 established
 permit ip any host 10.1.0.8 log
 permit ip any any
!
ipv6 access-list LABWARD-FROM-V6
 permit icmp any any nd-ns
 permit icmp any any nd-na
 permit icmp any any packet-too-big
 permit icmp any any unreachable
 remark d8 Chemistry
 permit icmp host fd00:1::8 host fd00:9::1
 permit udp host fd00:1::8 host fd00:9::1 eq 123
 permit ipv6 host fd00:1::8 any log
 permit ipv6 any any
!
ipv6 access-list LABWARD-TO-V6
 permit icmp any any nd-ns
 permit icmp any any nd-na
 permit icmp any any packet-too-big
 permit icmp any any unreachable
 remark d8 Chemistry
 permit icmp host fd00:9::1 host fd00:1::8
 permit udp host fd00:9::1 eq 123 host fd00:1::8
 permit ipv6 any host fd00:1::8 log
 permit ipv6 any any
!
"
        );
    }

    #[test]
    fn the_table_has_a_row_a_conduit_and_no_formula() {
        let mut plan = plan();
        plan.change(|devices| devices[0].name = "=cmd, \"x\"".to_owned())
            .unwrap();
        let table = plan.csv().unwrap();
        let lines: Vec<&str> = table.split("\r\n").collect();
        assert_eq!(lines.len(), 2 + 2 + 6);
        assert_eq!(
            lines[1],
            "7,\"'=cmd, \"\"x\"\"\",,enforce,inbound,10.1.9.1,10.1.0.7,tcp,104,,approved,routed,,,,"
        );
        assert!(
            table.contains("8,Chemistry,,test,outbound,10.1.0.8,10.1.9.8,tcp,80,,learned,routed,")
        );
        assert!(
            table.contains(
                "8,Chemistry,,test,outbound,10.1.0.8,224.0.0.251,udp,5353,,approved,link,"
            )
        );
        assert!(
            table.contains(
                "8,Chemistry,,test,inbound,fd00:9::1,fd00:1::8,icmpv6,,,approved,routed,"
            )
        );
    }
}
