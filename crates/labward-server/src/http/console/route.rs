//! The one table of pages: the address of each, who may see it, and what makes it.

use labward_identity::Permission;

use super::visit::{Page, Visit};
use super::{
    account, advisories, behaviour, configuration, devices, entrance, export, first_analyzer,
    glass, hits, integrity, ledger, malware, network, oidc, pages, parts, patient, people, records,
    reference, safeguards, webhook,
};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// One page.
pub(super) struct Route {
    /// Its verb.
    pub(super) verb: Verb,
    /// Its path.
    pub(super) path: &'static str,
    /// Whether it is there without a session.
    pub(super) is_public: bool,
    /// What a person must be permitted to do; none is needed for one's own account.
    pub(super) permission: Option<Permission>,
    /// Makes it.
    pub(super) page: fn(&Visit) -> Result<Page, Failure>,
}

macro_rules! routes {
    ($($verb:ident $path:literal, $access:ident, $page:path;)+) => {
        /// Every page.
        pub(super) const ROUTES: &[Route] = &[$(Route {
            verb: Verb::$verb,
            path: $path,
            is_public: routes!(@public $access),
            permission: routes!(@permission $access),
            page: $page,
        }),+];
    };
    (@public Anybody) => { true };
    (@public $access:ident) => { false };
    (@permission Anybody) => { None };
    (@permission Oneself) => { None };
    (@permission $access:ident) => { Some(Permission::$access) };
}

