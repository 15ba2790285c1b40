//! The claims about invitations, passwords, sign-ins and sessions, on a real store and ledger.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use labward_base::id::{PersonId, SessionNumber};
use labward_base::{Clock, Secret, Timestamp};
use labward_ledger::Actor;
use labward_store::{Query, Tx};
use proptest::prelude::*;

use super::{BY, DAY, Lab, SITE, person};
use crate::session::MAX_OF_A_PERSON;
use crate::store::sign_in as store;
use crate::{
    Attempt, Client, INVITATION_LASTS, IdentityError, Invitation, InvitationCode, Invitations,
    Passwords, People, Person, Refusal, Role, Session, SessionId, SessionLimits, Sessions, SignIn,
    SignInError, Weakness, csrf_fits, csrf_token,
};

pub(super) const GOOD: &str = "violet tram eats harbour";
const OTHER: &str = "seven quiet goats at noon";
const MINUTE: Duration = Duration::from_secs(60);

/// A lab whose people can sign in.
pub(super) struct Door {
    pub(super) lab: Lab,
    passwords: Passwords,
    pub(super) sessions: Sessions,
    invitations: Invitations,
    pub(super) sign_in: SignIn,
}

impl Door {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        lab.people
            .add(person("Ada Archer", Role::Administrator, Some(1000)), BY)
            .unwrap();
        Self::over(lab)
    }

    /// As after a restart, on what the store holds.
    fn over(mut lab: Lab) -> Self {
        lab.people = People::load(lab.store.clone(), SITE).unwrap();
        let (store, people) = (lab.store.clone(), lab.people.clone());
        let passwords = Passwords::new().unwrap();
        let limits = SessionLimits::default();
        let sessions = Sessions::load(store.clone(), SITE, people.clone(), limits).unwrap();
        Self {
            invitations: Invitations::new(
                store.clone(),
                SITE,
                sessions.clone(),
                people.clone(),
                passwords.clone(),
                "Riverside Clinical Lab",
            ),
            sign_in: SignIn::new(store, SITE, sessions.clone(), people, passwords.clone()),
            passwords,
            sessions,
            lab,
        }
    }

    fn restarted(self) -> Self {
        Self::over(self.lab)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.lab.clock.now()
    }

    pub(super) fn invite(&self, person: PersonId) -> Invitation {
        self.invitations.create(person, BY, self.now()).unwrap()
    }

    pub(super) fn accept(
        &self,
        code: &InvitationCode,
        login: &str,
        password: &str,
    ) -> Result<Person, IdentityError> {
        let password = Secret::new(password.to_owned());
        self.invitations.accept(code, login, &password, self.now())
    }

    /// A person who has accepted an invitation.
    pub(super) fn kim(&self) -> Person {
        let kim = person("Kim Kessler", Role::ClinicalStaff, None);
        let kim = self.lab.people.add(kim, BY).unwrap();
        let invitation = self.invite(kim.id);
        self.accept(&invitation.code, "k.kessler", GOOD).unwrap()
    }

    pub(super) fn attempt(&self, login: &str, password: &str) -> Attempt {
        let password = Secret::new(password.to_owned());
        self.sign_in
            .with_password(login, &password, &client(), self.now())
            .unwrap()
    }

    pub(super) fn enter(&self, login: &str, password: &str) -> Option<(SessionId, Session)> {
        match self.attempt(login, password) {
            Attempt::Admitted { id, session } => Some((id, session)),
            Attempt::Refused(_) => None,
        }
    }

    fn refusal(&self, login: &str, password: &str) -> Refusal {
        match self.attempt(login, password) {
            Attempt::Admitted { .. } => panic!("admitted"),
            Attempt::Refused(refusal) => refusal,
        }
    }

    fn credential(&self, person: PersonId) -> store::StoredPassword {
        let stored = self
            .lab
            .store
            .read(|snapshot| store::password_of(snapshot, person));
        stored.unwrap().unwrap()
    }

    /// Without a password looked at.
    fn begin(&self, person: PersonId) -> (SessionId, Session) {
        let credential = self.credential(person).id;
        let begun = self
            .sessions
            .begin(person, credential, &client(), self.now());
        begun.unwrap()
    }

    fn find(&self, id: &SessionId) -> Option<Session> {
        self.sessions.find(id, self.now())
    }

    /// Returns when what was handed over to the store is done: a unit comes after those before it.
    pub(super) fn wait(&self) {
        let nothing = |_: &mut Tx<'_>| Ok::<_, IdentityError>(());
        self.lab.store.write(nothing).unwrap();
    }

    /// Actions and subjects of the entries behind the first `skip`.
    pub(super) fn entries(&self, skip: usize) -> Vec<String> {
        self.wait();
        self.lab.entries().split_off(skip)
    }

    fn leaves(&self) -> String {
        let leaves: Result<Vec<String>, IdentityError> = self.lab.store.read(|snapshot| {
            let sql = "SELECT leaf FROM entry ORDER BY idx";
            Ok(snapshot.query_all(sql, &[], |row| {
                Ok(String::from_utf8_lossy(row.bytes(0)?).into_owned())
            })?)
        });
        leaves.unwrap().join("\n")
    }
}

