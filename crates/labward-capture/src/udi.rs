//! Unique device identifiers (21 CFR 801.40) of the three issuing agencies: GS1, HIBCC and ICCBBA.
//!
//! It must never take an identifier whose check does not match, nor guess where a part ends.

use std::fmt;

/// The longest identifier that is read, in bytes.
pub const UDI_BYTES_MAX: usize = 200;
/// FNC1 as scanners send it: the end of a part of variable length.
const GROUP_SEPARATOR: char = '\u{1d}';

/// Who issues identifiers of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agency {
    /// GS1: application identifiers 01, 10, 11, 17, 21.
    Gs1,
    /// Health Industry Business Communications Council (ANSI/HIBC 2.6).
    Hibcc,
    /// ICCBBA (ISBT 128).
    Iccbba,
}

/// An identifier, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udi {
    /// Who issued it.
    pub agency: Agency,
    /// The device identifier: which model and package of which maker.
    pub device: String,
    /// The lot or batch.
    pub lot: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// When it was made, in the digits of the form.
    pub manufactured: Option<String>,
    /// Until when it may be used, in the digits of the form.
    pub expires: Option<String>,
}

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdiError {
    /// The check digit or character does not match.
    Check,
    /// A date is none.
    Date,
    /// It is of no agency's form.
    Form,
}

impl fmt::Display for UdiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "the check digit or character of the identifier does not match",
            Self::Date => "a date in the identifier is none",
            Self::Form => "it is in the form of no issuing agency",
        })
    }
}

impl std::error::Error for UdiError {}

impl Udi {
    /// Reads an identifier as people write it or as a scanner sends it.
    ///
    /// # Errors
    /// It is of no agency's form, a check does not match, or a date is none.
    pub fn parse(text: &str) -> Result<Self, UdiError> {
        if text.len() > UDI_BYTES_MAX || !text.is_ascii() {
            return Err(UdiError::Form);
        }
        // What scanners put before data of GS1: the name of the symbology.
        let plain = ["]d2", "]C1", "]Q3", "]e0"]
            .into_iter()
            .find_map(|name| text.strip_prefix(name));
        match text.as_bytes() {
            [b'(', ..] => gs1(&bracketed(text)?),
            _ if plain.is_some() => gs1(&scanned(plain.unwrap_or_default())?),
            [b'0', b'1', ..] => gs1(&scanned(text)?),
            [b'+', ..] => hibcc(text),
            [b'=', ..] => iccbba(text),
            _ => Err(UdiError::Form),
        }
    }

    const fn of(agency: Agency, device: String) -> Self {
        Self {
            agency,
            device,
            lot: None,
            serial: None,
            manufactured: None,
            expires: None,
        }
    }
}

/// `(01)…(17)…`: the identifiers in brackets and what stands behind each.
fn bracketed(text: &str) -> Result<Vec<(&str, &str)>, UdiError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (identifier, after) = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .ok_or(UdiError::Form)?;
        let is_identifier = (2..=4).contains(&identifier.len()) && is_digits(identifier);
        if !is_identifier {
            return Err(UdiError::Form);
        }
        // A bracket may stand in a lot; only one that opens an identifier ends the part.
        let end = after
            .match_indices('(')
            .map(|(at, _)| at)
            .find(|&at| opens(after, at));
        let (value, next) = after.split_at(end.unwrap_or(after.len()));
        parts.push((identifier, value));
        rest = next;
    }
    Ok(parts)
}

fn opens(text: &str, at: usize) -> bool {
    let behind = text.get(at + 1..).unwrap_or_default();
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    (2..=4).contains(&digits)
        && behind
            .get(digits..)
            .is_some_and(|rest| rest.starts_with(')'))
}

/// As a scanner sends it: fixed lengths follow each other, FNC1 ends the others.
fn scanned(text: &str) -> Result<Vec<(&str, &str)>, UdiError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (identifier, after) = rest.split_at_checked(2).ok_or(UdiError::Form)?;
        let length = match identifier {
            "01" => Some(14),
            "11" | "13" | "15" | "16" | "17" => Some(6),
            "10" | "21" => None,
            _ => return Err(UdiError::Form),
        };
        let (value, next) = match length {
            Some(length) => after.split_at_checked(length).ok_or(UdiError::Form)?,
            None => after.split_once(GROUP_SEPARATOR).unwrap_or((after, "")),
        };
        parts.push((identifier, value));
        rest = next.strip_prefix(GROUP_SEPARATOR).unwrap_or(next);
    }
    Ok(parts)
}

