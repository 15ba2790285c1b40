//! Any bytes are a signed note, a checkpoint, a verifier key or a proof, or are refused; what is
//! read is written the same, and nothing is signed by a key that never signed.

use labward_ledger::{Checkpoint, EntryProof, Note, VerifierKey};

pub fn run(data: &[u8]) {
    let key = VerifierKey::new("labward.local/fuzz", [9; 32]).expect("the name is valid");
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data);
        assert!(note.verify(&key).is_err());
        assert!(Checkpoint::open(data, &key).is_err());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_text(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(proof) = text.parse::<EntryProof>() {
        assert_eq!(proof.to_string(), text);
        assert!(proof.verify(&key).is_err());
    }
}
