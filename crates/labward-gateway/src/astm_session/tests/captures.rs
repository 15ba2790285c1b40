//! The captures of real instruments in `LABWARD_TEST_DATA/astm`, sent over a socket.

use std::path::PathBuf;

use labward_astm::control::{ACK, ENQ, EOT, ETB, ETX, NAK, STX};

use super::{Device, delivered, deviations, lab, lab_with};
use crate::config::Strictness;

/// What is known of a capture.
struct Capture {
    file: &'static str,
    frames: usize,
    /// What a lenient link notes when ENQ and EOT stand around it.
    deviations: &'static str,
    message_type: &'static str,
}

const CAPTURES: [Capture; 7] = [
    capture("abbott_afinion2", 1, "line-end-cr", "ASTM"),
    capture("cobas_c111", 7, "etb-ends-record line-end-lf", "ASTM"),
    capture("dca_vantage", 1, "frame-too-long line-end-cr", "ASTM"),
    capture("genexpert", 1, "frame-too-long line-end-cr", "ASTM"),
    capture("pentra_xlr", 28, "line-end-lf", "ASTM"),
    capture(
        "spotchem_el",
        1,
        "line-end-lf no-checksum no-frame-number not-e1394",
        "LIS01",
    ),
    capture("sysmex_xn550", 1, "frame-too-long line-end-cr", "ASTM"),
];

const fn capture(
    file: &'static str,
    frames: usize,
    deviations: &'static str,
    message_type: &'static str,
) -> Capture {
    Capture {
        file,
        frames,
        deviations,
        message_type,
    }
}

impl Capture {
    fn read(&self) -> Option<Vec<u8>> {
        let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
            eprintln!("labward-skip: ASTM captures: LABWARD_TEST_DATA is not set");
            return None;
        };
        let path = PathBuf::from(folder).join("astm").join(self.file);
        Some(std::fs::read(path.with_extension("txt")).unwrap())
    }

    /// The text of its frames, by a way of its own: what stands between STX and ETX or ETB, without
    /// the frame number where there is one.
    fn text(&self, bytes: &[u8]) -> Vec<u8> {
        let number = usize::from(self.message_type == "ASTM");
        let text = |frame: &[u8]| {
            let ends = |byte: &u8| matches!(*byte, ETX | ETB);
            frame[number..frame.iter().position(ends).unwrap()].to_vec()
        };
        let frames = bytes.split(|byte| *byte == STX).skip(1);
        frames.flat_map(text).collect()
    }
}

#[tokio::test]
async fn a_lenient_link_keeps_every_capture_byte_for_byte_and_notes_how_it_deviates() {
    for is_raw in [true, false] {
        let lab = lab();
        for (number, capture) in CAPTURES.iter().enumerate() {
            let Some(bytes) = capture.read() else { return };
            let mut device = Device::connect(&lab).await;
            let enq = usize::from(!is_raw);
            match is_raw {
                true => device.say(&bytes).await,
                false => device.say(&[&[ENQ], &bytes[..], &[EOT]].concat()).await,
            }
            for _ in 0..capture.frames + enq {
                assert_eq!(device.answer().await, Some(ACK), "{}", capture.file);
            }
            assert_eq!(delivered(&lab).len(), number + 1, "{}", capture.file);
            assert_eq!(
                delivered(&lab)[number],
                capture.text(&bytes),
                "{}",
                capture.file
            );
            let noted = deviations(&lab);
            let noted: Vec<_> = noted.split(' ').filter(|name| *name != "no-enq").collect();
            assert_eq!(noted.join(" "), capture.deviations, "{}", capture.file);
            assert_eq!(
                deviations(&lab).contains("no-enq"),
                is_raw,
                "{}",
                capture.file
            );
            let leaf = lab.leaves().pop().unwrap();
            assert_eq!(leaf.facts.get_text("type"), Some(capture.message_type));
            assert!(device.is_silent().await, "{}", capture.file);
        }
        assert!(lab.held().is_empty());
    }
}

#[tokio::test]
async fn a_strict_link_refuses_every_frame_and_keeps_one_after_six_tries() {
    let lab = lab_with(|link| link.strictness = Strictness::Strict);
    let mut held = 0;
    for capture in &CAPTURES {
        let Some(bytes) = capture.read() else { return };
        let mut device = Device::connect(&lab).await;
        device.say(&[&[ENQ], &bytes[..], &[EOT]].concat()).await;
        assert_eq!(device.answer().await, Some(ACK), "{}", capture.file);
        for _ in 0..capture.frames {
            assert_eq!(device.answer().await, Some(NAK), "{}", capture.file);
        }
        assert!(device.is_silent().await, "{}", capture.file);
        held += capture.frames / 6;
        assert_eq!(lab.held().len(), held, "{}", capture.file);
    }
    assert!(delivered(&lab).is_empty());
}
