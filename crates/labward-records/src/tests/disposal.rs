//! Disposal: refused in time and under a hold, and final.

use super::*;
use crate::{Format, Override, What};
use labward_keys::KeysError;
use std::time::Duration;

const YEAR: Duration = Duration::from_secs(366 * 24 * 60 * 60);

fn pathology(ids: &str) -> Vec<u8> {
    let fields = "|".repeat(24);
    format!("MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5.1\rPID|1||{ids}||Doe^Eva\rOBR{fields}SP\r")
        .into_bytes()
}

#[test]
fn a_disposed_patient_is_unreadable_and_search_is_silent() {
    let lab = Lab::new();
    let open = lab.start();
    let one = open.keep(&result("12^^^A^MR", "Gusikowski"));
    let other = open.keep(&result("34^^^A^MR", "Gusikowsky"));
    let stays = open.keep(&result("56^^^A^MR", "Smith"));
    let (into, from) = (one.patient.unwrap(), other.patient.unwrap());
    open.records.merge(from, into, ME, WHY).unwrap();
    open.records
        .export(What::Patient(into), Format::Original, ME, WHY)
        .unwrap();
    lab.clock.advance(8 * YEAR);
    let proof = open
        .records
        .dispose(from, ME, "asked by the patient", None)
        .unwrap();
    assert_eq!(proof.patients, [into, from], "the whole group");
    assert_eq!((proof.records, proof.keys_destroyed), (2, 2));
    assert!(proof.log_emptied && !proof.retention_overridden);
    assert_eq!((proof.exports.len(), proof.delivered_to.len()), (1, 0));
    assert_eq!((proof.key_archives, proof.key_archives_expire), (0, None));
    assert!(!proof.not_covered.is_empty());
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(
        (leaf.index, leaf.action),
        (proof.entry, Action::PatientDisposed)
    );
    let check = |open: &Open| {
        for kept in [&one, &other] {
            let opened = open.records.open(kept.record);
            assert!(matches!(
                opened,
                Err(RecordsError::Keys(KeysError::Disposed(_)))
            ));
            assert!(open.records.show(kept.record, ME, WHY).is_err());
        }
        assert!(open.find(&by_name("Gusikowski")).is_empty());
        assert!(open.find(&by_mrn("12")).is_empty());
        let accession = Some("F-Gusikowski".to_owned());
        assert!(
            open.find(&Criteria {
                accession,
                ..Criteria::default()
            })
            .is_empty()
        );
        assert_eq!(
            *open.records.open(stays.record).unwrap().bytes.expose(),
            stays.bytes
        );
    };
    check(&open);
    let again = open.records.dispose(into, ME, WHY, None);
    assert!(matches!(again, Err(RecordsError::NoPatient)));
    open.store.close().unwrap();
    let open = lab.start();
    check(&open);
    let new = open.keep(&result("12^^^A^MR", "Gusikowski"));
    assert!(
        new.patient != Some(into) && new.patient != Some(from),
        "who comes again is new"
    );
}

#[test]
fn within_the_retention_time_only_a_decision_disposes() {
    let lab = Lab::new();
    let open = lab.start();
    let patient = open.keep(&pathology("12^^^A^MR")).patient.unwrap();
    open.keep(&result("12^^^A^MR", "Doe"));
    lab.clock.advance(8 * YEAR);
    let refused = open.records.dispose(patient, ME, WHY, None);
    let Err(RecordsError::Retention { until }) = refused else {
        panic!("refused")
    };
    assert!(
        until > labward_base::Clock::now(&lab.clock),
        "pathology: ten years"
    );
    assert_eq!(open.records.retained_until(patient).unwrap(), Some(until));
    assert_eq!(open.find(&by_mrn("12")), [patient], "nothing was destroyed");
    assert!(open.keys.patient_key(patient).is_ok());
    let decision = Override {
        reason: "court order 5/26".to_owned(),
    };
    let proof = open
        .records
        .dispose(patient, ME, WHY, Some(&decision))
        .unwrap();
    assert!(proof.retention_overridden);
    let leaf = open.leaves().pop().unwrap();
    assert_eq!(leaf.facts.get_number("retention_overridden"), Some(1));
    open.store.close().unwrap();
    assert!(!lab.holds(b"court order"), "the reason rests sealed");
}

