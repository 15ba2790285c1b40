//! The two calls of a witness over HTTP: `POST add-checkpoint` and `GET <origin hash>/checkpoint`.
//!
//! It must never answer with a cosignature that was not saved before, or with another status than
//! the specification has for the case; what our own disk refuses is 500, and nothing was cosigned.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use labward_base::Clock;
use labward_ledger::witness::REQUEST_MAX_BYTES;
use labward_ledger::{Answer, Witness, WitnessKey};

use super::WitnessError;
use super::folder::WitnessFolder;
use super::listener::WitnessListener;
use crate::http::chain;

/// How long requests in flight may take when the witness stops.
const DRAIN: Duration = Duration::from_secs(5);

/// What every call needs.
pub(super) struct Service {
    folder: WitnessFolder,
    witness: Mutex<Witness<WitnessFolder>>,
    clock: Arc<dyn Clock>,
}

impl Service {
    /// The service of the witness in this folder.
    pub(super) fn new(folder: WitnessFolder, clock: Arc<dyn Clock>) -> Result<Self, WitnessError> {
        Ok(Self {
            witness: Mutex::new(Witness::new(folder.cosigner()?, folder.clone())),
            folder,
            clock,
        })
    }

    /// The key with which others verify what is cosigned here.
    pub(super) const fn key(&self) -> &WitnessKey {
        self.folder.key()
    }

    /// Answers one call; the lock makes checking and saving one step.
    fn add_checkpoint(&self, body: &[u8]) -> Result<Answer, WitnessError> {
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = witness.add_checkpoint(body, self.clock.now())?;
        drop(witness);
        if let Answer::Inconsistent(found) = &answer {
            let kept = self.folder.keep_evidence(found)?;
            tracing::error!(
                code = labward_base::problem::LEDGER_SECOND_HISTORY.code,
                evidence = %kept.display(),
                "a log showed a checkpoint that does not go on from what was cosigned"
            );
        }
        Ok(answer)
    }
}

/// Serves until `stop`, then lets requests in flight end.
pub(super) async fn serve(
    listener: WitnessListener,
    service: Service,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WitnessError> {
    let router = router(Arc::new(service));
    let (began, begun) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        stop.await;
        let _ = began.send(());
    };
    let server = axum::serve(listener, router).with_graceful_shutdown(stop);
    let overdue = async move {
        let _ = begun.await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = server => ended.map_err(WitnessError::Threads)?,
        () = overdue => tracing::warn!("requests to the witness were cut off"),
    }
    tracing::info!("the witness has stopped");
    Ok(())
}

/// The calls; anything else is 404 without a word.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .with_state(service)
}

async fn add_checkpoint(State(service): State<Arc<Service>>, body: Body) -> Response {
    let Ok(body) = axum::body::to_bytes(body, REQUEST_MAX_BYTES).await else {
        return said(&Answer::Malformed("it is too large, or it broke off"));
    };
    let answered = tokio::task::spawn_blocking(move || service.add_checkpoint(&body)).await;
    match answered {
        Ok(Ok(answer)) => said(&answer),
        Ok(Err(error)) => failed(&chain(&error)),
        Err(_) => failed("a call panicked"),
    }
}

async fn checkpoint(State(service): State<Arc<Service>>, Path(origin): Path<String>) -> Response {
    let read = tokio::task::spawn_blocking(move || service.folder.latest(&origin)).await;
    match read {
        Ok(Ok(Some(note))) => text(StatusCode::OK, "text/plain; charset=utf-8", note),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(error)) => failed(&chain(&error)),
        Err(_) => failed("a call panicked"),
    }
}

fn said(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    text(status, answer.content_type(), answer.body())
}

fn failed(why: &str) -> Response {
    tracing::error!(error = why, "a call was not answered: nothing was cosigned");
    let body = "the witness could not save; nothing was cosigned\n".to_owned();
    text(
        StatusCode::INTERNAL_SERVER_ERROR,
        "text/plain; charset=utf-8",
        body,
    )
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response {
    let kind = HeaderValue::from_static(kind);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
