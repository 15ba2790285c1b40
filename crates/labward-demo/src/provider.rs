//! The simulated provider: receives over mutual TLS and acknowledges what it was sent.
//!
//! It remembers every control id, so that the summary can say whether anything came twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use labward_base::Clock;
use labward_hl7::mllp::{Decoder, encode};
use labward_hl7::{Ack, AckCode, Message};
use labward_os::SystemClock;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::analyzer::next_frame;

/// What the provider has received: how often each control id came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox(Arc<Mutex<HashMap<Vec<u8>, u32>>>);

impl Inbox {
    /// Messages received, each counted once.
    pub(crate) fn distinct(&self) -> usize {
        self.lock().len()
    }

    /// Messages that came more than once.
    pub(crate) fn doubled(&self) -> usize {
        self.lock().values().filter(|&&times| times > 1).count()
    }

    fn note(&self, control_id: &[u8]) {
        *self.lock().entry(control_id.to_vec()).or_default() += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<u8>, u32>> {
        // A count is whole whoever panicked beside it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections until the runtime ends.
pub(crate) async fn run(listener: TcpListener, tls: TlsAcceptor, inbox: Inbox) {
    while let Ok((tcp, _)) = listener.accept().await {
        let (tls, inbox) = (tls.clone(), inbox.clone());
        tokio::spawn(async move {
            // A connection that breaks is the sender's to repeat; what counts is the inbox.
            let _ = receive(tcp, tls, inbox).await;
        });
    }
}

async fn receive(tcp: TcpStream, tls: TlsAcceptor, inbox: Inbox) -> Result<()> {
    tcp.set_nodelay(true)?;
    let mut stream = tls.accept(tcp).await?;
    let mut decoder = Decoder::new(16 << 20);
    for number in 1_u64.. {
        let frame = next_frame(&mut stream, &mut decoder).await?;
        let message = Message::parse(&frame)?;
        let header = message.header();
        inbox.note(header.control_id());
        let (id, time) = (format!("P{number}"), SystemClock.now().to_hl7());
        let ack = Ack::new(&header, AckCode::Aa, &id, &time).to_vec();
        stream.write_all(&encode(&ack)).await?;
        stream.flush().await?;
    }
    Ok(())
}
