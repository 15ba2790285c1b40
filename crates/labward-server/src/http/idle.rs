//! A connection that ends when nothing is asked over it.
//!
//! It must never end while a request is answered, or live on by bytes that are no request.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a connection may stay without a request that is being answered.
pub(super) const IDLE: Duration = Duration::from_secs(30);

/// What keeps a connection from being idle.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    requests: AtomicUsize,
    /// Whether a request ended or bytes went out since this was last asked.
    went_on: AtomicBool,
}

/// A request that is being answered; while it lives the connection is not idle.
pub(crate) struct Answering(Arc<Activity>);

/// A connection; `held` is given back when it ends.
pub(crate) struct IdleStream<S, H> {
    stream: S,
    activity: Arc<Activity>,
    idle: Pin<Box<Sleep>>,
    _held: H,
}

impl Activity {
    /// Marks that a request is being answered.
    pub(crate) fn answering(self: &Arc<Self>) -> Answering {
        self.requests.fetch_add(1, Ordering::AcqRel);
        Answering(Arc::clone(self))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.went_on.store(true, Ordering::Release);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<S, H> IdleStream<S, H> {
    /// This connection; call it within a runtime.
    pub(super) fn new(stream: S, activity: Arc<Activity>, held: H) -> Self {
        Self {
            stream,
            activity,
            idle: Box::pin(sleep(IDLE)),
            _held: held,
        }
    }
}

impl<S: AsyncRead + Unpin, H: Unpin> AsyncRead for IdleStream<S, H> {
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

impl<S: AsyncWrite + Unpin, H: Unpin> AsyncWrite for IdleStream<S, H> {
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
