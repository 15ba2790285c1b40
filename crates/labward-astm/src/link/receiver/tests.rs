//! Claims about the receiver.

use super::*;
use crate::link::harness::{Host, last, more, transcript};

pub(super) const HEADER: &str = "H|\\^&|||X\r";
pub(super) const END: &str = "L|1|N\r";

fn check(conduct: Conduct, parts: &[&[u8]], expect: &[&str]) {
    assert_eq!(transcript(&conduct, &parts.concat()), expect);
}

/// A session of a whole message in two frames.
pub(super) fn session() -> Vec<u8> {
    [&[ENQ][..], &last(1, HEADER), &last(2, END), &[EOT]].concat()
}

const MESSAGE: &str = "message H|\\\\^&|||X\\rL|1|N\\r";

fn message(deviations: &str) -> String {
    format!("{MESSAGE} [{deviations}]")
}

#[test]
fn a_standard_session_is_one_message_without_deviations() {
    for conduct in [Conduct::strict(), Conduct::lenient()] {
        check(conduct, &[&session()], &["ACK", "ACK", &message(""), "ACK"]);
    }
}

#[test]
fn the_last_frame_is_not_acknowledged_before_the_commit() {
    let mut host = Host::new(Conduct::strict());
    host.commits = false;
    host.give(&session(), 1);
    assert_eq!(host.log, ["ACK", "ACK", &message("")]);
    assert_eq!(host.receiver.deadline(), None);
    host.wait(14);
    host.receiver.committed(host.now);
    host.receiver.committed(host.now);
    host.drain();
    assert_eq!(host.log.split_off(3), ["ACK"]);
}

#[test]
fn a_commit_later_than_the_sender_waits_answers_only_what_came_since() {
    for (since, expect) in [
        (&[EOT, ENQ][..], &["ACK"][..]),
        (&last(2, END), &["ACK"]),
        (&[], &["ACK"]),
        (&[EOT], &[]),
    ] {
        let mut host = Host::new(Conduct::lenient());
        host.commits = false;
        host.give(&[&[ENQ][..], &last(1, HEADER), &last(2, END)].concat(), 9);
        host.log.clear();
        host.wait(15);
        host.give(since, 1);
        assert!(host.log.is_empty());
        host.receiver.committed(host.now);
        host.drain();
        assert_eq!(host.log, expect, "{}", since.escape_ascii());
    }
}

#[test]
fn a_message_that_cannot_be_kept_is_refused_and_taken_again() {
    let mut host = Host::new(Conduct::lenient());
    host.commits = false;
    host.give(&[&[ENQ][..], &last(1, HEADER), &last(2, END)].concat(), 5);
    host.receiver.refused(host.now);
    host.drain();
    host.commits = true;
    host.give(&last(2, END), 1);
    let whole = message("");
    let expect = [
        "ACK",
        "ACK",
        &whole,
        "refused ByHost 1",
        "NAK",
        &whole,
        "ACK",
    ];
    assert_eq!(host.log, expect);
}

#[test]
fn a_message_refused_six_times_is_given_up() {
    let mut host = Host::new(Conduct::strict());
    host.commits = false;
    host.give(&[&[ENQ][..], &last(1, HEADER)].concat(), 5);
    for _ in 0..6 {
        host.give(&last(2, END), 5);
        host.receiver.refused(host.now);
        host.drain();
    }
    let tail = host.log.split_off(host.log.len() - 2);
    assert_eq!(tail, ["NAK", "damaged TooManyTries H|\\\\^&|||X\\r +  []"]);
    assert_eq!(host.receiver.deadline(), None);
}

