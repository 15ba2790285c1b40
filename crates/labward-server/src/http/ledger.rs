//! `ledger/…`: verifying, exporting, proving; what is sealed in an entry stays sealed.
//!
//! It must never prove or give out an entry outside the engagement of who asks. A bundle holds every
//! entry, so it needs an engagement that covers them all. Its format has no place for a mark that
//! would not break it, so the mark is in the entry of the export, which is the last in the bundle.

use std::fs;
use std::sync::Arc;

use labward_api::ledger::{LedgerExport, LedgerFormat, Proof, Verified, VerifierKey as PublicKey};
use labward_base::id::EntryIndex;
use labward_base::{Clock as _, problem};
use labward_base::{Remark, remark};
use labward_identity::{Engagement, Permission};
use labward_ledger::verify::{FAULTS_MAX, Fault};
use labward_ledger::{
    Action, Actor, Facts, Leaf, LedgerError, NewEntry, Outcome, Subject, VerifierKey, VerifyReport,
    append, entries, export_audit_events, tree_head, verify as check,
};

use super::call::{Answer, Call, Writer};
use super::entries::admit_entry;
use super::failure::Failure;
use super::mark::Mark;
use crate::app::Core;
use crate::error::ServerError;
use crate::folder::{NODE, SITE};

/// `POST ledger/verify`
pub(super) fn verify(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let (report, said) = match core.opened() {
        Some(opened) => {
            // Before the rows are read, so that nobody can have seen more than they hold.
            let (known, said) = opened.witnesses.known();
            let mut report = opened.publishing.verify(known)?;
            for name in core.keys.damaged_secrets()? {
                report.fault_count += 1;
                report.faults.push(Fault {
                    place: remark::secret_in_database(name),
                    what: remark::secret_unsound(),
                });
            }
            for item in core.malware.damaged()?.into_iter().take(FAULTS_MAX) {
                report.fault_count += 1;
                report.faults.push(Fault {
                    place: remark::in_quarantine(item),
                    what: remark::secret_unsound(),
                });
            }
            (report, said)
        }
        None => {
            let folder = core.data.ledger();
            let key = public_key(core)?;
            (check(&core.store, NODE, Some((&folder, &key)))?, Vec::new())
        }
    };
    let outcome = match (report.is_sound(), report.evidence.is_empty()) {
        (true, _) => Outcome::Success,
        (false, true) => Outcome::Failed(problem::LEDGER_TAMPERED.code),
        (false, false) => Outcome::Failed(problem::LEDGER_SECOND_HISTORY.code),
    };
    let facts = Facts::new()
        .number("entries", report.entries)
        .number("cosigned", report.cosigned)
        .number("faults", report.fault_count);
    record(core, call.actor(), Action::LedgerVerified, facts, outcome)?;
    Answer::json(&verified(report, said))
}

/// `POST ledger/export`
pub(super) fn export(call: &Call) -> Result<Answer, Failure> {
    let LedgerExport { format } = call.json()?;
    let opened = call.opened()?;
    let name = match format {
        LedgerFormat::Bundle => "bundle",
        LedgerFormat::Fhir => "fhir",
    };
    // Before the first byte leaves, so that the export holds its own entry.
    let engagement = call.person.narrowed(Permission::LedgerExport).cloned();
    if let (Some(one), LedgerFormat::Bundle) = (&engagement, format) {
        admit_bundle(call, one)?;
    }
    let mut facts = Facts::new().text("format", name);
    if let Some(mark) = Mark::of(call, Permission::LedgerExport) {
        facts = facts.text("issued_to", mark.text());
    }
    let core = Arc::clone(&call.core);
    record(
        &core,
        call.actor(),
        Action::LedgerExported,
        facts,
        Outcome::Success,
    )?;
    let writer: Writer = match format {
        LedgerFormat::Bundle => Box::new(move |out| {
            opened.publishing.export(out)?;
            Ok(())
        }),
        LedgerFormat::Fhir => Box::new(move |out| {
            let head = core.store.read(|snapshot| tree_head(snapshot, NODE))?;
            let end = EntryIndex::new(head.map_or(0, |head| head.frontier.size()));
            let seen = |leaf: &Leaf| {
                let sees = |one: &Engagement| one.sees(leaf.action.name(), leaf.time);
                engagement.as_ref().is_none_or(sees)
            };
            export_audit_events(&core.store, EntryIndex::new(0), end, seen, out)?;
            Ok(())
        }),
    };
    Ok(Answer::Stream(writer))
}

/// `GET ledger/prove/{entry}`
pub(super) fn prove(call: &Call) -> Result<Answer, Failure> {
    let entry: EntryIndex = call.param("entry")?;
    admit_entry(call, entry)?;
    let proof = call.opened()?.publishing.prove(entry)?;
    Answer::json(&Proof {
        proof: proof.to_string(),
    })
}

/// `GET ledger/key`
pub(super) fn key(call: &Call) -> Result<Answer, Failure> {
    let key = match call.core.opened() {
        Some(opened) => opened.publishing.verifier().clone(),
        None => public_key(&call.core)?,
    };
    Answer::json(&PublicKey {
        key: key.to_string(),
        origin: key.name().to_owned(),
    })
}

/// Refuses a bundle to whose engagement leaves out an entry that it would hold.
fn admit_bundle(call: &Call, engagement: &Engagement) -> Result<(), Failure> {
    let core = &call.core;
    let first = core
        .store
        .read(|snapshot| entries(snapshot, EntryIndex::new(0), 1))?;
    let now = core.clock.now();
    // What cannot be read is no reason to give more out.
    let leaf = first
        .first()
        .and_then(|stored| Leaf::parse(&stored.leaf).ok());
    let Some(first) = leaf.map(|leaf| leaf.time) else {
        return Err(Failure::new(&problem::IDENTITY_BEYOND_ENGAGEMENT));
    };
    match engagement.sees_all(first, now) {
        true => Ok(()),
        false => Err(Failure::new(&problem::IDENTITY_BEYOND_ENGAGEMENT)),
    }
}

/// The public key as `init` wrote it down, for a server that is sealed.
fn public_key(core: &Core) -> Result<VerifierKey, Failure> {
    let path = core.data.ledger_public_key();
    let text = fs::read_to_string(&path).map_err(ServerError::file(path))?;
    let key: Result<VerifierKey, _> = text.trim().parse();
    Ok(key.map_err(LedgerError::from)?)
}

fn record(
    core: &Core,
    actor: Actor,
    action: Action,
    facts: Facts,
    outcome: Outcome,
) -> Result<EntryIndex, LedgerError> {
    let entry = NewEntry::new(SITE, actor, action, Subject::Ledger);
    let entry = entry.facts(facts).outcome(outcome);
    core.store.write(move |tx| append(tx, &entry))
}

fn verified(report: VerifyReport, witnesses: Vec<Remark>) -> Verified {
    let good = report.is_sound();
    let named = u64::try_from(report.faults.len()).unwrap_or(u64::MAX);
    let mut faults: Vec<Remark> = report
        .faults
        .into_iter()
        .map(|fault| fault.place.because(fault.what))
        .collect();
    if report.fault_count > named {
        faults.push(remark::and_more(report.fault_count - named));
    }
    Verified {
        good,
        entries: report.entries,
        root: report.root.map(|root| root.to_base64()).unwrap_or_default(),
        faults: faults.iter().map(ToString::to_string).collect(),
        fault_remarks: faults.iter().map(Into::into).collect(),
        witnesses: witnesses.iter().map(ToString::to_string).collect(),
        witness_remarks: witnesses.iter().map(Into::into).collect(),
        evidence: report.evidence,
    }
}
