//! HTTP `/api/v1` over the admin socket of the running server.
//!
//! Who asks is known to the server by the socket (`SO_PEERCRED`); nothing secret is needed here.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_api::{PREFIX, ProblemBody};
use labward_base::problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body, Error, SendBody, http::Response};

use crate::failure::Failure;

/// An answer larger than this is not read; exports are streamed to a file instead.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// A connection to the server of one data folder.
pub struct Client {
    agent: Agent,
    socket: PathBuf,
}

impl Client {
    /// A client of the server that runs on the folder `data`; connects with each request.
    pub fn new(data: &Path) -> Self {
        let socket = data.join("run/admin.sock");
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .build();
        let connector = SocketConnector {
            path: socket.clone(),
        };
        Self {
            agent: Agent::with_parts(config, connector, NoResolver),
            socket,
        }
    }

    /// The account and group that own the server's socket.
    pub fn owner(&self) -> Result<(u32, u32), Failure> {
        let facts = std::fs::metadata(&self.socket).map_err(|error| {
            let place = self.socket.display();
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
        self.answer(self.agent.get(url(path)).query_pairs(pairs).call())
    }

    /// `POST path` with a JSON body.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.answer(self.agent.post(url(path)).send_json(body))
    }

    /// `POST path` with raw bytes, as an import takes them.
    pub fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        bytes: &[u8],
    ) -> Result<T, Failure> {
        let pairs = query.iter().map(|(name, value)| (*name, value.as_str()));
        let request = self.agent.post(url(path)).query_pairs(pairs);
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
        let request = self.agent.post(url(path)).query_pairs(pairs);
        let body = SendBody::from_reader(&mut from);
        self.answer(request.content_type("application/octet-stream").send(body))
    }

    /// `POST path` whose answer is a stream of bytes.
    pub fn download(
        &self,
        path: &str,
        body: &impl Serialize,
        out: &mut impl std::io::Write,
    ) -> Result<u64, Failure> {
        let mut response = self.checked(self.agent.post(url(path)).send_json(body))?;
        std::io::copy(&mut response.body_mut().as_reader(), out).map_err(|error| {
            Failure::new(
                &problem::SERVER_NOT_RUNNING,
                format!("the answer broke off: {error}"),
            )
        })
    }

    /// `DELETE path`.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.answer(self.agent.delete(url(path)).call())
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
            let place = self.socket.display();
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
}

impl Connector for SocketConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let stream = UnixStream::connect(&self.path)?;
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
