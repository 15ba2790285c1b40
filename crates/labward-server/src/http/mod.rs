//! HTTP: `/api/v1` over the admin socket, the same by token over TLS, and the console beside it.
//!
//! It must never answer somebody whom it does not know, run a handler that the person's role does
//! not permit, hold a request without limit, or put a path, a query or a body into the log.
//!
//! | Module | Holds |
//! |---|---|
//! | `listener` | the socket, and who connects |
//! | `idle`, `places` | how long a connection may be silent, and how many one may have |
//! | [`console`] | the pages of the web console |
//! | [`wizard`] | the pages of the first run, while there is no installation |
//! | `endpoint` | the one table of endpoints with their permissions |
//! | `idempotency` | what is asked for twice under one key is done once |
//! | `call` | a request as a handler sees it, and its answer |
//! | `openapi` | the same table as an OpenAPI document |
//! | `failure` | the one adapter from errors to what a person sees |
//! | `stream` | answers that are written while they are sent |
//! | `upload` | bodies that are read while they come in |
//! | `asker` | who asks: an account of the operating system, or a token |
//! | `inspect` | what whoever watches folders and mails asks about |
//! | `mark` | the mark on what an outside expert takes out |
//! | `span` | days and moments as people write them |
//! | `malware` | what was found, the quarantine, and the rules |
//! | `status`, `check`, `config`, `key`, `backup`, `peer`, `person`, `session`, `edge`, `message`, `path`, `record`, `patient`, `glass`, `ledger`, `entries`, `safeguard`, `export` | the handlers |

mod account;
pub(crate) mod advisory;
mod approval;
mod asker;
mod backup;
mod behaviour;
mod calendar;
mod call;
mod check;
mod conduit;
mod config;
pub(crate) mod console;
mod device;
mod disclosure;
mod edge;
pub(crate) mod endpoint;
mod entries;
mod export;
mod failure;
mod glass;
mod hit;
pub(crate) mod idempotency;
mod idle;
mod inspect;
mod integrity;
mod key;
mod ledger;
mod listener;
pub(crate) mod mail;
mod malware;
mod mark;
mod message;
mod openapi;
mod path;
mod patient;
mod peer;
mod person;
mod places;
mod record;
mod safeguard;
mod session;
mod span;
mod status;
mod stream;
mod upload;
mod vex;
mod webhook;
pub(crate) mod wizard;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, delete, get, post};
use axum::serve::{IncomingStream, Listener};
use labward_api::PREFIX;
use labward_base::{Problem, problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use self::asker::Asker;
use self::call::{Answer, Call};
use self::endpoint::{ENDPOINTS, Endpoint, Verb};
use self::idempotency::Keyed;
use self::listener::{AdminListener, Caller};
use crate::app::Core;
use crate::error::ServerError;

pub use self::endpoint::reference;
pub(crate) use self::failure::{Failure, chain, unread};
pub(crate) use self::key::opener as slot_opener;
pub use self::openapi::openapi_text;

/// Handlers that run at the same time.
const HANDLERS: usize = 8;
/// Threads for handlers and for what they stream.
const BLOCKING_THREADS: usize = 2 * HANDLERS;
/// How long a request waits for a handler, and its body for its next part.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long requests in flight may take when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// The HTTP server, on a thread and runtime of its own.
pub(crate) struct HttpServer {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// What every request needs.
struct Service {
    core: Arc<Core>,
    handlers: Arc<Semaphore>,
}

impl HttpServer {
    /// Listens at `path`; when this returns, requests are answered.
    pub(crate) fn start(
        core: Arc<Core>,
        path: &Path,
        group: Option<u32>,
    ) -> Result<Self, ServerError> {
        Self::spawn("http", router(Service::new(core)), || {
            AdminListener::bind(path, group).map_err(ServerError::file(path))
        })
    }

    /// Serves on a thread of this name what `bind`, which is called within the runtime, listens to.
    fn spawn<L>(
        name: &'static str,
        router: Router,
        bind: impl FnOnce() -> Result<L, ServerError>,
    ) -> Result<Self, ServerError>
    where
        L: Listener<Addr = Caller>,
        Caller: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .build()
            .map_err(ServerError::Threads)?;
        let entered = runtime.enter();
        let listener = bind()?;
        drop(entered);
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(run(listener, router, stopped));
            runtime.shutdown_timeout(DRAIN);
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(serve)
            .map_err(ServerError::Threads)?;
        Ok(Self { stop, thread })
    }

    /// Stops accepting, lets requests in flight end, and returns when they have.
    pub(crate) fn stop(self) {
        // It may have ended by itself.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("a thread that answers requests panicked");
        }
    }
}

/// Serves until it is told to stop, and then as long as requests in flight may take.
async fn run<L>(listener: L, router: Router, stopped: oneshot::Receiver<()>)
where
    L: Listener<Addr = Caller>,
    Caller: for<'a> Connected<IncomingStream<'a, L>>,
{
    let router = router.into_make_service_with_connect_info::<Caller>();
    let (began, begun) = oneshot::channel::<()>();
    let stop = async move {
        // A dropped sender means that the program ends.
        let _ = stopped.await;
        let _ = began.send(());
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(stop);
    let overdue = async move {
        let _ = begun.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = server => if let Err(error) = ended {
            tracing::error!(error = %error, "requests are answered no more");
        },
        () = overdue => tracing::warn!("requests were cut off"),
    }
}

/// The endpoints, below [`PREFIX`].
fn api(service: &Arc<Service>) -> Router {
    let mut routes: BTreeMap<&str, MethodRouter> = BTreeMap::new();
    for endpoint in ENDPOINTS {
        let known = routes.remove(endpoint.path).unwrap_or_default();
        let verb = route(endpoint, Arc::clone(service));
        routes.insert(endpoint.path, known.merge(verb));
    }
    let refuse = |why: &'static Problem| {
        let service = Arc::clone(service);
        move |caller: ConnectInfo<Caller>, headers: HeaderMap| {
            let failure = service.refusal(&caller.0, &headers, why);
            async move { failure }
        }
    };
    let otherwise = refuse(&problem::SERVER_NO_VERB);
    let nowhere = refuse(&problem::SERVER_NO_ENDPOINT);
    // Beside the console, whatever is asked of the API is answered as the API does.
    let router = Router::new()
        .route(PREFIX, any(nowhere.clone()))
        .route(&format!("{PREFIX}/{{*rest}}"), any(nowhere));
    routes.into_iter().fold(router, |router, (path, route)| {
        let path = format!("{PREFIX}/{path}");
        router.route(&path, route.fallback(otherwise.clone()))
    })
}

