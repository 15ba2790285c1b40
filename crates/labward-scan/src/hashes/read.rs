//! Lists of hashes in the forms in which they are handed round: plain lines, sha256sum, signature-base, ClamAV's `.hdb` and
//! `.hsb`, MISP's CSV and warning lists.
//!
//! What holds patterns instead of hashes is refused by name. A line that is not understood is counted, never guessed.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Algorithm;
use crate::{bounded, hex};

/// The longest list, in bytes.
const LIST_BYTES_MAX: usize = 2 << 30;

/// What a list was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSummary {
    /// The file's name.
    pub name: String,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// How many hashes were read.
    pub hashes: usize,
    /// How many lines or rows hold something else.
    pub unread: usize,
    /// The first of them, from 1; 0 if there is none.
    pub first_unread: usize,
}

/// Why a file is no list of hashes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It holds patterns or something else of ClamAV that is not the hash of a file.
    #[error("a .{0} file of ClamAV holds no hashes of files: give it to clamd")]
    NotHashes(String),
    /// No line of it is a hash.
    #[error("no line of it is an MD5, a SHA-1 or a SHA-256")]
    NoHashes,
    /// It is larger than 2 GiB.
    #[error("the list is larger than 2 GiB")]
    TooLarge,
    /// It begins like JSON or CSV and is none.
    #[error("the list cannot be read: {0}")]
    Malformed(String),
}

/// Endings of ClamAV's databases that hold something else than hashes of files.
const NOT_HASHES: &[&str] = &[
    "ndb", "ndu", "ldb", "ldu", "mdb", "mdu", "msb", "msu", "cdb", "idb", "pdb", "gdb", "wdb",
    "fp", "sfp", "ftm", "cvd", "cld", "cud", "cbc", "crb", "db", "imp", "zmd", "rmd",
];

/// Told for each hash: which it is, its bytes, the size (0 for any), a word about it.
pub(super) type Take<'t> = dyn FnMut(Algorithm, &[u8], u64, &str) + 't;

