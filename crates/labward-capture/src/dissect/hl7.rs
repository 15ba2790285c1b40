//! HL7 v2 over MLLP: MSH-3 to MSH-6, EQU-1, OBX-18, and PRT-10, PRT-16, PRT-19, PRT-20 of equipment.
//!
//! It must never read PID or any other field of a patient, order or person, and no PRT but those that
//! follow an order or observation and name equipment: the serial number of an implant identifies its
//! patient (45 CFR 164.514(b)(2)(i)(M)). For the same reason no equipment is read of what an implanted
//! cardiac device reports (IHE PCD IDCO), which names the implant in OBX-18.

use std::collections::BTreeSet;

use labward_hl7::{Charset, Field, Message, Segment, mllp};

use crate::bytes::{find, from};
use crate::sighting::{About, Attribute, Confidence, Facts, Source};
use crate::udi::Udi;

/// As many segments of a message are looked at.
const SEGMENTS_MAX: usize = 2_000;
/// What the codes of an implanted cardiac device begin with (ISO/IEEE 11073-10103).
const IMPLANT: &[u8] = b"MDC_IDC_";

/// What a stream says, if MLLP frames stand in it.
pub fn stream(bytes: &[u8]) -> Option<Facts> {
    let start = find(bytes, &[mllp::START, b'M', b'S', b'H'])?;
    let message = from(bytes, start + 1);
    let message = match message.iter().position(|byte| *byte == mllp::END) {
        Some(end) => message.get(..end)?,
        // What the end cut off is no segment.
        None => message.get(..message.iter().rposition(|byte| *byte == b'\r')?)?,
    };
    let mut facts = Facts::new(Source::Hl7);
    read(message, &mut facts)?;
    Some(facts)
}

/// What a message says of its sender, its receiver and the equipment behind the sender.
pub fn message(bytes: &[u8]) -> Option<Facts> {
    let mut facts = Facts::new(Source::Hl7);
    read(bytes, &mut facts)?;
    Some(facts)
}

fn read(bytes: &[u8], facts: &mut Facts) -> Option<()> {
    let message = Message::parse(bytes).ok()?;
    let header = message.header();
    let charset = header.charset();
    let name = |field: Field<'_>| field.component(1).text(charset).into_owned();
    facts.stated(Attribute::Application, &name(header.sending_application()));
    facts.stated(Attribute::Facility, &name(header.sending_facility()));
    match message.message_type().code {
        b"ADT" => facts.hint(Attribute::Role, "registration system"),
        b"ORU" | b"OUL" | b"OPU" => facts.hint(Attribute::Role, "sender of results"),
        b"OML" | b"ORM" | b"OMG" => facts.hint(Attribute::Role, "sender of orders"),
        _ => {}
    }
    equipment(&message, charset, facts);
    facts.about(About::Listener);
    facts.likely(
        Attribute::Application,
        &name(header.receiving_application()),
    );
    facts.likely(Attribute::Facility, &name(header.receiving_facility()));
    facts.about(About::Speaker);
    Some(())
}

fn equipment(message: &Message<'_>, charset: Charset, facts: &mut Facts) {
    let is_implant = |segment: Segment<'_>| find(segment.field(3).raw(), IMPLANT).is_some();
    if message.segments().take(SEGMENTS_MAX).any(is_implant) {
        return;
    }
    let mut instances = Vec::new();
    let mut is_observed = false;
    for segment in message.segments().take(SEGMENTS_MAX) {
        match segment.id() {
            b"OBX" => {
                is_observed = true;
                instances.push(segment.field(18));
            }
            b"OBR" => is_observed = true,
            // What follows the patient is about the patient.
            b"PID" | b"PV1" | b"NK1" | b"ARV" => is_observed = false,
            b"EQU" => instance(segment.field(1), charset, Confidence::Stated, facts),
            b"PRT" if is_observed => participation(&segment, charset, facts),
            _ => {}
        }
    }
    // Several instruments behind one sender: none of them is the sender itself.
    let distinct: BTreeSet<&[u8]> = instances
        .iter()
        .map(Field::raw)
        .filter(|raw| !raw.is_empty())
        .collect();
    let confidence = match distinct.len() {
        0 | 1 => Confidence::Likely,
        _ => Confidence::Hint,
    };
    for field in instances {
        instance(field, charset, confidence, facts);
    }
}

