//! Checkpoints: the signed statement which root a ledger has at a size (C2SP tlog-checkpoint).
//!
//! A ledger must never sign two checkpoints of which one does not begin the other; after a restore
//! from a backup it therefore signs under a new origin (a new epoch).

use labward_seal::sign::SigningKey;

use crate::note::{Note, NoteError, VerifierKey};
use crate::tree::Digest;

/// The origin, size and root of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger this is, such as `labward.local/main`; also the name of its key.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Digest,
}

impl Checkpoint {
    /// The origin of the ledger of the node with this name in this epoch, counted from 1; what an
    /// origin may not hold in `node` becomes a hyphen.
    pub fn origin_of(node: &str, epoch: u32) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        };
        let node: String = node.chars().map(plain).collect();
        match epoch {
            0 | 1 => format!("labward.local/{node}"),
            _ => format!("labward.local/{node}/{epoch}"),
        }
    }

    /// The three lines that are signed.
    pub fn to_text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            self.root.to_base64()
        )
    }

    /// Reads the lines of a checkpoint; extension lines, which nobody can audit, are refused.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        match Self::parse_with_extensions(text)? {
            (checkpoint, false) => Ok(checkpoint),
            (_, true) => Err(NoteError::Form("a checkpoint has not three lines")),
        }
    }

    /// Reads the lines of any log's checkpoint, and whether extension lines follow: a witness signs
    /// them with the rest and says nothing about them.
    pub(crate) fn parse_with_extensions(text: &str) -> Result<(Self, bool), NoteError> {
        let form = NoteError::Form;
        let lines = text
            .strip_suffix('\n')
            .ok_or(form("a checkpoint's last line does not end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(form("a checkpoint has not three lines"));
        };
        let mut extensions = lines.peekable();
        let extended = extensions.peek().is_some();
        if extensions.any(str::is_empty) {
            return Err(form("a checkpoint's extension line is empty"));
        }
        let size = parse_decimal(size).ok_or(form("a checkpoint's size is not a number"))?;
        let root = Digest::from_base64(root).ok_or(form("a checkpoint's root is not a digest"))?;
        if origin.is_empty() {
            return Err(form("a checkpoint's origin is empty"));
        }
        let checkpoint = Self {
            origin: origin.to_owned(),
            size,
            root,
        };
        Ok((checkpoint, extended))
    }

    /// Signs this checkpoint; the key's name is the origin.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, NoteError> {
        Note::sign(self.to_text(), &self.origin, key)
    }

    /// The checkpoint in `note`, if the key has signed it and its name is the origin.
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse(note.verify(key)?)?;
        if checkpoint.origin != key.name() {
            return Err(NoteError::Form(
                "a checkpoint's origin is not the name of its key",
            ));
        }
        Ok(checkpoint)
    }
}

/// A number in ASCII decimal without sign and leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of C2SP tlog-checkpoint.
    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_specification_is_read_and_written_the_same() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size, 20_852_163);
        assert_eq!(checkpoint.to_text(), EXAMPLE);
        let theirs = tlog_tiles::Checkpoint::from_bytes(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(theirs.size(), checkpoint.size);
        assert_eq!(&theirs.hash().0, checkpoint.root.as_bytes());
    }

    #[test]
    fn what_is_not_exactly_a_checkpoint_is_refused() {
        for text in [
            "",
            "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
            &EXAMPLE.replace("2085", "02085"),
            &EXAMPLE.replace("2085", "+2085"),
            &EXAMPLE.replace("20852163", "99999999999999999999"),
            &EXAMPLE.replace("20852163", ""),
            &EXAMPLE.replace("2I=", "2J="),
            &EXAMPLE.replace("CsUY", ""),
            &format!("{EXAMPLE}extension\n"),
            EXAMPLE.trim_end(),
        ] {
            assert!(Checkpoint::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_checkpoint_of_another_ledger_under_the_same_key_is_refused() {
        let key = SigningKey::generate().unwrap();
        let mut checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        let verifier = VerifierKey::new(&checkpoint.origin, *key.public()).unwrap();
        let note = checkpoint.sign(&key).unwrap().to_string();
        assert_eq!(
            Checkpoint::open(note.as_bytes(), &verifier),
            Ok(checkpoint.clone())
        );
        checkpoint.origin = "example.com/other".into();
        let note = Note::sign(checkpoint.to_text(), verifier.name(), &key)
            .unwrap()
            .to_string();
        assert!(Checkpoint::open(note.as_bytes(), &verifier).is_err());
    }

    #[test]
    fn an_origin_is_a_valid_key_name_whatever_the_node_is_called() {
        assert_eq!(Checkpoint::origin_of("main", 1), "labward.local/main");
        assert_eq!(Checkpoint::origin_of("main", 2), "labward.local/main/2");
        let origin = Checkpoint::origin_of("North + South\n", 1);
        assert!(VerifierKey::new(&origin, [0; 32]).is_ok(), "{origin}");
    }
}