pub(super) fn client() -> Client {
    Client::new(IpAddr::V4(7.into()), "Firefox on the bench")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|part| part == needle)
}

#[test]
fn an_invited_person_chooses_login_and_password_and_signs_in() {
    let door = Door::new();
    let by_ada = Actor::Person(PersonId::new(1));
    let kim = person("Kim Kessler", Role::ClinicalStaff, None);
    let kim = door.lab.people.add(kim, BY).unwrap();
    let made = door.invitations.create(kim.id, by_ada, door.now()).unwrap();
    let text = made.code.to_text();
    assert_eq!(text.expose().len(), 62);
    let typed: InvitationCode = text.expose().to_lowercase().parse().unwrap();
    let looked = door.invitations.look(&typed, door.now()).unwrap();
    assert_eq!(looked, Some(kim.clone()));
    let accepted = door.accept(&typed, "k.kessler", GOOD).unwrap();
    assert_eq!(accepted.login.as_deref(), Some("k.kessler"));
    assert_eq!(door.lab.people.by_login("k.kessler"), Some(accepted));
    let (id, session) = door.enter(" K.Kessler ", GOOD).unwrap();
    assert_eq!(session.person.id, kim.id);
    assert_eq!(door.find(&id), Some(session.clone()));
    assert_eq!(
        door.entries(1),
        [
            "person.added person:2",
            "person.invited person:2",
            "credential.changed person:2",
            "session.began person:2"
        ]
    );
    let began = SessionNumber::new(4);
    assert_eq!(session.number, began, "the entry with which it began");
    let leaves = door.leaves();
    assert!(leaves.contains("\"person:1\""), "who invited: {leaves}");
    assert!(leaves.contains("\"invited_by\":1"), "{leaves}");
}

#[test]
fn a_code_opens_once_and_not_after_its_end() {
    let door = Door::new();
    let ada = PersonId::new(1);
    let first = door.invite(ada);
    let second = door.invite(ada);
    let has_ended = |result: Result<Person, IdentityError>| {
        result.unwrap_err().problem().code == "identity.invitation-ended"
    };
    assert!(has_ended(door.accept(&first.code, "ada", GOOD)), "replaced");
    assert_eq!(second.expires, door.now().plus(INVITATION_LASTS));
    door.lab.clock.set(second.expires);
    assert!(has_ended(door.accept(&second.code, "ada", GOOD)), "late");
    let late = door.invitations.look(&second.code, door.now()).unwrap();
    assert_eq!(late, None);
    let third = door.invite(ada);
    door.lab.clock.advance(INVITATION_LASTS - MINUTE);
    door.accept(&third.code, "ada", GOOD).unwrap();
    assert!(has_ended(door.accept(&third.code, "ada", OTHER)), "twice");
    assert!(door.enter("ada", GOOD).is_some());
}