/// An equipment instance identifier: a UDI, an EUI-64, or the model and maker, then the serial number
/// (OBX-18 in the profiles of IHE PaLM LAW and IHE DEV PCD).
fn instance(field: Field<'_>, charset: Charset, confidence: Confidence, facts: &mut Facts) {
    for (n, repetition) in field.repetitions().take(4).enumerate() {
        let part = |n: usize| repetition.component(n).text(charset).into_owned();
        let value = part(1);
        if unique(&value, confidence, facts) {
            continue;
        }
        if part(4) == "EUI-64" {
            facts.add(Attribute::Identifier, &part(3), confidence);
            facts.add(Attribute::Identifier, &value, confidence);
            continue;
        }
        match n {
            0 => {
                facts.add(Attribute::Model, &value, confidence);
                facts.add(Attribute::Manufacturer, &part(2), Confidence::Hint);
            }
            1 => facts.add(
                Attribute::SerialNumber,
                &value,
                confidence.min(Confidence::Likely),
            ),
            _ => {}
        }
    }
}

/// PRT of a device: PRT-4 is `EQUIP` where PRT-10 holds a UDI (HL7 v2.8.2, 7.4.4.10).
fn participation(segment: &Segment<'_>, charset: Charset, facts: &mut Facts) {
    let part = |n: usize| segment.field(n).component(1).text(charset).into_owned();
    if !part(4).eq_ignore_ascii_case("EQUIP") {
        return;
    }
    let device = part(10);
    if !unique(&device, Confidence::Likely, facts) {
        facts.likely(Attribute::Model, &device);
    }
    let identifier = part(16);
    if !unique(&identifier, Confidence::Likely, facts) {
        // A device identifier is one word; some send the model's name here.
        let attribute = match identifier.trim().contains(char::is_whitespace) {
            true => Attribute::Model,
            false => Attribute::UdiDevice,
        };
        facts.likely(attribute, &identifier);
    }
    facts.likely(Attribute::Lot, &part(19));
    facts.likely(Attribute::SerialNumber, &part(20));
}

