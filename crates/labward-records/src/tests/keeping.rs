//! Keeping, opening, and whose record it is.

use super::*;
use crate::hints;
use labward_base::id::RecordId;
use labward_ledger::Fact;
use labward_store::StoreError;
use proptest::prelude::*;
use std::collections::HashMap;

#[test]
fn a_record_opens_byte_for_byte_also_after_a_restart() {
    let lab = Lab::new();
    let message = result("12^^^A^MR", "Gusikowski");
    let open = lab.start();
    let kept = open.keep(&message);
    assert_eq!(kept.bytes, message, "handed back");
    assert_eq!(kept.ordering, [kept.patient.unwrap().get()]);
    let leaf = open.leaves().pop().unwrap();
    assert_eq!((leaf.index, leaf.time), (kept.entry, kept.time));
    assert_eq!(
        (leaf.record, leaf.patient),
        (Some(kept.record), kept.patient)
    );
    assert_eq!(leaf.facts.get_text("link"), Some("main"));
    open.store.close().unwrap();
    let open = lab.start();
    let opened = open.records.open(kept.record).unwrap();
    assert_eq!(*opened.bytes.expose(), message);
    assert_eq!(
        (opened.kind, opened.patient),
        (RecordKind::Hl7V2, kept.patient)
    );
    assert_eq!(open.keep(&message).patient, kept.patient, "met again");
    let missing = open.records.open(RecordId::new(999));
    assert!(matches!(missing, Err(RecordsError::NotFound)));
}

#[test]
fn a_known_patient_costs_one_row() {
    let open = Lab::new().start();
    open.keep(&result("12^^^A^MR", "Doe"));
    let tables = ["entry", "patient", "patient_identifier", "wrapped_key"];
    let before = tables.map(|table| open.count(table));
    open.keep(&result("12^^^A^MR", "Doe"));
    let after = tables.map(|table| open.count(table));
    let grown: Vec<i64> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    assert_eq!(grown, [1, 0, 0, 0]);
    let version = |open: &Open| {
        let sql = "SELECT demographics_version FROM patient";
        open.store
            .read(|s| s.query_one(sql, &[], |row| row.int(0)))
            .unwrap()
    };
    assert_eq!(
        version(&open),
        1,
        "unchanged demographics are not written again"
    );
    open.keep(&result("12^^^A^MR", "Smith"));
    assert_eq!(version(&open), 2);
    open.keep(&result("12^^^A^MR", "Doe"));
    assert_eq!(version(&open), 2, "what was absorbed once is known");
    assert_eq!(open.find(&by_name("Smith")), open.find(&by_name("Doe")));
}

#[test]
fn two_messages_of_a_new_patient_at_once_are_one_patient() {
    let lab = Lab::new();
    let open = lab.start();
    let (send, receive) = mpsc::channel();
    for n in 1..9 {
        let ids = format!("12^^^A^MR~{n}^^^B^PI");
        let send = send.clone();
        let message = intake(RecordKind::Hl7V2, &result(&ids, "Doe"));
        open.records
            .keep(message, Box::new(move |kept| send.send(kept).unwrap()));
    }
    let patients: Vec<_> = (0..8)
        .map(|_| receive.recv().unwrap().unwrap().patient)
        .collect();
    assert!(patients.iter().all(|patient| *patient == patients[0]));
    assert_eq!(
        (open.count("patient"), open.count("patient_identifier")),
        (1, 9)
    );
    open.store.close().unwrap();
    let open = lab.start();
    assert_eq!(open.keep(&result("5^^^B^PI", "Doe")).patient, patients[0]);
}

#[test]
fn a_rolled_back_message_leaves_no_patient_behind() {
    let open = Lab::new().start();
    let mut refused = intake(RecordKind::Hl7V2, &result("12^^^A^MR", "Doe"));
    refused.also = Some(Box::new(|_, _, _| Err(StoreError::Overloaded)));
    assert!(matches!(
        open.try_keep(refused),
        Err(RecordsError::Store(_))
    ));
    assert_eq!(
        (open.count("patient"), open.records.patient_count()),
        (0, 0)
    );
    assert!(open.find(&by_mrn("12")).is_empty());
    assert!(open.find(&by_name("Doe")).is_empty());
    let kept = open.keep(&result("12^^^A^MR", "Doe"));
    assert_eq!(open.find(&by_mrn("12")), [kept.patient.unwrap()]);
}

