//! What the kernel says is loaded: the answer of `nft -j -n list table inet labward_segmentation`, read whole.
//!
//! It must never overlook what it does not know: anything in the table that Labward did not put there makes the
//! ruleset a changed one (**Invariant:** a missing measurement is never a pass).

use std::collections::BTreeMap;

use labward_base::id::DeviceId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::hash::Hash;
use crate::name::{ChainName, Counter, Flow, MapName, Tally};
use crate::plan::Mode;
use crate::ruleset::{COMMENT, Ruleset, TABLE};

mod term;

use term::{read_element, read_rule};

/// The answer of `nft` is no longer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 128 << 20;
/// So many strange things are named.
const STRANGE_MAX: usize = 20;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What was counted of a device since its ruleset was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceCounts {
    /// The device.
    pub device: DeviceId,
    /// How the loaded ruleset treats it; never `off`.
    pub mode: Mode,
    /// What it sent that fits a conduit.
    pub from_allowed: Count,
    /// What it sent that fits none: dropped, or what would be.
    pub from_refused: Count,
    /// What was sent to it that fits a conduit.
    pub to_allowed: Count,
    /// What was sent to it that fits none.
    pub to_refused: Count,
}

/// A table as it is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    ruleset: Ruleset,
    stated: Option<Hash>,
    counts: BTreeMap<Counter, Count>,
    strange: Vec<String>,
    is_trial: bool,
    lapses_in_s: Option<u64>,
}

/// Whether the ruleset is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Liveness {
    /// Something is loaded that is not what was generated.
    Changed {
        /// The hash that the ruleset carries.
        stated: Option<Hash>,
        /// The hash of what is loaded, as far as it was understood.
        found: Hash,
        /// What is different, in words.
        why: Vec<String>,
    },
    /// A trial was neither confirmed nor rolled back, and has run out: no device is guarded.
    Lapsed {
        /// The hash of what was tried.
        hash: Hash,
    },
    /// What was generated is loaded, whole.
    Live {
        /// Its hash.
        hash: Hash,
        /// It is on trial, and stops guarding in so many seconds.
        lapses_in_s: Option<u64>,
    },
    /// Nothing is loaded.
    Missing,
}

/// The answer of `nft` could not be read, so nothing is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON of the form that nft writes.
    #[error("the answer of nft is not its JSON: {0}")]
    Form(String),
    /// It is longer than is read.
    #[error("the answer of nft is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// Whether the answer of `nft list tables` names Labward's table.
///
/// The one without `-j`: nft 1.0.6 writes what lies in its memory for the flags of a table, whoever's it is.
pub fn holds_table(answer: &str) -> bool {
    answer.lines().any(|line| {
        let words = line.split_whitespace();
        words.eq(["table", "inet", TABLE])
    })
}

impl Loaded {
    /// Reads the answer of `nft -j -n list table inet labward_segmentation`, or of `list ruleset`, of which only
    /// this table is looked at; `None` if it is not there.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be read: then nothing is known, which is not "missing".
    pub fn read(answer: &[u8]) -> Result<Option<Self>, ReadError> {
        let mut loaded = Self::default();
        let mut is_there = false;
        for (kind, object) in objects(answer)? {
            if !is_ours(&kind, &object) {
                continue;
            }
            match kind.as_str() {
                "table" => {
                    is_there = true;
                    // Such as "dormant", which puts every rule out of force.
                    if object.contains_key("flags") {
                        loaded.odd("the table has flags, such as dormant".to_owned());
                    }
                }
                "counter" => loaded.counter(&object),
                "map" => loaded.map(&object),
                "chain" => loaded.chain(&object),
                "rule" => loaded.rule(&object),
                other => loaded.odd(format!("there is a {other}")),
            }
        }
        Ok(is_there.then_some(loaded))
    }