#[test]
fn bytes_that_come_while_a_commit_is_awaited_are_kept_up_to_a_bound() {
    let mut host = Host::new(Conduct {
        max_pending_bytes: 100,
        ..Conduct::strict()
    });
    host.commits = false;
    let first = [&[ENQ][..], &last(1, HEADER), &last(2, END)].concat();
    host.give(&first, 7);
    let more = session().repeat(20);
    let taken = host.receiver.receive(&more, host.now);
    assert_eq!(taken, 100);
    assert_eq!(host.receiver.receive(&more[taken..], host.now), 0);
    host.commits = true;
    host.receiver.committed(host.now);
    host.drain();
    host.give(&more[taken..], 1000);
    assert_eq!(host.messages.len(), 21);
}

#[test]
fn a_repeated_frame_is_acknowledged_and_not_appended() {
    let parts: [&[u8]; 6] = [
        &[ENQ],
        &last(1, HEADER),
        &last(1, HEADER),
        &last(2, END),
        &last(2, END),
        &[EOT],
    ];
    let expect = ["ACK", "ACK", "ACK", &message(""), "ACK", "ACK"];
    check(Conduct::strict(), &parts, &expect);
    check(Conduct::lenient(), &parts, &expect);
}

#[test]
fn a_repeated_number_with_another_text_is_refused() {
    let parts: [&[u8]; 4] = [&[ENQ], &last(1, HEADER), &last(1, "P|1\r"), &last(2, END)];
    let expect = [
        "ACK",
        "ACK",
        "refused FrameNumber 1",
        "NAK",
        &message(""),
        "ACK",
        "noted no-eot",
    ];
    check(Conduct::lenient(), &parts, &expect);
}

#[test]
fn a_missing_frame_is_refused() {
    let parts: [&[u8]; 3] = [&[ENQ], &last(1, HEADER), &last(3, END)];
    for conduct in [Conduct::strict(), Conduct::lenient()] {
        let expect = [
            "ACK",
            "ACK",
            "refused FrameNumber 1",
            "NAK",
            "damaged Closed H|\\\\^&|||X\\r +  []",
            "noted no-eot",
        ];
        check(conduct, &parts, &expect);
    }
}

#[test]
fn a_wrong_or_garbled_checksum_is_refused_by_every_link() {
    for damaged in [
        &b"\x022L|1|N\r\x0306\r\n"[..],
        b"\x022L|1|N\r\x030x\r\n",
        b"\x022L|1|N\r\x03x5\r\n",
        b"\x022L|1|N\r\x0305x\r\n",
    ] {
        for conduct in [Conduct::strict(), Conduct::lenient()] {
            let parts: [&[u8]; 5] = [&[ENQ], &last(1, HEADER), damaged, &last(2, END), &[EOT]];
            let expect = [
                "ACK",
                "ACK",
                "refused Checksum 1",
                "NAK",
                &message(""),
                "ACK",
            ];
            check(conduct, &parts, &expect);
        }
    }
}

#[test]
fn after_six_refusals_the_message_is_given_up_and_handed_out() {
    let bad = b"\x022L|1|N\r\x0300\r\n".repeat(6);
    let log = transcript(
        &Conduct::lenient(),
        &[&[ENQ][..], &last(1, HEADER), &bad, &[EOT], &session()].concat(),
    );
    assert_eq!(log[12..14], ["refused Checksum 6", "NAK"]);
    assert_eq!(
        log[14],
        "damaged TooManyTries H|\\\\^&|||X\\r + 2L|1|N\\r []"
    );
    assert_eq!(log[15..], ["ACK", "ACK", &message(""), "ACK"]);
}

