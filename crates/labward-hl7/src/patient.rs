//! Whom a message is about: identifiers, names, merges, accessions.
//!
//! It must never choose between identifiers or mend them; it tells what stands where. Values are
//! unescaped bytes in the message's charset, never re-encoded.

use std::borrow::Cow;

use crate::{Component, Field, Message, Repetition, Segment};

/// One patient of a message: a view of PID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patient<'a> {
    pid: Segment<'a>,
}

impl<'a> Patient<'a> {
    /// PID-3; if that is empty PID-2, then PID-4, as old senders have it.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier<'a>> + use<'a> {
        let places = [
            (IdentifierSource::Pid3, 3),
            (IdentifierSource::Pid2, 2),
            (IdentifierSource::Pid4, 4),
        ];
        first_filled(self.pid, places)
    }

    /// PID-5, every repetition with a family or a given name.
    pub fn names(&self) -> impl Iterator<Item = Name<'a>> + use<'a> {
        let has_value = |name: &Name<'a>| !name.family.is_empty() || !name.given.is_empty();
        let names = self.pid.field(5).repetitions().filter(|xpn| !xpn.is_null());
        names.map(|xpn| Name::new(&xpn)).filter(has_value)
    }

    /// PID-7, first component, as it was sent: `YYYY[MM[DD[HHMM…]]]`.
    pub fn birth_date(&self) -> &'a [u8] {
        self.pid.field(7).component(1).raw()
    }

    /// PID-8 (table HL70001), as it was sent.
    pub fn sex(&self) -> &'a [u8] {
        self.pid.field(8).component(1).raw()
    }

    /// PID itself.
    pub fn segment(&self) -> Segment<'a> {
        self.pid
    }
}

/// Where an identifier stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentifierSource {
    /// MRG-1, prior patient identifier list.
    Mrg1,
    /// MRG-4, prior patient id (before v2.4).
    Mrg4,
    /// PID-2, patient id (before v2.4).
    Pid2,
    /// PID-3, patient identifier list.
    Pid3,
    /// PID-4, alternate patient id (before v2.4).
    Pid4,
}

/// One identifier with the authority that gave it (CX).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// CX-1.
    pub value: Cow<'a, [u8]>,
    /// CX-4; an identifier without it is unique only within its sender.
    pub authority: Authority<'a>,
    /// CX-5 (table HL70203): `MR`, `PI`, `SS` and so on.
    pub type_code: Cow<'a, [u8]>,
    /// Where it stood.
    pub source: IdentifierSource,
}

/// Who gave an identifier (HD).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Authority<'a> {
    /// HD-1, a local name.
    pub namespace: Cow<'a, [u8]>,
    /// HD-2, for example an OID.
    pub universal_id: Cow<'a, [u8]>,
    /// HD-3 (table HL70301): `ISO`, `CLIA` and so on.
    pub universal_id_type: Cow<'a, [u8]>,
}

impl Authority<'_> {
    /// True if nothing names the authority.
    pub fn is_empty(&self) -> bool {
        self.namespace.is_empty() && self.universal_id.is_empty()
    }
}

/// One name of a person (XPN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// XPN-1.1.
    pub family: Cow<'a, [u8]>,
    /// XPN-2.
    pub given: Cow<'a, [u8]>,
    /// XPN-3, second and further given names.
    pub middle: Cow<'a, [u8]>,
    /// XPN-4.
    pub suffix: Cow<'a, [u8]>,
    /// XPN-5.
    pub prefix: Cow<'a, [u8]>,
    /// XPN-7 (table HL70200): `L` legal, `M` maiden and so on.
    pub type_code: Cow<'a, [u8]>,
}

impl<'a> Name<'a> {
    fn new(xpn: &Repetition<'a>) -> Self {
        Self {
            family: xpn.component(1).subcomponent(1).unescaped(),
            given: xpn.component(2).unescaped(),
            middle: xpn.component(3).unescaped(),
            suffix: xpn.component(4).unescaped(),
            prefix: xpn.component(5).unescaped(),
            type_code: xpn.component(7).unescaped(),
        }
    }
}

/// One merge: a PID and an MRG that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge<'a> {
    /// The patient who remains; `None` if MRG came before any PID.
    pub surviving: Option<Patient<'a>>,
    mrg: Segment<'a>,
}

impl<'a> Merge<'a> {
    /// MRG-1; if that is empty MRG-4, as before v2.4.
    pub fn prior_identifiers(&self) -> impl Iterator<Item = Identifier<'a>> + use<'a> {
        first_filled(
            self.mrg,
            [(IdentifierSource::Mrg1, 1), (IdentifierSource::Mrg4, 4)],
        )
    }
}

