//! The page of the API's reference.
//!
//! It must never need a file or an address besides this program.

use labward_api::PREFIX;
use labward_api::schema::schemas;
use labward_base::problem;
use labward_console::frame::Place;
use labward_console::pages::{self as html, ApiType, Member, Operation};
use labward_identity::Role;
use serde_json::Value;

use super::pages::written;
use super::visit::{Page, Visit};
use crate::http::endpoint::{ENDPOINTS, Endpoint};
use crate::http::failure::Failure;

/// `GET /reference`
pub(super) fn reference(visit: &Visit) -> Result<Page, Failure> {
    let operations: Vec<Operation> = ENDPOINTS
        .iter()
        .map(|endpoint| operation(visit, endpoint))
        .collect();
    let types: Vec<ApiType> = schemas()
        .iter()
        .map(|(name, schema)| ApiType {
            name: name.clone(),
            about: text(schema, "description"),
            members: members(schema),
        })
        .collect();
    written(html::reference(
        &visit.frame(Place::Settings),
        &operations,
        &types,
    ))
}

/// `GET /reference/openapi.json`
pub(super) fn document(visit: &Visit) -> Result<Page, Failure> {
    let answer: Value = visit.get("openapi.json")?;
    let bytes = serde_json::to_vec_pretty(&answer).unwrap_or_default();
    Ok(Page::File {
        writer: Box::new(move |out| {
            let broken = |_| Failure::new(&problem::SERVER_BUSY);
            out.write_all(&bytes).map_err(broken)
        }),
        name: "openapi.json".to_owned(),
        kind: "application/json",
    })
}

fn operation(visit: &Visit, endpoint: &Endpoint) -> Operation {
    let roles = Role::ALL.iter();
    let roles = roles.filter(|role| role.permits(endpoint.permission));
    Operation {
        verb: endpoint.verb.name(),
        path: format!("{PREFIX}/{}", endpoint.path),
        does: endpoint.does,
        takes: endpoint.takes.describe().replace('`', ""),
        gives: endpoint.gives,
        permission: endpoint.permission.name(),
        roles: roles.map(|role| role.name()).collect(),
        is_yours: visit.visitor.permits(endpoint.permission),
    }
}

/// The members of a type; of a list of words, the words.
fn members(schema: &Value) -> Vec<Member> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|all| all.iter().any(|one| one.as_str() == Some(name)));
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten();
    let mut members: Vec<Member> = properties
        .map(|(name, one)| Member {
            name: name.clone(),
            kind: kind(one),
            is_required: is_required(name),
            about: text(one, "description"),
        })
        .collect();
    let words = schema.get("oneOf").and_then(Value::as_array);
    members.extend(words.into_iter().flatten().map(|one| Member {
        name: text(one, "const"),
        kind: kind(one),
        is_required: false,
        about: text(one, "description"),
    }));
    members
}

/// What may stand in a place, in the words of JSON Schema; `[X]` is a list of `X`.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    if let Some(items) = schema.get("items") {
        return format!("[{}]", kind(items));
    }
    let one_of = schema.get("anyOf").and_then(Value::as_array);
    if let Some(one_of) = one_of {
        return one_of.iter().map(kind).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(" | ")
        }
        _ => "any".to_owned(),
    }
}

fn text(schema: &Value, member: &str) -> String {
    let text = schema.get(member).and_then(Value::as_str);
    text.unwrap_or_default().replace('`', "")
}
