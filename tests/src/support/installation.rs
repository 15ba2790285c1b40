//! An installation as `labward init` makes it, its server, and people at the command line.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use labward_store::Options;
use labward_testkit::TempDir;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Identity, Opened, Outcome, SmallDisk, eventually, open_rooms, program, run};

/// A data folder with its key file on "another volume", removed when dropped.
pub(crate) struct Installation {
    /// Unmounted before the folder around it is removed.
    disk: Option<SmallDisk>,
    place: TempDir,
    data: PathBuf,
}

/// The running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Installation {
    /// Makes one with a key-file slot and this configuration behind what `init` wrote.
    pub(crate) fn create(config: &str) -> Self {
        Self::create_with(config, "")
    }

    /// A place for one that is still to be made.
    pub(crate) fn none_yet() -> Self {
        let place = TempDir::new();
        let data = place.join("data");
        let disk = None;
        Self { disk, place, data }
    }

    /// Makes one with further slots; `{place}` in them stands for the folder beside the data.
    pub(crate) fn create_with(config: &str, slots: &str) -> Self {
        let place = TempDir::new();
        let data = place.join("data");
        Self::make(None, place, data, config, slots)
    }

    /// Makes one whose data folder is a disk of its own, of so many MiB; none if this account may
    /// not mount one.
    pub(crate) fn create_on_small_disk(mib: u32, config: &str) -> Option<Self> {
        let place = TempDir::new();
        let data = place.join("data");
        let disk = SmallDisk::mount(&data, mib)?;
        Some(Self::make(Some(disk), place, data, config, ""))
    }

    fn make(
        disk: Option<SmallDisk>,
        place: TempDir,
        data: PathBuf,
        config: &str,
        slots: &str,
    ) -> Self {
        let made = Self { disk, place, data };
        let answers = format!(
            "version = 1\nreserve_mib = 1\n\
             [administrator]\nname = \"Ada\"\n\
             roles = [\"administrator\", \"clinical-staff\", \"lab-manager\", \"security-officer\"]\n\
             [site]\nname = \"Test lab\"\nnames = [\"localhost\"]\n\
             [[slot]]\nkind = \"key-file\"\nlabel = \"stick\"\npath = \"{{place}}/root.key\"\n{slots}"
        );
        let place = made.place.path().display().to_string();
        let file = made.beside("answers.toml");
        fs::write(&file, answers.replace("{place}", &place)).unwrap();
        made.run(&["init", "--unattended", file.to_str().unwrap()])
            .ok();
        let path = made.data.join("labward.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}\n{config}")).unwrap();
        made
    }

    /// Replaces what stands in the configuration.
    pub(crate) fn configure(&self, old: &str, new: &str) {
        let path = self.data.join("labward.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        fs::write(&path, text.replacen(old, new, 1)).unwrap();
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The disk of the data folder.
    pub(crate) fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().expect("a disk of its own")
    }

    /// A place beside the data folder.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// The key file.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.beside("root.key")
    }

    /// The program on this installation.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .env_clear()
            .arg("--data")
            .arg(&self.data)
            .args(words);
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        self.run_with(words, "")
    }

    /// Runs a command that reads `input`.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Outcome {
        run(&mut self.command(words), input.as_bytes())
    }

    /// Runs a command with `--json` and reads what it prints.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(words);
        self.run(&all).json()
    }

    /// The JSON that a command prints, however it ends.
    #[track_caller]
    pub(crate) fn json_of(&self, words: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(words);
        serde_json::from_str(&self.run(&all).out).unwrap()
    }

    /// Starts the server and does not wait for it.
    pub(crate) fn start(&self) -> Server {
        self.start_with(&[])
    }

    /// Starts the server with these words behind `serve`, and does not wait for it.
    pub(crate) fn start_with(&self, words: &[&str]) -> Server {
        let log = self.beside("server.log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let child = self
            .command(&[&["serve"], words].concat())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Server { child, log }
    }

    /// Starts the server and waits until its listeners are open.
    pub(crate) fn serve(&self) -> Server {
        self.serve_until("open", true)
    }

    /// Starts the server and waits until it answers and says whether it is open.
    pub(crate) fn serve_until(&self, what: &str, open: bool) -> Server {
        let mut server = self.start();
        eventually(&format!("the server to be {what}"), || {
            server.must_run();
            let status = self.run(&["--json", "status"]);
            (status.code == Some(0) && status.json()["open"] == open).then_some(())
        });
        server
    }

    /// Where a link really listens.
    pub(crate) fn address(&self, link: &str) -> SocketAddr {
        let status = self.json(&["status"]);
        let links = status["links"].as_array().unwrap();
        let found = links.iter().find(|one| one["name"] == link).unwrap();
        found["address"].as_str().unwrap().parse().unwrap()
    }

    /// Adds a peer that may send everything; gives the file of its bundle.
    pub(crate) fn add_peer(&self, name: &str, kind: &str) -> PathBuf {
        let out = self.place.path().to_str().unwrap();
        let words = [
            "peer",
            "add",
            name,
            "--kind",
            kind,
            "--application",
            "*",
            "--facility",
            "*",
            "--type",
            "*",
            "--processing",
            "*",
            "--out",
            out,
        ];
        self.run(&words).ok();
        self.beside(&format!("{name}.pem"))
    }

    /// Adds a peer and reads its bundle.
    pub(crate) fn peer(&self, name: &str, kind: &str) -> Identity {
        Identity::read(&self.add_peer(name, kind))
    }

    /// Opens what the installation holds, without its server, which must have ended.
    pub(crate) fn open(&self) -> Opened {
        let options = Options::new(self.data.join("db/labward.sqlite"));
        open_rooms(
            options,
            &self.data,
            &self.key_file(),
            &self.data.join("blob"),
        )
        .unwrap()
    }

    /// What the server printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.beside("server.log")).unwrap_or_default()
    }
}

impl Server {
    /// The most memory that it ever had resident, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = peak.unwrap().trim().trim_end_matches(" kB");
        number.parse().unwrap()
    }

    /// Panics with the server's last words if it has ended.
    #[track_caller]
    pub(crate) fn must_run(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the server ended ({status}): {}", self.last_words());
        }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is finished, nothing is said.
    pub(crate) fn kill(mut self) {
        self.must_run();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal; not by `kill`, since a small Debian has no such program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGTERM, as an operator's; panics unless it ends in order.
    pub(crate) fn stop(mut self) {
        self.must_run();
        self.signal(Signal::TERM);
        let status = eventually("the server to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}: {}", self.last_words());
    }

    /// Memory in use by the server, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let words = line.unwrap().split_whitespace().next();
        words.unwrap().parse().unwrap()
    }

    /// Waits until the server has ended by itself; its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        let status = eventually("the server to end", || self.child.try_wait().unwrap());
        status.code()
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
