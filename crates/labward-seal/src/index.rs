//! Keyed tags under which exact identifiers are found without standing in the open.
//!
//! Equal values under one field have equal tags, which is the point and the leak: it must never be
//! used for what has few values (sex, result, test, diagnosis).

use aws_lc_rs::hmac;

use crate::key::{KEY_BYTES, SealKey};

/// Length of a tag, in bytes.
pub const INDEX_TAG_BYTES: usize = 16;

/// The key of one site's index; it is made and kept as a [`SealKey`], wrapped under
/// [`crate::Scope::Index`].
///
/// ```compile_fail,E0277
/// let key = labward_seal::IndexKey::from_bytes([7; 32]);
/// println!("{key:?}"); // no Debug
/// ```
#[derive(Clone)]
pub struct IndexKey(
    // Scheduled once: each message makes several tags. The library erases it when it is dropped.
    hmac::Key,
);

impl IndexKey {
    /// The key of these bytes, which must be uniformly random.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self::from(SealKey::from_bytes(bytes))
    }

    /// The tag of `parts` in `field`: HMAC-SHA256 over the field and each part, each with its
    /// length before it, cut to 16 bytes.
    pub fn tag(&self, field: &str, parts: &[&[u8]]) -> [u8; INDEX_TAG_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        // Each part carries its length, so ("ab", "c") and ("a", "bc") never meet.
        for part in std::iter::once(&field.as_bytes()).chain(parts) {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            context.update(&length.to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; INDEX_TAG_BYTES];
        for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        tag
    }
}

impl From<SealKey> for IndexKey {
    /// The index key that was wrapped as 32 bytes under [`crate::Scope::Index`].
    fn from(key: SealKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_is_the_hmac_of_lengths_and_parts() {
        let mut framed = Vec::new();
        for part in ["mrn", "GHH", "4711"] {
            framed.extend_from_slice(&(part.len() as u64).to_be_bytes());
            framed.extend_from_slice(part.as_bytes());
        }
        let key = IndexKey::from_bytes([5; 32]);
        let expected = crate::hmac_sha256(&[5; 32], &framed);
        assert_eq!(key.tag("mrn", &[b"GHH", b"4711"]), expected[..16]);
    }

    #[test]
    fn a_tag_depends_on_key_field_and_where_the_parts_end() {
        let key = IndexKey::from_bytes([5; 32]);
        let tag = key.tag("mrn", &[b"ab", b"c"]);
        assert_eq!(tag, key.tag("mrn", &[b"ab", b"c"]));
        assert_ne!(tag, key.tag("mrn", &[b"a", b"bc"]));
        assert_ne!(tag, key.tag("mrn", &[b"abc"]));
        assert_ne!(tag, key.tag("mrn", &[b"ab", b"c", b""]));
        assert_ne!(tag, key.tag("mrna", &[b"b", b"c"]));
        assert_ne!(tag, key.tag("accession", &[b"ab", b"c"]));
        assert_ne!(
            tag,
            IndexKey::from_bytes([6; 32]).tag("mrn", &[b"ab", b"c"])
        );
    }

    proptest! {
        #[test]
        fn different_parts_have_different_tags(
            a in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 0..4),
            b in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 0..4),
        ) {
            let key = IndexKey::from_bytes([5; 32]);
            let tag = |parts: &[Vec<u8>]| {
                key.tag("mrn", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(a == b, tag(&a) == tag(&b));
        }
    }
}
