//! Signed notes and verifier keys (C2SP signed-note v1.0.0), Ed25519 only.
//!
//! The text of a note must never be used before [`Note::verify`] has returned it. Signatures of
//! unknown keys are ignored, as the specification demands; one of a known key that does not verify
//! spoils the whole note.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_seal::sign::{self, SigningKey};

use crate::tree::Digest;

/// Bytes a note may have; a note with sixteen post-quantum signatures fits twice.
pub const NOTE_MAX_BYTES: usize = 256 * 1024;

/// Signature lines a note may have; the specification demands that 16 be accepted.
pub const SIGNATURES_MAX: usize = 64;

/// The signature type of plain Ed25519 in the specification.
const ED25519: u8 = 1;

/// Why bytes are not a note that a key vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The bytes do not have the form of a note.
    #[error("read a signed note: {0}")]
    Form(&'static str),
    /// The key's signature is there but does not verify.
    #[error("verify a signed note: the signature does not fit the text and the key")]
    BadSignature,
    /// No signature is by the key that was asked for.
    #[error("verify a signed note: it is not signed by this key")]
    NotSigned,
    /// The cryptographic library refused to sign.
    #[error("sign a note")]
    NotMade,
    /// The text is not a verifier key.
    #[error("read a verifier key: {0}")]
    Key(&'static str),
}

/// The public key of a ledger as people get it: `name+key id+base64(type ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

/// A text and the signatures under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line: who signed, by which key, and the signature itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub key_id: u32,
    /// The signature, of whatever type the key has.
    pub bytes: Vec<u8>,
}

impl VerifierKey {
    /// The verifier key with this name over an Ed25519 public key.
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

    /// The name of the key; for a ledger, its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Ed25519 public key.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// SHA-256(name ‖ 0A ‖ type ‖ public key), its first four bytes.
    pub fn key_id(&self) -> u32 {
        key_id(&self.name, ED25519, &self.public)
    }

    /// Whether the signature line claims to be by this key.
    pub fn claims(&self, signature: &Signature) -> bool {
        signature.key_id == self.key_id() && signature.name == self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, ED25519, &self.public)
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let (name, public) = read_key(text, ED25519)?;
        Self::new(&name, public)
    }
}

/// The id of a key of this type: SHA-256(name ‖ 0A ‖ type ‖ public key), its first four bytes.
pub(crate) fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> u32 {
    let mut input = Vec::with_capacity(name.len() + 34);
    input.extend_from_slice(name.as_bytes());
    input.extend_from_slice(&[b'\n', kind]);
    input.extend_from_slice(public);
    let digest = Digest::of(&input);
    digest
        .as_bytes()
        .first_chunk()
        .map_or(0, |id| u32::from_be_bytes(*id))
}

/// Writes a verifier key of this type: `name+key id+base64(type ‖ key)`.
pub(crate) fn write_key(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    kind: u8,
    public: &[u8; 32],
) -> fmt::Result {
    let mut key = vec![kind];
    key.extend_from_slice(public);
    let id = key_id(name, kind, public);
    write!(f, "{name}+{id:08x}+{}", STANDARD.encode(key))
}

/// The name and the Ed25519 public key of a verifier key of this type.
pub(crate) fn read_key(text: &str, kind: u8) -> Result<(String, [u8; 32]), NoteError> {
    // Only the last part may hold a plus: base64 does.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key("it has not the form name+id+key"));
    };
    let key = STANDARD
        .decode(key)
        .map_err(|_| NoteError::Key("the key is not base64"))?;
    let public = match key.split_first() {
        Some((found, public)) if *found == kind => public,
        _ => return Err(NoteError::Key("the key is of another type")),
    };
    let public = public
        .try_into()
        .map_err(|_| NoteError::Key("the key has not 32 bytes"))?;
    if !is_key_name(name) || id != format!("{:08x}", key_id(name, kind, &public)) {
        return Err(NoteError::Key("the id does not fit name and key"));
    }
    Ok((name.to_owned(), public))
}