fn router(service: Arc<Service>) -> Router {
    let router = api(&service);
    let nowhere = move |caller: ConnectInfo<Caller>, headers: HeaderMap| {
        let failure = service.refusal(&caller.0, &headers, &problem::SERVER_NO_ENDPOINT);
        async move { failure }
    };
    router.fallback(nowhere)
}

fn route(endpoint: &'static Endpoint, service: Arc<Service>) -> MethodRouter {
    let handler = move |caller: ConnectInfo<Caller>, params: RawPathParams, request: Request| {
        let service = Arc::clone(&service);
        async move {
            let answered = service.answer(endpoint, &caller.0, &params, request).await;
            let mut response = answered.unwrap_or_else(IntoResponse::into_response);
            let never = HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, never);
            response
        }
    };
    match endpoint.verb {
        Verb::Delete => delete(handler),
        Verb::Get => get(handler),
        Verb::Post => post(handler),
    }
}

impl Service {
    fn new(core: Arc<Core>) -> Arc<Self> {
        Arc::new(Self {
            core,
            handlers: Arc::new(Semaphore::new(HANDLERS)),
        })
    }

    /// What is answered where nothing is to be done; a stranger does not learn why.
    fn refusal(&self, caller: &Caller, headers: &HeaderMap, why: &'static Problem) -> Failure {
        Asker::of(&self.core, caller, headers).map_or_else(|failure| failure, |_| Failure::new(why))
    }

    /// A turn at running a handler, in order and within a time.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = timeout(PATIENCE, Arc::clone(&self.handlers).acquire_owned());
        let busy = || Failure::new(&problem::SERVER_BUSY);
        turn.await.ok().and_then(Result::ok).ok_or_else(busy)
    }

    async fn answer(
        &self,
        endpoint: &'static Endpoint,
        caller: &Caller,
        params: &RawPathParams,
        request: Request,
    ) -> Result<Response, Failure> {
        let answering = caller.answering();
        let asker = Asker::of(&self.core, caller, request.headers())?;
        asker.admit(endpoint.permission)?;
        let params = params
            .iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        // Before the body, so that no more bodies are in memory than handlers can take.
        let turn = self.turn().await?;
        let (parts, body) = request.into_parts();
        let (body, upload, bring) = if endpoint.takes.is_streamed() {
            let kind = parts.headers.get(header::CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
            let (upload, bring) = upload::upload(body, kind);
            (Bytes::new(), Some(upload), Some(bring))
        } else {
            let body = read(body, endpoint.takes.limit_bytes()).await?;
            (body, None, None)
        };
        let call = Call {
            core: Arc::clone(&self.core),
            scopes: asker.scopes(),
            person: asker.person(),
            params,
            uri: parts.uri,
            measured: Arc::default(),
            body,
            upload: Mutex::new(upload),
        };
        let keyed = Keyed::of(endpoint, &parts.headers, &call)?;
        // Whether or not who asked still waits: what was done is noted.
        let done = tokio::task::spawn_blocking(move || {
            let act = || endpoint.run(&call);
            let answer = match keyed {
                Some(keyed) => keyed.run(&call.core, act),
                None => act().map(|answer| (answer, false)),
            };
            drop(turn);
            answer
        });
        if let Some(bring) = bring {
            bring.await;
        }
        let (answer, is_replayed) = done.await.map_err(|_| {
            Failure::new(&problem::SERVER_INTERNAL).with(format!("{} panicked", endpoint.path))
        })??;
        match answer {
            Answer::Json(json) => {
                let mut response = with_type("application/json", Body::from(json));
                if is_replayed {
                    let headers = response.headers_mut();
                    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
                }
                Ok(response)
            }
            Answer::Stream(writer) => {
                let body = stream::body(writer, answering).await?;
                Ok(with_type("application/octet-stream", body))
            }
            Answer::File { writer, kind, name } => {
                let body = stream::body(writer, answering).await?;
                Ok(as_file(with_type(kind, body), &name))
            }
        }
    }
}

fn with_type(kind: &'static str, body: Body) -> Response {
    let kind = HeaderValue::from_static(kind);
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// As something to keep under a name, which holds no quote.
fn as_file(mut response: Response, name: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, value);
        let as_said = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, as_said);
    }
    response
}

/// The whole body, if it comes in time and is not too large.
async fn read(body: Body, limit_bytes: usize) -> Result<Bytes, Failure> {
    // Time for a large file over a slow pipe, and none for one who only holds the line.
    let patience = PATIENCE * if limit_bytes > 1 << 20 { 10 } else { 1 };
    match timeout(patience, axum::body::to_bytes(body, limit_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Failure::new(&problem::SERVER_TOO_LARGE).with(format!(
            "at most {limit_bytes} bytes, or the body broke off"
        ))),
        Err(_) => Err(Failure::new(&problem::SERVER_BUSY)),
    }
}
