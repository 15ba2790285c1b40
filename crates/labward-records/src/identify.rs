//! Whose record a message is, read from its bytes: before any patient is looked up.
//!
//! It must never guess: what names nobody is nobody's, and two numbers are the same only under the
//! same authority and type.

use labward_astm::record::{self as astm, RecordType};
use labward_hl7::patient::{self as hl7, AccessionSource};
use labward_hl7::{Charset, Message};
use labward_seal::IndexKey;

use crate::Tag;
use crate::demographics::{Demographics, Identifier, PersonName, birth_date};
use crate::fhir;
use crate::kind::RecordKind;
use crate::retention::RetentionClass;

/// Accession numbers taken from one message at most.
pub(crate) const ACCESSIONS_MAX: usize = 64;
/// Identifiers taken from one patient of a message at most.
const IDENTIFIERS_MAX: usize = 64;
/// Merges taken from one message at most.
const MERGES_MAX: usize = 64;
/// Bytes of one identifier or name that count.
const VALUE_MAX: usize = 256;

/// Whose record it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A person known by the accession number only.
    Accession(String),
    /// A person with identifiers.
    Identified,
    /// Not a person's: quality control, hospital data.
    Nobody,
    /// A person's, but nothing says whose.
    Unknown,
}

/// What a message says about whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) who: Who,
    pub(crate) demographics: Demographics,
    pub(crate) accessions: Vec<String>,
    pub(crate) class: RetentionClass,
    pub(crate) merges: Vec<Merge>,
    /// How many different patients the message names, if more than one.
    pub(crate) patients: usize,
}

/// Two patients whom a message declares one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) surviving: Vec<Identifier>,
    pub(crate) prior: Vec<Identifier>,
}

/// The keyed digests of one identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdentifierTag {
    /// Of authority, type and value.
    pub(crate) tag: Tag,
    /// Of the value alone; `None` if it is not to be found by it.
    pub(crate) value_tag: Option<Tag>,
    /// Whether it counts only where nothing stronger is there.
    pub(crate) is_weak: bool,
}

/// Where the message came from, as far as it tells number spaces apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'a> {
    pub(crate) authority: Option<&'a str>,
    pub(crate) device: Option<&'a str>,
}

impl Identity {
    pub(crate) fn of(who: Who) -> Self {
        Self {
            who,
            demographics: Demographics::default(),
            accessions: Vec::new(),
            class: RetentionClass::default(),
            merges: Vec::new(),
            patients: 0,
        }
    }

    /// Reads whose record these bytes are.
    pub(crate) fn read(kind: RecordKind, bytes: &[u8], origin: Origin<'_>) -> Self {
        match kind {
            RecordKind::Hl7V2 => Message::parse(bytes)
                .map_or_else(|_| Self::of(Who::Unknown), |m| read_hl7(&m, origin)),
            RecordKind::Astm => astm::Message::parse(bytes)
                .map_or_else(|_| Self::of(Who::Unknown), |m| read_astm(&m, origin)),
            RecordKind::FhirResource => fhir::identify_bytes(bytes, origin.authority),
            RecordKind::Document => Self::of(Who::Unknown),
        }
    }
}

/// The tags of identifiers, in the order in which matches are taken.
pub(crate) fn tags_of(key: &IndexKey, identifiers: &[Identifier]) -> Vec<IdentifierTag> {
    let mut ranked: Vec<&Identifier> = identifiers.iter().collect();
    ranked.sort_by_key(|identifier| identifier.rank());
    let mut tags: Vec<IdentifierTag> = Vec::with_capacity(ranked.len());
    for identifier in ranked {
        let tag = tag_of(key, identifier);
        if !tags.iter().any(|known| known.tag == tag.tag) {
            tags.push(tag);
        }
    }
    tags
}

/// The tag under which a patient known only by an accession number is met again.
pub(crate) fn provisional_tag(key: &IndexKey, origin: &str, accession: &str) -> IdentifierTag {
    let parts = [origin.as_bytes(), accession.as_bytes()];
    IdentifierTag {
        tag: key.tag("accession-patient", &parts),
        value_tag: None,
        is_weak: false,
    }
}

/// The tag under which records with this accession number are found.
pub(crate) fn accession_tag(key: &IndexKey, accession: &str) -> Tag {
    key.tag("accession", &[accession.trim().as_bytes()])
}

/// The tag of an identifier's value under whatever authority.
pub(crate) fn value_tag(key: &IndexKey, value: &str) -> Tag {
    key.tag("identifier-value", &[value.trim().as_bytes()])
}

