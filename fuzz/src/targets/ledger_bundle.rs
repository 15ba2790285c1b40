//! No bytes are a bundle of a ledger whose key never signed; the fault is named by a line that the
//! input has, or by the end behind it.

use labward_ledger::{VerifierKey, verify_bundle};

pub fn run(data: &[u8]) {
    let key = VerifierKey::new("labward.local/fuzz", [9; 32]).expect("the name is valid");
    let error = verify_bundle(data, &key).expect_err("nobody holds the private key");
    let lines = data.split(|byte| *byte == b'\n').count() as u64;
    assert!((1..=lines).contains(&error.line), "line {} of {lines}", error.line);
    assert!(!error.problem().code.is_empty());
}
