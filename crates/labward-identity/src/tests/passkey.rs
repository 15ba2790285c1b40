//! The claims about passkeys, with a device in software, on a real store and ledger.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use labward_base::Secret;
use labward_base::id::PasskeyNumber;
use labward_ledger::Actor;
use labward_store::Query;
use labward_testkit::{Authenticator, Random};

use super::sign_in::{Door, GOOD, client};
use super::{BY, SITE};
use crate::{
    Asked, Attempt, IdentityError, Passkey, Passkeys, Person, Refusal, RelyingParty, Session,
    SessionId, SignInError,
};

const ORIGIN: &str = "https://lab.example:8443";
const MINUTE: Duration = Duration::from_secs(60);

/// A lab in which Kim has a login, a password and a session.
struct Bench {
    door: Door,
    passkeys: Passkeys,
    at: RelyingParty,
    kim: Person,
    session: Session,
}

impl Bench {
    fn new() -> Self {
        let door = Door::new();
        let kim = door.kim();
        let (_, session) = door.enter("k.kessler", GOOD).unwrap();
        Self {
            passkeys: Passkeys::new(door.lab.store.clone(), SITE),
            at: RelyingParty::of(ORIGIN, "Riverside Clinical Lab").unwrap(),
            door,
            kim,
            session,
        }
    }

    fn ask_new(&self) -> Asked {
        let now = self.door.now();
        let asked = self
            .passkeys
            .ask_new(&self.at, &self.session, "bench key", now);
        asked.unwrap()
    }

    fn add(&self, ticket: &str, answer: &str) -> Result<Passkey, IdentityError> {
        let now = self.door.now();
        self.passkeys
            .add(&self.at, &self.session, (ticket, answer), now)
    }

    /// A device of Kim's with a passkey.
    fn device(&self) -> (Authenticator, Passkey) {
        let asked = self.ask_new();
        let (device, answer) = Authenticator::create(&asked.options, ORIGIN);
        let added = self.add(&asked.ticket, &answer).unwrap();
        (device, added)
    }

    fn ask(&self) -> Asked {
        let address = client().address;
        let asked = self.passkeys.ask_any(&self.at, address, self.door.now());
        asked.unwrap()
    }

    fn send(&self, ticket: &str, answer: &str) -> Attempt {
        let (sign_in, now) = (&self.door.sign_in, self.door.now());
        let sent = (ticket, answer);
        let attempt = sign_in.with_passkey(&self.passkeys, &self.at, sent, &client(), now);
        attempt.unwrap()
    }

    fn enter(&self, device: &mut Authenticator) -> Option<(SessionId, Session)> {
        let asked = self.ask();
        let answer = device.answer(&asked.options);
        match self.send(&asked.ticket, &answer) {
            Attempt::Admitted { id, session } => Some((id, session)),
            Attempt::Refused(refusal) => {
                assert_eq!(refusal, Refusal::PasskeyRefused);
                None
            }
        }
    }

    /// The facts of the newest entry, as text.
    fn newest(&self) -> String {
        self.door.wait();
        let leaf = self.door.lab.store.read(|snapshot| {
            let sql = "SELECT leaf FROM entry ORDER BY idx DESC LIMIT 1";
            snapshot.query_one(sql, &[], |row| row.bytes(0).map(<[u8]>::to_vec))
        });
        let leaf: Result<_, IdentityError> = leaf.map_err(|e: labward_store::StoreError| e.into());
        String::from_utf8_lossy(&leaf.unwrap()).into_owned()
    }
}

fn is_bad(result: Result<Passkey, IdentityError>) -> bool {
    matches!(
        result,
        Err(IdentityError::SignIn(SignInError::BadPasskey { .. }))
    )
}

#[test]
fn a_passkey_signs_in_without_a_name_and_each_step_is_an_entry() {
    let bench = Bench::new();
    let (mut device, added) = bench.device();
    assert!(bench.newest().contains("bench key"));
    assert_eq!(
        (&*added.name, &*added.relying_party),
        ("bench key", "lab.example")
    );
    for _ in 0..3 {
        let (_, session) = bench.enter(&mut device).unwrap();
        assert_eq!(session.person.id, bench.kim.id);
    }
    let newest = bench.newest();
    assert!(
        newest.contains("passkey") && !newest.contains("password"),
        "{newest}"
    );
    let mine = bench.passkeys.of(bench.kim.id).unwrap();
    assert_eq!(mine[0].last_used, Some(bench.door.now()));
    let by = Actor::Person(bench.kim.id);
    let removed = bench.passkeys.remove(added.number, Some(bench.kim.id), by);
    removed.unwrap();
    assert!(bench.newest().contains("removed"));
    assert!(bench.enter(&mut device).is_none());
    assert!(bench.newest().contains("unknown-passkey"));
}

