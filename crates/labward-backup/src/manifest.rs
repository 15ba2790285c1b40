//! The manifest: what one generation is, in lines that a person can read.
//!
//! It must never be believed before its MAC or its signature was checked. Reading is total.

use labward_base::id::SiteId;
use labward_base::{Timestamp, hex};
use labward_ledger::VerifierKey;
use labward_ledger::tree::Digest;

use crate::key::{BackupKey, TAG_BYTES};

const FORMAT: &str = "labward backup ";
const VERSION: &str = "1";

/// What one generation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its number, from 1.
    pub generation: u64,
    /// Whose data it is.
    pub site: SiteId,
    /// The moment that it holds.
    pub created: Timestamp,
    /// The version of the program that wrote it.
    pub program: String,
    /// The version of the database's schema.
    pub schema: u32,
    /// Entries of the ledger.
    pub entries: u64,
    /// The ledger's root over these entries.
    pub root: Digest,
    /// Room to set aside for patient care, in bytes.
    pub reserve_bytes: u64,
    /// The key of the ledger, which signs the manifest.
    pub ledger_key: VerifierKey,
    pub(crate) identity: [u8; TAG_BYTES],
    pub(crate) key_epoch: u32,
    pub(crate) index_sha256: [u8; 32],
    pub(crate) index_bytes: u64,
}

/// Why a text is no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoManifest {
    Malformed,
    Newer,
}

impl Manifest {
    /// The lines, the last of which is the MAC over all before.
    pub(crate) fn to_text(&self, key: &BackupKey) -> String {
        let text = self.lines();
        let mac = hex::encode(&key.mac(text.as_bytes()));
        format!("{text}mac {mac}\n")
    }

    /// The manifest in `text` and its MAC; nothing about it is verified.
    pub(crate) fn parse(text: &str) -> Result<(Self, [u8; TAG_BYTES]), NoManifest> {
        let version = text
            .strip_prefix(FORMAT)
            .and_then(|rest| rest.split_once('\n'));
        let (version, rest) = version.ok_or(NoManifest::Malformed)?;
        if version != VERSION {
            return Err(match is_number(version) {
                true => NoManifest::Newer,
                false => NoManifest::Malformed,
            });
        }
        let (manifest, mac) = Self::parse_lines(rest).ok_or(NoManifest::Malformed)?;
        // One way to write it: what does not come out the same is another manifest.
        match format!("{}mac {}\n", manifest.lines(), hex::encode(&mac)) == text {
            true => Ok((manifest, mac)),
            false => Err(NoManifest::Malformed),
        }
    }

    /// Whether this MAC is this manifest's under the key.
    pub(crate) fn is_mac(&self, key: &BackupKey, mac: &[u8; TAG_BYTES]) -> bool {
        key.is_mac(self.lines().as_bytes(), mac)
    }

    fn parse_lines(text: &str) -> Option<(Self, [u8; TAG_BYTES])> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let manifest = Self {
            generation: value("generation")?.parse().ok()?,
            site: value("site")?.parse().ok()?,
            created: Timestamp::parse_rfc3339(value("created")?)?,
            program: value("program")?.to_owned(),
            schema: value("schema")?.parse().ok()?,
            entries: value("entries")?.parse().ok()?,
            root: Digest::from_base64(value("root")?)?,
            reserve_bytes: value("reserve")?.parse().ok()?,
            ledger_key: value("ledger-key")?.parse().ok()?,
            identity: hex::decode(value("identity")?)?,
            key_epoch: value("key-epoch")?.parse().ok()?,
            index_sha256: hex::decode(value("index-sha256")?)?,
            index_bytes: value("index-bytes")?.parse().ok()?,
        };
        let mac = hex::decode(value("mac")?)?;
        lines.next().is_none().then_some((manifest, mac))
    }

    /// Every line but the MAC.
    pub(crate) fn lines(&self) -> String {
        format!(
            "{FORMAT}{VERSION}\ngeneration {}\nsite {}\ncreated {}\nprogram {}\nschema {}\n\
             entries {}\nroot {}\nreserve {}\nledger-key {}\nidentity {}\nkey-epoch {}\nindex-sha256 {}\n\
             index-bytes {}\n",
            self.generation,
            self.site,
            self.created,
            self.program,
            self.schema,
            self.entries,
            self.root.to_base64(),
            self.reserve_bytes,
            self.ledger_key,
            hex::encode(&self.identity),
            self.key_epoch,
            hex::encode(&self.index_sha256),
            self.index_bytes,
        )
    }
}

/// Whether a version that is not ours is one at all.
pub(crate) fn is_number(version: &str) -> bool {
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_seal::SealKey;
    use proptest::prelude::*;

    fn manifest() -> Manifest {
        Manifest {
            generation: 12,
            site: SiteId::new(1),
            created: Timestamp::from_micros(1_700_000_000_000_001),
            program: "0.1.0".to_owned(),
            schema: 9,
            entries: 4_711,
            root: Digest::of(b"root"),
            reserve_bytes: 1 << 20,
            ledger_key: VerifierKey::new("labward.local/main", [6; 32]).unwrap(),
            identity: [4; 32],
            key_epoch: 1,
            index_sha256: [5; 32],
            index_bytes: 1_400,
        }
    }

    fn key(byte: u8) -> BackupKey {
        BackupKey::derive(SiteId::new(1), &SealKey::from_bytes([byte; 32]), 1).unwrap()
    }

    #[test]
    fn a_manifest_is_read_back_and_its_mac_is_its_keys() {
        let text = manifest().to_text(&key(1));
        let (read, mac) = Manifest::parse(&text).unwrap();
        assert_eq!(read, manifest());
        assert!(read.is_mac(&key(1), &mac));
        assert!(!read.is_mac(&key(2), &mac));
        let other = Manifest {
            entries: 4_712,
            ..manifest()
        };
        assert!(!other.is_mac(&key(1), &mac));
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        let text = manifest().to_text(&key(1));
        let newer = text.replacen("backup 1", "backup 2", 1);
        assert_eq!(Manifest::parse(&newer), Err(NoManifest::Newer));
        assert_eq!(
            Manifest::parse("labward backup 7\nall new"),
            Err(NoManifest::Newer)
        );
        for (from, to) in [
            ("backup 1", "backup one"),
            ("generation 12", "generation 012"),
            ("site 1\n", ""),
            ("4711", "+4711"),
            ("mac ", "mac  "),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert_eq!(
                Manifest::parse(&changed),
                Err(NoManifest::Malformed),
                "{from}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_manifest_with_any_byte_changed_has_another_mac_or_is_none(
            place in 0usize..500, flip in 1u8..
        ) {
            let text = manifest().to_text(&key(1));
            let mut bytes = text.into_bytes();
            let place = place % bytes.len();
            bytes[place] ^= flip;
            if let Ok(text) = String::from_utf8(bytes)
                && let Ok((read, mac)) = Manifest::parse(&text)
            {
                prop_assert!(!read.is_mac(&key(1), &mac));
            }
        }

        #[test]
        fn reading_any_text_ends_without_panic(text: String) {
            let _ = Manifest::parse(&text);
            let _ = Manifest::parse(&format!("labward backup 1\n{text}"));
        }
    }
}
