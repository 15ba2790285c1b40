//! What the operating system refused.

use std::io;
use std::path::Path;

use labward_base::{Problem, problem};

/// The operating system refused what was attempted.
#[derive(Debug, thiserror::Error)]
#[error("{attempted} {subject}")]
pub struct OsError {
    attempted: &'static str,
    subject: String,
    source: io::Error,
}

impl OsError {
    pub(crate) fn new(
        attempted: &'static str,
        subject: impl Into<String>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self {
            attempted,
            subject: subject.into(),
            source: source.into(),
        }
    }

    /// For `map_err`: what was attempted on the file or folder `path`.
    pub(crate) fn on<E: Into<io::Error>>(
        attempted: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::new(attempted, path.display().to_string(), source)
    }

    /// What kind of refusal it was, for example that a file exists already.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }

    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem => &problem::STORE_UNWRITABLE,
            _ => &problem::SERVER_INTERNAL,
        }
    }
}
