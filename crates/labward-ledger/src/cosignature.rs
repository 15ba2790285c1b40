//! Cosignatures (C2SP tlog-cosignature, type 04): what a witness says about a checkpoint, and when.
//!
//! A cosignature states that, as of its time, the witness saw this tree and none that contradicts
//! it. The key of a witness is of another type than that of a ledger, so that neither can ever
//! stand for the other. A time must never be believed before [`WitnessKey::verify`] gave it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_base::{Secret, Timestamp};
use labward_seal::sign::{self, SIGNATURE_BYTES, SigningKey};
use serde::Deserialize;

use crate::note::{Note, NoteError, Signature, is_key_name, key_id, read_key, write_key};

/// The signature type of a timestamped Ed25519 cosignature in the specification.
const COSIGNATURE: u8 = 4;

/// What the private key of a witness begins with in its file.
const PRIVATE: &str = "PRIVATE+KEY+";

/// The public key of a witness as people get it: `name+key id+base64(04 ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct WitnessKey {
    name: String,
    public: [u8; 32],
}

/// The name and the private key with which a witness cosigns.
pub struct Cosigner {
    name: String,
    key: SigningKey,
}

/// A cosignature that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The name of the witness.
    pub witness: String,
    /// When it cosigned, to the second.
    pub time: Timestamp,
}

impl WitnessKey {
    /// The key with this name over an Ed25519 public key.
    pub fn new(name: &str, public: [u8; 32]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Key(
                "the name is empty or holds a space, plus or control",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            public,
        })
    }

    /// The name of the witness.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256(name ‖ 0A ‖ 04 ‖ public key), its first four bytes.
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, COSIGNATURE, &self.public)
    }

    /// Whether the signature line claims to be by this key.
    pub fn claims(&self, signature: &Signature) -> bool {
        signature.key_id == self.key_id() && signature.name == self.name
    }

    /// The latest cosignature of this witness under the note; says nothing of the log's own
    /// signature.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`] if there is none, [`NoteError::BadSignature`] if one is there that
    /// does not verify: such a note is malformed as a whole.
    pub fn verify(&self, note: &Note) -> Result<Cosignature, NoteError> {
        let mut latest = None;
        for signature in note.signatures().iter().filter(|one| self.claims(one)) {
            let (seconds, bytes) = split(&signature.bytes).ok_or(NoteError::BadSignature)?;
            let message = message(note.unverified_text(), seconds);
            sign::verify(&self.public, message.as_bytes(), bytes)
                .map_err(|_| NoteError::BadSignature)?;
            latest = latest.max(Some(seconds));
        }
        let seconds = latest.ok_or(NoteError::NotSigned)?;
        Ok(Cosignature {
            witness: self.name.clone(),
            time: Timestamp::from_seconds(seconds),
        })
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, COSIGNATURE, &self.public)
    }
}

impl FromStr for WitnessKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, public) = read_key(text, COSIGNATURE)?;
        Self::new(&name, public)
    }
}

impl TryFrom<String> for WitnessKey {
    type Error = NoteError;

    fn try_from(text: String) -> Result<Self, NoteError> {
        text.parse()
    }
}

impl Cosigner {
    /// The witness of this name with this private key.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        WitnessKey::new(name, *key.public())?;
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The key with which others verify what this witness cosigned.
    pub fn verifier(&self) -> WitnessKey {
        WitnessKey {
            name: self.name.clone(),
            public: *self.key.public(),
        }
    }

    /// The private key in one line, to be kept where only the witness reads it:
    /// `PRIVATE+KEY+name+key id+base64(04 ‖ seed)`.
    pub fn to_private_line(&self) -> Secret<String> {
        let mut seed = vec![COSIGNATURE];
        seed.extend_from_slice(self.key.seed().expose());
        let id = self.verifier().key_id();
        let line = format!(
            "{PRIVATE}{}+{id:08x}+{}\n",
            self.name,
            STANDARD.encode(&seed)
        );
        // The copy that is not in the line must not stay behind in memory.
        drop(Secret::new(seed));
        Secret::new(line)
    }

