//! HTTP `/api/v1` over the admin socket of the running server, or over TLS by a token.
//!
//! Who asks is known to the server by the socket (`SO_PEERCRED`), where nothing secret is needed, or
//! by the token, which must never be shown.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_api::{PREFIX, ProblemBody};
use labward_base::{Secret, problem};
use labward_os::acting_as;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body, Error, RequestBuilder, SendBody, http::Response};

use crate::failure::Failure;

mod inspect;
mod remote;

pub(crate) use remote::Remote;

/// An answer larger than this is not read; exports are streamed to a file instead.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// A connection to a server.
pub struct Client {
    agent: Agent,
    /// Where the server is, as a person reads it.
    place: String,
    /// The account that owns the socket is asked there.
    socket: PathBuf,
    /// The line of the request that says who asks, over TLS.
    authorization: Option<Secret<String>>,
}

impl Client {
    /// A client of the server that runs on the folder `data`; connects with each request.
    pub fn new(data: &Path) -> Self {
        Self::limited(data, None)
    }

    /// As [`Self::new`], of a service that waits at most `limit` for each answer.
    pub(crate) fn within(data: &Path, limit: Duration) -> Self {
        Self::limited(data, Some(limit))
    }

    fn limited(data: &Path, limit: Option<Duration>) -> Self {
        let socket = data.join("run/admin.sock");
        Self::by(&socket, false, limit)
    }

    /// As [`Self::new`], of a service that asks as the account under which the server runs, and waits
    /// at most `limit` for each answer.
    pub(crate) fn of_service(socket: &Path, limit: Duration) -> Self {
        Self::by(socket, true, Some(limit))
    }

    /// A client of a server on another machine, which waits at most `limit` for each answer.
    pub(crate) fn remote(remote: Remote, limit: Duration) -> Self {
        let (connector, authorization) = (remote.connector, remote.authorization);
        Self {
            place: connector.place(),
            socket: PathBuf::new(),
            agent: Agent::with_parts(config(Some(limit)), connector, NoResolver),
            authorization: Some(authorization),
        }
    }

    fn by(socket: &Path, as_owner: bool, limit: Option<Duration>) -> Self {
        let connector = SocketConnector {
            path: socket.to_owned(),
            as_owner,
        };
        Self {
            agent: Agent::with_parts(config(limit), connector, NoResolver),
            place: socket.display().to_string(),
            socket: socket.to_owned(),
            authorization: None,
        }
    }

    /// The request with what says who asks.
    fn authorized<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(line) => request.header("authorization", line.expose()),
            None => request,
        }
    }

    /// The account and group that own the server's socket.
    pub fn owner(&self) -> Result<(u32, u32), Failure> {
        let facts = std::fs::metadata(&self.socket).map_err(|error| {
            let place = &self.place;
            Failure::new(&problem::SERVER_NOT_RUNNING, format!("{place}: {error}"))
        })?;
        Ok((facts.uid(), facts.gid()))
    }

    /// `GET path` with a query string made of `query`.
    pub fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, Failure> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let request = self.authorized(self.agent.get(url(path)));
        self.answer(request.query_pairs(pairs).call())
    }

    /// `POST path` with a JSON body.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.authorized(self.agent.post(url(path)));
        self.answer(request.send_json(body))
    }

    /// `POST path` with raw bytes, as an import takes them.
    pub fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        bytes: &[u8],
    ) -> Result<T, Failure> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let request = self.authorized(self.agent.post(url(path)));
        let request = request.query_pairs(pairs);
        self.answer(request.content_type("application/octet-stream").send(bytes))
    }

    /// `POST path` with what `from` gives, read while it is sent.
    pub fn stream<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut from: impl std::io::Read,
    ) -> Result<T, Failure> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let request = self.authorized(self.agent.post(url(path)));
        let request = request.query_pairs(pairs);
        let body = SendBody::from_reader(&mut from);
        self.answer(request.content_type("application/octet-stream").send(body))
    }

    /// `POST path` with a body of `length` bytes and a type of its own, read while it is sent.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        path: &str,
        content_type: &str,
        length: u64,
        from: &mut dyn std::io::Read,
    ) -> Result<T, Failure> {
        let request = self.authorized(self.agent.post(url(path)));
        let request = request
            .content_type(content_type)
            .header("content-length", length.to_string());
        self.answer(request.send(SendBody::from_reader(from)))
    }

    /// `POST path` whose answer is a stream of bytes.
    pub fn download(
        &self,
        path: &str,
        body: &impl Serialize,
        out: &mut impl std::io::Write,
    ) -> Result<u64, Failure> {
        let request = self.authorized(self.agent.post(url(path)));
        let mut response = self.checked(request.send_json(body))?;
        std::io::copy(&mut response.body_mut().as_reader(), out).map_err(|error| {
            Failure::new(
                &problem::SERVER_NOT_RUNNING,
                format!("the answer broke off: {error}"),
            )
        })
    }

    /// `DELETE path`.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.answer(self.authorized(self.agent.delete(url(path))).call())
    }

    fn answer<T: DeserializeOwned>(
        &self,
        result: Result<Response<Body>, Error>,
    ) -> Result<T, Failure> {
        let mut response = self.checked(result)?;
        response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_json()
            .map_err(|error| {
                Failure::new(
                    &problem::SERVER_INTERNAL,
                    format!("the answer cannot be read: {error}"),
                )
            })
    }

    /// The response if it is one of success, otherwise the problem in it.
    fn checked(&self, result: Result<Response<Body>, Error>) -> Result<Response<Body>, Failure> {
        let mut response = result.map_err(|error| {
            let place = &self.place;
            Failure::new(&problem::SERVER_NOT_RUNNING, format!("{place}: {error}"))
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        Err(response.body_mut().read_json::<ProblemBody>().map_or_else(
            |_| Failure::new(&problem::SERVER_INTERNAL, format!("HTTP status {status}")),
            Failure::answered,
        ))
    }
}

fn config(limit: Option<Duration>) -> ureq::config::Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(limit)
        .proxy(None)
        .build()
}