#[test]
fn each_deviation_is_noted_by_a_lenient_link_and_refused_by_a_strict_one() {
    let one = |text: &str| last(1, text);
    let whole = format!("{HEADER}{END}");
    let cut = |frame: Vec<u8>, drop: usize| frame[..frame.len() - drop].to_vec();
    let long = format!("{HEADER}C|1|{}\r{END}", "x".repeat(240));
    let cases: Vec<(Deviation, Vec<u8>)> = vec![
        (Deviation::LineEndCr, cut(one(&whole), 1)),
        (
            Deviation::LineEndLf,
            [cut(one(&whole), 2), vec![LF]].concat(),
        ),
        (Deviation::NoLineEnd, cut(one(&whole), 2)),
        (
            Deviation::NoChecksum,
            [cut(one(&whole), 4), vec![CR, LF]].concat(),
        ),
        (Deviation::FrameTooLong, one(&long)),
        (Deviation::ControlInText, one("H|\\^&|||X\r\nL|1|N\r")),
        (
            Deviation::EtbEndsRecord,
            [more(1, HEADER), last(2, END)].concat(),
        ),
        (
            Deviation::NoRecordEnd,
            [one("H|\\^&|||X"), last(2, "L|1|N")].concat(),
        ),
        (
            Deviation::FrameNumberJump,
            [last(3, HEADER), last(4, END)].concat(),
        ),
        (Deviation::NotE1394, one("free text")),
        (Deviation::LowerCaseChecksum, with_lower_case_checksum()),
    ];
    for (deviation, frames) in cases {
        let bytes = [&[ENQ][..], &frames, &[EOT]].concat();
        let mut host = Host::new(Conduct::lenient());
        host.give(&bytes, 3);
        assert_eq!(host.messages.len(), 1, "{deviation}: {:?}", host.log);
        assert_eq!(host.messages[0].deviations, [deviation]);

        let strict = transcript(&Conduct::strict(), &bytes);
        let refusal = match deviation {
            Deviation::FrameTooLong => "refused FrameTooLong 1".to_owned(),
            other => format!("refused Deviation({other:?}) 1"),
        };
        assert!(strict.contains(&refusal), "{deviation}: {strict:?}");
        assert!(
            !strict.iter().any(|line| line.starts_with("message")),
            "{strict:?}"
        );
    }
}

/// A whole message in a frame whose checksum holds a letter, made small.
fn with_lower_case_checksum() -> Vec<u8> {
    let frames = ('a'..='z').map(|name| last(1, &format!("H|\\^&|||{name}\r{END}")));
    let is_letter = |frame: &Vec<u8>| frame[frame.len() - 4..].iter().any(u8::is_ascii_uppercase);
    let mut frame = frames
        .into_iter()
        .find(is_letter)
        .expect("one in 26 has a letter");
    let at = frame.len() - 4;
    frame[at..].make_ascii_lowercase();
    frame
}

#[test]
fn a_missing_checksum_is_damage_once_the_device_has_sent_one() {
    let parts: [&[u8]; 4] = [&[ENQ], &last(1, HEADER), b"\x022L|1|N\r\x03\r\n", &[EOT]];
    let expect = [
        "ACK",
        "ACK",
        "refused Checksum 1",
        "NAK",
        "damaged Abandoned H|\\\\^&|||X\\r +  []",
    ];
    check(Conduct::lenient(), &parts, &expect);
}

#[test]
fn frames_without_enq_are_noted_or_refused() {
    let frames = [last(1, HEADER), last(2, END)].concat();
    check(
        Conduct::lenient(),
        &[&frames],
        &["ACK", &message("no-enq"), "ACK"],
    );
    let strict = transcript(&Conduct::strict(), &frames);
    assert_eq!(strict[..2], ["refused Deviation(NoEnq) 1", "NAK"]);
}

#[test]
fn a_device_that_numbers_every_message_from_one_loses_none() {
    let other = "H|\\^&|||Y\rL|1|N\r";
    let parts: [&[u8]; 2] = [&last(1, &format!("{HEADER}{END}")), &last(1, other)];
    let second = "message H|\\\\^&|||Y\\rL|1|N\\r [frame-number-jump no-enq]";
    check(
        Conduct::lenient(),
        &parts,
        &[&message("no-enq"), "ACK", second, "ACK"],
    );
}

#[test]
fn two_messages_may_share_a_transmission() {
    let parts: [&[u8]; 6] = [
        &[ENQ],
        &last(1, HEADER),
        &last(2, END),
        &last(3, HEADER),
        &last(4, END),
        &[EOT],
    ];
    let whole = message("");
    check(
        Conduct::strict(),
        &parts,
        &["ACK", "ACK", &whole, "ACK", "ACK", &whole, "ACK"],
    );
}