    /// Reads what [`Cosigner::to_private_line`] wrote.
    ///
    /// # Errors
    /// [`NoteError::Key`]; it never repeats the line.
    pub fn from_private_line(line: &Secret<String>) -> Result<Self, NoteError> {
        let malformed = NoteError::Key("the private key of a witness is malformed");
        let text = line.expose().trim_end_matches('\n');
        let mut parts = text.strip_prefix(PRIVATE).ok_or(malformed)?.splitn(3, '+');
        let (Some(name), Some(id), Some(seed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed);
        };
        let seed = Secret::new(STANDARD.decode(seed).map_err(|_| malformed)?);
        let seed: [u8; 32] = match seed.expose().split_first() {
            Some((&COSIGNATURE, seed)) => seed.try_into().map_err(|_| malformed)?,
            _ => return Err(malformed),
        };
        let key = SigningKey::from_seed(&Secret::new(seed)).map_err(|_| NoteError::NotMade)?;
        let cosigner = Self::new(name, key)?;
        if id != format!("{:08x}", cosigner.verifier().key_id()) {
            return Err(NoteError::Key("the id does not fit name and key"));
        }
        Ok(cosigner)
    }

    /// Cosigns the text of a checkpoint as of `now`; whoever calls it has checked that the tree goes
    /// on from what was cosigned before.
    ///
    /// # Errors
    /// [`NoteError::Form`] if the clock shows a time before 1970, [`NoteError::NotMade`] if the
    /// library refuses.
    pub(crate) fn cosign(&self, text: &str, now: Timestamp) -> Result<Signature, NoteError> {
        let seconds = now.as_seconds();
        // A time of zero would state nothing.
        let stamp = u64::try_from(seconds).ok().filter(|stamp| *stamp > 0);
        let stamp = stamp.ok_or(NoteError::Form("the time lies before 1970"))?;
        let signature = self.key.sign(message(text, seconds).as_bytes());
        let mut bytes = stamp.to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature.map_err(|_| NoteError::NotMade)?);
        Ok(Signature {
            name: self.name.clone(),
            key_id: self.verifier().key_id(),
            bytes,
        })
    }
}

