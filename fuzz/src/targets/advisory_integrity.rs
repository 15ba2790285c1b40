//! Any bytes as a hash file, a signature or a key: none of them vouches for a document that nobody signed.

use labward_advisory::integrity::{PublicKey, check_hash, verify};
use labward_base::Timestamp;

const KEY: &[u8] = include_bytes!("../../../crates/labward-advisory/src/integrity/fixtures/other.key.asc");

pub fn run(data: &[u8]) {
    let now = Timestamp::from_seconds(1_800_000_000);
    let document = b"nobody signed this";
    let _ = check_hash(data, "a.json", document);
    if let Ok(key) = PublicKey::parse(KEY) {
        assert!(verify(data, document, &[key], now).is_err());
    }
    if let Ok(key) = PublicKey::parse(data) {
        let _ = key.fingerprint();
        let _ = verify(data, document, &[key], now);
    }
}
