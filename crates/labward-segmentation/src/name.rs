//! The names of chains, maps and counters: made from the ids of devices, and nothing else.

use std::fmt;
use std::str::FromStr;

use labward_base::id::DeviceId;
use serde::Serialize;

/// Where a packet goes, seen from a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// The device sends it.
    From,
    /// It is sent to the device.
    To,
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tally {
    /// What fits a conduit.
    Allowed,
    /// What was dropped.
    Dropped,
    /// What would have been dropped.
    WouldDrop,
}

/// A named counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    /// Of a device.
    Device(DeviceId, Flow, Tally),
    /// Everything that this machine forwards.
    Forwarded,
}

/// A named chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChainName {
    /// Of a device.
    Device(DeviceId, Flow),
    /// Where every forwarded packet begins.
    Forward,
}

/// A map from addresses to the chains of their devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct MapName {
    pub(crate) flow: Flow,
    pub(crate) is_v6: bool,
}

impl Flow {
    /// Both directions.
    pub(crate) const BOTH: [Self; 2] = [Self::From, Self::To];

    /// Its name in those of chains and counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
        }
    }
}

impl Tally {
    pub(crate) const ALL: [Self; 3] = [Self::Allowed, Self::Dropped, Self::WouldDrop];

    /// Its name in those of counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Dropped => "dropped",
            Self::WouldDrop => "would_drop",
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forwarded => f.write_str("forwarded"),
            Self::Device(id, flow, tally) => write!(f, "d{id}_{}_{}", flow.name(), tally.name()),
        }
    }
}

impl fmt::Display for ChainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward => f.write_str("forward"),
            Self::Device(id, flow) => write!(f, "d{id}_{}", flow.name()),
        }
    }
}

impl fmt::Display for MapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}_{}",
            self.flow.name(),
            if self.is_v6 { "v6" } else { "v4" }
        )
    }
}

impl FromStr for Counter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "forwarded" {
            return Ok(Self::Forwarded);
        }
        let (chain, tally) = Tally::ALL
            .into_iter()
            .find_map(|tally| {
                let chain = text.strip_suffix(tally.name())?.strip_suffix('_')?;
                Some((chain, tally))
            })
            .ok_or(())?;
        match chain.parse()? {
            ChainName::Device(id, flow) => Ok(Self::Device(id, flow, tally)),
            ChainName::Forward => Err(()),
        }
    }
}

impl FromStr for ChainName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "forward" {
            return Ok(Self::Forward);
        }
        let (id, flow) = text
            .strip_prefix('d')
            .and_then(|rest| rest.split_once('_'))
            .ok_or(())?;
        let flow = Flow::BOTH
            .into_iter()
            .find(|one| one.name() == flow)
            .ok_or(())?;
        let name = Self::Device(id.parse().map_err(|_| ())?, flow);
        // A number has one spelling.
        (name.to_string() == text).then_some(name).ok_or(())
    }
}

impl FromStr for MapName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = Flow::BOTH
            .into_iter()
            .flat_map(|flow| [false, true].map(|is_v6| Self { flow, is_v6 }));
        let mut all = all.into_iter();
        all.find(|name| name.to_string() == text).ok_or(())
    }
}

/// What stands before a logged packet; at most 127 characters, with a space at the end.
pub(crate) fn log_prefix(id: DeviceId, flow: Flow, tally: Tally) -> String {
    let tally = match tally {
        Tally::WouldDrop => "would-drop",
        tally => tally.name(),
    };
    format!("labward d{id} {} {tally}: ", flow.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_shown_and_have_one_spelling() {
        for name in [
            "d7_from_allowed",
            "d7_to_would_drop",
            "d18446744073709551615_to_dropped",
            "forwarded",
        ] {
            assert_eq!(name.parse::<Counter>().unwrap().to_string(), name);
        }
        for name in [
            "",
            "d07_from_allowed",
            "d_from_allowed",
            "d7_over_allowed",
            "d7_from",
            "forward_allowed",
        ] {
            assert_eq!(name.parse::<Counter>(), Err(()), "{name}");
        }
        assert_eq!("to_v6".parse::<MapName>().unwrap().to_string(), "to_v6");
        assert!("to_v5".parse::<MapName>().is_err());
    }
}
