//! Claims checked over captures of real devices; skipped unless `LABWARD_TEST_DATA` names the folder.

use std::path::Path;

use crate::dissect::check::said;
use crate::sighting::{Attribute, Confidence, Source};
use crate::{CaptureReader, Observed, Observer, dissect};

/// The bytes of a file of the test data, if it is there.
fn data(file: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: {file}: LABWARD_TEST_DATA is not set");
        return None;
    };
    Some(std::fs::read(Path::new(&folder).join(file)).unwrap())
}

fn observed(file: &[u8]) -> Observed {
    let mut observer = Observer::default();
    let mut reader = CaptureReader::new();
    reader.read(file, true, |frame| {
        observer.observe(frame.at, frame.link, frame.bytes)
    });
    assert_eq!(reader.flaw(), None);
    observer.finish()
}

/// Attribute and value of what a protocol said of an address.
fn seen<'a>(observed: &'a Observed, ip: &str, source: Source) -> Vec<(Attribute, &'a str)> {
    let ip = Some(ip.parse().unwrap());
    let list = observed
        .sightings
        .iter()
        .filter(|one| one.device.ip == ip && one.source == source);
    list.map(|one| (one.attribute, one.value.as_str()))
        .collect()
}

#[test]
fn the_pump_behind_an_admission_is_named() {
    let Some(file) = data("pcap/HL7-ADT-UDI-OBX.pcap") else {
        return;
    };
    let observed = observed(&file);
    let said = seen(&observed, "10.0.0.155", Source::Hl7);
    assert!(
        said.contains(&(Attribute::Model, "Hospira Plum A+")),
        "{said:?}"
    );
    assert!(said.contains(&(Attribute::Application, "SENDING_APPLICATION")));
    let [one] = &observed.conversations[..] else {
        panic!("{observed:?}")
    };
    assert_eq!((one.packets, one.parties.port), (9, 6661));
    assert_eq!(one.parties.client.to_string(), "10.0.0.155");
    assert_eq!(one.protocol.unwrap().0, "HL7 v2");
    let shown = format!("{observed:?}");
    for hidden in [
        "135769",
        "MOUSE",
        "MICKEY",
        "19281118",
        "Main St",
        "939-5555",
        "999999999",
    ] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
}

#[test]
fn a_report_of_results_shows_nothing_of_its_patient() {
    let Some(file) = data("pcap/HL7-ORU.pcap") else {
        return;
    };
    let observed = observed(&file);
    let said = seen(&observed, "10.0.0.155", Source::Hl7);
    assert!(
        said.contains(&(Attribute::Application, "SendingApp")),
        "{said:?}"
    );
    assert!(
        said.contains(&(Attribute::Facility, "SendingFac")),
        "{said:?}"
    );
    let shown = format!("{observed:?}");
    for hidden in [
        "12345",
        "MOUSE",
        "MINNIE",
        "19240101",
        "FORT WAYNE",
        "DUCK",
        "GOOF",
        "neutros",
    ] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
}

#[test]
fn an_association_names_the_software() {
    let Some(file) = data("pcap/dicom_arq_1_find_testclient.pcap") else {
        return;
    };
    let observed = observed(&file);
    let said = seen(&observed, "127.0.0.1", Source::Dicom);
    assert_eq!(
        said,
        [
            (Attribute::AeTitle, "testclient"),
            (Attribute::AeTitle, "testserver"),
            (Attribute::Implementation, "1.2.826.0.1.3680043.9.7133.1.1"),
            (Attribute::Version, "GODICOM_1_1"),
        ]
    );
}

#[test]
fn each_instrument_is_read_by_the_rule_of_its_model() {
    use Attribute::{Facility, Hostname, Manufacturer, Model, Role, SerialNumber, Version};
    let expected: &[(&str, &[(Attribute, &str)])] = &[
        (
            "abbott_afinion2",
            &[
                (Manufacturer, "Abbott"),
                (Model, "Afinion 2 Analyzer"),
                (SerialNumber, "AF20052397"),
                (Role, "analyzer"),
            ],
        ),
        (
            "cobas_c111",
            &[
                (Manufacturer, "Roche"),
                (Model, "c111"),
                (Version, "4.2.2.1730"),
                (SerialNumber, "13147"),
                (Role, "analyzer"),
            ],
        ),
        (
            "dca_vantage",
            &[
                (Manufacturer, "Siemens Healthineers"),
                (Model, "DCA VANTAGE"),
                (Version, "04.04.00.00"),
                (SerialNumber, "S067337"),
                (Role, "analyzer"),
            ],
        ),
        (
            "genexpert",
            &[
                (Manufacturer, "Cepheid"),
                (Facility, ".806149 Happy Hospital"),
                (Model, "GeneXpert"),
                (Version, "4.8"),
                (Hostname, "Cepheid-44413S0"),
                (SerialNumber, "806149"),
                (Role, "analyzer"),
            ],
        ),
        (
            "pentra_xlr",
            &[(Manufacturer, "HORIBA ABX"), (Role, "analyzer")],
        ),
        (
            "sysmex_xn550",
            &[
                (Manufacturer, "Sysmex"),
                (Model, "XN-550"),
                (Version, "00-24"),
                (SerialNumber, "22723"),
                (Role, "analyzer"),
            ],
        ),
    ];
    for (name, expected) in expected {
        let Some(bytes) = data(&format!("astm/{name}.txt")) else {
            return;
        };
        let facts = dissect::stream(&bytes).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(said(&facts), *expected, "{name}");
        for hidden in [
            "Mohale", "Rita", "Jim", "Brown", "BU24R554", "John Doe", "PR25A137",
        ] {
            assert!(!format!("{facts:?}").contains(hidden), "{name}: {hidden}");
        }
    }
    // It has no header, and begins with the specimen.
    let bytes = data("astm/spotchem_el.txt").unwrap();
    assert!(dissect::stream(&bytes).is_none());
}

#[test]
fn every_real_message_names_its_sender_and_nothing_of_a_patient() {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        return;
    };
    let mut read = 0;
    for entry in std::fs::read_dir(Path::new(&folder).join("hl7")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let batch = labward_hl7::Batch::parse(&bytes).unwrap();
        for bytes in batch.messages() {
            let Some(facts) = dissect::hl7::message(bytes) else {
                continue;
            };
            read += 1;
            let message = labward_hl7::Message::parse(bytes).unwrap();
            let Some(pid) = message.segment(b"PID") else {
                continue;
            };
            for fact in facts.facts() {
                for n in [3, 5, 7, 11, 13, 18, 19] {
                    for part in pid
                        .field(n)
                        .repetitions()
                        .flat_map(|one| one.components().collect::<Vec<_>>())
                    {
                        let hidden = String::from_utf8_lossy(part.raw()).into_owned();
                        let is_telling = hidden.len() > 6 && n != 3;
                        assert!(!is_telling || !fact.value.contains(&hidden), "{fact:?}");
                    }
                }
                assert!(fact.confidence >= Confidence::Hint);
            }
        }
    }
    assert!(read > 200, "{read}");
}
