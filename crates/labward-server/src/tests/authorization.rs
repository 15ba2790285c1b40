//! Every endpoint, walked as nobody and as each role.

use labward_base::{Clock as _, Timestamp};
use labward_identity::{Engagement, NewPerson, Permission, Role, Topic};
use labward_ledger::Actor;
use labward_os::current_uid;
use serde_json::Value;

use super::testbench::{Answered, Installation, get, request};
use crate::app::App;
use crate::config::Config;
use crate::http::endpoint::{ENDPOINTS, Endpoint, Verb};

/// A request with places that name nothing, and no body.
fn call(app: &App, endpoint: &Endpoint) -> Answered {
    let parts = endpoint.path.split('/').map(|part| {
        let is_place = part.starts_with('{');
        if is_place { "999999" } else { part }
    });
    let path: Vec<&str> = parts.collect();
    let verb = match endpoint.verb {
        Verb::Delete => "DELETE",
        Verb::Get => "GET",
        Verb::Post => "POST",
    };
    request(app, verb, &path.join("/"), b"")
}

#[test]
fn nobody_and_the_wrong_role_are_refused_at_every_endpoint() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let people = &app.core.people;
    let me = || people.by_uid(current_uid());
    people.remove(me().unwrap().id, Actor::System).unwrap();
    for endpoint in ENDPOINTS {
        let answer = call(&app, endpoint);
        let found = (answer.status, answer.code());
        assert_eq!(
            found,
            (403, "identity.unknown-person".to_owned()),
            "{}",
            endpoint.path
        );
    }
    let nowhere = request(&app, "GET", "no/such/endpoint", b"");
    assert_eq!(
        nowhere.code(),
        "identity.unknown-person",
        "a stranger learns nothing"
    );
    for role in Role::ALL {
        let person = NewPerson {
            name: role.name().to_owned(),
            roles: (*role).into(),
            uid: Some(current_uid()),
        };
        let engagement = (*role == Role::Expert).then(|| engaged(&app, [-1, 1, 1]));
        let added = people.add_engaged(person, engagement, Actor::System);
        let id = added.unwrap().id;
        for endpoint in ENDPOINTS {
            let code = call(&app, endpoint).code();
            let is_refused = code == "identity.denied";
            let name = format!("{role} {:?} {}: {code}", endpoint.verb, endpoint.path);
            assert_eq!(is_refused, !role.permits(endpoint.permission), "{name}");
            assert_ne!(code, "identity.unknown-person", "{name}");
            assert_ne!(code, "server.internal", "{name}");
        }
        people.remove(id, Actor::System).unwrap();
    }
    app.shutdown().unwrap();
}

/// An engagement about everything: the first and last moment of its entries and its end, in days
/// from now.
fn engaged(app: &App, days: [i64; 3]) -> Engagement {
    const DAY: i64 = 86_400_000_000;
    let now = app.core.clock.now();
    let at = |days: i64| Timestamp::from_micros(now.as_micros() + days * DAY);
    // It may be over by now, but was not when it was made.
    let made = at(days[2] - 1);
    Engagement::new(days.map(at), Topic::ALL.to_vec(), made).unwrap()
}

#[test]
fn an_expert_whose_engagement_is_over_is_nobody_and_one_out_of_its_days_sees_no_present() {
    let installation = Installation::new(Config::default());
    let app = installation.start();
    let people = &app.core.people;
    let own = people.by_uid(current_uid()).unwrap();
    let uid = |uid| NewPerson {
        name: "Eve".to_owned(),
        roles: Role::Expert.into(),
        uid,
    };
    people.remove(own.id, Actor::System).unwrap();
    let over = engaged(&app, [-90, -60, -1]);
    let eve = people.add_engaged(uid(Some(current_uid())), Some(over), Actor::System);
    let eve = eve.unwrap().id;
    for endpoint in ENDPOINTS {
        let code = call(&app, endpoint).code();
        assert_eq!(code, "identity.unknown-person", "{}", endpoint.path);
    }
    // Given time again, but for days that are past.
    let past = engaged(&app, [-90, -60, 1]);
    people.engage(eve, past, Actor::System).unwrap();
    let mut seen = Vec::new();
    for endpoint in ENDPOINTS {
        let code = call(&app, endpoint).code();
        let name = format!("{} {}: {code}", endpoint.verb.name(), endpoint.path);
        let shows_past = matches!(
            endpoint.permission,
            Permission::LedgerRead | Permission::LedgerExport | Permission::ListExport
        );
        match Role::Expert.permits(endpoint.permission) {
            false => assert_eq!(code, "identity.denied", "{name}"),
            true if shows_past => seen.push(name),
            true => assert_eq!(code, "server.no-endpoint", "{name}"),
        }
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    let beyond = seen
        .iter()
        .filter(|name| name.contains("beyond-engagement"));
    assert_eq!(beyond.count(), 0, "without a body there is no bundle");
    let bundle = request(&app, "POST", "ledger/export", br#"{"format":"bundle"}"#);
    assert_eq!(bundle.code(), "identity.beyond-engagement");
    let entries: Value = get(&app, "ledger/entries?limit=1000");
    assert_eq!(entries["entries"], serde_json::json!([]));
    let proof = request(&app, "GET", "ledger/prove/0", b"");
    assert_eq!(proof.code(), "ledger.no-entry");
    app.shutdown().unwrap();
}
