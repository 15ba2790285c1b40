//! The Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1): digests, and the compact frontier that grows
//! with each leaf.
//!
//! It must never hold more than the frontier: a tree of 2^63 leaves takes 64 digests of memory.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::hex;

/// A SHA-256 digest: of a leaf, of a node, of a whole tree or of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; Digest::LEN]);

impl Digest {
    /// Bytes in a digest.
    pub const LEN: usize = 32;

    /// The digest with these bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The SHA-256 of `bytes`, without any prefix.
    pub fn of(bytes: &[u8]) -> Self {
        Self(labward_seal::sha256(bytes))
    }

    /// The digest with these bytes, or `None` if they are not 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes of this digest.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Standard base64 with padding, 44 characters, as checkpoints and proofs write a digest.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The digest written in canonical standard base64, or `None` if the text is anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::LEN + 2];
        let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
        Self::from_slice(bytes.get(..length)?)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The digest of a leaf: SHA-256(00 ‖ leaf), RFC 6962 §2.1.
pub fn leaf_digest(leaf: &[u8]) -> Digest {
    // Most leaves are short: in one piece they need no context of the library on the heap.
    let mut input = [0; 1024];
    if let Some(room) = input.get_mut(1..=leaf.len()) {
        room.copy_from_slice(leaf);
        return Digest::of(input.get(..=leaf.len()).unwrap_or_default());
    }
    let mut hash = labward_seal::Sha256::new();
    hash.update(&[0]);
    hash.update(leaf);
    Digest(hash.finish())
}

/// The digest of a node over its two children: SHA-256(01 ‖ left ‖ right), RFC 6962 §2.1.
pub fn node_digest(left: &Digest, right: &Digest) -> Digest {
    let mut input = [1; 1 + 2 * Digest::LEN];
    let (_, children) = input.split_at_mut(1);
    let (first, second) = children.split_at_mut(Digest::LEN);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Digest::of(&input)
}

/// The roots of the perfect subtrees that a tree consists of, the largest first: all that is
/// needed to add a leaf and to know the root.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// The frontier of a tree of `size` leaves with these peaks, the largest subtree first, or
    /// `None` if such a tree has another number of peaks.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        let fits = usize::try_from(size.count_ones()) == Ok(peaks.len());
        fits.then_some(Self { size, peaks })
    }

    /// The frontier stored as `bytes` (the peaks one after the other), or `None` if they do not
    /// fit a tree of `size` leaves.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let chunks = bytes.chunks(Digest::LEN);
        Self::from_peaks(size, chunks.map(Digest::from_slice).collect::<Option<_>>()?)
    }

    /// The peaks one after the other, the largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| peak.0).collect()
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Adds the leaf with this digest as the last one.
    pub fn push(&mut self, leaf: Digest) {
        let mut carry = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carry = node_digest(&left, &carry);
            }
        }
        self.peaks.push(carry);
        self.size += 1;
    }

    /// Adds a leaf and keeps in `undo` what [`Frontier::pop`] needs to take it back.
    pub(crate) fn push_undoable(&mut self, leaf: Digest, undo: &mut Vec<Digest>) {
        let merged = usize::try_from(self.size.trailing_ones()).unwrap_or(usize::MAX);
        undo.extend(self.peaks.iter().rev().take(merged));
        self.push(leaf);
    }

    /// Takes back the last leaf that was added with [`Frontier::push_undoable`].
    pub(crate) fn pop(&mut self, undo: &mut Vec<Digest>) {
        if self.peaks.pop().is_none() {
            return;
        }
        self.size -= 1;
        for _ in 0..self.size.trailing_ones() {
            self.peaks.extend(undo.pop());
        }
    }

    /// The root of the tree; of the empty tree it is the SHA-256 of no bytes.
    pub fn root(&self) -> Digest {
        fold_peaks(&self.peaks)
    }
}

