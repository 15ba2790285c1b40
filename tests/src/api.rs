//! The API over TLS: every endpoint as nobody, by a token that ended, and in the name of each role.

use serde_json::Value;

use crate::console::Lab;
use crate::support::{Answered, Browser, eventually};

const ROLES: &[&str] = &[
    "administrator",
    "security-officer",
    "lab-manager",
    "clinical-staff",
    "it",
    "expert",
];
/// What nobody may do by a token.
const NEVER: &[&str] = &[
    "key.unseal",
    "key.change",
    "person.change",
    "record.break-glass",
    "break-glass.review",
    "patient.dispose",
    "audit.open",
    "safeguard.decide",
    "risk.accept",
    "malware.decide",
    "malware.rules",
    "config.change",
];

struct Endpoint {
    verb: String,
    path: String,
    permission: String,
    roles: Vec<String>,
}

impl Lab {
    /// Makes a token for somebody who is known.
    pub(crate) fn token(&self, person: &str, scopes: &str) -> (String, u64) {
        let words = [
            "token", "create", person, "--name", "test", "--scope", scopes,
        ];
        let made = self.lab.json(&words);
        let number = made["token"]["number"].as_u64().unwrap();
        (made["secret"].as_str().unwrap().to_owned(), number)
    }

    fn program(&self, token: &str) -> Browser {
        let mut program = self.browser();
        program.authorization = Some(format!("Bearer {token}"));
        program
    }

    /// The endpoints as the document tells them to a program.
    fn endpoints(&self) -> Vec<Endpoint> {
        self.lab
            .run(&["person", "add", "Reader", "--role", "it"])
            .ok();
        let (token, _) = self.token("Reader", "status.read");
        let answer = self.program(&token).get("/api/v1/openapi.json");
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        let mut endpoints = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (verb, operation) in operations.as_object().unwrap() {
                let roles = operation["x-labward-roles"].as_array().unwrap();
                let roles = roles.iter().map(|role| role.as_str().unwrap().to_owned());
                endpoints.push(Endpoint {
                    verb: verb.to_ascii_uppercase(),
                    path: path.clone(),
                    permission: operation["x-labward-permission"]
                        .as_str()
                        .unwrap()
                        .to_owned(),
                    roles: roles.collect(),
                });
            }
        }
        endpoints
    }
}

/// A request with places that name nothing, and no body.
fn call(program: &mut Browser, endpoint: &Endpoint) -> Answered {
    let parts = endpoint.path.split('/');
    let parts = parts.map(|part| {
        if part.starts_with('{') {
            "999999"
        } else {
            part
        }
    });
    let path: Vec<&str> = parts.collect();
    program.ask(&endpoint.verb, &format!("/api/v1{}", path.join("/")), "")
}

fn code(answer: &Answered) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_endpoint_of_the_document_answers_each_role_as_it_says_and_nobody_else() {
    let lab = Lab::new();
    let endpoints = lab.endpoints();
    assert!(endpoints.len() > 50, "{}", endpoints.len());
    let (ended, number) = lab.token("Reader", "status.read");
    lab.lab.run(&["token", "end", &number.to_string()]).ok();
    let strangers = [
        lab.browser(),
        lab.program("lbw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        lab.program(&ended),
    ];
    for mut stranger in strangers {
        for endpoint in &endpoints {
            let answer = call(&mut stranger, endpoint);
            assert_eq!(answer.status, 401, "{}", endpoint.path);
            assert_eq!(code(&answer), "identity.token-refused", "{}", endpoint.path);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
        let nowhere = stranger.get("/api/v1/no/such/endpoint");
        assert_eq!(nowhere.status, 401);
        assert_eq!(code(&nowhere), "identity.token-refused");
    }
    for role in ROLES {
        lab.add(role, role);
        let may = |endpoint: &Endpoint| {
            endpoint.roles.iter().any(|one| one == role)
                && !NEVER.contains(&endpoint.permission.as_str())
        };
        let scopes = endpoints.iter().filter(|one| may(one));
        let scopes: Vec<&str> = scopes.map(|one| one.permission.as_str()).collect();
        let (token, _) = lab.token(role, &scopes.join(","));
        let mut program = lab.program(&token);
        for endpoint in &endpoints {
            let answer = call(&mut program, endpoint);
            let name = format!(
                "{role} {} {}: {}",
                endpoint.verb, endpoint.path, answer.body
            );
            assert_eq!(code(&answer) == "identity.denied", !may(endpoint), "{name}");
            assert!(![401, 500].contains(&answer.status), "{name}");
        }
    }
}

#[test]
fn a_token_that_has_mails_looked_at_is_refused_everywhere_else() {
    let lab = Lab::new();
    let endpoints = lab.endpoints();
    lab.add("ian", "it");
    let (token, _) = lab.token("ian", "malware.inspect");
    let mut program = lab.program(&token);
    let mut admitted = Vec::new();
    for endpoint in &endpoints {
        let answer = call(&mut program, endpoint);
        let name = format!("{} {}", endpoint.verb, endpoint.path);
        match code(&answer).as_str() {
            "identity.denied" => assert_eq!(answer.status, 403, "{name}"),
            _ => admitted.push(name),
        }
    }
    assert_eq!(admitted, ["POST /malware/inspect"]);
    // The console's pages know sessions alone.
    let page = program.get("/malware");
    assert_eq!(page.header("location"), Some("/sign-in"));
}

#[test]
fn a_token_does_what_it_was_made_for_a_cookie_is_none_and_it_ends_with_its_person() {
    let lab = Lab::new();
    let mut ian = lab.joined("ian", "it");
    assert_eq!(ian.get("/messages").status, 200);
    assert_eq!(
        ian.get("/api/v1/messages").status,
        401,
        "a session is no token"
    );
    let (token, _) = lab.token("ian", "message.list");
    let mut program = lab.program(&token);
    let listed = program.get("/api/v1/messages?limit=5");
    assert_eq!((listed.status, listed.body.as_str()), (200, "[]"));
    assert_eq!(listed.header("cache-control"), Some("no-store"));
    assert_eq!(listed.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(program.get("/api/v1/status").status, 403, "it is no scope");
    assert_eq!(
        program.get("/messages").header("location"),
        Some("/sign-in"),
        "a token is no session"
    );
    let known = lab.lab.json(&["token", "list"]);
    assert!(known[0]["last_used"].is_string(), "{known}");
    let refused = [
        ("person.change", "identity.bad-token"),
        ("record.show", "identity.bad-token"),
        ("no.such", "identity.bad-name"),
    ];
    for (scope, code) in refused {
        let words = ["token", "create", "ian", "--name", "x", "--scope", scope];
        lab.lab.run(&words).fails(65, code);
    }
    let ian_is = known[0]["person"].as_u64().unwrap().to_string();
    lab.lab.run(&["person", "remove", &ian_is]).ok();
    assert_eq!(program.get("/api/v1/messages").status, 401);
    // A refusal is written behind its answer.
    let entries = eventually("the entries of a token", || {
        let entries = lab.lab.run(&["ledger", "list", "--limit", "1000"]).ok();
        let all = ["token.created", "session.refused", "message.list"];
        all.iter()
            .all(|said| entries.contains(said))
            .then_some(entries)
    });
    assert!(!entries.contains(&token) && !lab.lab.log().contains(&token));
}