fn gs1(parts: &[(&str, &str)]) -> Result<Udi, UdiError> {
    let Some((("01", device), rest)) = parts.split_first() else {
        return Err(UdiError::Form);
    };
    if device.len() != 14 || !is_digits(device) {
        return Err(UdiError::Form);
    }
    if !is_gtin(device) {
        return Err(UdiError::Check);
    }
    let mut udi = Udi::of(Agency::Gs1, (*device).to_owned());
    for (identifier, value) in rest {
        let place = match *identifier {
            "10" => &mut udi.lot,
            "11" => &mut udi.manufactured,
            "17" => &mut udi.expires,
            "21" => &mut udi.serial,
            _ => continue,
        };
        match *identifier {
            "10" | "21" => is_text(value, 20).then_some(()).ok_or(UdiError::Form)?,
            _ => is_date(value).then_some(()).ok_or(UdiError::Date)?,
        }
        if place.replace((*value).to_owned()).is_some() {
            return Err(UdiError::Form);
        }
    }
    Ok(udi)
}

/// The check digit of a GTIN: weights of 3 and 1 from the left, modulo 10.
fn is_gtin(digits: &str) -> bool {
    let weighed = digits.bytes().zip([3u32, 1].into_iter().cycle());
    let sum: u32 = weighed
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

/// YYMMDD; day 00 is the whole month.
fn is_date(value: &str) -> bool {
    let number = |at: usize| value.get(at..at + 2).and_then(|two| two.parse::<u8>().ok());
    value.len() == 6
        && is_digits(value)
        && number(2).is_some_and(|month| (1..=12).contains(&month))
        && number(4).is_some_and(|day| day <= 31)
}

/// The characters of the check of HIBC, in the order of their values.
const HIBC: &[u8; 43] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

/// `+` maker, product, unit; behind `/` the secondary data; one check character at the end of it all.
fn hibcc(text: &str) -> Result<Udi, UdiError> {
    let (body, check) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or(UdiError::Form)?;
    let mut sum = 0;
    for byte in body.bytes() {
        sum += HIBC
            .iter()
            .position(|known| *known == byte)
            .ok_or(UdiError::Form)?;
    }
    if check.bytes().next() != HIBC.get(sum % HIBC.len()).copied() {
        return Err(UdiError::Check);
    }
    let mut parts = body.strip_prefix('+').unwrap_or_default().split('/');
    let primary = parts.next().unwrap_or_default();
    // Maker (a letter and three signs), product (1 to 18 signs), unit of measure (a digit).
    let is_primary = (6..=23).contains(&primary.len())
        && primary
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && primary.starts_with(|c: char| c.is_ascii_uppercase())
        && primary.ends_with(|c: char| c.is_ascii_digit());
    if !is_primary {
        return Err(UdiError::Form);
    }
    let mut udi = Udi::of(Agency::Hibcc, primary.to_owned());
    for (n, part) in parts.enumerate() {
        let first = (n == 0).then(|| part.strip_prefix('$')).flatten();
        if let Some(secondary) = first {
            hibcc_secondary(secondary, &mut udi)?;
        } else if let Some(date) = part.strip_prefix("16D") {
            udi.manufactured = Some(date_of(date)?);
        } else if let Some(date) = part.strip_prefix("14D") {
            udi.expires = Some(date_of(date)?);
        } else if let Some(serial) = part.strip_prefix('S') {
            udi.serial = Some(bounded(serial)?);
        } else {
            return Err(UdiError::Form);
        }
    }
    Ok(udi)
}

/// What stands behind the first `$`: a lot, or with another `$` a date before it; `+` makes it a serial number.
fn hibcc_secondary(text: &str, udi: &mut Udi) -> Result<(), UdiError> {
    let Some(dated) = text.strip_prefix('$') else {
        return match text.strip_prefix('+') {
            Some(serial) => {
                udi.serial = Some(bounded(serial)?);
                Ok(())
            }
            None => {
                udi.lot = Some(bounded(text)?);
                Ok(())
            }
        };
    };
    let (is_serial, mut rest) = match dated.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, dated),
    };
    // A quantity of two or five digits may stand first.
    for (mark, length) in [('8', 2), ('9', 5)] {
        if let Some(quantity) = rest.strip_prefix(mark) {
            rest = quantity.get(length..).ok_or(UdiError::Form)?;
            break;
        }
    }
    let (mark, length) = match rest.bytes().next() {
        None => return Ok(()),
        Some(b'0' | b'1') => (0, 4),
        Some(b'2' | b'3') => (1, 6),
        Some(b'4') => (1, 8),
        Some(b'5') => (1, 5),
        Some(b'6') => (1, 7),
        Some(b'7') => (1, 0),
        Some(_) => return Err(UdiError::Form),
    };
    let date = rest.get(mark..mark + length).ok_or(UdiError::Form)?;
    if !is_digits(date) {
        return Err(UdiError::Date);
    }
    udi.expires = Some(date.to_owned()).filter(|date| !date.is_empty());
    let value = rest.get(mark + length..).unwrap_or_default();
    if !value.is_empty() {
        let place = if is_serial {
            &mut udi.serial
        } else {
            &mut udi.lot
        };
        *place = Some(bounded(value)?);
    }
    Ok(())
}

