//! A manifest: how the files below a folder are, one JSON object a line, in the order in which paths compare.
//!
//! The first line says what it is, the last one counts and holds the SHA-256 of all lines before it. It must never be
//! believed before that was checked, and never be kept in memory as a whole.

use std::ffi::OsString;
use std::io::{self, BufRead, Read as _, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use labward_base::hex;
use serde::{Deserialize, Serialize};

use super::program::Program;

/// The version that is written. The first one, which is read as well, does not hold who signed programs.
const VERSION: u32 = 2;
/// The longest line in bytes: a path of the system's, each byte escaped, and what stands beside it.
const LINE_MAX: u64 = 64 << 10;

/// What a manifest is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// The version of the form.
    pub(super) labward_integrity: u32,
    /// What a person called it.
    pub(super) name: String,
    /// The folder, as it was named.
    pub(super) folder: String,
    /// When it was begun, RFC 3339.
    pub(super) made: String,
    /// Labward's version.
    pub(super) labward: String,
}

impl Head {
    pub(super) fn new(name: &str, folder: &Path, made: String) -> Self {
        Self {
            labward_integrity: VERSION,
            name: name.to_owned(),
            folder: folder.to_string_lossy().into_owned(),
            made,
            labward: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// One file, or something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// Where it is below the folder; a path that is no text stands in `path_hex`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    path: String,
    /// Its bytes in hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    path_hex: String,
    /// What it holds; none if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<FileFacts>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unread: Option<String>,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileFacts {
    pub(super) size: u64,
    pub(super) sha256: String,
    /// When its bytes were last changed, in seconds since 1970 and nanoseconds.
    pub(super) modified: (i64, u32),
    pub(super) mode: u32,
    pub(super) owner: u32,
    pub(super) group: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) program: Option<Program>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) unread: u64,
    /// Of all lines before, each with its line end.
    pub(super) sha256: String,
}

/// Why something is no manifest.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadManifest {
    /// It was cut, changed, or is none.
    #[error("line {0} is not what a baseline holds there")]
    Line(u64),
    /// It was changed.
    #[error("its SHA-256 is not the one that its last line tells: it was changed")]
    Hash,
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Line {
    pub(super) fn new(path: &Path, said: Result<FileFacts, String>) -> Self {
        let (path, path_hex) = match path.to_str() {
            Some(text) => (text.to_owned(), String::new()),
            None => (String::new(), hex::encode(path.as_os_str().as_bytes())),
        };
        let (file, unread) = match said {
            Ok(file) => (Some(file), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            path,
            path_hex,
            file,
            unread,
        }
    }

    /// Where it is below the folder; none if that is no path.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match (self.path.as_str(), self.path_hex.as_str()) {
            ("", "") => None,
            (path, "") => Some(PathBuf::from(path)),
            ("", digits) => {
                let pairs = digits.as_bytes().chunks(2);
                let bytes: Option<Vec<u8>> = pairs
                    .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                    .collect();
                Some(PathBuf::from(OsString::from_vec(bytes?)))
            }
            _ => None,
        }
    }

    /// Whether it says one thing of one place.
    fn is_sound(&self) -> bool {
        self.file.is_some() != self.unread.is_some()
    }
}

/// Writes a manifest line by line.
pub(super) struct Writer<W> {
    out: W,
    hash: Context,
    end: End,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(out: W, head: &Head) -> io::Result<Self> {
        let mut writer = Self {
            out,
            hash: Context::new(&SHA256),
            end: End {
                files: 0,
                bytes: 0,
                unread: 0,
                sha256: String::new(),
            },
        };
        writer.put(head)?;
        Ok(writer)
    }

    /// The next line; its path must come after the last one's.
    pub(super) fn add(&mut self, line: &Line) -> io::Result<()> {
        match &line.file {
            Some(file) => {
                self.end.files += 1;
                self.end.bytes = self.end.bytes.saturating_add(file.size);
            }
            None => self.end.unread += 1,
        }
        self.put(line)
    }

    /// Ends it; what it was written to, and its last line.
    pub(super) fn finish(mut self) -> io::Result<(W, End)> {
        self.end.sha256 = hex::encode(self.hash.clone().finish().as_ref());
        let end = self.end.clone();
        self.put(&end)?;
        self.out.flush()?;
        Ok((self.out, end))
    }

    fn put(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }
}

