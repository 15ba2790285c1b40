//! Findings: what is wrong with the installation, one entry for each change of state.
//!
//! It must never write an entry while nothing changed, or hold anything about a patient.
//! **Invariant:** no change without an entry: row and entry are written in one unit. Recognizing
//! what is not as it must be is 45 CFR 164.308(a)(1)(ii)(D) and 164.308(a)(8).

use labward_base::Timestamp;
use labward_base::id::SiteId;
use labward_gateway::config::PlainException;
use labward_ledger::{Action, Actor, Facts, LedgerError, NewEntry, Subject, append};
use labward_store::{Migration, Query, StoreError, Tx};

/// The steps that lead to the schema of findings.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "findings",
    sql: include_str!("schema.sql"),
}];

/// Findings of unencrypted lines begin so.
pub(crate) const PLAIN_LINE: &str = "plain-line:";

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its stable key, at most 255 bytes.
    pub(crate) key: String,
    /// What is wrong, in a sentence without patient data.
    pub(crate) detail: String,
}

impl Finding {
    /// That a line of the configuration is unencrypted.
    pub(crate) fn of_plain_line(line: &PlainException) -> Self {
        let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "nobody said".to_owned());
        let detail = if line.loopback {
            format!("{} is unencrypted on this machine", line.place)
        } else {
            let expires = line.expires.map(|day| day.to_string());
            format!(
                "{} is unencrypted until {}; owner: {}; reason: {}",
                line.place,
                said(&expires),
                said(&line.owner),
                said(&line.reason)
            )
        };
        Self {
            key: format!("{PLAIN_LINE}{}", line.place),
            detail,
        }
    }
}

/// Says which findings of one `family` (a prefix of keys) hold: raises those that are new, clears
/// those that no longer are, and answers how many changed.
pub(crate) fn reconcile(
    tx: &mut Tx<'_>,
    site: SiteId,
    family: &str,
    present: &[Finding],
    now: Timestamp,
) -> Result<usize, LedgerError> {
    let mut changed = 0;
    for finding in present {
        if !holds(tx, site, &finding.key)? {
            change(tx, site, finding, true, now)?;
            changed += 1;
        }
    }
    for finding in all_that_hold(tx, site)? {
        let is_gone = !present.iter().any(|one| one.key == finding.key);
        if finding.key.starts_with(family) && is_gone {
            change(tx, site, &finding, false, now)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Says whether the finding with this key holds; an entry only if that changed.
pub(crate) fn reconcile_one(
    tx: &mut Tx<'_>,
    site: SiteId,
    key: &str,
    present: Option<&Finding>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let before = all_that_hold(tx, site)?
        .into_iter()
        .find(|one| one.key == key);
    match (before, present) {
        (None, Some(finding)) => change(tx, site, finding, true, now),
        (Some(gone), None) => change(tx, site, &gone, false, now),
        _ => Ok(()),
    }
}

/// The findings that hold, in the order of their keys.
pub(crate) fn all_that_hold<Q: Query>(
    query: &mut Q,
    site: SiteId,
) -> Result<Vec<Finding>, StoreError> {
    query.query_all(
        "SELECT key, detail FROM finding WHERE site = $1 AND state = 1 ORDER BY key",
        &[site.as_sql().into()],
        |row| {
            Ok(Finding {
                key: row.text(0)?.to_owned(),
                detail: row.text(1)?.to_owned(),
            })
        },
    )
}

fn holds(tx: &mut Tx<'_>, site: SiteId, key: &str) -> Result<bool, StoreError> {
    let state = tx.query_opt(
        "SELECT state FROM finding WHERE site = $1 AND key = $2",
        &[site.as_sql().into(), key.into()],
        |row| row.int(0),
    )?;
    Ok(state == Some(1))
}

fn change(
    tx: &mut Tx<'_>,
    site: SiteId,
    finding: &Finding,
    holds: bool,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let action = if holds {
        Action::FindingRaised
    } else {
        Action::FindingCleared
    };
    let subject = Subject::Finding(finding.key.clone().into());
    let entry = NewEntry::new(site, Actor::System, action, subject);
    append(
        tx,
        &entry.facts(Facts::new().text("detail", finding.detail.as_str())),
    )?;
    tx.execute(
        "INSERT INTO finding (site, key, state, since_us, detail) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (site, key) DO UPDATE SET state = excluded.state, \
         since_us = excluded.since_us, detail = excluded.detail",
        &[
            site.as_sql().into(),
            finding.key.as_str().into(),
            i64::from(holds).into(),
            now.as_micros().into(),
            finding.detail.as_str().into(),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use labward_base::Clock;
    use labward_base::id::EntryIndex;
    use labward_ledger::LedgerJournal;
    use labward_store::{Options, Store};
    use labward_testkit::{FakeClock, TempDir};

    use crate::folder::{NODE, SITE};

    fn finding(key: &str) -> Finding {
        Finding {
            key: format!("{PLAIN_LINE}{key}"),
            detail: format!("{key} is unencrypted"),
        }
    }

    fn reconciled(store: &Store, clock: &FakeClock, present: &[&str]) -> usize {
        let present: Vec<Finding> = present.iter().map(|key| finding(key)).collect();
        let now = clock.now();
        store
            .write(move |tx| reconcile(tx, SITE, PLAIN_LINE, &present, now))
            .unwrap()
    }

    #[test]
    fn a_finding_is_one_entry_for_each_change_of_state() {
        let folder = TempDir::new();
        let clock = FakeClock::default();
        let journal = LedgerJournal::new(NODE, Arc::new(clock.clone()));
        let migrations = [labward_ledger::MIGRATIONS, MIGRATIONS].concat();
        let options = Options::new(folder.join("db"));
        let store = Store::open(options, &migrations, Box::new(journal)).unwrap();

        assert_eq!(reconciled(&store, &clock, &["link a", "link b"]), 2);
        assert_eq!(reconciled(&store, &clock, &["link a", "link b"]), 0);
        assert_eq!(reconciled(&store, &clock, &["link b"]), 1);
        assert_eq!(reconciled(&store, &clock, &["link a", "link b"]), 1);

        let actions: Vec<String> = store
            .read(|snapshot| labward_ledger::entries(snapshot, EntryIndex::new(0), 10))
            .unwrap()
            .into_iter()
            .map(|entry| entry.action)
            .collect();
        let expected = [
            "finding.raised",
            "finding.raised",
            "finding.cleared",
            "finding.raised",
        ];
        assert_eq!(actions, expected);
        let present: Vec<Finding> = store
            .read(|snapshot| all_that_hold(snapshot, SITE))
            .unwrap();
        assert_eq!(present, [finding("link a"), finding("link b")]);
    }
}
