//! One mail to one recipient over SMTP, within a time.
//!
//! It must never send a password or a mail over a network in clear, trust a certificate from an authority
//! that neither the machine nor the configuration names, or repeat what a server says about a sign-in. What
//! a server says is read to a limit, and it is waited for no longer once the server of the lab stops. The
//! times of certificates are held against our clock (**Invariant:** time is a parameter).

use std::cell::Cell;
use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use labward_base::{Clock, Secret};
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Starttls};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::wire::Wire;
use crate::config::{MailConfig, MailTls};
use crate::webhook::client_tls;

/// How long one address of the server is tried.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the answer to a mail that was handed over is waited for when the server of the lab stops.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Characters that are told of what a server says.
const QUOTE_MAX_CHARS: usize = 200;

/// How far an attempt came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Password,
    Name,
    Connection,
    Greeting,
    Tls,
    SignIn,
    Sender,
    Recipient,
    Content,
}

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotSent {
    /// Where it ended.
    pub(super) stage: Stage,
    /// Why, in words.
    pub(super) why: String,
    /// Whether the server may have it all the same.
    pub(super) is_uncertain: bool,
    /// Whether it ended only because the server of the lab stops.
    pub(super) is_stopped: bool,
}

/// What is sent.
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Address,
    /// The whole message, ASCII.
    pub(super) bytes: Vec<u8>,
}

/// What an attempt leans on.
pub(super) struct Way<'a> {
    pub(super) config: &'a MailConfig,
    /// What this machine says it is called.
    pub(super) hello: String,
    pub(super) clock: &'a Arc<dyn Clock>,
    /// Becomes true when the server of the lab stops.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Stage {
    /// Its name in entries and answers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Content => "content",
            Self::Greeting => "greeting",
            Self::Name => "name",
            Self::Password => "password",
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::SignIn => "sign-in",
            Self::Tls => "tls",
        }
    }

    /// What failed there, in words.
    const fn words(self) -> &'static str {
        match self {
            Self::Connection => "the mail server cannot be reached",
            Self::Content => "the mail server did not take the mail",
            Self::Greeting => "the mail server does not speak SMTP as it must",
            Self::Name => "the mail server's name does not resolve",
            Self::Password => "the password cannot be read",
            Self::Recipient => "the mail server refused the recipient",
            Self::Sender => "the mail server refused the sender",
            Self::SignIn => "the mail server refused the sign-in",
            Self::Tls => "TLS failed",
        }
    }
}

impl NotSent {
    /// What happened, in one line.
    pub(super) fn line(&self) -> String {
        format!("{}: {}", self.stage.words(), self.why)
    }
}

/// How far the attempt is that runs.
struct Progress {
    stage: Cell<Stage>,
    /// The mail is on its way: the server may have it.
    is_handed: Cell<bool>,
    is_taken: Cell<bool>,
}

impl Progress {
    fn at(&self, stage: Stage) {
        self.stage.set(stage);
    }

    fn failed(&self, why: impl Into<String>) -> NotSent {
        NotSent {
            stage: self.stage.get(),
            why: why.into(),
            is_uncertain: false,
            is_stopped: false,
        }
    }
}

/// Sends `letter`. `begin` is called once the server has agreed to take a mail for the recipient; if it
/// fails, nothing is sent.
pub(super) fn send(
    way: &Way<'_>,
    letter: &Letter,
    begin: impl FnOnce() -> Result<(), String>,
) -> Result<(), NotSent> {
    let progress = Progress {
        stage: Cell::new(Stage::Password),
        is_handed: Cell::new(false),
        is_taken: Cell::new(false),
    };
    let sign_in = sign_in(way.config).map_err(|why| progress.failed(why))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| progress.failed(error.to_string()))?;
    let ended = runtime.block_on(async {
        tokio::select! {
            biased;
            ended = dialogue(way, letter, sign_in.as_ref(), begin, &progress) => ended,
            cut = cut_off(way, &progress) => Err(cut),
        }
    });
    // A name that does not resolve may hold a thread for longer.
    runtime.shutdown_background();
    match ended {
        Err(_) if progress.is_taken.get() => Ok(()),
        other => other,
    }
}

/// Ends when the time is over, or the server of the lab stops.
async fn cut_off(way: &Way<'_>, progress: &Progress) -> NotSent {
    let mut stopping = way.stopping.clone();
    let mut cut = tokio::select! {
        () = sleep(way.config.timeout()) => progress.failed("no answer in time"),
        _ = stopping.wait_for(|stops| *stops) => {
            if progress.is_handed.get() {
                sleep(DRAIN).await;
            }
            NotSent { is_stopped: true, ..progress.failed("the server stops") }
        }
    };
    cut.stage = progress.stage.get();
    cut.is_uncertain = progress.is_handed.get();
    cut
}

async fn dialogue(
    way: &Way<'_>,
    letter: &Letter,
    sign_in: Option<&SignIn>,
    begin: impl FnOnce() -> Result<(), String>,
    progress: &Progress,
) -> Result<(), NotSent> {
    let said = |error: SmtpError| progress.failed(words(&error, progress.stage.get(), sign_in));
    let mut smtp = connect(way, progress).await?;
    if let Some(sign_in) = sign_in {
        progress.at(Stage::SignIn);
        let credentials = Credentials::new(sign_in.user.clone(), sign_in.password.expose().clone());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let signed = smtp.auth(&mechanisms, &credentials).await;
        signed.map_err(said)?;
    }
    progress.at(Stage::Sender);
    let from = Mail::new(Some(letter.from.clone()), Vec::new());
    smtp.command(from).await.map_err(said)?;
    progress.at(Stage::Recipient);
    let to = Rcpt::new(letter.to.clone(), Vec::new());
    smtp.command(to).await.map_err(said)?;
    progress.at(Stage::Content);
    begin().map_err(|why| progress.failed(why))?;
    smtp.command(Data).await.map_err(said)?;
    progress.is_handed.set(true);
    if let Err(error) = smtp.message(&letter.bytes).await {
        // A clear no is an answer; whatever else happens leaves open whether the server has it.
        let is_uncertain = error.status().is_none();
        return Err(NotSent {
            is_uncertain,
            ..said(error)
        });
    }
    progress.is_taken.set(true);
    let _ = timeout(GOODBYE, smtp.quit()).await;
    Ok(())
}

