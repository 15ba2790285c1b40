//! Every type of the API as JSON Schema (2020-12), of which the OpenAPI document is made.
//!
//! It must never describe a type that no endpoint takes or gives and no webhook is sent.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::{
    Done, ProblemBody, Why, account, advisory, backup, behaviour, conduit, config, device,
    disclosure, edge, export, glass, hit, integrity, key, ledger, mail, malware, message, peer,
    person, record, remark, safeguard, session, status, traffic, webhook,
};

/// Where the schemas refer to each other in an OpenAPI document.
pub const SCHEMAS: &str = "/components/schemas";

macro_rules! types {
    ($($type:ty,)+) => {
        /// The schemas of all types by their names; they refer to each other below [`SCHEMAS`].
        pub fn schemas() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12()
                .with(|settings| settings.definitions_path = SCHEMAS.into());
            let mut generator = settings.into_generator();
            $(generator.subschema_for::<$type>();)+
            generator.take_definitions(true)
        }
    };
}

types! {
    Done,
    ProblemBody,
    Why,
    account::LinkedAccount,
    remark::Remark,
    remark::PlaceValue,
    status::Status,
    status::ReserveStatus,
    status::LinkStatus,
    status::DestinationStatus,
    status::WitnessStatus,
    status::Check,
    status::NotMeasured,
    status::CheckFinding,
    status::Opener,
    config::Reload,
    config::ConfigChange,
    config::Configuration,
    config::ConfigTable,
    config::ConfigKey,
    config::ConfigForm,
    config::ConfigPart,
    config::PreviewConfig,
    config::ChangeConfig,
    config::ConfigEdit,
    config::EditKind,
    config::ConfigPreview,
    config::ClosedLink,
    config::Meanwhile,
    config::ConfigFault,
    backup::NewBackup,
    backup::Backup,
    backup::VerifyBackup,
    backup::VerifiedBackup,
    backup::Drill,
    backup::Drilled,
    backup::NewKeyArchive,
    backup::KeyArchive,
    backup::ExpiredArchives,
    advisory::Advisories,
    advisory::Advisory,
    advisory::AdvisoryFilter,
    advisory::AdvisorySource,
    advisory::AnnouncedKey,
    advisory::SourceFault,
    advisory::AdvisoryShown,
    advisory::AdvisoryNote,
    advisory::AdvisoryVulnerability,
    advisory::AdvisoryRemediation,
    advisory::AdvisoryProduct,
    advisory::ImportAdvisories,
    advisory::ImportedAdvisories,
    advisory::ImportedAdvisory,
    integrity::IntegrityBaseline,
    integrity::IntegrityAlarm,
    integrity::IntegritySigner,
    integrity::IntegrityCounts,
    integrity::IntegrityCompared,
    integrity::DecideIntegrity,
    behaviour::BehaviourFilter,
    behaviour::Behaviours,
    behaviour::DeviceBehaviour,
    behaviour::BehaviourLearning,
    behaviour::UnusualFilter,
    behaviour::UnusualPage,
    behaviour::Unusual,
    behaviour::AnswerUnusual,
    conduit::ConduitFilter,
    conduit::Conduits,
    conduit::ConduitDevice,
    conduit::Conduit,
    conduit::ConduitAlert,
    conduit::DecideConduit,
    conduit::SetConduitMode,
    conduit::ConduitRules,
    hit::Hits,
    hit::Hit,
    hit::HitFilter,
    hit::HitCounts,
    hit::HitDevice,
    hit::HitTreatment,
    hit::Saying,
    hit::HitShown,
    hit::HitStep,
    hit::HitPublished,
    hit::HitStatement,
    hit::HitStatements,
    hit::TreatHits,
    hit::AcceptHits,
    hit::TreatedHits,
    hit::StateProducts,
    hit::StateVulnerability,
    device::Devices,
    device::Device,
    device::DeviceFilter,
    device::DeviceConflict,
    device::DeviceShown,
    device::DeviceAttribute,
    device::DeviceObservation,
    device::NewDevice,
    device::DeviceChange,
    device::MergeDevices,
    device::ImportDevices,
    device::ImportedDevices,
    device::ImportedDevice,
    disclosure::AttachDisclosure,
    disclosure::DeviceDisclosure,
    disclosure::AttachedDisclosure,
    disclosure::ComponentFilter,
    disclosure::DeviceComponents,
    disclosure::DeviceComponent,
    disclosure::DeviceMds2,
    disclosure::Mds2Disclosure,
    disclosure::Mds2Section,
    disclosure::Mds2Answer,
    disclosure::PatchApproval,
    disclosure::ApprovalFilter,
    disclosure::PatchApprovals,
    disclosure::NewPatchApproval,
    key::Slot,
    key::NewSlot,
    key::AddedSlot,
    key::Rotation,
    key::SlotPlace,
    peer::Rules,
    peer::NewPeer,
    peer::PeerChange,
    peer::AddedPeer,
    peer::Peer,
    peer::Engagement,
    peer::Person,
    person::NewRoles,
    person::ImportPeople,
    person::LineState,
    person::ImportedPerson,
    person::ImportedPeople,
    session::Invitation,
    session::Session,
    session::NewToken,
    session::AddedToken,
    session::Token,
    session::Passkey,
    edge::NewCode,
    edge::Code,
    edge::EdgeStatus,
    export::ListExport,
    message::MessageFilter,
    message::Message,
    message::Delivery,
    message::Decision,
    record::Find,
    record::Found,
    record::PatientHit,
    record::RecordHit,
    record::ShowRecord,
    record::Shown,
    record::Earlier,
    record::Export,
    record::AddedDocument,
    record::Imported,
    record::Results,
    record::AskedAccesses,
    record::Accesses,
    glass::OpenGlass,
    glass::OpenedGlass,
    glass::OpeningFilter,
    glass::Opening,
    glass::OpeningReview,
    glass::OpeningShown,
    glass::ReadUnder,
    glass::ReviewOpening,
    safeguard::SafeguardFilter,
    safeguard::Safeguards,
    safeguard::DecideSafeguard,
    safeguard::WithdrawSafeguard,
    message::MessagePath,
    record::Dispose,
    record::Disposed,
    ledger::EntryFilter,
    ledger::Entries,
    ledger::Verified,
    ledger::VerifierKey,
    ledger::LedgerExport,
    ledger::LedgerFormat,
    ledger::Proof,
    traffic::TrafficReport,
    traffic::TrafficConversation,
    traffic::TrafficSighting,
    traffic::TrafficTaken,
    traffic::TrafficAlert,
    malware::DetectionFilter,
    malware::DetectionPage,
    malware::DetectionFinding,
    malware::Detection,
    malware::DetectionShown,
    malware::DetectionDelivery,
    malware::CloseDetection,
    malware::QuarantineFilter,
    malware::QuarantinePage,
    malware::QuarantineItem,
    malware::QuarantineRestore,
    malware::QuarantineParticulars,
    malware::AskQuarantine,
    malware::DecideRestore,
    malware::GiveBack,
    malware::AskRestore,
    malware::ItemDelivered,
    malware::SubmitItem,
    malware::RestoreFilter,
    malware::RestoreOrders,
    malware::RestoreOrder,
    malware::FileOutcome,
    malware::InspectAbout,
    malware::InspectFile,
    malware::Inspected,
    malware::ImportRuleSet,
    malware::MalwareRuleSet,
    malware::MalwareRuleSets,
    malware::DecideRuleSet,
    malware::MalwareStatus,
    malware::MalwareEngine,
    malware::MalwareRescan,
    mail::MailStatus,
    mail::TestedMail,
    webhook::WebhookStatus,
    webhook::NewWebhookSecret,
    webhook::AddedWebhookSecret,
    webhook::TestedWebhook,
    webhook::WebhookEvent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_schema() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(to)) = members.get("$ref") {
                        found.push(to.clone());
                    }
                    members.values().for_each(|one| references(one, found));
                }
                Value::Array(all) => all.iter().for_each(|one| references(one, found)),
                _ => {}
            }
        }
        let schemas = schemas();
        let mut found = Vec::new();
        schemas.values().for_each(|one| references(one, &mut found));
        assert!(found.len() > 10);
        for reference in found {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            assert!(schemas.contains_key(name), "{reference}");
        }
    }

    #[test]
    fn what_a_request_does_not_know_is_refused_and_each_member_is_explained() {
        let schemas = schemas();
        let why = &schemas["Why"];
        assert_eq!(why["additionalProperties"], false);
        assert_eq!(why["required"], serde_json::json!(["why"]));
        let explained = why["properties"]["why"]["description"].as_str().unwrap();
        assert!(explained.starts_with("Why it is done"), "{explained}");
    }
}
