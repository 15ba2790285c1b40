//! Every endpoint, walked as nobody and as each role.

use labward_identity::{NewPerson, Role};
use labward_ledger::Actor;
use labward_os::current_uid;

use super::testbench::{Answered, Installation, request};
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
        let id = people.add(person, Actor::System).unwrap().id;
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
