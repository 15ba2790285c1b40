//! ASTM E1381 / LIS02-A2: the sender in H-5, by a rule for each model, and the instrument in R-14.
//!
//! It must never read P or O, nor of R anything but the instrument; and where no H record stands, it
//! must take nothing: what such a device sends begins with the specimen.

use labward_astm::control::{ENQ, EOT, ETB, ETX, STX};
use labward_astm::record::{Field, Message, Record, RecordType, split_messages};
use labward_hl7::Charset;

use crate::sighting::{Attribute, Confidence, Facts, Source};

/// As many records of a message are looked at.
const RECORDS_MAX: usize = 2_000;

/// How one model, or family of models, fills H-5.
struct Rule {
    /// The component that tells the model, from 1.
    marker: usize,
    /// What that component is or, with `*` at its end, begins with.
    text: &'static str,
    manufacturer: &'static str,
    /// What the components mean.
    fields: &'static [(usize, Attribute)],
    /// What the components of R-14 mean.
    instrument: &'static [(usize, Attribute)],
}

/// The models that are known from real messages; anything else is name^version^serial, with less confidence.
const RULES: &[Rule] = &[
    Rule {
        marker: 1,
        text: "ABX",
        manufacturer: "HORIBA ABX",
        fields: &[],
        instrument: &[],
    },
    Rule {
        marker: 1,
        text: "Afinion*",
        manufacturer: "Abbott",
        fields: NAME_VERSION_SERIAL,
        instrument: &[],
    },
    Rule {
        marker: 1,
        text: "DCA VANTAGE",
        manufacturer: "Siemens Healthineers",
        fields: NAME_VERSION_SERIAL,
        instrument: &[],
    },
    Rule {
        marker: 2,
        text: "GeneXpert",
        manufacturer: "Cepheid",
        fields: &[
            (1, Attribute::Facility),
            (2, Attribute::Model),
            (3, Attribute::Version),
        ],
        instrument: &[(1, Attribute::Hostname), (2, Attribute::SerialNumber)],
    },
    Rule {
        marker: 2,
        text: "Roche",
        manufacturer: "Roche",
        fields: &[
            (3, Attribute::Model),
            (4, Attribute::Version),
            (6, Attribute::SerialNumber),
        ],
        instrument: &[],
    },
    Rule {
        marker: 1,
        text: "XN-*",
        manufacturer: "Sysmex",
        fields: NAME_VERSION_SERIAL,
        instrument: &[],
    },
];

const NAME_VERSION_SERIAL: &[(usize, Attribute)] = &[
    (1, Attribute::Model),
    (2, Attribute::Version),
    (3, Attribute::SerialNumber),
];

/// What a stream says, if E1381 frames with an H record stand in it.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let text = text_of(bytes)?;
    let first = split_messages(&text).next()?;
    message(first)
}

/// What a message says of its sender; its last record counts only if CR ends it.
pub fn message(bytes: &[u8]) -> Option<Facts> {
    let whole = bytes.get(..bytes.iter().rposition(|byte| *byte == b'\r')?)?;
    let message = Message::parse(whole).ok()?;
    let mut facts = Facts::new(Source::Astm);
    let sender = message.header().sender();
    let rule = RULES.iter().find(|rule| rule.is_for(&sender));
    match rule {
        Some(rule) => {
            facts.likely(Attribute::Manufacturer, rule.manufacturer);
            take(&sender, rule.fields, Confidence::Stated, &mut facts);
        }
        None => unknown(&sender, &mut facts),
    }
    let records = message.records().iter().take(RECORDS_MAX);
    for record in records.clone() {
        if let (RecordType::LabResult, Some(rule)) = (record.record_type(), rule) {
            take(
                &record.field(14),
                rule.instrument,
                Confidence::Stated,
                &mut facts,
            );
        }
    }
    role(records, message.is_terminated(), &mut facts);
    Some(facts)
}

impl Rule {
    fn is_for(&self, sender: &Field<'_>) -> bool {
        let marker = component(sender, self.marker);
        let marker = marker.trim();
        match self.text.strip_suffix('*') {
            Some(prefix) => marker.starts_with(prefix),
            None => marker == self.text,
        }
    }
}

fn take(
    field: &Field<'_>,
    meanings: &[(usize, Attribute)],
    confidence: Confidence,
    facts: &mut Facts,
) {
    for &(number, attribute) in meanings {
        facts.add(attribute, &component(field, number), confidence);
    }
}

/// A sender without a rule: its name, and what looks like a version and a serial number.
fn unknown(sender: &Field<'_>, facts: &mut Facts) {
    facts.likely(Attribute::Product, &component(sender, 1));
    let has_digit = |text: &String| text.contains(|c: char| c.is_ascii_digit());
    let version = Some(component(sender, 2)).filter(has_digit);
    facts.hint(Attribute::Version, &version.unwrap_or_default());
    let serial = Some(component(sender, 3)).filter(has_digit);
    facts.hint(Attribute::SerialNumber, &serial.unwrap_or_default());
}

