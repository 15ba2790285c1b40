//! `ledger`: with the server, and without any.

use std::io::BufReader;
use std::path::Path;

use labward_api::ledger::{Entries, Verified, VerifierKey as PublicKey};
use labward_base::problem;
use labward_ledger::VerifierKey;
use serde_json::{Value, json};

use super::{Context, create_private, read};
use crate::args::LedgerCommand;
use crate::failure::Failure;
use crate::output::show;

/// `labward ledger …`
pub(super) fn run(context: &Context, command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::List { from, limit } => {
            let query = [("from", from.to_string()), ("limit", limit.to_string())];
            let page: Entries = context.client.get("ledger/entries", &query)?;
            show(context.json, &page, |out| {
                for entry in &page.entries {
                    writeln!(out, "{entry}")?;
                }
                writeln!(out, "{} of {} entries", page.entries.len(), page.size)
            })
        }
        LedgerCommand::Verify {
            bundle: Some(bundle),
            key: Some(key),
        } => offline(context, bundle, key),
        LedgerCommand::Verify { .. } => online(context),
        LedgerCommand::Export { format, out } => export(context, format, out),
        LedgerCommand::Prove { entry } => {
            let proof: Value = context.client.get(&format!("ledger/prove/{entry}"), &[])?;
            show(context.json, &proof, |out| {
                write!(
                    out,
                    "{}",
                    proof
                        .get("proof")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                )
            })
        }
        LedgerCommand::Key => {
            let key: PublicKey = context.client.get("ledger/key", &[])?;
            show(context.json, &key, |out| writeln!(out, "{}", key.key))
        }
    }
}

fn online(context: &Context) -> Result<(), Failure> {
    let verified: Verified = context.client.post("ledger/verify", &json!({}))?;
    show(context.json, &verified, |out| {
        writeln!(out, "{} entries, root {}", verified.entries, verified.root)?;
        for fault in &verified.faults {
            writeln!(out, "FAULT  {fault}")?;
        }
        if verified.good {
            writeln!(out, "the ledger is whole")?;
        }
        Ok(())
    })?;
    if verified.good {
        return Ok(());
    }
    Err(Failure::new(
        &problem::LEDGER_TAMPERED,
        verified.faults.into_iter().next(),
    ))
}

fn offline(context: &Context, bundle: &Path, key: &str) -> Result<(), Failure> {
    let key = if Path::new(key).is_file() {
        String::from_utf8_lossy(&read(Path::new(key))?).into_owned()
    } else {
        key.to_owned()
    };
    let file = std::fs::File::open(bundle).map_err(|error| {
        Failure::new(
            &problem::CLI_FILE,
            format!("read {}: {error}", bundle.display()),
        )
    })?;
    let key: VerifierKey = key.trim().parse().map_err(|_| {
        Failure::new(
            &problem::LEDGER_BAD_SIGNATURE,
            "the key cannot be read".to_owned(),
        )
    })?;
    let report = labward_ledger::verify_bundle(BufReader::new(file), &key)
        .map_err(|error| Failure::new(error.problem(), error.to_string()))?;
    let summary =
        json!({ "good": true, "entries": report.entries, "origin": report.checkpoint.origin });
    show(context.json, &summary, |out| {
        writeln!(
            out,
            "{} entries of {} verify",
            report.entries, report.checkpoint.origin
        )?;
        writeln!(
            out,
            "This shows what was recorded and that nothing was changed, removed or put in between; \
             that there is no second history needs a witness or an earlier checkpoint."
        )
    })
}

fn export(context: &Context, format: &str, out: &Path) -> Result<(), Failure> {
    let mut file = create_private(out)?;
    let request = json!({ "format": format });
    let outcome = context
        .client
        .download("ledger/export", &request, &mut file);
    if outcome.is_err() {
        // Half an export is worse than none; if it cannot be removed the error still tells.
        let _ = std::fs::remove_file(out);
    }
    let bytes = outcome?;
    show(context.json, &json!({ "bytes": bytes }), |w| {
        writeln!(w, "{bytes} bytes in {}", out.display())
    })
}
