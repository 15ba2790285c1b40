//! The one table of endpoints: what each is called, who may, what it takes and gives.
//!
//! The router, the authorization and `docs/ref/api.md` are made from it, so that no endpoint exists
//! without a permission. Access control is 45 CFR 164.312(a)(1).

use std::fmt::Write as _;

use labward_api::PREFIX;
use labward_base::problem;
use labward_identity::{NEVER_BY_TOKEN, Permission, Role};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::{
    account, advisory, approval, backup, behaviour, calendar, check, conduit, config, device,
    disclosure, edge, entries, export, glass, hit, inspect, integrity, key, ledger, mail, malware,
    message, openapi, path, patient, peer, person, record, safeguard, session, status, vex,
    webhook,
};
use crate::malware::imports::{self, Brought, Content};

/// One endpoint.
pub(crate) struct Endpoint {
    /// Its verb.
    pub(crate) verb: Verb,
    /// Its path below [`PREFIX`].
    pub(crate) path: &'static str,
    /// What a person must be permitted to do.
    pub(crate) permission: Permission,
    /// What the body is.
    pub(crate) takes: Takes,
    /// What the answer is.
    pub(crate) gives: &'static str,
    /// What it does, in a sentence.
    pub(crate) does: &'static str,
    /// Does it.
    pub(crate) handler: fn(&Call) -> Result<Answer, Failure>,
}

/// A verb of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Delete,
    Get,
    Post,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A file, at most 256 MiB.
    File,
    /// A file, at most 256 MiB, with the members of this type in the query string.
    FileBy(&'static str),
    /// JSON of this type, at most 1 MiB.
    Json(&'static str),
    /// Nothing in the body, the members of this type in the query string.
    Query(&'static str),
    /// Nothing.
    Nothing,
    /// A form with a part `about`, JSON of this type, and then a part `content`, bytes; read while it comes in.
    Form(&'static str),
    /// A file of any size, read while it comes in.
    Upload,
}

impl Endpoint {
    /// Does it for somebody who may. A file that somebody brings is looked at first, the only one that is not being rules:
    /// they hold what they look for.
    ///
    /// # Errors
    /// What its handler reports, or that the file is malware.
    pub(crate) fn run(&self, call: &Call) -> Result<Answer, Failure> {
        match self.takes {
            FileBy("ImportRuleSet") => {}
            File | FileBy(_) | Json("ImportDevices") => {
                let brought = Brought {
                    endpoint: self.path,
                    name: call.file_name(),
                    by: call.actor(),
                    content: Content::Memory(call.body.clone()),
                };
                imports::admit(&call.core, &brought)?;
            }
            // What is read while it comes in is looked at by its handler, once it lies sealed.
            Form(_) | Json(_) | Nothing | Query(_) | Upload => {}
        }
        (self.handler)(call)
    }
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl Takes {
    /// Bytes that the body may have.
    pub(crate) const fn limit_bytes(self) -> usize {
        match self {
            Self::File | Self::FileBy(_) => 256 << 20,
            Self::Json(_) => 1 << 20,
            // Clients send an empty object where nothing is needed.
            Self::Query(_) | Self::Nothing => 1 << 10,
            // Not held in memory.
            Self::Form(_) | Self::Upload => 0,
        }
    }

    /// Whether its handler reads it while it comes in.
    pub(crate) const fn is_streamed(self) -> bool {
        matches!(self, Self::Form(_) | Self::Upload)
    }

    /// What it is, for people.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::File => "a file of at most 256 MiB; `?ending=&why=`".to_owned(),
            Self::FileBy(name) => {
                let members = openapi::members(name).join("=&");
                format!("a file of at most 256 MiB; `?{members}=`")
            }
            Self::Json(name) => format!("`{name}`"),
            Self::Query(name) => format!("`?{}=`", openapi::members(name).join("=&")),
            Self::Nothing => "–".to_owned(),
            Self::Form(name) => {
                format!(
                    "a form (`multipart/form-data`): `about`, a `{name}`, then `content`, bytes"
                )
            }
            Self::Upload => "a file of any size; `?why=`".to_owned(),
        }
    }
}

macro_rules! endpoints {
    ($($verb:ident $path:literal, $permission:ident, $takes:expr, $gives:literal, $handler:path,
        $does:literal;)+) => {
        /// Every endpoint, in the order of the reference.
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            verb: Verb::$verb,
            path: $path,
            permission: Permission::$permission,
            takes: $takes,
            gives: $gives,
            does: $does,
            handler: $handler,
        }),+];
    };
}