fn bounded(value: &str) -> Result<String, UdiError> {
    let is_good = !value.is_empty() && value.len() <= 20;
    is_good.then(|| value.to_owned()).ok_or(UdiError::Form)
}

/// YYYYMMDD.
fn date_of(value: &str) -> Result<String, UdiError> {
    let short = value.get(2..).unwrap_or_default();
    let is_good = value.len() == 8 && is_digits(value) && is_date(short);
    is_good.then(|| value.to_owned()).ok_or(UdiError::Date)
}

/// Data structures of ISBT 128, each with two signs before it and a length of its own.
fn iccbba(text: &str) -> Result<Udi, UdiError> {
    let mut udi = Udi::of(Agency::Iccbba, String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (sign, after) = rest.split_at_checked(2).ok_or(UdiError::Form)?;
        // `&,1` has three; `=` and a letter or digit begins a donation's number, which keeps both.
        let (after, length) = match sign {
            "=/" => (after, 16),
            "=," => (after, 6),
            "=>" | "=}" => (after, 6),
            "=)" | "&)" => (after, 10),
            "&," => (after.strip_prefix('1').ok_or(UdiError::Form)?, 18),
            _ if is_donation(sign) => (rest.get(1..).unwrap_or_default(), 15),
            _ => return Err(UdiError::Form),
        };
        let (value, next) = after.split_at_checked(length).ok_or(UdiError::Form)?;
        if !value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(UdiError::Form);
        }
        let value = value.to_owned();
        match sign {
            "=/" | "=)" if udi.device.is_empty() => udi.device = value,
            "=," => udi.serial = Some(value),
            "=>" | "=}" if !is_ordinal(&value) => return Err(UdiError::Date),
            "=>" => udi.expires = Some(value),
            "=}" => udi.manufactured = Some(value),
            "&)" | "&," => udi.lot = Some(value),
            // A donation's number tells a piece of tissue from another, and leads to its donor.
            _ if is_donation(sign) => {}
            _ => return Err(UdiError::Form),
        }
        rest = next;
    }
    let is_whole = !udi.device.is_empty();
    is_whole.then_some(udi).ok_or(UdiError::Form)
}

