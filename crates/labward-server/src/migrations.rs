//! The schema of the whole installation: the steps of every room, in the order of their levels.
//!
//! A step once published is never changed or moved: the number of a step is its place in this list,
//! so a room's next step is added at the very end, after every other room's.

use labward_store::Migration;

/// Every step of every room.
pub fn migrations() -> Vec<Migration> {
    [
        labward_ledger::MIGRATIONS,
        labward_keys::MIGRATIONS,
        labward_identity::MIGRATIONS,
        labward_records::MIGRATIONS,
        labward_gateway::MIGRATIONS,
        labward_gateway::delivery::MIGRATIONS,
        crate::findings::MIGRATIONS,
        labward_keys::ARCHIVE_MIGRATIONS,
        labward_backup::MIGRATIONS,
        labward_records::reserve::MIGRATIONS,
        labward_gateway::edge::MIGRATIONS,
        labward_identity::RENEWAL_MIGRATIONS,
        labward_identity::SIGN_IN_MIGRATIONS,
        labward_identity::TOKEN_MIGRATIONS,
        labward_assess::MIGRATIONS,
        labward_records::ACCESS_MIGRATIONS,
        labward_ledger::ACT_MIGRATIONS,
        labward_records::reserve::OPENING_MIGRATIONS,
        crate::http::idempotency::MIGRATIONS,
        labward_identity::PASSKEY_MIGRATIONS,
        labward_identity::PROVIDER_MIGRATIONS,
        crate::webhook::MIGRATIONS,
        labward_identity::ENGAGEMENT_MIGRATIONS,
        labward_devices::MIGRATIONS,
        labward_threats::MIGRATIONS,
        labward_conduits::MIGRATIONS,
        labward_threats::LISTING_MIGRATIONS,
        labward_conduits::BEHAVIOUR_MIGRATIONS,
        labward_disclosures::MIGRATIONS,
        crate::mail::MIGRATIONS,
        labward_malware::MIGRATIONS,
        labward_malware::integrity::MIGRATIONS,
        labward_malware::integrity::SIGNER_MIGRATIONS,
        labward_malware::DELIVERING_MIGRATIONS,
        labward_malware::FATE_MIGRATIONS,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use labward_store::{NoJournal, Options, Query, Store, StoreError};
    use labward_testkit::TempDir;

    use super::*;

    #[test]
    fn all_rooms_together_make_one_schema_that_opens_again() {
        let folder = TempDir::new();
        let open = || {
            let options = Options::new(folder.join("db.sqlite"));
            Store::open(options, &migrations(), Box::new(NoJournal)).unwrap()
        };
        open().close().unwrap();
        let store = open();
        for table in [
            "entry",
            "slot",
            "peer",
            "person",
            "patient",
            "finding",
            "key_archive",
            "backup_run",
            "credential",
            "invitation",
            "session",
            "token",
            "provider_account",
            "safeguard_decision",
            "opening",
            "engagement",
            crate::http::idempotency::TABLE,
            "webhook",
            "device_peer",
            "hit_statement",
            "segmentation_alert",
            "advisory_listed",
            "behaviour_anomaly",
            "patch_approval",
            "mail_recipient",
            "malware_detection",
            "malware_rescan",
            "malware_rule_set",
            "quarantine_item",
        ] {
            let rows = store.read(|snapshot| {
                snapshot.query_all(&format!("SELECT 1 FROM {table}"), &[], |row| row.int(0))
            });
            assert_eq!(
                rows.map_err(|e: StoreError| e.to_string()),
                Ok(vec![]),
                "{table}"
            );
        }
        store.close().unwrap();
    }
}
