//! The captures of real instruments in `LABWARD_TEST_DATA/astm`, replayed.

use std::path::PathBuf;

use super::harness::{Host, transcript};
use super::{Conduct, LinkMessage};
use crate::control::{CR, ENQ, EOT, ETB, ETX, LF};
use crate::record::{Message, ParseError};

/// What is known of a capture.
struct Capture {
    file: &'static str,
    /// Length of the records, in bytes.
    len: usize,
    /// What a lenient link notes when ENQ and EOT are put around the capture.
    deviations: &'static str,
    /// Why a strict link refuses its first refused frame.
    refusal: &'static str,
    /// The same, after the line ends were put right; none if the message is accepted then.
    refusal_with_line_ends: Option<&'static str>,
    /// Sender's name, number of records and of results, if these are records.
    records: Option<(&'static str, usize, usize)>,
}

const CAPTURES: [Capture; 7] = [
    Capture {
        file: "abbott_afinion2",
        len: 182,
        deviations: "line-end-cr",
        refusal: "Deviation(LineEndCr)",
        refusal_with_line_ends: None,
        records: Some(("Afinion 2 Analyzer", 5, 1)),
    },
    Capture {
        file: "cobas_c111",
        len: 314,
        deviations: "etb-ends-record line-end-lf",
        refusal: "Deviation(LineEndLf)",
        refusal_with_line_ends: Some("Deviation(EtbEndsRecord)"),
        records: Some(("SENAITE", 7, 1)),
    },
    Capture {
        file: "dca_vantage",
        len: 300,
        deviations: "frame-too-long line-end-cr",
        refusal: "FrameTooLong",
        refusal_with_line_ends: Some("FrameTooLong"),
        records: Some(("DCA VANTAGE", 9, 3)),
    },
    Capture {
        file: "genexpert",
        len: 4332,
        deviations: "frame-too-long line-end-cr",
        refusal: "FrameTooLong",
        refusal_with_line_ends: Some("FrameTooLong"),
        records: Some((".806149 Happy Hospital", 91, 84)),
    },
    Capture {
        file: "pentra_xlr",
        len: 1508,
        deviations: "line-end-lf",
        refusal: "Deviation(LineEndLf)",
        refusal_with_line_ends: None,
        records: Some(("ABX", 28, 21)),
    },
    Capture {
        file: "spotchem_el",
        len: 118,
        deviations: "line-end-lf no-checksum no-frame-number not-e1394",
        refusal: "Deviation(NoChecksum)",
        refusal_with_line_ends: Some("Deviation(NoChecksum)"),
        records: None,
    },
    Capture {
        file: "sysmex_xn550",
        len: 2607,
        deviations: "frame-too-long line-end-cr",
        refusal: "FrameTooLong",
        refusal_with_line_ends: Some("FrameTooLong"),
        records: Some(("    XN-550", 48, 41)),
    },
];

/// Every capture with its bytes, or none if the data is not there.
fn captures() -> Vec<(&'static Capture, Vec<u8>)> {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("labward-skip: ASTM captures: LABWARD_TEST_DATA is not set");
        return Vec::new();
    };
    let folder = PathBuf::from(folder).join("astm");
    let read = |capture: &'static Capture| {
        let path = folder.join(capture.file).with_extension("txt");
        (
            capture,
            std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        )
    };
    CAPTURES.iter().map(read).collect()
}

fn wrapped(bytes: &[u8]) -> Vec<u8> {
    [&[ENQ], bytes, &[EOT]].concat()
}

/// The capture with CR LF after each frame.
fn with_line_ends(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut since_end = usize::MAX;
    for byte in bytes {
        since_end = since_end.saturating_add(1);
        if matches!(*byte, ETX | ETB) {
            since_end = 0;
        }
        if since_end <= 3 && matches!(*byte, CR | LF) {
            out.extend([CR, LF]);
        } else {
            out.push(*byte);
        }
    }
    out
}

/// The text of the frames, by a way of its own: between STX and ETX or ETB, without the number.
fn texts(capture: &Capture, bytes: &[u8]) -> Vec<u8> {
    let number = usize::from(capture.records.is_some());
    let frames = bytes.split(|byte| *byte == 2).skip(1);
    let text = |frame: &[u8]| {
        let end = frame
            .iter()
            .position(|byte| matches!(*byte, ETX | ETB))
            .expect("it ends");
        frame[number..end].to_vec()
    };
    frames.map(text).collect::<Vec<_>>().concat()
}

