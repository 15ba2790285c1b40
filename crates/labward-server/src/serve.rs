//! `labward serve`: the server in the foreground until it is told to stop.
//!
//! It must never leave a core dump, make a file that others can read, or end without its last
//! entry when it is told to stop by SIGTERM or SIGINT. SIGHUP reloads the configuration.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use labward_os::SystemClock;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{App, ConfigSource, Parts, build};
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
    // Before anything runs: a signal that nobody waits for would end the process.
    let signals = Signals::listen()?;
    let data = DataFolder::new(data);
    let path = config.map_or_else(|| data.config(), Path::to_owned);
    let text = fs::read_to_string(&path).map_err(ServerError::file(&path))?;
    let parsed = Config::parse(&text)?;
    let clock = Arc::new(SystemClock);
    let checked = parsed.check(data.root(), labward_base::Clock::now(&*clock));
    checked.map_err(|error| error.in_text(&text))?;
    log::start(&parsed.log);
    let mut app = build(Parts {
        config: parsed,
        source: Some(ConfigSource { path, text }),
        data,
        clock,
    })?;
    let served = app.start().map(|()| signals.wait(&app));
    let stopped = stop(app);
    Ok(served.and(stopped)?)
}

fn stop(app: App) -> Result<(), ServerError> {
    tracing::info!("Labward stops");
    app.shutdown()
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

/// The signals that the server answers.
struct Signals {
    runtime: Runtime,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, ServerError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::Threads)?;
        let on = |kind| {
            let _entered = runtime.enter();
            signal(kind).map_err(ServerError::Threads)
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
            runtime,
        })
    }

    /// Reloads at each SIGHUP, until SIGTERM or SIGINT.
    fn wait(mut self, app: &App) {
        tracing::info!("Labward runs");
        loop {
            let reloads = self.runtime.block_on(async {
                tokio::select! {
                    _ = self.terminate.recv() => false,
                    _ = self.interrupt.recv() => false,
                    _ = self.hang_up.recv() => true,
                }
            });
            if !reloads {
                return;
            }
            // What it came to stands in the log and in the ledger.
            let _ = app.reload("SIGHUP");
        }
    }
}