use Takes::{File, FileBy, Form, Json, Nothing, Query, Upload};

endpoints! {
    Get "status", StatusRead, Nothing, "Status", status::status,
        "What the server is doing now";
    Get "openapi.json", StatusRead, Nothing, "OpenAPI 3.1", openapi::openapi,
        "This API as an OpenAPI document";
    Get "check", StatusRead, Nothing, "Check", check::check,
        "What is wrong with this installation, the most harmful first";
    Get "config/preview", ConfigRead, Nothing, "Reload", config::preview,
        "What a reload would change, key by key, and whether it would be refused";
    Get "config", ConfigRead, Nothing, "Configuration", config::show,
        "What of the configuration in force can be changed here, with its values and its SHA-256";
    Post "config/preview", ConfigRead, Json("PreviewConfig"), "ConfigPreview", config::look_at,
        "What edits of the configuration would change, whether they would be refused, and what others changed meanwhile";
    Post "config/change", ConfigChange, Json("ChangeConfig"), "Reload", config::change,
        "Writes edits into labward.toml and puts it in force: all of them, or nothing";
    Post "config/reload", ConfigChange, Json("Why"), "Reload", config::reload,
        "Puts labward.toml in force as it is now: all of it, or nothing";
    Get "destinations", StatusRead, Nothing, "[DestinationStatus]", status::destinations,
        "The destinations and what waits for them";
    Post "destinations/{name}/resume", MessageResend, Json("Why"), "Done", status::resume,
        "Lets a stopped destination go on";
    Get "webhooks", StatusRead, Nothing, "[WebhookStatus]", webhook::list,
        "The receivers of events and how far each was told";
    Post "webhooks/{name}/secret", ConfigChange, Json("NewWebhookSecret"), "AddedWebhookSecret",
        webhook::secret,
        "Makes the secret with which a webhook's events are signed; it is in the answer this once";
    Post "webhooks/{name}/test", ConfigChange, Nothing, "TestedWebhook", webhook::test,
        "Sends a signed test event and says what the receiver answered";
    Post "webhooks/{name}/resume", ConfigChange, Json("Why"), "Done", webhook::resume,
        "Lets a webhook that was given up go on from where it stopped";
    Get "integrity", MalwareRead, Nothing, "[IntegrityBaseline]", integrity::list,
        "Baselines of the files of machines: what was otherwise when they were compared last, and what waits for a person";
    Post "integrity/compared", IntegrityReport, Json("IntegrityCompared"), "IntegrityBaseline", integrity::compared,
        "Records what came of a comparison of files with a baseline, or that a baseline was made; without the name of any file";
    Post "integrity/decide", MalwareDecide, Json("DecideIntegrity"), "Done", integrity::decide,
        "Says of open changes whether they are as they should be";
    Get "mail", StatusRead, Nothing, "[MailStatus]", mail::list,
        "The recipients of reminders by e-mail, and whether these go out";
    Post "mail/{name}/test", ConfigChange, Nothing, "TestedMail", mail::test,
        "Sends a test mail to a recipient and says what the mail server answered";
    Post "malware/inspect", MalwareInspect, Form("InspectAbout"), "Inspected", inspect::inspect,
        "Looks at a file or mail for malware, and puts it into quarantine if that is asked for";
    Get "malware/status", MalwareRead, Nothing, "MalwareStatus", inspect::status,
        "How the scanner is, what it found, and how far looking again with new rules is";
    Post "unseal", KeyUnseal, Json("Opener"), "Done", key::unseal,
        "Opens the root key with one slot, and then the listeners";
    Get "key/slots", KeyRead, Nothing, "[Slot]", key::slots,
        "The slots of the root key";
    Post "key/slots", KeyChange, Json("NewSlot"), "AddedSlot", key::add,
        "Adds a slot; recovery shares are in the answer this once";
    Delete "key/slots/{id}", KeyChange, Nothing, "Done", key::remove,
        "Removes a slot, never the last one";
    Post "key/slots/{id}/test", KeyChange, Json("Opener"), "Done", key::test,
        "Proves that a slot opens the root key";
    Post "key/rotate", KeyChange, Nothing, "Rotation", key::rotate,
        "Replaces the root key and wraps every key anew";
    Get "key/where", KeyRead, Nothing, "[SlotPlace]", key::places,
        "Where each slot's private half lives";
    Get "key/archives", KeyRead, Nothing, "[KeyArchive]", backup::archives,
        "The archives of wrapped keys, the newest first";
    Post "key/archives", KeyChange, Json("NewKeyArchive"), "KeyArchive", backup::archive,
        "Copies slots and wrapped keys into a folder of their own, until a day";
    Post "key/archives/expire", KeyChange, Nothing, "ExpiredArchives", backup::expire,
        "Deletes the archives whose time is over";
    Post "backups/create", BackupRun, Json("NewBackup"), "Backup", backup::create,
        "Backs up everything but the keys, written only where it changed";
    Post "backups/verify", BackupRun, Json("VerifyBackup"), "VerifiedBackup", backup::verify,
        "Reads every part of the backups in a folder and compares it with what was signed";
    Post "backups/drill", BackupRun, Json("Drill"), "Drilled", backup::drill,
        "Restores into a scratch folder, opens a sample of records, and records how long it took";
    Post "backups/confirm", BackupConfirm, Json("Why"), "Done", backup::confirm,
        "Lets delivery go on after a restore";
    Get "peers", PeerRead, Nothing, "[Peer]", peer::peers,
        "The machine peers; of an edge also when it was heard of and what waits there";
    Post "peers", PeerChange, Json("NewPeer"), "AddedPeer", peer::add_peer,
        "Adds a peer; a private key is in the answer this once";
    Post "peers/{name}/set", PeerChange, Json("PeerChange"), "Peer", peer::set,
        "Changes what a peer may send and from where; holds for its next message";
    Post "peers/{name}/revoke", PeerChange, Nothing, "Done", peer::revoke,
        "Refuses a peer from now on, for good";
    Post "peers/{name}/renew", PeerChange, Nothing, "AddedPeer", peer::renew,
        "Issues another certificate to a peer";
    Post "peers/{name}/enroll", PeerChange, Json("NewCode"), "Code", edge::enroll,
        "Makes a one-time code with which an edge enrols under this name";
    Get "advisories", DeviceRead, Query("AdvisoryFilter"), "Advisories", advisory::list,
        "What publishers say that the lab holds, the newest release first, with the age of every source";
    Post "advisories/import", DeviceChange, FileBy("ImportAdvisories"), "ImportedAdvisories", advisory::import,
        "Takes over CSAF, VEX, OSV, KEV and EPSS from a file or an archive, hashes and signatures checked, and matches again";
    Get "advisories/{id}", DeviceRead, Nothing, "AdvisoryShown", advisory::show,
        "An advisory: what it says, and which devices it hits";
    Post "traffic", DeviceChange, Json("TrafficReport"), "TrafficTaken", conduit::report,
        "Takes in what was heard on a network: who talks to whom, never what is said";
    Get "behaviour", DeviceRead, Query("BehaviourFilter"), "Behaviours", behaviour::list,
        "What each device usually does on its line, and how far learning is";
    Get "behaviour/unusual", DeviceRead, Query("UnusualFilter"), "UnusualPage", behaviour::unusual,
        "What devices did otherwise, each as one alert a device and kind, the newest first";
    Post "behaviour/answer", DeviceChange, Json("AnswerUnusual"), "Done", behaviour::answer,
        "Says whether what a device did is expected, and closes the alert";
    Get "conduits", DeviceRead, Query("ConduitFilter"), "Conduits", conduit::list,
        "With whom each device talks, what people decided about it, and what nobody expected";
    Get "conduits/plan", DeviceRead, Nothing, "the plan of labward segment", conduit::plan,
        "The plan of segmentation, as labward segment takes it";
    Post "conduits/decide", DeviceChange, Json("DecideConduit"), "Done", conduit::decide,
        "Approves or refuses a conduit of a device, and settles its alerts";
    Post "conduits/mode", DeviceChange, Json("SetConduitMode"), "Done", conduit::set_mode,
        "Says how the rules treat a device, and whether what is new is expected still";
    Post "conduits/rules", DeviceChange, Json("ConduitRules"), "Done", conduit::rules,
        "Takes down what the machine that forwards has loaded of the rules";
    Get "hits", DeviceRead, Query("HitFilter"), "Hits", hit::list,
        "Which published vulnerabilities concern which devices, what is due first";
    Get "hits/calendar", DeviceRead, Nothing, "iCalendar", calendar::due_calendar,
        "What is due as a calendar, in the language of the person who asks; its events are confidential";
    Get "hits/statements", DeviceRead, Nothing, "HitStatements", hit::statements,
        "What people said of products and vulnerabilities, the newest first";
    Get "hits/vex", DeviceRead, Nothing, "OpenVEX 0.2", vex::export,
        "What the lab says of vulnerabilities of its devices, as an OpenVEX document";
    Get "hits/{id}", DeviceRead, Nothing, "HitShown", hit::show,
        "A hit: the way to it, how urgent it is and why, and what can be done";
    Post "hits/treat", DeviceChange, Json("TreatHits"), "TreatedHits", hit::treat,
        "Says that hits are patched, or held off by a control";
    Post "hits/accept", RiskAccept, Json("AcceptHits"), "TreatedHits", hit::accept,
        "Accepts the risk of hits until a day, or has their devices replaced by it";
    Post "hits/products", DeviceChange, Json("StateProducts"), "HitStatement", hit::state_products,
        "Says that what the lab and what publishers call a product is one product, or is not; matches again";
    Post "hits/vulnerability", RiskAccept, Json("StateVulnerability"), "HitStatement", hit::state_vulnerability,
        "Says how a device stands to a vulnerability, for good or for its present version; matches again";
    Post "hits/statements/{id}/withdraw", DeviceChange, Json("Why"), "HitStatement", hit::withdraw,
        "Takes a statement back; matches again";
    Get "devices", DeviceRead, Query("DeviceFilter"), "Devices", device::list,
        "The devices of the lab with the values that count, the newest first";
    Post "devices", DeviceChange, Json("NewDevice"), "DeviceShown", device::add,
        "Adds a device, unless one with the same key is there";
    Get "devices/{id}", DeviceRead, Nothing, "DeviceShown", device::show,
        "A device: every value with who said it and when, and what contradicts what";
    Post "devices/{id}/set", DeviceChange, Json("DeviceChange"), "DeviceShown", device::set,
        "Says what a device is and which peers are bound to it, unless somebody else changed it meanwhile";
    Post "devices/{id}/merge", DeviceChange, Json("MergeDevices"), "Done", device::merge,
        "Declares that another device is the same one; lists and peers find it by either from now on";
    Post "devices/{id}/split", DeviceChange, Json("Why"), "Done", device::split,
        "Takes a merged device apart again";
    Post "devices/{id}/remove", DeviceChange, Json("Why"), "Done", device::remove,
        "Marks a device as no longer there; what was known of it is kept";
    Post "devices/{id}/restore", DeviceChange, Json("Why"), "Done", device::restore,
        "Marks a removed device as there again";
    Post "devices/import", DeviceChange, Json("ImportDevices"), "ImportedDevices", device::import,
        "Takes over a list from a file, or says what would become of each line; lines that cannot be read are named";
    Post "devices/{id}/sbom", DeviceChange, FileBy("AttachDisclosure"), "AttachedDisclosure", disclosure::attach_sbom,
        "Attaches a bill of materials (CycloneDX or SPDX) to a device or its model, in the place of an earlier one; matches again";
    Get "devices/{id}/mds2", DeviceRead, Nothing, "DeviceMds2", disclosure::show_mds2,
        "What the manufacturer of a device discloses of its security, by section";
    Post "devices/{id}/mds2", DeviceChange, FileBy("AttachDisclosure"), "AttachedDisclosure", disclosure::attach_mds2,
        "Attaches a manufacturer's disclosure (MDS2) to a device or its model; what it says of them is known of them";
    Post "disclosures/{id}/remove", DeviceChange, Json("Why"), "Done", disclosure::remove,
        "Takes a bill of materials or a disclosure away; matches again";
    Get "components", DeviceRead, Query("ComponentFilter"), "DeviceComponents", disclosure::components,
        "What the devices are made of, as their bills of materials say, and which components make hits";
    Get "patch-approvals", DeviceRead, Query("ApprovalFilter"), "PatchApprovals", approval::list,
        "Which patches vendors approve for their models, the newest first";
    Post "patch-approvals", DeviceChange, Json("NewPatchApproval"), "PatchApproval", approval::state,
        "Takes down whether a vendor approves a patch for a model";
    Post "patch-approvals/{id}/withdraw", DeviceChange, Json("Why"), "PatchApproval", approval::withdraw,
        "Takes that back";
    Get "malware/detections", MalwareRead, Query("DetectionFilter"), "DetectionPage", malware::detections::list,
        "What malware was found, where it came in and what was done, the newest first";
    Get "malware/detections/{id}", MalwareRead, Nothing, "DetectionShown", malware::detections::show,
        "A detection: what was found, what else came the same way, who received it, what lies in quarantine";
    Post "malware/detections/close", MalwareDecide, Json("CloseDetection"), "Done", malware::detections::close,
        "Closes a detection: what was done about it, or that it was a false alarm";
    Get "malware/quarantine", MalwareRead, Query("QuarantineFilter"), "QuarantinePage", malware::quarantine::list,
        "What lies in quarantine, the newest first";
    Get "malware/quarantine/{id}", MalwareRead, Nothing, "QuarantineItem", malware::quarantine::show,
        "Something in quarantine, without a name, a path or a sender";
    Post "malware/quarantine/particulars", MalwareDecide, Json("AskQuarantine"), "QuarantineParticulars", malware::quarantine::particulars,
        "The names, paths and people of something in quarantine; recorded before it is answered. Of a message or an import it needs record.show, too";
    Post "malware/quarantine/restore", MalwareDecide, Json("AskRestore"), "Done", malware::quarantine::restore,
        "Asks for something to be given back from quarantine: its bytes, or a message to where it would have gone";
    Post "malware/quarantine/decide", MalwareDecide, Json("DecideRestore"), "Done", malware::quarantine::decide,
        "Agrees that something is given back, or refuses it; never by the person who asked. A message that is wanted delivered goes at once; if that fails, what was agreed to stands";
    Post "malware/quarantine/give-back", MalwareDecide, Json("GiveBack"), "bytes", malware::quarantine::give_back,
        "Something to which a second person agreed, bit for bit; recorded before it is answered. Of a message or an import it needs record.export, too";
    Post "malware/quarantine/deliver", MalwareDecide, Json("GiveBack"), "ItemDelivered", malware::quarantine::deliver,
        "A message whose delivery a second person agreed to, to where it would have gone; once, however often it is asked";
    Post "malware/quarantine/submit", MalwareDecide, Json("SubmitItem"), "bytes", malware::quarantine::submit,
        "Something in quarantine, encrypted to an expert's public key of age; recorded before it is answered. Of a message or an import it needs record.export, too";
    Post "malware/quarantine/destroy", MalwareDecide, Json("AskQuarantine"), "Done", malware::quarantine::destroy,
        "Destroys something in quarantine with its key";
    Get "malware/restores", MalwareWriteBack, Query("RestoreFilter"), "RestoreOrders", malware::restores::list,
        "Files that two people want written back, of one watched folder on one machine";
    Post "malware/outcomes", MalwareWriteBack, Json("FileOutcome"), "Done", malware::restores::outcome,
        "What whoever watches a folder did with a file: removed or written back, or why not";
    Post "malware/restores/{item}", MalwareWriteBack, Json("RestoreFilter"), "bytes", malware::restores::take,
        "The bytes of such a file, for the machine that it was taken from; recorded before it is answered";
    Get "malware/rules", MalwareRead, Nothing, "MalwareRuleSets", malware::rules::list,
        "The sets of rules and hashes by which malware is found, with licence, age and hash";
    Post "malware/rules", MalwareRules, FileBy("ImportRuleSet"), "MalwareRuleSet", malware::rules::import,
        "Brings a set of rules or hashes; what cannot be used of it is named";
    Post "malware/rules/decide", MalwareRules, Json("DecideRuleSet"), "Done", malware::rules::decide,
        "Approves a set, so that what it finds is malicious, takes that back, or retires the set";
    Get "people", PersonRead, Nothing, "[Person]", peer::people,
        "The people of the lab";
    Post "people", PersonChange, Json("Person"), "Person", peer::add_person,
        "Adds a person, who may act with an account of the operating system if one is given";
    Delete "people/{id}", PersonChange, Nothing, "Done", peer::remove_person,
        "Removes a person; every session of theirs ends with it";
    Post "people/{id}/roles", PersonChange, Json("NewRoles"), "Person", person::set_roles,
        "Gives a person these roles in place of those they had; what their sessions and tokens may do changes at once";
    Post "people/import", PersonChange, Json("ImportPeople"), "ImportedPeople", person::import,
        "Adds the people of a list, all of them or none, or says what it would add";
    Post "people/{id}/engage", PersonChange, Json("Engagement"), "Person", peer::engage,
        "Changes what an outside expert sees and until when; holds for their next request";
    Post "people/{id}/invite", PersonChange, Nothing, "Invitation", session::invite,
        "Makes a one-time code with which a person chooses login and password, or a new password";
    Get "accounts", PersonRead, Nothing, "[LinkedAccount]", account::accounts,
        "Which account at the identity provider is whose, and what the provider knows them by";
    Post "people/{id}/account", PersonChange, Json("LinkedAccount"), "Done", account::link,
        "Links an account at the identity provider to a person; its first sign-in binds it";
    Delete "people/{id}/account", PersonChange, Nothing, "Done", account::unlink,
        "Takes the account from a person; every session of theirs ends with it";
    Get "sessions", PersonRead, Nothing, "[Session]", session::sessions,
        "Who is signed in at the console, from where and until when";
    Delete "sessions/{number}", PersonChange, Nothing, "Done", session::end,
        "Ends a session at once";
    Get "tokens", PersonRead, Nothing, "[Token]", session::tokens,
        "The tokens with which programs act at this API over TLS, in whose name and until when";
    Post "tokens", PersonChange, Json("NewToken"), "AddedToken", session::add_token,
        "Makes a token; it is in the answer this once";
    Delete "tokens/{number}", PersonChange, Nothing, "Done", session::end_token,
        "Ends a token at once";
    Get "passkeys", PersonRead, Nothing, "[Passkey]", session::passkeys,
        "The passkeys with which people sign in at the console; one is added there, by its person";
    Delete "passkeys/{number}", PersonChange, Nothing, "Done", session::remove_passkey,
        "Removes a passkey at once, such as one of a lost device";
    Get "messages", MessageList, Query("MessageFilter"),
        "[Message]", message::list,
        "Messages, the newest first, without their content";
    Get "messages/{record}", MessageList, Nothing, "Message", message::show,
        "One message and its deliveries, without its content";
    Get "messages/{record}/path", MessageList, Nothing, "MessagePath", path::show,
        "What happened to a message since it came, entry by entry";
    Post "messages/{record}/release", MessageDecide, Json("Decision"), "Done", message::release,
        "Has a held message delivered";
    Post "messages/{record}/reject", MessageDecide, Json("Decision"), "Done", message::reject,
        "Decides that a held message goes nowhere";
    Post "messages/{record}/resend", MessageResend, Json("Decision"), "Done", message::resend,
        "Sends a message again";
    Post "messages/{record}/skip", MessageDecide, Json("Decision"), "Done", message::skip,
        "Gives a message up that holds its patient's order back, so that what waits behind it goes on";
    Post "records/find", RecordFind, Json("Find"), "Found", record::find,
        "Searches for patients; masked, and recorded before it is answered";
    Post "records/{record}/show", RecordShow, Json("ShowRecord"), "Shown", record::show,
        "One record in full; recorded before it is answered";
    Post "break-glass/find", RecordBreakGlass, Json("Find"), "Found", record::find_break_glass,
        "The same search for a patient who cannot wait: in the reserve while the ledger cannot be written";
    Post "break-glass/records/{record}", RecordBreakGlass, Json("Why"), "Shown",
        record::show_break_glass,
        "One record in full for a patient who cannot wait: in the reserve while the ledger cannot be written";
    Post "break-glass/patients/{patient}/results", RecordBreakGlass, Json("Why"), "Results",
        patient::results_break_glass,
        "All results for a patient who cannot wait: in the reserve while the ledger cannot be written";
    Post "break-glass/open", RecordBreakGlass, Json("OpenGlass"), "OpenedGlass", glass::open,
        "Opens an emergency access for a bounded time: what the person reads by break-glass meanwhile is read under it";
    Get "break-glass/mine", RecordBreakGlass, Nothing, "OpenedGlass", glass::mine,
        "The emergency access that the person who asks has open, and how long it lasts";
    Post "break-glass/end", RecordBreakGlass, Nothing, "Done", glass::end,
        "Ends the emergency access of the person who asks, before its time";
    Get "break-glass", BreakGlassReview, Query("OpeningFilter"), "[Opening]", glass::list,
        "The emergency accesses, the newest first";
    Get "break-glass/{number}", BreakGlassReview, Nothing, "OpeningShown", glass::show,
        "One emergency access: who, when, why, how long, and what was read under it";
    Post "break-glass/{number}/review", BreakGlassReview, Json("ReviewOpening"), "Done",
        glass::review,
        "Records what somebody else than its person found about an emergency access that is over";
    Post "records/export", RecordExport, Json("Export"), "bytes", record::export,
        "A record or a patient's records; recorded before it is answered";
    Post "records/import", RecordImport, File, "Imported", record::import,
        "Keeps what is in an HL7 v2 file or a FHIR bundle, also packed with bzip2";
    Post "patients/{patient}/results", RecordShow, Json("Why"), "Results", patient::results,
        "All results of a patient's merge group as one table; recorded before it is answered";
    Post "patients/{patient}/accesses", AuditOpen, Json("AskedAccesses"), "Accesses",
        patient::accesses,
        "Who received, saw and was given a patient's records, when and why; itself recorded first";
    Post "patients/{patient}/documents", RecordImport, Upload, "AddedDocument", record::add_document,
        "Keeps any file as a document of a patient";
    Post "patients/{patient}/dispose", PatientDispose, Json("Dispose"), "Disposed",
        record::dispose,
        "Destroys the keys of a patient's whole merge group";
    Post "patients/{patient}/hold", HoldChange, Json("Why"), "Done", record::hold,
        "Puts a patient's records under legal hold";
    Post "patients/{patient}/lift", HoldChange, Json("Why"), "Done", record::lift,
        "Lifts a legal hold";
    Get "ledger/entries", LedgerRead, Query("EntryFilter"), "Entries", entries::list,
        "A page of the ledger; who, why and what was asked for stay sealed";
    Post "ledger/verify", LedgerRead, Nothing, "Verified", ledger::verify,
        "Verifies rows, payloads, tiles and checkpoints, and holds what the witnesses say against them";
    Post "ledger/export", LedgerExport, Json("LedgerExport"), "bytes",
        ledger::export,
        "The ledger for an outside expert: a bundle to verify offline, or FHIR AuditEvents";
    Get "ledger/prove/{entry}", LedgerRead, Nothing, "Proof", ledger::prove,
        "The C2SP proof that an entry stands in the ledger";
    Get "ledger/key", LedgerRead, Nothing, "VerifierKey", ledger::key,
        "The key with which others verify the ledger";
    Post "exports/{list}", ListExport, Json("ListExport"), "CSV", export::export,
        "A list as CSV, all pages of it as the filter shows it; recorded with its rows and its SHA-256";
    Get "safeguards", SafeguardRead, Query("SafeguardFilter"), "Safeguards", safeguard::list,
        "The requirements of 45 CFR 164.308 to 316, each with its state from measured facts";
    Post "safeguards/decide", SafeguardDecide, Json("DecideSafeguard"), "Done", safeguard::decide,
        "Records a decision about a requirement, until a day";
    Post "safeguards/withdraw", SafeguardDecide, Json("WithdrawSafeguard"), "Done",
        safeguard::withdraw,
        "Takes a decision about a requirement back";
}