routes! {
    Get "/sign-in", Anybody, entrance::sign_in;
    Post "/sign-in", Anybody, entrance::signed_in;
    Get "/sign-in/passkey", Anybody, entrance::ask_passkey;
    Post "/sign-in/passkey", Anybody, entrance::signed_in_by_passkey;
    Get "/sign-in/provider", Anybody, oidc::begin;
    Get "/sign-in/provider/callback", Anybody, oidc::come_back;
    Get "/join", Anybody, entrance::join;
    Post "/join", Anybody, entrance::joined;
    Post "/sign-out", Oneself, entrance::sign_out;
    Post "/switch", Oneself, entrance::switch;
    Get "/session", Oneself, account::session;
    Post "/session", Oneself, account::stay;
    Get "/me", Oneself, account::me;
    Post "/me", Oneself, account::set_me;
    Post "/me/passkeys", Oneself, account::ask_passkey;
    Post "/me/passkeys/add", Oneself, account::add_passkey;
    Post "/me/passkeys/{number}/remove", Oneself, account::remove_passkey;
    Post "/me/tokens", Oneself, account::add_token;
    Post "/me/tokens/{number}/end", Oneself, account::end_token;
    Post "/me/sessions/{number}/end", Oneself, account::end_my_session;
    Get "/", Oneself, pages::home;
    Get "/flow", StatusRead, pages::flow;
    Post "/flow/{name}/resume", MessageResend, pages::resume;
    Get "/first-analyzer", ConfigChange, first_analyzer::form;
    Post "/first-analyzer", ConfigChange, first_analyzer::open;
    Get "/first-analyzer/{name}", ConfigChange, first_analyzer::wait;
    Post "/first-analyzer/{name}/file", ConfigChange, first_analyzer::file;
    Post "/webhooks/{name}/test", ConfigChange, webhook::test;
    Post "/webhooks/{name}/resume", ConfigChange, webhook::resume;
    Get "/messages", MessageList, pages::messages;
    Get "/messages/{record}", MessageList, pages::message;
    Post "/messages/{record}/decide", MessageList, pages::decide;
    Get "/records", RecordFind, records::records;
    Post "/records", RecordFind, records::find;
    Post "/records/view", RecordShow, records::record;
    Post "/patients/view", RecordShow, patient::results;
    Post "/patients/accesses", AuditOpen, patient::accesses;
    Get "/break-glass", RecordBreakGlass, glass::glass;
    Post "/break-glass/open", RecordBreakGlass, glass::open;
    Post "/break-glass/end", RecordBreakGlass, glass::end;
    Get "/break-glass/reviews", BreakGlassReview, glass::openings;
    Get "/break-glass/reviews/{number}", BreakGlassReview, glass::opening;
    Post "/break-glass/reviews/{number}", BreakGlassReview, glass::review;
    Get "/ledger", LedgerRead, ledger::ledger;
    Get "/ledger/entries/{entry}", LedgerRead, ledger::entry;
    Get "/ledger/entries/{entry}/proof", LedgerRead, ledger::proof;
    Post "/ledger/verify", LedgerRead, ledger::verify;
    Post "/ledger/export", LedgerExport, ledger::export;
    Get "/safeguards", SafeguardRead, safeguards::safeguards;
    Get "/safeguards/decide", SafeguardDecide, safeguards::deciding;
    Post "/safeguards/decide", SafeguardDecide, safeguards::decide;
    Post "/safeguards/withdraw", SafeguardDecide, safeguards::withdraw;
    Get "/devices", DeviceRead, devices::devices;
    Post "/devices", DeviceChange, devices::add;
    Get "/devices/import", DeviceChange, devices::list;
    Post "/devices/import", DeviceChange, devices::import;
    Get "/devices/unusual", DeviceRead, behaviour::unusual;
    Post "/devices/unusual/answer", DeviceChange, behaviour::answer;
    Get "/devices/map", DeviceRead, network::network;
    Post "/devices/map/decide", DeviceChange, network::decide;
    Get "/devices/{id}", DeviceRead, devices::device;
    Post "/devices/{id}/set", DeviceChange, devices::set;
    Post "/devices/{id}/settle", DeviceChange, devices::settle;
    Post "/devices/{id}/merge", DeviceChange, devices::merge;
    Post "/devices/{id}/split", DeviceChange, devices::split;
    Post "/devices/{id}/remove", DeviceChange, devices::remove;
    Post "/devices/{id}/restore", DeviceChange, devices::restore;
    Post "/devices/{id}/sbom", DeviceChange, parts::attach_sbom;
    Get "/devices/{id}/mds2", DeviceRead, parts::mds2;
    Post "/devices/{id}/mds2", DeviceChange, parts::attach_mds2;
    Post "/disclosures/{id}/remove", DeviceChange, parts::detach;
    Get "/components", DeviceRead, parts::components;
    Get "/patch-approvals", DeviceRead, parts::approvals;
    Post "/patch-approvals", DeviceChange, parts::approve;
    Post "/patch-approvals/{id}/withdraw", DeviceChange, parts::unapprove;
    Get "/devices/{id}/order", DeviceRead, hits::device_order;
    Get "/hits", DeviceRead, hits::hits;
    Get "/hits/calendar", DeviceRead, hits::calendar;
    Get "/hits/matrix", DeviceRead, hits::matrix;
    Get "/hits/statements", DeviceRead, hits::statements;
    Post "/hits/statements/{id}/withdraw", DeviceChange, hits::withdraw;
    Post "/hits/decide", DeviceChange, hits::decide;
    Get "/hits/{id}", DeviceRead, hits::hit;
    Get "/hits/{id}/order", DeviceRead, hits::order;
    Post "/hits/{id}/products", DeviceChange, hits::products;
    Post "/hits/{id}/vulnerability", RiskAccept, hits::vulnerability;
    Get "/advisories", DeviceRead, advisories::advisories;
    Get "/advisories/import", DeviceChange, advisories::choose;
    Post "/advisories/import", DeviceChange, advisories::import;
    Get "/advisories/{id}", DeviceRead, advisories::advisory;
    Get "/malware", MalwareRead, malware::detections;
    Get "/malware/quarantine", MalwareRead, malware::quarantine;
    Get "/malware/quarantine/{id}", MalwareRead, malware::item;
    Post "/malware/quarantine/{id}/names", MalwareDecide, malware::names;
    Post "/malware/quarantine/{id}/restore", MalwareDecide, malware::restore;
    Post "/malware/quarantine/{id}/decide", MalwareDecide, malware::decide;
    Post "/malware/quarantine/{id}/deliver", MalwareDecide, malware::deliver;
    Post "/malware/quarantine/{id}/download", MalwareDecide, malware::download;
    Post "/malware/quarantine/{id}/submit", MalwareDecide, malware::submit;
    Post "/malware/quarantine/{id}/destroy", MalwareDecide, malware::destroy;
    Get "/malware/rules", MalwareRead, malware::rules;
    Post "/malware/rules", MalwareRules, malware::bring;
    Post "/malware/rules/decide", MalwareRules, malware::decide_rules;
    Get "/malware/integrity", MalwareRead, integrity::baselines;
    Get "/malware/integrity/{name}", MalwareRead, integrity::baseline;
    Post "/malware/integrity/{name}/decide", MalwareDecide, integrity::decide;
    Get "/malware/{id}", MalwareRead, malware::detection;
    Post "/malware/{id}/close", MalwareDecide, malware::close;
    Get "/people", PersonRead, pages::people;
    Post "/people", PersonChange, pages::add_person;
    Get "/people/import", PersonChange, people::list;
    Post "/people/import", PersonChange, people::import;
    Get "/people/{id}", PersonChange, people::person;
    Post "/people/{id}/roles", PersonChange, people::set_roles;
    Post "/people/{id}/engage", PersonChange, pages::engage;
    Post "/people/{id}/invite", PersonChange, pages::invite;
    Post "/people/link", PersonChange, oidc::link;
    Post "/people/unlink", PersonChange, oidc::unlink;
    Post "/people/{id}/remove", PersonChange, pages::remove_person;
    Post "/sessions/{number}/end", PersonChange, pages::end_session;
    Post "/export/{list}", ListExport, export::export;
    Get "/reference", StatusRead, reference::reference;
    Get "/reference/openapi.json", StatusRead, reference::document;
    Get "/settings", ConfigRead, configuration::settings;
    Get "/settings/edit", ConfigChange, configuration::edit;
    Post "/settings/preview", ConfigChange, configuration::preview;
    Post "/settings/confirm", ConfigChange, configuration::confirm;
    Post "/settings/change", ConfigChange, configuration::change;
    Post "/settings/reload", ConfigChange, configuration::reload;
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_identity::Role;

    #[test]
    fn who_sees_which_page_is_what_the_golden_table_says() {
        let table: String = ROUTES
            .iter()
            .map(|route| {
                let (verb, path) = (route.verb.name(), route.path);
                let who = match (route.is_public, route.permission) {
                    (true, _) => "anybody".to_owned(),
                    (false, None) => "oneself".to_owned(),
                    (false, Some(permission)) => {
                        let roles = Role::ALL.iter().filter(|role| role.permits(permission));
                        roles.map(|role| role.name()).collect::<Vec<_>>().join(" ")
                    }
                };
                format!("{verb} {path}: {who}\n")
            })
            .collect();
        let golden = include_str!("pages.golden");
        assert_eq!(table, golden, "a change of who sees what is deliberate");
    }
}
