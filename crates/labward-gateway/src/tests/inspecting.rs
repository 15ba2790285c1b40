//! Messages that carry something bad: what is delivered, what waits, what is sealed and what is answered.

use std::sync::Arc;
use std::time::Duration;

use labward_ledger::Leaf;
use labward_report::{Format, Report};

use super::oru;
use crate::config::{BatchPolicy, Framing, LinkConfig};
use crate::inspect::{Finding, InspectPolicy, OnFailed, OnFound, OnMalicious, Treated};
use crate::testing::{Inspector, Lab, LabOptions, Way, planted};

fn lab_of(inspector: &Arc<Inspector>, link: impl Fn(&mut LinkConfig) + 'static) -> Lab {
    Lab::with(LabOptions {
        link: Box::new(link),
        inspector: Some(Arc::clone(inspector)),
        ..LabOptions::default()
    })
}

fn lab_with(inspector: &Arc<Inspector>, policy: InspectPolicy) -> Lab {
    lab_of(inspector, move |link| link.inspect = policy)
}

/// A result, an attachment with this in it, and another result.
fn with_attachment(id: &str, base64: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|APP|FAC|LIS|LAB|20270115080000||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
         PID|1||4711^^^LAB^MR||Doe^Jane\r\
         OBR|1|O-1|F-1|24331-1^Lipids^LN\r\
         OBX|1|NM|GLU||90|mg/dl|||||F\r\
         OBX|2|ED|PDF||APP^application^pdf^Base64^{base64}||||||F\r\
         NTE|1||seen\r\
         OBX|3|NM|NA||140|mmol/l|||||F\r"
    )
    .into_bytes()
}

/// The same message as it goes on, `what` having been found.
fn without_attachment(id: &str, what: &str, comment: &str) -> Vec<u8> {
    let whole = String::from_utf8(with_attachment(id, "")).unwrap();
    whole
        .replace(
            "OBX|2|ED|PDF||APP^application^pdf^Base64^|",
            &format!("OBX|2|ST|PDF||[removed by Labward: {what}; ask the laboratory]|"),
        )
        .replace(
            "NTE|1||seen\r",
            &format!("NTE|1||seen\rNTE|2|L|Labward removed an attachment here because {comment}. \
                      The rest of the result is complete. The laboratory has the original under lock.\r"),
        )
        .into_bytes()
}

fn bad(id: &str) -> Vec<u8> {
    with_attachment(id, &planted(Finding::Malicious))
}

fn good_rest(id: &str) -> Vec<u8> {
    without_attachment(id, "malware", "malware was found in it")
}

/// `scan`, `rules` and `treated` of the last entry of a message.
fn facts(lab: &Lab) -> [Option<String>; 3] {
    let is_message = |leaf: &Leaf| leaf.action.name().starts_with("message.");
    let leaf = lab.leaves().into_iter().rev().find(is_message).unwrap();
    ["scan", "rules", "treated"].map(|name| leaf.facts.get_text(name).map(str::to_owned))
}

fn expect(scan: &str, rules: Option<&str>, treated: Option<&str>) -> [Option<String>; 3] {
    [Some(scan), rules, treated].map(|text| text.map(str::to_owned))
}

const RULES: Option<&str> = Some("abababababababab");

#[tokio::test]
async fn a_clean_message_goes_on_as_it_is_and_its_entry_says_by_which_rules() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    let mut client = lab.connect().await;
    let clean = with_attachment("1", "JVBERi0xLjQK");
    assert_eq!(client.exchange(&clean).await, "AA 1");
    assert_eq!(lab.sent.all()[0].bytes, clean);
    assert_eq!(facts(&lab), expect("clean", RULES, None));
    assert!(inspector.sealed().is_empty());
}

#[tokio::test]
async fn malware_is_taken_out_and_the_rest_of_the_result_is_delivered_and_answered_as_accepted() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    let sent = lab.sent.all().remove(0);
    assert_eq!(
        sent.bytes.escape_ascii().to_string(),
        good_rest("1").escape_ascii().to_string()
    );
    assert_eq!(facts(&lab), expect("malicious", RULES, Some("replaced")));
    let sealed = (Treated::Replaced, bad("1"));
    assert_eq!(
        inspector.committed(),
        [(sent.record, sealed)],
        "the original, with the message"
    );
    let kept = lab.keep_of(sent.record);
    assert_eq!(kept, good_rest("1"), "no record holds what was taken out");
    let counts = lab.gateway().status()[0].counts;
    assert_eq!((counts.accepted, counts.replaced, counts.held), (1, 1, 0));
}

