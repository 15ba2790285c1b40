//! Answers that are written while they are sent.
//!
//! It must never hold a large answer in memory, wait for a reader for ever, or end an answer that
//! failed as if it were whole: such a connection is cut.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use labward_base::problem;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::call::Writer;
use super::failure::Failure;
use super::idle::Answering;

/// Bytes that are sent at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait for the reader.
const CHUNKS: usize = 4;
/// How long the reader may take for one chunk.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that are wiped when the last of them was sent.
struct Wiped(Zeroizing<Vec<u8>>);

/// What the writer hands over.
type Part = Result<Bytes, Failure>;

/// Gathers chunks and hands them to the connection.
struct Chunks {
    parts: mpsc::Sender<Part>,
    runtime: Handle,
    chunk: Zeroizing<Vec<u8>>,
}

/// The connection's side.
struct Parts {
    first: Option<Bytes>,
    rest: mpsc::Receiver<Part>,
    _answering: Answering,
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A body that `writer` writes; a failure before its first chunk is the answer instead.
pub(super) async fn body(writer: Writer, answering: Answering) -> Result<Body, Failure> {
    let (parts, mut rest) = mpsc::channel(CHUNKS);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut chunks = Chunks {
            parts,
            runtime,
            chunk: new_chunk(),
        };
        let written = writer(&mut chunks).and_then(|()| {
            let broken = |_| Failure::new(&problem::SERVER_BUSY);
            chunks.flush().map_err(broken)
        });
        if let Err(failure) = written {
            // A reader that has gone needs no reason.
            let _ = chunks.send(Err(failure));
        }
    });
    let first = rest.recv().await.transpose()?;
    Ok(Body::new(Parts {
        first,
        rest,
        _answering: answering,
    }))
}

impl Chunks {
    fn send(&self, part: Part) -> io::Result<()> {
        let sent = self
            .runtime
            .block_on(timeout(PATIENCE, self.parts.send(part)));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.chunk.len());
        let (taken, _) = bytes.split_at(bytes.len().min(room));
        self.chunk.extend_from_slice(taken);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, new_chunk());
        self.send(Ok(Bytes::from_owner(Wiped(chunk))))
    }
}

/// An empty chunk, which never grows, so that no copy of it is left unwiped.
fn new_chunk() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(CHUNK_BYTES))
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.rest.poll_recv(context).map(|part| {
            part.map(|part| match part {
                Ok(bytes) => Ok(Frame::data(bytes)),
                Err(failure) => {
                    // The head is sent: only the log can still say why.
                    let (_, body) = failure.into_body();
                    tracing::error!(code = %body.code, "an answer broke off");
                    Err(io::ErrorKind::BrokenPipe.into())
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::listener::Caller;
    use super::*;

    /// What a reader gets of an answer that this writer writes.
    fn read(writer: Writer) -> Result<Result<Bytes, axum::Error>, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let body = body(writer, Caller::unconnected().answering()).await?;
            Ok(axum::body::to_bytes(body, 1 << 20).await)
        })
    }

    #[test]
    fn what_is_written_arrives_in_order() {
        let written: Vec<u8> = (0..=u8::MAX).cycle().take(5 * CHUNK_BYTES + 7).collect();
        let expected = written.clone();
        let writer = move |out: &mut dyn Write| {
            written
                .chunks(1000)
                .try_for_each(|part| out.write_all(part))
                .unwrap();
            Ok(())
        };
        let read = read(Box::new(writer)).unwrap().unwrap();
        assert!(read == expected);
    }

    #[test]
    fn a_failure_before_the_first_byte_is_the_answer() {
        let writer = |_: &mut dyn Write| Err(Failure::new(&problem::KEYS_SEALED));
        let failure = read(Box::new(writer)).err().unwrap();
        assert_eq!(failure.problem().code, "keys.sealed");
    }

    #[test]
    fn an_answer_that_fails_midway_never_looks_whole() {
        let writer = |out: &mut dyn Write| {
            out.write_all(&vec![1; 2 * CHUNK_BYTES]).unwrap();
            Err(Failure::new(&problem::LEDGER_TAMPERED))
        };
        assert!(read(Box::new(writer)).unwrap().is_err());
    }
}