fn tag_of(key: &IndexKey, identifier: &Identifier) -> IdentifierTag {
    let authority = identifier.authority.trim().to_ascii_uppercase();
    // Who leaves the type out means the medical record number.
    let kind = match identifier.kind.as_str() {
        "" | "MRN" => "MR",
        kind => kind,
    };
    let value = identifier.value.trim();
    let parts = [authority.as_bytes(), kind.as_bytes(), value.as_bytes()];
    IdentifierTag {
        tag: key.tag("identifier", &parts),
        value_tag: Some(value_tag(key, value)),
        is_weak: identifier.is_weak(),
    }
}

/// Reads whose record a message is.
pub(crate) fn read_hl7(message: &Message<'_>, origin: Origin<'_>) -> Identity {
    let charset = message.header().charset();
    let mut accessions: Vec<_> = hl7::accessions(message).take(ACCESSIONS_MAX).collect();
    accessions.sort_by_key(|accession| accession_rank(accession.source));
    let mut numbers: Vec<String> = Vec::new();
    for accession in &accessions {
        let number = text(charset, &accession.value);
        if !number.is_empty() && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let mut identity = Identity::of(Who::Unknown);
    let mut others: Vec<Vec<Identifier>> = Vec::new();
    for patient in hl7::patients(message).take(IDENTIFIERS_MAX) {
        let identifiers = read_identifiers(patient.identifiers(), charset, origin);
        if identity.patients == 0 {
            identity.patients = 1;
            identity.demographics = Demographics {
                names: read_names(&patient, charset),
                birth_date: birth_date(&text(charset, patient.birth_date())),
                identifiers,
            };
        } else if identifiers != identity.demographics.identifiers && !others.contains(&identifiers)
        {
            others.push(identifiers);
        }
    }
    identity.who = match (
        identity.demographics.identifiers.is_empty(),
        numbers.first(),
    ) {
        _ if is_quality_control(message) => Who::Nobody,
        (false, _) => Who::Identified,
        (true, Some(number)) => Who::Accession(number.clone()),
        (true, None) if identity.patients == 0 && is_about_nobody(message) => Who::Nobody,
        (true, None) => Who::Unknown,
    };
    identity.patients += others.len();
    identity.accessions = numbers;
    identity.class = hl7_class(message);
    if message.message_type().is_merge() {
        identity.merges = read_merges(message, charset, origin);
    }
    identity
}

fn read_merges(message: &Message<'_>, charset: Charset, origin: Origin<'_>) -> Vec<Merge> {
    let merges = hl7::merges(message).take(MERGES_MAX).filter_map(|merge| {
        let surviving = merge.surviving?.identifiers();
        Some(Merge {
            surviving: read_identifiers(surviving, charset, origin),
            prior: read_identifiers(merge.prior_identifiers(), charset, origin),
        })
    });
    merges
        .filter(|merge| !merge.surviving.is_empty() && !merge.prior.is_empty())
        .collect()
}

fn read_identifiers<'a>(
    identifiers: impl Iterator<Item = hl7::Identifier<'a>>,
    charset: Charset,
    origin: Origin<'_>,
) -> Vec<Identifier> {
    let read = identifiers.take(IDENTIFIERS_MAX).map(|identifier| {
        let authority = &identifier.authority;
        let named = if authority.universal_id.is_empty() {
            &authority.namespace
        } else {
            &authority.universal_id
        };
        let named = text(charset, named);
        Identifier {
            authority: if named.is_empty() {
                origin.authority.unwrap_or_default().to_owned()
            } else {
                named
            },
            value: text(charset, &identifier.value),
            kind: {
                let mut kind = text(charset, &identifier.type_code);
                kind.make_ascii_uppercase();
                kind
            },
        }
    });
    read.filter(Identifier::is_meaningful).collect()
}

fn read_names(patient: &hl7::Patient<'_>, charset: Charset) -> Vec<PersonName> {
    let names = patient.names().take(8).map(|name| {
        let mut given = text(charset, &name.given);
        let middle = text(charset, &name.middle);
        if !middle.is_empty() {
            if !given.is_empty() {
                given.push(' ');
            }
            given.push_str(&middle);
        }
        PersonName {
            family: text(charset, &name.family),
            given,
        }
    });
    names
        .filter(|name| !name.family.is_empty() || !name.given.is_empty())
        .collect()
}

/// The laboratory's numbers before the orderer's, orders before specimens.
fn accession_rank(source: AccessionSource) -> u8 {
    match source {
        AccessionSource::ObrFiller => 0,
        AccessionSource::OrcFiller => 1,
        AccessionSource::ObrPlacer => 2,
        AccessionSource::OrcPlacer => 3,
        AccessionSource::SpmFiller => 4,
        AccessionSource::SpmPlacer => 5,
    }
}

