//! Rules and elements of maps in the JSON of nft.
//!
//! It must never take what Labward does not write for something that it does.

use std::net::IpAddr;

use serde_json::Value;

use crate::conduit::{Ports, Service, TCP, UDP};
use crate::name::{ChainName, Counter, Flow, MapName, log_prefix};
use crate::network::Network;
use crate::ruleset::{LOGS_AT_ONCE, LOGS_PER_MINUTE, Rule, Side, Term};

/// An address, the chain of its device, and in how many seconds it goes.
pub(super) fn read_element(
    element: &Value,
    is_v6: bool,
) -> Option<(IpAddr, ChainName, Option<u64>)> {
    let [key, verdict] = &element.as_array()?[..] else {
        return None;
    };
    let (key, expires) = match only(key) {
        Some(("elem", inner)) => (
            inner.get("val")?,
            inner.get("expires").and_then(Value::as_u64),
        ),
        _ => (key, None),
    };
    let address: IpAddr = key.as_str()?.parse().ok()?;
    let ("jump", target) = only(verdict)? else {
        return None;
    };
    let chain = target.get("target")?.as_str()?.parse().ok()?;
    (address.is_ipv6() == is_v6).then_some((address, chain, expires))
}

/// The only field of an object.
fn only(value: &Value) -> Option<(&str, &Value)> {
    let mut fields = value.as_object()?.iter();
    let first = fields.next()?;
    fields
        .next()
        .is_none()
        .then_some((first.0.as_str(), first.1))
}

/// The terms of a rule, or `None` if it holds anything that Labward does not write.
pub(super) fn read_rule(terms: Option<&Value>) -> Option<Rule> {
    let terms = terms?.as_array()?;
    if let [limit, log] = &terms[..]
        && let Some(term) = read_log(limit, log)
    {
        return Some(vec![term]);
    }
    terms.iter().map(read_term).collect()
}

fn read_term(term: &Value) -> Option<Term> {
    match only(term)? {
        ("match", condition) => read_match(condition),
        ("counter", name) => Some(Term::Count(name.as_str()?.parse().ok()?)),
        ("vmap", map) => {
            let name: MapName = map.get("data")?.as_str()?.strip_prefix('@')?.parse().ok()?;
            let (protocol, field) = payload(map.get("key")?)?;
            let expected = match (name.is_v6, name.flow) {
                (false, Flow::From) => ("ip", "saddr"),
                (false, Flow::To) => ("ip", "daddr"),
                (true, Flow::From) => ("ip6", "saddr"),
                (true, Flow::To) => ("ip6", "daddr"),
            };
            ((protocol, field) == expected).then_some(Term::Dispatch(name))
        }
        ("drop", Value::Null) => Some(Term::Drop),
        ("return", Value::Null) => Some(Term::Return),
        _ => None,
    }
}

fn read_log(limit: &Value, log: &Value) -> Option<Term> {
    let (("limit", limit), ("log", log)) = (only(limit)?, only(log)?) else {
        return None;
    };
    let number = |field: &str| limit.get(field).and_then(Value::as_u64);
    let is_sound = number("rate") == Some(LOGS_PER_MINUTE)
        && number("burst") == Some(LOGS_AT_ONCE)
        && limit.get("per")?.as_str()? == "minute"
        && limit.get("inv").is_none();
    let ("prefix", prefix) = only(log)? else {
        return None;
    };
    let prefix = prefix.as_str()?;
    // Such as "labward d7 from would-drop: ": the name of a counter in other signs.
    let name = prefix.strip_prefix("labward ")?.strip_suffix(": ")?;
    let Counter::Device(id, flow, tally) = name.replace([' ', '-'], "_").parse().ok()? else {
        return None;
    };
    let is_same = log_prefix(id, flow, tally) == prefix;
    (is_sound && is_same).then_some(Term::Log(id, flow, tally))
}

fn read_match(condition: &Value) -> Option<Term> {
    let operator = condition.get("op")?.as_str()?;
    let (left, right) = (condition.get("left")?, condition.get("right")?);
    match (only(left)?, operator) {
        (("payload", _), "==") => read_payload(payload(left)?, right),
        (("meta", meta), "==") if meta.get("key")? == "l4proto" => {
            Some(Term::Protocol(u8::try_from(right.as_u64()?).ok()?))
        }
        (("ct", ct), "in" | "==") if ct.get("dir").is_none() => {
            match (ct.get("key")?.as_str()?, right) {
                // The bits of the kernel, as with -n, or their names.
                ("state", right) if is(right, 2, "established") => Some(Term::Established),
                ("state", right) if is(right, 4, "related") => Some(Term::Related),
                ("status", right) if is(right, 1, "expected") => Some(Term::Expected),
                _ => None,
            }
        }
        (("&", masked), "!=") if is(right, 2, "syn") => {
            let [flags, mask] = &masked.as_array()?[..] else {
                return None;
            };
            let is_flags = payload(flags)? == ("tcp", "flags");
            (is_flags && is_syn_and_ack(mask)).then_some(Term::NotOpening)
        }
        _ => None,
    }
}

fn is(value: &Value, number: u64, name: &str) -> bool {
    value.as_u64() == Some(number) || value.as_str() == Some(name)
}

/// `[2, 16]`, `18`, or their names, also below `|`.
fn is_syn_and_ack(mask: &Value) -> bool {
    let mask = match only(mask) {
        Some(("|", parts)) => parts,
        _ => mask,
    };
    match mask.as_array().map(Vec::as_slice) {
        Some([one, other]) => is(one, 2, "syn") && is(other, 16, "ack"),
        _ => mask.as_u64() == Some(18),
    }
}

fn payload(value: &Value) -> Option<(&str, &str)> {
    let ("payload", payload) = only(value)? else {
        return None;
    };
    Some((
        payload.get("protocol")?.as_str()?,
        payload.get("field")?.as_str()?,
    ))
}

fn read_payload((protocol, field): (&str, &str), right: &Value) -> Option<Term> {
    let side = match field {
        "daddr" | "dport" => Side::Destination,
        "saddr" | "sport" => Side::Source,
        _ => return None,
    };
    match (protocol, field) {
        ("ip" | "ip6", "daddr" | "saddr") => {
            let network = read_network(right)?;
            let is_v6 = network.address().is_ipv6();
            (is_v6 == (protocol == "ip6")).then_some(Term::Address(side, network))
        }
        ("tcp" | "udp", "dport" | "sport") => {
            let ports = read_ports(right)?;
            let protocol = if protocol == "tcp" { TCP } else { UDP };
            Some(Term::Port(side, Service::of(protocol, ports)))
        }
        _ => None,
    }
}

fn read_network(value: &Value) -> Option<Network> {
    if let Some(address) = value.as_str() {
        return Some(Network::host(address.parse().ok()?));
    }
    let ("prefix", prefix) = only(value)? else {
        return None;
    };
    let address = prefix.get("addr")?.as_str()?.parse().ok()?;
    Network::new(address, u8::try_from(prefix.get("len")?.as_u64()?).ok()?)
}

fn read_ports(value: &Value) -> Option<Ports> {
    let port = |value: &Value| u16::try_from(value.as_u64()?).ok();
    if let Some(("range", range)) = only(value) {
        let [first, last] = &range.as_array()?[..] else {
            return None;
        };
        return Ports::range(port(first)?, port(last)?);
    }
    Ports::one(port(value)?)
}
