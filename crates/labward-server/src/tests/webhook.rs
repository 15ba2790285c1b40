//! Receivers of events that fail, lie, hang or want no more; by a clock that the tests move.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use labward_api::ledger::Entries;
use labward_api::status::{Check, Status};
use labward_api::webhook::{AddedWebhookSecret, TestedWebhook, WebhookStatus};
use labward_base::{Clock as _, Timestamp};
use labward_os::SystemClock;
use labward_testkit::FakeClock;
use serde_json::{Value, json};

use super::testbench::{Installation, get, post, request, until};
use crate::app::App;
use crate::config::Config;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Events that nothing but a test leads to.
const BY_TESTS: [&str; 4] = [
    "person.added",
    "webhook.resumed",
    "webhook.secret-changed",
    "webhook.stopped",
];

/// A receiver on loopback that answers what it is told to.
struct Hook {
    address: SocketAddr,
    answer: Arc<Mutex<String>>,
    taken: Arc<Mutex<Vec<Taken>>>,
}

/// One request.
#[derive(Clone)]
struct Taken {
    head: String,
    event: Value,
    /// Whether it was answered with 2xx.
    is_good: bool,
}

impl Taken {
    fn header(&self, name: &str) -> &str {
        let named = |line: &str| line.to_ascii_lowercase().starts_with(&format!("{name}:"));
        let line = self.head.lines().find(|line| named(line)).unwrap();
        line.split_once(':').unwrap().1.trim()
    }

    fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }
}

impl Hook {
    /// `answer` is the status line behind `HTTP/1.1`, with further headers; empty: it never answers.
    fn answering(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hook = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(Mutex::new(answer.to_owned())),
            taken: Arc::default(),
        };
        let (answer, taken) = (Arc::clone(&hook.answer), Arc::clone(&hook.taken));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, taken) = (Arc::clone(&answer), Arc::clone(&taken));
                std::thread::spawn(move || take(stream.unwrap(), &answer, &taken));
            }
        });
        hook
    }

    fn good() -> Self {
        Self::answering("204 No Content")
    }

    fn answer(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().unwrap());
    }

    fn all(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// The events that it took.
    fn kinds(&self) -> Vec<String> {
        let all = self.all();
        let good = all.iter().filter(|one| one.is_good);
        good.map(|one| one.kind().to_owned()).collect()
    }

    /// The events that it took, once the last of them is this one.
    fn until_last(&self, kind: &str) -> Vec<String> {
        until(kind, || {
            let kinds = self.kinds();
            (kinds.last().map(String::as_str) == Some(kind)).then_some(kinds)
        })
    }

    /// The keys of a webhook that leads here; unless they say otherwise it is told what a test does.
    fn config(&self, name: &str, more: &str) -> String {
        let address = self.address;
        let events = match more.contains("events") {
            true => String::new(),
            false => format!("events = {BY_TESTS:?}\n"),
        };
        format!(
            "[[webhook]]\nname = \"{name}\"\nurl = \"http://{address}/hook?key=k\"\n{events}{more}\n"
        )
    }
}

fn take(mut stream: TcpStream, answer: &Mutex<String>, taken: &Mutex<Vec<Taken>>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut buffer).unwrap_or(0) {
            0 => return,
            amount => bytes.extend_from_slice(&buffer[..amount]),
        }
    };
    let answer = answer.lock().unwrap().clone();
    taken.lock().unwrap().push(Taken {
        head,
        event: serde_json::from_str(&body).unwrap(),
        is_good: answer.starts_with('2'),
    });
    if answer.is_empty() {
        // Held open until the other side has had enough.
        let _ = stream.read(&mut buffer);
        return;
    }
    let _ = write!(
        stream,
        "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
}

fn lab(webhooks: &[String]) -> (Installation, FakeClock) {
    let text = format!("version = 1\n{}", webhooks.concat());
    let installation = Installation::new(Config::parse(&text).unwrap());
    (installation, FakeClock::new(SystemClock.now()))
}

fn secret(app: &App, name: &str, hours: u64) -> AddedWebhookSecret {
    let body = json!({ "why": "a test", "overlap_hours": hours });
    post(app, &format!("webhooks/{name}/secret"), &body)
}

fn hook(app: &App, name: &str) -> WebhookStatus {
    let all: Vec<WebhookStatus> = get(app, "webhooks");
    all.into_iter().find(|one| one.name == name).unwrap()
}

