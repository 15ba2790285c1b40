//! What the simulated analyzers send: results of patients who are plainly not people.
//!
//! Every name is `Demo-<number>` and every identifier stands under the authority `DEMO`.

use labward_astm::record::{Delimiters, MessageWriter, RecordType};
use labward_base::Timestamp;

/// The number of patients that the results are spread over.
pub(crate) const PATIENTS: u32 = 40;

/// A panel of tests with LOINC code, name, unit and a usual value in tenths.
type Panel = &'static [(&'static str, &'static str, &'static str, u32)];

const CHEMISTRY: Panel = &[
    ("2951-2", "Sodium", "mmol/L", 1400),
    ("2823-3", "Potassium", "mmol/L", 41),
    ("2160-0", "Creatinine", "umol/L", 800),
    ("2345-7", "Glucose", "mmol/L", 52),
];
const HEMATOLOGY: Panel = &[
    ("6690-2", "Leukocytes", "10*9/L", 68),
    ("718-7", "Hemoglobin", "g/L", 1420),
    ("777-3", "Platelets", "10*9/L", 2500),
];

/// What a simulated analyzer measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discipline {
    Chemistry,
    Hematology,
}

impl Discipline {
    fn panel(self) -> Panel {
        match self {
            Self::Chemistry => CHEMISTRY,
            Self::Hematology => HEMATOLOGY,
        }
    }

    /// MSH-3 of this analyzer.
    pub(crate) fn application(self) -> &'static str {
        match self {
            Self::Chemistry => "CHEM1",
            Self::Hematology => "HEMA1",
        }
    }
}

/// The `number`th result of an analyzer as an ORU^R01, segments ended by CR.
pub(crate) fn hl7_result(discipline: Discipline, number: u32, now: Timestamp) -> Vec<u8> {
    let patient = number % PATIENTS + 1;
    let application = discipline.application();
    let time = now.to_hl7();
    let mut text = format!(
        "MSH|^~\\&|{application}|DEMOLAB|EHR|CLINIC|{time}||ORU^R01^ORU_R01|{application}-{number}|P|2.5.1\r\
         PID|1||D{patient:05}^^^DEMO^MR||Patient^Demo-{patient}||19{:02}0{}1{}|{}\r\
         OBR|1|O{number}|{application}-A{number}|PANEL^Panel^L|||{time}|||||||||||||||||||F\r",
        patient % 90 + 10,
        patient % 9 + 1,
        patient % 9,
        if patient.is_multiple_of(2) { "F" } else { "M" },
    );
    for (index, (code, name, unit, usual)) in discipline.panel().iter().enumerate() {
        let value = usual + (number * 7 + patient) % (usual / 5 + 1);
        text.push_str(&format!(
            "OBX|{}|NM|{code}^{name}^LN||{}.{}|{unit}|||||F\r",
            index + 1,
            value / 10,
            value % 10
        ));
    }
    text.into_bytes()
}

/// The `number`th result of the ASTM analyzer, records ended by CR.
pub(crate) fn astm_result(number: u32, now: Timestamp) -> Vec<u8> {
    let patient = number % PATIENTS + 1;
    // LIS02 takes the time without the zone.
    let time: String = now.to_hl7().chars().take(14).collect();
    let (patient_id, name) = (format!("D{patient:05}"), format!("Demo-{patient}"));
    let specimen = format!("S{number:06}");
    let value = format!("{}.{}", 35 + number % 60 / 10, number % 10);
    // H-3 to H-14: number, password, sender, address, reserved, phone, features, receiver, comment,
    // processing, version, time.
    let number = number.to_string();
    let header = [
        &*number, "", "HBA1C", "", "", "", "", "", "", "P", "LIS2-A2", &time,
    ];
    let header: Vec<&[&str]> = header.iter().map(std::slice::from_ref).collect();
    MessageWriter::new(Delimiters::USUAL, &header)
        .record(
            RecordType::Patient,
            &[&["1"], &[&patient_id], &[""], &[""], &["Patient", &name]],
        )
        .record(
            RecordType::Order,
            &[&["1"], &[&specimen], &[""], &["", "", "", "HbA1c"], &["R"]],
        )
        .record(
            RecordType::LabResult,
            &[&["1"], &["", "", "", "HbA1c"], &[&value], &["mmol/mol"]],
        )
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_hl7::Message;
    use std::collections::HashSet;

    #[test]
    fn every_result_parses_and_no_two_share_a_control_id() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let mut ids = HashSet::new();
        for discipline in [Discipline::Chemistry, Discipline::Hematology] {
            for number in 1..=200 {
                let bytes = hl7_result(discipline, number, now);
                let message = Message::parse(&bytes).unwrap();
                assert!(
                    ids.insert(message.header().control_id().to_vec()),
                    "{number}"
                );
                assert!(message.segment(b"OBX").is_some());
            }
        }
    }

    #[test]
    fn every_astm_result_is_a_whole_message() {
        let bytes = astm_result(7, Timestamp::from_seconds(1_790_000_000));
        let message = labward_astm::record::Message::parse(&bytes).unwrap();
        assert!(message.is_terminated());
        assert_eq!(message.result_count(), 1);
        assert_eq!(message.header().sender_name().unescape().as_ref(), b"HBA1C");
    }
}