/// A server that greeted, over TLS unless it is on this machine.
async fn connect(way: &Way<'_>, progress: &Progress) -> Result<AsyncSmtpConnection, NotSent> {
    let said = |error: SmtpError| progress.failed(words(&error, progress.stage.get(), None));
    let hello = match way.hello.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(way.hello.clone()),
    };
    let stream = dial(way, progress).await?;
    let wire = match way.config.tls {
        MailTls::None => Wire::plain(stream),
        MailTls::Implicit => Wire::tls(encrypt(way, stream, progress).await?),
        MailTls::Starttls => {
            progress.at(Stage::Greeting);
            let io = |error: io::Error| progress.failed(error.to_string());
            // The library keeps what it is given, and with it what came in clear behind the answer: both
            // go with this first half of the line.
            let stream = stream.into_std().map_err(io)?;
            let first = stream.try_clone().and_then(TcpStream::from_std);
            let plain = Wire::plain(first.map_err(io)?);
            let smtp = AsyncSmtpConnection::connect_with_transport(plain, &hello).await;
            let mut smtp = smtp.map_err(said)?;
            progress.at(Stage::Tls);
            if !smtp.can_starttls() {
                return Err(progress.failed("it does not offer STARTTLS"));
            }
            smtp.command(Starttls).await.map_err(said)?;
            drop(smtp);
            let stream = TcpStream::from_std(stream).map_err(io)?;
            Wire::upgraded(encrypt(way, stream, progress).await?)
        }
    };
    progress.at(Stage::Greeting);
    let smtp = AsyncSmtpConnection::connect_with_transport(wire, &hello).await;
    smtp.map_err(said)
}

/// A connection to the first address that takes one.
async fn dial(way: &Way<'_>, progress: &Progress) -> Result<TcpStream, NotSent> {
    let config = way.config;
    progress.at(Stage::Name);
    let all = lookup_host((config.server.as_str(), config.port())).await;
    let all = all.map_err(|error| progress.failed(error.to_string()))?;
    progress.at(Stage::Connection);
    // A name that stands for this machine may be made to stand for another.
    let fits = |address: &SocketAddr| config.tls != MailTls::None || address.ip().is_loopback();
    let mut why = "it has no address that may be used".to_owned();
    for address in all.filter(fits) {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => "no answer in time".clone_into(&mut why),
        }
    }
    Err(progress.failed(why))
}

async fn encrypt(
    way: &Way<'_>,
    stream: TcpStream,
    progress: &Progress,
) -> Result<TlsStream<TcpStream>, NotSent> {
    progress.at(Stage::Tls);
    let tls = client_tls(way.config.ca_file.as_deref(), way.clock);
    let tls = tls.map_err(|why| progress.failed(why))?;
    let name = ServerName::try_from(way.config.server.clone());
    let name = name.map_err(|error| progress.failed(error.to_string()))?;
    let secured = TlsConnector::from(tls).connect(name, stream).await;
    secured.map_err(|error| progress.failed(error.to_string()))
}

/// As whom Labward signs in.
struct SignIn {
    user: String,
    password: Secret<String>,
}

/// Read anew for each attempt, so that a password is replaced without a reload.
fn sign_in(config: &MailConfig) -> Result<Option<SignIn>, String> {
    let (Some(user), Some(file)) = (&config.user, &config.password_file) else {
        return Ok(None);
    };
    let password = labward_os::read_secret(file).map_err(|error| error.to_string())?;
    if password.expose().is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(Some(SignIn {
        user: user.clone(),
        password,
    }))
}

/// What went wrong, in words; what a server says stands in them only where it can hold no secret.
fn words(error: &SmtpError, stage: Stage, sign_in: Option<&SignIn>) -> String {
    let Some(code) = error.status() else {
        let is_io = |error: &&(dyn std::error::Error + 'static)| error.is::<io::Error>();
        return match error.source() {
            Some(source) if error.is_client() => source.to_string(),
            Some(source) if is_io(&source) => source.to_string(),
            _ => "it answered something that is no SMTP, or broke off".to_owned(),
        };
    };
    let quote = error.source().map(ToString::to_string).unwrap_or_default();
    let is_safe = stage != Stage::SignIn && !sign_in.is_some_and(|one| one.is_in(&quote));
    match is_safe && !quote.is_empty() {
        true => format!("it answered {code} {}", plain(&quote)),
        false => format!("it answered {code}"),
    }
}

impl SignIn {
    /// Whether a text holds the password, as it is or as it is sent.
    fn is_in(&self, text: &str) -> bool {
        let (user, password) = (&self.user, self.password.expose());
        let encoded = |text: &str| STANDARD_NO_PAD.encode(text);
        let sent = [
            password.clone(),
            encoded(password),
            encoded(&format!("\0{user}\0{password}")),
        ];
        sent.iter().any(|one| text.contains(one))
    }
}

/// A foreign text in one line of plain characters.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(QUOTE_MAX_CHARS).map(shown).collect()
}