fn until_state(app: &App, name: &str, state: &str) -> WebhookStatus {
    until(state, || {
        let hook = hook(app, name);
        // Row and memory follow each other.
        let is_whole = hook.last_error.is_some() && hook.failing_since.is_some();
        (hook.state == state && (state != "failing" || is_whole)).then_some(hook)
    })
}

/// A person of this name, which is an event.
fn add_person(app: &App, name: &str) {
    let body = json!({ "id": 0, "name": name, "role": "it" });
    let _: Value = post(app, "people", &body);
}

fn outcomes(app: &App, action: &str) -> Vec<String> {
    let page: Entries = get(app, "ledger/entries?limit=1000");
    let entries = page.entries.iter();
    let of_action = entries.filter(|entry| entry["action"] == action);
    of_action
        .map(|entry| entry["outcome"].as_str().unwrap().to_owned())
        .collect()
}

fn finds(app: &App, code: &str) -> bool {
    let check: Check = get(app, "check");
    check.findings.iter().any(|finding| finding.code == code)
}

fn seconds_between(earlier: Timestamp, later: &str) -> u64 {
    let later = Timestamp::parse_rfc3339(later).unwrap();
    later.since(earlier).as_secs()
}

#[test]
fn what_failed_is_sent_again_in_order_after_waits_that_grow_by_the_clock() {
    let receiver = Hook::answering("404 Not Found");
    let (installation, clock) = lab(&[receiver.config("alarm", "")]);
    let app = installation.start_at(&clock);
    assert_eq!(hook(&app, "alarm").state, "no-secret");
    assert!(finds(&app, "check.webhook-no-secret"));
    add_person(&app, "Before the secret");
    secret(&app, "alarm", 24);
    let first = until_state(&app, "alarm", "failing");
    let after =
        |hook: &WebhookStatus| seconds_between(clock.now(), hook.next_attempt.as_deref().unwrap());
    assert!((4..=6).contains(&after(&first)), "{first:?}");
    assert_eq!(first.last_error.as_deref(), Some("answered 404"));
    add_person(&app, "Meanwhile");
    clock.advance(Duration::from_secs(7));
    let second = until("a second attempt", || {
        let hook = hook(&app, "alarm");
        (receiver.all().len() == 2 && after(&hook) >= 8).then_some(hook)
    });
    assert!((8..=12).contains(&after(&second)), "{second:?}");
    assert_eq!(second.failing_since, first.failing_since);
    assert_eq!(second.waiting, 3);

    receiver.answer("200 OK");
    clock.advance(Duration::from_secs(13));
    let expect = ["person.added", "webhook.secret-changed", "person.added"];
    let kinds = until("the rest", || {
        let kinds = receiver.kinds();
        (kinds.len() == 3).then_some(kinds)
    });
    assert_eq!(kinds, expect);
    let all = receiver.all();
    assert_eq!(all[0].header("webhook-id"), all[1].header("webhook-id"));
    assert_eq!(all[0].event, all[1].event, "the same bytes each time");
    let sent = |one: &Taken| one.header("webhook-timestamp").parse::<i64>().unwrap();
    assert_eq!(sent(&all[1]) - sent(&all[0]), 7, "signed when it is sent");
    let done = until("the end of the queue", || {
        // It has answered before it is known here that it did.
        Some(hook(&app, "alarm")).filter(|hook| hook.state == "ready" && hook.waiting == 0)
    });
    assert_eq!(done.last_error, None);
    let status: Status = get(&app, "status");
    assert_eq!(status.webhooks[0].name, "alarm");
    assert!(
        !serde_json::to_string(&status).unwrap().contains("key=k"),
        "what stands in a URL may be a secret"
    );
    app.shutdown().unwrap();
}

