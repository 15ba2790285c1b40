//! The forms of text that the schema of CSAF 2.0 gives as patterns.

use labward_base::Timestamp;

use super::version::Version;

/// A form of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Category,
    Cpe,
    Cve,
    CweId,
    DateTime,
    Hash,
    Id,
    Language,
    NotEmpty,
    Purl,
    Uri,
    Version,
}

impl Form {
    /// What a text of this form is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Category => "document category",
            Self::Cpe => "CPE name",
            Self::Cve => "CVE id",
            Self::CweId => "CWE id",
            Self::DateTime => "date and time (RFC 3339)",
            Self::Hash => "hash in hexadecimal",
            Self::Id => "id without spaces around it",
            Self::Language => "language tag (BCP 47)",
            Self::NotEmpty => "text of at least one character",
            Self::Purl => "package URL",
            Self::Uri => "URI",
            Self::Version => "version: a number, or a semantic version",
        }
    }

    /// Whether a text has this form.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Category => {
                let edge = |c: Option<char>| {
                    c.is_some_and(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '.'))
                };
                edge(text.chars().next()) && edge(text.chars().next_back())
            }
            Self::Cpe => is_cpe(text),
            Self::Cve => is_cve(text),
            Self::CweId => text.strip_prefix("CWE-").is_some_and(|number| {
                (1..=6).contains(&number.len())
                    && !number.starts_with('0')
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            }),
            Self::DateTime => Timestamp::parse_rfc3339(text).is_some(),
            Self::Hash => text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Id => {
                let edge = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
                edge(text.chars().next()) && edge(text.chars().next_back())
            }
            Self::Language => is_language(text),
            Self::NotEmpty => !text.is_empty(),
            Self::Purl => is_purl(text),
            Self::Uri => is_uri(text),
            Self::Version => Version::parse(text).is_some(),
        }
    }
}

/// Whether a text is a CVE id: `CVE-`, a year, a number of four digits or more.
pub(super) fn is_cve(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| {
            year.len() == 4 && digits(year) && number.len() >= 4 && digits(number)
        })
}

/// The pattern of the schema; test 6.1.13 looks closer.
fn is_purl(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
    text.len() >= 7
        && text
            .strip_prefix("pkg:")
            .and_then(|rest| rest.split_once('/'))
            .is_some_and(|(kind, rest)| {
                !rest.is_empty()
                    && kind.bytes().all(is_word)
                    && kind
                        .bytes()
                        .next()
                        .is_some_and(|byte| !byte.is_ascii_digit())
            })
}

/// RFC 3986: a scheme, a colon, and only the characters that a URI is made of.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.bytes().enumerate().all(|(at, byte)| {
        byte.is_ascii_alphabetic()
            || (at > 0 && (byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')))
    });
    let is_allowed = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    };
    !scheme.is_empty() && is_scheme && rest.bytes().all(is_allowed)
}

/// The pattern of the schema: BCP 47 without the tags that RFC 4646 grandfathered, but two.
fn is_language(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    if lower == "i-default" || lower == "i-mingo" {
        return true;
    }
    let mut parts = lower.split('-').peekable();
    let alphabetic = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic());
    let alphanumeric =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let Some(first) = parts.next() else {
        return false;
    };
    if first != "x" {
        if !alphabetic(first) || !(2..=8).contains(&first.len()) {
            return false;
        }
        if first.len() <= 3 {
            for _ in 0..3 {
                parts.next_if(|part| part.len() == 3 && alphabetic(part));
            }
        }
        parts.next_if(|part| part.len() == 4 && alphabetic(part));
        parts.next_if(|part| {
            (part.len() == 2 && alphabetic(part))
                || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()))
        });
        let is_variant = |part: &&str| {
            alphanumeric(part)
                && ((5..=8).contains(&part.len())
                    || (part.len() == 4 && part.starts_with(|c: char| c.is_ascii_digit())))
        };
        while parts.next_if(is_variant).is_some() {}
        while parts
            .next_if(|part| part.len() == 1 && *part != "x" && alphanumeric(part))
            .is_some()
        {
            let mut any = false;
            while parts
                .next_if(|part| (2..=8).contains(&part.len()) && alphanumeric(part))
                .is_some()
            {
                any = true;
            }
            if !any {
                return false;
            }
        }
        match parts.next() {
            None => return true,
            Some("x") => {}
            Some(_) => return false,
        }
    }
    let mut any = false;
    for part in parts {
        if part.len() > 8 || !alphanumeric(part) {
            return false;
        }
        any = true;
    }
    any
}

