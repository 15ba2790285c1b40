//! `send`: an MLLP client for testing; one message in flight, each acknowledgement matched.
//!
//! An acknowledgement whose MSA-2 is not the message's MSH-10 is none, whatever its code says.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labward_base::problem;
use labward_hl7::mllp::{Decoder, Event, encode};
use labward_hl7::{AckCode, AckCondition, Batch, Message, parse_ack, to_cr};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::Serialize;

use super::{Context, read};
use crate::args::SendArgs;
use crate::failure::Failure;
use crate::output::{show, table};

/// An acknowledgement larger than this is refused.
const MAX_ACK_BYTES: usize = 1 << 20;
/// So many frames that answer something else are passed over before giving up.
const MAX_FOREIGN_FRAMES: usize = 8;

/// Shown for a message whose MSH-15 and MSH-16 say that no answer is wanted.
const NOT_ASKED: &str = "not asked";

/// What became of one message.
#[derive(Debug, Serialize)]
struct Sent {
    file: String,
    /// Its place in the file, from 1.
    number: usize,
    control_id: String,
    /// MSA-1, `not asked`, or none if no acknowledgement came.
    code: Option<&'static str>,
    /// ERR-5, the receiver's own code.
    reason: Option<String>,
}

/// `labward send …`
pub(super) fn run(context: &Context, arguments: &SendArgs) -> Result<(), Failure> {
    let mut connection = None;
    let mut all = Vec::new();
    for path in &arguments.files {
        let bytes = read(path)?;
        let text = to_cr(&bytes);
        let batch = Batch::parse(&text)
            .map_err(|error| Failure::new(error.problem(), path.display().to_string()))?;
        for (index, message) in batch.messages().enumerate() {
            if connection.is_none() {
                connection = Some(Connection::open(arguments)?);
            }
            let Some(open) = connection.as_mut() else {
                continue;
            };
            if !asks_for_answer(message) {
                open.send_unanswered(message)
                    .map_err(|error| Failure::new(&problem::SEND_UNREACHABLE, error.to_string()))?;
                let unanswered = sent(path, index + 1, message, None);
                all.push(Sent {
                    code: Some(NOT_ASKED),
                    ..unanswered
                });
                continue;
            }
            let answer = open.exchange(message);
            if answer.is_err() {
                // What comes later on this connection would answer the wrong message.
                connection = None;
            }
            all.push(sent(path, index + 1, message, answer.as_deref().ok()));
        }
    }
    show(context.json, &all, |out| summary(out, &all))?;
    verdict(&all)
}

fn sent(path: &Path, number: usize, message: &[u8], answer: Option<&[u8]>) -> Sent {
    let ack = answer.and_then(|bytes| parse_ack(bytes).ok());
    let reason = ack
        .as_ref()
        .map(|ack| ack.application_code)
        .filter(|code| !code.is_empty());
    Sent {
        file: path.display().to_string(),
        number,
        control_id: String::from_utf8_lossy(control_id(message)).into_owned(),
        code: ack.as_ref().map(|ack| code_name(ack.code)),
        reason: reason.map(|code| String::from_utf8_lossy(code).into_owned()),
    }
}