#[test]
fn a_receiver_that_fails_for_days_is_given_up_and_goes_on_where_it_stopped() {
    let receiver = Hook::answering("503 Service Unavailable");
    let (installation, clock) = lab(&[receiver.config("alarm", "give_up_days = 2")]);
    let app = installation.start_at(&clock);
    secret(&app, "alarm", 24);
    until_state(&app, "alarm", "failing");
    clock.advance(DAY);
    until("another attempt", || {
        (receiver.all().len() >= 2).then_some(())
    });
    assert!(finds(&app, "check.webhook-failing"));
    assert!(
        outcomes(&app, "webhook.stopped").is_empty(),
        "it is only a day"
    );
    app.shutdown().unwrap();

    // How long it has failed is known over a restart.
    let app = installation.start_at(&clock);
    clock.advance(DAY);
    until_state(&app, "alarm", "stopped");
    assert_eq!(
        outcomes(&app, "webhook.stopped"),
        ["failed:webhook.given-up"]
    );
    assert!(finds(&app, "check.webhook-stopped"));
    let findings: Entries = get(&app, "ledger/entries?limit=1000");
    let raised = |entry: &Value| entry["subject"] == "finding:webhook-stopped:alarm";
    assert!(findings.entries.iter().any(raised));
    let attempts = receiver.all().len();
    receiver.answer("200 OK");
    clock.advance(DAY);
    add_person(&app, "Nobody is told");

    let why = json!({ "why": "the receiver is there again" });
    let _: Value = post(&app, "webhooks/alarm/resume", &why);
    let kinds = until("everything", || {
        let kinds = receiver.kinds();
        kinds
            .contains(&"webhook.resumed".to_owned())
            .then_some(kinds)
    });
    let expect = [
        "webhook.secret-changed",
        "webhook.stopped",
        "person.added",
        "webhook.resumed",
    ];
    assert_eq!(kinds, expect);
    assert_eq!(
        receiver.all().len(),
        attempts + expect.len(),
        "none while it was stopped"
    );
    assert!(!finds(&app, "check.webhook-stopped"));
    app.shutdown().unwrap();
}

#[test]
fn a_receiver_that_is_gone_is_given_up_at_once() {
    let receiver = Hook::answering("410 Gone");
    let (installation, clock) = lab(&[receiver.config("alarm", "")]);
    let app = installation.start_at(&clock);
    secret(&app, "alarm", 24);
    until_state(&app, "alarm", "stopped");
    assert_eq!(outcomes(&app, "webhook.stopped"), ["failed:webhook.gone"]);
    assert_eq!(receiver.all().len(), 1);
    app.shutdown().unwrap();
}

#[test]
fn a_redirection_is_refused_and_nobody_else_is_told() {
    let elsewhere = Hook::good();
    let to = format!("302 Found\r\nLocation: http://{}/x", elsewhere.address);
    let receiver = Hook::answering(&to);
    let (installation, clock) = lab(&[receiver.config("alarm", "")]);
    let app = installation.start_at(&clock);
    secret(&app, "alarm", 24);
    let failing = until_state(&app, "alarm", "failing");
    let expect = "answered 302: redirections are not followed";
    assert_eq!(failing.last_error.as_deref(), Some(expect));
    let tested: TestedWebhook = post(&app, "webhooks/alarm/test", &json!({}));
    assert_eq!((tested.delivered, tested.status), (false, Some(302)));
    assert!(elsewhere.all().is_empty());
    app.shutdown().unwrap();
}

#[test]
fn one_that_hangs_delays_nobody_else_and_not_the_stop() {
    let (silent, good) = (Hook::answering(""), Hook::good());
    let (installation, clock) = lab(&[
        silent.config("silent", "timeout_seconds = 120"),
        good.config("good", ""),
    ]);
    let app = installation.start_at(&clock);
    secret(&app, "silent", 24);
    until("the silent one to be asked", || {
        (!silent.all().is_empty()).then_some(())
    });
    secret(&app, "good", 24);
    add_person(&app, "Somebody");
    good.until_last("person.added");
    let watch = labward_os::Stopwatch::start();
    app.shutdown().unwrap();
    assert!(watch.elapsed() < Duration::from_secs(30));
}

#[test]
fn no_answer_in_time_is_a_failure_that_says_so() {
    let silent = Hook::answering("");
    let (installation, clock) = lab(&[silent.config("silent", "timeout_seconds = 1")]);
    let app = installation.start_at(&clock);
    secret(&app, "silent", 24);
    let failing = until_state(&app, "silent", "failing");
    assert_eq!(failing.last_error.as_deref(), Some("no answer in time"));
    app.shutdown().unwrap();
}

#[test]
fn two_secrets_sign_side_by_side_until_the_overlap_is_over() {
    let receiver = Hook::good();
    let (installation, clock) = lab(&[receiver.config("alarm", "")]);
    let app = installation.start_at(&clock);
    let first = secret(&app, "alarm", 24);
    assert_eq!(first.former_until, None, "there was none before");
    let second = secret(&app, "alarm", 24);
    assert!(second.former_until.is_some() && second.secret != first.secret);
    let signatures = |kind: &str| {
        let all = receiver.all();
        let last = all.iter().rfind(|one| one.kind() == kind).cloned();
        last.map(|one| one.header("webhook-signature").split(' ').count())
    };
    add_person(&app, "During the overlap");
    let during = until("an event", || signatures("person.added"));
    assert_eq!(during, 2);
    clock.advance(24 * HOUR);
    let tested: TestedWebhook = post(&app, "webhooks/alarm/test", &json!({}));
    assert!(tested.delivered, "{tested:?}");
    let _: Value = post(
        &app,
        "webhooks/alarm/resume",
        &json!({ "why": "nothing was wrong" }),
    );
    receiver.until_last("webhook.resumed");
    assert_eq!(signatures("webhook.resumed"), Some(1));
    assert_eq!(hook(&app, "alarm").former_until, None);
    // None beside it at all, where the old one is in the wrong hands.
    let third = secret(&app, "alarm", 0);
    assert_eq!(third.former_until, None);
    app.shutdown().unwrap();
}

