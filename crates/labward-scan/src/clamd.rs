//! ClamAV as a second engine: its daemon over its Unix socket, asked for each part.
//!
//! It must never make "clean" of a daemon that is down, late or refuses a part: each is an error. ClamAV itself is another
//! program under another licence; nothing of it is linked here.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bounded;
use crate::engine::{Deadline, Engine, EngineError, Hit, Look};
use crate::verdict::{FindingKind, Severity};

/// How many bytes go to the daemon at a time.
const CHUNK: usize = 64 << 10;
/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 4_096;

/// The daemon behind a socket.
#[derive(Clone, Debug)]
pub struct Clamd {
    socket: PathBuf,
    version: String,
}

impl Clamd {
    /// Asks the daemon for its version, in at most `limit`. A daemon that does not answer is an engine all the same: each
    /// look at a part will be an error until it does.
    #[must_use]
    pub fn at(socket: &Path, limit: Duration) -> Self {
        let version = ask(socket, b"zVERSION\0", None, &Deadline::after(limit));
        Self {
            socket: socket.to_owned(),
            version: bounded(&version.unwrap_or_default()),
        }
    }

    /// What it called itself and its signatures, such as `ClamAV 1.4.6/27500/Mon Jan  5 08:24:31 2026`; empty if it did
    /// not answer.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// When its signatures were made, as it writes it; none if it has no database of ClamAV's or did not answer.
    #[must_use]
    pub fn signatures_of(&self) -> Option<&str> {
        self.version.splitn(3, '/').nth(2).map(str::trim)
    }
}

impl Engine for Clamd {
    fn name(&self) -> &'static str {
        "clamd"
    }

    fn look(&self, part: &Look<'_>, deadline: &Deadline) -> Result<Vec<Hit>, EngineError> {
        let answer = ask(&self.socket, b"zINSTREAM\0", Some(part.bytes), deadline)?;
        verdict(&answer)
    }

    fn state(&self) -> String {
        self.version.clone()
    }
}

/// What the daemon said of a stream.
fn verdict(answer: &str) -> Result<Vec<Hit>, EngineError> {
    let answer = answer.trim_end_matches(['\0', '\n']);
    if answer == "stream: OK" {
        return Ok(Vec::new());
    }
    let found = answer
        .strip_prefix("stream: ")
        .and_then(|rest| rest.strip_suffix(" FOUND"));
    if let Some(name) = found {
        return Ok(vec![Hit {
            rule: bounded(name),
            description: String::new(),
            severity: Severity::High,
            kind: FindingKind::Signature,
        }]);
    }
    if answer.contains("size limit exceeded") {
        return Err(EngineError::TooLarge);
    }
    Err(EngineError::Failed(bounded(answer)))
}

fn ask(
    socket: &Path,
    command: &[u8],
    stream: Option<&[u8]>,
    deadline: &Deadline,
) -> Result<String, EngineError> {
    let mut line =
        UnixStream::connect(socket).map_err(|error| EngineError::Unreachable(error.to_string()))?;
    let mut sent = send(&mut line, command, stream, deadline);
    if matches!(&sent, Err(EngineError::Failed(_))) {
        // A daemon that refuses a long stream says why and hangs up while we still send: its word is worth more.
        sent = Ok(());
    }
    sent?;
    receive(&mut line, deadline)
}

fn send(
    line: &mut UnixStream,
    command: &[u8],
    stream: Option<&[u8]>,
    deadline: &Deadline,
) -> Result<(), EngineError> {
    write(line, command, deadline)?;
    let Some(bytes) = stream else { return Ok(()) };
    for chunk in bytes.chunks(CHUNK) {
        let len = u32::try_from(chunk.len()).unwrap_or(0);
        write(line, &len.to_be_bytes(), deadline)?;
        write(line, chunk, deadline)?;
    }
    write(line, &[0; 4], deadline)
}

fn write(line: &mut UnixStream, bytes: &[u8], deadline: &Deadline) -> Result<(), EngineError> {
    line.set_write_timeout(Some(left(deadline)?))
        .map_err(|error| told(&error))?;
    line.write_all(bytes).map_err(|error| told(&error))
}

