//! `ledger`: with the server, and without any.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use labward_api::ledger::{Entries, Verified, VerifierKey as PublicKey};
use labward_base::problem;
use labward_ledger::{
    BundleError, BundleReport, Checkpoint, Trust, VerifierKey, WitnessKey, verify_bundle_with,
};
use serde_json::{Value, json};

use super::{Context, create_private, read};
use crate::args::{LedgerCommand, LedgerListArgs};
use crate::failure::Failure;
use crate::output::show;

/// `labward ledger …`
pub(super) fn run(context: &Context, command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::List(arguments) => list(context, arguments),
        LedgerCommand::Verify {
            bundle: Some(bundle),
            key: Some(key),
            witness,
            quorum,
            checkpoint,
        } => {
            let expected = Expected::read(key, witness, *quorum, checkpoint)?;
            offline(context, bundle, &expected)
        }
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
        // It needs more than a client; the program runs it itself.
        LedgerCommand::Witness(_) => Err(Failure::new(
            &problem::SERVER_BAD_REQUEST,
            "this command is not one of the client's".to_owned(),
        )),
    }
}

/// Asks until there are as many as wanted, or everything was looked at.
fn list(context: &Context, arguments: &LedgerListArgs) -> Result<(), Failure> {
    let (mut from, mut before) = (arguments.from, arguments.before);
    if arguments.newest {
        before = Some(u64::MAX);
    }
    let mut all = Entries::default();
    let mut missing = arguments.limit;
    loop {
        let mut query = vec![("from", from.to_string()), ("limit", missing.to_string())];
        let texts = [
            ("actor", &arguments.actor),
            ("action", &arguments.action),
            ("subject", &arguments.subject),
            ("outcome", &arguments.outcome),
            ("since", &arguments.since),
            ("until", &arguments.until),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.clone()?)));
        query.extend(texts);
        query.extend(before.map(|before| ("before", before.to_string())));
        query.extend(
            arguments
                .patient
                .map(|patient| ("patient", patient.to_string())),
        );
        let page: Entries = context.client.get("ledger/entries", &query)?;
        missing = missing.saturating_sub(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
        all.entries.extend(page.entries);
        all.looked += page.looked;
        (all.size, all.next) = (page.size, page.next);
        match (page.next, before) {
            (Some(next), Some(_)) if missing > 0 => before = Some(next),
            (Some(next), None) if missing > 0 => from = next,
            _ => break,
        }
    }
    show(context.json, &all, |out| {
        for entry in &all.entries {
            writeln!(out, "{entry}")?;
        }
        let Entries {
            entries,
            size,
            looked,
            ..
        } = &all;
        writeln!(
            out,
            "{} of {size} entries, {looked} looked at",
            entries.len()
        )?;
        match (all.next, before) {
            (Some(next), Some(_)) => writeln!(out, "older ones: --before {next}"),
            (Some(next), None) => writeln!(out, "further ones: --from {next}"),
            (None, _) => Ok(()),
        }
    })
}

/// What a bundle is held against, as the person named it.
struct Expected {
    key: VerifierKey,
    witnesses: Vec<WitnessKey>,
    quorum: usize,
    known: Vec<(String, Checkpoint)>,
}

impl Expected {
    fn read(
        key: &str,
        witnesses: &[String],
        quorum: Option<usize>,
        checkpoints: &[PathBuf],
    ) -> Result<Self, Failure> {
        let key: VerifierKey = read_key(key)?;
        let mut keys: Vec<WitnessKey> = Vec::new();
        for witness in witnesses {
            let witness = read_key(witness)?;
            // One that is named twice counts once.
            if !keys.contains(&witness) {
                keys.push(witness);
            }
        }
        let mut known = Vec::new();
        for path in checkpoints {
            let note = read(path)?;
            let checkpoint = Checkpoint::open(&note, &key).map_err(|error| {
                let detail = format!("{}: {error}", path.display());
                Failure::new(&problem::LEDGER_BAD_SIGNATURE, detail)
            })?;
            known.push((String::from_utf8_lossy(&note).into_owned(), checkpoint));
        }
        Ok(Self {
            quorum: quorum.unwrap_or(keys.len()),
            key,
            witnesses: keys,
            known,
        })
    }
}

/// A public key, given itself or as a file that holds it.
fn read_key<K: FromStr>(key: &str) -> Result<K, Failure> {
    let text = match Path::new(key).is_file() {
        true => String::from_utf8_lossy(&read(Path::new(key))?).into_owned(),
        false => key.to_owned(),
    };
    text.trim().parse().map_err(|_| {
        Failure::new(
            &problem::LEDGER_BAD_SIGNATURE,
            "a key cannot be read".to_owned(),
        )
    })
}

fn online(context: &Context) -> Result<(), Failure> {
    let verified: Verified = context.client.post("ledger/verify", &json!({}))?;
    show(context.json, &verified, |out| {
        writeln!(out, "{} entries, root {}", verified.entries, verified.root)?;
        for witness in &verified.witnesses {
            writeln!(out, "witness {witness}")?;
        }
        for fault in &verified.faults {
            writeln!(out, "FAULT  {fault}")?;
        }
        for evidence in &verified.evidence {
            writeln!(out, "\nEVIDENCE: {evidence}")?;
        }
        if verified.good {
            writeln!(out, "the ledger is whole")?;
        }
        Ok(())
    })?;
    if verified.good {
        return Ok(());
    }
    let problem = match verified.evidence.is_empty() {
        true => &problem::LEDGER_TAMPERED,
        false => &problem::LEDGER_SECOND_HISTORY,
    };
    Err(Failure::new(problem, verified.faults.into_iter().next()))
}