#[test]
fn what_is_refused_spends_no_code_and_changes_nothing() {
    let door = Door::new();
    door.kim();
    let lou = person("Lou Lindqvist", Role::It, None);
    let lou = door.lab.people.add(lou, BY).unwrap();
    let invitation = door.invite(lou.id);
    let before = door.entries(0).len();
    let refused = |login: &str, password: &str| {
        let error = door.accept(&invitation.code, login, password).unwrap_err();
        error.problem().code
    };
    assert_eq!(refused("k.kessler", OTHER), "identity.login-taken");
    let long = "l".repeat(65);
    for login in ["", "lo", "Lou", "lou lindqvist", "l\u{f6}u", &long] {
        assert_eq!(refused(login, OTHER), "identity.bad-name", "{login}");
    }
    for weak in [
        "too short",
        "lou-lou-lindqvist",
        "Riverside Clinical Lab 1",
        "l.lindqvist12 lou",
        "qwertyuiopasdfgh",
    ] {
        let code = refused("l.lindqvist", weak);
        assert_eq!(code, "identity.weak-password", "{weak}");
    }
    assert_eq!(door.entries(0).len(), before);
    assert_eq!(door.lab.people.by_login("l.lindqvist"), None);
    door.accept(&invitation.code, "l.lindqvist", OTHER).unwrap();
    assert!(door.enter("l.lindqvist", OTHER).is_some());
    assert!(door.enter("k.kessler", GOOD).is_some());
}

#[test]
fn a_code_that_is_mistyped_is_known_to_be_without_asking() {
    let door = Door::new();
    let text = door.invite(PersonId::new(1)).code.to_text();
    for place in 0..text.expose().len() {
        let mut typed: Vec<char> = text.expose().chars().collect();
        typed[place] = match typed[place] {
            '-' => '0',
            '7' => '8',
            _ => '7',
        };
        let typed: String = typed.into_iter().collect();
        assert!(typed.parse::<InvitationCode>().is_err(), "{place}");
    }
    for text in ["", "-", "A", "\u{fffd}"] {
        assert!(text.parse::<InvitationCode>().is_err());
    }
}

#[test]
fn a_reset_replaces_the_password_and_ends_every_session() {
    let door = Door::new();
    let kim = door.kim();
    let (old, _) = door.begin(kim.id);
    let invitation = door.invite(kim.id);
    assert!(door.find(&old).is_some(), "nothing changes before");
    door.accept(&invitation.code, "kim", OTHER).unwrap();
    assert_eq!(door.find(&old), None);
    assert!(door.enter("k.kessler", GOOD).is_none());
    assert!(door.enter("kim", GOOD).is_none());
    assert!(door.enter("kim", OTHER).is_some());
    let door = door.restarted();
    assert_eq!(door.find(&old), None);
    assert_eq!(door.sessions.list(kim.id, door.now()).len(), 1);
    let leaves = door.leaves();
    assert!(
        leaves.contains("\"reset\":1,\"sessions_ended\":1"),
        "{leaves}"
    );
}

#[test]
fn who_was_let_through_by_a_password_that_was_replaced_meanwhile_stays_outside() {
    let door = Door::new();
    let kim = door.kim();
    let old = door.credential(kim.id).id;
    let invitation = door.invite(kim.id);
    door.accept(&invitation.code, "kim", OTHER).unwrap();
    let begun = door.sessions.begin(kim.id, old, &client(), door.now());
    assert!(begun.is_err());
    assert!(door.sessions.all(door.now()).is_empty());
}

#[test]
fn neither_password_nor_code_nor_id_of_a_session_rests_in_the_database() {
    let door = Door::new();
    let kim = door.kim();
    let (id, _) = door.enter("k.kessler", GOOD).unwrap();
    door.enter("k.kessler", "a password that is not so good");
    let invitation = door.invite(kim.id);
    door.wait();
    let copy = door.lab._folder.join("copy.sqlite");
    door.lab.store.copy_into(&copy).unwrap();
    let bytes = std::fs::read(copy).unwrap();
    assert!(contains(&bytes, b"k.kessler") && contains(&bytes, b"$argon2id$"));
    let code = invitation.code.to_text();
    let raw = labward_seal::base32::decode::<35>(code.expose()).unwrap();
    let cookie = id.to_text();
    let secrets: [&[u8]; 5] = [
        GOOD.as_bytes(),
        b"not so good",
        code.expose().as_bytes(),
        &raw[..32],
        cookie.expose().as_bytes(),
    ];
    for secret in secrets {
        assert!(!contains(&bytes, secret));
    }
}