/// What is signed: two lines of its own, then the checkpoint with its extension lines.
fn message(text: &str, seconds: i64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// The time in seconds, from 1 on, and the signature itself.
fn split(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (stamp, signature) = bytes.split_first_chunk::<8>()?;
    let seconds = i64::try_from(u64::from_be_bytes(*stamp)).ok()?;
    (seconds > 0 && signature.len() == SIGNATURE_BYTES).then_some((seconds, signature))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::note::VerifierKey;
    use proptest::prelude::*;

    /// A checkpoint of a public Certificate Transparency log (its test instance) with the
    /// signatures of two algorithms and the cosignatures of four public witnesses.
    pub(crate) const PUBLIC: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\n\
        U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\
        \u{2014} arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLf\
        QFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
        \u{2014} arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27l\
        efwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
        \u{2014} transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8n\
        d8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\
        \u{2014} witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8e\
        O0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\
        \u{2014} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+\
        aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n\
        \u{2014} witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtE\
        yOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";
    const PUBLIC_LOG: &str = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaG\
                              mKprLI8HKM+dJ472xgFYh15f";
    const PUBLIC_WITNESSES: [&str; 2] = [
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    ];

    pub(crate) fn cosigner(name: &str) -> Cosigner {
        Cosigner::new(name, SigningKey::generate().unwrap()).unwrap()
    }

    #[test]
    fn cosignatures_of_public_witnesses_under_a_public_log_verify() {
        let note = Note::parse(PUBLIC.as_bytes()).unwrap();
        assert_eq!(note.to_string(), PUBLIC);
        let log: VerifierKey = PUBLIC_LOG.parse().unwrap();
        let checkpoint = Checkpoint::parse(note.verify(&log).unwrap()).unwrap();
        assert_eq!(checkpoint.size, 1_432_088_532);
        for text in PUBLIC_WITNESSES {
            let key: WitnessKey = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            let cosignature = key.verify(&note).unwrap();
            assert_eq!(cosignature.witness, key.name());
            assert_eq!(cosignature.time.to_rfc3339(), "2026-05-23T21:50:24.000000Z");
        }
        let other = cosigner("remora.n621.de").verifier();
        assert_eq!(other.verify(&note), Err(NoteError::NotSigned));
    }

    /// The example of C2SP tlog-cosignature; the key of its witness is not given there.
    #[test]
    fn the_time_of_the_specifications_example_is_read() {
        let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolM\
                    I5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        let signature = Signature::parse(line).unwrap();
        let (seconds, _) = split(&signature.bytes).unwrap();
        assert_eq!(seconds, 1_679_315_147);
        assert!(
            message("example.com/behind-the-sofa\n1\n", seconds)
                .starts_with("cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n")
        );
    }

    #[test]
    fn a_ledgers_key_is_not_a_witnesss_and_the_other_way_round() {
        assert!(PUBLIC_LOG.parse::<WitnessKey>().is_err());
        assert!(PUBLIC_WITNESSES[0].parse::<VerifierKey>().is_err());
    }

    #[test]
    fn the_private_line_gives_the_same_witness_again() {
        let cosigner = cosigner("witness.example/w1");
        let line = cosigner.to_private_line();
        let again = Cosigner::from_private_line(&line).unwrap();
        assert_eq!(again.verifier(), cosigner.verifier());
        for (old, new) in [("w1", "w2"), ("PRIVATE", "PUBLIC"), ("+B", "+A")] {
            let changed = Secret::new(line.expose().replacen(old, new, 1));
            let refused = Cosigner::from_private_line(&changed).err().unwrap();
            assert!(matches!(refused, NoteError::Key(_)), "{old}");
            assert!(!refused.to_string().contains("w1"), "{refused}");
        }
    }

    #[test]
    fn of_two_cosignatures_of_one_witness_the_later_counts_and_both_must_verify() {
        let cosigner = cosigner("witness.example/w1");
        let mut note = Note::parse(PUBLIC.as_bytes()).unwrap();
        let text = note.unverified_text().to_owned();
        for seconds in [1_000, 3_000, 2_000] {
            let time = Timestamp::from_seconds(seconds);
            note.add_signature(cosigner.cosign(&text, time).unwrap());
        }
        let key = cosigner.verifier();
        let latest = key.verify(&note).unwrap().time;
        assert_eq!(latest, Timestamp::from_seconds(3_000));
        let mut forged = cosigner
            .cosign(&text, Timestamp::from_seconds(4_000))
            .unwrap();
        forged.bytes[7] += 1;
        note.add_signature(forged);
        assert_eq!(key.verify(&note), Err(NoteError::BadSignature));
        assert!(cosigner.cosign(&text, Timestamp::from_seconds(0)).is_err());
    }

    /// The specification's message built by hand, under the crate `signed_note`.
    struct Oracle {
        name: String,
        id: u32,
        public: [u8; 32],
    }

    impl signed_note::Verifier for Oracle {
        fn name(&self) -> &str {
            &self.name
        }

        fn key_id(&self) -> u32 {
            self.id
        }

        fn verify(&self, text: &[u8], bytes: &[u8]) -> bool {
            let (stamp, signature) = bytes.split_at(8);
            let stamp = u64::from_be_bytes(stamp.try_into().unwrap());
            let mut signed = format!("cosignature/v1\ntime {stamp}\n").into_bytes();
            signed.extend_from_slice(text);
            sign::verify(&self.public, &signed, signature).is_ok()
        }
    }

    proptest! {
        #[test]
        fn a_cosignature_verifies_for_its_text_time_and_witness_and_for_nothing_else(
            text in "(\\PC{1,20}\n){3,5}", seconds in 1i64..=9_000_000_000, flip in 0usize..72 * 8
        ) {
            let (ours, other) = (cosigner("witness.example/w1"), cosigner("witness.example/w1"));
            let log = SigningKey::generate().unwrap();
            let mut note = Note::sign(text.clone(), "log.example", &log).unwrap();
            let signature = ours.cosign(&text, Timestamp::from_seconds(seconds)).unwrap();
            note.add_signature(signature.clone());
            let note = Note::parse(note.to_string().as_bytes()).unwrap();
            let key = ours.verifier();
            let verified = key.verify(&note).unwrap();
            prop_assert_eq!(verified.time, Timestamp::from_seconds(seconds));
            prop_assert_eq!(other.verifier().verify(&note), Err(NoteError::NotSigned));

            let oracle = Oracle {
                name: key.name().to_owned(),
                id: key.key_id(),
                public: key.public,
            };
            let theirs = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
            let known = signed_note::VerifierList::new(vec![Box::new(oracle)]);
            prop_assert_eq!(theirs.verify(&known).unwrap().0.len(), 1);

            let mut changed = signature;
            changed.bytes[flip / 8] ^= 1 << (flip % 8);
            let mut forged = Note::sign(text, "log.example", &log).unwrap();
            forged.add_signature(changed);
            prop_assert_eq!(key.verify(&forged), Err(NoteError::BadSignature));
        }

        #[test]
        fn reading_any_text_as_a_key_ends_without_panic(text in "\\PC{0,80}") {
            if let Ok(key) = text.parse::<WitnessKey>() {
                prop_assert_eq!(key.to_string(), text.clone());
            }
            let _ = Cosigner::from_private_line(&Secret::new(text));
        }
    }
}