#[test]
fn the_second_message_carries_the_patient_when_the_first_is_rolled_back() {
    let lab = Lab::new();
    let open = lab.start();
    // Both are resolved before either has ended: the writer is kept busy until then.
    let (go, wait) = mpsc::sync_channel::<()>(0);
    open.store.submit(
        move |_| -> Result<(), StoreError> {
            let _ = wait.recv();
            Ok(())
        },
        |_| {},
    );
    let mut first = intake(RecordKind::Hl7V2, &result("12^^^A^MR", "Doe"));
    first.also = Some(Box::new(|_, _, _| Err(StoreError::Overloaded)));
    let (send, receive) = mpsc::channel();
    for message in [
        first,
        intake(RecordKind::Hl7V2, &result("12^^^A^MR", "Doe")),
    ] {
        let send = send.clone();
        open.records
            .keep(message, Box::new(move |kept| send.send(kept).unwrap()));
    }
    drop(go);
    assert!(receive.recv().unwrap().is_err());
    let kept = receive.recv().unwrap().unwrap();
    open.store.close().unwrap();
    let open = lab.start();
    assert_eq!(
        *open.records.open(kept.record).unwrap().bytes.expose(),
        result("12^^^A^MR", "Doe")
    );
    assert_eq!(open.find(&by_mrn("12")), [kept.patient.unwrap()]);
}

#[test]
fn identifiers_of_two_patients_are_a_conflict_and_never_a_merge() {
    let open = Lab::new().start();
    let one = open.keep(&result("12^^^A^MR", "Doe")).patient;
    let other = open.keep(&result("34^^^B^PI", "Roe")).patient;
    assert_ne!(one, other);
    let both = open.keep(&result("34^^^B^PI~12^^^A^MR~56^^^C^MR", "Xylander"));
    assert_eq!(
        both.patient, one,
        "the medical record number decides, whatever the order"
    );
    let leaf = open.leaves().pop().unwrap();
    assert!(leaf.facts.get("conflict").is_some());
    assert_eq!(open.keep(&result("34^^^B^PI", "Roe")).patient, other);
    let third = open.keep(&result("56^^^C^MR", "Moe")).patient;
    assert!(
        third != one && third != other,
        "nothing is learned from a conflict"
    );
    assert!(open.find(&by_name("Xylander")).is_empty(), "nor a name");
}

#[test]
fn a_shared_social_security_number_joins_nobody() {
    let open = Lab::new().start();
    let one = open
        .keep(&result("12^^^A^MR~123-45-6789^^^SSA^SS", "Doe"))
        .patient
        .unwrap();
    let other = open
        .keep(&result("34^^^A^MR~123-45-6789^^^SSA^SS", "Roe"))
        .patient
        .unwrap();
    assert_ne!(one, other);
    assert!(open.find(&by_mrn("123-45-6789")).contains(&one));
}

#[test]
fn without_identifiers_an_accession_makes_a_provisional_patient_per_link() {
    let open = Lab::new().start();
    let message = result("", "Doe");
    let first = open.keep(&message).patient;
    assert_eq!(open.keep(&message).patient, first);
    let mut elsewhere = intake(RecordKind::Hl7V2, &message);
    elsewhere.actor = Actor::Peer(PeerId::new(4));
    assert_ne!(open.try_keep(elsewhere).unwrap().patient, first);
    let bare = b"MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.5.1\rPID|1||||Doe^Eva\r";
    assert_ne!(
        open.keep(bare).patient,
        open.keep(bare).patient,
        "each message is its own"
    );
}

#[test]
fn what_is_nobodys_is_sealed_under_the_sites_key() {
    let open = Lab::new().start();
    let control = b"MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rOBR|1|P|F\rSPM|1|S||SER|||||||Q\r";
    let kept = open.keep(control);
    assert_eq!((kept.patient, kept.ordering.len()), (None, 0));
    assert_eq!(
        *open.records.open(kept.record).unwrap().bytes.expose(),
        control
    );
    assert_eq!(open.count("patient"), 0);
}

