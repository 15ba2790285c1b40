//! Invitations and sessions over the admin socket, as the console will make and use them.

use std::net::{IpAddr, Ipv4Addr};

use labward_api::Done;
use labward_api::peer::Person;
use labward_api::session::{Invitation, Passkey, Session};
use labward_base::id::PersonId;
use labward_base::{Clock as _, Secret};
use labward_identity::{Attempt, Client, RelyingParty, SessionId};
use labward_testkit::Authenticator;
use serde_json::json;

use super::testbench::{Installation, get, post, request};
use crate::app::App;
use crate::config::{Config, OidcConfig};

const PASSWORD: &str = "violet tram eats harbour";

/// Somebody who was invited and is signed in: their number and their session's.
pub(super) fn somebody_signed_in(app: &App) -> (u64, u64) {
    let kim = json!({ "name": "Kim", "role": "clinical-staff" });
    let kim: Person = post(app, "people", &kim);
    let made: Invitation = post(app, &format!("people/{}/invite", kim.id), &json!({}));
    let password = Secret::new(PASSWORD.to_owned());
    let (core, code) = (&app.core, made.code.parse().unwrap());
    let accepted = core
        .invitations
        .accept(&code, "kim", &password, core.clock.now());
    accepted.unwrap();
    sign_in(app).unwrap();
    let sessions: Vec<Session> = get(app, "sessions");
    (kim.id, sessions[0].number)
}

#[test]
fn a_provider_that_does_not_answer_is_known_once_it_was_asked_and_only_then() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    // Nobody listens at the discard port of this machine.
    let text = "name = \"Clinic\"\nissuer = \"https://127.0.0.1:9\"\nclient_id = \"labward\"\n\
                client_secret_file = \"/nowhere\"\n";
    let config: OidcConfig = toml::from_str(text).unwrap();
    let sign_on = &app.core.sign_on;
    assert!(sign_on.silent_since(&config).is_err(), "no pass unmeasured");
    sign_on.look(&config);
    let since = sign_on.silent_since(&config).unwrap();
    assert!(since.is_some());
    sign_on.look(&config);
    assert_eq!(sign_on.silent_since(&config).unwrap(), since);
    let other = OidcConfig {
        issuer: "https://127.0.0.1:10".to_owned(),
        ..config
    };
    assert!(sign_on.silent_since(&other).is_err(), "another provider");
}

/// A passkey of this person, who has a session: its number.
pub(super) fn a_passkey_of(app: &App, person: u64) -> u64 {
    const ORIGIN: &str = "https://lab.example:8443";
    let core = &app.core;
    let now = core.clock.now();
    let at = RelyingParty::of(ORIGIN, "Lab").unwrap();
    let sessions = core.sessions.list(PersonId::new(person), now);
    let asked = core.passkeys.ask_new(&at, &sessions[0], "bench key", now);
    let asked = asked.unwrap();
    let (_, answer) = Authenticator::create(&asked.options, ORIGIN);
    let answer = (asked.ticket.as_str(), answer.as_str());
    let added = core.passkeys.add(&at, &sessions[0], answer, now);
    added.unwrap().number.get()
}

fn sign_in(app: &App) -> Option<SessionId> {
    let client = Client::new(IpAddr::V4(Ipv4Addr::LOCALHOST), "Firefox on the bench");
    let password = Secret::new(PASSWORD.to_owned());
    let (sign_in, now) = (&app.core.sign_in, app.core.clock.now());
    match sign_in
        .with_password("kim", &password, &client, now)
        .unwrap()
    {
        Attempt::Admitted { id, .. } => Some(id),
        Attempt::Refused(_) => None,
    }
}

#[test]
fn an_invited_persons_sessions_are_listed_and_end_at_once_when_somebody_says_so() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let core = &app.core;
    let kim = Person {
        name: "Kim".to_owned(),
        role: "clinical-staff".to_owned(),
        ..Person::default()
    };
    let kim: Person = post(&app, "people", &kim);
    let invite = format!("people/{}/invite", kim.id);
    let made: Invitation = post(&app, &invite, &json!({}));
    assert_eq!((made.person, made.link), (kim.id, None), "no console");
    let password = Secret::new(PASSWORD.to_owned());
    let code = made.code.parse().unwrap();
    let accepted = core
        .invitations
        .accept(&code, "kim", &password, core.clock.now());
    accepted.unwrap();
    let people: Vec<Person> = get(&app, "people");
    let login = people.iter().find(|one| one.id == kim.id);
    assert_eq!(login.unwrap().login.as_deref(), Some("kim"));

    let ids = [sign_in(&app).unwrap(), sign_in(&app).unwrap()];
    let sessions: Vec<Session> = get(&app, "sessions");
    let [newer, older] = &sessions[..] else {
        panic!("{sessions:?}")
    };
    assert!(newer.number > older.number);
    assert_eq!((older.person, older.name.as_str()), (kim.id, "Kim"));
    assert_eq!(older.source, "127.0.0.1");
    let find = |id: &SessionId| core.sessions.find(id, core.clock.now());
    let path = format!("sessions/{}", older.number);
    let done = request(&app, "DELETE", &path, b"");
    assert!(done.read::<Done>().entry.is_some());
    assert!(find(&ids[0]).is_none() && find(&ids[1]).is_some());
    let again = request(&app, "DELETE", &path, b"");
    assert_eq!(again.code(), "identity.no-session");

    let removed = request(&app, "DELETE", &format!("people/{}", kim.id), b"");
    assert_eq!(removed.status, 200);
    assert!(find(&ids[1]).is_none());
    assert!(get::<Vec<Session>>(&app, "sessions").is_empty());
    assert!(sign_in(&app).is_none());
    app.shutdown().unwrap();
}

#[test]
fn somebody_who_may_removes_the_passkey_of_a_lost_device() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let (kim, _) = somebody_signed_in(&app);
    let number = a_passkey_of(&app, kim);
    let passkeys: Vec<Passkey> = get(&app, "passkeys");
    let [one] = &passkeys[..] else {
        panic!("{passkeys:?}")
    };
    assert_eq!(
        (one.number, one.person, &*one.person_name),
        (number, kim, "Kim")
    );
    assert_eq!(
        (&*one.name, &*one.relying_party),
        ("bench key", "lab.example")
    );
    assert_eq!(one.last_used, None);
    let path = format!("passkeys/{number}");
    let done = request(&app, "DELETE", &path, b"");
    assert!(done.read::<Done>().entry.is_some());
    assert!(get::<Vec<Passkey>>(&app, "passkeys").is_empty());
    let again = request(&app, "DELETE", &path, b"");
    assert_eq!(again.code(), "identity.no-passkey");
    // The number of a password, which is a credential as well, is no passkey's.
    let entry = app
        .core
        .sessions
        .list(PersonId::new(kim), app.core.clock.now());
    let other = request(
        &app,
        "DELETE",
        &format!("passkeys/{}", entry[0].number),
        b"",
    );
    assert_eq!(other.code(), "identity.no-passkey");
    app.shutdown().unwrap();
}
