//! `unseal` and `key/…`: the slots of the root key.
//!
//! It must never log, keep or echo a passphrase or a share.

use std::path::PathBuf;

use labward_api::key::{AddedSlot, NewSlot, Rotation, Slot, SlotPlace};
use labward_api::status::Opener;
use labward_base::id::SlotId;
use labward_base::{Secret, Timestamp};
use labward_keys::{SlotKind, SlotOpener, SlotTest, Stretch};

use super::call::{Answer, Call};
use super::failure::Failure;

/// `POST unseal`
pub(super) fn unseal(call: &Call) -> Result<Answer, Failure> {
    let slot = call.core.keys.unseal(&opener(call.json()?), call.actor())?;
    tracing::info!(slot = %slot, "the root key was opened with slot {slot}");
    call.core.open_rest()?;
    Answer::done(None)
}

/// `GET key/slots`
pub(super) fn slots(call: &Call) -> Result<Answer, Failure> {
    let slots = call.core.keys.slots().into_iter().map(|slot| Slot {
        id: slot.id.get(),
        kind: slot.kind.to_string(),
        label: slot.label,
        created: slot.created.to_rfc3339(),
        last_tested: slot.last_tested.map(Timestamp::to_rfc3339),
    });
    Answer::json(&slots.collect::<Vec<_>>())
}

/// `POST key/slots`
pub(super) fn add(call: &Call) -> Result<Answer, Failure> {
    let new = match call.json()? {
        NewSlot::KeyFile { label, path } => labward_keys::NewSlot::KeyFile {
            label,
            path: PathBuf::from(path),
        },
        NewSlot::Passphrase { label, passphrase } => labward_keys::NewSlot::Passphrase {
            label,
            passphrase: Secret::new(passphrase),
            stretch: Stretch::default(),
        },
        NewSlot::Shares {
            label,
            threshold,
            count,
        } => labward_keys::NewSlot::Shares {
            label,
            threshold,
            count,
        },
    };
    let added = call.core.keys.add_slot(&new, call.actor())?;
    let shares = added.shares.iter().map(|share| share.expose().clone());
    Answer::json(&AddedSlot {
        id: added.id.get(),
        shares: shares.collect(),
    })
}

/// `DELETE key/slots/{id}`
pub(super) fn remove(call: &Call) -> Result<Answer, Failure> {
    let id: SlotId = call.param("id")?;
    call.core.keys.remove_slot(id, call.actor())?;
    Answer::done(None)
}

/// `POST key/slots/{id}/test`
pub(super) fn test(call: &Call) -> Result<Answer, Failure> {
    let id: SlotId = call.param("id")?;
    let opener = opener(call.json()?);
    match call.core.keys.test_slot(id, &opener, call.actor())? {
        SlotTest::Opens => Answer::done(None),
        SlotTest::Refused(error) => Err(error.into()),
    }
}

/// `POST key/rotate`
pub(super) fn rotate(call: &Call) -> Result<Answer, Failure> {
    let report = call.core.keys.rotate(call.actor())?;
    Answer::json(&Rotation {
        generation: report.generation,
        rewrapped: report.rewrapped,
        entry: Some(report.entry.get()),
    })
}

/// `GET key/where`
pub(super) fn places(call: &Call) -> Result<Answer, Failure> {
    let places = call
        .core
        .keys
        .whereabouts()
        .into_iter()
        .map(|place| SlotPlace {
            id: place.slot.get(),
            kind: place.kind.to_string(),
            path: place.path.map(|path| path.display().to_string()),
            beside_data: place.same_device,
            meaning: meaning(place.kind, place.same_device, place.owner_only).to_owned(),
        });
    Answer::json(&places.collect::<Vec<_>>())
}

/// The slot that a request opens with.
pub(crate) fn opener(opener: Opener) -> SlotOpener {
    match opener {
        Opener::KeyFile { path } => SlotOpener::KeyFile(PathBuf::from(path)),
        Opener::Passphrase { passphrase } => SlotOpener::Passphrase(Secret::new(passphrase)),
        Opener::Shares { shares } => {
            SlotOpener::Shares(shares.into_iter().map(Secret::new).collect())
        }
    }
}

/// What a place means for the safe harbour of 74 FR 19006: encrypted data is secured as long as
/// the key was not on the device that was lost.
const fn meaning(kind: SlotKind, beside: Option<bool>, owner_only: Option<bool>) -> &'static str {
    match (kind, beside, owner_only) {
        (SlotKind::Passphrase, ..) => {
            "the key is in nobody's hands who has only the disk; the passphrase must not lie beside it"
        }
        (SlotKind::Shares, ..) => {
            "the key is in nobody's hands who has only the disk; shares belong to several people"
        }
        (SlotKind::KeyFile, Some(true), _) => {
            "whoever takes the disk takes the key with it: a lost disk is a breach to be reported"
        }
        (SlotKind::KeyFile, Some(false), Some(false)) => {
            "another file system holds the key, but other accounts may read the key file"
        }
        (SlotKind::KeyFile, Some(false), _) => {
            "another file system holds the key; if it is another disk, losing this one is no breach"
        }
        (SlotKind::KeyFile, None, _) => {
            "the key file cannot be seen now, so where it is cannot be said"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_beside_the_data_is_called_a_breach_and_an_unseen_one_nothing() {
        assert!(meaning(SlotKind::KeyFile, Some(true), Some(true)).contains("breach to be"));
        assert!(meaning(SlotKind::KeyFile, None, None).contains("cannot be said"));
        assert!(meaning(SlotKind::KeyFile, Some(false), Some(false)).contains("other accounts"));
    }
}