/// The host in the URL is only a name: the connection goes to the socket.
fn url(path: &str) -> String {
    format!("http://labward{PREFIX}/{path}")
}

/// Resolves every name to one address that is never used.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(([127, 0, 0, 1], 80).into());
        Ok(addresses)
    }
}

#[derive(Debug)]
struct SocketConnector {
    path: PathBuf,
    /// Whether the server is to see the socket's owner instead of root.
    as_owner: bool,
}

impl Connector for SocketConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let connect = || UnixStream::connect(&self.path);
        let stream = if self.as_owner {
            let owner = std::fs::metadata(&self.path)?.uid();
            acting_as(owner, connect).map_err(std::io::Error::other)??
        } else {
            connect()?
        };
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(SocketTransport { stream, buffers }))
    }
}

/// One connection over the admin socket.
#[derive(Debug)]
struct SocketTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(limit(&timeout))?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        match self.stream.write_all(output) {
            // A server that refuses does not read to the end; its answer waits to be read, and if
            // there is none, reading says so.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => Ok(()),
            written => Ok(written?),
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(limit(&timeout))?;
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // One request a command: a connection is never used twice.
        false
    }
}

fn limit(timeout: &NextTimeout) -> Option<Duration> {
    timeout.not_zero().map(|duration| *duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::fs;
    use std::os::unix::net::UnixListener;

    /// What an upload of 4 MiB ends in, if the server reads only its beginning and says this.
    fn upload_to_one_that_closes(name: &str, answer: &'static str) -> String {
        let data = std::env::temp_dir().join(format!("labward-{name}-{}", std::process::id()));
        fs::create_dir_all(data.join("run")).unwrap();
        let listener = UnixListener::bind(data.join("run/admin.sock")).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 16]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let sent: Result<Value, Failure> =
            Client::new(&data).upload("records/import", &[], &vec![0; 4 << 20]);
        server.join().unwrap();
        fs::remove_dir_all(&data).unwrap();
        format!("{:?}", sent.unwrap_err())
    }

    #[test]
    fn a_refusal_before_the_whole_request_was_sent_is_understood() {
        let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 54\r\n\r\n\
                      {\"code\":\"identity.denied\",\"what\":\"w\",\"todo\":\"nothing\"}";
        let said = upload_to_one_that_closes("refusal", answer);
        assert!(said.contains(problem::IDENTITY_DENIED.code), "{said}");
    }

    #[test]
    fn a_server_that_goes_away_without_an_answer_is_not_running() {
        let said = upload_to_one_that_closes("silence", "");
        assert!(said.contains(problem::SERVER_NOT_RUNNING.code), "{said}");
    }
}
