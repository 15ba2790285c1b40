//! Enrolment by a one-time code: the edge makes its own key and learns whom to trust.
//!
//! It must never send the code's secret before the server has shown the authority that the code
//! names, let the private key leave this machine, or replace a queue that holds something.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labward_api::edge::{ENROL_MAX_BYTES, EnrolAnswer, EnrolRequest};
use labward_base::{Clock, problem};
use labward_identity::{EnrolmentCode, KeyRequest, TlsTime, enrolment_verifier, pinned_authority};
use labward_ledger::{Action, Facts, VerifierKey};
use labward_seal::sha256;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::EdgeConfig;
use crate::error::{EdgeError, problem_of};
use crate::folder::{EdgeFolder, Identity, Roots};
use crate::renewal::Renewal;
use crate::run::{open, record};
use crate::uplink::line_fault;

/// How long the whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The name that the server gave the edge.
    pub name: String,
    /// The server's link for edges, `host:port`.
    pub server: String,
    /// Whether an edge that was there goes on with its queue.
    pub again: bool,
}

/// Enrols the edge in `folder` with `code` at `server` (`host:port`); an edge that is there keeps
/// its queue and its ledger and gets a new key.
///
/// # Errors
/// [`EdgeError::Refused`] by the server or of the server; nothing of the folder changes then.
pub fn enrol(
    folder: &EdgeFolder,
    clock: Arc<dyn Clock>,
    code: &str,
    server: &str,
) -> Result<Enrolment, EdgeError> {
    let code: EnrolmentCode = code
        .parse()
        .map_err(|_| EdgeError::Refused(&problem::EDGE_BAD_CODE))?;
    let (host, _) = server
        .rsplit_once(':')
        .ok_or(EdgeError::Refused(&problem::EDGE_UNREACHABLE))?;
    folder.create()?;
    let _lock = folder.take_lock()?;
    let before = Identity::load(folder)?;
    let again = before.is_some();
    let roots = match before {
        Some(before) => before.roots,
        None => Roots::generate()?,
    };
    let made = KeyRequest::generate()?;
    let key = VerifierKey::new(&roots.origin(), *roots.signing_key()?.public())
        .map_err(labward_ledger::LedgerError::from)?;
    let request = EnrolRequest {
        version: 1,
        secret: STANDARD.encode(code.secret().expose()),
        request: STANDARD.encode(&made.request),
        queue: STANDARD.encode(roots.queue),
        ledger_key: key.to_string(),
    };
    let answer = exchange(&code, &clock, server, &request)?;
    let EnrolAnswer::Enrolled {
        name,
        certificate,
        authority,
        seal_key,
        port,
    } = answer
    else {
        let EnrolAnswer::Refused { code } = answer else {
            return Err(EdgeError::Refused(&problem::EDGE_NOT_SPOKEN));
        };
        return Err(EdgeError::Refused(problem_of(&code)));
    };
    let not_spoken = || EdgeError::Refused(&problem::EDGE_NOT_SPOKEN);
    let shown = CertificateDer::from_pem_slice(authority.as_bytes()).map_err(|_| not_spoken())?;
    // What stays trusted is the authority of the code, whatever the answer says.
    if pinned_authority(&code, std::slice::from_ref(&shown), clock.now()).is_none() {
        return Err(EdgeError::Refused(&problem::EDGE_WRONG_AUTHORITY));
    }
    let identity = Identity {
        name: name.clone(),
        roots,
        certificate_pem: certificate,
        key_pem: made.key_pem,
        authority_pem: authority,
        seal_key: STANDARD.decode(seal_key).map_err(|_| not_spoken())?,
    };
    identity.save(folder)?;
    let server = format!("{host}:{port}");
    write_config(folder, &server)?;
    let facts = Facts::new()
        .text("name", name.as_str())
        .text("server", server.as_str())
        .hex("authority", &sha256(&shown))
        .number("again", i64::from(again));
    let store = open(folder, &clock)?;
    record(&store, Action::InstallationInitialized, facts)?;
    Renewal::new(folder.clone(), store.clone()).clear_away(&identity)?;
    store.close()?;
    Ok(Enrolment {
        name,
        server,
        again,
    })
}

/// Leaves a configuration that is there as it is: its devices are a person's work.
fn write_config(folder: &EdgeFolder, server: &str) -> Result<(), EdgeError> {
    let path = folder.config();
    if path.exists() {
        let known = EdgeConfig::load(&path)?;
        if known.server != server {
            tracing::warn!(server, "edge.toml names another server; change it there");
        }
        return Ok(());
    }
    fs::write(&path, EdgeConfig::example(server)).map_err(EdgeError::file(path))
}

fn exchange(
    code: &EnrolmentCode,
    clock: &Arc<dyn Clock>,
    server: &str,
    request: &EnrolRequest,
) -> Result<EnrolAnswer, EdgeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(EdgeError::Threads)?;
    let talk = async {
        let mut stream = dial(code, clock, server).await?;
        let text = serde_json::to_vec(request)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes()).await?;
        stream.write_all(&text).await?;
        stream.flush().await?;
        let length = usize::try_from(stream.read_u32().await?).unwrap_or(usize::MAX);
        if length > ENROL_MAX_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(serde_json::from_slice(&answer)?)
    };
    // A timer is made where the runtime is.
    let exchanged = runtime.block_on(async { timeout(PATIENCE, talk).await });
    match exchanged {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error))
            if error.kind() == io::ErrorKind::InvalidData && error.get_ref().is_none() =>
        {
            Err(EdgeError::Refused(&problem::EDGE_NOT_SPOKEN))
        }
        Ok(Err(error)) => Err(EdgeError::Refused(line_fault(&error))),
        Err(_) => Err(EdgeError::Refused(&problem::EDGE_UNREACHABLE)),
    }
}

async fn dial(
    code: &EnrolmentCode,
    clock: &Arc<dyn Clock>,
    server: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let time = Arc::new(TlsTime(Arc::clone(clock)));
    let mut config = ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(enrolment_verifier(code))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
}
