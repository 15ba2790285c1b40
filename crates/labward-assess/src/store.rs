//! The SQL of decisions, and the entries that go with each change.
//!
//! **Invariant:** no change without an entry: row and entry are written in one unit. It must never
//! hold a rationale in clear.

use labward_base::Timestamp;
use labward_base::id::{EntryIndex, PersonId, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject, append};
use labward_store::{Migration, Query, StoreError, Tx};

use crate::AssessError;
use crate::decision::{Decision, NewDecision};
use crate::requirement::Requirement;

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "safeguard decisions",
    sql: include_str!("../schema.sql"),
}];

/// The present decisions, in the order of their citations.
///
/// # Errors
/// [`StoreError`].
pub fn decisions(query: &mut impl Query, site: SiteId) -> Result<Vec<Decision>, StoreError> {
    query.query_all(
        "SELECT citation, kind, rationale, approver, decided_us, ends_us, entry \
         FROM safeguard_decision WHERE site = $1 ORDER BY citation",
        &[site.as_sql().into()],
        |row| {
            let number = |column| u64::try_from(row.int(column)?).map_err(|_| damaged());
            Ok(Decision {
                citation: row.text(0)?.to_owned(),
                kind: row.text(1)?.parse().map_err(|_| damaged())?,
                rationale: row.opt_bytes(2)?.ok_or_else(damaged)?.to_owned(),
                approver: PersonId::new(number(3)?),
                decided: Timestamp::from_micros(row.int(4)?),
                ends: Timestamp::from_micros(row.int(5)?),
                entry: EntryIndex::new(number(6)?),
            })
        },
    )
}

