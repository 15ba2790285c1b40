//! The ASTM receiver does the same however its bytes are cut, never panics, keeps no more than its
//! limits allow, and comes to rest.

use std::time::Duration;

use labward_astm::link::{Action, Conduct, Receiver};
use labward_base::Timestamp;

const MAX_MESSAGE_BYTES: usize = 4096;

/// Everything the receiver does with the bytes, given in pieces of at most `step`.
fn feed(conduct: &Conduct, bytes: &[u8], step: usize, refuses: bool) -> Vec<Action> {
    let now = Timestamp::from_seconds(1_000_000);
    let mut receiver = Receiver::new(conduct.clone());
    let mut done = Vec::new();
    let mut refused = 0;
    let mut drain = |receiver: &mut Receiver| {
        while let Some(action) = receiver.next_action() {
            if receiver.is_awaiting_commit() {
                if refuses && refused % 2 == 0 {
                    receiver.refused(now);
                } else {
                    receiver.committed(now);
                }
                refused += 1;
            }
            done.push(action);
        }
    };
    for piece in bytes.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = receiver.receive(rest, now);
            drain(&mut receiver);
            rest = &rest[taken..];
        }
    }
    // The line falls silent: first what silence decides, then the message's own time.
    for seconds in [2, 40, 80] {
        receiver.tick(now.plus(Duration::from_secs(seconds)));
        drain(&mut receiver);
    }
    assert_eq!(receiver.deadline(), None, "it is at rest");
    done
}

pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let base = if choice & 1 == 0 { Conduct::lenient() } else { Conduct::strict() };
    let conduct = Conduct {
        max_message_bytes: MAX_MESSAGE_BYTES,
        max_frames: 64,
        max_pending_bytes: 512,
        ..base
    };
    let refuses = choice & 2 != 0;
    let whole = feed(&conduct, bytes, usize::MAX, refuses);
    let step = usize::from(choice >> 2) + 1;
    assert_eq!(feed(&conduct, bytes, step, refuses), whole, "cut every {step} bytes");
    for action in &whole {
        match action {
            Action::Message(message) => {
                assert!(!message.bytes.is_empty());
                // Each frame may add the CR that the device left out.
                assert!(message.bytes.len() <= MAX_MESSAGE_BYTES + 1);
                assert!(message.deviations.is_sorted());
            }
            Action::Damaged { bytes, rest, .. } => {
                assert!(!bytes.is_empty() || !rest.is_empty());
                assert!(bytes.len() <= MAX_MESSAGE_BYTES + 1);
                assert!(rest.len() <= conduct.max_frame_bytes);
            }
            Action::Refused { tries, .. } => assert!(*tries <= conduct.tries),
            Action::Noted(_) | Action::Send(_) => {}
        }
    }
}
