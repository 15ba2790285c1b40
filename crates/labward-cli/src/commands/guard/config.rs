//! The configuration of the guard: which server is asked, and which folders are watched how.
//!
//! An unknown key is refused. It must never be read from a file that others than its owner may write.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::problem;
use labward_os::{access_of, current_uid, hostname};
use serde::Deserialize;

use crate::failure::Failure;

/// The most folders of one guard: each takes four threads.
const FOLDERS_MAX: usize = 16;
/// The most characters of a name.
const NAME_CHARS: usize = 64;
/// The largest file that may be sent to the server, in bytes.
const MAX_BYTES: u64 = 4 << 30;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardConfig {
    /// The version of this file's form: 1.
    version: u32,
    /// What this machine is called at the server.
    #[serde(default = "hostname")]
    pub(super) host: String,
    /// Where the guard keeps what it gave back, for root alone.
    #[serde(default = "default_state")]
    pub(super) state: PathBuf,
    /// How many files that somebody waits for are looked at at a time: 1 to 12, for the server takes
    /// 16 connections of one account.
    #[serde(default = "default_workers")]
    pub(super) workers: u8,
    /// Seconds between two questions whether something is to be given back: 1 to 3600.
    #[serde(default = "default_poll")]
    poll_seconds: u64,
    pub(super) server: ServerConfig,
    #[serde(default, rename = "folder")]
    pub(super) folders: Vec<FolderConfig>,
}

/// `[server]`: the admin socket on this machine, or TLS with a token to another one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerConfig {
    pub(super) socket: Option<PathBuf>,
    pub(super) url: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) token_file: Option<PathBuf>,
    /// Seconds that one file may take at the server: 1 to 600.
    #[serde(default = "default_answer")]
    answer_seconds: u64,
}

/// `[[folder]]`: a folder, and what is done in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FolderConfig {
    /// What the folder is called at the server.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) mode: Mode,
    /// Whether the folders in it are watched, too.
    #[serde(default = "yes")]
    pub(super) recursive: bool,
    /// Milliseconds that somebody waits for a file: 10 to 600,000.
    #[serde(default = "default_deadline")]
    deadline_ms: u64,
    /// What happens to who opens a file that could not be looked at.
    #[serde(default)]
    pub(super) unwell: Choice,
    #[serde(default)]
    pub(super) suspicious: Choice,
    #[serde(default)]
    pub(super) unscannable: Choice,
    /// Accounts whose openings are not asked about: names or numbers.
    #[serde(default)]
    pub(super) exempt: Vec<String>,
    /// Files beyond this are not looked at.
    #[serde(default = "default_max_bytes")]
    pub(super) max_bytes: u64,
    /// What happens to who opens a larger one.
    #[serde(default)]
    pub(super) larger: Choice,
    /// How often a file that could not be looked at or removed is tried again before the next walk.
    #[serde(default = "default_retries")]
    pub(super) retries: u32,
    /// Whether every change in it is told by this kernel.
    #[serde(default)]
    pub(super) changes: Changes,
    /// Whether what is known of its files is kept over a restart.
    #[serde(default = "yes")]
    pub(super) remember: bool,
    /// Minutes between two walks: 1 to 10,080.
    #[serde(default = "default_walk")]
    walk_minutes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// Nobody opens a file before it was looked at.
    Block,
    /// What was written or moved in is looked at afterwards.
    Watch,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Choice {
    #[default]
    Allow,
    Deny,
}

/// How changes become known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Changes {
    /// As the kind of the file system has it.
    #[default]
    Auto,
    /// The kernel tells.
    Told,
    /// They are looked for.
    Polled,
}

impl Changes {
    /// Whether they must be looked for.
    pub(super) const fn are_polled(self, is_told: bool) -> bool {
        match self {
            Self::Auto => !is_told,
            Self::Told => false,
            Self::Polled => true,
        }
    }
}

impl Mode {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Watch => "watch",
        }
    }
}

