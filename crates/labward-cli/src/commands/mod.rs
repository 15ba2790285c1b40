//! One file a family of commands: each asks the server and shows the answer.

mod account;
mod advisory;
mod backup;
mod behaviour;
mod capture;
mod conduit;
mod device;
mod device_mds2;
mod disclosure;
mod export;
mod glass;
mod guard;
mod hit;
mod integrity;
mod key;
mod ledger;
mod mail;
mod mail_filter;
mod malware;
mod message;
mod passkey;
mod patient;
mod peer;
mod person;
mod progress;
mod record;
mod reload;
mod safeguard;
mod sbom;
mod scan;
mod segment;
mod send;
mod session;
mod status;
mod token;
mod update;
mod webhook;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use labward_base::problem;

use crate::args::{Arguments, Command};
use crate::client::Client;
use crate::failure::Failure;

/// What every command is given.
struct Context {
    client: Client,
    json: bool,
}

/// Runs one command and gives its exit code.
pub(crate) fn run(arguments: &Arguments, command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Scan(scan) => scan::run(arguments.json, scan),
        Command::Guard(guard) => guard::run(arguments.json, guard).map(|()| ExitCode::SUCCESS),
        Command::ScanChild(rules) => Ok(scan::child(rules)),
        Command::Integrity(command) => integrity::run(&context(arguments), command),
        other => ask(arguments, other).map(|()| ExitCode::SUCCESS),
    }
}

fn context(arguments: &Arguments) -> Context {
    Context {
        client: Client::new(&arguments.data),
        json: arguments.json,
    }
}

fn ask(arguments: &Arguments, command: &Command) -> Result<(), Failure> {
    let context = context(arguments);
    match command {
        Command::Status => status::status(&context),
        Command::Check => status::check(&context),
        Command::Destination(command) => status::destination(&context, command),
        Command::Webhook(command) => webhook::run(&context, command),
        Command::Mail(command) => mail::run(&context, command),
        Command::Reload(arguments) => reload::run(&context, arguments),
        Command::Backup(command) => backup::run(&context, command),
        Command::Key(command) => key::run(&context, command),
        Command::Peer(command) => peer::run(&context, command),
        Command::Device(command) => device::run(&context, command),
        Command::Person(command) => person::run(&context, command),
        Command::Session(command) => session::run(&context, command),
        Command::Passkey(command) => passkey::run(&context, command),
        Command::Token(command) => token::run(&context, command),
        Command::Message(command) => message::run(&context, command),
        Command::Record(command) => record::run(&context, command),
        Command::BreakGlass(command) => glass::run(&context, command),
        Command::Patient(command) => patient::run(&context, command),
        Command::Ledger(command) => ledger::run(&context, command),
        Command::Safeguard(command) => safeguard::run(&context, command),
        Command::Advisory(command) => advisory::run(&context, command),
        Command::Conduit(command) => conduit::run(&context, command),
        Command::Hit(command) => hit::run(&context, command),
        Command::Malware(command) => malware::run(&context, command),
        Command::Update(command) => update::run(&context, command),
        Command::Sbom(arguments) => sbom::run(&context, arguments),
        Command::Segment(arguments) => segment::run(&context, arguments),
        Command::Export(arguments) => export::run(&context, arguments),
        Command::Send(arguments) => send::run(&context, arguments),
        Command::MailFilter(filter) => mail_filter::run(&arguments.data, arguments.json, filter),
        // These need more than a client; the program runs them itself.
        Command::Init(_)
        | Command::Serve(_)
        | Command::Demo(_)
        | Command::Edge(_)
        | Command::Guard(_)
        | Command::Integrity(_)
        | Command::Scan(_)
        | Command::ScanChild(_)
        | Command::Completions { .. }
        | Command::Man { .. } => Err(Failure::new(
            &problem::SERVER_BAD_REQUEST,
            "this command is not one of the client's".to_owned(),
        )),
    }
}

/// Creates `path` for its owner alone; a file that exists is never overwritten.
fn create_private(path: &Path) -> Result<std::fs::File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| {
            Failure::new(
                &problem::CLI_FILE,
                format!("create {}: {error}", path.display()),
            )
        })
}

/// Reads a file that the person named.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| {
        Failure::new(
            &problem::CLI_FILE,
            format!("read {}: {error}", path.display()),
        )
    })
}

/// `path` as the server sees it too, whose working folder is another.
pub(crate) fn absolute(path: &Path) -> Result<String, Failure> {
    let refused = |why: String| Failure::new(&problem::CLI_FILE, why);
    let path: PathBuf = std::path::absolute(path)
        .map_err(|error| refused(format!("find {}: {error}", path.display())))?;
    match path.to_str() {
        Some(path) => Ok(path.to_owned()),
        None => Err(refused(format!("{} is not UTF-8", path.display()))),
    }
}
