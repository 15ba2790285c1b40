//! What can be done, by whom, to what and with what outcome: the vocabulary of the ledger.
//!
//! A name that was once written must never change its meaning or be given to another action. The
//! one table below fixes each action's name and its codes in FHIR R4 AuditEvent (IHE BALP 1.1).

use std::borrow::Cow;
use std::fmt;

use labward_base::id::{
    DeviceId, EntryIndex, PatientId, PeerId, PersonId, RecordId, SiteId, SlotId,
};

/// The action letter of FHIR AuditEvent and DICOM audit messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// Create.
    C,
    /// Read, view or print.
    R,
    /// Update.
    U,
    /// Delete.
    D,
    /// Execute: a query, a start, a check.
    E,
}

impl Letter {
    /// The code of this letter.
    pub const fn code(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::R => "R",
            Self::U => "U",
            Self::D => "D",
            Self::E => "E",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $letter:ident, $dicom:literal,
        $lifecycle:expr, $profile:expr;)+) => {
        /// An act that the ledger records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Action {
            $($(#[$doc])+ $variant,)+
        }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable dotted name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The action with this name.
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            /// The action letter of FHIR AuditEvent.
            pub const fn letter(self) -> Letter {
                match self { $(Self::$variant => Letter::$letter,)+ }
            }

            /// The DICOM code of the kind of event (`AuditEvent.type`).
            pub const fn dicom_code(self) -> &'static str {
                match self { $(Self::$variant => $dicom,)+ }
            }

            /// The code of ISO 21089 for what happened to the record, where it has one.
            pub const fn lifecycle_code(self) -> Option<&'static str> {
                match self { $(Self::$variant => $lifecycle,)+ }
            }

            /// The profile of IHE BALP after which the AuditEvent is shaped, where there is one.
            pub const fn balp_profile(self) -> Option<&'static str> {
                match self { $(Self::$variant => $profile,)+ }
            }
        }
    };
}

