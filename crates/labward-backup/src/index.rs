//! The index: every part of one generation with its digest, a line each.
//!
//! It must never name a place outside the backup folder. Reading is total; the manifest holds the
//! digest of the whole text.

use labward_base::hex;

use crate::RUN_BYTES;

const FORMAT: &str = "labward backup index 1";

/// A run of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// By what it is known when the next backup is made.
    pub(crate) tag: [u8; 32],
    /// Of the sealed bytes; also the name of their file.
    pub(crate) sha256: [u8; 32],
    /// Bytes before sealing.
    pub(crate) bytes: usize,
}

/// A file of the installation, in runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileParts {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) runs: Vec<Run>,
}

/// Whose sealed file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BlobOf {
    /// Of something in quarantine.
    Quarantine,
    /// Of a large record.
    Record,
}

impl BlobOf {
    /// The word that its line begins with.
    const fn word(self) -> &'static str {
        match self {
            Self::Quarantine => "item",
            Self::Record => "blob",
        }
    }
}

/// The sealed file of a large record or of something in quarantine, copied as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) of: BlobOf,
    /// Below `blob/` or `quarantine/`, as in the data folder.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// When it was written, in microseconds since 1970: a number may come again after a crash.
    pub(crate) modified_us: i64,
    pub(crate) sha256: [u8; 32],
}

/// Everything that a generation is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) files: Vec<FileParts>,
    pub(crate) blobs: Vec<Blob>,
}

impl Index {
    pub(crate) fn to_text(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("{FORMAT}\n");
        // Writing to a String cannot fail.
        for file in &self.files {
            let _ = writeln!(text, "file {} {}", file.name, file.bytes);
            for run in &file.runs {
                let (tag, sha256) = (hex::encode(&run.tag), hex::encode(&run.sha256));
                let _ = writeln!(text, "run {tag} {sha256} {}", run.bytes);
            }
        }
        for blob in &self.blobs {
            let sha256 = hex::encode(&blob.sha256);
            let (name, bytes, modified) = (&blob.name, blob.bytes, blob.modified_us);
            let word = blob.of.word();
            let _ = writeln!(text, "{word} {name} {bytes} {modified} {sha256}");
        }
        text
    }

    /// The index in `text`, if it is one whose files are as long as their runs.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != FORMAT {
            return None;
        }
        let mut index = Self::default();
        for line in lines {
            let mut words = line.split(' ');
            match words.next()? {
                "file" if index.blobs.is_empty() => index.files.push(FileParts {
                    name: words.next().filter(|name| is_file_name(name))?.to_owned(),
                    bytes: words.next()?.parse().ok()?,
                    runs: Vec::new(),
                }),
                "run" if index.blobs.is_empty() => index.files.last_mut()?.runs.push(Run {
                    tag: hex::decode(words.next()?)?,
                    sha256: hex::decode(words.next()?)?,
                    bytes: words
                        .next()?
                        .parse()
                        .ok()
                        .filter(|bytes| *bytes <= RUN_BYTES)?,
                }),
                word @ ("blob" | "item") => index.blobs.push(Blob {
                    of: match word {
                        "blob" => BlobOf::Record,
                        _ => BlobOf::Quarantine,
                    },
                    name: words.next().filter(|name| is_blob_name(name))?.to_owned(),
                    bytes: words.next()?.parse().ok()?,
                    modified_us: words.next()?.parse().ok()?,
                    sha256: hex::decode(words.next()?)?,
                }),
                _ => return None,
            }
            if words.next().is_some() {
                return None;
            }
        }
        index.files.iter().all(FileParts::is_whole).then_some(index)
    }

    pub(crate) fn file(&self, name: &str) -> Option<&FileParts> {
        self.files.iter().find(|file| file.name == name)
    }

    /// The digests of all parts.
    pub(crate) fn digests(&self) -> impl Iterator<Item = [u8; 32]> {
        let runs = self.files.iter().flat_map(|file| &file.runs);
        let runs = runs.map(|run| run.sha256);
        runs.chain(self.blobs.iter().map(|blob| blob.sha256))
    }
}

impl FileParts {
    /// Whether the runs are full but for the last, and together as long as the file.
    fn is_whole(&self) -> bool {
        let full = self
            .runs
            .iter()
            .rev()
            .skip(1)
            .all(|run| run.bytes == RUN_BYTES);
        let sum: usize = self.runs.iter().map(|run| run.bytes).sum();
        full && u64::try_from(sum) == Ok(self.bytes)
    }
}

/// `tls/server.pem`: plain words, no way up.
fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    !name.is_empty()
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain))
}

/// `07/263`: a folder of two hexadecimal digits and a record's number.
pub(crate) fn is_blob_name(name: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    name.split_once('/').is_some_and(|(folder, file)| {
        folder.len() == 2
            && folder.chars().all(hex)
            && (1..=20).contains(&file.len())
            && file.chars().all(hex)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index() -> Index {
        let run = |byte, bytes| Run {
            tag: [byte; 32],
            sha256: [byte + 1; 32],
            bytes,
        };
        let file = |name: &str, runs: Vec<Run>| FileParts {
            name: name.to_owned(),
            bytes: runs.iter().map(|run| run.bytes as u64).sum(),
            runs,
        };
        let blob = |of| Blob {
            of,
            name: "0f/000000000000010f".to_owned(),
            bytes: 1_200_000,
            modified_us: -1,
            sha256: [9; 32],
        };
        Index {
            files: vec![
                file("labward.toml", vec![run(1, 7)]),
                file("db/labward.sqlite", vec![run(3, RUN_BYTES), run(5, 8192)]),
                file("ledger/history", Vec::new()),
            ],
            blobs: vec![blob(BlobOf::Record), blob(BlobOf::Quarantine)],
        }
    }

    #[test]
    fn an_index_is_read_back_and_its_digests_are_those_of_all_parts() {
        let text = index().to_text();
        assert_eq!(Index::parse(&text), Some(index()));
        assert_eq!(index().digests().count(), 5);
    }

    #[test]
    fn a_line_that_leads_out_of_the_folder_or_does_not_add_up_is_refused() {
        let text = index().to_text();
        for (from, to) in [
            ("index 1", "index 2"),
            ("labward.toml", "../labward.toml"),
            ("labward.toml", "/etc/passwd"),
            ("labward.toml", ".ssh"),
            ("0f/0", "../0"),
            ("0f/0", "0f/x"),
            ("labward.toml 7", "labward.toml 8"),
            ("blob ", "blub "),
            ("item 0f/0", "item ../0"),
            (" 262144\n", " 262145\n"),
            (" 262144\n", " 262143\n"),
            ("file ledger", "file ledger extra"),
            ("0101", "01G1"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert_eq!(Index::parse(&changed), None, "{from} to {to}");
        }
        assert_eq!(Index::parse(text.trim_end()), None);
    }

    proptest! {
        #[test]
        fn reading_any_text_ends_without_panic(text: String, cut in 0usize..400) {
            let _ = Index::parse(&text);
            let whole = index().to_text();
            let cut = whole.get(..cut).unwrap_or_default();
            let _ = Index::parse(&format!("{cut}{text}"));
        }
    }
}