/// SPM-11 (table HL70369) says `Q`: the specimen is a control.
fn is_quality_control(message: &Message<'_>) -> bool {
    let role = |segment: labward_hl7::Segment<'_>| segment.field(11).component(1).raw() == b"Q";
    let mut specimens = message.segments().filter(|s| s.id() == b"SPM").peekable();
    specimens.peek().is_some() && specimens.all(role)
}

/// Master files, acknowledgements and the equipment messages of chapter 13.
fn is_about_nobody(message: &Message<'_>) -> bool {
    let code = message.message_type().code;
    code.starts_with(b"MF")
        || matches!(
            code,
            b"ACK"
                | b"EAC"
                | b"EAN"
                | b"EAR"
                | b"ESR"
                | b"ESU"
                | b"INR"
                | b"INU"
                | b"LSR"
                | b"LSU"
                | b"NMD"
                | b"NMQ"
                | b"NMR"
                | b"TCR"
                | b"TCU"
        )
}

/// OBR-24, table HL70074.
fn hl7_class(message: &Message<'_>) -> RetentionClass {
    let mut orders = message.segments().filter(|segment| segment.id() == b"OBR");
    if orders.any(|order| RetentionClass::is_pathology_section(order.field(24).raw())) {
        RetentionClass::Pathology
    } else {
        RetentionClass::Results
    }
}

fn read_astm(message: &astm::Message<'_>, origin: Origin<'_>) -> Identity {
    let mut identity = Identity::of(Who::Unknown);
    if let Some(patient) = message.patients().next() {
        let ids = [
            ("P-3", patient.practice_id()),
            ("P-4", patient.laboratory_id()),
            ("P-5", patient.third_id()),
        ];
        let identifiers = ids.into_iter().map(|(kind, field)| Identifier {
            authority: origin
                .device
                .or(origin.authority)
                .unwrap_or_default()
                .to_owned(),
            value: text(Charset::Unknown, &field.component(1).unescape()),
            kind: kind.to_owned(),
        });
        identity.demographics.identifiers = identifiers.filter(Identifier::is_meaningful).collect();
        let part = |n| text(Charset::Unknown, &patient.name().component(n).unescape());
        let given = [part(2), part(3)].join(" ").trim().to_owned();
        let name = PersonName {
            family: part(1),
            given,
        };
        if !name.family.is_empty() || !name.given.is_empty() {
            identity.demographics.names.push(name);
        }
        let born = text(Charset::Unknown, patient.birth_date().bytes());
        identity.demographics.birth_date = birth_date(&born);
    }
    for order in message.orders().take(ACCESSIONS_MAX) {
        let number = text(
            Charset::Unknown,
            &order.specimen_id().component(1).unescape(),
        );
        if !number.is_empty() && !identity.accessions.contains(&number) {
            identity.accessions.push(number);
        }
    }
    let has = |wanted| message.records_of(wanted).next().is_some();
    let about_somebody = has(RecordType::Patient)
        || has(RecordType::Order)
        || has(RecordType::LabResult)
        || has(RecordType::Query);
    let known = !identity.demographics.identifiers.is_empty();
    identity.who = match (known, identity.accessions.first()) {
        _ if is_astm_control(message) || !about_somebody => Who::Nobody,
        (true, _) => Who::Identified,
        (false, Some(number)) => Who::Accession(number.clone()),
        (false, None) => Who::Unknown,
    };
    identity
}

/// H-12 or the action code O-12 says `Q`: quality control.
fn is_astm_control(message: &astm::Message<'_>) -> bool {
    let mut orders = message.orders().peekable();
    let all_controls =
        orders.peek().is_some() && orders.all(|order| order.record().field(12).bytes() == b"Q");
    all_controls || message.header().processing_id().bytes() == b"Q"
}