// DICOM PS3.16 context group 400: 110100 application activity, 110101 audit log used, 110106
// export, 110107 import, 110108 network entry, 110110 patient record, 110112 query, 110113 security
// alert, 110114 user authentication, 110120 application start, 110121 application stop, 110127
// emergency override started, 110129
// security configuration, 110131 software configuration, 110136 security roles changed.
actions! {
    /// The installation was set up: first entry of a ledger.
    InstallationInitialized = "installation.initialized", C, "110131", Some("originate"), None;
    /// The installation was restored from a backup, behind the entry that opened a new epoch.
    InstallationRestored = "installation.restored", C, "110131", Some("restore"), None;
    /// A person confirmed that delivery may go on after a restore.
    InstallationConfirmed = "installation.confirmed", U, "110131", Some("attest"), None;
    /// A backup of everything but the keys was made.
    BackupCreated = "backup.created", R, "110106", Some("archive"), None;
    /// A restore was tried in a scratch folder, timed and compared.
    BackupDrilled = "backup.drilled", E, "110100", Some("verify"), None;
    /// The parts of a backup were read and compared.
    BackupVerified = "backup.verified", E, "110100", Some("verify"), None;
    /// The server began to accept.
    ServerStarted = "server.started", E, "110120", None, None;
    /// The server stopped in order.
    ServerStopped = "server.stopped", E, "110121", None, None;
    /// The root key was opened.
    ServerUnsealed = "server.unsealed", E, "110129", Some("decrypt"), None;
    /// The clock went back, or leapt; entry times no longer follow it for a while.
    ClockJumped = "clock.jumped", E, "110113", None, None;
    /// A root-key slot was added.
    KeySlotAdded = "key.slot-added", C, "110129", None, None;
    /// A root-key slot was removed.
    KeySlotRemoved = "key.slot-removed", D, "110129", None, None;
    /// A root-key slot was tried without opening the server with it.
    KeySlotTested = "key.slot-tested", E, "110129", Some("verify"), None;
    /// The root key was replaced and the patient keys wrapped anew.
    KeyRotated = "key.rotated", U, "110129", Some("encrypt"), None;
    /// Slots and wrapped keys were copied to a key archive that expires.
    KeyArchived = "key.archived", R, "110106", Some("archive"), None;
    /// A key archive came to the end of its time and was deleted.
    KeyArchiveExpired = "key.archive-expired", D, "110129", Some("destroy"), None;
    /// Two patients were declared one, by a person or by an A18 or A40 message.
    PatientMerged = "patient.merged", U, "110110", Some("merge"), None;
    /// An identifier was linked to a patient.
    PatientLinked = "patient.linked", U, "110110", Some("link"), None;
    /// The key of a patient was destroyed.
    PatientDisposed = "patient.disposed", D, "110110", Some("destroy"), Some("PatientDelete");
    /// A legal hold was set on a patient's records.
    PatientHeld = "patient.held", U, "110110", Some("hold"), Some("PatientUpdate");
    /// A legal hold was lifted.
    PatientHoldLifted = "patient.hold-lifted", U, "110110", Some("unhold"), Some("PatientUpdate");
    /// A person was shown who received, saw and was given a patient's records.
    PatientAccounted = "patient.accounted", R, "110101", Some("access"), None;
    /// A message was checked, sealed and kept.
    MessageReceived = "message.received", C, "110107", Some("receive"), None;
    /// A message was kept for a person to look at.
    MessageHeld = "message.held", C, "110107", Some("receive"), None;
    /// A message was refused and not kept for delivery.
    MessageRefused = "message.refused", C, "110107", None, None;
    /// A message came again and was answered as the first time.
    MessageDuplicate = "message.duplicate", E, "110107", None, None;
    /// A person released a held message for delivery.
    MessageReleased = "message.released", U, "110107", Some("attest"), None;
    /// A person rejected a held message.
    MessageRejected = "message.rejected", U, "110107", Some("attest"), None;
    /// A destination acknowledged a message.
    MessageDelivered = "message.delivered", R, "110106", Some("transmit"), None;
    /// An attempt to deliver a message failed.
    MessageDeliveryFailed = "message.delivery-failed", R, "110106", None, None;
    /// A message was given up and waits as a dead letter.
    MessageDead = "message.dead", R, "110106", None, None;
    /// The server took a message that an edge had queued; the edge let its sealed bytes go.
    MessageForwarded = "message.forwarded", R, "110106", Some("transmit"), None;
    /// A person had a message delivered again.
    MessageResent = "message.resent", R, "110106", Some("transmit"), None;
    /// Connections without a valid certificate were refused, counted per source and minute.
    StrangerRefused = "stranger.refused", E, "110113", None, None;
    /// A peer was made known.
    PeerAdded = "peer.added", C, "110136", None, None;
    /// A peer's certificate was revoked.
    PeerRevoked = "peer.revoked", D, "110136", None, None;
    /// A peer's certificate was renewed.
    PeerRenewed = "peer.renewed", U, "110136", None, None;
    /// What a peer may send, or from where, was changed.
    PeerChanged = "peer.changed", U, "110136", None, None;
    /// A one-time code was made with which an edge may enrol.
    EnrolmentOpened = "enrolment.opened", C, "110136", None, None;
    /// Somebody tried to enrol without a code that holds.
    EnrolmentRefused = "enrolment.refused", E, "110113", None, None;
    /// An edge enrolled with a one-time code; its queue and the key of its ledger are known from now.
    EdgeEnrolled = "edge.enrolled", C, "110136", None, None;
    /// The newest checkpoint of an edge's ledger was found to continue the one before, and kept.
    EdgeCheckpointKept = "edge.checkpoint-kept", U, "110101", Some("verify"), None;
    /// An edge was refused: its ledger does not continue what was seen of it, or it speaks wrongly.
    EdgeRefused = "edge.refused", E, "110113", None, None;
    /// Messages that an edge had acknowledged can not be had from it any more.
    EdgeItemLost = "edge.item-lost", D, "110113", None, None;
    /// A person was made known.
    PersonAdded = "person.added", C, "110136", None, None;
    /// A person was removed.
    PersonRemoved = "person.removed", D, "110136", None, None;
    /// What a person prefers was changed.
    PersonChanged = "person.changed", U, "110100", None, None;
    /// A one-time code was made with which a person chooses login and password.
    PersonInvited = "person.invited", C, "110136", None, None;
    /// What an outside expert is engaged for was set: a period, topics and when access ends.
    EngagementSet = "engagement.set", U, "110136", None, None;
    /// The engagement of an outside expert was over; what they could go on by ended with it.
    EngagementEnded = "engagement.ended", D, "110136", None, None;
    /// What a person signs in with was set, replaced or ended.
    CredentialChanged = "credential.changed", U, "110136", None, None;
    /// A person signed in; the index of this entry is the session's number.
    SessionBegan = "session.began", E, "110114", None, None;
    /// A session ended: signed out, revoked, or its time was over.
    SessionEnded = "session.ended", E, "110114", None, None;
    /// Sign-ins were refused, counted per person or source and minute.
    SessionRefused = "session.refused", E, "110114", None, None;
    /// A token was made with which a program acts in a person's name; its number is this entry's index.
    TokenCreated = "token.created", C, "110136", None, None;
    /// A token was ended.
    TokenEnded = "token.ended", D, "110136", None, None;
    /// Files were imported as records.
    RecordImported = "record.imported", C, "110107", Some("originate"), None;
    /// Records were searched for; the query is in the sealed detail.
    RecordSearched = "record.searched", E, "110112", Some("access"), None;
    /// A record or a patient was shown in full.
    RecordShown = "record.shown", R, "110110", Some("access"), Some("PatientRead");
    /// Records left the installation.
    RecordExported = "record.exported", R, "110106", Some("disclose"),
        Some("PrivacyDisclosure.Source");
    /// A person opened an emergency access; its number is the index of this entry.
    BreakGlassOpened = "break-glass.opened", C, "110127", None, None;
    /// A person ended their emergency access before its time was over.
    BreakGlassEnded = "break-glass.ended", U, "110127", None, None;
    /// A second person reviewed an emergency access that is over.
    BreakGlassReviewed = "break-glass.reviewed", U, "110127", Some("attest"), None;
    /// The payload of a record was deleted at the end of its retention.
    RecordExpired = "record.expired", D, "110110", Some("destroy"), None;
    /// A list was taken out as a file.
    ListExported = "list.exported", R, "110106", Some("extract"), None;
    /// The ledger was exported.
    LedgerExported = "ledger.exported", R, "110101", Some("extract"), None;
    /// The ledger was verified.
    LedgerVerified = "ledger.verified", E, "110101", Some("verify"), None;
    /// The ledger could be written again; facts say what came from the reserve.
    LedgerResumed = "ledger.resumed", U, "110113", None, None;
    /// The ledger went on under a new origin after a restore from a backup.
    LedgerEpochOpened = "ledger.epoch-opened", C, "110113", Some("restore"), None;
    /// A finding began to hold.
    FindingRaised = "finding.raised", C, "110113", None, None;
    /// A finding no longer holds.
    FindingCleared = "finding.cleared", U, "110113", None, None;
    /// A person decided about a requirement of the rule, until a day.
    SafeguardDecided = "safeguard.decided", U, "110129", Some("attest"), None;
    /// A person took a decision about a requirement back.
    SafeguardDecisionWithdrawn = "safeguard.decision-withdrawn", D, "110129", None, None;
    /// A device became known: a person said so, or a peer that was bound to none.
    DeviceAdded = "device.added", C, "110131", None, None;
    /// A person said something else of a device, or bound a peer to it.
    DeviceChanged = "device.changed", U, "110131", None, None;
    /// A person attached to a device or a model what its manufacturer discloses: a bill of materials or MDS2.
    DeviceDisclosed = "device.disclosed", C, "110131", None, None;
    /// A person took such a disclosure away.
    DeviceDisclosureRemoved = "device.disclosure-removed", D, "110131", None, None;
    /// A person took down whether a vendor approves a patch for a model.
    DevicePatchStated = "device.patch-stated", C, "110131", None, None;
    /// A person took that back.
    DevicePatchWithdrawn = "device.patch-withdrawn", D, "110131", None, None;
    /// A list of devices was taken over from a file.
    DeviceImported = "device.imported", C, "110131", None, None;
    /// A person declared two devices one.
    DeviceMerged = "device.merged", U, "110131", Some("merge"), None;
    /// A person removed a device from what is there.
    DeviceRemoved = "device.removed", D, "110131", None, None;
    /// A peer said something new of its device.
    DeviceSeen = "device.seen", U, "110131", None, None;
    /// A person took a merged device apart again.
    DeviceSplit = "device.split", U, "110131", Some("unmerge"), None;
    /// What was heard on a network held conversations that were not known.
    TrafficHeard = "traffic.heard", C, "110131", None, None;
    /// A device does something on its line that it does not usually do.
    BehaviourAlerted = "behaviour.alerted", C, "110127", None, None;
    /// A person said whether what a device did is expected.
    BehaviourAnswered = "behaviour.answered", U, "110131", None, None;
    /// What a device did otherwise is over.
    BehaviourEnded = "behaviour.ended", U, "110127", None, None;
    /// A device talks to somebody, or in a way, that nobody expected.
    ConduitAlerted = "conduit.alerted", C, "110127", None, None;
    /// A person approved or refused a conduit of a device.
    ConduitDecided = "conduit.decided", U, "110131", None, None;
    /// A person decided how the conduits of a device are treated.
    SegmentationChanged = "segmentation.changed", U, "110131", None, None;
    /// What a machine that forwards has loaded of the rules is other than before.
    SegmentationMeasured = "segmentation.measured", U, "110127", None, None;
    /// Advisories and the like were taken over from a source.
    AdvisoryImported = "advisory.imported", C, "110131", None, None;
    /// What published vulnerabilities concern a device is other than before.
    HitChanged = "hit.changed", U, "110131", None, None;
    /// A person decided how a hit is treated: patch, control, acceptance or replacement.
    HitTreated = "hit.treated", U, "110131", None, None;
    /// A person said that two names are one product or not, or how a device stands to a vulnerability.
    HitStated = "hit.stated", C, "110131", None, None;
    /// A person took such a statement back.
    HitStatementWithdrawn = "hit.statement-withdrawn", D, "110131", None, None;
    /// Malware, or something that is taken for it, was found in what came in or was looked at again.
    MalwareFound = "malware.found", C, "110113", None, None;
    /// A person closed a detection: what was done about it, or that it was none.
    MalwareClosed = "malware.closed", U, "110131", Some("attest"), None;
    /// Something was put into quarantine, sealed under a key of its own.
    MalwareQuarantined = "malware.quarantined", C, "110107", Some("encrypt"), None;
    /// What could name somebody of something in quarantine was shown.
    QuarantineShown = "quarantine.shown", R, "110110", Some("access"), None;
    /// A person asked for something to be given back from quarantine.
    QuarantineRestoreAsked = "quarantine.restore-asked", U, "110131", None, None;
    /// A second person agreed that something is given back, or refused it.
    QuarantineRestoreDecided = "quarantine.restore-decided", U, "110131", Some("attest"), None;
    /// Something was given back from quarantine, bit for bit.
    QuarantineRestored = "quarantine.restored", R, "110106", Some("restore"), None;
    /// Whoever holds a file of which a copy lies in quarantine said what became of it: removed or not and why, gone,
    /// written back or not and why.
    QuarantineReported = "quarantine.reported", U, "110113", None, None;
    /// Something in quarantine was handed to an expert, encrypted to them.
    QuarantineSubmitted = "quarantine.submitted", R, "110106", Some("disclose"), None;
    /// Something in quarantine was destroyed with its key: its time was over, a person wished so, or its patient's
    /// records were disposed of.
    QuarantineDestroyed = "quarantine.destroyed", D, "110110", Some("destroy"), None;
    /// A person brought rules or hashes by which malware is found.
    RuleSetImported = "rule-set.imported", C, "110131", None, None;
    /// A person said whether what a set of rules finds is malware without a person's look at it.
    RuleSetApproved = "rule-set.approved", U, "110131", Some("attest"), None;
    /// A person took a set of rules or hashes away.
    RuleSetRetired = "rule-set.retired", D, "110131", None, None;
    /// What was received before was looked at again with other rules.
    MalwareRescanned = "malware.rescanned", E, "110100", Some("verify"), None;
    /// Nothing could be looked at for malware, or again it could.
    ScannerChanged = "scanner.changed", U, "110113", None, None;
    /// Files that are watched were compared with how they were.
    IntegrityCompared = "integrity.compared", E, "110100", Some("verify"), None;
    /// A person said that changed files are as they should be, or not.
    IntegrityDecided = "integrity.decided", U, "110131", Some("attest"), None;
    /// Delivery to a destination was stopped until a person lets it go on.
    DestinationHeld = "destination.held", U, "110100", None, None;
    /// Delivery to a destination went on.
    DestinationReleased = "destination.released", U, "110100", None, None;
    /// The server's own certificate was renewed.
    CertificateRenewed = "certificate.renewed", U, "110129", None, None;
    /// A configuration took effect, or was refused while the server ran.
    ConfigLoaded = "config.loaded", U, "110131", None, None;
    /// A new secret was made with which a webhook's events are signed.
    WebhookSecretChanged = "webhook.secret-changed", U, "110129", None, None;
    /// A person had a signed test event sent to a webhook.
    WebhookTested = "webhook.tested", E, "110100", Some("verify"), None;
    /// Labward gave a webhook up: it answered 410, or nothing good for days.
    WebhookStopped = "webhook.stopped", U, "110113", None, None;
    /// A person let a webhook go on.
    WebhookResumed = "webhook.resumed", U, "110100", None, None;
    /// A reminder was sent to a recipient, or could not be; the first failure of a row is recorded.
    ReminderSent = "reminder.sent", E, "110100", None, None;
    /// A person had a test mail sent to a recipient of reminders.
    ReminderTested = "reminder.tested", E, "110100", Some("verify"), None;
}

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A machine that holds a certificate.
    Peer(PeerId),
    /// A person of the lab.
    Person(PersonId),
    /// Labward itself.
    System,
}

