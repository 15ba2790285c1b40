//! The receiver behind stunnel: acknowledges every message from memory and stores nothing.
//!
//! It is the cheapest receiver there can be: what stunnel is measured with costs no disk.

use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, Result};
use labward_hl7::mllp::{self, Decoder, Event};
use labward_hl7::{Ack, AckCode, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Larger than any message of a measurement.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// A running receiver; it ends with this value.
pub(crate) struct Sink {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sink {
    /// Listens on a free port of this machine, in a thread of its own.
    pub(crate) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start the sink")?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener) => {}
                    // Also when the guard is gone without a word.
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A sink that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            // A connection that breaks is seen by the client, which waits for its answer.
            let _ = serve(stream).await;
        });
    }
}

async fn serve(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut decoder = Decoder::new(MAX_FRAME_BYTES);
    let mut buffer = vec![0; 16 * 1024];
    let mut out = Vec::with_capacity(512);
    let mut answered = 0_u64;
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        decoder.feed(buffer.get(..count).unwrap_or_default());
        out.clear();
        while let Some(event) = decoder.next_event() {
            if let Event::Frame(bytes) = event {
                answered += 1;
                acknowledge(&bytes, answered, &mut out)?;
            }
        }
        stream.write_all(&out).await?;
    }
}

/// Appends the framed AA to the message in `bytes`.
fn acknowledge(bytes: &[u8], own_id: u64, out: &mut Vec<u8>) -> Result<()> {
    let message = Message::parse(bytes)?;
    let header = message.header();
    out.push(mllp::START);
    let id = own_id.to_string();
    Ack::new(&header, AckCode::Aa, &id, "20260101120000").write_into(out);
    out.extend_from_slice(&[mllp::END, b'\r']);
    Ok(())
}
