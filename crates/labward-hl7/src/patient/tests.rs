//! What is claimed of patients, merges and accessions.

use super::*;

fn message(segments: &str) -> Message<'static> {
    let bytes = format!("MSH|^~\\&|LAB|||||||1|P|2.5.1\r{segments}").into_bytes();
    Message::parse(bytes.leak()).unwrap()
}

/// Identifiers as `value@namespace/universal:type source`.
fn shown<'a>(identifiers: impl Iterator<Item = Identifier<'a>>) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    identifiers
        .map(|one| {
            let (value, type_code) = (text(&one.value), text(&one.type_code));
            let (namespace, id) = (
                text(&one.authority.namespace),
                text(&one.authority.universal_id),
            );
            format!("{value}@{namespace}/{id}:{type_code} {:?}", one.source)
        })
        .collect()
}

fn check(pid: &str, expect: &[&str]) {
    assert_eq!(shown(identifiers(&message(pid))), expect, "{pid}");
}

#[test]
fn every_identifier_keeps_its_authority_and_type() {
    check(
        "PID|1||77^^^H&1.2.3&ISO^MR~9-9^^^SSA^SS\r",
        &["77@H/1.2.3:MR Pid3", "9-9@SSA/:SS Pid3"],
    );
    check("PID|1||A\\T\\B^^^St\\S\\x\r", &["A&B@St^x/: Pid3"]);
}

#[test]
fn older_places_are_asked_only_when_pid_3_is_empty() {
    check("PID|1|2^^^O|3^^^H|4\r", &["3@H/: Pid3"]);
    check("PID|1|2^^^O||4\r", &["2@O/: Pid2"]);
    check("PID|1||^^^H~\"\"|4~5\r", &["4@/: Pid4", "5@/: Pid4"]);
    check("PID|1||\r", &[]);
    check("OBR|1\r", &[]);
    assert!(patient(&message("OBR|1\r")).is_none());
}

#[test]
fn empty_repetitions_are_no_identifiers() {
    check("PID|1||~77~^^^H^MR~\"\"\r", &["77@/: Pid3"]);
}

#[test]
fn an_authority_without_a_name_is_empty() {
    let message = message("PID|1||7^^^&&ISO~8^^^&1.2\r");
    let empty: Vec<_> = identifiers(&message)
        .map(|one| one.authority.is_empty())
        .collect();
    assert_eq!(empty, [true, false]);
}

#[test]
fn names_birth_date_and_sex_are_read() {
    let message =
        message("PID|1||7||O'Neil&van^Zo\\S\\e^M^Jr^Dr^^L~^^^^^^M~^Kim|Moe|19700131^x|F^z\r");
    let patient = patient(&message).unwrap();
    let names: Vec<_> = patient.names().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0].family.as_ref(), b"O'Neil");
    assert_eq!(names[0].given.as_ref(), b"Zo^e");
    assert_eq!(names[0].middle.as_ref(), b"M");
    assert_eq!(names[0].suffix.as_ref(), b"Jr");
    assert_eq!(names[0].prefix.as_ref(), b"Dr");
    assert_eq!(names[0].type_code.as_ref(), b"L");
    assert_eq!(names[1].given.as_ref(), b"Kim");
    assert_eq!(patient.birth_date(), b"19700131");
    assert_eq!(patient.sex(), b"F");
    assert_eq!(patient.segment().id(), b"PID");
}

#[test]
fn several_patients_of_one_message_stay_apart() {
    let message = message("PID|1||7\rOBR|1\rPID|2||8\r");
    let all: Vec<_> = patients(&message)
        .map(|one| shown(one.identifiers()))
        .collect();
    assert_eq!(all, [["7@/: Pid3"], ["8@/: Pid3"]]);
}

#[test]
fn a_merge_pairs_each_prior_identifier_with_the_patient_before_it() {
    let message = message(
        "EVN|A40\rPID|1||7^^^H\rPD1|\rMRG|1^^^H~2^^^H\rPID|2||8^^^H\rMRG|3^^^H\rMRG||||4^^^O\r",
    );
    let all: Vec<_> = merges(&message)
        .map(|merge| {
            (
                shown(merge.surviving.unwrap().identifiers()),
                shown(merge.prior_identifiers()),
            )
        })
        .collect();
    let expect: [(&[&str], &[&str]); 3] = [
        (&["7@H/: Pid3"], &["1@H/: Mrg1", "2@H/: Mrg1"]),
        (&["8@H/: Pid3"], &["3@H/: Mrg1"]),
        (&["8@H/: Pid3"], &["4@O/: Mrg4"]),
    ];
    assert_eq!(all.len(), expect.len());
    for (found, expect) in all.iter().zip(expect) {
        assert_eq!((&found.0[..], &found.1[..]).0, expect.0);
        assert_eq!(found.1, expect.1);
    }
}

#[test]
fn a_merge_without_a_patient_says_so() {
    let merge = message("MRG|1^^^H\rPID|1||7\r");
    assert_eq!(merges(&merge).next().unwrap().surviving, None);
}

#[test]
fn accessions_come_from_orders_and_specimens() {
    let message = message(
        "ORC|RE|P1^X|F1^LAB\rOBR|1||F2\\T\\a^LAB&1.2&ISO\rOBX|1|x\rSPM|1|S1&N^S2&LAB\rOBR|2|\"\"|\r",
    );
    let found: Vec<_> = accessions(&message)
        .map(|one| {
            let value = String::from_utf8_lossy(&one.value).into_owned();
            let namespace = String::from_utf8_lossy(&one.namespace).into_owned();
            (one.source, value, namespace)
        })
        .collect();
    use AccessionSource::*;
    let expect = [
        (OrcFiller, "F1", "LAB"),
        (OrcPlacer, "P1", "X"),
        (ObrFiller, "F2&a", "LAB&1.2&ISO"),
        (SpmFiller, "S2", "LAB"),
        (SpmPlacer, "S1", "N"),
    ];
    let expect = expect.map(|(source, value, name)| (source, value.to_owned(), name.to_owned()));
    assert_eq!(found, expect);
}
