//! Inclusion and consistency proofs (RFC 6962 §2.1.1–2, RFC 9162 §2.1.3–4).
//!
//! A verification here must never read anything but its arguments: an outside expert runs it
//! without us. Paths longer than 63 digests cannot occur and are refused.

use crate::tree::{Digest, fold_peaks, node_digest};

/// Digests a path can have at most; a tree of 2^63 leaves has such paths.
pub const PATH_MAX: usize = 63;

/// Where the digests of perfect subtrees come from: tiles on disk, or leaves in memory.
pub trait Subtrees {
    /// Why a digest could not be had.
    type Error;

    /// The root over the 2^`level` leaves from `index` · 2^`level` on.
    fn subtree(&mut self, level: u32, index: u64) -> Result<Digest, Self::Error>;
}

/// The siblings from a leaf up to the root: proves that the tree holds the leaf at this index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The index of the leaf.
    pub index: u64,
    /// The size of the tree.
    pub size: u64,
    /// The siblings, the leaf's own first.
    pub path: Vec<Digest>,
}

/// The digests that prove a tree to be the beginning of a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The size of the earlier tree.
    pub old: u64,
    /// The size of the later tree.
    pub new: u64,
    /// The digests, in the order of RFC 6962 §2.1.2.
    pub path: Vec<Digest>,
}

impl InclusionProof {
    /// Computes the proof for the leaf at `index` in the tree of `size` leaves; `None` if the tree
    /// has no such leaf.
    pub fn compute<S: Subtrees>(
        index: u64,
        size: u64,
        subtrees: &mut S,
    ) -> Result<Option<Self>, S::Error> {
        if index >= size {
            return Ok(None);
        }
        let (mut low, mut high, mut path) = (0, size, Vec::new());
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(range_digest(middle, high, subtrees)?);
                high = middle;
            } else {
                path.push(range_digest(low, middle, subtrees)?);
                low = middle;
            }
        }
        path.reverse();
        Ok(Some(Self { index, size, path }))
    }

    /// Whether the tree with this root holds the leaf with this digest at this index
    /// (RFC 9162 §2.1.3.2).
    pub fn verify(&self, leaf: &Digest, root: &Digest) -> bool {
        if self.index >= self.size || self.path.len() > PATH_MAX {
            return false;
        }
        let (mut at, mut last, mut digest) = (self.index, self.size - 1, *leaf);
        for sibling in &self.path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                digest = node_digest(sibling, &digest);
                climb_to_right_child(&mut at, &mut last);
            } else {
                digest = node_digest(&digest, sibling);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        last == 0 && digest == *root
    }
}

impl ConsistencyProof {
    /// Computes the proof that the tree of `old` leaves begins the one of `new` leaves; `None` if
    /// `old` is larger than `new`. From the empty tree, and between equal trees, the path is empty.
    pub fn compute<S: Subtrees>(
        old: u64,
        new: u64,
        subtrees: &mut S,
    ) -> Result<Option<Self>, S::Error> {
        if old > new {
            return Ok(None);
        }
        let (mut low, mut high, mut path) = (0, new, Vec::new());
        // The whole old tree needs no digest: the verifier has its root.
        while old != 0 && old != high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(range_digest(middle, high, subtrees)?);
                high = middle;
            } else {
                path.push(range_digest(low, middle, subtrees)?);
                low = middle;
            }
        }
        if low != 0 {
            path.push(range_digest(low, high, subtrees)?);
        }
        path.reverse();
        Ok(Some(Self { old, new, path }))
    }

    /// Whether the tree with `old_root` is the beginning of the one with `new_root`
    /// (RFC 9162 §2.1.4.2); the empty tree begins every tree.
    pub fn verify(&self, old_root: &Digest, new_root: &Digest) -> bool {
        if self.old == 0 {
            return self.path.is_empty() && *old_root == fold_peaks(&[]);
        }
        if self.old == self.new {
            return self.path.is_empty() && old_root == new_root;
        }
        if self.old > self.new || self.path.len() > PATH_MAX {
            return false;
        }
        let mut path = self.path.iter();
        let first = if self.old.is_power_of_two() {
            Some(old_root)
        } else {
            path.next()
        };
        let Some(first) = first else { return false };
        let (mut at, mut last) = (self.old - 1, self.new - 1);
        let down = at.trailing_ones();
        (at, last) = (at >> down, last >> down);
        let (mut old_digest, mut new_digest) = (*first, *first);
        for digest in path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                old_digest = node_digest(digest, &old_digest);
                new_digest = node_digest(digest, &new_digest);
                climb_to_right_child(&mut at, &mut last);
            } else {
                new_digest = node_digest(&new_digest, digest);
            }
            (at, last) = (at >> 1, last >> 1);
        }
        last == 0 && old_digest == *old_root && new_digest == *new_root
    }
}

/// Goes up while the node is a left child without a sibling.
fn climb_to_right_child(at: &mut u64, last: &mut u64) {
    while *at != 0 && *at & 1 == 0 {
        (*at, *last) = (*at >> 1, *last >> 1);
    }
}

/// The largest power of two below `length`, which is at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The root over the leaves `low..high`; `low` is a multiple of the largest power of two that
/// fits into the range, as in every subtree of RFC 6962.
pub(crate) fn range_digest<S: Subtrees>(
    low: u64,
    high: u64,
    subtrees: &mut S,
) -> Result<Digest, S::Error> {
    Ok(fold_peaks(&range_peaks(low, high, subtrees)?))
}