fn offline(context: &Context, bundle: &Path, expected: &Expected) -> Result<(), Failure> {
    let file = std::fs::File::open(bundle).map_err(|error| {
        Failure::new(
            &problem::CLI_FILE,
            format!("read {}: {error}", bundle.display()),
        )
    })?;
    let known: Vec<Checkpoint> = expected.known.iter().map(|(_, one)| one.clone()).collect();
    let trust = Trust {
        key: &expected.key,
        witnesses: &expected.witnesses,
        known: &known,
    };
    let report = verify_bundle_with(BufReader::new(file), &trust)
        .map_err(|error| contradicted(context, expected, bundle, &error))?;
    if let Some((_, larger)) = expected
        .known
        .iter()
        .find(|(_, one)| one.size > report.checkpoint.size)
    {
        let detail = format!(
            "a checkpoint of {} entries is known and the bundle ends at {}: it is older, or the \
             ledger was rewound",
            larger.size, report.checkpoint.size
        );
        print_evidence(context, expected, bundle)?;
        return Err(Failure::new(&problem::LEDGER_SECOND_HISTORY, detail));
    }
    if report.compared < known.len() {
        let detail = "a checkpoint is of entries that the bundle leaves out".to_owned();
        return Err(Failure::new(&problem::LEDGER_BAD_BUNDLE, detail));
    }
    let witnessed = report.witnessed_size(expected.quorum);
    tell(context, expected, &report, witnessed)?;
    if expected.quorum > 0 && witnessed.is_none() {
        let detail = format!("{} of them are needed", expected.quorum);
        return Err(Failure::new(&problem::LEDGER_NOT_WITNESSED, detail));
    }
    Ok(())
}

fn tell(
    context: &Context,
    expected: &Expected,
    report: &BundleReport,
    witnessed: Option<u64>,
) -> Result<(), Failure> {
    let cosigned: Vec<Value> = report
        .cosigned
        .iter()
        .map(|one| {
            json!({
                "witness": one.cosignature.witness,
                "size": one.size,
                "time": one.cosignature.time.to_rfc3339(),
            })
        })
        .collect();
    let summary = json!({
        "good": true,
        "entries": report.entries,
        "origin": report.checkpoint.origin,
        "size": report.checkpoint.size,
        "cosigned": cosigned,
        "witnessed_size": witnessed,
        "compared": report.compared,
    });
    show(context.json, &summary, |out| {
        writeln!(
            out,
            "{} entries of {} verify",
            report.entries, report.checkpoint.origin
        )?;
        for one in &report.cosigned {
            writeln!(
                out,
                "{} cosigned {} entries at {}",
                one.cosignature.witness,
                one.size,
                one.cosignature.time.to_rfc3339()
            )?;
        }
        if report.compared > 0 {
            writeln!(out, "{} known checkpoints fit", report.compared)?;
        }
        match witnessed {
            Some(size) => writeln!(
                out,
                "This shows what was recorded and that nothing was changed, removed or put in \
                 between; {} of {} witnesses saw no second history of its first {size} entries.",
                expected.quorum,
                expected.witnesses.len()
            ),
            None => writeln!(
                out,
                "This shows what was recorded and that nothing was changed, removed or put in \
                 between; that there is no second history needs a witness or an earlier checkpoint."
            ),
        }
    })
}

/// The failure of a bundle; for a second history both checkpoints are printed first.
fn contradicted(
    context: &Context,
    expected: &Expected,
    bundle: &Path,
    error: &BundleError,
) -> Failure {
    let failure = Failure::new(error.problem(), error.to_string());
    if error.problem().code != problem::LEDGER_SECOND_HISTORY.code {
        return failure;
    }
    let printed = print_evidence(context, expected, bundle);
    printed.err().unwrap_or(failure)
}

/// Prints the checkpoints that do not fit, whole, for somebody else to judge.
fn print_evidence(context: &Context, expected: &Expected, bundle: &Path) -> Result<(), Failure> {
    let of_bundle = checkpoint_of(bundle).unwrap_or_default();
    let known: Vec<&str> = expected
        .known
        .iter()
        .map(|(note, _)| note.as_str())
        .collect();
    let evidence = json!({ "good": false, "bundle": of_bundle, "known": known });
    show(context.json, &evidence, |out| {
        writeln!(
            out,
            "EVIDENCE: the checkpoint of the bundle:\n\n{of_bundle}"
        )?;
        known
            .iter()
            .try_for_each(|note| writeln!(out, "known from elsewhere:\n\n{note}"))
    })
}

/// The note in the third line of a bundle.
fn checkpoint_of(bundle: &Path) -> Option<String> {
    let file = BufReader::new(std::fs::File::open(bundle).ok()?);
    let line = file.lines().nth(2)?.ok()?;
    serde_json::from_str(line.strip_prefix("checkpoint ")?).ok()
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
