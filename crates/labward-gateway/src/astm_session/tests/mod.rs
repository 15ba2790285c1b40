//! ASTM links as instruments meet them: real sockets, a real store and ledger.

mod captures;
mod inspecting;
mod line;
mod messages;
mod strangers;

use std::time::Duration;

use labward_astm::control::{ACK, CR, ENQ, EOT};
use labward_astm::frame::{Frame, FrameEnd};
use labward_identity::PeerRules;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Framing, LinkConfig};
use crate::testing::{Lab, LabOptions};

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A lab with one plain ASTM link.
fn lab() -> Lab {
    lab_with(|_| {})
}

fn lab_with(link: impl Fn(&mut LinkConfig) + 'static) -> Lab {
    lab_of(PeerRules::admit_all(), link)
}

fn lab_of(rules: PeerRules, link: impl Fn(&mut LinkConfig) + 'static) -> Lab {
    Lab::with(LabOptions {
        rules,
        plain: true,
        link: Box::new(move |config| {
            config.framing = Framing::Astm;
            link(config);
        }),
        ..LabOptions::default()
    })
}

/// The far end of a link.
struct Device(TcpStream);

impl Device {
    async fn connect(lab: &Lab) -> Self {
        let (_, address) = lab.gateway().local_addresses().remove(0);
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next byte of the answer; `None` once the gateway has closed.
    async fn answer(&mut self) -> Option<u8> {
        let read = timeout(PATIENCE, self.0.read_u8()).await;
        read.expect("the gateway hangs").ok()
    }

    async fn ask(&mut self, bytes: &[u8]) -> Option<u8> {
        self.say(bytes).await;
        self.answer().await
    }

    async fn is_silent(&mut self) -> bool {
        timeout(Duration::from_millis(150), self.0.read_u8())
            .await
            .is_err()
    }

    /// Sends a whole message and expects ACK for its ENQ and each frame.
    async fn deliver(&mut self, frames: &[Vec<u8>]) {
        assert_eq!(self.ask(&[ENQ]).await, Some(ACK));
        for frame in frames {
            assert_eq!(self.ask(frame).await, Some(ACK), "{}", frame.escape_ascii());
        }
        self.say(&[EOT]).await;
    }
}

/// A message with this sender and result, one record a frame.
fn records(sender: &str, result: &str) -> Vec<String> {
    vec![
        format!("H|\\^&|||{sender}^1.0||||||||LIS2-A2|20270115080000\r"),
        "P|1||4711||Doe^Jane\r".to_owned(),
        "O|1|S-1||^^^GLU\r".to_owned(),
        format!("R|1|^^^GLU|{result}|mg/dL\r"),
        "L|1|N\r".to_owned(),
    ]
}

fn text_of(records: &[String]) -> Vec<u8> {
    records.concat().into_bytes()
}

/// One standard frame a record.
fn frames_of(records: &[String]) -> Vec<Vec<u8>> {
    let frame = |(number, record): (u8, &String)| frame(number % 8, record.as_bytes());
    (1..).zip(records).map(frame).collect()
}

fn frame(number: u8, text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let end = FrameEnd::Last;
    Frame { number, text, end }.encode(&mut bytes);
    bytes
}

/// The bytes that went to delivery, in their order.
fn delivered(lab: &Lab) -> Vec<Vec<u8>> {
    lab.sent.all().into_iter().map(|sent| sent.bytes).collect()
}

/// What the last entry says was outside the standard, joined by blanks.
fn deviations(lab: &Lab) -> String {
    let leaf = lab.leaves().pop().unwrap();
    let Some(fact) = leaf.facts.get("deviations") else {
        return String::new();
    };
    let text = format!("{fact:?}");
    let names: Vec<_> = text.split('"').skip(1).step_by(2).collect();
    names.join(" ")
}

/// Reason and content of the only held message.
fn only_held(lab: &Lab) -> (String, Vec<u8>) {
    let held = lab.held();
    let [one] = held.as_slice() else {
        panic!("{held:?}")
    };
    (one.reason.clone(), lab.content(one))
}

#[test]
fn the_frames_of_these_tests_are_those_of_the_standard() {
    assert_eq!(frame(1, b"L|1|N\r"), b"\x021L|1|N\r\x0304\r\n");
    assert!(text_of(&records("H550", "90")).ends_with(&[b'N', CR]));
}
