//! Who never answers, who keeps no original, and who panics while sealing.

use labward_base::id::PeerId;

use super::*;
use crate::inspect::InspectDone;
use crate::keep::MessageKind;

/// Never answers, and never lets go of what it should call.
struct Deaf(std::sync::Mutex<Vec<InspectDone>>);

impl Inspect for Deaf {
    fn inspect(&self, _: Asked, done: InspectDone) {
        self.0.lock().unwrap().push(done);
    }
}

/// Says that it found malware, and has nobody who keeps the original.
struct Careless;

impl Inspect for Careless {
    fn inspect(&self, _: Asked, done: InspectDone) {
        done(Inspected {
            verdict: Finding::Malicious,
            rules: [1; 8],
            places: Vec::new(),
            record: None,
        });
    }
}

fn asked() -> Asked {
    Asked {
        link: "hl7".to_owned(),
        peer: PeerId::new(1),
        peer_name: "chem-1".to_owned(),
        kind: MessageKind::Hl7V2,
        message_type: "ORU^R01".to_owned(),
        bytes: Arc::new(b"MSH|^~\\&|A\rOBX|1|ST|X||y\r".to_vec()),
    }
}

fn incoming() -> Incoming {
    Incoming {
        kind: MessageKind::Hl7V2,
        bytes: Vec::new(),
        message_type: "ORU^R01".to_owned(),
        admission: Admission::Admit,
        id: None,
        device: None,
        deviations: Vec::new(),
        outline: None,
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_has_not_looked() {
    let deaf = Deaf(std::sync::Mutex::default());
    let begun = tokio::time::Instant::now();
    let inspected = look(&deaf, asked()).await;
    assert_eq!(inspected.verdict, Finding::Failed);
    assert_eq!(begun.elapsed(), PATIENCE);
    // An answer that comes later changes nothing, and nobody falls over it.
    let late = deaf.0.lock().unwrap().remove(0);
    late(inspected);
}

#[tokio::test]
async fn nothing_is_taken_out_of_what_nobody_sealed() {
    let mut message = incoming();
    let policy = InspectPolicy::default();
    let inspected = look(&Careless, asked()).await;
    let treated = treat(&Careless, policy, asked(), &mut message, inspected).await;
    assert_eq!(treated.err(), Some(KeepError::Internal));
}

#[tokio::test]
async fn a_panic_while_sealing_is_a_message_that_is_not_kept() {
    let mut message = incoming();
    let inspected = Inspected {
        record: Some(Box::new(|_| panic!("on purpose"))),
        ..look(&Careless, asked()).await
    };
    let policy = InspectPolicy::default();
    let treated = treat(&Careless, policy, asked(), &mut message, inspected).await;
    assert_eq!(treated.err(), Some(KeepError::Internal));
}