#[test]
fn every_wrong_sign_in_gets_one_answer_and_costs_one_hashing() {
    let door = Door::new();
    let kim = door.kim();
    let lou = person("Lou", Role::It, None);
    let lou = door.lab.people.add(lou, BY).unwrap();
    let invitation = door.invite(lou.id);
    door.accept(&invitation.code, "lou", OTHER).unwrap();
    door.lab.people.remove(lou.id, BY).unwrap();
    let max = person("Max", Role::It, None);
    let max = door.lab.people.add(max, BY).unwrap();
    let without_password = move |tx: &mut Tx<'_>| {
        let sql = "UPDATE person SET login = 'max' WHERE id = $1";
        tx.execute(sql, &[max.id.as_sql().into()])
    };
    door.lab.store.write(without_password).unwrap();
    let door = door.restarted();
    assert_eq!(door.lab.people.by_login("lou"), None);
    assert!(door.lab.people.by_login("max").is_some());
    let long = "x".repeat(10_000);
    for (login, password) in [
        ("nobody", GOOD),
        ("k.kessler", OTHER),
        ("lou", OTHER),
        ("max", GOOD),
        ("", ""),
        ("\u{0}'; DROP TABLE person; --", GOOD),
        (&long, &long),
    ] {
        let before = door.passwords.hashed();
        assert_eq!(door.refusal(login, password), Refusal::NotRecognized);
        assert_eq!(door.passwords.hashed() - before, 1, "{login}");
    }
    assert!(door.sessions.list(kim.id, door.now()).is_empty());
}

#[test]
fn guessing_is_slowed_and_what_is_refused_for_it_is_not_even_hashed() {
    let door = Door::new();
    door.kim();
    for login in ["k.kessler", "nobody"] {
        for _ in 0..5 {
            assert_eq!(door.refusal(login, OTHER), Refusal::NotRecognized);
        }
        let before = door.passwords.hashed();
        let wait = Refusal::TooManyAttempts { wait_seconds: 1 };
        assert_eq!(door.refusal(login, OTHER), wait);
        assert_eq!(door.refusal(login, GOOD), wait, "right or not");
        assert_eq!(door.passwords.hashed(), before);
    }
    door.lab.clock.advance(Duration::from_secs(1));
    assert!(door.enter("k.kessler", GOOD).is_some(), "waiting helps");
    assert_eq!(door.refusal("k.kessler", OTHER), Refusal::NotRecognized);
}

#[test]
fn guessing_leaves_one_entry_at_once_and_one_a_minute_and_no_word_that_was_typed() {
    let door = Door::new();
    door.kim();
    let before = door.entries(0).len();
    for _ in 0..40 {
        door.refusal("k.kessler", OTHER);
        door.refusal("hunter2-typed-in-the-wrong-field", OTHER);
    }
    assert_eq!(
        door.entries(before),
        ["session.refused person:2", "session.refused source:0.0.0.7"]
    );
    door.lab.clock.advance(MINUTE);
    door.sign_in.settle(door.now(), false);
    door.sign_in.settle(door.now(), true);
    assert_eq!(door.entries(before).len(), 4);
    let leaves = door.leaves();
    assert!(leaves.contains("refused:identity.sign-in-refused"));
    assert!(leaves.contains("\"count\":39"), "{leaves}");
    assert!(!leaves.contains("hunter2"));
}

