//! Any bytes are a call to a witness, its answer or a witness's key, or are refused; what is read is
//! written the same, and nothing is cosigned for a log whose key never signed.

use labward_base::{Secret, Timestamp};
use labward_ledger::note::NoteError;
use labward_ledger::{
    AddCheckpoint, Cosigned, Cosigner, Note, VerifierKey, Witness, WitnessKey, WitnessState,
    WitnessedLog,
};

/// It knows every origin by a key that nobody holds.
struct EveryLog;

impl WitnessState for EveryLog {
    type Error = NoteError;

    fn log(&self, origin: &str) -> Result<Option<WitnessedLog>, NoteError> {
        let keys = VerifierKey::new(origin, [9; 32]).into_iter().collect();
        Ok(Some(WitnessedLog { keys, latest: None }))
    }

    fn save(&mut self, _: &Cosigned) -> Result<(), NoteError> {
        panic!("it was to be cosigned");
    }
}

const KEY: &str = "PRIVATE+KEY+w.example+3e6d1c1c+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

pub fn run(data: &[u8]) {
    if let Ok(call) = AddCheckpoint::parse(data) {
        assert_eq!(call.to_string().as_bytes(), data);
    }
    let cosigner = Cosigner::from_private_line(&Secret::new(KEY.to_owned())).expect("a key");
    let key = cosigner.verifier();
    let mut witness = Witness::new(cosigner, EveryLog);
    let answer = witness.add_checkpoint(data, Timestamp::from_seconds(1)).expect("an answer");
    assert_ne!(answer.status(), 200);
    assert!(Cosigned::open(data, &key).is_err());
    if let Ok(note) = Note::parse(data) {
        assert!(Cosigned::from_answer(note, data, &key).is_err());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = text.parse::<WitnessKey>() {
        assert_eq!(key.to_string(), text);
    }
}
