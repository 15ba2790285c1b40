//! Rotation: another root key, without anyone's passphrase and while patients are cared for.
//!
//! 1. One transaction seals the new root key to every slot and keeps the old one, wrapped under it.
//! 2. Chunk by chunk, keys move from the old to the new.
//! 3. One transaction drops the old root key.
//!
//! After a crash anywhere the new root key opens, the old one with it, and the chunks go on. It must
//! never seal to a public half that the old root key has not endorsed.

use std::sync::Arc;

use labward_base::id::{EntryIndex, SiteId};
use labward_ledger::{Action, Actor, Facts, NewEntry, Subject};
use labward_seal::{RootKey, Scope, SealKey, wrap_key};
use labward_store::Tx;

use crate::open::{Root, context};
use crate::store::{self, WrappedRow};
use crate::{Keys, KeysError};

const CHUNK_ROWS: u32 = 2_000;

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// The root key's generation now.
    pub generation: u32,
    /// How many keys were wrapped anew, in this run if it was interrupted before.
    pub rewrapped: u64,
    /// The entry that says it is finished.
    pub entry: EntryIndex,
}

/// How far a rotation has come in this run.
struct Progress {
    after: Option<WrappedRow>,
    rewrapped: u64,
}

impl Keys {
    /// Replaces the root key and wraps every key anew; everything stays usable meanwhile.
    ///
    /// One that was interrupted is finished first. Blocks until it is done, about a second for
    /// 100,000 patients; other changes of slots wait.
    ///
    /// # Errors
    ///
    /// [`KeysError::Sealed`]; [`KeysError::Damaged`] if a slot's public half is not the one that
    /// was added, or a key does not open: the rotation then stays unfinished.
    pub fn rotate(&self, actor: Actor) -> Result<RotationReport, KeysError> {
        let _order = self.lock_changes();
        let mut steps = usize::MAX;
        self.finish(actor, &mut steps)?;
        self.begin(actor)?;
        self.finish(actor, &mut steps)?.ok_or(KeysError::Sealed)
    }

    /// Goes on with a rotation that was interrupted; `None` if there is none.
    ///
    /// # Errors
    ///
    /// As [`Keys::rotate`].
    pub fn resume_rotation(&self, actor: Actor) -> Result<Option<RotationReport>, KeysError> {
        let _order = self.lock_changes();
        let mut steps = usize::MAX;
        self.finish(actor, &mut steps)
    }

    /// Whether keys are still wrapped under the root key before; `false` while sealed.
    pub fn rotation_pending(&self) -> bool {
        self.state()
            .open
            .as_ref()
            .is_some_and(|open| open.old.is_some())
    }

    pub(crate) fn resume_in_background(&self, actor: Actor) {
        let keys = self.clone();
        let run = move || match keys.resume_rotation(actor) {
            Ok(Some(report)) => {
                tracing::info!(generation = report.generation, "rotation finished");
            }
            Ok(None) => {}
            Err(error) => tracing::error!(
                code = error.problem().code,
                "rotation stays unfinished; it goes on at the next unsealing"
            ),
        };
        let named = std::thread::Builder::new().name("keys-rotation".to_owned());
        if named.spawn(run).is_err() {
            tracing::error!("rotation stays unfinished: no thread for it");
        }
    }

    /// Runs at most `steps` transactions of a rotation, beginning one if none is under way; a test
    /// interrupts it so between any two.
    #[cfg(test)]
    pub(crate) fn rotate_steps(
        &self,
        actor: Actor,
        mut steps: usize,
    ) -> Result<Option<RotationReport>, KeysError> {
        let _order = self.lock_changes();
        if !self.rotation_pending() && steps > 0 {
            self.begin(actor)?;
            steps -= 1;
        }
        self.finish(actor, &mut steps)
    }

    /// The first transaction.
    fn begin(&self, actor: Actor) -> Result<(), KeysError> {
        let site = self.0.site;
        let new = RootKey::generate()?;
        let (old, old_generation, mut slots) = {
            let state = self.state();
            let open = state.open.as_ref().ok_or(KeysError::Sealed)?;
            (Arc::clone(&open.root), open.generation, state.slots.clone())
        };
        let generation = old_generation.saturating_add(1);
        for slot in slots.values_mut() {
            slot.check_endorsed(site, &old)?;
            slot.seal_root(site, &new, generation)?;
        }
        let row = old_root_row(old_generation);
        let old_key = SealKey::from_bytes(*old.expose());
        let wrapped = wrap_key(&new, &context(site, &row), &old_key)?;
        let resealed = slots.clone();
        self.0.store.write(move |tx| {
            for slot in resealed.values() {
                store::reseal_slot(tx, site, slot)?;
            }
            let old = Some((old_generation, &wrapped[..]));
            store::set_root_state(tx, site, generation, old)?;
            record(
                tx,
                site,
                actor,
                generation,
                Facts::new().text("stage", "begun"),
            )
        })?;
        let mut state = self.state_mut();
        state.slots = slots;
        if let Some(open) = state.open.as_mut() {
            open.old = Some((old_generation, Arc::clone(&open.root)));
            open.root = Arc::new(Root::new(new));
            open.generation = generation;
        }
        Ok(())
    }