impl Choice {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl GuardConfig {
    /// Reads and checks it.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| bad(path, &error.to_string()))?;
        // Whoever may write it decides what root does.
        let access = access_of(path).map_err(|error| bad(path, &error.to_string()))?;
        let is_ours = access.owner_uid == 0 || access.owner_uid == current_uid();
        if access.mode & 0o022 != 0 || !is_ours {
            return Err(bad(path, "others than root may write it"));
        }
        Self::parse(&text).map_err(|why| bad(path, &why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.version != 1 {
            return Err("version is not 1".to_owned());
        }
        within("workers", u64::from(config.workers), 1, 12)?;
        within("poll_seconds", config.poll_seconds, 1, 3_600)?;
        within("answer_seconds", config.server.answer_seconds, 1, 600)?;
        if !is_name(&config.host) {
            return Err("host is no name".to_owned());
        }
        config.server.check()?;
        if config.folders.is_empty() || config.folders.len() > FOLDERS_MAX {
            return Err(format!("there are 1 to {FOLDERS_MAX} tables [[folder]]"));
        }
        for folder in &config.folders {
            let name = &folder.name;
            folder
                .check()
                .map_err(|why| format!("folder {name}: {why}"))?;
        }
        config.apart()?;
        Ok(config)
    }

    /// No folder lies in another, or holds what the server works with: it would wait for itself.
    fn apart(&self) -> Result<(), String> {
        let names: BTreeSet<&str> = self.folders.iter().map(|one| one.name.as_str()).collect();
        if names.len() < self.folders.len() {
            return Err("two folders have one name".to_owned());
        }
        let data = self.server.socket.as_deref().and_then(Path::parent);
        let data = data.map(|run| run.parent().unwrap_or(run));
        let own = [Some(self.state.as_path()), data];
        for (index, folder) in self.folders.iter().enumerate() {
            let others = self.folders.iter().skip(index + 1);
            let others = others.map(|other| other.path.as_path());
            for other in others.chain(own.into_iter().flatten()) {
                if folder.path.starts_with(other) || other.starts_with(&folder.path) {
                    let (one, other) = (folder.path.display(), other.display());
                    return Err(format!("{one} and {other} lie in each other"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }
}

impl ServerConfig {
    fn check(&self) -> Result<(), String> {
        match (&self.socket, &self.url, &self.ca_file, &self.token_file) {
            (Some(_), None, None, None) | (None, Some(_), Some(_), Some(_)) => Ok(()),
            _ => Err("[server] names either socket, or url, ca_file and token_file".to_owned()),
        }
    }

    pub(super) fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }
}

impl FolderConfig {
    fn check(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err("its name is 1 to 64 letters, digits, -, _ or .".to_owned());
        }
        if !self.path.is_absolute() || self.path.parent().is_none() {
            return Err("path is an absolute one, and not /".to_owned());
        }
        within("deadline_ms", self.deadline_ms, 10, 600_000)?;
        within("walk_minutes", self.walk_minutes, 1, 10_080)?;
        within("max_bytes", self.max_bytes, 1, MAX_BYTES)?;
        within("retries", u64::from(self.retries), 0, 100)
    }

    pub(super) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    pub(super) fn walk_every(&self) -> Duration {
        Duration::from_secs(self.walk_minutes * 60)
    }
}

fn bad(path: &Path, why: &str) -> Failure {
    Failure::new(&problem::GUARD_CONFIG, format!("{}: {why}", path.display()))
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{key} is {least} to {most}"))
    }
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=NAME_CHARS).contains(&text.len()) && text.chars().all(fits)
}

fn default_state() -> PathBuf {
    PathBuf::from("/var/lib/labward-guard")
}

const fn default_workers() -> u8 {
    4
}

const fn default_poll() -> u64 {
    5
}

const fn default_answer() -> u64 {
    60
}

const fn default_deadline() -> u64 {
    5_000
}

const fn default_max_bytes() -> u64 {
    256 << 20
}

const fn default_retries() -> u32 {
    5
}

const fn default_walk() -> u64 {
    60
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "version = 1\nhost = \"bench\"\n[server]\nsocket = \"/var/lib/labward/run/admin.sock\"\n\
                         [[folder]]\nname = \"intake\"\npath = \"/srv/intake\"\nmode = \"block\"\n";

    #[test]
    fn what_is_not_said_lets_work_go_on() {
        let config = GuardConfig::parse(LEAST).unwrap();
        let folder = &config.folders[0];
        assert_eq!(folder.mode, Mode::Block);
        for choice in [
            folder.unwell,
            folder.suspicious,
            folder.unscannable,
            folder.larger,
        ] {
            assert_eq!(choice, Choice::Allow);
        }
        assert!(folder.recursive);
        assert_eq!(folder.deadline(), Duration::from_secs(5));
    }

    #[test]
    fn what_would_not_guard_is_refused_with_its_reason() {
        let cases = [
            (LEAST.replace("version = 1", "version = 2"), "version"),
            (LEAST.replace("block", "on"), "mode"),
            (format!("{LEAST}nothing = 1\n"), "nothing"),
            (format!("{LEAST}deadline_ms = 0\n"), "deadline_ms is 10 to"),
            (LEAST.replace("/srv/intake", "srv"), "absolute"),
            (LEAST.replace("/srv/intake", "/"), "not /"),
            (
                LEAST.replace("/srv/intake", "/var/lib"),
                "lie in each other",
            ),
            (LEAST.replace("\"intake\"", "\"a b\""), "its name"),
            (
                LEAST.replace("[server]", "[server]\nurl = \"https://a\""),
                "either socket",
            ),
            (
                format!(
                    "{LEAST}[[folder]]\nname = \"b\"\npath = \"/srv/intake/b\"\nmode = \"watch\"\n"
                ),
                "lie in each other",
            ),
        ];
        for (text, says) in cases {
            let why = GuardConfig::parse(&text).unwrap_err();
            assert!(why.contains(says), "{says}: {why}");
        }
    }
}
