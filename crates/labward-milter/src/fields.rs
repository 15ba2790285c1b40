//! Strings and numbers within a packet.
//!
//! It must never write a string that is read as two.

/// The most strings in one packet.
pub(crate) const STRINGS_MAX: usize = 512;

/// The strings that a NUL ends each; what follows the last NUL is one, too. None if they are more than [`STRINGS_MAX`].
pub(crate) fn strings(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let whole = data.strip_suffix(&[0]).unwrap_or(data);
    if data.is_empty() {
        return Some(Vec::new());
    }
    let mut strings = Vec::new();
    for string in whole.split(|byte| *byte == 0) {
        if strings.len() == STRINGS_MAX {
            return None;
        }
        strings.push(string.to_vec());
    }
    Some(strings)
}

/// The one string that a NUL ends; what follows it is not read.
pub(crate) fn string(data: &[u8]) -> Vec<u8> {
    first(data).0.to_vec()
}

/// Two strings; none if there is no second one.
pub(crate) fn pair(data: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, rest) = first(data);
    rest.map(|rest| (name.to_vec(), string(rest)))
}

/// What stands before the first NUL, and what follows it.
pub(crate) fn first(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut halves = data.splitn(2, |byte| *byte == 0);
    (halves.next().unwrap_or_default(), halves.next())
}

/// A number of 32 bits, and what follows it.
pub(crate) fn number(data: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = data.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// Writes a string and the NUL that ends it.
pub(crate) fn put(out: &mut Vec<u8>, string: &[u8]) {
    out.extend(string.iter().filter(|byte| **byte != 0));
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_nothing_ends_is_a_string_and_too_many_are_none() {
        assert_eq!(strings(b"a\0b").unwrap(), [b"a", b"b"]);
        assert_eq!(strings(b"a\0\0").unwrap(), [b"a".to_vec(), Vec::new()]);
        assert_eq!(strings(b"\0").unwrap(), [Vec::<u8>::new()]);
        assert!(strings(b"").unwrap().is_empty());
        assert_eq!(strings(&vec![0; STRINGS_MAX]).unwrap().len(), STRINGS_MAX);
        assert!(strings(&vec![0; STRINGS_MAX + 1]).is_none());
    }
}