#[tokio::test]
async fn the_rest_of_a_result_is_read_by_whoever_reads_reports() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    let report = Report::read(Format::Hl7V2, &lab.sent.all()[0].bytes).unwrap();
    let results: Vec<_> = report
        .orders
        .iter()
        .flat_map(|order| &order.results)
        .collect();
    let values: Vec<&str> = results.iter().map(|result| result.value.as_str()).collect();
    assert_eq!(
        values,
        [
            "90",
            "[removed by Labward: malware; ask the laboratory]",
            "140"
        ]
    );
    assert!(
        results.iter().all(|result| result.status == "F"),
        "OBX-11 stays"
    );
}

#[tokio::test]
async fn a_link_may_hold_malware_and_what_a_person_then_releases_holds_none() {
    let inspector = Inspector::new();
    let hold = InspectPolicy {
        malicious: OnMalicious::Hold,
        ..InspectPolicy::default()
    };
    let lab = lab_with(&inspector, hold);
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AR 1");
    assert!(lab.sent.all().is_empty());
    let held = lab.held().remove(0);
    assert_eq!(held.reason, "gateway.malware");
    assert_eq!(facts(&lab), expect("malicious", RULES, Some("held")));
    let committed = inspector.committed();
    assert_eq!(committed, [(held.record, (Treated::Held, bad("1")))]);
    lab.release(&held);
    assert_eq!(lab.sent.all()[0].bytes, good_rest("1"));
}

#[tokio::test]
async fn doubt_and_locks_pass_or_go_as_each_link_says() {
    let check = async |verdict, wish, answer: &str, treated: &str| {
        let inspector = Inspector::new();
        let policy = InspectPolicy {
            suspicious: wish,
            unscannable: wish,
            ..InspectPolicy::default()
        };
        let lab = lab_with(&inspector, policy);
        let message = with_attachment("1", &planted(verdict));
        assert_eq!(lab.connect().await.exchange(&message).await, answer);
        let name = verdict.name();
        assert_eq!(facts(&lab), expect(name, RULES, Some(treated)));
        let goes_on = lab.sent.all().into_iter().next().map(|sent| sent.bytes);
        let held = lab.held().into_iter().next().map(|held| held.reason);
        (message, goes_on, held)
    };
    for verdict in [Finding::Suspicious, Finding::Unscannable] {
        let (message, goes_on, _) = check(verdict, OnFound::Pass, "AA 1", "passed").await;
        assert_eq!(goes_on, Some(message));
        let (_, goes_on, _) = check(verdict, OnFound::Replace, "AA 1", "replaced").await;
        let (what, comment) = match verdict {
            Finding::Suspicious => ("it may be malware", "it may be malware"),
            _ => (
                "could not be checked for malware",
                "it could not be checked for malware",
            ),
        };
        assert_eq!(goes_on, Some(without_attachment("1", what, comment)));
        let (_, goes_on, held) = check(verdict, OnFound::Hold, "AR 1", "held").await;
        let reason = match verdict {
            Finding::Suspicious => "gateway.malware",
            _ => "gateway.not-inspected",
        };
        assert_eq!((goes_on, held.as_deref()), (None, Some(reason)));
    }
}

#[tokio::test]
async fn while_nobody_can_look_messages_pass_or_wait_as_the_link_says() {
    for way in [Way::Drops, Way::Panics] {
        for failed in [OnFailed::Pass, OnFailed::Hold] {
            let inspector = Inspector::that(way);
            let policy = InspectPolicy {
                failed,
                ..InspectPolicy::default()
            };
            let lab = lab_with(&inspector, policy);
            let answer = lab.connect().await.exchange(&oru("1", "90")).await;
            if failed == OnFailed::Pass {
                assert_eq!(answer, "AA 1", "{way:?}");
                assert_eq!(lab.sent.all()[0].bytes, oru("1", "90"));
                assert_eq!(facts(&lab), expect("failed", None, Some("passed")));
                continue;
            }
            assert_eq!(answer, "AR 1", "{way:?}");
            let held = lab.held().remove(0);
            assert_eq!(held.reason, "gateway.not-inspected");
            assert_eq!(lab.content(&held), oru("1", "90"), "nothing was taken out");
            assert_eq!(facts(&lab), expect("failed", None, Some("held")));
        }
    }
}