#[test]
fn the_gateways_hint_comes_back_beside_ours() {
    let open = Lab::new().start();
    let kept = open.keep(&result("12^^^A^MR", "Doe"));
    let stored = open.records.entry_of(kept.record).unwrap();
    let hint = stored.hints.unwrap();
    assert_eq!(hints::get(&hint, hints::GATEWAY), Some(&b"window"[..]));
    assert_eq!(
        hints::get(&hint, hints::ACCESSIONS).map(<[u8]>::len),
        Some(32)
    );
}

#[test]
fn a_large_document_is_a_sealed_file_and_a_changed_file_does_not_open() {
    let lab = Lab::new();
    let open = lab.start();
    let mut document = b"Eva Gusikowski ".repeat(100_000);
    document.push(1);
    let kept = open
        .try_keep(intake(RecordKind::Document, &document))
        .unwrap();
    assert_eq!(
        *open.records.open(kept.record).unwrap().bytes.expose(),
        document
    );
    open.store.close().unwrap();
    assert!(!lab.holds(b"Gusikowski"));
    let folder = lab.data.join(format!("blob/{:02x}", kept.record.get()));
    std::fs::write(folder.join("00000000000000ff"), b"left by a crash").unwrap();
    let open = lab.start();
    let file = folder.join(format!("{:016x}", kept.record.get()));
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        1,
        "the orphan is gone"
    );
    assert_eq!(
        *open.records.open(kept.record).unwrap().bytes.expose(),
        document
    );
    let mut sealed = std::fs::read(&file).unwrap();
    sealed[70_000] ^= 1;
    std::fs::write(&file, sealed).unwrap();
    assert!(matches!(
        open.records.open(kept.record),
        Err(RecordsError::Damaged)
    ));
}

