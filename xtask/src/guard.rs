//! Programs that run beside us for a while: each ends with its guard, whatever happens between.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long a program may take to end after it was asked to.
const FAREWELL: Duration = Duration::from_secs(20);

/// A program that ends when this value does.
pub(crate) struct Guarded {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Guarded {
    /// Starts `command`; what it prints goes to `log`.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        Ok(Self {
            name,
            child,
            log: log.to_path_buf(),
        })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` holds; a program that ends before, or takes too long, is an error.
    pub(crate) fn wait_until(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let end = Instant::now() + limit;
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}): {}", self.name, self.last_words());
            }
            if Instant::now() > end {
                bail!(
                    "{} was not ready after {} s: {}",
                    self.name,
                    limit.as_secs(),
                    self.last_words()
                );
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// Asks the program to end as an operator would, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        // Not by `kill`: a small Debian has no such program.
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .with_context(|| format!("ask {} to end", self.name))?;
        let end = Instant::now() + FAREWELL;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} ended ({status}): {}", self.name, self.last_words());
            }
            sleep(LOOK);
        }
        bail!(
            "{} did not end when asked: {}",
            self.name,
            self.last_words()
        )
    }

    /// The end of what the program printed.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.len().saturating_sub(12);
        format!("\n{}", lines.get(last..).unwrap_or(&[]).join("\n"))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder under `target` that is removed when this value ends, or one that stays.
pub(crate) struct Workplace {
    folder: PathBuf,
    stays: bool,
}

impl Workplace {
    /// Makes a new empty folder `name` under `target`, readable by its owner alone.
    pub(crate) fn create(name: &str) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let folder = crate::run::root()
            .join("target")
            .join(format!("{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("make {}", folder.display()))?;
        Ok(Self {
            folder,
            stays: false,
        })
    }

    /// Takes `folder` with what lies there, or makes it; it stays.
    pub(crate) fn kept(folder: PathBuf) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("make {}", folder.display()))?;
        Ok(Self {
            folder,
            stays: true,
        })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// The path of `name` in the folder.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if !self.stays {
            // Left-overs under target/ harm nobody.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Ports of this machine that nobody listens on now, all different.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// The address of a port of this machine.
pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether somebody listens on this port of this machine.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&loopback(port), Duration::from_secs(1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guarded_program_ends_with_its_guard() {
        let place = Workplace::create("xtask-guard").unwrap();
        let mut sleeper = Command::new("sleep");
        let guard = Guarded::start("sleep", sleeper.arg("60"), &place.join("log")).unwrap();
        let process = PathBuf::from(format!("/proc/{}", guard.id()));
        assert!(process.exists());
        drop(guard);
        assert!(!process.exists());
    }

    #[test]
    fn a_program_that_ends_too_early_is_an_error_with_its_last_words() {
        let place = Workplace::create("xtask-early").unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo no such port; exit 3"]);
        let mut guard = Guarded::start("sh", &mut shell, &place.join("log")).unwrap();
        let error = guard
            .wait_until(Duration::from_secs(20), || false)
            .unwrap_err()
            .to_string();
        assert!(error.contains("no such port"), "{error}");
    }

    #[test]
    fn free_ports_differ() {
        let [a, b, c] = free_ports::<3>().unwrap();
        assert!(a != b && b != c && a != c);
    }
}
