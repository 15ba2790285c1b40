//! The events: a closed list of what the ledger records, and what a receiver is told of each.
//!
//! It must never tell anything that names a patient or leads to one: an event is made of the entry's
//! place and time, of who acted, of the outcome's code, and of a subject that is neither a patient nor
//! a record. Facts and details of an entry stay here; whoever is told asks the API, where it is
//! recorded who looked.

use labward_api::webhook::{EventData, WebhookEvent};
use labward_base::id::EntryIndex;
use labward_ledger::{Action, Epoch, Leaf, Subject};
use labward_seal::sha256;

/// What the name of a test event is; no entry leads to it by itself.
pub(super) const TEST: &str = "webhook.test";

/// The events, each with what it means.
pub(crate) const EVENTS: &[(Action, &str)] = &[
    (
        Action::FindingRaised,
        "something about this installation is wrong from now on",
    ),
    (Action::FindingCleared, "a finding no longer holds"),
    (
        Action::MessageHeld,
        "a message waits for a person to look at it",
    ),
    (
        Action::MessageDead,
        "a message was given up and waits as a dead letter",
    ),
    (
        Action::DestinationHeld,
        "delivery to a destination was stopped",
    ),
    (
        Action::DestinationReleased,
        "delivery to a destination goes on",
    ),
    (
        Action::BreakGlassOpened,
        "somebody opened an emergency access",
    ),
    (
        Action::BreakGlassEnded,
        "an emergency access was ended before its time",
    ),
    (
        Action::BreakGlassReviewed,
        "a second person reviewed an emergency access",
    ),
    (Action::PersonAdded, "a person was added"),
    (Action::PersonRemoved, "a person was removed"),
    (
        Action::CredentialChanged,
        "what a person signs in with was set, replaced or ended",
    ),
    (Action::SessionRefused, "sign-ins were refused"),
    (Action::TokenCreated, "a token was made for a program"),
    (Action::PeerAdded, "a machine was made known"),
    (
        Action::BehaviourAlerted,
        "a device does on its line what it does not usually do",
    ),
    (
        Action::ConduitAlerted,
        "a device talks to somebody, or in a way, that nobody expected",
    ),
    (
        Action::HitChanged,
        "published vulnerabilities concern a device, or concern it no more",
    ),
    (
        Action::HitTreated,
        "somebody decided how hits of a device are treated",
    ),
    (
        Action::MalwareFound,
        "malware, or something that is taken for it, was found",
    ),
    (
        Action::QuarantineRestoreAsked,
        "somebody asked for something to be given back from quarantine",
    ),
    (
        Action::ScannerChanged,
        "nothing can be looked at for malware, or again it can",
    ),
    (
        Action::IntegrityCompared,
        "watched files are other than they were",
    ),
    (Action::PeerRevoked, "a machine's certificate was revoked"),
    (
        Action::EnrolmentRefused,
        "somebody tried to enrol an edge without a code that holds",
    ),
    (
        Action::EdgeRefused,
        "an edge was refused: its ledger does not continue, or it speaks wrongly",
    ),
    (
        Action::EdgeItemLost,
        "messages that an edge had acknowledged are lost",
    ),
    (Action::BackupCreated, "a backup was made, or failed"),
    (Action::BackupDrilled, "a restore was tried, or failed"),
    (
        Action::InstallationRestored,
        "the installation was restored from a backup",
    ),
    (Action::KeySlotAdded, "a slot of the root key was added"),
    (Action::KeySlotRemoved, "a slot of the root key was removed"),
    (Action::KeyRotated, "the root key was replaced"),
    (
        Action::CertificateRenewed,
        "the server's certificate was renewed, or could not be",
    ),
    (
        Action::ConfigLoaded,
        "a configuration took effect, or was refused",
    ),
    (Action::ClockJumped, "the clock went back, or leapt"),
    (
        Action::LedgerEpochOpened,
        "the ledger goes on under a new origin",
    ),
    (Action::LedgerResumed, "the ledger can be written again"),
    (
        Action::LedgerVerified,
        "the ledger was verified, or found damaged",
    ),
    (Action::ServerStarted, "the server began to accept"),
    (Action::ServerStopped, "the server stopped in order"),
    (Action::WebhookSecretChanged, "a webhook got a new secret"),
    (Action::WebhookStopped, "a webhook was given up"),
    (Action::WebhookResumed, "a webhook goes on"),
];

/// What is sent: the same bytes at each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Where it stands in the ledger.
    pub(super) index: EntryIndex,
    /// `webhook-id`: the same however often it is sent.
    pub(super) id: String,
    /// The JSON.
    pub(super) body: String,
}

/// The event of this name.
pub(crate) fn by_name(name: &str) -> Option<Action> {
    let found = EVENTS.iter().find(|(action, _)| action.name() == name);
    found.map(|(action, _)| *action)
}

/// Every event's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    EVENTS.iter().map(|(action, _)| action.name())
}

