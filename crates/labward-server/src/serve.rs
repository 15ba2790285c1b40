//! `labward serve`: the server in the foreground until it is told to stop.
//!
//! It must never leave a core dump, make a file that others can read, or end without its last
//! entry when it is told to stop by SIGTERM or SIGINT.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use labward_os::SystemClock;
use labward_seal::sha256;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Parts, build};
use crate::config::{Config, ConfigError};
use crate::error::ServerError;
use crate::folder::DataFolder;
use crate::log;

/// Why `serve` ended otherwise than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Operator: the configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server did not start, or did not stop in order.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl ServeError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static labward_base::Problem {
        match self {
            Self::Config(error) => error.problem(),
            Self::Server(error) => error.problem(),
        }
    }
}

/// Serves the installation in `data` with the configuration at `config` (`None`: the one in the
/// folder) until SIGTERM or SIGINT.
///
/// # Errors
/// [`ServeError`]; what was started is stopped again first.
pub fn serve(config: Option<&Path>, data: &Path) -> Result<(), ServeError> {
    labward_os::restrict_umask();
    labward_os::forbid_core_dumps().map_err(ServerError::from)?;
    let data = DataFolder::new(data);
    let path = config.map_or_else(|| data.config(), Path::to_owned);
    let text = fs::read_to_string(&path).map_err(ServerError::file(&path))?;
    let parsed = Config::parse(&text)?;
    let clock = Arc::new(SystemClock);
    parsed.check(data.root(), labward_base::Clock::now(&*clock))?;
    log::start(&parsed.log);
    let mut app = build(Parts {
        config: parsed,
        config_sha256: Some(sha256(text.as_bytes())),
        data,
        clock,
    })?;
    let served = app.start().and_then(|()| run_until_signal());
    let stopped = stop(app);
    Ok(served.and(stopped)?)
}

fn stop(app: App) -> Result<(), ServerError> {
    tracing::info!("Labward stops");
    app.shutdown()
}

fn run_until_signal() -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServerError::Threads)?;
    runtime.block_on(async {
        let stop = stop_signal().map_err(ServerError::Threads)?;
        tracing::info!("Labward runs");
        stop.await;
        Ok(())
    })
}

/// Takes SIGTERM and SIGINT over from here on; what it gives ends with the first of them.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