#[test]
fn it_is_asked_for_one_that_needs_no_name_and_for_who_verifies_its_person() {
    let bench = Bench::new();
    let asked: serde_json::Value = serde_json::from_str(&bench.ask_new().options).unwrap();
    let wanted = &asked["publicKey"]["authenticatorSelection"];
    assert_eq!(wanted["residentKey"], "required");
    assert_eq!(wanted["requireResidentKey"], true);
    assert_eq!(wanted["userVerification"], "required");
    assert_eq!(asked["publicKey"]["rp"]["id"], "lab.example");
    let asked: serde_json::Value = serde_json::from_str(&bench.ask().options).unwrap();
    assert_eq!(asked["publicKey"]["userVerification"], "required");
    assert_eq!(
        asked["publicKey"]["allowCredentials"],
        serde_json::json!([])
    );
    assert_eq!(asked["mediation"], serde_json::Value::Null);
}

#[test]
fn a_copied_device_is_refused_by_its_counter_with_an_entry_of_its_own() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    device.counter = 40;
    assert!(bench.enter(&mut device).is_some());
    for stale in [0, 39, 40] {
        device.counter = stale;
        assert!(bench.enter(&mut device).is_none(), "{stale}");
        let newest = bench.newest();
        assert!(newest.contains("passkey-counter"), "{newest}");
    }
    device.counter = 41;
    assert!(bench.enter(&mut device).is_some(), "the owner's goes on");
}

#[test]
fn an_answer_is_taken_once_in_time_and_for_its_own_challenge() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    let admitted = |attempt| matches!(attempt, Attempt::Admitted { .. });
    let (one, two) = (bench.ask(), bench.ask());
    let answer = device.answer(&one.options);
    assert!(!admitted(bench.send(&two.ticket, &answer)), "of another");
    assert!(admitted(bench.send(&one.ticket, &answer)));
    assert!(!admitted(bench.send(&one.ticket, &answer)), "twice");
    let late = bench.ask();
    let answer = device.answer(&late.options);
    bench.door.lab.clock.advance(MINUTE * 5);
    assert!(!admitted(bench.send(&late.ticket, &answer)), "late");
    assert!(!admitted(bench.send("", &answer)) && !admitted(bench.send("x", "")));
}

#[test]
fn an_answer_for_another_site_or_without_the_person_verified_is_refused() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    device.origin = "https://lab.example.evil:8443".to_owned();
    assert!(bench.enter(&mut device).is_none(), "another origin");
    device.origin = "https://lab.example".to_owned();
    assert!(bench.enter(&mut device).is_none(), "another port");
    device.origin = ORIGIN.to_owned();
    device.relying_party = "example".to_owned();
    assert!(bench.enter(&mut device).is_none(), "another name");
    bench.door.lab.clock.advance(MINUTE * 20);
    device.relying_party = "lab.example".to_owned();
    device.verified = false;
    assert!(bench.enter(&mut device).is_none(), "nobody verified");
    device.verified = true;
    assert!(bench.enter(&mut device).is_some());
}

#[test]
fn a_passkey_is_added_by_the_session_that_was_asked_once_and_never_twice() {
    let bench = Bench::new();
    let asked = bench.ask_new();
    let (device, answer) = Authenticator::create(&asked.options, ORIGIN);
    let other = bench.door.enter("k.kessler", GOOD).unwrap().1;
    let now = bench.door.now();
    let sent = (asked.ticket.as_str(), answer.as_str());
    assert!(is_bad(bench.passkeys.add(&bench.at, &other, sent, now)));
    assert!(is_bad(bench.add(&asked.ticket, &answer)), "it is spent");
    let asked = bench.ask_new();
    let challenge = |asked: &Asked| {
        let options: serde_json::Value = serde_json::from_str(&asked.options).unwrap();
        options["publicKey"]["challenge"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let answer = device.created(&challenge(&asked));
    bench.add(&asked.ticket, &answer).unwrap();
    let again = bench.ask_new();
    let answer = device.created(&challenge(&again));
    assert!(is_bad(bench.add(&again.ticket, &answer)), "it is known");
    let unverified = bench.ask_new();
    let (mut other, _) = Authenticator::create(&unverified.options, ORIGIN);
    other.verified = false;
    let answer = other.created(&challenge(&unverified));
    assert!(is_bad(bench.add(&unverified.ticket, &answer)));
    let sign_in = bench.ask();
    assert!(
        is_bad(bench.add(&sign_in.ticket, &answer)),
        "no challenge to add"
    );
    for name in ["", " ", "a\nb", &"x".repeat(65)] {
        let asked = bench.passkeys.ask_new(&bench.at, &bench.session, name, now);
        assert!(asked.is_err(), "{name:?}");
    }
    assert_eq!(bench.passkeys.all().unwrap().len(), 1);
}

#[test]
fn nobody_removes_the_passkey_of_another_as_their_own() {
    let bench = Bench::new();
    let (_, added) = bench.device();
    let ada = bench.door.lab.people.list()[0].id;
    let by = Actor::Person(ada);
    for (number, of) in [(added.number, Some(ada)), (PasskeyNumber::new(9_999), None)] {
        let none = bench.passkeys.remove(number, of, by).unwrap_err();
        assert_eq!(none.problem().code, "identity.no-passkey");
    }
    bench.passkeys.remove(added.number, None, by).unwrap();
}

#[test]
fn a_deactivated_person_and_one_who_was_invited_anew_has_no_passkey_any_more() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    let invitation = bench.door.invite(bench.kim.id);
    assert!(bench.enter(&mut device).is_some(), "not accepted yet");
    let accepted = bench.door.accept(&invitation.code, "k.kessler", GOOD);
    accepted.unwrap();
    assert!(bench.newest().contains("passkeys_removed"));
    assert!(bench.enter(&mut device).is_none(), "the password was reset");
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    bench.door.lab.people.remove(bench.kim.id, BY).unwrap();
    assert!(bench.enter(&mut device).is_none());
    assert!(bench.passkeys.all().unwrap().is_empty());
}

#[test]
fn tries_with_a_passkey_are_slowed_and_slow_nobody_elses_sign_in() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    device.verified = false;
    for _ in 0..5 {
        assert!(bench.enter(&mut device).is_none());
    }
    let asked = bench.ask();
    let answer = device.answer(&asked.options);
    let slowed = bench.send(&asked.ticket, &answer);
    let Attempt::Refused(Refusal::TooManyAttempts { wait_seconds }) = slowed else {
        panic!("{slowed:?}")
    };
    assert_eq!(wait_seconds, 1);
    assert!(bench.door.enter("k.kessler", GOOD).is_some());
    let (mut other, _) = bench.device();
    assert!(bench.enter(&mut other).is_some());
}