/// Who sends results or asks for orders is an analyzer; who sends orders alone is its host, which only a
/// whole message shows.
fn role<'a>(records: impl Iterator<Item = &'a Record<'a>>, is_whole: bool, facts: &mut Facts) {
    let mut is_analyzer = false;
    let mut is_host = false;
    for record in records {
        match record.record_type() {
            RecordType::LabResult | RecordType::Query => is_analyzer = true,
            RecordType::Order => is_host = true,
            _ => {}
        }
    }
    if is_analyzer {
        facts.likely(Attribute::Role, "analyzer");
    } else if is_host && is_whole {
        facts.hint(Attribute::Role, "laboratory information system");
    }
}

fn component(field: &Field<'_>, number: usize) -> String {
    let value = field.component(number).unescape();
    Charset::Ascii.decode(&value).into_owned()
}

/// The text of the frames from the first H record on; none if no frame begins with one.
fn text_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_frame = |at: usize| {
        matches!(bytes.get(at..), Some([STX, b'0'..=b'7', b'H', delimiter, ..])
            if !delimiter.is_ascii_alphanumeric() && !delimiter.is_ascii_control())
    };
    let mut at = (0..bytes.len()).find(|&at| is_frame(at))?;
    let mut text = Vec::new();
    while let Some([STX, _, body @ ..]) = bytes.get(at..) {
        let is_end = |byte: &u8| matches!(*byte, ENQ | EOT | ETB | ETX | STX);
        let Some(length) = body.iter().position(is_end) else {
            text.extend_from_slice(body);
            break;
        };
        text.extend_from_slice(body.get(..length).unwrap_or_default());
        let rest = body.get(length..).unwrap_or_default();
        if matches!(rest, [ENQ | EOT, ..]) {
            break;
        }
        if matches!(rest, [ETX, ..]) && text.last() != Some(&b'\r') {
            text.push(b'\r');
        }
        // Checksum and line end, as far as the device sends them.
        let next = rest
            .iter()
            .position(|byte| matches!(*byte, STX | EOT | ENQ));
        match next {
            Some(next) if rest.get(next) == Some(&STX) => at += 2 + length + next,
            _ => break,
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::check::said;
    use labward_astm::frame::{Frame, FrameEnd};

    /// The records as standard frames, cut every `step` bytes.
    fn framed(text: &[u8], step: usize) -> Vec<u8> {
        let mut bytes = vec![ENQ];
        let mut pieces = text.chunks(step).peekable();
        let mut number = 1;
        while let Some(text) = pieces.next() {
            let end = match pieces.peek() {
                Some(_) => FrameEnd::Intermediate,
                None => FrameEnd::Last,
            };
            Frame { number, text, end }.encode(&mut bytes);
            number = (number + 1) & 7;
        }
        bytes.push(EOT);
        bytes
    }

    #[test]
    fn a_header_that_goes_over_frames_is_put_together() {
        let text = b"H|\\^&|||Acme 900^2.1.7^SN-77|||||||P|1\rP|1\rR|1|^^^GLU|5\rL|1|N\r";
        for step in [7, 240] {
            let facts = stream(&framed(text, step)).unwrap();
            assert_eq!(
                said(&facts),
                [
                    (Attribute::Product, "Acme 900"),
                    (Attribute::Version, "2.1.7"),
                    (Attribute::SerialNumber, "SN-77"),
                    (Attribute::Role, "analyzer"),
                ]
            );
        }
    }

    #[test]
    fn without_a_rule_only_what_looks_like_it_is_a_version() {
        let facts = message(b"H|\\^&|||HOST^Laboratory^North\rO|1|7\rL|1|N\r").unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Product, "HOST"),
                (Attribute::Role, "laboratory information system"),
            ]
        );
    }

    #[test]
    fn other_delimiters_and_escapes_are_read() {
        let facts = message(b"H!@~#!!!Acme #S#~3.1\rL!1\r").unwrap();
        assert!(
            said(&facts).contains(&(Attribute::Version, "3.1")),
            "{facts:?}"
        );
    }

    #[test]
    fn a_header_that_the_end_cut_off_says_nothing() {
        let bytes = framed(b"H|\\^&|||DCA VANTAGE^04.04.00.00^S067337|||||||P\r", 240);
        assert!(stream(&bytes[..30]).is_none());
        assert!(stream(b"\x05").is_none());
    }

    #[test]
    fn without_a_header_nothing_is_taken() {
        assert!(stream(b"\x0224/10/29 13:08 ID# 1DC042FP   [B. Plasma] Na 131\x03").is_none());
        assert!(stream(b"\x021P|1||SECRET\r\x03").is_none());
    }

    #[test]
    fn no_value_of_a_patient_or_specimen_is_in_a_fact() {
        let text = b"H|\\^&|||GeneXpert host^GeneXpert^4.8\rP|1|PID77||LAB88|DOE^JANE||19800101|F\r\
            O|1|SPEC99||^^^MTB\rR|1|^^^MTB|NEGATIVE|||||F||TECH DOE|1|2|PC-7^806149^653624\rC|1|I|NOTE\rL|1\r";
        let facts = stream(&framed(text, 240)).unwrap();
        let shown = format!("{facts:?}");
        for hidden in [
            "PID77", "LAB88", "DOE", "1980", "SPEC99", "NEGATIVE", "TECH", "NOTE",
        ] {
            assert!(!shown.contains(hidden), "{hidden}");
        }
        assert!(said(&facts).contains(&(Attribute::SerialNumber, "806149")));
    }
}