/// How the act ended; the codes are those of the table of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome<C = &'static str> {
    /// It was done.
    Success,
    /// It was refused, with the code of the reason: an outcome, not an error.
    Refused(C),
    /// It was tried and failed, with the code of the cause.
    Failed(C),
}

/// What was acted upon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The advisories that the lab holds, as a whole.
    Advisories,
    /// A destination, by its name in the configuration.
    Destination(Cow<'static, str>),
    /// A device of the lab.
    Device(DeviceId),
    /// The devices as a whole, such as in an import.
    Devices,
    /// An entry of this ledger.
    Entry(EntryIndex),
    /// A finding, by its code.
    Finding(Cow<'static, str>),
    /// This installation.
    Installation,
    /// The files of a machine that are compared with how they were, by the name of the baseline.
    Baseline(Cow<'static, str>),
    /// Something that was found to be malware, or taken for it.
    Detection(u64),
    /// The ledger as a whole.
    Ledger,
    /// What is done against malware, as a whole.
    Malware,
    /// Something in quarantine.
    Quarantined(u64),
    /// A set of rules or hashes by which malware is found.
    RuleSet(u64),
    /// A link, by its name in the configuration.
    Link(Cow<'static, str>),
    /// A patient.
    Patient(PatientId),
    /// A peer.
    Peer(PeerId),
    /// A person.
    Person(PersonId),
    /// A record.
    Record(RecordId),
    /// A recipient of reminders, by its name in the configuration.
    Recipient(Cow<'static, str>),
    /// The records as a whole, such as in a search.
    Records,
    /// A requirement of the rule, by its citation.
    Safeguard(Cow<'static, str>),
    /// A site.
    Site(SiteId),
    /// A root-key slot.
    Slot(SlotId),
    /// Where a connection came from, as an address without its port.
    Source(Cow<'static, str>),
    /// A webhook, by its name in the configuration.
    Webhook(Cow<'static, str>),
}

impl<C: AsRef<str>> Outcome<C> {
    /// This outcome with its code borrowed.
    pub fn as_str(&self) -> Outcome<&str> {
        match self {
            Self::Success => Outcome::Success,
            Self::Refused(code) => Outcome::Refused(code.as_ref()),
            Self::Failed(code) => Outcome::Failed(code.as_ref()),
        }
    }
}

impl Outcome<String> {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "success" => Some(Self::Success),
            Some(("refused", code)) if !code.is_empty() => Some(Self::Refused(code.to_owned())),
            Some(("failed", code)) if !code.is_empty() => Some(Self::Failed(code.to_owned())),
            _ => None,
        }
    }
}

impl Actor {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "system" => Some(Self::System),
            Some(("peer", id)) => id.parse().ok().map(Self::Peer),
            Some(("person", id)) => id.parse().ok().map(Self::Person),
            _ => None,
        }
    }

    /// The parts of this actor's text: `peer:7` is `("peer", Some(7))`.
    pub(crate) const fn parts(self) -> (&'static str, Option<u64>) {
        match self {
            Self::Peer(id) => ("peer", Some(id.get())),
            Self::Person(id) => ("person", Some(id.get())),
            Self::System => ("system", None),
        }
    }
}

/// What stands after the colon in a subject's text.
pub(crate) enum SubjectKey<'a> {
    Name(&'a str),
    None,
    Number(u64),
}

impl Subject {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((kind, key)) = text.split_once(':') else {
            return match text {
                "advisories" => Some(Self::Advisories),
                "devices" => Some(Self::Devices),
                "installation" => Some(Self::Installation),
                "ledger" => Some(Self::Ledger),
                "malware" => Some(Self::Malware),
                "records" => Some(Self::Records),
                _ => None,
            };
        };
        let name = || (!key.is_empty()).then(|| Cow::Owned(key.to_owned()));
        match kind {
            "baseline" => name().map(Self::Baseline),
            "detection" => key.parse().ok().map(Self::Detection),
            "quarantined" => key.parse().ok().map(Self::Quarantined),
            "rule-set" => key.parse().ok().map(Self::RuleSet),
            "destination" => name().map(Self::Destination),
            "device" => key.parse().ok().map(Self::Device),
            "entry" => key.parse().ok().map(Self::Entry),
            "finding" => name().map(Self::Finding),
            "link" => name().map(Self::Link),
            "patient" => key.parse().ok().map(Self::Patient),
            "peer" => key.parse().ok().map(Self::Peer),
            "person" => key.parse().ok().map(Self::Person),
            "recipient" => name().map(Self::Recipient),
            "record" => key.parse().ok().map(Self::Record),
            "safeguard" => name().map(Self::Safeguard),
            "site" => key.parse().ok().map(Self::Site),
            "slot" => key.parse().ok().map(Self::Slot),
            "source" => name().map(Self::Source),
            "webhook" => name().map(Self::Webhook),
            _ => None,
        }
    }

    /// The kind of this subject and what tells it from others of its kind.
    pub(crate) fn parts(&self) -> (&'static str, SubjectKey<'_>) {
        match self {
            Self::Advisories => ("advisories", SubjectKey::None),
            Self::Baseline(name) => ("baseline", SubjectKey::Name(name)),
            Self::Detection(id) => ("detection", SubjectKey::Number(*id)),
            Self::Malware => ("malware", SubjectKey::None),
            Self::Quarantined(id) => ("quarantined", SubjectKey::Number(*id)),
            Self::RuleSet(id) => ("rule-set", SubjectKey::Number(*id)),
            Self::Destination(name) => ("destination", SubjectKey::Name(name)),
            Self::Device(id) => ("device", SubjectKey::Number(id.get())),
            Self::Devices => ("devices", SubjectKey::None),
            Self::Entry(index) => ("entry", SubjectKey::Number(index.get())),
            Self::Finding(code) => ("finding", SubjectKey::Name(code)),
            Self::Installation => ("installation", SubjectKey::None),
            Self::Ledger => ("ledger", SubjectKey::None),
            Self::Link(name) => ("link", SubjectKey::Name(name)),
            Self::Patient(id) => ("patient", SubjectKey::Number(id.get())),
            Self::Peer(id) => ("peer", SubjectKey::Number(id.get())),
            Self::Person(id) => ("person", SubjectKey::Number(id.get())),
            Self::Recipient(name) => ("recipient", SubjectKey::Name(name)),
            Self::Record(id) => ("record", SubjectKey::Number(id.get())),
            Self::Records => ("records", SubjectKey::None),
            Self::Safeguard(citation) => ("safeguard", SubjectKey::Name(citation)),
            Self::Site(id) => ("site", SubjectKey::Number(id.get().into())),
            Self::Slot(id) => ("slot", SubjectKey::Number(id.get().into())),
            Self::Source(name) => ("source", SubjectKey::Name(name)),
            Self::Webhook(name) => ("webhook", SubjectKey::Name(name)),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (kind, Some(id)) => write!(f, "{kind}:{id}"),
            (kind, None) => f.write_str(kind),
        }
    }
}

impl<C: AsRef<str>> fmt::Display for Outcome<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Outcome::Success => f.write_str("success"),
            Outcome::Refused(code) => write!(f, "refused:{code}"),
            Outcome::Failed(code) => write!(f, "failed:{code}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (kind, SubjectKey::None) => f.write_str(kind),
            (kind, SubjectKey::Name(name)) => write!(f, "{kind}:{name}"),
            (kind, SubjectKey::Number(number)) => write!(f, "{kind}:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_action_has_a_name_of_its_own_and_is_found_by_it() {
        let mut seen = HashSet::new();
        for action in Action::ALL {
            assert!(seen.insert(action.name()), "{action} stands twice");
            assert_eq!(Action::by_name(action.name()), Some(*action));
            let (room, act) = action.name().split_once('.').unwrap();
            let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            assert!(plain(room) && plain(act), "{action}");
        }
        assert_eq!(Action::by_name("message.lost"), None);
    }

    #[test]
    fn who_what_and_how_are_read_back_as_written() {
        for subject in [
            Subject::Advisories,
            Subject::Baseline("sysmex-pc".into()),
            Subject::Detection(9),
            Subject::Malware,
            Subject::Quarantined(10),
            Subject::RuleSet(11),
            Subject::Destination("EHR : north".into()),
            Subject::Device(DeviceId::new(7)),
            Subject::Devices,
            Subject::Entry(EntryIndex::new(0)),
            Subject::Finding("tls.plain-listener".into()),
            Subject::Installation,
            Subject::Ledger,
            Subject::Link("sysmex".into()),
            Subject::Patient(PatientId::new(1)),
            Subject::Peer(PeerId::new(2)),
            Subject::Person(PersonId::new(3)),
            Subject::Record(RecordId::new(u64::MAX)),
            Subject::Records,
            Subject::Safeguard("164.312(a)(2)(iv)".into()),
            Subject::Site(SiteId::new(4)),
            Subject::Slot(SlotId::new(5)),
            Subject::Source("2001:db8::1".into()),
            Subject::Recipient("manager".into()),
            Subject::Webhook("alarm".into()),
        ] {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
        }
        for actor in [
            Actor::System,
            Actor::Peer(PeerId::new(1)),
            Actor::Person(PersonId::new(2)),
        ] {
            assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
        }
        for text in ["success", "refused:gateway.too-large", "failed:a:b"] {
            assert_eq!(Outcome::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "refused", "refused:", "done", "success:x"] {
            assert_eq!(Outcome::parse(text), None, "{text}");
        }
        for text in [
            "", "record", "record:", "record:x", "link:", "ledger:1", "door:1",
        ] {
            assert_eq!(Subject::parse(text), None, "{text}");
        }
    }
}
