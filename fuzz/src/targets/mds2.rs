//! Any bytes as a workbook of a manufacturer: every capability has exactly one answer, and each flaw is about
//! a question of the form or of the workbook.

use labward_mds2::{Disclosed, FlawKind, Mds2};

pub fn run(data: &[u8]) {
    let Ok(mds2) = Mds2::read(data) else { return };
    for flaw in &mds2.flaws {
        let is_there = mds2.answers.contains_key(&flaw.id);
        assert!(flaw.kind == FlawKind::TooMany || is_there != (flaw.kind == FlawKind::Missing));
    }
    for one in mds2.disclosures() {
        let asked = mds2.answers.keys().any(|id| id.to_string() == one.question);
        assert!(asked || one.disclosed == Disclosed::Unanswered);
    }
}
