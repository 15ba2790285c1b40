//! One document, and what hashes, signatures and lists say of where it comes from.
//!
//! It must never count a hash, or a signature by a key that was not given, as a reason to trust.

use labward_base::Timestamp;

use super::{Kind, ManifestCheck};
use crate::integrity::{HashFault, MinisignKey, PublicKey, SignatureFault, check_hash, verify};

/// By whose keys signatures are verified, and when that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Checks<'k> {
    /// Keys of publishers, whose fingerprints a person has compared.
    pub keys: &'k [PublicKey],
    /// Keys with which lists of bundles are signed ([`manifest_of`](super::manifest_of)).
    pub bundle_keys: &'k [MinisignKey],
    /// Now.
    pub now: Timestamp,
}

/// What stands beside a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'b> {
    /// The bytes of `NAME.sha512`.
    pub sha512: Option<&'b [u8]>,
    /// The bytes of `NAME.sha256`.
    pub sha256: Option<&'b [u8]>,
    /// The bytes of `NAME.asc`.
    pub signature: Option<&'b [u8]>,
}

/// What the hash files beside a document say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashCheck {
    /// There is none.
    Absent,
    /// One does not vouch for it.
    Bad(HashFault),
    /// All fit.
    Good,
}

/// What the signature beside a document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureCheck {
    /// There is none.
    Absent,
    /// It does not vouch for the document.
    Bad(SignatureFault),
    /// One of the given keys made it.
    Good(Signer),
    /// It was made by a key that was not given: its fingerprint or id.
    KeyUnknown(String),
}

/// Whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The fingerprint of the OpenPGP key, or the id of the minisign key.
    pub key: String,
    /// When the signature says it was made.
    pub signed: Option<Timestamp>,
    /// Since when the key has run out, if it has.
    pub expired: Option<Timestamp>,
}

/// What the list of a bundle says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The archive has no list.
    NoManifest,
    /// The file is the one that was listed.
    Fits,
    /// It is another one.
    Differs,
    /// It is not listed.
    NotListed,
}

/// What is known of where a document comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A hash, a signature or a list contradicts it: do not use it.
    Refuted,
    /// A given key signed it, or the list that names it.
    Signed,
    /// Nothing contradicts it, and nobody known vouches for it.
    Unsigned,
}

/// One document.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its name, that of an inner archive before it; for people, never a path.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// Its bytes, unpacked.
    pub bytes: &'a [u8],
    /// What the hash files say.
    pub hash: HashCheck,
    /// What the signature says.
    pub signature: &'a SignatureCheck,
    /// What the bundle's list says.
    pub listing: Listing,
    /// Who made the bundle that it came in, if it is one of ours.
    pub manifest: Option<&'a ManifestCheck>,
}

impl Item<'_> {
    /// What all checks together say.
    pub fn trust(&self) -> Trust {
        let list = self.manifest.map(|manifest| &manifest.signature);
        let refuted = matches!(self.hash, HashCheck::Bad(_))
            || matches!(self.signature, SignatureCheck::Bad(_))
            || matches!(list, Some(SignatureCheck::Bad(_)))
            || matches!(self.listing, Listing::Differs | Listing::NotListed);
        let listed = self.listing == Listing::Fits && matches!(list, Some(SignatureCheck::Good(_)));
        match (
            refuted,
            listed || matches!(self.signature, SignatureCheck::Good(_)),
        ) {
            (true, _) => Trust::Refuted,
            (false, true) => Trust::Signed,
            (false, false) => Trust::Unsigned,
        }
    }
}

/// What hashes, signatures and lists say of a file, and so of what is in it.
#[derive(Clone, Debug)]
pub(super) struct Vouched {
    pub(super) hash: HashCheck,
    pub(super) signature: SignatureCheck,
    pub(super) listing: Listing,
}

impl Vouched {
    pub(super) fn of(name: &str, bytes: &[u8], beside: Beside<'_>, checks: &Checks<'_>) -> Self {
        let base = name.rsplit('/').next().unwrap_or(name);
        let mut hash = HashCheck::Absent;
        for file in [beside.sha512, beside.sha256].into_iter().flatten() {
            match check_hash(file, base, bytes) {
                Ok(()) if hash == HashCheck::Absent => hash = HashCheck::Good,
                Ok(()) => {}
                Err(fault) => hash = HashCheck::Bad(fault),
            }
        }
        let signature = match beside.signature {
            None => SignatureCheck::Absent,
            Some(signature) => match verify(signature, bytes, checks.keys, checks.now) {
                Ok(verified) => SignatureCheck::Good(Signer {
                    key: verified.fingerprint,
                    signed: Some(verified.signed),
                    expired: verified.expired,
                }),
                Err(SignatureFault::OtherKey(key)) => SignatureCheck::KeyUnknown(key),
                Err(fault) => SignatureCheck::Bad(fault),
            },
        };
        Self {
            hash,
            signature,
            listing: Listing::NoManifest,
        }
    }

    /// What holds for a file in an archive: what refutes the archive refutes the file, and what vouches
    /// for the archive vouches for a file that has nothing of its own.
    pub(super) fn within(self, archive: &Self) -> Self {
        let weight = |check: &SignatureCheck| match check {
            SignatureCheck::Bad(_) => 3,
            SignatureCheck::Good(_) => 2,
            SignatureCheck::KeyUnknown(_) => 1,
            SignatureCheck::Absent => 0,
        };
        Self {
            hash: match (self.hash, archive.hash) {
                (HashCheck::Bad(fault), _) | (_, HashCheck::Bad(fault)) => HashCheck::Bad(fault),
                (HashCheck::Absent, of_archive) => of_archive,
                (own, _) => own,
            },
            signature: match weight(&archive.signature) > weight(&self.signature) {
                true => archive.signature.clone(),
                false => self.signature,
            },
            listing: match self.listing {
                Listing::NoManifest => archive.listing,
                own => own,
            },
        }
    }
}
