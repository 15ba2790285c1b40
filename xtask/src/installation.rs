//! A Labward of its own for a tool: a temporary installation, its server, its commands.
//!
//! Everything goes through the program itself, as a lab would use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use labward_api::status::Status;
use labward_cli::Client;
use serde_json::Value;

use crate::guard::{Guarded, Workplace};
use crate::run::{capture, cargo, in_time, root, run};

/// How long a server may take until it listens: it may have millions of messages to read.
const START: Duration = Duration::from_secs(300);

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(60);

/// An installation that ends with its workplace.
#[derive(Clone, Debug)]
pub(crate) struct Installation {
    program: PathBuf,
    data: PathBuf,
    key: PathBuf,
    log: PathBuf,
}

/// A link of the configuration.
#[derive(Clone, Debug)]
pub(crate) struct Link(String);

impl Link {
    /// MLLP over mutual TLS on a port of this machine; `more` are further lines of TOML.
    pub(crate) fn mutual_tls(name: &str, port: u16, more: &str) -> Self {
        Self(format!(
            "\n[[link]]\nname = \"{name}\"\nlisten = \"127.0.0.1:{port}\"\n{more}"
        ))
    }

    /// ASTM without TLS on a port of this machine, for the one peer `peer`.
    pub(crate) fn plain_astm(name: &str, port: u16, peer: &str) -> Self {
        Self(format!(
            "\n[[link]]\nname = \"{name}\"\nlisten = \"127.0.0.1:{port}\"\nframing = \"astm\"\n\
             peer = \"{peer}\"\nstrictness = \"lenient\"\ntransport = {{ mode = \"plain\" }}\n"
        ))
    }
}

/// The variable that names a program to be used instead of one that is built, such as an installed
/// one.
const PROGRAM: &str = "LABWARD_PROGRAM";

/// Builds the release program, if need be, and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    build_in("release", &["--release", "--package", "labward"])
}

/// The same for the program as it is built for tests, with its assertions and its checks of overflow.
pub(crate) fn build_for_tests() -> Result<PathBuf> {
    // Of the whole workspace, as `cargo test` builds it: the program alone has fewer features, so that half of
    // what it leans on would be compiled once more.
    build_in("debug", &["--workspace", "--bins"])
}

fn build_in(folder: &str, words: &[&str]) -> Result<PathBuf> {
    if let Some(program) = std::env::var_os(PROGRAM) {
        return Ok(program.into());
    }
    run(
        &format!("{folder} build"),
        cargo().args(["build", "--quiet"]).args(words),
    )?;
    let program = root().join("target").join(folder).join("labward");
    ensure!(
        program.is_file(),
        "{} was not built; is CARGO_TARGET_DIR set?",
        program.display()
    );
    Ok(program)
}

impl Installation {
    /// Makes one in `place` with these links; its key file lies beside it.
    pub(crate) fn create(
        program: &Path,
        place: &Workplace,
        name: &str,
        links: &[Link],
    ) -> Result<Self> {
        let made = Self::paths(program, place, name);
        let answers = place.join(&format!("{name}.answers.toml"));
        fs::write(&answers, answers_file(&made.key)).context("write the answers")?;
        let unattended = answers.to_string_lossy().into_owned();
        made.labward(&["init", "--unattended", &unattended])?;
        let config = made.data.join("labward.toml");
        let mut text = fs::read_to_string(&config).context("read the configuration")?;
        for Link(link) in links {
            text.push_str(link);
        }
        fs::write(&config, text).context("write the configuration")?;
        Ok(made)
    }

    /// The one that was made in `place` under this name, if there is one.
    pub(crate) fn made(program: &Path, place: &Workplace, name: &str) -> Option<Self> {
        let made = Self::paths(program, place, name);
        made.data.join("labward.toml").exists().then_some(made)
    }

    fn paths(program: &Path, place: &Workplace, name: &str) -> Self {
        Self {
            program: program.to_path_buf(),
            data: place.join(name),
            key: place.join(&format!("{name}.key")),
            log: place.join(&format!("{name}.log")),
        }
    }