#[test]
fn a_hundred_wrong_tries_end_a_password_and_an_invitation_gives_another() {
    let door = Door::new();
    let kim = door.kim();
    let credential = door.credential(kim.id).id;
    for _ in 0..98 {
        let unit = move |tx: &mut Tx<'_>| store::count_failure(tx, SITE, kim.id, credential);
        door.lab.store.write(unit).unwrap();
    }
    let before = door.entries(0).len();
    door.refusal("k.kessler", OTHER);
    let door = door.restarted();
    assert_eq!(door.entries(before), ["session.refused person:2"]);
    door.refusal("k.kessler", OTHER);
    let ended = "credential.changed person:2".to_owned();
    assert!(door.entries(before).contains(&ended));
    let before = door.passwords.hashed();
    assert_eq!(door.refusal("k.kessler", GOOD), Refusal::NotRecognized);
    assert_eq!(door.passwords.hashed() - before, 1, "the same work");
    let invitation = door.invite(kim.id);
    door.accept(&invitation.code, "k.kessler", GOOD).unwrap();
    assert!(door.enter("k.kessler", GOOD).is_some());
}

#[test]
fn a_right_password_takes_the_wrong_tries_back() {
    let door = Door::new();
    let kim = door.kim();
    for _ in 0..4 {
        door.refusal("k.kessler", OTHER);
    }
    door.wait();
    assert_eq!(door.credential(kim.id).failures, 4);
    door.enter("k.kessler", GOOD).unwrap();
    assert_eq!(door.credential(kim.id).failures, 0);
    for _ in 0..5 {
        assert_eq!(door.refusal("k.kessler", OTHER), Refusal::NotRecognized);
    }
}

#[test]
fn while_nothing_can_be_recorded_nobody_is_let_in() {
    let door = Door::new();
    door.kim();
    door.lab.store.close().unwrap();
    let password = Secret::new(GOOD.to_owned());
    for _ in 0..10 {
        let tried = door
            .sign_in
            .with_password("k.kessler", &password, &client(), door.now());
        assert!(matches!(tried, Err(IdentityError::Store(_))), "not counted");
    }
    assert!(door.sessions.all(door.now()).is_empty());
}

#[test]
fn every_sign_in_has_an_id_of_its_own_and_no_other_id_is_one() {
    let door = Door::new();
    let kim = door.kim();
    let ids: HashSet<String> = (0..5)
        .map(|_| door.begin(kim.id).0.to_text().expose().clone())
        .collect();
    assert_eq!(ids.len(), 5);
    let chosen = SessionId::parse(&"A".repeat(43)).unwrap();
    assert_eq!(door.find(&chosen), None, "nobody chooses one");
    let lengths = [42, 44].map(|length| "A".repeat(length));
    for text in ["", "A", &lengths[0], &lengths[1], &"!".repeat(43)] {
        assert!(SessionId::parse(text).is_none(), "{text}");
    }
    for id in ids {
        assert!(door.find(&SessionId::parse(&id).unwrap()).is_some());
    }
}

#[test]
fn a_session_ends_when_it_is_idle_and_after_its_time_and_the_ledger_says_so() {
    let door = Door::new();
    let kim = door.kim();
    let (idle, _) = door.begin(kim.id);
    let (busy, session) = door.begin(kim.id);
    let before = door.entries(0).len();
    let twelve_hours = Duration::from_secs(12 * 3_600);
    assert_eq!(session.ends_at, door.now().plus(twelve_hours));
    assert_eq!(session.idle_ends_at, door.now().plus(MINUTE * 15));
    for _ in 0..51 {
        door.lab.clock.advance(MINUTE * 14);
        assert!(door.find(&busy).is_some());
    }
    assert_eq!(door.find(&idle), None);
    let last = door.find(&busy).unwrap();
    assert_eq!(last.idle_ends_at, last.ends_at, "never beyond the end");
    let just_before = session.ends_at.minus(Duration::from_micros(1));
    door.lab.clock.set(just_before);
    assert!(door.find(&busy).is_some());
    door.lab.clock.set(session.ends_at);
    assert_eq!(door.find(&busy), None);
    door.lab.clock.set(session.created);
    assert_eq!(
        door.find(&busy),
        None,
        "a clock that goes back revives none"
    );
    assert_eq!(door.find(&idle), None);
    assert_eq!(door.sessions.sweep(door.now()).unwrap(), 2);
    assert_eq!(door.sessions.sweep(door.now()).unwrap(), 0);
    assert_eq!(door.entries(before), ["session.ended person:2"; 2]);
    let leaves = door.leaves();
    assert!(leaves.contains("\"how\":\"idle\"") && leaves.contains("\"how\":\"expired\""));
}