fn is_donation(sign: &str) -> bool {
    sign.strip_prefix('=')
        .is_some_and(|sign| sign.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// cyyjjj: century, year, day of the year.
fn is_ordinal(value: &str) -> bool {
    let day = value.get(3..).and_then(|day| day.parse::<u16>().ok());
    is_digits(value) && day.is_some_and(|day| (1..=366).contains(&day))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One to `limit` printable signs without spaces.
fn is_text(text: &str, limit: usize) -> bool {
    (1..=limit).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Device, lot, serial number, made, expires.
    type Parts<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

    fn check(text: &str, agency: Agency, expected: Parts<'_>) {
        let udi = Udi::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let parts = [&udi.lot, &udi.serial, &udi.manufactured, &udi.expires].map(part);
        let [lot, serial, made, expires] = &parts;
        assert_eq!(udi.agency, agency);
        assert_eq!(
            (udi.device.as_str(), &**lot, &**serial, &**made, &**expires),
            expected
        );
    }

    #[test]
    fn gs1_is_read_as_people_write_it_and_as_scanners_send_it() {
        let expected = (
            "00844588003288",
            "7654321D",
            "10987654d321",
            "140102",
            "141120",
        );
        for text in [
            "(01)00844588003288(11)140102(17)141120(10)7654321D(21)10987654d321",
            "01008445880032881114010217141120107654321D\u{1d}2110987654d321",
            "]d201008445880032881114010217141120107654321D\u{1d}2110987654d321",
        ] {
            check(text, Agency::Gs1, expected);
        }
        check(
            "(01)00844588003288(10)A(1)",
            Agency::Gs1,
            ("00844588003288", "A(1)", "", "", ""),
        );
    }

    #[test]
    fn hibcc_is_read_with_its_check_character() {
        let body = "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202";
        let sum: usize = body
            .bytes()
            .map(|b| HIBC.iter().position(|k| *k == b).unwrap())
            .sum();
        let text = format!("{body}{}", HIBC[sum % 43] as char);
        check(
            &text,
            Agency::Hibcc,
            (
                "H123PARTNO1234567890120",
                "LOT123456789012345",
                "XYZ456789012345678",
                "20130202",
                "20020216",
            ),
        );
        // The primary label alone, from the HIBC standard's own example.
        check(
            "+A123BJC5D6E71G",
            Agency::Hibcc,
            ("A123BJC5D6E71", "", "", "", ""),
        );
        assert_eq!(Udi::parse("+A123BJC5D6E71H"), Err(UdiError::Check));
    }

    #[test]
    fn iccbba_is_read_and_the_number_of_a_donation_is_left_out() {
        check(
            "=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123",
            Agency::Iccbba,
            (
                "A9999XYZ100T0944",
                "000000000000XYZ123",
                "000025",
                "013032",
                "014032",
            ),
        );
        check(
            "=)1TE123456A&)RZ12345678",
            Agency::Iccbba,
            ("1TE123456A", "RZ12345678", "", "", ""),
        );
    }

    #[test]
    fn what_does_not_hold_is_refused_with_its_reason() {
        for (text, error) in [
            ("(01)00844588003289", UdiError::Check),
            ("(01)00844588003288(17)141320", UdiError::Date),
            ("(17)141120", UdiError::Form),
            ("(01)0084458800328", UdiError::Form),
            ("(01)00844588003288(10)", UdiError::Form),
            ("(01)00844588003288(10)A(10)B", UdiError::Form),
            ("0100844588003288ZZ", UdiError::Form),
            ("=/A9999XYZ100T0944=>014999", UdiError::Date),
            ("=,000025", UdiError::Form),
            ("Hospira Plum A+", UdiError::Form),
            ("+", UdiError::Check),
            ("", UdiError::Form),
        ] {
            assert_eq!(Udi::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_an_identifier_or_an_error(
            start in prop::sample::select(vec!["", "(01)00844588003288", "0100844588003288", "+H123", "=/A9999XYZ100T0944", "]d2"]),
            rest in "[ -~\\x1d]{0,60}|\\PC{0,20}",
        ) {
            let text = format!("{start}{rest}");
            if let Ok(udi) = Udi::parse(&text) {
                prop_assert!(text.contains(&udi.device));
            }
        }

        #[test]
        fn any_wrong_digit_of_a_device_identifier_is_found(at in 0..14usize, digit in 0..10u8) {
            let mut bytes = b"(01)00844588003288".to_vec();
            prop_assume!(bytes[4 + at] != b'0' + digit);
            bytes[4 + at] = b'0' + digit;
            let text = String::from_utf8(bytes).unwrap();
            prop_assert_eq!(Udi::parse(&text), Err(UdiError::Check));
        }
    }
}
