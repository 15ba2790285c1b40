#![doc = include_str!("../README.md")]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program talks to whoever started it"
)]

#[cfg(test)]
mod documents;
mod edge;
mod witness;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, Parser as _};
use labward_base::{Clock, Problem, Secret, problem};
use labward_cli::args::{
    BackupCommand, BackupRestoreArgs, DemoArgs, InitArgs, LedgerCommand, ServeArgs, Shell,
};
use labward_cli::{Arguments, Command, Failure};
use labward_os::SystemClock;
use labward_server::ServeOptions;
use labward_server::backup::RestoreRequest;
use labward_server::setup::{Answers, Terminal, init_interactive, init_unattended};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come here too, and are no fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    let outcome = match &arguments.command {
        Command::Init(init) => run_init(&arguments.data, init),
        Command::Serve(serve) => run_serve(&arguments.data, serve),
        Command::Ledger(LedgerCommand::Witness(command)) => witness::run(command, arguments.json),
        Command::Demo(demo) => run_demo(demo),
        Command::Backup(BackupCommand::Restore(restore)) => run_restore(restore),
        Command::Edge(command) => edge::run(&arguments, command),
        Command::Completions { shell } => completions(*shell),
        Command::Man { folder } => man(folder),
        command => return labward_cli::run(&arguments, command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(arguments.json),
    }
}

fn run_init(data: &Path, arguments: &InitArgs) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock);
    let mut input = io::stdin().lock();
    let outcome = match &arguments.unattended {
        Some(file) => Answers::load(file)
            .and_then(|answers| init_unattended(data, clock, &answers, &mut input)),
        None => init_interactive(
            data,
            clock,
            &mut Terminal {
                input: &mut input,
                output: &mut io::stdout(),
                passphrase: &mut |question| rpassword::prompt_password(question).map(Secret::new),
            },
        ),
    };
    let report = outcome.map_err(|error| failure(error.problem(), &error))?;
    println!("configuration:      {}", report.config.display());
    println!("ledger public key:  {}", report.ledger_key);
    println!("CA public key:      SHA-256 {}", report.authority_sha256);
    for (slot, kind, label) in &report.slots {
        println!("slot {slot}:             {kind} \"{label}\"");
    }
    if !report.beside_data.is_empty() {
        println!("A key file shares a disk with the data: whoever takes the disk has both.");
    }
    println!("Next: labward --data {} serve", data.display());
    Ok(())
}

fn run_serve(data: &Path, arguments: &ServeArgs) -> Result<(), Failure> {
    let options = ServeOptions {
        data: data.to_owned(),
        config: arguments.config.clone(),
        setup_listen: arguments.setup_listen,
        setup_file: arguments.setup_file.clone(),
    };
    labward_server::serve(&options, &mut io::stdout())
        .map_err(|error| failure(error.problem(), &error))
}

fn run_restore(arguments: &BackupRestoreArgs) -> Result<(), Failure> {
    labward_os::restrict_umask();
    let slot = &arguments.slot;
    let request = RestoreRequest {
        from: arguments.from.clone(),
        keys: arguments.keys.clone(),
        opener: labward_cli::opener(slot.key_file.as_deref(), slot.shares)?,
        to: arguments.to.clone(),
        generation: arguments.generation,
        without_missing_keys: arguments.without_missing_keys,
        is_drill: false,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let restored = labward_server::backup::restore(&request, &clock)
        .map_err(|error| failure(error.problem(), &error))?;
    println!(
        "restored:           backup {} of {}",
        restored.generation, restored.created
    );
    println!(
        "ledger:             {} entries, root as signed",
        restored.entries
    );
    println!("new epoch:          {} {}", restored.epoch, restored.origin);
    println!("ledger public key:  {}", restored.ledger_key);
    println!(
        "keys:               {} of the archive of {}",
        restored.keys, restored.archived
    );
    if restored.missing_keys > 0 {
        println!(
            "LOST: the records of {} patients, whose keys are missing",
            restored.missing_keys
        );
    }
    if restored.disposed_since > 0 {
        println!(
            "{} patients disposed of since stay so",
            restored.disposed_since
        );
    }
    println!("What came after the backup was made is not in it: have analyzers send it again.");
    println!("Delivery waits until a person confirms with labward backup confirm.");
    println!("Next: labward --data {} serve", arguments.to.display());
    Ok(())
}

fn run_demo(arguments: &DemoArgs) -> Result<(), Failure> {
    let options = labward_demo::Options {
        once: arguments.once,
        messages: arguments.messages,
    };
    labward_demo::run(options).map_err(|error| {
        eprintln!("labward demo: {error:#}");
        Failure::new(&problem::DEMO_OFF, None)
    })
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "labward", &mut script);
    io::stdout()
        .write_all(&script)
        .map_err(|error| failure(&problem::CLI_FILE, &error))
}

fn man(folder: &Path) -> Result<(), Failure> {
    clap_mangen::generate_to(Arguments::command(), folder)
        .map_err(|error| failure(&problem::CLI_FILE, &error))?;
    println!("man pages written to {}", folder.display());
    Ok(())
}

/// The failure with the whole chain of causes beside it.
fn failure(problem: &Problem, error: &dyn std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure::new(problem, text)
}