#[tokio::test]
async fn what_is_sent_again_is_answered_as_before_and_not_looked_at_again() {
    for (malicious, code) in [(OnMalicious::Replace, "AA"), (OnMalicious::Hold, "AR")] {
        let inspector = Inspector::new();
        let policy = InspectPolicy {
            malicious,
            ..InspectPolicy::default()
        };
        let mut lab = lab_with(&inspector, policy);
        let answer = format!("{code} 1");
        assert_eq!(lab.connect().await.exchange(&bad("1")).await, answer);
        let asked = inspector.asked();
        assert_eq!(asked, 2, "the message, and what is left of it");
        assert_eq!(lab.connect().await.exchange(&bad("1")).await, answer);
        lab.restart();
        assert_eq!(lab.connect().await.exchange(&bad("1")).await, answer);
        assert_eq!(inspector.asked(), asked);
        assert_eq!(inspector.sealed().len(), 1);
        let kept = lab.sent.all().len() + lab.held().len();
        assert_eq!(kept, 1, "{:?}", lab.actions());
    }
}

#[tokio::test]
async fn a_copy_in_the_same_moment_waits_for_the_first_and_is_not_looked_at() {
    let inspector = Inspector::that(Way::Slowly(Duration::from_millis(100)));
    let lab = lab_with(&inspector, InspectPolicy::default());
    let (mut one, mut two) = (lab.connect().await, lab.connect().await);
    one.send(&bad("1")).await;
    two.send(&bad("1")).await;
    assert_eq!(one.ack().await.as_deref(), Some("AA 1"));
    assert_eq!(two.ack().await.as_deref(), Some("AA 1"));
    assert_eq!((inspector.asked(), lab.sent.all().len()), (2, 1));
}

#[tokio::test]
async fn the_order_of_a_connection_stays_however_long_each_message_takes() {
    let inspector = Inspector::that(Way::Slowly(Duration::from_millis(60)));
    let lab = lab_with(&inspector, InspectPolicy::default());
    let mut client = lab.connect().await;
    let messages = [bad("1"), oru("2", "90"), bad("3"), oru("4", "91")];
    let frames: Vec<Vec<u8>> = messages
        .iter()
        .map(|one| labward_hl7::mllp::encode(one))
        .collect();
    client.write(&frames.concat()).await;
    for id in 1..=4 {
        assert_eq!(client.ack().await, Some(format!("AA {id}")));
    }
    let sent: Vec<Vec<u8>> = lab.sent.all().into_iter().map(|sent| sent.bytes).collect();
    assert_eq!(
        sent,
        [
            good_rest("1"),
            oru("2", "90"),
            good_rest("3"),
            oru("4", "91")
        ]
    );
}

#[tokio::test]
async fn each_message_of_a_batch_is_looked_at_by_itself() {
    for batch in [BatchPolicy::PerMessage, BatchPolicy::Whole] {
        let inspector = Inspector::new();
        let lab = lab_of(&inspector, move |link| link.batch = batch);
        let mut client = lab.connect().await;
        let whole = [
            &b"BHS|^~\\&|A|B|C|D|20260101||||B-1\r"[..],
            &oru("1", "90"),
            &bad("2"),
            b"BTS|2\r",
        ]
        .concat();
        client.send(&whole).await;
        match batch {
            BatchPolicy::Whole => assert_eq!(client.ack().await.as_deref(), Some("AA B-1")),
            BatchPolicy::PerMessage => {
                assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
                assert_eq!(client.ack().await.as_deref(), Some("AA 2"));
            }
        }
        let sent: Vec<Vec<u8>> = lab.sent.all().into_iter().map(|sent| sent.bytes).collect();
        assert_eq!(sent, [oru("1", "90"), good_rest("2")]);
    }
}

