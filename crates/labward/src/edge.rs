//! `labward edge …`: the program beside a device.
//!
//! It must never show a code again once it was read.

use std::io::{self, Read as _};
use std::sync::Arc;

use labward_base::{Secret, problem};
use labward_cli::args::EdgeCommand;
use labward_cli::{Arguments, Failure};
use labward_edge::{EdgeFolder, EdgeState};
use labward_os::SystemClock;

use crate::failure;

/// Longer than any code, however it was typed.
const CODE_MAX_BYTES: u64 = 256;

/// Runs one command on the edge's folder.
pub(crate) fn run(arguments: &Arguments, command: &EdgeCommand) -> Result<(), Failure> {
    let folder = EdgeFolder::new(&arguments.data);
    match command {
        EdgeCommand::Enroll { code, server } => {
            let code = read_code(code)?;
            labward_os::restrict_umask();
            let enrolled =
                labward_edge::enrol(&folder, Arc::new(SystemClock), code.expose(), server)
                    .map_err(|error| failure(error.problem(), &error))?;
            println!("edge {} is enrolled at {}", enrolled.name, enrolled.server);
            println!(
                "Next: name its devices in {}, then",
                folder.config().display()
            );
            println!("labward --data {} edge run", folder.root().display());
            Ok(())
        }
        EdgeCommand::Run => {
            labward_edge::run(&folder).map_err(|error| failure(error.problem(), &error))
        }
        EdgeCommand::Status => {
            let state = labward_edge::read_status(&folder)
                .map_err(|error| failure(error.problem(), &error))?;
            show(&state, arguments.json)
        }
    }
}

fn read_code(code: &str) -> Result<Secret<String>, Failure> {
    if code != "-" {
        return Ok(Secret::new(code.to_owned()));
    }
    let mut text = String::new();
    let read = io::stdin().take(CODE_MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| failure(&problem::EDGE_BAD_CODE, &error))?;
    Ok(Secret::new(text))
}

fn show(state: &EdgeState, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(state);
        println!(
            "{}",
            text.map_err(|error| failure(&problem::SERVER_INTERNAL, &error))?
        );
        return Ok(());
    }
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let word = match (state.running, state.connected) {
        (false, _) => "not running",
        (true, true) => "connected",
        (true, false) => "away",
    };
    println!("edge:        {} ({word})", state.name);
    println!("answered:    {}", or_dash(&state.answered));
    println!(
        "waiting:     {} (oldest {})",
        state.waiting,
        or_dash(&state.oldest)
    );
    println!("sent:        up to item {}", state.sent);
    println!("damaged:     {}", state.damaged);
    println!(
        "room:        {}",
        if state.has_room {
            "yes"
        } else {
            "no: nothing more is taken"
        }
    );
    println!("fault:       {}", or_dash(&state.fault));
    let renewal = match &state.renewal_fault {
        Some(fault) => format!(" (not renewed yet: {fault})"),
        None => String::new(),
    };
    println!(
        "certificate: until {}{renewal}",
        or_dash(&state.certificate_until)
    );
    for device in &state.devices {
        println!(
            "device {}: {}; {} accepted, {} held, {} connected",
            device.name, device.line, device.accepted, device.held, device.connections
        );
    }
    Ok(())
}