/// The root over these peaks, the largest subtree first.
pub(crate) fn fold_peaks(peaks: &[Digest]) -> Digest {
    let Some((last, larger)) = peaks.split_last() else {
        return Digest::of(b"");
    };
    larger
        .iter()
        .rev()
        .fold(*last, |right, left| node_digest(left, &right))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_hashed_alike_in_one_piece_and_in_parts() {
        for length in [0, 1, 450, 1022, 1023, 1024, 5000] {
            let leaf = vec![7; length];
            let whole = [&[0][..], &leaf].concat();
            assert_eq!(leaf_digest(&leaf), Digest::of(&whole), "{length}");
        }
    }
    use proptest::prelude::*;

    /// The eight leaves that the tests of Certificate Transparency's reference implementation use
    /// (google/certificate-transparency, `merkletree/merkle_tree_test.cc`; also in
    /// transparency-dev/merkle), and the roots over the first 1 to 8 of them.
    pub(crate) const KNOWN_LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const KNOWN_ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    pub(crate) fn unhex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    /// MTH of RFC 6962 §2.1, word by word.
    pub(crate) fn reference_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [leaf] => *leaf,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node_digest(
                    &reference_root(&leaves[..half]),
                    &reference_root(&leaves[half..]),
                )
            }
        }
    }

    pub(crate) fn numbered_leaves(count: u64) -> Vec<Digest> {
        (0..count)
            .map(|i| leaf_digest(format!("leaf {i}").as_bytes()))
            .collect()
    }

    #[test]
    fn the_empty_tree_has_the_digest_of_nothing_as_root() {
        assert_eq!(
            Frontier::new().root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let mut frontier = Frontier::new();
        for (leaf, root) in KNOWN_LEAVES.iter().zip(KNOWN_ROOTS) {
            frontier.push(leaf_digest(&unhex(leaf)));
            assert_eq!(
                frontier.root().to_string(),
                root,
                "size {}",
                frontier.size()
            );
        }
    }

    #[test]
    fn a_frontier_with_the_wrong_number_of_peaks_is_refused() {
        let peaks = numbered_leaves(2);
        assert!(Frontier::from_peaks(3, peaks.clone()).is_some());
        assert!(Frontier::from_peaks(4, peaks).is_none());
        assert!(Frontier::from_bytes(1, &[0; 31]).is_none());
        assert_eq!(Frontier::from_bytes(0, &[]), Some(Frontier::new()));
    }

    #[test]
    fn a_digest_is_read_only_in_canonical_base64() {
        let digest = Digest::of(b"x");
        let text = digest.to_base64();
        assert_eq!(Digest::from_base64(&text), Some(digest));
        assert_eq!(Digest::from_base64(text.trim_end_matches('=')), None);
        assert_eq!(Digest::from_base64(&format!(" {text}")), None);
        assert_eq!(Digest::from_base64("AAAA"), None);
    }

    proptest! {
        #[test]
        fn the_frontier_has_the_root_that_the_rfc_defines(size in 0u64..300) {
            let leaves = numbered_leaves(size);
            let mut frontier = Frontier::new();
            leaves.iter().for_each(|leaf| frontier.push(*leaf));
            prop_assert_eq!(frontier.root(), reference_root(&leaves));
            let stored = Frontier::from_bytes(size, &frontier.to_bytes());
            prop_assert_eq!(stored, Some(frontier));
        }

        #[test]
        fn leaves_are_taken_back_without_a_trace(kept in 0u64..200, added in 0u64..200) {
            let mut frontier = Frontier::new();
            numbered_leaves(kept).into_iter().for_each(|leaf| frontier.push(leaf));
            let (before, mut undo) = (frontier.clone(), Vec::new());
            for leaf in numbered_leaves(added) {
                frontier.push_undoable(leaf, &mut undo);
            }
            (0..added).for_each(|_| frontier.pop(&mut undo));
            prop_assert_eq!(frontier, before);
            prop_assert!(undo.is_empty());
        }
    }
}