#[tokio::test]
async fn a_message_whose_original_cannot_be_sealed_is_not_kept_and_comes_again() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    inspector.breaks(true);
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&bad("1")).await, "AE 1");
    assert_eq!(client.ack().await, None, "the sender begins again");
    assert!(lab.actions().is_empty() && lab.sent.all().is_empty());
    assert_eq!(
        lab.connect().await.exchange(&oru("2", "90")).await,
        "AA 2",
        "others pass"
    );
    inspector.breaks(false);
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AA 1");
    assert_eq!(lab.sent.all().pop().unwrap().bytes, good_rest("1"));
}

#[tokio::test]
async fn what_cannot_be_taken_out_is_held_and_only_the_header_is_kept() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    let planted = planted(Finding::Malicious);
    // A notice must not stand where a receiver reads whose result it is.
    let message = String::from_utf8(oru("1", "90")).unwrap();
    let message = message.replace("4711^^^LAB^MR", &planted).into_bytes();
    assert_eq!(lab.connect().await.exchange(&message).await, "AR 1");
    let held = lab.held().remove(0);
    let kept = String::from_utf8(lab.content(&held)).unwrap();
    let (header, comment) = kept.split_once('\r').unwrap();
    assert!(message.starts_with(header.as_bytes()) && comment.starts_with("NTE|1|L|Labward holds"));
    assert_eq!(kept.matches('\r').count(), 2);
    assert_eq!(inspector.sealed(), [(Treated::Held, message)]);
    // In the header itself: not even that.
    let message = String::from_utf8(oru("2", "90")).unwrap();
    let message = message.replace("|FAC|", &format!("|{planted}|"));
    assert_eq!(
        lab.connect().await.exchange(message.as_bytes()).await,
        "AR 2"
    );
    let kept = String::from_utf8(lab.content(&lab.held()[0])).unwrap();
    assert!(
        kept.starts_with("MSH|^~\\&\rNTE|1|L|Labward holds"),
        "{kept}"
    );
}

#[tokio::test]
async fn wrong_places_never_let_malware_through() {
    let inspector = Inspector::that(Way::Elsewhere);
    let lab = lab_with(&inspector, InspectPolicy::default());
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AR 1");
    let kept = lab.content(&lab.held()[0]);
    assert!(kept.starts_with(b"MSH|") && !kept.windows(4).any(|four| four == b"OBX|"));
}

#[tokio::test]
async fn what_is_held_for_another_reason_is_looked_at_as_well() {
    let inspector = Inspector::new();
    let lab = Lab::with(LabOptions {
        rules: labward_identity::PeerRules::default(),
        inspector: Some(Arc::clone(&inspector)),
        ..LabOptions::default()
    });
    assert_eq!(lab.connect().await.exchange(&bad("1")).await, "AR 1");
    let held = lab.held().remove(0);
    assert_eq!(held.reason, "gateway.not-allowed");
    assert_eq!(lab.content(&held), good_rest("1"));
    assert_eq!(inspector.sealed(), [(Treated::Held, bad("1"))]);
    // A frame that is no message at all.
    let junk = [
        b"{\"data\":\"",
        planted(Finding::Malicious).as_bytes(),
        b"\"}",
    ]
    .concat();
    assert_eq!(lab.connect().await.exchange(&junk).await, "AR ");
    let kept = lab.content(&lab.held()[0]);
    assert!(kept.starts_with(b"Labward holds this message"));
}

#[tokio::test]
async fn release_2_says_stored_to_what_was_replaced_and_to_what_is_held() {
    let inspector = Inspector::new();
    let lab = lab_of(&inspector, |link| link.framing = Framing::MllpRelease2);
    let mut client = lab.connect().await;
    client.send(&bad("1")).await;
    assert_eq!(
        client.event().await,
        Some(labward_hl7::mllp::Event::CommitAck)
    );
    assert_eq!(client.ack().await.as_deref(), Some("AA 1"));
}

#[tokio::test]
async fn another_policy_holds_for_the_next_message_of_an_open_connection() {
    let inspector = Inspector::new();
    let lab = lab_with(&inspector, InspectPolicy::default());
    let mut client = lab.connect().await;
    assert_eq!(client.exchange(&bad("1")).await, "AA 1");
    lab.reload(|config| config.links[0].inspect.malicious = OnMalicious::Hold)
        .unwrap();
    assert_eq!(client.exchange(&bad("2")).await, "AR 2");
    assert_eq!((lab.sent.all().len(), lab.held().len()), (1, 1));
}
