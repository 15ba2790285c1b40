//! What is written as OpenVEX is read again by the reader of other people's documents.

use labward_advisory::openvex::OpenVex;
use labward_base::Timestamp;
use proptest::prelude::*;

use super::*;

fn statement(id: u64, device: u64, status: VexStatus, words: &str) -> Statement {
    Statement {
        id,
        said: Timestamp::from_seconds(1_700_000_000),
        device,
        version: (device == 2).then(|| "1.0".to_owned()),
        vulnerability: VulnerabilityId::public("CVE-2023-1968"),
        status,
        justification: None,
        words: words.to_owned(),
    }
}

fn written(statements: Vec<Statement>) -> OpenVex {
    let heading = VexHeading {
        id: "urn:example:vex:1",
        author: "A laboratory",
        issued: Timestamp::from_seconds(1_700_000_001),
        version: 3,
    };
    let device = |key, iri| VexDevice {
        key,
        iri,
        version: "1.1",
    };
    let devices = [device(1, "urn:example:1"), device(2, "urn:example:2")];
    let text = to_openvex(&heading, &Answers::new([], statements), &devices);
    let read = OpenVex::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert!(read.flaws.is_empty(), "{text}");
    read
}

#[test]
fn statements_that_count_are_written_and_those_of_other_versions_are_not() {
    let read = written(vec![
        statement(1, 1, VexStatus::Affected, ""),
        statement(2, 1, VexStatus::NotAffected, "The port is closed"),
        statement(3, 2, VexStatus::Affected, ""),
    ]);
    assert_eq!(read.version.as_deref(), Some("3"));
    assert_eq!(read.issued, Some(Timestamp::from_seconds(1_700_000_001)));
    let [one] = &read.statements[..] else {
        panic!("{:?}", read.statements)
    };
    assert_eq!(one.status, Some(VexStatus::NotAffected));
    assert_eq!(one.impact.as_deref(), Some("The port is closed"));
    assert_eq!(one.products[0].id.as_deref(), Some("urn:example:1"));
    assert_eq!(one.issued, Some(Timestamp::from_seconds(1_700_000_000)));
}

proptest! {
    #[test]
    fn the_format_gets_what_it_asks_for(
        status in 0..4_usize,
        why in proptest::option::of(0..5_usize),
        words in ".{0,20}",
    ) {
        let status = VexStatus::ALL[status];
        let justification = why.map(|at| Justification::ALL[at]);
        let read = written(vec![Statement {
            justification,
            ..statement(1, 1, status, &words)
        }]);
        let one = &read.statements[0];
        prop_assert_eq!(one.status, Some(status));
        prop_assert_eq!(one.action.is_some(), status == VexStatus::Affected);
        let reasoned = one.justification.is_some() || one.impact.is_some();
        prop_assert_eq!(reasoned, status == VexStatus::NotAffected);
    }
}