/// Reads a list of any of the forms.
pub(super) fn read(
    name: &str,
    bytes: &[u8],
    take: &mut Take<'_>,
) -> Result<ListSummary, ListError> {
    if bytes.len() > LIST_BYTES_MAX {
        return Err(ListError::TooLarge);
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending = ending.to_ascii_lowercase();
    if NOT_HASHES.contains(&ending.as_str()) {
        return Err(ListError::NotHashes(ending));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut counted = Counted::default();
    match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => warning_list(bytes, take, &mut counted)?,
        _ if is_misp_csv(bytes) => misp_csv(bytes, take, &mut counted)?,
        _ => lines(bytes, take, &mut counted),
    }
    if counted.hashes == 0 {
        return Err(ListError::NoHashes);
    }
    Ok(ListSummary {
        name: bounded(name),
        sha256: hex(digest(&SHA256, bytes).as_ref()),
        hashes: counted.hashes,
        unread: counted.unread,
        first_unread: counted.first_unread,
    })
}

#[derive(Default)]
struct Counted {
    hashes: usize,
    unread: usize,
    first_unread: usize,
}

impl Counted {
    fn count(&mut self, line: usize, read: bool) {
        if read {
            self.hashes += 1;
            return;
        }
        self.unread += 1;
        if self.first_unread == 0 {
            self.first_unread = line;
        }
    }
}

fn lines(bytes: &[u8], take: &mut Take<'_>, counted: &mut Counted) {
    let mut number = 0;
    for line in bytes.split(|c| *c == b'\n') {
        number += 1;
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        counted.count(number, one_line(line, take).is_some());
    }
}

/// `HASH`, `HASH  name`, `HASH;words`, `HASH,words` or ClamAV's `HASH:size:name`.
fn one_line(line: &[u8], take: &mut Take<'_>) -> Option<()> {
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let digits = line.iter().take_while(|c| c.is_ascii_hexdigit()).count();
    let (hash, rest) = line.split_at_checked(digits)?;
    let (size, label) = match rest.split_first() {
        None => (0, &b""[..]),
        Some((b':', rest)) => {
            let mut fields = rest.split(|c| *c == b':');
            (
                clamav_size(fields.next()?)?,
                fields.next().unwrap_or_default(),
            )
        }
        Some((b';' | b',', rest)) => (0, rest),
        Some((c, rest)) if c.is_ascii_whitespace() => {
            let rest = rest.trim_ascii();
            (0, rest.strip_prefix(b"*").unwrap_or(rest))
        }
        Some(_) => return None,
    };
    give(hash, size, label, take)
}

/// A number of bytes, or `*` for any.
fn clamav_size(field: &[u8]) -> Option<u64> {
    if field == b"*" {
        return Some(0);
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn give(digits: &[u8], size: u64, label: &[u8], take: &mut Take<'_>) -> Option<()> {
    let algorithm = Algorithm::of_digits(digits.len())?;
    let mut hash = [0_u8; 32];
    for (to, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *to = digit(high)? << 4 | digit(low)?;
    }
    let hash = hash.get(..digits.len() / 2)?;
    let label = String::from_utf8_lossy(label.trim_ascii());
    take(algorithm, hash, size, label.trim_matches('"'));
    Some(())
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

/// MISP exports attributes with a head that names `type` and `value`.
fn is_misp_csv(bytes: &[u8]) -> bool {
    let head = bytes.split(|c| *c == b'\n').next().unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut names = head
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned());
    let names: Vec<String> = names.by_ref().collect();
    ["type", "value"]
        .iter()
        .all(|wanted| names.iter().any(|name| name == wanted))
}

fn misp_csv(bytes: &[u8], take: &mut Take<'_>, counted: &mut Counted) -> Result<(), ListError> {
    let malformed = |error: csv::Error| ListError::Malformed(bounded(&error.to_string()));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let head = reader.byte_headers().map_err(malformed)?.clone();
    let column = |name: &[u8]| {
        head.iter()
            .position(|one| one.trim_ascii().eq_ignore_ascii_case(name))
    };
    let (kind, value) = (column(b"type"), column(b"value"));
    let comment = column(b"comment");
    let mut row = csv::ByteRecord::new();
    let mut number = 1;
    while reader.read_byte_record(&mut row).map_err(malformed)? {
        number += 1;
        let cell = |at: Option<usize>| {
            at.and_then(|at| row.get(at))
                .unwrap_or_default()
                .trim_ascii()
        };
        let kind = cell(kind).to_ascii_lowercase();
        // `filename|sha256` has `name|hash` as its value.
        let of = kind.rsplit(|c| *c == b'|').next().unwrap_or_default();
        if !matches!(of, b"md5" | b"sha1" | b"sha256") {
            counted.count(number, false);
            continue;
        }
        let hash = cell(value)
            .rsplit(|c| *c == b'|')
            .next()
            .unwrap_or_default();
        counted.count(number, give(hash, 0, cell(comment), take).is_some());
    }
    Ok(())
}

/// MISP's warning list: JSON with `list`, an array of texts; a bare array is taken, too.
fn warning_list(bytes: &[u8], take: &mut Take<'_>, counted: &mut Counted) -> Result<(), ListError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        List { list: Vec<String> },
        Bare(Vec<String>),
    }
    let form: Form = serde_json::from_slice(bytes)
        .map_err(|error| ListError::Malformed(bounded(&error.to_string())))?;
    let (Form::List { list } | Form::Bare(list)) = form;
    for (at, item) in list.iter().enumerate() {
        let read = give(item.trim().as_bytes(), 0, b"", take).is_some();
        counted.count(at + 1, read);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "44d88612fea8a8f36de82e1278abb02f";
    const SHA1: &str = "3395856ce81f2b7382dee72602f798b642f14140";
    const SHA256: &str = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f";

    fn check(name: &str, text: &str) -> Result<(Vec<String>, usize, usize), ListError> {
        let mut got = Vec::new();
        let summary = read(
            name,
            text.as_bytes(),
            &mut |algorithm, hash, size, label| {
                got.push(format!(
                    "{} {} {size} {label}",
                    algorithm.code(),
                    &hex(hash)[..4]
                ));
            },
        )?;
        Ok((got, summary.unread, summary.first_unread))
    }

    #[test]
    fn each_form_that_is_handed_round_is_read() {
        let of = |name, text: String| check(name, &text).unwrap().0;
        assert_eq!(of("a.txt", format!("# x\n{SHA256}\n")), ["sha256 275a 0 "]);
        assert_eq!(
            of("sums", format!("{SHA256}  eicar.com\n{SHA1} *b\n")),
            ["sha256 275a 0 eicar.com", "sha1 3395 0 b"]
        );
        assert_eq!(
            of("hash-iocs.txt", format!("{MD5};Some group http://x\n")),
            ["md5 44d8 0 Some group http://x"]
        );
        assert_eq!(
            of("t.hdb", format!("{MD5}:68:Eicar-Test\n")),
            ["md5 44d8 68 Eicar-Test"]
        );
        assert_eq!(
            of("t.hsb", format!("{SHA256}:*:Eicar-Test:73\n")),
            ["sha256 275a 0 Eicar-Test"]
        );
        let misp = format!(
            "uuid,event_id,category,type,value,comment\n1,2,P,filename|md5,a.exe|{MD5},\"x, y\"\n1,2,P,domain,a.b,\n"
        );
        assert_eq!(
            check("m.csv", &misp).unwrap(),
            (vec!["md5 44d8 0 x, y".to_owned()], 1, 3)
        );
        let warning =
            format!("{{\"name\":\"known\",\"type\":\"string\",\"list\":[\"{SHA1}\",\"x\"]}}");
        assert_eq!(
            check("list.json", &warning).unwrap(),
            (vec!["sha1 3395 0 ".to_owned()], 1, 2)
        );
    }

    #[test]
    fn what_is_no_list_of_hashes_is_refused_with_its_reason() {
        assert_eq!(
            check("main.ndb", "x:0:*:aa").err(),
            Some(ListError::NotHashes("ndb".to_owned()))
        );
        assert_eq!(
            check("a.txt", "hello\nworld\n").err(),
            Some(ListError::NoHashes)
        );
        assert_eq!(check("a.txt", "").err(), Some(ListError::NoHashes));
        assert!(matches!(
            check("a.json", "{\"list\":"),
            Err(ListError::Malformed(_))
        ));
        assert_eq!(
            check("a", &format!("{MD5}x\n{MD5}\n{MD5}:q:n")).unwrap().1,
            2
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8.., 0..200), name in "[a-z.]{0,6}") {
            let _ = read(&name, &bytes, &mut |_, _, _, _| {});
        }
    }
}