/// Writes a decision and its entry; an earlier one about the same requirement is replaced.
///
/// # Errors
/// [`AssessError::Ledger`], [`AssessError::Store`].
pub fn decide(tx: &mut Tx<'_>, site: SiteId, new: &NewDecision) -> Result<EntryIndex, AssessError> {
    let citation = new.requirement.citation;
    let subject = Subject::Safeguard(citation.into());
    let actor = Actor::Person(new.approver);
    let facts = Facts::new()
        .text("decision", new.kind.name())
        .text("until", new.last_day());
    let entry = NewEntry::new(site, actor, Action::SafeguardDecided, subject);
    let entry = append(tx, &entry.facts(facts).detail(new.rationale.clone()))?;
    tx.execute(
        "INSERT INTO safeguard_decision \
         (site, citation, kind, rationale, approver, decided_us, ends_us, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site, citation) DO UPDATE SET \
         kind = excluded.kind, rationale = excluded.rationale, approver = excluded.approver, \
         decided_us = excluded.decided_us, ends_us = excluded.ends_us, entry = excluded.entry",
        &[
            site.as_sql().into(),
            citation.into(),
            new.kind.name().into(),
            new.rationale.as_slice().into(),
            new.approver.as_sql().into(),
            new.decided.as_micros().into(),
            new.ends.as_micros().into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(entry)
}

/// Takes a decision back, with its entry; `why` is sealed.
///
/// # Errors
/// [`AssessError::NoDecision`], [`AssessError::Ledger`], [`AssessError::Store`].
pub fn withdraw(
    tx: &mut Tx<'_>,
    site: SiteId,
    requirement: &'static Requirement,
    by: PersonId,
    why: Vec<u8>,
) -> Result<EntryIndex, AssessError> {
    let key = [site.as_sql().into(), requirement.citation.into()];
    let decided = tx.query_opt(
        "SELECT entry FROM safeguard_decision WHERE site = $1 AND citation = $2",
        &key,
        |row| row.int(0),
    )?;
    let decided = decided.ok_or(AssessError::NoDecision)?;
    let subject = Subject::Safeguard(requirement.citation.into());
    let entry = NewEntry::new(
        site,
        Actor::Person(by),
        Action::SafeguardDecisionWithdrawn,
        subject,
    );
    let facts = Facts::new().number("decided", decided);
    let entry = append(tx, &entry.facts(facts).detail(why))?;
    tx.execute(
        "DELETE FROM safeguard_decision WHERE site = $1 AND citation = $2",
        &key,
    )?;
    Ok(entry)
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of table safeguard_decision".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::DecisionKind;
    use labward_base::Clock as _;
    use labward_base::id::NodeId;
    use labward_ledger::{Leaf, LedgerJournal, entries};
    use labward_store::{Options, Store};
    use labward_testkit::{FakeClock, TempDir};
    use std::sync::Arc;

    const SITE: SiteId = SiteId::new(1);

    fn open(folder: &TempDir, clock: &FakeClock) -> Store {
        let journal = LedgerJournal::new(NodeId::new(1), Arc::new(clock.clone()));
        let migrations = [labward_ledger::MIGRATIONS, MIGRATIONS].concat();
        let options = Options::new(folder.join("db.sqlite"));
        Store::open(options, &migrations, Box::new(journal)).unwrap()
    }

    fn new(kind: DecisionKind, clock: &FakeClock) -> NewDecision {
        let requirement = Requirement::of_law("164.312(a)(2)(iii)").unwrap();
        let now = clock.now();
        let until = now.to_rfc3339();
        let by = PersonId::new(4);
        NewDecision::new(requirement, kind, &until[..10], vec![9; 90], by, now).unwrap()
    }

    fn all(store: &Store) -> Vec<Decision> {
        store.read(|snapshot| decisions(snapshot, SITE)).unwrap()
    }

    #[test]
    fn a_decision_is_one_row_and_each_change_of_it_one_entry() {
        let (folder, clock) = (TempDir::new(), FakeClock::default());
        let store = open(&folder, &clock);
        for kind in [DecisionKind::Implemented, DecisionKind::Alternative] {
            let new = new(kind, &clock);
            store.write(move |tx| decide(tx, SITE, &new)).unwrap();
        }
        let [found] = &all(&store)[..] else {
            panic!("one row")
        };
        assert_eq!(found.kind, DecisionKind::Alternative);
        assert_eq!(
            (found.entry, found.approver),
            (EntryIndex::new(1), PersonId::new(4))
        );
        assert_eq!(found.rationale, [9; 90]);
        assert!(found.holds(clock.now()));

        let requirement = Requirement::of_law(&found.citation).unwrap();
        let take_back = || {
            store.write(move |tx| withdraw(tx, SITE, requirement, PersonId::new(5), vec![8; 80]))
        };
        assert_eq!(take_back().unwrap(), EntryIndex::new(2));
        assert_eq!(all(&store), []);
        assert!(matches!(take_back(), Err(AssessError::NoDecision)));

        let written = store
            .read(|snapshot| entries(snapshot, EntryIndex::new(0), 10))
            .unwrap_or_else(|error: StoreError| panic!("{error}"));
        let leaves: Vec<Leaf> = written
            .iter()
            .map(|row| Leaf::parse(&row.leaf).unwrap())
            .collect();
        let said: Vec<String> = leaves
            .iter()
            .map(|leaf| format!("{} {} {}", leaf.action, leaf.actor, leaf.subject))
            .collect();
        assert_eq!(
            said,
            [
                "safeguard.decided person:4 safeguard:164.312(a)(2)(iii)",
                "safeguard.decided person:4 safeguard:164.312(a)(2)(iii)",
                "safeguard.decision-withdrawn person:5 safeguard:164.312(a)(2)(iii)",
            ]
        );
        assert_eq!(leaves[1].facts.get_text("decision"), Some("alternative"));
        assert_eq!(leaves[1].detail.as_deref(), Some(&[9; 90][..]));
        assert_eq!(leaves[2].facts.get_number("decided"), Some(1));
        store.close().unwrap();
    }

    #[test]
    fn what_is_not_done_leaves_neither_row_nor_entry() {
        let (folder, clock) = (TempDir::new(), FakeClock::default());
        let store = open(&folder, &clock);
        let mut too_large = new(DecisionKind::Implemented, &clock);
        too_large.rationale = vec![0; 100_000];
        let refused = store.write(move |tx| decide(tx, SITE, &too_large));
        assert!(matches!(refused, Err(AssessError::Ledger(_))));
        assert_eq!(all(&store), []);
        store.close().unwrap();
    }
}