    /// What is loaded, as far as it was understood.
    pub const fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }

    /// Everything that this machine forwarded since: 0 for long means that the traffic takes another way.
    pub fn forwarded(&self) -> Count {
        self.count(Counter::Forwarded)
    }

    /// What was counted of each device.
    pub fn device_counts(&self) -> Vec<DeviceCounts> {
        let mut devices = BTreeMap::new();
        for counter in &self.ruleset.counters {
            if let Counter::Device(id, Flow::From, tally) = counter {
                match tally {
                    Tally::Allowed => {}
                    Tally::Dropped => drop(devices.insert(*id, Mode::Enforce)),
                    Tally::WouldDrop => drop(devices.insert(*id, Mode::Test)),
                }
            }
        }
        let counts = devices.into_iter().map(|(device, mode)| {
            let count = |flow, tally| self.count(Counter::Device(device, flow, tally));
            let refused = match mode {
                Mode::Enforce => Tally::Dropped,
                _ => Tally::WouldDrop,
            };
            DeviceCounts {
                device,
                mode,
                from_allowed: count(Flow::From, Tally::Allowed),
                from_refused: count(Flow::From, refused),
                to_allowed: count(Flow::To, Tally::Allowed),
                to_refused: count(Flow::To, refused),
            }
        });
        counts.collect()
    }

    /// Whether a ruleset is in force, and the one that is expected, if one is.
    pub fn liveness(loaded: Option<&Self>, expected: Option<Hash>) -> Liveness {
        let Some(loaded) = loaded else {
            return Liveness::Missing;
        };
        let found = loaded.ruleset.hash();
        let is_empty = loaded.ruleset.maps.values().all(BTreeMap::is_empty);
        let mut why = loaded.strange.clone();
        let Some(stated) = loaded.stated else {
            why.push("it carries no hash".to_owned());
            let stated = None;
            return Liveness::Changed { stated, found, why };
        };
        if expected.is_some_and(|expected| expected != stated) {
            why.push("it is another plan's".to_owned());
        } else if loaded.is_trial && is_empty && found != stated {
            return Liveness::Lapsed { hash: stated };
        }
        if found != stated {
            why.push("its rules or addresses are not those that its hash was made of".to_owned());
        }
        if why.is_empty() {
            return Liveness::Live {
                hash: stated,
                lapses_in_s: loaded.lapses_in_s,
            };
        }
        Liveness::Changed {
            stated: Some(stated),
            found,
            why,
        }
    }

    fn count(&self, counter: Counter) -> Count {
        self.counts.get(&counter).copied().unwrap_or_default()
    }

    fn odd(&mut self, what: String) {
        if self.strange.len() < STRANGE_MAX {
            let signs = what.chars().filter(|sign| !sign.is_control());
            self.strange.push(signs.take(200).collect());
        }
    }

    fn counter(&mut self, object: &Object) {
        let number = |field| object.get(field).and_then(Value::as_u64);
        match (name(object), number("packets"), number("bytes")) {
            (Some(counter), Some(packets), Some(bytes)) => {
                self.ruleset.counters.insert(counter);
                self.counts.insert(counter, Count { packets, bytes });
            }
            _ => self.odd(format!("there is a counter {}", shown_name(object))),
        }
    }

    fn map(&mut self, object: &Object) {
        let Some(map) = name::<MapName>(object) else {
            return self.odd(format!("there is a map {}", shown_name(object)));
        };
        let flags = object.get("flags").and_then(Value::as_array);
        self.is_trial |= flags.is_some_and(|flags| flags.iter().any(|flag| flag == "timeout"));
        let mut elements = BTreeMap::new();
        let listed = object.get("elem").and_then(Value::as_array);
        for element in listed.into_iter().flatten() {
            match read_element(element, map.is_v6) {
                Some((address, chain, expires)) => {
                    elements.insert(address, chain);
                    let first = self.lapses_in_s.into_iter().chain(expires).min();
                    self.lapses_in_s = first;
                }
                None => self.odd(format!("the map {map} holds something else than addresses")),
            }
        }
        self.ruleset.maps.insert(map, elements);
    }

    fn chain(&mut self, object: &Object) {
        let Some(chain) = name::<ChainName>(object) else {
            return self.odd(format!("there is a chain {}", shown_name(object)));
        };
        let hook = ["type", "hook", "prio", "policy"].map(|field| object.get(field));
        let is_sound = match chain {
            ChainName::Device(..) => hook == [None; 4],
            ChainName::Forward => {
                let text = |place: &Option<&Value>, text| *place == Some(&Value::from(text));
                let [kind, hook, priority, policy] = &hook;
                text(kind, "filter")
                    && text(hook, "forward")
                    && priority.and_then(Value::as_i64) == Some(0)
                    && text(policy, "accept")
            }
        };
        if !is_sound {
            self.odd(format!(
                "the chain {chain} has another hook, priority or policy"
            ));
        }
        self.ruleset.chains.entry(chain).or_default();
    }

    fn rule(&mut self, object: &Object) {
        let chain = object.get("chain").and_then(Value::as_str);
        let Some(chain) = chain.and_then(|chain| chain.parse::<ChainName>().ok()) else {
            return self.odd("there is a rule in another chain".to_owned());
        };
        let rules = self.ruleset.chains.entry(chain).or_default();
        let place = rules.len();
        let comment = object.get("comment").and_then(Value::as_str);
        let read = read_rule(object.get("expr"));
        rules.push(read.clone().unwrap_or_default());
        if chain == ChainName::Forward && place == 0 {
            let hash = comment.and_then(|comment| comment.strip_prefix(COMMENT));
            self.stated = hash.and_then(|hash| hash.parse().ok());
        }
        if read.is_none() {
            self.odd(format!(
                "rule {} of the chain {chain} is not Labward's",
                place + 1
            ));
        }
    }
}