#[test]
fn a_rolled_back_document_leaves_no_file() {
    let lab = Lab::new();
    let open = lab.start();
    let mut refused = intake(RecordKind::Document, &vec![7; 2 << 20]);
    refused.also = Some(Box::new(|_, _, _| Err(StoreError::Overloaded)));
    assert!(open.try_keep(refused).is_err());
    let folder = std::fs::read_dir(lab.data.join("blob"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_row_moved_to_another_record_does_not_open() {
    let open = Lab::new().start();
    let one = open.keep(&result("12^^^A^MR", "Doe"));
    let other = open.keep(&result("12^^^A^MR", "Doe"));
    let (from, to) = (one.record.as_sql(), other.record.as_sql());
    let sql = "UPDATE entry SET payload = (SELECT payload FROM entry WHERE record = $1) \
               WHERE record = $2";
    open.store
        .write(move |tx| tx.execute(sql, &[from.into(), to.into()]))
        .unwrap();
    assert!(matches!(
        open.records.open(other.record),
        Err(RecordsError::Damaged)
    ));
}

#[test]
fn a_merge_message_makes_two_patients_one_and_unmerge_ends_it() {
    let lab = Lab::new();
    let open = lab.start();
    let one = open.keep(&result("12^^^A^MR", "Doe"));
    let other = open.keep(&result("34^^^A^MR", "Roe"));
    let (into, from) = (one.patient.unwrap(), other.patient.unwrap());
    let message = b"MSH|^~\\&|A|B|C|D|2026||ADT^A40|9|P|2.5.1\rPID|1||12^^^A^MR\rMRG|34^^^A^MR\r";
    let merge = open.keep(message);
    assert_eq!(
        merge.ordering,
        [into.get(), from.get()],
        "a barrier for both"
    );
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (leaf.action, leaf.patient),
        (Action::PatientMerged, Some(into))
    );
    assert_eq!(
        leaf.facts.get("from"),
        Some(&Fact::Number(from.get().try_into().unwrap()))
    );
    assert_eq!(open.find(&by_name("Roe")), [into]);
    let found = open.records.find(&by_mrn("34"), ME, WHY).unwrap();
    assert_eq!(
        found.patients[0].record_count, 3,
        "of both, and the merge itself"
    );
    assert_eq!(
        open.keep(&result("34^^^A^MR", "Roe")).patient,
        Some(from),
        "never resealed"
    );
    let again = open.keep(&result("12^^^A^MR~34^^^A^MR", "Doe"));
    assert_eq!(again.patient, Some(into));
    assert!(
        open.leaves().pop().unwrap().facts.get("conflict").is_none(),
        "they are one"
    );
    open.store.close().unwrap();
    let open = lab.start();
    assert_eq!(open.records.group(from), [into, from]);
    open.records
        .unmerge(from, ME, "declared by mistake")
        .unwrap();
    assert_eq!(open.records.group(from), [from]);
    assert_eq!(open.find(&by_mrn("34")), [from]);
    assert!(matches!(
        open.records.unmerge(from, ME, WHY),
        Err(RecordsError::NoPatient)
    ));
}

#[test]
fn a_person_links_a_provisional_patient() {
    let open = Lab::new().start();
    let known = open.keep(&result("12^^^A^MR", "Doe")).patient.unwrap();
    let provisional = open.keep(&result("", "Deo")).patient.unwrap();
    open.records
        .merge(provisional, known, ME, "same tube")
        .unwrap();
    assert_eq!(open.find(&by_name("Deo")), [known]);
    let leaf = open
        .leaves()
        .into_iter()
        .find(|leaf| leaf.action == Action::PatientMerged)
        .unwrap();
    assert!(leaf.detail.is_some(), "the reason is sealed beside it");
    let nobody = PatientId::new(99);
    assert!(matches!(
        open.records.merge(nobody, known, ME, WHY),
        Err(RecordsError::NoPatient)
    ));
    let loop_back = open.records.merge(known, provisional, ME, WHY);
    assert!(loop_back.is_err(), "they are one already");
}

#[test]
fn every_real_message_is_kept_and_opened_again() {
    let Some(data) = labward_testkit::test_data("every_real_message_is_kept_and_opened_again")
    else {
        return;
    };
    let open = Lab::new().start();
    let (mut messages, mut patients) = (Vec::new(), 0);
    for (folder, kind) in [("hl7", RecordKind::Hl7V2), ("astm", RecordKind::Astm)] {
        for file in std::fs::read_dir(data.join(folder)).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            messages.push((kind, bytes.clone()));
            let batch = labward_hl7::Batch::parse(&bytes);
            let split = batch.iter().flat_map(|batch| batch.messages());
            messages.extend(split.map(|message| (kind, message.to_vec())));
        }
    }
    assert!(messages.len() > 300, "{}", messages.len());
    let mut kept = Vec::new();
    for (kind, bytes) in messages {
        let done = open.try_keep(intake(kind, &bytes)).unwrap();
        patients += usize::from(done.patient.is_some());
        kept.push((done.record, bytes));
    }
    assert!(patients > 200, "{patients}");
    for (record, bytes) in kept {
        assert_eq!(*open.records.open(record).unwrap().bytes.expose(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever subsets of their numbers messages carry, in whatever order: no record of one person
    /// ever comes under another's key.
    #[test]
    fn identifier_sets_never_mix_two_people(
        messages in proptest::collection::vec((0usize..4, 1u8..32), 1..24)
    ) {
        let open = Lab::new().start();
        let mut owner: HashMap<PatientId, usize> = HashMap::new();
        for (person, subset) in messages {
            let kinds = ["MR", "PI", "AN", "DL", ""];
            let ids: Vec<String> = kinds
                .iter()
                .enumerate()
                .filter(|(n, _)| subset & (1 << n) != 0)
                // The same value under other authorities and types is another number.
                .map(|(n, kind)| format!("{}^^^H{n}^{kind}", person + 10))
                .collect();
            let kept = open.keep(&result(&ids.join("~"), "Doe"));
            let before = owner.insert(kept.patient.unwrap(), person);
            prop_assert!(before.is_none_or(|before| before == person));
        }
    }
}