#[test]
fn a_session_survives_a_restart_and_its_idle_time_goes_on() {
    let door = Door::new();
    let kim = door.kim();
    let (id, session) = door.begin(kim.id);
    door.lab.clock.advance(MINUTE * 10);
    door.find(&id).unwrap();
    door.wait();
    let door = door.restarted();
    door.lab.clock.advance(MINUTE * 14);
    let found = door.find(&id).unwrap();
    assert_eq!(found.number, session.number);
    assert_eq!(found.ends_at, session.ends_at);
    assert_eq!(found.client, session.client);
    door.wait();
    let door = door.restarted();
    door.lab.clock.advance(MINUTE * 15);
    assert_eq!(door.find(&id), None);
}

#[test]
fn use_is_written_at_most_once_a_minute_and_without_an_entry() {
    let door = Door::new();
    let kim = door.kim();
    let (id, _) = door.begin(kim.id);
    let entries = door.entries(0).len();
    let units = door.lab.store.stats().units;
    for _ in 0..120 {
        door.lab.clock.advance(Duration::from_secs(1));
        assert!(door.find(&id).is_some());
    }
    assert_eq!(door.entries(entries).len(), 0);
    let units = door.lab.store.stats().units - units;
    assert_eq!(units, 2 + 1, "and the one that waits for them");
}

#[test]
fn a_removed_person_has_no_session_from_that_moment() {
    let door = Door::new();
    let kim = door.kim();
    let (id, _) = door.enter("k.kessler", GOOD).unwrap();
    let invitation = door.invite(kim.id);
    assert!(door.find(&id).is_some());
    door.lab.people.remove(kim.id, BY).unwrap();
    assert_eq!(door.find(&id), None);
    assert!(door.sessions.all(door.now()).is_empty());
    assert_eq!(door.refusal("k.kessler", GOOD), Refusal::NotRecognized);
    assert!(door.accept(&invitation.code, "kim", OTHER).is_err());
    let again = door.invitations.create(kim.id, BY, door.now());
    assert!(matches!(again, Err(IdentityError::NoPerson(_))));
    assert!(door.leaves().contains("\"sessions_ended\":1"));
    assert_eq!(door.sessions.sweep(door.now()).unwrap(), 0);
    let door = door.restarted();
    assert_eq!(door.find(&id), None);
    let rows: Result<i64, IdentityError> = door.lab.store.read(|snapshot| {
        let sql = "SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM credential) + \
                   (SELECT count(*) FROM invitation)";
        Ok(snapshot.query_one(sql, &[], |row| row.int(0))?)
    });
    assert_eq!(rows.unwrap(), 0);
}

#[test]
fn a_session_can_be_ended_by_its_number_and_all_of_a_person_at_once() {
    let door = Door::new();
    let kim = door.kim();
    let (one, first) = door.begin(kim.id);
    let (two, _) = door.begin(kim.id);
    let (three, _) = door.begin(kim.id);
    let before = door.entries(0).len();
    let ada = Actor::Person(PersonId::new(1));
    assert!(door.sessions.end(first.number, ada).unwrap().is_some());
    assert_eq!(door.find(&one), None);
    for number in [first.number, SessionNumber::new(999)] {
        let nothing = door.sessions.end(number, ada).unwrap_err();
        assert_eq!(nothing.problem().code, "identity.no-session");
    }
    door.sessions.sign_out(&two).unwrap();
    door.sessions.sign_out(&two).unwrap();
    assert_eq!(door.find(&two), None);
    assert!(door.find(&three).is_some());
    assert_eq!(door.sessions.end_all(kim.id, ada).unwrap(), 1);
    assert_eq!(door.sessions.end_all(kim.id, ada).unwrap(), 0);
    assert_eq!(door.find(&three), None);
    assert_eq!(door.entries(before), ["session.ended person:2"; 3]);
    let leaves = door.leaves();
    assert!(leaves.contains("\"how\":\"revoked\"") && leaves.contains("\"how\":\"signed-out\""));
    let door = door.restarted();
    assert!(door.sessions.all(door.now()).is_empty());
}

