//! `cargo xtask api`: Schemathesis asks a live server what its OpenAPI document allows, and more.
//!
//! It must never pass over an endpoint, and never ask an installation that somebody needs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::guard::{Workplace, free_ports};
use crate::installation::{self, Installation, Link};
use crate::run::{in_time, root, run};
use crate::tools;

/// How long all of it may take.
const ASKING: Duration = Duration::from_secs(900);

/// The document as it is committed; a test compares it with the table of endpoints.
const DOCUMENT: &str = "docs/ref/openapi.json";

/// What is looked at in every answer: no fault of ours, and status, kind, headers and schema as the
/// document says; nothing without a token; no verb that it does not name; nothing that it forbids.
/// Whether a request that fits its schema is done depends on what the installation holds, so that is
/// not looked at.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,ignored_auth,\
                      unsupported_method,negative_data_rejection,use_after_free,\
                      ensure_resource_availability";

/// What no token may do, as `labward-identity` says.
const IN_PERSON: &[&str] = &[
    "audit.open",
    "break-glass.review",
    "config.change",
    "key.change",
    "key.unseal",
    "patient.dispose",
    "person.change",
    "record.break-glass",
    "risk.accept",
    "malware.decide",
    "malware.rules",
    "safeguard.decide",
];

/// Runs the server, and Schemathesis beside it.
pub(crate) fn api() -> Result<()> {
    tools::ensure_debian()?;
    let schemathesis = tools::ensure_schemathesis()?;
    let program = installation::build_for_tests()?;
    let place = Workplace::create("api")?;
    let [port, console] = free_ports()?;
    let links = [Link::mutual_tls("hl7", port, "")];
    let lab = Installation::create(&program, &place, "data", &links)?;
    lab.open_console(console)?;
    let server = lab.serve()?;
    let document = root().join(DOCUMENT);
    let scopes = scopes(&document)?;
    let token = lab.json(&[
        "token", "create", "Tool", "--name", "api", "--scope", &scopes,
    ])?;
    let token = token.get("secret").and_then(Value::as_str);
    let token = token.context("a token was not made")?;
    let mut ask = Command::new(schemathesis);
    ask.current_dir(place.path())
        .arg("run")
        .arg(&document)
        .args(["--url", &format!("https://localhost:{console}/api/v1")])
        .arg("--tls-verify")
        .arg(lab.data().join("tls/authority.pem"))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--max-examples", "15", "--no-color"])
        // What was found once is found again.
        .args(["--generation-deterministic", "--workers", "1"]);
    run("requests of the document", &mut in_time(ASKING, &ask))?;
    let verified = lab.json(&["ledger", "verify"])?;
    ensure!(
        verified.get("good") == Some(&Value::Bool(true)),
        "the ledger does not verify afterwards: {verified}"
    );
    server.stop()
}

/// Every permission that the one person of the installation has and a token may have.
fn scopes(document: &Path) -> Result<String> {
    let text = std::fs::read_to_string(document).context("read the document")?;
    let document: Value = serde_json::from_str(&text).context("read the document")?;
    let paths = document.get("paths").and_then(Value::as_object);
    let operations = paths
        .context("the document has no paths")?
        .values()
        .filter_map(Value::as_object)
        .flat_map(|operations| operations.values());
    let mut scopes: Vec<&str> = operations
        .filter(|operation| {
            let roles = operation.get("x-labward-roles").and_then(Value::as_array);
            roles.is_some_and(|roles| {
                roles
                    .iter()
                    .any(|role| role == "administrator" || role == "lab-manager")
            })
        })
        .filter_map(|operation| operation.get("x-labward-permission")?.as_str())
        .filter(|permission| !IN_PERSON.contains(permission))
        .collect();
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes.join(","))
}