type Object = Map<String, Value>;

/// The objects of an answer, each with what it is.
fn objects(answer: &[u8]) -> Result<Vec<(String, Object)>, ReadError> {
    if answer.len() > ANSWER_BYTES_MAX {
        return Err(ReadError::TooLong);
    }
    let form = |why: &str| ReadError::Form(why.to_owned());
    let answer: Value =
        serde_json::from_slice(answer).map_err(|error| ReadError::Form(error.to_string()))?;
    let Value::Object(mut answer) = answer else {
        return Err(form("it is no object"));
    };
    let Some(Value::Array(list)) = answer.remove("nftables") else {
        return Err(form("it has no list nftables"));
    };
    let mut objects = Vec::with_capacity(list.len());
    for one in list {
        let Value::Object(one) = one else {
            return Err(form("the list holds something else than objects"));
        };
        for (kind, object) in one {
            if let Value::Object(object) = object {
                objects.push((kind, object));
            }
        }
    }
    Ok(objects)
}

fn is_ours(kind: &str, object: &Object) -> bool {
    let field = if kind == "table" { "name" } else { "table" };
    let is = |field: &str, text: &str| object.get(field).and_then(Value::as_str) == Some(text);
    is("family", "inet") && is(field, TABLE)
}

fn name<T: std::str::FromStr>(object: &Object) -> Option<T> {
    object.get("name")?.as_str()?.parse().ok()
}