#[test]
fn two_messages_in_one_frame_stay_together() {
    let both = format!("{HEADER}{END}").repeat(2);
    let both = last(1, &both);
    let mut host = Host::new(Conduct::lenient());
    host.give(&[&[ENQ][..], &both, &[EOT]].concat(), 10);
    assert_eq!(host.messages[0].deviations, [Deviation::SeveralMessages]);
    assert_eq!(
        crate::record::split_messages(&host.messages[0].bytes).count(),
        2
    );
}

#[test]
fn a_transmission_without_terminator_is_handed_out_at_its_end() {
    let parts: [&[u8]; 3] = [&[ENQ], &last(1, HEADER), &[EOT]];
    let expect = ["ACK", "ACK", "answered H|\\\\^&|||X\\r [no-terminator]"];
    check(Conduct::lenient(), &parts, &expect);
    let expect = ["ACK", "ACK", "damaged Abandoned H|\\\\^&|||X\\r +  []"];
    check(Conduct::strict(), &parts, &expect);
}

#[test]
fn a_record_cut_by_the_end_of_transmission_is_damaged() {
    let parts: [&[u8]; 3] = [&[ENQ], &more(1, "H|\\^&|||"), &[EOT]];
    let expect = ["ACK", "ACK", "damaged Abandoned H|\\\\^&||| +  []"];
    check(Conduct::lenient(), &parts, &expect);
}

#[test]
fn a_second_header_cuts_the_message_before_it() {
    let parts: [&[u8]; 5] = [
        &[ENQ],
        &last(1, HEADER),
        &last(2, HEADER),
        &last(3, END),
        &[EOT],
    ];
    let cut = "damaged NewMessage H|\\\\^&|||X\\r +  []";
    check(
        Conduct::lenient(),
        &parts,
        &["ACK", "ACK", cut, "ACK", &message(""), "ACK"],
    );
    let strict = transcript(&Conduct::strict(), &parts.concat());
    assert!(
        strict.contains(&"refused Deviation(NoTerminator) 1".to_owned()),
        "{strict:?}"
    );
}

#[test]
fn enq_in_the_middle_begins_again() {
    let cut = "damaged NewMessage H|\\\\^&|||X\\r +  []";
    let whole = message("");
    check(
        Conduct::strict(),
        &[&[ENQ], &last(1, HEADER), &session()],
        &[
            "ACK",
            "ACK",
            cut,
            "noted no-eot",
            "ACK",
            "ACK",
            &whole,
            "ACK",
        ],
    );
    check(
        Conduct::strict(),
        &[&[ENQ, ENQ], &session()[1..]],
        &["ACK", "ACK", "ACK", &whole, "ACK"],
    );
}

#[test]
fn enq_after_a_broken_frame_counts_only_after_silence() {
    let mut host = Host::new(Conduct::strict());
    host.give(&[&[ENQ][..], b"\x021H|\\^&", &[ENQ]].concat(), 1);
    assert_eq!(host.log, ["ACK"]);
    host.wait(1);
    assert_eq!(
        host.log[1..],
        ["damaged NewMessage  + 1H|\\\\^&\\x05 []", "ACK"]
    );
    host.give(&session()[1..], 4);
    assert_eq!(host.messages.len(), 1);
}

#[test]
fn a_message_that_stands_still_is_handed_out_as_damaged() {
    let mut host = Host::new(Conduct::lenient());
    host.give(&[&[ENQ][..], &last(1, HEADER), b"\x022P|"].concat(), 2);
    host.wait(29);
    assert_eq!(host.log, ["ACK", "ACK"]);
    host.wait(1);
    assert_eq!(
        host.log[2..],
        ["damaged Timeout H|\\\\^&|||X\\r + 2P| []", "noted no-eot"]
    );
    assert_eq!(host.receiver.deadline(), None);
    host.give(&session(), 1);
    assert_eq!(host.messages.len(), 1);
}

