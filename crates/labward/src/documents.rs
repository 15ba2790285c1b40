//! The generated documents are what their definitions say.
//!
//! `cargo xtask docs` sets `LABWARD_WRITE_DOCS`, and they are written instead of compared.

use std::fs;
use std::path::Path;

fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/ref")
        .join(name);
    if std::env::var_os("LABWARD_WRITE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let stands = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stands == text,
        "docs/ref/{name} is out of date: run cargo xtask docs"
    );
}

#[test]
fn the_configuration_reference_is_what_the_parser_takes() {
    check("config.md", &labward_server::config::reference());
}

#[test]
fn the_api_reference_is_the_table_of_endpoints() {
    check("api.md", &labward_server::api_reference());
    check("openapi.json", &labward_server::openapi_text());
}

#[test]
fn the_reference_of_safeguards_is_the_table_of_requirements() {
    check("safeguards.md", &labward_server::safeguard_reference());
}

#[test]
fn the_reference_of_checks_is_the_table_of_checks() {
    check("checks.md", &labward_server::check::reference());
}