#[test]
fn a_legal_hold_forbids_disposal_even_with_a_decision_until_it_is_lifted() {
    let lab = Lab::new();
    let open = lab.start();
    let patient = open.keep(&result("12^^^A^MR", "Doe")).patient.unwrap();
    let other = open.keep(&result("34^^^A^MR", "Roe")).patient.unwrap();
    open.records.hold(patient, ME, "a lawsuit").unwrap();
    open.records.merge(other, patient, ME, WHY).unwrap();
    open.store.close().unwrap();
    let open = lab.start();
    lab.clock.advance(20 * YEAR);
    let decision = Override {
        reason: "urgent".to_owned(),
    };
    for member in [patient, other] {
        let refused = open.records.dispose(member, ME, WHY, Some(&decision));
        assert!(matches!(refused, Err(RecordsError::LegalHold)));
    }
    open.records.lift_hold(other, ME, "settled").unwrap();
    open.records.dispose(other, ME, WHY, None).unwrap();
    let acts: Vec<_> = open.leaves().iter().map(|leaf| leaf.action).collect();
    assert!(acts.contains(&Action::PatientHeld) && acts.contains(&Action::PatientHoldLifted));
}

#[test]
fn a_refused_disposal_forgets_no_identifier() {
    let open = Lab::new().start();
    let patient = open.keep(&result("12^^^A^MR", "Doe")).patient;
    // Set behind our back, as another node would: only the unit sees it.
    open.store
        .write(|tx| tx.execute("UPDATE patient SET legal_hold = 1", &[]))
        .unwrap();
    let decision = Override {
        reason: "x".to_owned(),
    };
    let refused = open
        .records
        .dispose(patient.unwrap(), ME, WHY, Some(&decision));
    assert!(matches!(refused, Err(RecordsError::LegalHold)));
    assert_eq!(open.keep(&result("12^^^A^MR", "Doe")).patient, patient);
    assert_eq!(open.find(&by_mrn("12")), [patient.unwrap()]);
}

#[test]
fn the_proof_names_the_day_until_which_an_archive_may_hold_the_key() {
    const DAY: Duration = Duration::from_secs(86_400);
    let lab = Lab::new();
    let open = lab.start();
    let kept = open.keep(&result("12^^^A^MR", "Gusikowski"));
    lab.clock.advance(8 * YEAR);
    let archives = TempDir::new();
    let archive = |days: u32| {
        let made = open
            .keys
            .archive(archives.path(), days * DAY, Actor::System, Vec::new());
        made.unwrap()
    };
    let (long, short) = (archive(35), archive(2));
    lab.clock.advance(3 * DAY);
    let patient = kept.patient.unwrap();
    let proof = open.records.dispose(patient, ME, WHY, None).unwrap();
    assert_eq!((proof.key_archives, proof.key_archives_overdue), (2, 1));
    assert_eq!(proof.key_archives_expire, Some(long.expires.to_rfc3339()));
    let leaf = open.leaves().pop().unwrap();
    let until = leaf.facts.get_text("key_archives_expire");
    assert_eq!(until, proof.key_archives_expire.as_deref());
    // What the archive still holds until then is the very key.
    let opener = SlotOpener::KeyFile(lab.stick.join("root.key"));
    let opened = |folder: &Path| labward_keys::open_archive(folder, &opener).unwrap();
    assert!(opened(archives.path()).destroyed().is_empty());
    let expired = open.keys.expire_archives(Actor::System).unwrap();
    assert_eq!(expired.deleted.len(), 1);
    assert_eq!(expired.deleted[0].id, short.id);
    archive(35);
    assert_eq!(opened(archives.path()).destroyed(), [patient]);
}