    /// Copies it, while its server does not run, to the new folder `data`.
    pub(crate) fn copy(&self, data: &Path) -> Result<Self> {
        capture("cp", Command::new("cp").arg("-a").arg(&self.data).arg(data))?;
        Ok(self.at(data.to_path_buf()))
    }

    /// What lies in another data folder, with the same program and key file.
    pub(crate) fn at(&self, data: PathBuf) -> Self {
        Self {
            log: data.with_extension("log"),
            data,
            ..self.clone()
        }
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("db/labward.sqlite")
    }

    /// The key file that opens it.
    pub(crate) fn key_file(&self) -> &Path {
        &self.key
    }

    /// Removes it from the disk.
    pub(crate) fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.data).with_context(|| format!("remove {}", self.data.display()))
    }

    /// Starts its server and waits until it is open.
    pub(crate) fn serve(&self) -> Result<Guarded> {
        let mut server = self.start()?;
        server.wait_until(START, || self.is_open())?;
        Ok(server)
    }

    /// Starts its server, which is not open yet.
    pub(crate) fn start(&self) -> Result<Guarded> {
        let mut command = self.command(&["serve"]);
        Guarded::start("labward serve", &mut command, &self.log)
    }

    /// Whether its server runs and is open.
    pub(crate) fn is_open(&self) -> bool {
        let status = self.client().get::<Status>("status", &[]);
        status.is_ok_and(|status| status.open)
    }

    /// A client of its server.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.data)
    }

    /// Has the console listen on this port of this machine from the next start on.
    pub(crate) fn open_console(&self, port: u16) -> Result<()> {
        let config = self.data.join("labward.toml");
        let text = fs::read_to_string(&config).context("read the configuration")?;
        let table = "[console]\n";
        ensure!(text.contains(table), "the configuration has no [console]");
        let open = format!("{table}listen = \"127.0.0.1:{port}\"\n");
        fs::write(&config, text.replacen(table, &open, 1)).context("write the configuration")
    }

    /// Adds a peer that may send everything; gives its bundle.
    pub(crate) fn add_peer(&self, name: &str, place: &Workplace) -> Result<PathBuf> {
        self.add_peer_for(name, "*", place)
    }

    /// Adds a peer that may send messages of these types; gives its bundle.
    pub(crate) fn add_peer_for(
        &self,
        name: &str,
        types: &str,
        place: &Workplace,
    ) -> Result<PathBuf> {
        let bundle = place.join(&format!("{name}.pem"));
        let folder = bundle.parent().context("name a folder")?.to_string_lossy();
        self.labward(&[
            "peer",
            "add",
            name,
            "--kind",
            "analyzer",
            "--application",
            "*",
            "--facility",
            "*",
            "--type",
            types,
            "--processing",
            "*",
            "--astm-sender",
            "*",
            "--out",
            &folder,
        ])?;
        Ok(bundle)
    }

    /// Runs a command, which must end in time, and gives what it prints.
    pub(crate) fn labward(&self, words: &[&str]) -> Result<String> {
        capture(
            &format!("labward {}", words.join(" ")),
            &mut in_time(COMMAND, &self.command(words)),
        )
    }

    /// Runs a command with `--json` and reads what it prints.
    pub(crate) fn json(&self, words: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend(words);
        serde_json::from_str(&self.labward(&all)?).context("read the JSON of a command")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--data").arg(&self.data).args(words);
        command
    }
}

/// One administrator who also answers for results, one key file, as little room set aside as may be.
fn answers_file(key: &Path) -> String {
    format!(
        "version = 1\nreserve_mib = 1\n\n[administrator]\nname = \"Tool\"\n\
         roles = [\"administrator\", \"lab-manager\"]\n\n\
         [site]\nname = \"Río Verde\"\nnames = [\"localhost\", \"127.0.0.1\"]\n\n\
         [[slot]]\nkind = \"key-file\"\nlabel = \"tool\"\npath = {:?}\n",
        key.display().to_string()
    )
}
