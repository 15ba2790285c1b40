//! A serial line: a pair of pseudo terminals, an ASTM device on one side and the edge on the other.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::bench::{Bench, code, enrol};
use crate::support::eventually;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const EOT: u8 = 0x04;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;

/// The device's end of the line.
struct Line(OwnedFd);

impl Line {
    fn open() -> (Self, String) {
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&line).unwrap();
        unlockpt(&line).unwrap();
        let name = ptsname(&line, Vec::new()).unwrap();
        fcntl_setfl(&line, OFlags::NONBLOCK).unwrap();
        (Self(line), name.into_string().unwrap())
    }

    fn say(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = eventually("room on the line", || {
                rustix::io::write(&self.0, bytes).ok()
            });
            bytes = &bytes[written..];
        }
    }

    fn answer(&self) -> u8 {
        let mut one = [0];
        eventually("an answer on the line", || {
            (rustix::io::read(&self.0, &mut one) == Ok(1)).then_some(())
        });
        one[0]
    }
}

/// One frame around `text`.
fn frame(text: &str) -> Vec<u8> {
    let body = [b"1", text.as_bytes(), &[ETX]].concat();
    let sum = body.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    [&[STX], &body[..], format!("{sum:02X}\r\n").as_bytes()].concat()
}

/// A capture of a real instrument, if there are any here, and the text of its one frame.
fn capture() -> Option<(Vec<u8>, Vec<u8>)> {
    let Some(folder) = std::env::var_os("LABWARD_TEST_DATA") else {
        eprintln!("skipped: LABWARD_TEST_DATA is not set");
        return None;
    };
    let bytes = std::fs::read(PathBuf::from(folder).join("astm/sysmex_xn550.txt")).unwrap();
    let end = bytes.iter().position(|byte| *byte == ETX).unwrap();
    let start = bytes.iter().position(|byte| *byte == STX).unwrap() + 2;
    let text = bytes[start..end].to_vec();
    Some((bytes, text))
}

#[test]
fn what_a_device_sends_over_a_serial_line_arrives_byte_for_byte() {
    let (bench, _relay) = Bench::new();
    let server = bench.lab.serve();
    let (code, door) = code(&bench.lab, "bench-1");
    enrol(&bench.folder, &code, &door).ok();
    let (line, path) = Line::open();
    bench.configure(&format!(
        "[[device]]\nname = \"xn550\"\nserial = \"{path}\"\nframing = \"astm\"\n"
    ));
    let edge = bench.start();
    eventually("the serial line to be open", || {
        let status = bench.status();
        (status["devices"][0]["connections"] == 1).then_some(())
    });
    let text = "H|\\^&|||XN-550\rP|1||4711||DOE^PAT\rO|1|A1\rR|1|^^^^WBC|5.1\rL|1|N\r";
    let mut sent = vec![text.as_bytes().to_vec()];
    let mut frames = vec![frame(text)];
    if let Some((bytes, text)) = capture() {
        frames.push(bytes);
        sent.push(text);
    }
    for frame in &frames {
        line.say(&[ENQ]);
        assert_eq!(line.answer(), ACK, "to ENQ");
        line.say(frame);
        assert_eq!(line.answer(), ACK, "to the frame, after the commit");
        line.say(&[EOT]);
    }
    bench.wait_connected();
    bench.wait_for_taken(u64::try_from(frames.len()).unwrap());
    bench.nothing_is_legible();
    assert_eq!(bench.status()["devices"][0]["line"], path.as_str());
    // What the device does is learned under the name that the edge gives it.
    let known = eventually("the device behind the edge to be watched", || {
        let all = bench.lab.json(&["device", "behaviour"]);
        all["devices"].get(0).cloned()
    });
    assert_eq!(known["name"], "xn550");
    assert_eq!(known["learning"]["day"], 1);
    edge.stop();
    server.stop();
    assert_eq!(bench.lab.open().messages().unwrap(), sent);
    // It is written when the server stops.
    let server = bench.lab.serve();
    let again = bench.lab.json(&["device", "behaviour"])["devices"][0].clone();
    assert_eq!(again["types"], serde_json::json!(["ASTM^R"]));
    let tests = again["tests"].as_array().unwrap();
    assert!(tests.contains(&"WBC".into()), "{again}");
    server.stop();
}
