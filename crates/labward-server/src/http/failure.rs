//! The one adapter from what rooms report to what a person sees.
//!
//! It must never show the inside of a fault: an answer of 5xx holds a code from the table and a
//! reference, and the chain of causes stands once in the log beside that reference. No text of a
//! room holds patient data, so none does here.

use std::error::Error;
use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use labward_api::ProblemBody;
use labward_assess::AssessError;
use labward_backup::BackupError;
use labward_base::{Problem, Remark, problem, remark};
use labward_conduits::ConduitsError;
use labward_devices::DevicesError;
use labward_disclosures::DisclosuresError;
use labward_gateway::delivery::DeliveryError;
use labward_gateway::keep::KeepError;
use labward_gateway::messages::MessageError;
use labward_identity::IdentityError;
use labward_keys::{ArchiveError, KeysError};
use labward_ledger::LedgerError;
use labward_malware::MalwareError;
use labward_malware::integrity::IntegrityError;
use labward_records::RecordsError;
use labward_store::StoreError;
use labward_threats::ThreatsError;

use crate::backup::RestoreError;
use crate::error::ServerError;
use crate::mail::MailError;
use crate::malware::TryError;
use crate::malware::delivering::DeliverError;
use crate::webhook::OrderError;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: &'static Problem,
    detail: Option<String>,
    remark: Option<Remark>,
    chain: Option<String>,
}

impl Failure {
    /// A problem of the table.
    pub(crate) const fn new(problem: &'static Problem) -> Self {
        Self {
            problem,
            detail: None,
            remark: None,
            chain: None,
        }
    }

    /// A request that cannot be understood; `detail` quotes nothing of it.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(&problem::SERVER_BAD_REQUEST).with(detail)
    }

    /// A request that cannot be understood, for this reason.
    pub(crate) fn misunderstood(why: Remark) -> Self {
        Self::new(&problem::SERVER_BAD_REQUEST).about(why)
    }

    /// With what varies: a name, a date, a place.
    pub(crate) fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With what varies, as a remark that each language says in its own words.
    pub(crate) fn about(mut self, remark: Remark) -> Self {
        self.detail = Some(remark.to_string());
        self.remark = Some(remark);
        self
    }

    /// With what varies in English, and as a remark if it is one.
    pub(crate) fn with_said(mut self, detail: String, remark: Option<Remark>) -> Self {
        (self.detail, self.remark) = (Some(detail), remark);
        self
    }

    /// The problem of the table.
    pub(crate) const fn problem(&self) -> &'static Problem {
        self.problem
    }

    /// What goes out; a fault of ours is logged here, and nowhere else.
    pub(crate) fn into_body(self) -> (StatusCode, ProblemBody) {
        let status = StatusCode::from_u16(self.problem.kind.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let is_ours = status.is_server_error();
        let reference = is_ours.then(reference);
        if let Some(reference) = &reference {
            let chain = self.chain.as_deref().or(self.detail.as_deref());
            let cause = chain.unwrap_or(self.problem.what);
            tracing::error!(
                reference = %reference,
                code = self.problem.code,
                cause = %cause,
                "a request failed"
            );
        }
        let body = ProblemBody {
            code: self.problem.code.to_owned(),
            what: self.problem.what.to_owned(),
            todo: self.problem.todo.to_owned(),
            detail: self.detail.filter(|_| !is_ours),
            remark: self.remark.filter(|_| !is_ours).map(Into::into),
            reference,
        };
        (status, body)
    }

    fn of(problem: &'static Problem, error: &dyn Error) -> Self {
        Self {
            problem,
            detail: Some(error.to_string()),
            remark: None,
            chain: Some(chain(error)),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, body) = self.into_body();
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], json).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 11.6.1, and RFC 6750, 3.
            let challenge = HeaderValue::from_static("Bearer");
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

macro_rules! from_rooms {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::of(error.problem(), &error)
            }
        }
    )+};
}

from_rooms!(
    ArchiveError,
    BackupError,
    KeepError,
    KeysError,
    LedgerError,
    MailError,
    OrderError,
    RestoreError,
    ServerError,
    StoreError,
    TryError,
);

macro_rules! from_rooms_that_say {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let said = error.remark();
                // Without a cause below it, the text of an error says no more than the problem.
                let again = || error.source().is_none().then(|| remark::restated(error.to_string()));
                Self {
                    remark: said.or_else(again),
                    ..Self::of(error.problem(), &error)
                }
            }
        }
    )+};
}

from_rooms_that_say!(
    AssessError,
    ConduitsError,
    DeliverError,
    DeliveryError,
    DevicesError,
    DisclosuresError,
    IdentityError,
    IntegrityError,
    MalwareError,
    MessageError,
    RecordsError,
    ThreatsError,
);

/// An error and everything below it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        // Writing to a String cannot fail.
        let _ = write!(text, ": {cause}");
        below = cause.source();
    }
    text
}

/// Why something could not be measured, in the words of what failed.
pub(crate) fn unread(error: &dyn Error) -> Remark {
    remark::technical(chain(error))
}

/// A random reference of 16 hexadecimal digits.
fn reference() -> String {
    labward_seal::random_bytes::<8>().map_or_else(
        |_| "no-random-bytes".to_owned(),
        |bytes| format!("{:016x}", u64::from_be_bytes(bytes)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::id::SlotId;

    #[test]
    fn a_fault_of_ours_shows_a_reference_and_nothing_of_its_inside() {
        let error = KeysError::Damaged {
            what: "patient key 7".to_owned(),
        };
        let (status, body) = Failure::from(error).into_body();
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body.code, "keys.damaged");
        assert_eq!(body.detail, None);
        assert_eq!(body.reference.unwrap().len(), 16);
    }

    #[test]
    fn a_fault_of_the_caller_says_what_it_was() {
        let (status, body) = Failure::from(KeysError::NoSlot(SlotId::new(9))).into_body();
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(body.detail.unwrap(), "find slot 9: there is none");
        assert_eq!(body.reference, None);
    }

    #[test]
    fn the_log_line_names_every_cause() {
        let error = RecordsError::from(KeysError::NoSlot(SlotId::new(9)));
        assert_eq!(
            chain(&error),
            "use a patient's or the site's key: find slot 9: there is none"
        );
    }
}