/// The peaks over the leaves `low..high`, the largest first.
pub(crate) fn range_peaks<S: Subtrees>(
    low: u64,
    high: u64,
    subtrees: &mut S,
) -> Result<Vec<Digest>, S::Error> {
    let (mut at, mut peaks) = (low, Vec::new());
    while at < high {
        let level = (high - at).ilog2();
        peaks.push(subtrees.subtree(level, at >> level)?);
        at += 1 << level;
    }
    Ok(peaks)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::tree::leaf_digest;
    use crate::tree::tests::{KNOWN_LEAVES, numbered_leaves, reference_root, unhex};
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// The leaves of a small tree in memory.
    pub(crate) struct Leaves(pub(crate) Vec<Digest>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&mut self, level: u32, index: u64) -> Result<Digest, Infallible> {
            let (from, count) = (usize::try_from(index << level).unwrap(), 1usize << level);
            Ok(reference_root(&self.0[from..from + count]))
        }
    }

    fn inclusion(index: u64, size: u64, leaves: &mut Leaves) -> InclusionProof {
        InclusionProof::compute(index, size, leaves)
            .unwrap()
            .unwrap()
    }

    fn consistency(old: u64, new: u64, leaves: &mut Leaves) -> ConsistencyProof {
        ConsistencyProof::compute(old, new, leaves)
            .unwrap()
            .unwrap()
    }

    fn at(index: u64) -> usize {
        usize::try_from(index).unwrap()
    }

    fn hex(path: &[Digest]) -> Vec<String> {
        path.iter().map(Digest::to_string).collect()
    }

    /// Paths over the eight known leaves as Certificate Transparency's own tests hold them.
    #[test]
    fn the_paths_are_those_of_certificate_transparency() {
        let mut leaves = Leaves(
            KNOWN_LEAVES
                .iter()
                .map(|l| leaf_digest(&unhex(l)))
                .collect(),
        );
        assert!(inclusion(0, 1, &mut leaves).path.is_empty());
        assert_eq!(
            hex(&inclusion(0, 8, &mut leaves).path),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            hex(&inclusion(2, 3, &mut leaves).path),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        assert_eq!(
            hex(&consistency(1, 8, &mut leaves).path),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            hex(&consistency(2, 5, &mut leaves).path),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved_at_its_place_only() {
        let mut leaves = Leaves(numbered_leaves(40));
        for size in 1..=40u64 {
            let root = reference_root(&leaves.0[..at(size)]);
            for index in 0..size {
                let leaf = leaves.0[at(index)];
                let proof = inclusion(index, size, &mut leaves);
                assert!(proof.verify(&leaf, &root), "{index} in {size}");
                let other = InclusionProof {
                    index: (index + 1) % size,
                    ..proof.clone()
                };
                assert!(
                    size == 1 || !other.verify(&leaf, &root),
                    "{index} in {size}"
                );
                let mut longer = proof.clone();
                longer.path.push(leaf);
                assert!(!longer.verify(&leaf, &root));
            }
            assert_eq!(InclusionProof::compute(size, size, &mut leaves), Ok(None));
        }
    }

    #[test]
    fn every_small_tree_is_proved_to_begin_each_later_one_and_no_other() {
        let mut leaves = Leaves(numbered_leaves(33));
        let roots: Vec<_> = (0..=33)
            .map(|size| reference_root(&leaves.0[..size]))
            .collect();
        for new in 0..=33u64 {
            for old in 0..=new {
                let proof = consistency(old, new, &mut leaves);
                let (old_root, new_root) = (&roots[at(old)], &roots[at(new)]);
                assert!(proof.verify(old_root, new_root), "{old} to {new}");
                let forged = Digest::of(b"another history");
                assert!(!proof.verify(&forged, new_root), "{old} to {new}");
                assert!(
                    old == 0 || !proof.verify(old_root, &forged),
                    "{old} to {new}"
                );
                let mut longer = proof.clone();
                longer.path.push(forged);
                assert!(!longer.verify(old_root, new_root));
            }
            assert_eq!(
                ConsistencyProof::compute(new + 1, new, &mut leaves),
                Ok(None)
            );
        }
    }

    proptest! {
        #[test]
        fn a_proof_with_any_bit_flipped_proves_nothing(
            size in 2u64..200, pick in any::<u64>(), place in any::<usize>(), bit in 0u8..8
        ) {
            let mut leaves = Leaves(numbered_leaves(size));
            let root = reference_root(&leaves.0);
            let index = pick % size;
            let mut proof = inclusion(index, size, &mut leaves);
            let place = place % (proof.path.len() * Digest::LEN);
            let mut bytes = *proof.path[place / Digest::LEN].as_bytes();
            bytes[place % Digest::LEN] ^= 1 << bit;
            proof.path[place / Digest::LEN] = Digest::new(bytes);
            prop_assert!(!proof.verify(&leaves.0[at(index)], &root));
        }

        #[test]
        fn verifying_any_numbers_and_digests_ends_without_panic(
            a in any::<u64>(), b in any::<u64>(), length in 0usize..70
        ) {
            let path = vec![Digest::of(b"x"); length];
            let digest = Digest::of(b"y");
            let proof = InclusionProof { index: a, size: b, path: path.clone() };
            prop_assert!(!proof.verify(&digest, &digest) || (a == 0 && b == 1));
            let proof = ConsistencyProof { old: a, new: b, path };
            prop_assert!(!proof.verify(&digest, &digest) || a == b);
        }
    }
}