/// Reads a manifest line by line; what it gives is believed only when its end was reached.
pub(super) struct Reader<R> {
    from: R,
    head: Head,
    hash: Context,
    line: u64,
    last: Option<PathBuf>,
    seen: (u64, u64, u64),
    end: Option<End>,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn begin(mut from: R) -> Result<Self, BadManifest> {
        let text = next_line(&mut from, 1)?;
        let head: Head = serde_json::from_slice(&text).map_err(|_| BadManifest::Line(1))?;
        if !(1..=VERSION).contains(&head.labward_integrity) {
            return Err(BadManifest::Line(1));
        }
        let mut hash = Context::new(&SHA256);
        hash.update(&text);
        Ok(Self {
            from,
            head,
            hash,
            line: 1,
            last: None,
            seen: (0, 0, 0),
            end: None,
        })
    }

    /// The next file; none at the end, when all of it was found sound.
    pub(super) fn next(&mut self) -> Result<Option<(PathBuf, Line)>, BadManifest> {
        if self.end.is_some() {
            return Ok(None);
        }
        self.line += 1;
        let bad = BadManifest::Line(self.line);
        let text = next_line(&mut self.from, self.line)?;
        if let Ok(line) = serde_json::from_slice::<Line>(&text) {
            self.hash.update(&text);
            let path = line.path().filter(|path| {
                let last = self.last.as_ref();
                line.is_sound() && last.is_none_or(|last| last < path)
            });
            let Some(path) = path else { return Err(bad) };
            match &line.file {
                Some(file) => {
                    self.seen.0 += 1;
                    self.seen.1 = self.seen.1.saturating_add(file.size);
                }
                None => self.seen.2 += 1,
            }
            self.last = Some(path.clone());
            return Ok(Some((path, line)));
        }
        let end: End = serde_json::from_slice(&text).map_err(|_| bad)?;
        if end.sha256 != hex::encode(self.hash.clone().finish().as_ref()) {
            return Err(BadManifest::Hash);
        }
        let is_last = self.from.fill_buf()?.is_empty();
        if (end.files, end.bytes, end.unread) != self.seen || !is_last {
            return Err(BadManifest::Line(self.line));
        }
        self.end = Some(end);
        Ok(None)
    }

    /// Reads to the end and gives the last line.
    pub(super) fn check(mut self) -> Result<(Head, End), BadManifest> {
        while self.next()?.is_some() {}
        let end = self.end.ok_or(BadManifest::Line(self.line))?;
        Ok((self.head, end))
    }
}

fn next_line(from: &mut impl BufRead, number: u64) -> Result<Vec<u8>, BadManifest> {
    let mut text = Vec::new();
    from.by_ref().take(LINE_MAX).read_until(b'\n', &mut text)?;
    if text.last() == Some(&b'\n') {
        Ok(text)
    } else {
        Err(BadManifest::Line(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn facts(content: &str) -> FileFacts {
        FileFacts {
            size: content.len() as u64,
            sha256: content.to_owned(),
            modified: (1, 2),
            mode: 0o644,
            owner: 0,
            group: 0,
            program: None,
        }
    }

    fn written() -> Vec<u8> {
        let head = Head::new(
            "xn-550",
            Path::new("/mnt"),
            "2026-01-01T00:00:00Z".to_owned(),
        );
        let mut writer = Writer::begin(Vec::new(), &head).unwrap();
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"b\xff"));
        writer
            .add(&Line::new(Path::new("a/b"), Ok(facts("x"))))
            .unwrap();
        writer
            .add(&Line::new(Path::new("a-b"), Err("denied".to_owned())))
            .unwrap();
        writer.add(&Line::new(odd, Ok(facts("yy")))).unwrap();
        writer.finish().unwrap().0
    }

    #[test]
    fn what_is_written_is_read() {
        let text = written();
        let mut reader = Reader::begin(text.as_slice()).unwrap();
        let mut paths = Vec::new();
        while let Some((path, _)) = reader.next().unwrap() {
            paths.push(path.as_os_str().as_bytes().to_vec());
        }
        assert_eq!(paths, [&b"a/b"[..], b"a-b", b"b\xff"]);
        let (head, end) = Reader::begin(text.as_slice()).unwrap().check().unwrap();
        assert_eq!(head.name, "xn-550");
        assert_eq!((end.files, end.bytes, end.unread), (2, 3, 1));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_told() {
        let text = written();
        let is_sound = |text: &[u8]| Reader::begin(text).and_then(Reader::check).is_ok();
        assert!(is_sound(&text));
        for at in 0..text.len() {
            assert!(!is_sound(&text[..at]), "cut at {at}");
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(!is_sound(&changed), "changed at {at}");
        }
        assert!(!is_sound(&[text.as_slice(), b"{}\n"].concat()));
    }
}
