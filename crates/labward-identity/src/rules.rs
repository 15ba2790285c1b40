//! What a peer may send: allow-lists of patterns, default deny.
//!
//! An empty list admits nothing. It must never fold case or trim: what a device sends is compared
//! byte for byte. The answer is an outcome with a reason, **Invariant:** refusal is an outcome, not
//! an error.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IdentityError;

const MAX_PATTERN_BYTES: usize = 250;
const MAX_JSON_BYTES: usize = 8 * 1024;

/// An exact value, or a prefix followed by `*`; `*` alone fits everything, the empty pattern only
/// an empty field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    prefix: bool,
}

/// What one peer may send, field by field; [`PeerRules::default`] admits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeerRules {
    /// MSH-3, first component.
    pub sending_applications: Vec<Pattern>,
    /// MSH-4, first component.
    pub sending_facilities: Vec<Pattern>,
    /// MSH-9 as code and event joined by `^`, such as `ORU^R01`; a bare code where there is no event.
    pub message_types: Vec<Pattern>,
    /// MSH-11, first component: `P`, `T` or `D`.
    pub processing_ids: Vec<Pattern>,
    /// MSH-12, first component; unlike the others, no list admits every version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<Vec<Pattern>>,
    /// H-5 of ASTM, first component.
    pub astm_senders: Vec<Pattern>,
}

/// The fields of an HL7 v2 header that rules look at, as they stood on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// MSH-3, first component.
    pub sending_application: &'a [u8],
    /// MSH-4, first component.
    pub sending_facility: &'a [u8],
    /// MSH-9, code and event joined by `^` whatever the message's own separator is.
    pub message_type: &'a [u8],
    /// MSH-11, first component.
    pub processing_id: &'a [u8],
    /// MSH-12, first component.
    pub version: &'a [u8],
}

/// Whether a peer may send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Admit,
    /// It may not: this field does not fit its rules.
    Refuse(RuleField),
}

/// The field that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleField {
    /// H-5 of ASTM.
    AstmSender,
    /// MSH-9.
    MessageType,
    /// MSH-11.
    ProcessingId,
    /// MSH-3.
    SendingApplication,
    /// MSH-4.
    SendingFacility,
    /// MSH-12.
    Version,
}

impl Pattern {
    /// Whether `field` fits, byte for byte.
    pub fn fits(&self, field: &[u8]) -> bool {
        if self.prefix {
            field.starts_with(self.text.as_bytes())
        } else {
            field == self.text.as_bytes()
        }
    }

    /// The pattern that fits everything.
    pub const fn any() -> Self {
        Self {
            text: String::new(),
            prefix: true,
        }
    }
}

impl PeerRules {
    /// Rules that admit everything; for a test bench, and a finding anywhere else.
    pub fn admit_all() -> Self {
        let any = || vec![Pattern::any()];
        Self {
            sending_applications: any(),
            sending_facilities: any(),
            message_types: any(),
            processing_ids: any(),
            versions: None,
            astm_senders: any(),
        }
    }

    /// Whether an HL7 v2 message with this header is admitted; the first field that does not fit
    /// is named.
    pub fn decide(&self, header: &Header<'_>) -> Decision {
        let versions = self.versions.as_deref();
        let fits = [
            (
                RuleField::SendingApplication,
                any_fits(&self.sending_applications, header.sending_application),
            ),
            (
                RuleField::SendingFacility,
                any_fits(&self.sending_facilities, header.sending_facility),
            ),
            (
                RuleField::MessageType,
                any_fits(&self.message_types, header.message_type),
            ),
            (
                RuleField::ProcessingId,
                any_fits(&self.processing_ids, header.processing_id),
            ),
            (
                RuleField::Version,
                versions.is_none_or(|list| any_fits(list, header.version)),
            ),
        ];
        match fits.iter().find(|(_, fits)| !fits) {
            None => Decision::Admit,
            Some((field, _)) => Decision::Refuse(*field),
        }
    }

    /// Whether an ASTM transmission of this sender (H-5, first component) is admitted.
    pub fn decide_astm(&self, sender: &[u8]) -> Decision {
        if any_fits(&self.astm_senders, sender) {
            Decision::Admit
        } else {
            Decision::Refuse(RuleField::AstmSender)
        }
    }

    /// Refuses rules whose JSON is longer than 8 KiB: they stand in an entry's facts.
    pub(crate) fn check(&self) -> Result<(), IdentityError> {
        match serde_json::to_string(self) {
            Ok(json) if json.len() <= MAX_JSON_BYTES => Ok(()),
            _ => Err(IdentityError::NotAName { what: "rules" }),
        }
    }
}

impl RuleField {
    /// The field's name in the standard and in our facts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AstmSender => "H-5",
            Self::MessageType => "MSH-9",
            Self::ProcessingId => "MSH-11",
            Self::SendingApplication => "MSH-3",
            Self::SendingFacility => "MSH-4",
            Self::Version => "MSH-12",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, if self.prefix { "*" } else { "" })
    }
}