impl Note {
    /// Signs `text`, which ends in a line feed and holds no other control character, under the key
    /// name `name`.
    pub fn sign(text: String, name: &str, key: &SigningKey) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || !is_note_text(&text) {
            return Err(NoteError::Form(
                "the text is not lines without control characters",
            ));
        }
        let verifier = VerifierKey::new(name, *key.public())?;
        let bytes = key
            .sign(text.as_bytes())
            .map_err(|_| NoteError::NotMade)?
            .to_vec();
        let signature = Signature {
            name: name.to_owned(),
            key_id: verifier.key_id(),
            bytes,
        };
        Ok(Self {
            text,
            signatures: vec![signature],
        })
    }

    /// Reads a note; nothing about it is verified yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_MAX_BYTES {
            return Err(NoteError::Form("it is too large"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Form("it is not UTF-8"))?;
        if !is_note_text(note) {
            return Err(NoteError::Form("it holds a control character"));
        }
        // The text is parted from the signatures by the last empty line.
        let Some(split) = note.rfind("\n\n") else {
            return Err(NoteError::Form(
                "no empty line stands before the signatures",
            ));
        };
        let (text, rest) = note.split_at(split + 1);
        let Some(lines) = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
        else {
            return Err(NoteError::Form("the last line does not end"));
        };
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(NoteError::Form("it has too many signatures"));
            }
            let signature = Signature::parse(line);
            signatures.push(signature.ok_or(NoteError::Form("a signature line is malformed"))?);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, if the key has signed it.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut signed = false;
        for signature in self.signatures.iter().filter(|one| key.claims(one)) {
            sign::verify(&key.public, self.text.as_bytes(), &signature.bytes)
                .map_err(|_| NoteError::BadSignature)?;
            signed = true;
        }
        if signed {
            Ok(&self.text)
        } else {
            Err(NoteError::NotSigned)
        }
    }

    /// The signatures, in their order, verified or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds another signature over the same text, such as a witness's.
    pub fn add_signature(&mut self, signature: Signature) {
        self.signatures.push(signature);
    }

    /// Whether both are over the same text; says nothing about their signatures.
    pub fn text_is(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Keeps only the signatures that `keep` wants.
    pub fn retain(&mut self, keep: impl FnMut(&Signature) -> bool) {
        self.signatures.retain(keep);
    }

    /// Takes over the signatures of `other` that are not here, if it is of the same text.
    pub(crate) fn join(&mut self, other: &Self) {
        if self.text == other.text {
            for signature in &other.signatures {
                if !self.signatures.contains(signature) {
                    self.signatures.push(signature.clone());
                }
            }
        }
    }

    /// The text before any verification: to be compared, or checked in another way, never to be
    /// believed as it is.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl Signature {
    /// Reads one signature line without its line feed; `None` if it is none.
    pub fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        (is_key_name(name) && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

pub(crate) fn is_key_name(name: &str) -> bool {
    let allowed = |c: char| !c.is_whitespace() && c != '+' && !c.is_control();
    !name.is_empty() && name.chars().all(allowed)
}

fn is_note_text(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' || byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The example of C2SP signed-note v1.0.0, section "Verifier keys".
    const EXAMPLE_KEY: &str =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const EXAMPLE_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_verifies() {
        let key: VerifierKey = EXAMPLE_KEY.parse().unwrap();
        assert_eq!(key.to_string(), EXAMPLE_KEY);
        let note = Note::parse(EXAMPLE_NOTE.as_bytes()).unwrap();
        assert_eq!(note.verify(&key), Ok("This is an example message.\n"));
        assert_eq!(note.to_string(), EXAMPLE_NOTE);
    }

    #[test]
    fn the_text_may_hold_empty_lines_and_any_language() {
        // The first example of C2SP signed-note v1.0.0; its key is not given there.
        let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n\
                    ed \u{e8} subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS\
                    +Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let note = Note::parse(text.as_bytes()).unwrap();
        assert!(
            note.unverified_text()
                .ends_with("\n\ned \u{e8} subito sera.\n")
        );
        assert_eq!(note.signatures()[0].name, "quasimodo.example/salvatore");
        assert_eq!(note.signatures()[0].key_id, 0x367b_a04b);
        assert_eq!(
            note.verify(&EXAMPLE_KEY.parse().unwrap()),
            Err(NoteError::NotSigned)
        );
    }

    #[test]
    fn signatures_of_unknown_keys_are_ignored_and_of_known_keys_must_verify() {
        let key: VerifierKey = EXAMPLE_KEY.parse().unwrap();
        let mut note = Note::parse(EXAMPLE_NOTE.as_bytes()).unwrap();
        for number in 0..17 {
            let name = format!("witness.example/{number}");
            note.add_signature(Signature {
                name,
                key_id: number,
                bytes: vec![4; 2424],
            });
        }
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert!(read.verify(&key).is_ok());
        let forged = Signature {
            bytes: vec![0; 64],
            ..note.signatures()[0].clone()
        };
        note.add_signature(forged);
        assert_eq!(note.verify(&key), Err(NoteError::BadSignature));
    }

    #[test]
    fn malformed_notes_are_refused() {
        let signature = EXAMPLE_NOTE.lines().last().unwrap();
        for text in [
            String::new(),
            "text\n".into(),
            "text\n\n".into(),
            format!("text\n{signature}\n"),
            format!("text\n\n{signature}"),
            format!("te\rxt\n\n{signature}\n"),
            format!("text\n\n{signature}\n\n"),
            format!("text\n\n{}\n", signature.replace('\u{2014}', "-")),
            format!("text\n\n{}\n", signature.replace("/foo ", "/f oo ")),
            format!("text\n\n{}\n", signature.replace("aQM=", "aQN=")),
            format!(
                "text\n\n{}",
                format!("{signature}\n").repeat(SIGNATURES_MAX + 1)
            ),
        ] {
            assert!(
                matches!(Note::parse(text.as_bytes()), Err(NoteError::Form(_))),
                "{text:?}"
            );
        }
        assert!(Note::parse(&vec![b'a'; NOTE_MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn malformed_verifier_keys_are_refused() {
        for text in [
            "",
            "example.com/foo",
            "example.com/foo+530d903a",
            &EXAMPLE_KEY.replace("530d", "530e"),
            &EXAMPLE_KEY.replace("530d903a", "530D903A"),
            &EXAMPLE_KEY.replace("+Aeky", "+Beky"),
            &EXAMPLE_KEY.replace("foo", "fo o"),
            "example.com/foo+530d903a+AekyeRrm",
        ] {
            assert!(
                matches!(text.parse::<VerifierKey>(), Err(NoteError::Key(_))),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_note_that_was_read_is_written_the_same(bytes in "\\PC{0,40}(\n\\PC{0,9}){0,4}") {
            if let Ok(note) = Note::parse(bytes.as_bytes()) {
                prop_assert_eq!(note.to_string(), bytes);
            }
        }

        #[test]
        fn the_example_with_any_byte_changed_is_not_believed(
            place in 0..EXAMPLE_NOTE.len(), flip in 1u8..
        ) {
            let key: VerifierKey = EXAMPLE_KEY.parse().unwrap();
            let mut bytes = EXAMPLE_NOTE.as_bytes().to_vec();
            bytes[place] ^= flip;
            let verified = Note::parse(&bytes).and_then(|n| n.verify(&key).map(str::to_owned));
            prop_assert!(verified.is_err());
        }

        /// Oracle: the crate `signed_note` reads and verifies what this module signs.
        #[test]
        fn another_implementation_verifies_our_notes(
            text in "(\\PC{1,30}\n){1,4}", name in "[a-z]{1,8}\\.example/[a-z0-9]{1,9}"
        ) {
            let key = SigningKey::generate().unwrap();
            let note = Note::sign(text.clone(), &name, &key).unwrap();
            let vkey = VerifierKey::new(&name, *key.public()).unwrap().to_string();
            let verifier = signed_note::StandardVerifier::new(&vkey).unwrap();
            let known = signed_note::VerifierList::new(vec![Box::new(verifier)]);
            let theirs = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
            let (verified, _) = theirs.verify(&known).unwrap();
            prop_assert_eq!(verified.len(), 1);
            prop_assert_eq!(theirs.text(), text.as_bytes());
        }
    }
}