impl Event {
    /// What is told of an entry under this `name`. `first` is the leaf of the ledger's first entry,
    /// which tells one lab from another.
    pub(super) fn of(name: &str, leaf: &Leaf, epochs: &[Epoch], first: &[u8]) -> Self {
        let epoch = epochs.iter().rfind(|epoch| epoch.first <= leaf.index);
        let number = epoch.map_or(1, |epoch| epoch.number);
        let event = WebhookEvent {
            kind: name.to_owned(),
            timestamp: leaf.time.to_rfc3339(),
            data: EventData {
                ledger: epoch.map_or_else(String::new, |epoch| epoch.origin.clone()),
                entry: leaf.index.get(),
                actor: leaf.actor.to_string(),
                subject: told(&leaf.subject).then(|| leaf.subject.to_string()),
                outcome: leaf.outcome.to_string(),
            },
        };
        let [a, b, c, d, ..] = sha256(first);
        Self {
            index: leaf.index,
            id: format!("evt_{a:02x}{b:02x}{c:02x}{d:02x}_{number}_{}", leaf.index),
            // Text and numbers only, which cannot fail.
            body: serde_json::to_string(&event).unwrap_or_default(),
        }
    }
}

/// Whether a receiver may be told what was acted upon.
const fn told(subject: &Subject) -> bool {
    match subject {
        Subject::Patient(_) | Subject::Record(_) | Subject::Records => false,
        Subject::Advisories
        | Subject::Baseline(_)
        | Subject::Destination(_)
        | Subject::Detection(_)
        | Subject::Malware
        | Subject::Quarantined(_)
        | Subject::RuleSet(_)
        | Subject::Device(_)
        | Subject::Devices
        | Subject::Entry(_)
        | Subject::Finding(_)
        | Subject::Installation
        | Subject::Ledger
        | Subject::Link(_)
        | Subject::Peer(_)
        | Subject::Person(_)
        | Subject::Recipient(_)
        | Subject::Safeguard(_)
        | Subject::Site(_)
        | Subject::Slot(_)
        | Subject::Source(_)
        | Subject::Webhook(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use labward_base::Timestamp;
    use labward_base::id::{PatientId, PersonId, RecordId};
    use labward_ledger::{Actor, Facts, Outcome, TRAFFIC};

    use super::*;
    use crate::folder::{NODE, SITE};

    fn leaf(action: Action, subject: Subject) -> Leaf {
        Leaf {
            index: EntryIndex::new(41),
            node: NODE,
            site: SITE,
            time: Timestamp::from_seconds(1_800_000_000),
            actor: Actor::Person(PersonId::new(3)),
            action,
            subject,
            outcome: Outcome::Success,
            facts: Facts::new().text("detail", "SECRET-FACT"),
            detail: Some(b"SECRET-DETAIL".to_vec()),
            record: Some(RecordId::new(987_654)),
            patient: Some(PatientId::new(123_456)),
            kind: 1,
            payload: None,
        }
    }

    fn epoch(number: u32, first: u64) -> Epoch {
        Epoch {
            number,
            origin: format!("labward.local/main/{number}"),
            first: EntryIndex::new(first),
            cites: None,
        }
    }

    #[test]
    fn no_event_is_the_traffic_of_messages_or_stands_twice() {
        let all: BTreeSet<&str> = names().collect();
        assert_eq!(all.len(), EVENTS.len());
        assert!(TRAFFIC.iter().all(|action| !all.contains(action.name())));
        assert!(by_name(TEST).is_none());
    }

    #[test]
    fn neither_patient_nor_record_nor_fact_nor_detail_leaves_with_any_event() {
        for (action, _) in EVENTS {
            for subject in [
                Subject::Patient(PatientId::new(123_456)),
                Subject::Record(RecordId::new(987_654)),
                Subject::Records,
            ] {
                let leaf = leaf(*action, subject);
                let event = Event::of(action.name(), &leaf, &[epoch(1, 0)], b"first");
                for hidden in ["123456", "987654", "SECRET", "record:", "patient:"] {
                    assert!(!event.body.contains(hidden), "{}", event.body);
                }
                assert!(event.body.contains("\"subject\":null"), "{}", event.body);
            }
        }
    }

    #[test]
    fn an_id_is_the_entrys_own_and_differs_between_labs_and_epochs() {
        let leaf = leaf(Action::PersonRemoved, Subject::Person(PersonId::new(9)));
        let of = |epochs: &[Epoch], first: &[u8]| Event::of("person.removed", &leaf, epochs, first);
        let one = of(&[epoch(1, 0)], b"first");
        assert_eq!(one, of(&[epoch(1, 0), epoch(2, 42)], b"first"));
        assert!(one.id.starts_with("evt_") && one.id.ends_with("_1_41"));
        assert!(!one.id.contains('.'), "what is signed is read in one way");
        assert_ne!(one.id, of(&[epoch(1, 0), epoch(2, 41)], b"first").id);
        assert_ne!(one.id, of(&[epoch(1, 0)], b"another lab").id);
        assert_eq!(
            one.body,
            "{\"type\":\"person.removed\",\"timestamp\":\"2027-01-15T08:00:00.000000Z\",\
             \"data\":{\"ledger\":\"labward.local/main/1\",\"entry\":41,\"actor\":\"person:3\",\
             \"subject\":\"person:9\",\"outcome\":\"success\"}}"
        );
    }
}