fn receive(line: &mut UnixStream, deadline: &Deadline) -> Result<String, EngineError> {
    let mut answer = Vec::new();
    let mut buffer = [0; 512];
    loop {
        line.set_read_timeout(Some(left(deadline)?))
            .map_err(|error| told(&error))?;
        let n = line.read(&mut buffer).map_err(|error| told(&error))?;
        answer.extend_from_slice(buffer.get(..n).unwrap_or_default());
        if answer.contains(&0) || answer.len() > ANSWER_MAX || n == 0 {
            break;
        }
    }
    match answer.split_last() {
        Some((0, text)) => Ok(String::from_utf8_lossy(text).into_owned()),
        _ => Err(EngineError::Failed("its answer has no end".to_owned())),
    }
}

fn left(deadline: &Deadline) -> Result<Duration, EngineError> {
    let left = deadline.left();
    if left.is_zero() {
        Err(EngineError::Late)
    } else {
        Ok(left)
    }
}

fn told(error: &io::Error) -> EngineError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => EngineError::Late,
        _ => EngineError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_carrier::{Claims, Declared, Path as CarrierPath};
    use labward_testkit::TempDir;
    use std::os::unix::net::UnixListener;
    use std::thread;

    fn look(clamd: &Clamd, bytes: &[u8], limit: Duration) -> Result<Vec<Hit>, EngineError> {
        let part = Look {
            bytes,
            claims: &Claims::of(bytes),
            declared: &Declared::nothing(),
            path: &CarrierPath::default(),
            clinical: false,
            setting: crate::Setting::File,
            sha256: &[0; 32],
        };
        clamd.look(&part, &Deadline::after(limit))
    }

    /// A daemon that answers each connection with the next of `answers` when it has the whole stream.
    fn daemon(answers: &'static [&'static [u8]]) -> (TempDir, PathBuf) {
        let folder = TempDir::new();
        let path = folder.join("s");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            for answer in answers {
                let (mut line, _) = listener.accept().unwrap();
                let mut got = Vec::new();
                let mut buffer = [0; 65_536];
                while !got.ends_with(&[0; 4]) && got != b"zVERSION\0" {
                    let n = line.read(&mut buffer).unwrap();
                    got.extend_from_slice(&buffer[..n]);
                }
                line.write_all(answer).unwrap();
                if answer.is_empty() {
                    // It holds the line and says nothing.
                    let _ = line.read(&mut buffer);
                }
            }
        });
        (folder, path)
    }

    #[test]
    fn what_it_says_is_told_and_everything_else_is_an_error() {
        let long = Duration::from_secs(20);
        let (_folder, path) = daemon(&[
            b"ClamAV 1.4.6/27500/Mon Jan  5 08:24:31 2026\0",
            b"stream: OK\0",
            b"stream: Eicar-Test-Signature FOUND\0",
            b"INSTREAM size limit exceeded. ERROR\0",
            b"stream: OK",
            b"",
        ]);
        let clamd = Clamd::at(&path, long);
        assert_eq!(clamd.signatures_of(), Some("Mon Jan  5 08:24:31 2026"));
        assert_eq!(look(&clamd, b"x", long), Ok(Vec::new()));
        assert_eq!(
            look(&clamd, &[7; 200_000], long).unwrap()[0].rule,
            "Eicar-Test-Signature"
        );
        assert_eq!(look(&clamd, b"x", long), Err(EngineError::TooLarge));
        assert!(matches!(
            look(&clamd, b"x", long),
            Err(EngineError::Failed(_))
        ));
        assert_eq!(
            look(&clamd, b"x", Duration::from_millis(50)),
            Err(EngineError::Late)
        );
    }

    #[test]
    fn a_daemon_that_is_not_there_is_an_error_and_never_clean() {
        let clamd = Clamd::at(Path::new("/nonexistent/clamd.sock"), Duration::from_secs(1));
        assert_eq!(clamd.version(), "");
        let seen = look(&clamd, b"x", Duration::from_secs(1));
        assert!(matches!(seen, Err(EngineError::Unreachable(_))));
    }
}