fn shown_name(object: &Object) -> &str {
    object
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("without a name")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ruleset::{Side, Term};
    use crate::samples::plan;

    /// An answer in the form of nft 1.0.6 with -n, of this rule behind those that every answer has.
    fn answer(extra: Value) -> Vec<u8> {
        let at = |mut object: Value| {
            object["family"] = json!("inet");
            object["table"] = json!(TABLE);
            object
        };
        let list = json!({"nftables": [
            {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
            {"table": {"family": "inet", "name": TABLE, "handle": 4}},
            {"counter": at(json!({"name": "d7_from_allowed", "packets": 3, "bytes": 180}))},
            {"counter": at(json!({"name": "d7_from_dropped", "packets": 2, "bytes": 120}))},
            {"chain": at(json!({"name": "d7_from"}))},
            {"chain": {"family": "ip", "table": "other", "name": "strange"}},
            {"rule": at(json!({"chain": "d7_from", "expr": [extra]}))},
        ]});
        list.to_string().into_bytes()
    }

    fn terms(extra: Value) -> Option<Vec<Term>> {
        let loaded = Loaded::read(&answer(extra)).unwrap().unwrap();
        let chain = ChainName::Device(DeviceId::new(7), Flow::From);
        loaded
            .strange
            .is_empty()
            .then(|| loaded.ruleset.chains[&chain][0].clone())
    }

    #[test]
    fn a_term_is_read_in_every_form_that_nft_gives_it_and_no_other() {
        let left = |key: &str, inner: Value| json!({key: inner});
        let flags = json!({"payload": {"protocol": "tcp", "field": "flags"}});
        let matched = |op: &str, left: Value, right: Value| json!({"match": {"op": op, "left": left, "right": right}});
        for mask in [
            json!([2, 16]),
            json!(["syn", "ack"]),
            json!({"|": ["syn", "ack"]}),
            json!(18),
        ] {
            let masked = json!({"&": [flags, mask]});
            assert_eq!(
                terms(matched("!=", masked.clone(), json!(2))),
                Some(vec![Term::NotOpening])
            );
            assert_eq!(terms(matched("==", masked, json!(2))), None);
        }
        for right in [json!(4), json!("related")] {
            let state = left("ct", json!({"key": "state"}));
            assert_eq!(
                terms(matched("in", state, right)),
                Some(vec![Term::Related])
            );
        }
        let state = left("ct", json!({"key": "state"}));
        assert_eq!(terms(matched("in", state, json!(8))), None);
        let peer = json!({"payload": {"protocol": "ip", "field": "daddr"}});
        let network = Term::Address(Side::Destination, "10.1.8.0/22".parse().unwrap());
        let prefix = |len: u32| json!({"prefix": {"addr": "10.1.8.0", "len": len}});
        assert_eq!(
            terms(matched("==", peer.clone(), prefix(22))),
            Some(vec![network])
        );
        for odd in [
            prefix(20),
            prefix(33),
            json!("fd00::1"),
            json!({"set": ["10.1.8.0"]}),
            json!(1),
        ] {
            assert_eq!(terms(matched("==", peer.clone(), odd)), None);
        }
        assert_eq!(terms(matched("!=", peer, json!("10.1.9.1"))), None);
        assert_eq!(terms(json!({"accept": null})), None);
        assert_eq!(terms(json!({"mangle": {}})), None);
    }

    #[test]
    fn counters_are_read_by_device_and_direction() {
        let loaded = Loaded::read(&answer(json!({"drop": null})))
            .unwrap()
            .unwrap();
        let counts = loaded.device_counts();
        let [counts] = &counts[..] else {
            panic!("{counts:?}")
        };
        assert_eq!(
            (counts.device, counts.mode),
            (DeviceId::new(7), Mode::Enforce)
        );
        assert_eq!(
            counts.from_allowed,
            Count {
                packets: 3,
                bytes: 180
            }
        );
        assert_eq!(
            counts.from_refused,
            Count {
                packets: 2,
                bytes: 120
            }
        );
        assert_eq!(counts.to_allowed, Count::default());
    }

    #[test]
    fn what_cannot_be_read_is_never_missing() {
        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"{\"nftables\": [1]}",
            b"{\"nftables\": {}}",
        ] {
            assert!(Loaded::read(bytes).is_err());
        }
        assert_eq!(Loaded::read(b"{\"nftables\": []}"), Ok(None));
        assert!(holds_table(
            "table ip nat
table inet labward_segmentation
"
        ));
        assert!(!holds_table(
            "table ip labward_segmentation
table inet labward_segmentation2
"
        ));
        let deep = "[".repeat(1_000_000);
        assert!(matches!(
            Loaded::read(deep.as_bytes()),
            Err(ReadError::Form(_))
        ));
    }

    #[test]
    fn only_the_whole_of_what_was_generated_is_live() {
        let ruleset = Ruleset::of(&plan()).unwrap();
        let hash = ruleset.hash();
        let good = Loaded {
            ruleset,
            stated: Some(hash),
            ..Loaded::default()
        };
        let state = |loaded: &Loaded, expected| Loaded::liveness(Some(loaded), expected);
        let live = Liveness::Live {
            hash,
            lapses_in_s: None,
        };
        assert_eq!(state(&good, None), live);
        assert_eq!(state(&good, Some(hash)), live);
        assert_eq!(Loaded::liveness(None, Some(hash)), Liveness::Missing);
        let other = Ruleset::default().hash();
        assert!(matches!(
            state(&good, Some(other)),
            Liveness::Changed { .. }
        ));
        let mut less = good.clone();
        less.ruleset
            .chains
            .values_mut()
            .for_each(|rules| drop(rules.pop()));
        assert!(matches!(state(&less, None), Liveness::Changed { .. }));
        let mut gone = good.clone();
        gone.ruleset.maps.values_mut().for_each(BTreeMap::clear);
        assert!(matches!(state(&gone, None), Liveness::Changed { .. }));
        gone.is_trial = true;
        assert_eq!(state(&gone, None), Liveness::Lapsed { hash });
        let mut unmarked = good.clone();
        unmarked.stated = None;
        assert!(matches!(state(&unmarked, None), Liveness::Changed { .. }));
        let mut odd = good;
        odd.odd("there is a set".to_owned());
        assert!(matches!(state(&odd, None), Liveness::Changed { .. }));
    }
}