fn summary(out: &mut dyn Write, all: &[Sent]) -> std::io::Result<()> {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|sent| {
            vec![
                sent.file.clone(),
                sent.number.to_string(),
                sent.control_id.clone(),
                sent.code.unwrap_or("no answer").to_owned(),
                sent.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    table(
        out,
        &["file", "message", "control id", "answer", "reason"],
        &rows,
    )?;
    let accepted = all.iter().filter(|sent| sent.is_accepted()).count();
    writeln!(out, "{accepted} of {} accepted", all.len())
}

fn verdict(all: &[Sent]) -> Result<(), Failure> {
    let silent = all.iter().filter(|sent| sent.code.is_none()).count();
    if silent > 0 {
        return Err(Failure::new(
            &problem::SEND_NO_ACK,
            format!("{silent} of {}", all.len()),
        ));
    }
    let refused = all.iter().filter(|sent| !sent.is_accepted()).count();
    if refused > 0 {
        return Err(Failure::new(
            &problem::SEND_REFUSED,
            format!("{refused} of {}", all.len()),
        ));
    }
    Ok(())
}

impl Sent {
    fn is_accepted(&self) -> bool {
        matches!(self.code, Some("AA" | "CA" | NOT_ASKED))
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One connection to the receiver.
struct Connection {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    /// Messages sent that asked for no answer.
    unanswered: usize,
}

impl Connection {
    fn open(arguments: &SendArgs) -> Result<Self, Failure> {
        let timeout = Duration::from_secs(arguments.timeout);
        let unreachable = |error: std::io::Error| {
            Failure::new(
                &problem::SEND_UNREACHABLE,
                format!("{}: {error}", arguments.to),
            )
        };
        let address = arguments
            .to
            .to_socket_addrs()
            .map_err(unreachable)?
            .next()
            .ok_or_else(|| unreachable(std::io::ErrorKind::AddrNotAvailable.into()))?;
        let tcp = TcpStream::connect_timeout(&address, timeout).map_err(unreachable)?;
        tcp.set_nodelay(true)
            .and_then(|()| tcp.set_read_timeout(Some(timeout)))
            .and_then(|()| tcp.set_write_timeout(Some(timeout)))
            .map_err(unreachable)?;
        let stream: Box<dyn Stream> = if arguments.plain {
            Box::new(tcp)
        } else {
            Box::new(tls(arguments, tcp)?)
        };
        Ok(Self {
            stream,
            decoder: Decoder::new(MAX_ACK_BYTES),
            unanswered: 0,
        })
    }

    /// Sends a message that asks for no answer; one that comes all the same is passed over later.
    fn send_unanswered(&mut self, message: &[u8]) -> std::io::Result<()> {
        self.unanswered += 1;
        self.stream.write_all(&encode(message))?;
        self.stream.flush()
    }

    /// Sends one message and waits for the acknowledgement that names it.
    fn exchange(&mut self, message: &[u8]) -> std::io::Result<Vec<u8>> {
        self.stream.write_all(&encode(message))?;
        self.stream.flush()?;
        let wanted = control_id(message);
        for _ in 0..MAX_FOREIGN_FRAMES + self.unanswered {
            let frame = self.frame()?;
            if parse_ack(&frame).is_ok_and(|ack| ack.answers(wanted)) {
                return Ok(frame);
            }
        }
        Err(std::io::ErrorKind::InvalidData.into())
    }

    fn frame(&mut self) -> std::io::Result<Vec<u8>> {
        let mut buffer = [0; 8192];
        loop {
            while let Some(event) = self.decoder.next_event() {
                match event {
                    Event::Frame(frame) | Event::LenientFrame(frame) => return Ok(frame),
                    Event::Junk { .. }
                    | Event::Oversized { .. }
                    | Event::Http
                    | Event::TlsHello => {
                        return Err(std::io::ErrorKind::InvalidData.into());
                    }
                    _ => {}
                }
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.feed(buffer.get(..count).unwrap_or_default());
        }
    }
}

fn tls(arguments: &SendArgs, tcp: TcpStream) -> Result<impl Stream + use<>, Failure> {
    let Some(cert) = &arguments.cert else {
        return Err(bad_certificate("give --cert"));
    };
    let config = client_config(
        &read(cert)?,
        &read(arguments.key.as_ref().unwrap_or(cert))?,
        &read(arguments.ca.as_ref().unwrap_or(cert))?,
        arguments.ca.is_none(),
    )?;
    let host = arguments.server_name.clone().unwrap_or_else(|| {
        let host = arguments
            .to
            .rsplit_once(':')
            .map_or(arguments.to.as_str(), |(host, _)| host);
        host.trim_matches(['[', ']']).to_owned()
    });
    let name = ServerName::try_from(host).map_err(|_| bad_certificate("the server's name"))?;
    let connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| bad_certificate(&error.to_string()))?;
    Ok(StreamOwned::new(connection, tcp))
}

/// A client configuration from PEM; with `same_file` the CA stands behind the certificate.
fn client_config(
    cert: &[u8],
    key: &[u8],
    ca: &[u8],
    same_file: bool,
) -> Result<ClientConfig, Failure> {
    let read_all = |pem: &[u8]| -> Result<Vec<CertificateDer<'static>>, Failure> {
        CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| bad_certificate(&error.to_string()))
    };
    let own: Vec<_> = read_all(cert)?.into_iter().take(1).collect();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| bad_certificate(&e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in read_all(ca)?.into_iter().skip(usize::from(same_file)) {
        roots
            .add(certificate)
            .map_err(|error| bad_certificate(&error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_root_certificates(roots)
                .with_client_auth_cert(own, key)
        })
        .map_err(|error| bad_certificate(&error.to_string()))
}

fn bad_certificate(detail: &str) -> Failure {
    Failure::new(&problem::IDENTITY_BAD_CERTIFICATE, detail.to_owned())
}

fn control_id(message: &[u8]) -> &[u8] {
    Message::parse(message).map_or(&[], |message| message.header().control_id())
}

/// False if MSH-15 and MSH-16 both say NE: the receiver is to be silent (HL7 table 0155).
fn asks_for_answer(message: &[u8]) -> bool {
    Message::parse(message).map_or(true, |message| {
        let header = message.header();
        let asks = |condition| condition != AckCondition::Never;
        !header.is_enhanced_mode() || asks(header.accept_ack()) || asks(header.application_ack())
    })
}

fn code_name(code: AckCode) -> &'static str {
    match code {
        AckCode::Aa => "AA",
        AckCode::Ae => "AE",
        AckCode::Ar => "AR",
        AckCode::Ca => "CA",
        AckCode::Ce => "CE",
        AckCode::Cr => "CR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const MESSAGE: &[u8] = b"MSH|^~\\&|LAB|L|||20260101||ORU^R01|M1|P|2.5\r";

    fn ack(id: &str) -> Vec<u8> {
        encode(format!("MSH|^~\\&|||||||ACK|1|P|2.5\rMSA|AA|{id}\r").as_bytes())
    }

    /// A receiver that answers the first message with these bytes and closes.
    fn exchange_with(answer: Vec<u8>) -> std::io::Result<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            let _ = socket.read(&mut buffer).unwrap();
            socket.write_all(&answer).unwrap();
        });
        let tcp = TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
        let mut connection = Connection {
            stream: Box::new(tcp),
            decoder: Decoder::new(MAX_ACK_BYTES),
            unanswered: 0,
        };
        let outcome = connection.exchange(MESSAGE);
        receiver.join().unwrap();
        outcome
    }

    #[test]
    fn an_acknowledgement_of_another_message_is_none() {
        assert!(exchange_with(ack("M0")).is_err());
        let frame = exchange_with([ack("M0"), ack("M1")].concat()).unwrap();
        assert!(parse_ack(&frame).unwrap().answers(b"M1"));
    }

    #[test]
    fn only_a_message_that_says_never_twice_asks_for_no_answer() {
        let with =
            |modes: &str| format!("MSH|^~\\&|LAB|L|||20260101||ORU^R01|M1|P|2.5|||{modes}\r");
        assert!(!asks_for_answer(with("NE|NE").as_bytes()));
        for modes in ["", "AL|NE", "NE|AL", "NE|"] {
            assert!(asks_for_answer(with(modes).as_bytes()), "{modes}");
        }
    }

    #[test]
    fn silence_and_junk_are_no_acknowledgement() {
        assert!(exchange_with(Vec::new()).is_err());
        assert!(exchange_with(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).is_err());
    }
}