#[test]
fn a_crowd_of_challenges_from_one_place_pushes_nobody_elses_away() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    let asked = bench.ask();
    let stranger = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    for _ in 0..3_000 {
        let now = bench.door.now();
        bench.passkeys.ask_any(&bench.at, stranger, now).unwrap();
    }
    let answer = device.answer(&asked.options);
    let admitted = bench.send(&asked.ticket, &answer);
    assert!(matches!(admitted, Attempt::Admitted { .. }));
}

#[test]
fn the_password_is_confirmed_as_slowly_as_a_sign_in() {
    let bench = Bench::new();
    let confirm = |password: &str| {
        let (sign_in, now) = (&bench.door.sign_in, bench.door.now());
        let password = Secret::new(password.to_owned());
        let confirmed = sign_in.confirm(&bench.kim, &password, &client(), now);
        confirmed.unwrap()
    };
    assert_eq!(confirm(GOOD), Ok(()));
    for _ in 0..5 {
        assert_eq!(confirm("wrong"), Err(Refusal::NotRecognized));
    }
    let slowed = Refusal::TooManyAttempts { wait_seconds: 1 };
    assert_eq!(confirm(GOOD), Err(slowed));
}

#[test]
fn a_changed_answer_makes_nothing_panic_and_its_signed_parts_let_nobody_in() {
    let bench = Bench::new();
    let (mut device, _) = bench.device();
    let mut random = Random::new(7);
    for _ in 0..200 {
        bench.door.lab.clock.advance(MINUTE * 60 * 24);
        let new = bench.ask_new();
        let (_, created) = Authenticator::create(&new.options, ORIGIN);
        let broken = changed(&mut random, &created);
        // The browser's own words about it are not signed, so some changes are none.
        let _ = bench.add(&new.ticket, &broken);
        let asked = bench.ask();
        let whole = device.answer(&asked.options);
        let _ = bench.send(&asked.ticket, &changed(&mut random, &whole));
        for part in [
            "authenticatorData",
            "clientDataJSON",
            "signature",
            "userHandle",
        ] {
            let asked = bench.ask();
            let whole = device.answer(&asked.options);
            let mut answer: serde_json::Value = serde_json::from_str(&whole).unwrap();
            let text = answer["response"][part].as_str().unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            let place = index(&mut random, bytes.len());
            bytes[place] ^= 1 << (random.next_u64() % 8);
            answer["response"][part] = URL_SAFE_NO_PAD.encode(bytes).into();
            bench.door.lab.clock.advance(MINUTE / 60);
            let sent = bench.send(&asked.ticket, &answer.to_string());
            assert!(matches!(sent, Attempt::Refused(_)), "{part}");
        }
    }
    bench.door.lab.clock.advance(MINUTE * 60 * 24);
    assert!(bench.enter(&mut device).is_some());
}

/// With one byte changed.
fn changed(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let place = index(random, bytes.len());
    bytes[place] ^= 1 << (random.next_u64() % 8);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn index(random: &mut Random, length: usize) -> usize {
    let end = u64::try_from(length).unwrap();
    usize::try_from(random.below(end)).unwrap()
}