#[test]
fn twenty_sessions_a_person_are_enough_and_the_oldest_ends() {
    let door = Door::new();
    let kim = door.kim();
    let begun: Vec<_> = (0..=MAX_OF_A_PERSON).map(|_| door.begin(kim.id)).collect();
    let listed = door.sessions.list(kim.id, door.now());
    assert_eq!(listed.len(), MAX_OF_A_PERSON);
    assert!(listed.windows(2).all(|two| two[0].number > two[1].number));
    assert_eq!(door.find(&begun[0].0), None);
    assert!(begun[1..].iter().all(|(id, _)| door.find(id).is_some()));
    assert!(door.leaves().contains("\"how\":\"too-many\""));
    assert!(door.sessions.list(PersonId::new(1), door.now()).is_empty());
}

#[test]
fn what_a_browser_calls_itself_is_bounded_and_printable() {
    let address: IpAddr = "::ffff:10.0.0.7".parse().unwrap();
    let given = format!("Fire\u{1b}[31mfox\r\n\u{202e}{}", "x".repeat(1_000));
    let client = Client::new(address, &given);
    assert!(client.agent.starts_with("Fire[31mfoxxx"));
    assert_eq!(client.agent.chars().count(), 100);
    assert_eq!(client.address.to_string(), "10.0.0.7");
}

#[test]
fn a_form_of_another_session_is_known_by_its_token() {
    let ids = [
        SessionId::generate().unwrap(),
        SessionId::generate().unwrap(),
    ];
    let tokens = ids.each_ref().map(csrf_token);
    assert!(csrf_fits(&ids[0], &tokens[0]) && !csrf_fits(&ids[0], &tokens[1]));
    let id = ids[0].to_text();
    for wrong in ["", &tokens[0][1..], id.expose().as_str()] {
        assert!(!csrf_fits(&ids[0], wrong));
    }
    assert_eq!(tokens[0].len(), 43);
}

#[test]
fn a_weak_password_is_named_by_its_weakness() {
    let error = IdentityError::from(SignInError::from(Weakness::TooShort));
    let text = "choose a password: it is shorter than 15 characters";
    assert_eq!(error.to_string(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Against a model of two facts: wherever the clock stands, a session is found only before both of
    /// its ends, and never again after it was not.
    #[test]
    fn no_way_of_time_lets_a_session_in_after_its_end(
        steps in proptest::collection::vec((-300_i64..1_200, any::<bool>()), 1..200)
    ) {
        let door = Door::new();
        let kim = door.kim();
        let limits = SessionLimits::default();
        let (id, session) = door.begin(kim.id);
        let (mut seen, mut is_over) = (session.created, false);
        for (seconds, looks) in steps {
            let micros = door.now().as_micros() + seconds * 1_000_000;
            let now = Timestamp::from_micros(micros);
            door.lab.clock.set(now);
            if !looks {
                continue;
            }
            is_over |= now >= session.ends_at || now >= seen.plus(limits.idle);
            let found = door.find(&id);
            prop_assert_eq!(found.is_some(), !is_over);
            if let Some(found) = found {
                seen = seen.max(now);
                prop_assert_eq!(found.last_seen, seen);
                prop_assert!(found.idle_ends_at <= found.ends_at && now < found.idle_ends_at);
            }
        }
        prop_assert!(door.sessions.list(kim.id, door.now().plus(DAY)).is_empty());
    }
}

#[test]
fn a_look_is_no_use_of_a_session() {
    let door = Door::new();
    door.kim();
    let (id, _) = door.enter("k.kessler", GOOD).unwrap();
    for _ in 0..14 {
        door.lab.clock.advance(MINUTE);
        assert!(door.sessions.look(&id, door.now()).is_some());
    }
    door.lab.clock.advance(MINUTE + MINUTE);
    assert!(door.sessions.look(&id, door.now()).is_none());
    assert!(door.sessions.find(&id, door.now()).is_none(), "for good");
}