fn text(charset: Charset, bytes: &[u8]) -> String {
    let bytes = bytes.get(..VALUE_MAX).unwrap_or(bytes);
    charset.decode(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINK: Origin<'_> = Origin {
        authority: Some("LINK"),
        device: Some("xn550"),
    };

    fn hl7(segments: &str) -> Identity {
        let message = format!("MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\r{segments}");
        Identity::read(RecordKind::Hl7V2, message.as_bytes(), LINK)
    }

    fn ids(identity: &Identity) -> Vec<(&str, &str, &str)> {
        let identifiers = identity.demographics.identifiers.iter();
        identifiers
            .map(|i| (i.authority.as_str(), i.value.as_str(), i.kind.as_str()))
            .collect()
    }

    #[test]
    fn pid_3_names_the_patient_and_the_link_its_authority() {
        let read = hl7("PID|1||12^^^A&1.2&ISO^MR~34^^^B~56||M\\S\\ller^Eva^Ida||19800223");
        assert_eq!(
            ids(&read),
            [("1.2", "12", "MR"), ("B", "34", ""), ("LINK", "56", "")]
        );
        assert_eq!(read.demographics.names[0].family, "M^ller");
        assert_eq!(read.demographics.names[0].given, "Eva Ida");
        assert_eq!(read.demographics.birth_date.as_deref(), Some("1980-02-23"));
        assert_eq!(read.who, Who::Identified);
    }

    #[test]
    fn without_identifiers_the_laboratorys_accession_stands_in() {
        let read = hl7("PID|1||||Doe^J\rORC|RE|P1|F1\rOBR|1|P2|F2");
        assert_eq!(read.who, Who::Accession("F2".to_owned()));
        assert_eq!(read.accessions, ["F2", "F1", "P2", "P1"]);
        assert_eq!(hl7("PID|1||||Doe^J").who, Who::Unknown);
    }

    #[test]
    fn controls_and_equipment_are_nobodys() {
        assert_eq!(hl7("OBR|1|P|F\rSPM|1|S||SER|||||||Q").who, Who::Nobody);
        assert_eq!(
            hl7("OBR|1|P|F\rSPM|1|S||SER|||||||P").who,
            Who::Accession("F".into())
        );
        let ack = b"MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5.1\rMSA|AA|1\r";
        assert_eq!(
            Identity::read(RecordKind::Hl7V2, ack, LINK).who,
            Who::Nobody
        );
        assert_eq!(
            Identity::read(RecordKind::Hl7V2, b"noise", LINK).who,
            Who::Unknown
        );
    }

    #[test]
    fn pathology_is_seen_in_obr_24() {
        let fields = "|".repeat(24);
        assert_eq!(
            hl7(&format!("OBR{fields}SP")).class,
            RetentionClass::Pathology
        );
        assert_eq!(
            hl7(&format!("OBR{fields}CH")).class,
            RetentionClass::Results
        );
    }

    #[test]
    fn a_merge_names_both_patients() {
        let message =
            "MSH|^~\\&|A|B|C|D|2026||ADT^A40|1|P|2.5.1\rPID|1||12^^^A^MR\rMRG|34^^^A^MR\r";
        let read = Identity::read(RecordKind::Hl7V2, message.as_bytes(), LINK);
        assert_eq!(read.merges.len(), 1);
        assert_eq!(read.merges[0].surviving[0].value, "12");
        assert_eq!(read.merges[0].prior[0].value, "34");
        assert!(
            hl7("PID|1||12^^^A\rMRG|34^^^A").merges.is_empty(),
            "only in a merge message"
        );
    }

    #[test]
    fn an_instruments_patient_ids_are_its_own() {
        let text =
            b"H|\\^&|||xn\rP|1|A1|B2||Doe^Jo||19700101\rO|1|S-9||^^^WBC\rR|1|^^^WBC|5\rL|1|N\r";
        let read = Identity::read(RecordKind::Astm, text, LINK);
        assert_eq!(ids(&read), [("xn550", "A1", "P-3"), ("xn550", "B2", "P-4")]);
        assert_eq!(read.accessions, ["S-9"]);
        assert_eq!(read.demographics.names[0].family, "Doe");
        let control = b"H|\\^&\rP|1\rO|1|QC-1||^^^WBC|||||||Q\rL|1|N\r";
        assert_eq!(
            Identity::read(RecordKind::Astm, control, LINK).who,
            Who::Nobody
        );
    }

    #[test]
    fn a_number_is_the_same_only_under_the_same_authority_and_type() {
        let key = IndexKey::from_bytes([3; 32]);
        let tag = |authority: &str, kind: &str, value: &str| {
            let (authority, value, kind) = (authority.into(), value.into(), kind.into());
            tag_of(
                &key,
                &Identifier {
                    authority,
                    value,
                    kind,
                },
            )
            .tag
        };
        assert_eq!(tag("a", "", " 1"), tag("A", "MR", "1"));
        assert_ne!(tag("A", "MR", "1"), tag("B", "MR", "1"));
        assert_ne!(tag("A", "MR", "1"), tag("A", "AN", "1"));
        assert_ne!(tag("A", "MR", "1"), tag("A", "MR", "2"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 1u16..5) {
            let _ = Identity::read(RecordKind::from_code(kind).unwrap(), &bytes, LINK);
            let mut message = b"MSH|^~\\&|".to_vec();
            message.extend_from_slice(&bytes);
            let _ = Identity::read(RecordKind::Hl7V2, &message, LINK);
            let mut records = b"H|\\^&\rP|".to_vec();
            records.extend_from_slice(&bytes);
            let _ = Identity::read(RecordKind::Astm, &records, LINK);
        }
    }
}
