//! `labward ledger witness`: what it prints; the witness itself is the server's.

use std::fs;
use std::path::Path;

use labward_base::problem;
use labward_cli::Failure;
use labward_cli::args::{WitnessCommand, WitnessServeArgs};
use labward_ledger::VerifierKey;
use labward_server::config::PlainException;
use labward_server::witness::{self, ServeWitness, Shown, WitnessError};

/// Runs one of the commands of a witness.
pub(crate) fn run(command: &WitnessCommand, json: bool) -> Result<(), Failure> {
    let failed = |error: WitnessError| super::failure(error.problem(), &error);
    match command {
        WitnessCommand::Init { folder, name } => {
            let key = witness::init(folder, name).map_err(failed)?;
            match json {
                true => println!("{}", serde_json::json!({ "key": key.to_string() })),
                false => println!("{key}"),
            }
            Ok(())
        }
        WitnessCommand::AddLog { folder, key } => {
            let key = read_key(key)?;
            let added = witness::add_log(folder, &key).map_err(failed)?;
            match (json, added) {
                (true, _) => println!(
                    "{}",
                    serde_json::json!({ "origin": key.name(), "added": added })
                ),
                (false, true) => println!("{} is witnessed from now on", key.name()),
                (false, false) => println!("{} was witnessed already", key.name()),
            }
            Ok(())
        }
        WitnessCommand::Serve(arguments) => witness::serve(&options(arguments)?).map_err(failed),
        WitnessCommand::Show { folder } => {
            let shown = witness::show(folder).map_err(failed)?;
            match json {
                true => println!("{}", to_json(&shown)),
                false => print(&shown),
            }
            Ok(())
        }
    }
}

fn options(arguments: &WitnessServeArgs) -> Result<ServeWitness, Failure> {
    let until = arguments.plain_until.as_deref().map(str::parse);
    let expires = until.transpose().map_err(|_| {
        Failure::new(
            &problem::LEDGER_WITNESS,
            "--plain-until is not a day such as 2027-06-30".to_owned(),
        )
    })?;
    let plain = arguments
        .plain_reason
        .as_ref()
        .map(|reason| PlainException {
            place: "witness".to_owned(),
            loopback: arguments.listen.ip().is_loopback(),
            reason: Some(reason.clone()),
            owner: arguments.plain_owner.clone(),
            expires,
        });
    Ok(ServeWitness {
        folder: arguments.folder.clone(),
        listen: arguments.listen,
        tls: arguments.tls.clone(),
        clients: arguments.clients.clone(),
        any_client: arguments.any_client,
        plain,
    })
}

/// The key of a ledger, given itself or as a file that holds it.
fn read_key(key: &str) -> Result<VerifierKey, Failure> {
    let text = match Path::new(key).is_file() {
        true => fs::read_to_string(key)
            .map_err(|error| Failure::new(&problem::CLI_FILE, format!("read {key}: {error}")))?,
        false => key.to_owned(),
    };
    text.trim().parse().map_err(|error| {
        super::failure(
            &problem::LEDGER_WITNESS,
            &error as &labward_ledger::note::NoteError,
        )
    })
}

fn print(shown: &Shown) {
    println!("{}", shown.key);
    for log in &shown.logs {
        match &log.latest {
            Some((size, time)) => {
                println!(
                    "{}: {size} entries cosigned at {}",
                    log.origin,
                    time.to_rfc3339()
                );
            }
            None => println!("{}: nothing cosigned yet", log.origin),
        }
    }
    for path in &shown.evidence {
        println!("SECOND HISTORY: both checkpoints in {}", path.display());
    }
}

fn to_json(shown: &Shown) -> serde_json::Value {
    let logs: Vec<_> = shown
        .logs
        .iter()
        .map(|log| {
            serde_json::json!({
                "origin": log.origin,
                "keys": log.keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "size": log.latest.map(|(size, _)| size),
                "cosigned": log.latest.map(|(_, time)| time.to_rfc3339()),
            })
        })
        .collect();
    serde_json::json!({
        "key": shown.key.to_string(),
        "logs": logs,
        "evidence": shown.evidence,
    })
}