/// Whether the value is a UDI, which is then taken apart.
fn unique(value: &str, confidence: Confidence, facts: &mut Facts) -> bool {
    let Ok(udi) = Udi::parse(value.trim()) else {
        return false;
    };
    facts.add(Attribute::Udi, value, confidence);
    facts.add(Attribute::UdiDevice, &udi.device, confidence);
    facts.add(
        Attribute::Lot,
        udi.lot.as_deref().unwrap_or_default(),
        confidence,
    );
    let serial = udi.serial.as_deref().unwrap_or_default();
    facts.add(Attribute::SerialNumber, serial, confidence);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::check::{of, said};

    const UDI: &str = "(01)00844588003288(17)141120(10)7654321D(21)10987654d321";

    fn framed(message: &str) -> Vec<u8> {
        mllp::encode(message.as_bytes())
    }

    #[test]
    fn a_header_names_both_sides() {
        let bytes = framed("MSH|^~\\&|LIS^1.2^ISO|LAB|EHR|CLINIC|1||ORU^R01|1|P|2.5\r");
        let facts = stream(&bytes).unwrap();
        assert_eq!(
            said(&facts),
            [
                (Attribute::Application, "LIS"),
                (Attribute::Facility, "LAB"),
                (Attribute::Role, "sender of results"),
            ]
        );
        assert_eq!(
            of(&facts, About::Listener),
            [
                (Attribute::Application, "EHR"),
                (Attribute::Facility, "CLINIC")
            ]
        );
    }

    #[test]
    fn a_capture_that_begins_within_a_message_is_read_from_the_next_one() {
        let mut bytes = b"|lab|12^XYZ LAB|\r\x1c\r".to_vec();
        bytes.extend(framed("MSH|^~\\&|LIS|||||||1|P|2.5\r"));
        assert_eq!(
            said(&stream(&bytes).unwrap()),
            [(Attribute::Application, "LIS")]
        );
    }

    #[test]
    fn the_equipment_of_an_observation_is_read_from_its_udi() {
        let message = format!(
            "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.8\rPID|1\rOBR|1\rOBX|1|NM\r\
             PRT|1|AD||EQUIP^Equipment||||||{UDI}^^2.16^ISO||||||00844588003288||||99\r"
        );
        let facts = stream(&framed(&message)).unwrap();
        let said = said(&facts);
        for expected in [
            (Attribute::Udi, UDI),
            (Attribute::UdiDevice, "00844588003288"),
            (Attribute::Lot, "7654321D"),
            (Attribute::SerialNumber, "10987654d321"),
            (Attribute::SerialNumber, "99"),
        ] {
            assert!(said.contains(&expected), "{expected:?} {said:?}");
        }
    }

    #[test]
    fn a_person_and_a_patients_implant_are_no_equipment() {
        let message = format!(
            "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.8\rPID|1\r\
             PRT|1|AD||EQUIP||||||{UDI}\rOBX|1\r\
             PRT|2|AD||AT^Attending|7^DOE^JANE|||||IMPLANT 7||||||12345||||777\r"
        );
        let facts = stream(&framed(&message)).unwrap();
        let shown = format!("{facts:?}");
        for hidden in ["00844588003288", "DOE", "IMPLANT", "12345", "777"] {
            assert!(!shown.contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn what_an_implanted_device_reports_names_no_equipment() {
        let message = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.6\rPID|1\rOBR|1\r\
            OBX|1|ST|720897^MDC_IDC_DEV_MODEL^MDC||E110||||||F|||||||ICD-7^Acme~SN12345^Acme\r";
        let shown = format!("{:?}", stream(&framed(message)).unwrap());
        assert!(shown.contains("sender of results"));
        assert!(!shown.contains("ICD-7") && !shown.contains("SN12345"));
    }

    #[test]
    fn an_instance_is_model_and_maker_then_serial_number() {
        let bytes = framed(
            "MSH|^~\\&|A|B|||1||OUL^R22|1|P|2.5\rOBX|1|||||||||||||||||X900^Acme~S77^Acme\r",
        );
        let facts = stream(&bytes).unwrap();
        assert!(said(&facts).contains(&(Attribute::Model, "X900")));
        assert!(said(&facts).contains(&(Attribute::SerialNumber, "S77")));
        assert!(facts.facts().iter().any(
            |fact| fact.attribute == Attribute::Model && fact.confidence == Confidence::Likely
        ));
    }

    #[test]
    fn of_several_instruments_behind_one_sender_none_is_surely_it() {
        let obx = "OBX|1|||||||||||||||||";
        let bytes = framed(&format!(
            "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.5\r{obx}X900\r{obx}Y1\r"
        ));
        let facts = stream(&bytes).unwrap();
        let models = facts
            .facts()
            .iter()
            .filter(|fact| fact.attribute == Attribute::Model);
        assert!(
            models
                .clone()
                .all(|fact| fact.confidence == Confidence::Hint)
        );
        assert_eq!(models.count(), 2);
    }

    #[test]
    fn no_value_of_a_patient_is_in_a_fact_or_shown() {
        let hidden = [
            "135769",
            "MOUSE",
            "MICKEY",
            "19281118",
            "MAIN ST",
            "5551234",
            "999999999",
            "GOOFY",
            "SPEC77",
            "6690-2",
            "7.0",
            "GLUCOSE",
            "NOTE OF A NURSE",
            "KIN",
            "INSURER",
        ];
        let message = "MSH|^~\\&|A|B|C|D|20110613||ORU^R01|1|P|2.5\r\
            PID|1|135769|135769^^^B^MR||MOUSE^MICKEY||19281118|M|||MAIN ST||5551234|||||999999999\r\
            NK1|1|MOUSE^KIN\rPV1|1|O|||||71^GOOFY\rIN1|1|INSURER\rORC|RE||SPEC77\r\
            OBR|1||SPEC77|cbc^GLUCOSE|||20120410|||GOOFY\rNTE|1||NOTE OF A NURSE\r\
            OBX|1|NM|6690-2^GLUCOSE||7.0|mg|||||F|||||GOOFY||X900\r\
            SPM|1|SPEC77\r";
        let facts = stream(&framed(message)).unwrap();
        let shown = format!("{facts:?}");
        for value in hidden {
            assert!(!shown.contains(value), "{value}");
        }
        assert!(shown.contains("X900"));
    }
}