    /// The chunks and the last transaction; `None` if no rotation is under way, or `steps` ran out.
    fn finish(&self, actor: Actor, steps: &mut usize) -> Result<Option<RotationReport>, KeysError> {
        let Some((old, generation)) = self.generations() else {
            return Ok(None);
        };
        // A unit that wrapped a new patient's key just before the new root key was published may
        // not have committed yet: whoever waits for the writer once sees its row.
        self.0.store.write(|_| Ok::<_, KeysError>(()))?;
        let mut progress = Progress {
            after: None,
            rewrapped: 0,
        };
        while *steps > 0 {
            *steps -= 1;
            if !self.rewrap_chunk(old, &mut progress)? {
                return self
                    .drop_old(actor, old, generation, progress.rewrapped)
                    .map(Some);
            }
        }
        Ok(None)
    }

    /// Wraps the next chunk anew; `false` if there is none left.
    fn rewrap_chunk(&self, old: u32, progress: &mut Progress) -> Result<bool, KeysError> {
        let site = self.0.site;
        let after = progress.after;
        let rows = self.0.store.read(|snapshot| {
            store::wrapped_of_generation(snapshot, site, after.as_ref(), old, CHUNK_ROWS)
        })?;
        let Some(last) = rows.last() else {
            return Ok(false);
        };
        progress.after = Some(*last);
        let anew = {
            let state = self.state();
            let open = state.open.as_ref().ok_or(KeysError::Sealed)?;
            rows.iter()
                .map(|row| open.wrap(row.scope, row.owner, row.epoch, &open.unwrap(row)?))
                .collect::<Result<Vec<_>, _>>()?
        };
        let written = anew.clone();
        let replaced = self.0.store.write(move |tx| {
            let mut replaced = 0u64;
            for row in &written {
                // A patient disposed of since the chunk was read stays disposed of.
                replaced += u64::from(store::replace_wrapped(tx, site, row, old)?);
            }
            Ok::<_, KeysError>(replaced)
        })?;
        progress.rewrapped = progress.rewrapped.saturating_add(replaced);
        if let Some(open) = self.state_mut().open.as_mut() {
            open.rewrapped(&anew);
        }
        Ok(true)
    }

    /// The last transaction.
    fn drop_old(
        &self,
        actor: Actor,
        old: u32,
        generation: u32,
        rewrapped: u64,
    ) -> Result<RotationReport, KeysError> {
        let site = self.0.site;
        let left = self
            .0
            .store
            .read(|snapshot| store::wrapped_of_generation(snapshot, site, None, old, 1))?;
        if !left.is_empty() {
            return Err(KeysError::damaged("a key that the rotation passed over"));
        }
        let facts = Facts::new()
            .text("stage", "finished")
            .number("rewrapped", rewrapped);
        let entry = self.0.store.write(move |tx| {
            store::set_root_state(tx, site, generation, None)?;
            record(tx, site, actor, generation, facts.clone())
        })?;
        if let Some(open) = self.state_mut().open.as_mut() {
            open.old = None;
        }
        Ok(RotationReport {
            generation,
            rewrapped,
            entry,
        })
    }

    /// The generation before and the present one, while a rotation is under way.
    fn generations(&self) -> Option<(u32, u32)> {
        let state = self.state();
        let open = state.open.as_ref()?;
        open.old.as_ref().map(|(old, _)| (*old, open.generation))
    }
}

/// The place of the old root key under the new one: no other key has epoch 0.
pub(crate) const fn old_root_row(generation: u32) -> WrappedRow {
    WrappedRow {
        scope: Scope::Secret,
        owner: generation as u64,
        epoch: 0,
        generation: 0,
        wrapped: None,
    }
}

fn record(
    tx: &mut Tx<'_>,
    site: SiteId,
    actor: Actor,
    generation: u32,
    facts: Facts,
) -> Result<EntryIndex, KeysError> {
    let facts = facts.number("generation", generation);
    let entry = NewEntry::new(site, actor, Action::KeyRotated, Subject::Installation).facts(facts);
    Ok(labward_ledger::append(tx, &entry)?)
}