#[test]
fn a_frame_without_line_end_is_taken_when_the_line_falls_silent() {
    let frame = last(1, &format!("{HEADER}{END}"));
    for drop in [1, 2, 4] {
        let mut host = Host::new(Conduct::lenient());
        host.give(&frame[..frame.len() - drop], 1);
        assert!(host.messages.is_empty());
        let due = host.receiver.deadline();
        assert_eq!(due, Some(host.now.plus(Conduct::lenient().settle)));
        host.wait(1);
        assert_eq!(host.messages.len(), 1, "{drop}: {:?}", host.log);
        // What was on its way still is not taken for anything.
        host.give(&frame[frame.len() - drop..], 1);
        assert_eq!(host.messages.len(), 1);
        assert_eq!(host.log.len(), 2);
    }
}

#[test]
fn a_busy_host_refuses_the_line_but_finishes_a_message() {
    let mut host = Host::new(Conduct::strict());
    host.give(&[&[ENQ][..], &last(1, HEADER)].concat(), 1);
    host.receiver.busy(true);
    host.give(&[&last(2, END)[..], &[EOT, ENQ]].concat(), 1);
    host.receiver.busy(false);
    host.give(&[ENQ], 1);
    let expect = [
        "ACK",
        "ACK",
        &message(""),
        "ACK",
        "refused Busy 0",
        "NAK",
        "ACK",
    ];
    assert_eq!(host.log, expect);
    let mut host = Host::new(Conduct::lenient());
    host.receiver.busy(true);
    host.give(&last(1, HEADER), 1);
    assert_eq!(host.log, ["refused Busy 1", "NAK"]);
}

#[test]
fn limits_are_refused_and_nothing_beyond_them_is_kept() {
    let conduct = Conduct {
        max_frame_bytes: 50,
        ..Conduct::lenient()
    };
    let log = transcript(&conduct, &[&[ENQ][..], &last(1, &"x".repeat(44))].concat());
    assert_eq!(log[..3], ["ACK", "refused FrameTooLong 1", "NAK"]);
    let log = transcript(&conduct, &[&[ENQ][..], &last(1, &"x".repeat(43))].concat());
    assert!(log[1].starts_with("message"), "{log:?}");

    let conduct = Conduct {
        max_message_bytes: 12,
        ..Conduct::lenient()
    };
    let log = transcript(
        &conduct,
        &[&[ENQ][..], &last(1, HEADER), &last(2, END)].concat(),
    );
    assert_eq!(log[2..4], ["refused MessageTooLong 1", "NAK"]);

    let conduct = Conduct {
        max_frames: 1,
        ..Conduct::lenient()
    };
    let log = transcript(
        &conduct,
        &[&[ENQ][..], &last(1, HEADER), &last(2, END)].concat(),
    );
    assert_eq!(log[2..4], ["refused TooManyFrames 1", "NAK"]);
}

#[test]
fn bytes_outside_frames_are_counted_and_answered_by_nothing() {
    let mut host = Host::new(Conduct::lenient());
    host.give(b"GET / HTTP/1.1\r\n\r\n\x06\x15", 3);
    assert!(host.log.is_empty());
    assert_eq!(host.receiver.ignored_bytes(), 16);
}

#[test]
fn time_does_not_pass_for_bytes_that_wait_for_their_actions() {
    let mut receiver = Receiver::new(Conduct::lenient());
    let now = Timestamp::from_seconds(1_000);
    let bytes = [&[ENQ; 100][..], &session()].concat();
    assert_eq!(receiver.receive(&bytes, now), bytes.len());
    receiver.tick(now.plus(Conduct::lenient().frame_timeout));
    let actions: Vec<_> = std::iter::from_fn(|| receiver.next_action()).collect();
    assert_eq!(actions[..101], vec![Action::Send(ACK); 101]);
    assert!(
        matches!(actions.last(), Some(Action::Message(_))),
        "{actions:?}"
    );
}
