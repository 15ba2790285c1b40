//! The admin socket: who connects is known by the kernel, and nobody holds it for long.
//!
//! It must never listen where another account than the owner's or the configured group's can
//! reach it, take over a socket that a running server holds, or believe what a client says of
//! itself. Person authentication is 45 CFR 164.312(d).

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::idle::{Activity, Answering, IdleStream};
use super::places::{Place, Places};

/// Connections open at the same time.
const CONNECTIONS_MAX: usize = 64;
/// Connections of one account at the same time, so that none can shut the others out.
const CONNECTIONS_PER_ACCOUNT: usize = 16;
/// How long to wait when the system cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// How they are known.
    pub(crate) line: Line,
    pub(super) activity: Arc<Activity>,
}

/// How the one at the other end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// By the cookie of a session or a token, over TLS from this address.
    Console(IpAddr),
    /// By the account of the operating system; `None` if the kernel did not say.
    Socket(Option<u32>),
}

/// The socket that listens.
pub(crate) struct AdminListener {
    socket: UnixListener,
    room: Arc<Semaphore>,
    accounts: Places<Option<u32>>,
}

/// One connection.
pub(crate) type AdminStream = IdleStream<UnixStream, (OwnedSemaphorePermit, Place<Option<u32>>)>;

impl Caller {
    /// A caller without a connection.
    #[cfg(test)]
    pub(crate) fn unconnected() -> Self {
        Self {
            line: Line::Socket(None),
            activity: Arc::default(),
        }
    }

    /// Marks that a request is being answered.
    pub(crate) fn answering(&self) -> Answering {
        self.activity.answering()
    }
}

impl AdminListener {
    /// Listens at `path`; `group` (by its number) may connect too. Call it within a runtime, while
    /// the lock of the data folder is held: what is left of an earlier run is removed.
    pub(crate) fn bind(path: &Path, group: Option<u32>) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixListener::bind(path)?;
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        if group.is_some() {
            std::os::unix::fs::chown(path, None, group)?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        Ok(Self {
            socket,
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            accounts: Places::of_each(CONNECTIONS_PER_ACCOUNT),
        })
    }
}

impl Listener for AdminListener {
    type Io = AdminStream;
    type Addr = Caller;

    async fn accept(&mut self) -> (AdminStream, Caller) {
        loop {
            // Never closed, so a failure means that the program ends.
            let Ok(room) = Arc::clone(&self.room).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            let stream = match self.socket.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(error = %error, "a connection to the admin socket was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let uid = stream.peer_cred().ok().map(|peer| peer.uid());
            let Some(account) = self.accounts.take(uid) else {
                tracing::warn!(
                    ?uid,
                    "an account has too many connections to the admin socket"
                );
                continue;
            };
            let activity = Arc::<Activity>::default();
            let caller = Caller {
                line: Line::Socket(uid),
                activity: Arc::clone(&activity),
            };
            return (IdleStream::new(stream, activity, (room, account)), caller);
        }
    }

    fn local_addr(&self) -> io::Result<Caller> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Connected<IncomingStream<'_, AdminListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, AdminListener>) -> Self {
        stream.remote_addr().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::idle::IDLE;
    use super::*;
    use labward_testkit::TempDir;
    use tokio::io::AsyncReadExt;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn the_kernel_says_who_connects_and_only_the_owner_may() {
        let folder = TempDir::new();
        let path = folder.join("admin.sock");
        fs::write(&path, b"left behind").unwrap();
        runtime().block_on(async {
            let mut listener = AdminListener::bind(&path, None).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let _client = UnixStream::connect(&path).await.unwrap();
            let (_stream, caller) = listener.accept().await;
            let account = Some(labward_os::current_uid());
            assert_eq!(caller.line, Line::Socket(account));
        });
    }

    #[test]
    fn one_account_cannot_take_every_connection() {
        let folder = TempDir::new();
        let path = folder.join("admin.sock");
        runtime().block_on(async {
            let mut listener = AdminListener::bind(&path, None).unwrap();
            let mut open = Vec::new();
            for _ in 0..CONNECTIONS_PER_ACCOUNT {
                let client = UnixStream::connect(&path).await.unwrap();
                open.push((client, listener.accept().await));
            }
            let mut extra = UnixStream::connect(&path).await.unwrap();
            let server = tokio::spawn(async move { listener.accept().await });
            assert_eq!(extra.read(&mut [0; 1]).await.unwrap(), 0, "it was closed");
            open.pop();
            let _again = UnixStream::connect(&path).await.unwrap();
            server.await.unwrap();
        });
    }

    #[test]
    fn an_idle_connection_ends_and_one_that_is_answered_does_not() {
        let folder = TempDir::new();
        let path = folder.join("admin.sock");
        runtime().block_on(async {
            let mut listener = AdminListener::bind(&path, None).unwrap();
            let client = UnixStream::connect(&path).await.unwrap();
            let (mut stream, caller) = listener.accept().await;
            tokio::time::pause();
            let answering = caller.answering();
            let mut byte = [0; 1];
            let waiting = tokio::time::timeout(IDLE * 3, stream.read(&mut byte)).await;
            assert!(waiting.is_err(), "it waits as long as the answer takes");
            drop(answering);
            let ended = stream.read(&mut byte).await.unwrap_err();
            assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
            drop(client);
        });
    }
}
