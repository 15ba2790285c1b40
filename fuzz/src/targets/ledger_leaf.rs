//! Any bytes are a leaf in its one canonical form, or are refused; what is read is written the same
//! and is JSON that another reader takes.

use labward_ledger::{Leaf, to_audit_event};

pub fn run(data: &[u8]) {
    match Leaf::parse(data) {
        Ok(leaf) => {
            assert_eq!(leaf.to_bytes().as_deref(), Ok(data));
            let json: serde_json::Value = serde_json::from_slice(data).expect("a leaf is JSON");
            assert_eq!(json["n"], leaf.index.get());
            assert_eq!(json["action"], leaf.action.name());
            assert_eq!(to_audit_event(&leaf)["resourceType"], "AuditEvent");
        }
        Err(error) => assert!(error.offset <= data.len()),
    }
}
