//! One value of a device: who said it, when, and how sure that is.

use std::fmt;
use std::str::FromStr;

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PeerId, PersonId};

use crate::attribute::Attribute;
use crate::import::ImportFormat;

/// How sure it is that a value is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A guess from something else; shown where nobody says more.
    Low,
    /// Written down or sent in a place that is not always used so.
    Medium,
    /// Said by a person, or sent in the place that is for it.
    High,
}

impl Confidence {
    /// The name in JSON and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// Who said a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A capture of the network's traffic.
    Capture {
        /// SHA-256 of the file.
        sha256: [u8; 32],
    },
    /// A list of devices.
    File {
        /// What kind of list.
        format: ImportFormat,
        /// What the file is called.
        name: String,
        /// SHA-256 of it.
        sha256: [u8; 32],
    },
    /// A peer, in its messages.
    Link {
        /// The link, by its name in the configuration.
        link: String,
        /// The peer.
        peer: PeerId,
    },
    /// A person.
    Person(PersonId),
}

/// Who says something, as far as one value takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Voice {
    Person,
    Peer(PeerId),
    Capture,
    File(ImportFormat),
}

/// One value that was observed of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What of the device.
    pub attribute: Attribute,
    /// The value; empty where a person took their word back.
    pub value: String,
    /// Who said it last.
    pub source: Source,
    /// How sure it is.
    pub confidence: Confidence,
    /// When it was observed first.
    pub first: Timestamp,
    /// Since when it is what this voice says.
    pub since: Timestamp,
    /// When it was said last; of peers: when it was last new.
    pub last: Timestamp,
    /// The entry that recorded it.
    pub entry: EntryIndex,
}

impl Source {
    pub(crate) const fn voice(&self) -> Voice {
        match self {
            Self::Capture { .. } => Voice::Capture,
            Self::File { format, .. } => Voice::File(*format),
            Self::Link { peer, .. } => Voice::Peer(*peer),
            Self::Person(_) => Voice::Person,
        }
    }

    /// The kind of source, in JSON: `capture`, `file`, `link` or `person`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Capture { .. } => "capture",
            Self::File { .. } => "file",
            Self::Link { .. } => "link",
            Self::Person(_) => "person",
        }
    }
}

impl Voice {
    /// The smaller, the more its word counts.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Person => 0,
            Self::Capture | Self::Peer(_) => 1,
            Self::File(_) => 2,
        }
    }
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture => f.write_str("capture"),
            Self::File(format) => write!(f, "file:{}", format.name()),
            Self::Peer(peer) => write!(f, "peer:{peer}"),
            Self::Person => f.write_str("person"),
        }
    }
}

impl FromStr for Voice {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None if text == "capture" => Ok(Self::Capture),
            None if text == "person" => Ok(Self::Person),
            Some(("file", format)) => ImportFormat::by_any_name(format).map(Self::File).ok_or(()),
            Some(("peer", peer)) => peer.parse().map(Self::Peer).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

impl Observation {
    pub(crate) const fn voice(&self) -> Voice {
        self.source.voice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_read_back_as_written_and_a_person_comes_first() {
        let voices = [
            Voice::Person,
            Voice::Capture,
            Voice::Peer(PeerId::new(7)),
            Voice::File(ImportFormat::SnipeIt),
            Voice::File(ImportFormat::Mds2),
        ];
        for voice in voices {
            assert_eq!(voice.to_string().parse(), Ok(voice));
            assert!(voice == Voice::Person || Voice::Person.rank() < voice.rank());
        }
        for text in ["", "peer", "peer:x", "file:pdf", "person:1"] {
            assert_eq!(text.parse::<Voice>(), Err(()), "{text}");
        }
    }
}