/// `docs/ref/api.md`: every endpoint, generated from the table.
pub fn reference() -> String {
    let never: Vec<String> = NEVER_BY_TOKEN
        .iter()
        .map(|permission| format!("`{permission}`"))
        .collect();
    let never = never.join(", ");
    let mut text = format!(
        "# HTTP API\n\n\
         HTTP/1.1 over the admin socket `run/admin.sock` of the data folder, below `{PREFIX}`, and\n\
         over TLS at the console's address. Over the socket who asks is the person to whom the account\n\
         of the operating system is bound; the kernel says which account it is. Over TLS it is the\n\
         person of the token in `Authorization: Bearer` (`labward token create`), within the token's\n\
         scopes, which are the permissions below but {never}.\n\
         [openapi.json](openapi.json) is the same for machines. Requests and answers are JSON of the types in\n\
         `crates/labward-api`. A failure is `ProblemBody` with a code of [errors.md](errors.md);\n\
         one of 5xx holds a reference to look for in the log.\n\n\
         Requests are limited to 1 MiB, imports to 256 MiB; documents are not. Everything that reads or changes\n\
         records needs a reason, which is recorded.\n\n\
         | Endpoint | Takes | Gives | Permission | Roles |\n|---|---|---|---|---|\n"
    );
    for endpoint in ENDPOINTS {
        let roles: Vec<&str> = Role::ALL
            .iter()
            .filter(|role| role.permits(endpoint.permission))
            .map(|role| role.name())
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{} {}` {} | {} | `{}` | `{}` | {} |",
            endpoint.verb.name(),
            endpoint.path,
            endpoint.does,
            endpoint.takes.describe(),
            endpoint.gives.replace('|', "\\|"),
            endpoint.permission,
            roles.join(", ")
        );
    }
    let _ = write!(
        text,
        "\nAn account that is bound to nobody gets `{}`, a person whose role does not permit it\n\
         `{}`, and both before anything else is looked at.\n",
        problem::IDENTITY_UNKNOWN.code,
        problem::IDENTITY_DENIED.code,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_endpoint_stands_twice_and_the_reference_lists_each() {
        let mut seen = HashSet::new();
        let text = reference();
        for endpoint in ENDPOINTS {
            let name = format!("`{} {}`", endpoint.verb.name(), endpoint.path);
            assert!(text.contains(&name), "{name}");
            assert!(seen.insert(name), "{}", endpoint.path);
        }
    }

    #[test]
    fn who_may_do_what_is_what_the_golden_table_says() {
        let table: String = ENDPOINTS
            .iter()
            .map(|endpoint| {
                let roles: Vec<&str> = Role::ALL
                    .iter()
                    .filter(|role| role.permits(endpoint.permission))
                    .map(|role| role.name())
                    .collect();
                let (verb, path) = (endpoint.verb.name(), endpoint.path);
                format!("{verb} {path}: {}\n", roles.join(" "))
            })
            .collect();
        let golden = include_str!("authorization.golden");
        assert_eq!(table, golden, "a change of who may do what is deliberate");
    }
}
