//! Records that carry something bad, over a line that does not wait.

use std::sync::Arc;
use std::time::Duration;

use labward_astm::control::{ACK, ENQ, NAK};
use labward_identity::PeerRules;
use labward_report::{Format, Report};

use super::{Device, delivered, frames_of, only_held, records, text_of};
use crate::config::Framing;
use crate::inspect::{Finding, OnMalicious, Treated};
use crate::testing::{Inspector, Lab, LabOptions, Way, planted};

fn lab(inspector: &Arc<Inspector>, malicious: OnMalicious) -> Lab {
    Lab::with(LabOptions {
        rules: PeerRules::admit_all(),
        plain: true,
        link: Box::new(move |config| {
            config.framing = Framing::Astm;
            config.inspect.malicious = malicious;
        }),
        inspector: Some(Arc::clone(inspector)),
    })
}

/// A result with this comment.
fn commented(comment: &str) -> Vec<String> {
    let mut all = records("H550", "90");
    let comment = format!("C|1|I|{comment}|G\r");
    all.insert(4, comment);
    all
}

fn bad() -> Vec<String> {
    commented(&planted(Finding::Malicious))
}

/// What is left of it.
fn rest() -> Vec<u8> {
    let mut all = commented("[removed by Labward: malware; ask the laboratory]");
    let note = "C|2|L|Labward removed an attachment here because malware was found in it. The rest of the result is \
                complete. The laboratory has the original under lock.|G\r";
    all.insert(5, note.to_owned());
    text_of(&all)
}

#[tokio::test]
async fn malware_in_a_comment_is_taken_out_and_the_result_is_delivered_once() {
    let inspector = Inspector::new();
    let lab = lab(&inspector, OnMalicious::Replace);
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&bad())).await;
    device.deliver(&frames_of(&bad())).await;
    assert_eq!(delivered(&lab), [rest()]);
    assert_eq!(inspector.sealed(), [(Treated::Replaced, text_of(&bad()))]);
    assert_eq!(lab.actions(), ["message.received", "message.duplicate"]);
    let report = Report::read(Format::Astm, &rest()).unwrap();
    assert_eq!(report.results(), 1);
}

#[tokio::test]
async fn a_held_message_is_acknowledged_and_holds_no_malware() {
    let inspector = Inspector::new();
    let lab = lab(&inspector, OnMalicious::Hold);
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&bad())).await;
    device.deliver(&frames_of(&bad())).await;
    assert!(delivered(&lab).is_empty());
    assert_eq!(only_held(&lab), ("gateway.malware".to_owned(), rest()));
}

#[tokio::test]
async fn the_line_is_read_on_while_somebody_looks_slowly() {
    let inspector = Inspector::that(Way::Slowly(Duration::from_millis(400)));
    let lab = lab(&inspector, OnMalicious::Replace);
    let mut device = Device::connect(&lab).await;
    let frames = frames_of(&bad());
    let (last, before) = frames.split_last().unwrap();
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in before {
        assert_eq!(device.ask(frame).await, Some(ACK));
    }
    // No ACK before the commit, and EOT with the next ENQ does not get lost meanwhile.
    device.say(last).await;
    assert!(device.is_silent().await);
    device.say(&[labward_astm::control::EOT, ENQ]).await;
    assert_eq!(device.answer().await, Some(ACK), "the message's");
    assert_eq!(device.answer().await, Some(ACK), "the next one's");
    assert_eq!(delivered(&lab), [rest()]);
}

#[tokio::test]
async fn what_cannot_be_sealed_is_refused_on_the_line_and_taken_when_it_comes_again() {
    let inspector = Inspector::new();
    let lab = lab(&inspector, OnMalicious::Replace);
    inspector.breaks(true);
    let mut device = Device::connect(&lab).await;
    let frames = frames_of(&bad());
    let (last, before) = frames.split_last().unwrap();
    assert_eq!(device.ask(&[ENQ]).await, Some(ACK));
    for frame in before {
        assert_eq!(device.ask(frame).await, Some(ACK));
    }
    assert_eq!(device.ask(last).await, Some(NAK));
    inspector.breaks(false);
    assert_eq!(device.ask(last).await, Some(ACK));
    assert_eq!(delivered(&lab), [rest()]);
}

#[tokio::test]
async fn while_nobody_can_look_results_go_on() {
    let inspector = Inspector::that(Way::Drops);
    let lab = lab(&inspector, OnMalicious::Replace);
    let mut device = Device::connect(&lab).await;
    device.deliver(&frames_of(&records("H550", "90"))).await;
    inspector.goes(Way::AtOnce);
    device.deliver(&frames_of(&records("H550", "91"))).await;
    assert_eq!(delivered(&lab).len(), 2);
}

#[tokio::test]
async fn text_that_is_no_record_is_held_without_anything_of_it() {
    let inspector = Inspector::new();
    let lab = lab(&inspector, OnMalicious::Replace);
    let mut device = Device::connect(&lab).await;
    let text = format!("24/10/29 Na {}\r", planted(Finding::Malicious));
    device.deliver(&frames_of(&[text])).await;
    let (reason, kept) = only_held(&lab);
    assert_eq!(reason, "gateway.malware");
    assert!(kept.starts_with(b"Labward holds this message"));
}