/// One number of an order or a specimen (EI).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accession<'a> {
    /// Where it stood.
    pub source: AccessionSource,
    /// EI-1.
    pub value: Cow<'a, [u8]>,
    /// EI-2, the namespace it is unique in.
    pub namespace: Cow<'a, [u8]>,
}

/// Where an accession stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessionSource {
    /// OBR-3, the laboratory's order number.
    ObrFiller,
    /// OBR-2, the orderer's order number.
    ObrPlacer,
    /// ORC-3, the laboratory's order number.
    OrcFiller,
    /// ORC-2, the orderer's order number.
    OrcPlacer,
    /// SPM-2.2, the laboratory's specimen number.
    SpmFiller,
    /// SPM-2.1, the orderer's specimen number.
    SpmPlacer,
}

/// Every patient of the message in order; 23 of 219 real messages have none.
pub fn patients<'a>(message: &Message<'a>) -> impl Iterator<Item = Patient<'a>> + use<'a> {
    message
        .segments()
        .filter(|segment| segment.id() == b"PID")
        .map(|pid| Patient { pid })
}

/// The first patient of the message.
pub fn patient<'a>(message: &Message<'a>) -> Option<Patient<'a>> {
    patients(message).next()
}

/// The identifiers of the first patient.
pub fn identifiers<'a>(message: &Message<'a>) -> impl Iterator<Item = Identifier<'a>> + use<'a> {
    patient(message)
        .into_iter()
        .flat_map(|patient| patient.identifiers())
}

/// Every MRG of the message with the PID before it (ADT A18, A40 and the like).
pub fn merges<'a>(message: &Message<'a>) -> impl Iterator<Item = Merge<'a>> + use<'a> {
    let mut surviving = None;
    message
        .segments()
        .filter_map(move |segment| match segment.id() {
            b"PID" => {
                surviving = Some(Patient { pid: segment });
                None
            }
            b"MRG" => Some(Merge {
                surviving,
                mrg: segment,
            }),
            _ => None,
        })
}

/// Every order and specimen number of the message in order; the same number may come often.
pub fn accessions<'a>(message: &Message<'a>) -> impl Iterator<Item = Accession<'a>> + use<'a> {
    use AccessionSource as Source;
    message.segments().flat_map(|segment| {
        let first = |n| segment.field(n).component(1);
        let pair = match segment.id() {
            b"ORC" => [
                order(Source::OrcFiller, segment, 3),
                order(Source::OrcPlacer, segment, 2),
            ],
            b"OBR" => [
                order(Source::ObrFiller, segment, 3),
                order(Source::ObrPlacer, segment, 2),
            ],
            b"SPM" => [
                specimen(Source::SpmFiller, segment.field(2).component(2)),
                specimen(Source::SpmPlacer, first(2)),
            ],
            _ => [None, None],
        };
        pair.into_iter().flatten()
    })
}

fn order(source: AccessionSource, segment: Segment<'_>, n: usize) -> Option<Accession<'_>> {
    let field = segment.field(n);
    accession(source, field.component(1), field.component(2))
}

/// In SPM-2 each component is an EI, whose parts are subcomponents.
fn specimen(source: AccessionSource, ei: Component<'_>) -> Option<Accession<'_>> {
    accession(source, ei.subcomponent(1), ei.subcomponent(2))
}

fn accession<'a>(
    source: AccessionSource,
    value: Component<'a>,
    namespace: Component<'a>,
) -> Option<Accession<'a>> {
    if value.is_empty() || value.is_null() {
        return None;
    }
    Some(Accession {
        source,
        value: value.unescaped(),
        namespace: namespace.unescaped(),
    })
}

fn first_filled<'a, const N: usize>(
    segment: Segment<'a>,
    places: [(IdentifierSource, usize); N],
) -> impl Iterator<Item = Identifier<'a>> + use<'a, N> {
    let has_value =
        move |&(_, n): &(IdentifierSource, usize)| filled(segment.field(n)).next().is_some();
    places
        .into_iter()
        .find(has_value)
        .into_iter()
        .flat_map(move |(source, n)| {
            filled(segment.field(n)).map(move |cx| {
                let authority = cx.component(4);
                Identifier {
                    value: cx.component(1).unescaped(),
                    authority: Authority {
                        namespace: authority.subcomponent(1).unescaped(),
                        universal_id: authority.subcomponent(2).unescaped(),
                        universal_id_type: authority.subcomponent(3).unescaped(),
                    },
                    type_code: cx.component(5).unescaped(),
                    source,
                }
            })
        })
}

/// The repetitions whose first component has a value.
fn filled(field: Field<'_>) -> impl Iterator<Item = Repetition<'_>> {
    let has_value = |one: &Repetition<'_>| {
        let value = one.component(1);
        !value.is_empty() && !value.is_null()
    };
    field.repetitions().filter(has_value)
}

#[cfg(test)]
mod tests;
