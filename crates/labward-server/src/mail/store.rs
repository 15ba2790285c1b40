//! The SQL of reminders: what each recipient was told. The columns are explained in `mail.sql`.
//!
//! It must never open a day again by itself once a mail of it may have been taken.

use std::collections::BTreeSet;

use labward_base::Timestamp;
use labward_store::{Migration, Query, Row as SqlRow, StoreError, Tx};

/// The steps that lead to the schema of reminders.
pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    name: "reminders by e-mail",
    sql: include_str!("mail.sql"),
}];

/// What is known of a recipient over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) day: Option<String>,
    pub(crate) handing: Option<Timestamp>,
    pub(crate) told: Option<Timestamp>,
    pub(crate) sent: Option<Timestamp>,
    pub(crate) failing_since: Option<Timestamp>,
    pub(crate) findings: BTreeSet<String>,
}

/// Every recipient that something is known of.
pub(super) fn rows<Q: Query>(query: &mut Q) -> Result<Vec<Row>, StoreError> {
    query.query_all(
        "SELECT name, day, handing_us, told_us, sent_us, failing_since_us, findings \
         FROM mail_recipient ORDER BY name",
        &[],
        read,
    )
}

fn read(row: &SqlRow<'_>) -> Result<Row, StoreError> {
    let time = |column| Ok::<_, StoreError>(row.opt_int(column)?.map(Timestamp::from_micros));
    let findings = row.text(6)?.split_whitespace();
    Ok(Row {
        name: row.text(0)?.to_owned(),
        day: row.opt_text(1)?.map(str::to_owned),
        handing: time(2)?,
        told: time(3)?,
        sent: time(4)?,
        failing_since: time(5)?,
        findings: findings.map(str::to_owned).collect(),
    })
}

/// Writes all that is known of a recipient.
pub(super) fn put(tx: &mut Tx<'_>, row: &Row) -> Result<(), StoreError> {
    let micros = |time: Option<Timestamp>| time.map(Timestamp::as_micros);
    let findings: String = row.findings.iter().map(|code| format!("{code} ")).collect();
    tx.execute(
        "INSERT INTO mail_recipient (name, day, handing_us, told_us, sent_us, failing_since_us, findings) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET day = excluded.day, \
         handing_us = excluded.handing_us, told_us = excluded.told_us, sent_us = excluded.sent_us, \
         failing_since_us = excluded.failing_since_us, findings = excluded.findings",
        &[
            row.name.as_str().into(),
            row.day.as_deref().into(),
            micros(row.handing).into(),
            micros(row.told).into(),
            micros(row.sent).into(),
            micros(row.failing_since).into(),
            findings.as_str().into(),
        ],
    )?;
    Ok(())
}
