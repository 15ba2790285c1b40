//! The API as an OpenAPI 3.1 document, made from the table of endpoints.
//!
//! It must never know an endpoint, an event or a type that no table names.

use axum::http::StatusCode;
use labward_api::schema::schemas;
use labward_api::{PREFIX, schema};
use labward_base::ErrorKind;
use labward_identity::Role;
use labward_ledger::Action;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::endpoint::{ENDPOINTS, Endpoint, Takes};
use super::failure::Failure;
use super::idempotency::{Kept, kept};
use crate::webhook::event::EVENTS;

/// What an answer of a kind of problem is called where responses are described.
const PROBLEM: &str = "Problem";

/// Every kind of problem, and the status it has.
const KINDS: &[ErrorKind] = &[
    ErrorKind::Invalid,
    ErrorKind::Unknown,
    ErrorKind::Denied,
    ErrorKind::NotFound,
    ErrorKind::NotThis,
    ErrorKind::Conflict,
    ErrorKind::Limit,
    ErrorKind::Reused,
    ErrorKind::TooOften,
    ErrorKind::Internal,
    ErrorKind::Unavailable,
];

/// `GET openapi.json`
pub(super) fn openapi(_: &Call) -> Result<Answer, Failure> {
    Answer::json(&document())
}

/// `docs/ref/openapi.json`: the document as it is committed.
pub fn openapi_text() -> String {
    // Values of our own making are always written.
    serde_json::to_string_pretty(&document()).unwrap_or_default() + "\n"
}

/// The members of a type, in the order of their names.
pub(super) fn members(name: &str) -> Vec<String> {
    let schemas = schemas();
    let properties = schemas
        .get(name)
        .and_then(|schema| schema.get("properties"));
    let names = properties.and_then(Value::as_object);
    names.map_or_else(Vec::new, |names| names.keys().cloned().collect())
}

fn document() -> Value {
    let types = schemas();
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        let path = paths.entry(format!("/{}", endpoint.path));
        if let Value::Object(operations) = path.or_insert_with(|| json!({})) {
            let verb = endpoint.verb.name().to_ascii_lowercase();
            operations.insert(verb, operation(endpoint, &types));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Labward",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "What the console and the command line do. Who asks is the person of the token.",
        },
        "servers": [{ "url": PREFIX }],
        "security": [{ "token": [] }],
        "paths": paths,
        "webhooks": webhooks(),
        "components": {
            "schemas": types,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of `labward token create`",
            } },
            "responses": { PROBLEM: {
                "description": "It was not done; the code says why",
                "content": { "application/problem+json": { "schema": of_type("ProblemBody") } },
            } },
        },
    })
}

/// What is sent to the receivers of events, each event by its name.
fn webhooks() -> Value {
    let header = |name: &str, what: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": what,
            "schema": { "type": "string" },
        })
    };
    let parameters = json!([
        header(
            "webhook-id",
            "The event's own, the same however often it is sent"
        ),
        header(
            "webhook-timestamp",
            "When it is sent, in seconds since 1970-01-01T00:00:00Z"
        ),
        header(
            "webhook-signature",
            "`v1,` and base64, one for each secret that holds, with spaces between"
        ),
    ]);
    let one = |(action, what): &(Action, &str)| {
        let content = json!({ "application/json": { "schema": of_type("WebhookEvent") } });
        let operation = json!({
            "summary": what,
            "parameters": parameters,
            "requestBody": { "required": true, "content": content },
            "responses": {
                "2XX": { "description": "It was taken" },
                "410": { "description": "No more events are wanted: the webhook is stopped" },
                "default": { "description": "It is sent again" },
            },
            "security": [],
        });
        (action.name().to_owned(), json!({ "post": operation }))
    };
    Value::Object(EVENTS.iter().map(one).collect())
}

