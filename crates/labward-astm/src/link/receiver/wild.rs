//! Claims about the receiver that hold for any bytes.

use proptest::prelude::*;

use super::tests::{END, HEADER, session};
use super::*;
use crate::link::harness::{Host, last, more};

/// Bytes as they might come: pieces of sessions, controls, and anything.
fn wild() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        Just(HEADER.to_owned()),
        Just(END.to_owned()),
        Just(format!("{HEADER}{END}")),
        Just("P|1\r".to_owned()),
        "[ -~]{0,20}",
    ];
    let frame =
        (0_u8..8, text, any::<bool>(), 0_usize..5).prop_map(|(number, text, is_last, drop)| {
            let frame = if is_last {
                last(number, &text)
            } else {
                more(number, &text)
            };
            frame[..frame.len() - drop].to_vec()
        });
    let control = prop::sample::select(vec![2_u8, ENQ, EOT, 3, 23, 13, 10, 6, 21]);
    let piece = prop_oneof![
        4 => frame,
        2 => control.prop_map(|byte| vec![byte]),
        1 => proptest::collection::vec(any::<u8>(), 0..10),
        1 => Just(session()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn it_does_the_same_however_the_bytes_are_cut(
        bytes in wild(),
        cuts in proptest::collection::vec(1_usize..40, 1..50),
        strict: bool,
    ) {
        let conduct = if strict { Conduct::strict() } else { Conduct::lenient() };
        let mut whole = Host::new(conduct.clone());
        whole.give(&bytes, usize::MAX);
        whole.close();
        let mut cut = Host::new(conduct);
        let mut rest = &bytes[..];
        for size in cuts {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            cut.give(piece, usize::MAX);
            rest = after;
        }
        cut.give(rest, usize::MAX);
        cut.close();
        prop_assert_eq!(whole.log, cut.log);
    }

    #[test]
    fn it_ends_at_rest_whatever_came_and_whenever(
        bytes in wild(),
        waits in proptest::collection::vec(0_u64..40, 1..20),
    ) {
        let mut host = Host::new(Conduct::lenient());
        let size = bytes.len() / waits.len() + 1;
        for (piece, wait) in bytes.chunks(size).zip(&waits) {
            host.give(piece, usize::MAX);
            host.wait(*wait);
        }
        // Silence, then the message's own timeout.
        host.wait(60);
        host.wait(60);
        prop_assert_eq!(host.receiver.deadline(), None);
    }

    #[test]
    fn every_acknowledged_text_is_handed_out(bytes in wild()) {
        let mut host = Host::new(Conduct::lenient());
        host.give(&bytes, usize::MAX);
        host.close();
        let frames = accepted_texts(&bytes);
        let handed_out: String = host
            .log
            .iter()
            .filter(|line| !line.starts_with("refused"))
            .cloned()
            .collect();
        for text in frames {
            let text = text.escape_ascii().to_string();
            prop_assert!(handed_out.contains(&text), "{text} is not in {handed_out}");
        }
    }
}

/// The texts of the frames that a second, naive receiver sees acknowledged one by one.
fn accepted_texts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut receiver = Receiver::new(Conduct::lenient());
    let mut texts = Vec::new();
    let now = Timestamp::default();
    for byte in bytes {
        let before = receiver.assembly.bytes.len();
        assert_eq!(receiver.receive(&[*byte], now), 1);
        while let Some(action) = receiver.next_action() {
            if let Action::Message(LinkMessage {
                awaits_commit: true,
                ..
            }) = action
            {
                receiver.committed(now);
            }
        }
        if let Some(added) = receiver.assembly.bytes.get(before..)
            && !added.is_empty()
        {
            texts.push(added.to_vec());
        }
    }
    texts
}