impl FromStr for Pattern {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let (body, prefix) = match text.strip_suffix('*') {
            Some(body) => (body, true),
            None => (text, false),
        };
        // A star elsewhere would look like a wildcard and silently be none.
        if body.len() > MAX_PATTERN_BYTES
            || body.contains('*')
            || body.bytes().any(|byte| byte.is_ascii_control())
        {
            return Err(IdentityError::NotAName { what: "pattern" });
        }
        Ok(Self {
            text: body.to_owned(),
            prefix,
        })
    }
}

impl TryFrom<String> for Pattern {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

fn any_fits(list: &[Pattern], field: &[u8]) -> bool {
    list.iter().any(|pattern| pattern.fits(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn rules() -> PeerRules {
        PeerRules {
            sending_applications: patterns(&["COBAS"]),
            sending_facilities: patterns(&["LAB*"]),
            message_types: patterns(&["ORU^R01", "OUL^*"]),
            processing_ids: patterns(&["P"]),
            versions: None,
            astm_senders: patterns(&["H7600"]),
        }
    }

    fn header<'a>() -> Header<'a> {
        Header {
            sending_application: b"COBAS",
            sending_facility: b"LAB1",
            message_type: b"ORU^R01",
            processing_id: b"P",
            version: b"2.5.1",
        }
    }

    #[test]
    fn an_empty_list_admits_nothing() {
        let none = PeerRules::default();
        assert_eq!(
            none.decide(&header()),
            Decision::Refuse(RuleField::SendingApplication)
        );
        assert_eq!(
            none.decide(&Header::default()),
            Decision::Refuse(RuleField::SendingApplication)
        );
        assert_eq!(
            none.decide_astm(b""),
            Decision::Refuse(RuleField::AstmSender)
        );
    }

    #[test]
    fn each_field_alone_can_refuse_and_is_named() {
        assert_eq!(rules().decide(&header()), Decision::Admit);
        let cases = [
            (
                Header {
                    sending_application: b"cobas",
                    ..header()
                },
                "MSH-3",
            ),
            (
                Header {
                    sending_facility: b"WARD",
                    ..header()
                },
                "MSH-4",
            ),
            (
                Header {
                    message_type: b"ADT^A01",
                    ..header()
                },
                "MSH-9",
            ),
            (
                Header {
                    message_type: b"ORU^R01 ",
                    ..header()
                },
                "MSH-9",
            ),
            (
                Header {
                    processing_id: b"T",
                    ..header()
                },
                "MSH-11",
            ),
        ];
        for (header, expected) in cases {
            match rules().decide(&header) {
                Decision::Refuse(field) => assert_eq!(field.name(), expected),
                Decision::Admit => panic!("{expected} was admitted"),
            }
        }
        let old = PeerRules {
            versions: Some(patterns(&["2.3*"])),
            ..rules()
        };
        assert_eq!(old.decide(&header()), Decision::Refuse(RuleField::Version));
        assert_eq!(rules().decide_astm(b"H7600"), Decision::Admit);
        assert_eq!(
            rules().decide_astm(b"H7600x"),
            Decision::Refuse(RuleField::AstmSender)
        );
    }

    #[test]
    fn admit_all_admits_all() {
        assert_eq!(
            PeerRules::admit_all().decide(&Header::default()),
            Decision::Admit
        );
        assert_eq!(PeerRules::admit_all().decide(&header()), Decision::Admit);
    }

    #[test]
    fn a_star_in_the_middle_is_refused_not_ignored() {
        for text in ["*X", "A*B", "**", "a\nb"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
        assert!("x".repeat(251).parse::<Pattern>().is_err());
    }

    #[test]
    fn rules_are_read_back_from_json_and_unknown_fields_are_refused() {
        let text = serde_json::to_string(&rules()).unwrap();
        assert_eq!(serde_json::from_str::<PeerRules>(&text).unwrap(), rules());
        assert!(serde_json::from_str::<PeerRules>(r#"{"sending_application":["*"]}"#).is_err());
        assert!(serde_json::from_str::<PeerRules>(r#"{"message_types":["O*U"]}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_prefix_fits_what_starts_with_it_and_an_exact_pattern_only_itself(
            body in "[A-Za-z0-9^ ]{0,8}", field in "[A-Za-z0-9^ ]{0,12}",
        ) {
            let prefix: Pattern = format!("{body}*").parse().unwrap();
            prop_assert_eq!(prefix.fits(field.as_bytes()), field.starts_with(&body));
            let exact: Pattern = body.parse().unwrap();
            prop_assert_eq!(exact.fits(field.as_bytes()), field == body);
        }

        #[test]
        fn any_text_is_read_or_refused_and_shown_as_it_was(text in "\\PC{0,300}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                prop_assert_eq!(pattern.to_string(), text);
            }
        }
    }
}
