//! Hash files in the format of `sha512sum` and `sha256sum` (`.sha512`, `.sha256`; CSAF 2.0, 7.1.18).

use aws_lc_rs::digest::{SHA256, SHA512, digest};

/// Why a hash file does not vouch for a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashFault {
    /// The document is not the one that was hashed.
    #[error("the document is not the one that was hashed")]
    Differs,
    /// The file holds no line that can be read.
    #[error("no hash in the format of sha512sum or sha256sum")]
    NotAHash,
    /// The file holds hashes, but of other files.
    #[error("the hash is of another file")]
    OtherFile,
    /// The hash is one that can be forged (MD5, SHA-1).
    #[error("a hash shorter than SHA-256 proves nothing")]
    Weak,
}

/// Checks a document against a hash file; the length of the hash tells SHA-256 from SHA-512.
///
/// `name` is the file name of the document; a hash without a name is of the document beside it.
///
/// # Errors
/// If no line is for `name`, or one of them does not fit.
pub fn check_hash(hash_file: &[u8], name: &str, document: &[u8]) -> Result<(), HashFault> {
    /// A hash file is a line; what is longer is none.
    const LONGEST: usize = 1 << 20;
    let text = std::str::from_utf8(hash_file).map_err(|_| HashFault::NotAHash)?;
    if text.len() > LONGEST {
        return Err(HashFault::NotAHash);
    }
    let mut outcome = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (hash, of) = read_line(line).ok_or(HashFault::NotAHash)?;
        if of.as_deref().is_some_and(|of| of != name) {
            outcome = outcome.or(Some(Err(HashFault::OtherFile)));
            continue;
        }
        let algorithm = match hash.len() {
            32 => &SHA256,
            64 => &SHA512,
            _ => return Err(HashFault::Weak),
        };
        if digest(algorithm, document).as_ref() != hash {
            return Err(HashFault::Differs);
        }
        outcome = Some(Ok(()));
    }
    outcome.unwrap_or(Err(HashFault::NotAHash))
}

/// A hash, and of which file it is.
fn read_line(line: &str) -> Option<(Vec<u8>, Option<String>)> {
    // A backslash in front says that the name holds escapes.
    let (line, is_escaped) = match line.strip_prefix('\\') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (hex, name) = match line.split_once([' ', '\t']) {
        // The character after the space tells text (` `) from binary (`*`), which is the same here.
        Some((hex, rest)) => (hex, rest.trim_end_matches('\r')),
        None => (line.trim_end_matches('\r'), ""),
    };
    let name = name.strip_prefix([' ', '*']).unwrap_or(name);
    let name = if is_escaped {
        name.replace("\\n", "\n")
            .replace("\\r", "\r")
            .replace("\\\\", "\\")
    } else {
        name.to_owned()
    };
    // The hash may have been made in another folder.
    let base = name.rsplit('/').next().unwrap_or_default().to_owned();
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16)?.try_into().ok())
        .collect();
    let digits = digits.filter(|digits| !digits.is_empty() && digits.len() % 2 == 0)?;
    let bytes = digits.chunks(2).filter_map(|pair| match pair {
        [high, low] => Some(high * 16 + low),
        _ => None,
    });
    Some((bytes.collect(), (!base.is_empty()).then_some(base)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn check(file: &str, expect: Result<(), HashFault>) {
        assert_eq!(
            check_hash(file.as_bytes(), "a.json", b"abc"),
            expect,
            "{file}"
        );
    }

    #[test]
    fn a_hash_of_the_document_fits() {
        check(&format!("{SHA256_ABC}  a.json\n"), Ok(()));
        check(&format!("{SHA256_ABC} *a.json"), Ok(()));
        check(
            &format!("{}  ./white/a.json\r\n", SHA256_ABC.to_uppercase()),
            Ok(()),
        );
        check(SHA256_ABC, Ok(()));
        check(
            &format!("{SHA256_ABC}  b.json\n{SHA256_ABC}  a.json\n"),
            Ok(()),
        );
    }

    #[test]
    fn a_hash_of_anything_else_does_not() {
        check(
            &format!("{SHA256_ABC}  b.json\n"),
            Err(HashFault::OtherFile),
        );
        check(
            &format!("{}  a.json", SHA256_ABC.replace('b', "c")),
            Err(HashFault::Differs),
        );
        check(
            "900150983cd24fb0d6963f7d28e17f72  a.json",
            Err(HashFault::Weak),
        );
        check(
            "a9993e364706816aba3e25717850c26c9cd0d89d  a.json",
            Err(HashFault::Weak),
        );
        for none in ["", "\n", "hello", "abc", "SHA256 (a.json) = ba78"] {
            check(none, Err(HashFault::NotAHash));
        }
        assert_eq!(check_hash(b"\xff", "a", b""), Err(HashFault::NotAHash));
    }

    #[test]
    fn every_hash_of_cisa_fits_its_advisory() {
        let Some(data) = crate::real_data::folder("hashes of CISA") else {
            return;
        };
        let files = crate::real_data::unpack(data.join("csaf/cisa-ot-2017-2023.tar.xz"));
        let mut checked = 0;
        for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".json")) {
            let base = name.rsplit('/').next().unwrap();
            let hash = &files[&format!("{name}.sha512")];
            assert_eq!(check_hash(hash, base, bytes), Ok(()), "{name}");
            let mut changed = bytes.clone();
            changed[0] ^= 1;
            assert_eq!(check_hash(hash, base, &changed), Err(HashFault::Differs));
            checked += 1;
        }
        assert_eq!(checked, 2_035);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = check_hash(&bytes, "a.json", b"abc");
        }
    }
}