/// The pattern of the schema: CPE 2.3, or the URI of CPE 2.2.
fn is_cpe(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("cpe:2.3:") {
        return is_cpe23(rest);
    }
    let is_22 = text
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("cpe:"));
    let Some(rest) = text.get(4..).and_then(|rest| rest.strip_prefix('/')) else {
        return false;
    };
    let mut parts = rest.split(':');
    let part = parts.next().unwrap_or_default();
    let is_character =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~' | b'%');
    is_22
        && text.starts_with('c')
        && part.len() <= 1
        && part.bytes().all(|byte| b"AHOaho".contains(&byte))
        && rest.split(':').count() <= 7
        && parts.all(|part| part.bytes().all(is_character))
}

fn is_cpe23(rest: &str) -> bool {
    let mut parts = Vec::with_capacity(11);
    let (mut start, mut escaped) = (0, false);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b':' => {
                parts.push(rest.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(rest.get(start..).unwrap_or_default());
    let language = |part: &str| {
        let (one, region) = part.split_once('-').unwrap_or((part, "us"));
        let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
        matches!(part, "*" | "-")
            || ((2..=3).contains(&one.len())
                && letters(one)
                && ((region.len() == 2 && letters(region))
                    || (region.len() == 3 && region.bytes().all(|byte| byte.is_ascii_digit()))))
    };
    parts.len() == 11
        && parts.iter().enumerate().all(|(at, part)| match at {
            0 => matches!(*part, "a" | "h" | "o" | "*" | "-"),
            6 => language(part),
            _ => is_cpe_value(part),
        })
}

fn is_cpe_value(part: &str) -> bool {
    const ESCAPED: &[u8] = b"\\*?!\"#$%&'()+,/:;<=>@[]^`{|}~";
    if matches!(part, "*" | "-") {
        return true;
    }
    let wildcards = |byte: u8| matches!(byte, b'?' | b'*');
    let core = part.trim_start_matches(|c: char| c.is_ascii() && wildcards(c as u8));
    let mut bytes = core.bytes().peekable();
    let mut any = false;
    while let Some(byte) = bytes.next_if(|byte| !wildcards(*byte)) {
        let allowed = match byte {
            b'\\' => bytes.next().is_some_and(|next| ESCAPED.contains(&next)),
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'),
        };
        if !allowed {
            return false;
        }
        any = true;
    }
    any && bytes.all(wildcards)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(form.fits(text), "{form:?} {text}");
        }
        for text in bad {
            assert!(!form.fits(text), "{form:?} {text}");
        }
    }

    #[test]
    fn ids_of_vulnerabilities_and_weaknesses_have_their_form() {
        check(
            Form::Cve,
            &["CVE-2017-0144", "CVE-2024-123456"],
            &[
                "",
                "CVE-2017-144",
                "cve-2017-0144",
                "CVE-17-0144",
                "CVE-2017-0144a",
            ],
        );
        check(
            Form::CweId,
            &["CWE-79", "CWE-1395"],
            &["CWE-079", "CWE-", "79", "CWE-1234567"],
        );
    }

    #[test]
    fn languages_have_the_form_of_bcp_47() {
        check(
            Form::Language,
            &[
                "en",
                "en-US",
                "de-DE-1996",
                "zh-Hans-CN",
                "sl-rozaj-biske",
                "es-419",
                "x-whatever",
                "i-default",
                "en-a-bbb-x-a",
            ],
            &[
                "",
                "e",
                "en_US",
                "en-",
                "en-US-",
                "x-",
                "en-a",
                "123",
                "toolonglanguage",
            ],
        );
    }

    #[test]
    fn cpe_names_of_both_versions_have_their_form() {
        check(
            Form::Cpe,
            &[
                "cpe:2.3:a:vendor:pro\\:duct:1.0:*:*:*:*:*:*:*",
                "cpe:2.3:o:microsoft:windows_10:-:*:*:en-us:*:*:*:*",
                "cpe:/a:vendor:product:1.0",
                "cpe:/o",
            ],
            &[
                "cpe:2.3:a:vendor:product:1.0",
                "cpe:2.3:x:v:p:1:*:*:*:*:*:*:*",
                "cpe:2.3:a:v:p q:1:*:*:*:*:*:*:*",
                "cpe:",
                "cpé:/a",
            ],
        );
    }

    #[test]
    fn uris_hashes_and_names_have_their_form() {
        check(
            Form::Uri,
            &["https://www.cisa.gov/", "urn:uuid:x", "mailto:a@b"],
            &["", "www.cisa.gov", "https://a b", "1http://x", "https://ä"],
        );
        check(
            Form::Hash,
            &["0123456789abcdefABCDEF0123456789"],
            &["0123", "g123456789abcdef0123456789abcdef"],
        );
        check(
            Form::Purl,
            &["pkg:maven/a@1"],
            &["pkg:maven", "pkg:1a/b", "npm/x"],
        );
        check(Form::Category, &["csaf_vex", "a"], &["", "-a", "a_", " a"]);
        check(Form::Id, &["ICSMA-17-017-01", "a b"], &["", " a", "a "]);
        check(
            Form::DateTime,
            &["2017-01-17T00:00:00.000000Z"],
            &["2017-01-17", ""],
        );
    }
}
