//! The admin socket: who connects is known by the kernel, and nobody holds it for long.
//!
//! It must never listen where another account than the owner's or the configured group's can
//! reach it, take over a socket that a running server holds, or believe what a client says of
//! itself. Person authentication is 45 CFR 164.312(d).

use std::collections::HashMap;
use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// Connections open at the same time.
const CONNECTIONS_MAX: usize = 64;
/// Connections of one account at the same time, so that none can shut the others out.
const CONNECTIONS_PER_ACCOUNT: usize = 16;
/// How long a connection may stay without a request that is being answered.
const IDLE: Duration = Duration::from_secs(30);
/// How long to wait when the system cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The account of the operating system; `None` if the kernel did not say.
    pub(crate) uid: Option<u32>,
    activity: Arc<Activity>,
}

/// A request that is being answered; while it lives the connection is not idle.
pub(crate) struct Answering(Arc<Activity>);

/// What keeps a connection from being idle.
#[derive(Debug, Default)]
struct Activity {
    requests: AtomicUsize,
    /// Whether a request ended or bytes went out since this was last asked.
    went_on: AtomicBool,
}

/// The socket that listens.
pub(crate) struct AdminListener {
    socket: UnixListener,
    room: Arc<Semaphore>,
    accounts: Accounts,
}

/// One connection.
pub(crate) struct AdminStream {
    stream: UnixStream,
    activity: Arc<Activity>,
    idle: Pin<Box<Sleep>>,
    _room: OwnedSemaphorePermit,
    _account: AccountSlot,
}

type Accounts = Arc<Mutex<HashMap<Option<u32>, usize>>>;

/// One connection's place in the count of its account.
struct AccountSlot {
    accounts: Accounts,
    uid: Option<u32>,
}

impl Caller {
    /// A caller without a connection.
    #[cfg(test)]
    pub(crate) fn unconnected() -> Self {
        Self {
            uid: None,
            activity: Arc::default(),
        }
    }

    /// Marks that a request is being answered.
    pub(crate) fn answering(&self) -> Answering {
        self.activity.requests.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(&self.activity))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.went_on.store(true, Ordering::Release);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
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
            accounts: Accounts::default(),
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
            let Some(account) = AccountSlot::take(&self.accounts, uid) else {
                tracing::warn!(
                    ?uid,
                    "an account has too many connections to the admin socket"
                );
                continue;
            };
            let activity = Arc::<Activity>::default();
            let caller = Caller {
                uid,
                activity: Arc::clone(&activity),
            };
            let stream = AdminStream {
                stream,
                activity,
                idle: Box::pin(sleep(IDLE)),
                _room: room,
                _account: account,
            };
            return (stream, caller);
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

impl AccountSlot {
    fn take(accounts: &Accounts, uid: Option<u32>) -> Option<Self> {
        let mut all = accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(uid).or_default();
        if *count >= CONNECTIONS_PER_ACCOUNT {
            return None;
        }
        *count += 1;
        Some(Self {
            accounts: Arc::clone(accounts),
            uid,
        })
    }
}

impl Drop for AccountSlot {
    fn drop(&mut self) {
        let mut all = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.uid) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.uid);
            }
        }
    }
}

impl AsyncRead for AdminStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.idle.as_mut().poll(context).is_ready() {
            let activity = &self.activity;
            let is_idle = activity.requests.load(Ordering::Acquire) == 0
                && !activity.went_on.swap(false, Ordering::AcqRel);
            if is_idle {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.idle.set(sleep(IDLE));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for AdminStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.activity.went_on.store(true, Ordering::Release);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
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
            assert_eq!(caller.uid, Some(labward_os::current_uid()));
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