fn replay(conduct: Conduct, bytes: &[u8], step: usize) -> Vec<LinkMessage> {
    let mut host = Host::new(conduct);
    host.give(bytes, step);
    host.wait(1);
    host.messages
}

#[test]
fn a_lenient_link_takes_every_capture_whole_and_notes_how_it_deviates() {
    for (capture, bytes) in captures() {
        for step in [1, usize::MAX] {
            let raw = replay(Conduct::lenient(), &bytes, step);
            let framed = replay(Conduct::lenient(), &wrapped(&bytes), step);
            for (messages, has_enq) in [(raw, false), (framed, true)] {
                assert_eq!(messages.len(), 1, "{}", capture.file);
                let message = &messages[0];
                assert!(message.awaits_commit);
                assert_eq!(message.bytes.len(), capture.len, "{}", capture.file);
                assert_eq!(message.bytes, texts(capture, &bytes), "{}", capture.file);
                let names: Vec<_> = message
                    .deviations
                    .iter()
                    .map(|deviation| deviation.name())
                    .filter(|name| has_enq || *name != "no-enq")
                    .collect();
                assert_eq!(names.join(" "), capture.deviations, "{}", capture.file);
                assert_eq!(
                    message.deviations.contains(&crate::Deviation::NoEnq),
                    !has_enq
                );
            }
        }
    }
}

#[test]
fn every_capture_is_answered_alike_however_it_is_cut() {
    for (capture, bytes) in captures() {
        for conduct in [Conduct::lenient(), Conduct::strict()] {
            for bytes in [bytes.clone(), wrapped(&bytes)] {
                assert!(!transcript(&conduct, &bytes).is_empty(), "{}", capture.file);
            }
        }
    }
}

#[test]
fn a_strict_link_refuses_every_capture_as_it_is() {
    for (capture, bytes) in captures() {
        let mut host = Host::new(Conduct::strict());
        host.give(&wrapped(&bytes), 1);
        assert!(host.messages.is_empty(), "{}", capture.file);
        let refused = host.log.iter().find(|line| line.starts_with("refused"));
        assert_eq!(
            refused,
            Some(&format!("refused {} 1", capture.refusal)),
            "{}",
            capture.file
        );
    }
}

#[test]
fn a_strict_link_takes_the_captures_whose_only_fault_is_the_line_end() {
    for (capture, bytes) in captures() {
        let mut host = Host::new(Conduct::strict());
        host.give(&wrapped(&with_line_ends(&bytes)), 1);
        if let Some(refusal) = capture.refusal_with_line_ends {
            assert!(host.messages.is_empty(), "{}", capture.file);
            assert!(
                host.log.contains(&format!("refused {refusal} 1")),
                "{}",
                capture.file
            );
        } else {
            assert_eq!(host.messages.len(), 1, "{}", capture.file);
            assert!(host.messages[0].deviations.is_empty(), "{}", capture.file);
            assert!(
                !host.log.iter().any(|line| line.contains("refused")),
                "{}",
                capture.file
            );
        }
    }
}

#[test]
fn the_records_of_every_capture_are_read() {
    for (capture, bytes) in captures() {
        let messages = replay(Conduct::lenient(), &wrapped(&bytes), usize::MAX);
        let parsed = Message::parse(&messages[0].bytes);
        let Some((sender, records, results)) = capture.records else {
            assert_eq!(parsed, Err(ParseError::NotE1394), "{}", capture.file);
            continue;
        };
        let message = parsed.unwrap_or_else(|e| panic!("{}: {e}", capture.file));
        assert_eq!(message.header().sender_name().bytes(), sender.as_bytes());
        assert_eq!(message.records().len(), records, "{}", capture.file);
        assert_eq!(message.result_count(), results, "{}", capture.file);
        assert_eq!(message.orders().count(), 1);
        assert_eq!(message.patients().count(), 1);
        assert!(message.is_terminated());
        assert!(!message.is_query());
    }
}