fn operation(endpoint: &Endpoint, types: &Map<String, Value>) -> Value {
    let roles = Role::ALL
        .iter()
        .filter(|role| role.permits(endpoint.permission));
    let roles: Vec<&str> = roles.map(|role| role.name()).collect();
    let mut responses = Map::new();
    responses.insert(StatusCode::OK.as_str().to_owned(), given(endpoint.gives));
    for kind in KINDS {
        let status = kind.http_status().to_string();
        let response = json!({ "$ref": format!("#/components/responses/{PROBLEM}") });
        responses.insert(status, response);
    }
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.does,
        "x-labward-permission": endpoint.permission.name(),
        "x-labward-roles": roles,
        "responses": responses,
    });
    let mut parameters: Vec<Value> = places(endpoint.path).map(in_path).collect();
    let is_keyed = !matches!(kept(endpoint), None | Some(Kept::Nothing));
    if is_keyed && !endpoint.takes.is_streamed() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same request under the same key within 24 hours is done once",
            "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
        }));
    }
    let body = match endpoint.takes {
        Takes::Nothing => None,
        Takes::Json(name) => Some(("application/json", of_type(name))),
        Takes::Query(name) => {
            parameters.extend(in_query(types.get(name)));
            None
        }
        Takes::File => {
            parameters.push(text_in_query("ending", "The file's ending, such as `hl7`"));
            parameters.push(text_in_query("why", "Why it is done; recorded"));
            Some(("application/octet-stream", bytes()))
        }
        Takes::FileBy(name) => {
            parameters.extend(in_query(types.get(name)));
            Some(("application/octet-stream", bytes()))
        }
        Takes::Form(name) => Some(("multipart/form-data", form(name))),
        Takes::Upload => {
            parameters.push(text_in_query("why", "Why it is done; recorded"));
            Some(("application/octet-stream", bytes()))
        }
    };
    if let Value::Object(members) = &mut operation {
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some((kind, schema)) = body {
            let body = json!({ "required": true, "content": { kind: { "schema": schema } } });
            members.insert("requestBody".to_owned(), body);
        }
    }
    operation
}

/// What stands in a path's braces.
fn places(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn in_path(name: &str) -> Value {
    let schema = match name {
        "name" => json!({ "type": "string" }),
        "list" => json!({ "type": "string", "enum": super::export::names().collect::<Vec<_>>() }),
        // The largest number that a database holds.
        _ => json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

fn in_query(schema: Option<&Value>) -> Vec<Value> {
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let one = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        // A query string has no null: what is not given is left out.
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|one| one != "null");
        }
        json!({ "name": name, "in": "query", "required": false, "schema": schema })
    };
    properties.map_or_else(Vec::new, |all| all.iter().map(one).collect())
}

fn text_in_query(name: &str, description: &str) -> Value {
    json!({
        "name": name,
        "in": "query",
        "required": true,
        "description": description,
        "schema": { "type": "string" },
    })
}

fn given(name: &str) -> Value {
    let (kind, schema) = match name {
        "bytes" => ("application/octet-stream", bytes()),
        "CSV" => ("text/csv", json!({ "type": "string" })),
        "iCalendar" => ("text/calendar", json!({ "type": "string" })),
        "OpenAPI 3.1" | "OpenVEX 0.2" | "the plan of labward segment" => {
            ("application/json", json!({ "type": "object" }))
        }
        name => match name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(one) => {
                let all = json!({ "type": "array", "items": of_type(one) });
                ("application/json", all)
            }
            None => ("application/json", of_type(name)),
        },
    };
    json!({ "description": "It was done", "content": { kind: { "schema": schema } } })
}

fn of_type(name: &str) -> Value {
    json!({ "$ref": format!("#{}/{name}", schema::SCHEMAS) })
}

fn form(about: &str) -> Value {
    json!({
        "type": "object",
        "required": ["about", "content"],
        "properties": { "about": of_type(about), "content": bytes() },
    })
}

fn bytes() -> Value {
    json!({ "type": "string", "format": "binary" })
}

/// The verb and the words of the path: `post-peers-name-set`.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint
        .path
        .replace(['/', '.'], "-")
        .replace(['{', '}'], "");
    format!("{}-{path}", endpoint.verb.name().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_type_that_the_table_names_has_a_schema() {
        let text = document()["paths"].to_string();
        let schemas = schemas();
        let named: BTreeSet<&str> = text
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        for name in &named {
            assert!(schemas.contains_key(*name), "{name}");
        }
        for endpoint in ENDPOINTS {
            if let Takes::Query(name) = endpoint.takes {
                assert!(!members(name).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn every_endpoint_stands_in_it_under_a_name_of_its_own() {
        let document = document();
        let mut names = BTreeSet::new();
        for endpoint in ENDPOINTS {
            let verb = endpoint.verb.name().to_ascii_lowercase();
            let operation = &document["paths"][format!("/{}", endpoint.path)][verb];
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name}");
            for place in places(endpoint.path) {
                assert!(
                    operation["parameters"].to_string().contains(place),
                    "{name}"
                );
            }
        }
        assert_eq!(names.len(), ENDPOINTS.len());
    }
}