#[test]
fn a_backup_that_is_overdue_is_told_as_a_finding_and_so_is_its_end() {
    let receiver = Hook::good();
    let events = "events = [\"finding.raised\", \"finding.cleared\"]";
    let (installation, clock) = lab(&[receiver.config("alarm", events)]);
    let app = installation.start_at(&clock);
    secret(&app, "alarm", 24);
    let to = installation.key_file().with_extension("backups");
    let backup = json!({ "to": to, "keep": 7, "why": "each night" });
    let _: Value = post(&app, "backups/create", &backup);
    let about_backups = || {
        let all = receiver.all();
        let of_it = |one: &&Taken| one.event["data"]["subject"] == "finding:backup-overdue";
        let kinds = all.iter().filter(of_it).map(|one| one.kind().to_owned());
        kinds.collect::<Vec<_>>()
    };
    app.core.look_after();
    clock.advance(3 * DAY);
    app.core.look_after();
    app.core.look_after();
    until("the finding", || {
        (!about_backups().is_empty()).then_some(())
    });
    let _: Value = post(&app, "backups/create", &backup);
    app.core.look_after();
    until("its end", || (about_backups().len() == 2).then_some(()));
    assert_eq!(about_backups(), ["finding.raised", "finding.cleared"]);
    app.shutdown().unwrap();
}

#[test]
fn only_the_events_that_were_asked_for_are_told_and_none_from_before() {
    let receiver = Hook::good();
    let events = "events = [\"webhook.resumed\", \"webhook.stopped\"]";
    let (installation, clock) = lab(&[receiver.config("alarm", events)]);
    let app = installation.start_at(&clock);
    secret(&app, "alarm", 24);
    add_person(&app, "Not asked for");
    let _: Value = post(&app, "webhooks/alarm/resume", &json!({ "why": "a test" }));
    assert_eq!(receiver.until_last("webhook.resumed"), ["webhook.resumed"]);
    app.shutdown().unwrap();
}

#[test]
fn the_guide_lists_every_event() {
    let guide = include_str!("../../../../docs/guide/webhooks.md");
    for (action, what) in crate::webhook::event::EVENTS {
        let line = format!("| `{}` | {what} |\n", action.name());
        assert!(guide.contains(&line), "{line}");
    }
}

#[test]
fn what_cannot_be_done_has_a_code_and_a_webhook_that_leaves_takes_its_secret_along() {
    let receiver = Hook::good();
    let (installation, clock) = lab(&[receiver.config("alarm", "")]);
    let app = installation.start_at(&clock);
    let answered = |path: &str, body: &Value| {
        let answer = request(&app, "POST", path, body.to_string().as_bytes());
        (answer.status, answer.code())
    };
    let why = json!({ "why": "a test" });
    for (path, body, status, code) in [
        ("webhooks/alarm/test", &json!({}), 409, "webhook.no-secret"),
        ("webhooks/none/test", &json!({}), 404, "webhook.unknown"),
        ("webhooks/none/secret", &why, 404, "webhook.unknown"),
        ("webhooks/none/resume", &why, 404, "webhook.unknown"),
        (
            "webhooks/alarm/resume",
            &json!({ "why": " " }),
            400,
            "server.no-reason",
        ),
        (
            "webhooks/alarm/secret",
            &json!({ "why": "x", "overlap_hours": 169 }),
            400,
            "server.bad-request",
        ),
    ] {
        assert_eq!(answered(path, body), (status, code.to_owned()), "{path}");
    }
    secret(&app, "alarm", 24);
    let kept = |app: &App| app.core.keys.secret("webhook:alarm").unwrap().is_some();
    assert!(kept(&app));
    app.shutdown().unwrap();

    let without = installation.with(Config::default());
    let app = without.start_at(&clock);
    assert!(!kept(&app));
    let all: Vec<WebhookStatus> = get(&app, "webhooks");
    assert_eq!(all, []);
    app.shutdown().unwrap();
}
