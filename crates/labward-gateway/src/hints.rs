//! What stands beside an entry, outside its leaf, to rebuild the duplicate window at start.
//!
//! `link 4 ‖ key 16 ‖ body 16 ‖ answer 1`: the beginning of the link name's SHA-256, the keyed tags,
//! and the stored number of the answer (0 = accepted). It holds no control id and no body.

use labward_base::Timestamp;
use labward_base::id::RecordId;
use labward_seal::sha256;

use crate::duplicate::{Tag, Window};
use crate::outcome::Settled;

/// Bytes of a hint.
const HINT_BYTES: usize = 37;

/// The beginning of the SHA-256 of a link's name.
pub(crate) type LinkTag = [u8; 4];

/// One place of a duplicate window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    link: LinkTag,
    key: Tag,
    body: Tag,
    settled: Settled,
}

impl Hint {
    /// The hint of a message on the link with this tag.
    pub(crate) fn of(link: LinkTag, (key, body): (Tag, Tag), settled: Settled) -> Self {
        Self {
            link,
            key,
            body,
            settled,
        }
    }

    /// As it stands beside the entry.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let answer = [self.settled.stored()];
        [&self.link[..], &self.key, &self.body, &answer].concat()
    }

    /// Reads a hint; `None` if the bytes are none of ours.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HINT_BYTES] = bytes.try_into().ok()?;
        let (link, rest) = bytes.split_first_chunk::<4>()?;
        let (key, rest) = rest.split_first_chunk::<16>()?;
        let (body, rest) = rest.split_first_chunk::<16>()?;
        let settled = Settled::from_stored(*rest.first()?)?;
        Some(Self {
            link: *link,
            key: *key,
            body: *body,
            settled,
        })
    }

    /// The same, of a message that was accepted after all.
    pub(crate) fn accepted(self) -> Self {
        Self {
            settled: Settled::Accepted,
            ..self
        }
    }

    /// Whether it is of the link with this tag.
    pub(crate) fn is_of(&self, link: LinkTag) -> bool {
        self.link == link
    }

    /// Puts it back into its window; `false` once the window is full.
    pub(crate) fn restore(&self, window: &Window, record: RecordId, time: Timestamp) -> bool {
        window.restore(self.key, self.body, self.settled, record, time)
    }
}

/// The tag of a link's name.
pub(crate) fn link_tag(link: &str) -> LinkTag {
    let digest = sha256(link.as_bytes());
    digest.first_chunk::<4>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;
    use proptest::prelude::*;

    #[test]
    fn a_hint_is_read_back_as_written() {
        for settled in [Settled::Accepted, Settled::Refused(Reason::IdReused)] {
            let hint = Hint::of(link_tag("hl7"), ([1; 16], [2; 16]), settled);
            let bytes = hint.to_bytes();
            assert_eq!(bytes.len(), HINT_BYTES);
            assert_eq!(Hint::parse(&bytes), Some(hint));
            assert!(hint.is_of(link_tag("hl7")) && !hint.is_of(link_tag("astm")));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(hint) = Hint::parse(&bytes) {
                prop_assert_eq!(hint.to_bytes(), bytes);
            }
        }
    }
}
