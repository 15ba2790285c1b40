//! `labward serve`: the server in the foreground until it is told to stop.
//!
//! It must never leave a core dump, make a file that others can read, or end without its last
//! entry when it is told to stop by SIGTERM or SIGINT. SIGHUP reloads the configuration.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use labward_base::Clock;
use labward_os::SystemClock;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::{App, ConfigSource, Parts, build};
use crate::config::{Config, ConfigError};
use crate::error::ServerError;
use crate::folder::DataFolder;
use crate::http::wizard::{FirstRun, Left, WizardError};
use crate::log;
use crate::setup::{Answers, SetupError, init_unattended};

/// Why `serve` ended otherwise than by a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Operator: the configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server did not start, or did not stop in order.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The first run did not make an installation.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

/// What `serve` is started with.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The data folder.
    pub data: PathBuf,
    /// The configuration; `None`: the one in the folder.
    pub config: Option<PathBuf>,
    /// Where the wizard listens while the folder holds no installation.
    pub setup_listen: SocketAddr,
    /// The answers of an unattended set-up, instead of the wizard.
    pub setup_file: Option<PathBuf>,
}

impl ServeError {
    /// What a person is told about it.
    pub fn problem(&self) -> &'static labward_base::Problem {
        match self {
            Self::Config(error) => error.problem(),
            Self::Server(error) => error.problem(),
            Self::Setup(error) => error.problem(),
        }
    }
}

impl From<WizardError> for ServeError {
    fn from(error: WizardError) -> Self {
        match error {
            WizardError::Server(error) => Self::Server(error),
            WizardError::Setup(error) => Self::Setup(error),
        }
    }
}

/// Serves the installation in the data folder until SIGTERM or SIGINT. A folder that is empty or not
/// there is set up first, by the answers in a file or in the browser that has the link said on `out`.
///
/// # Errors
/// [`ServeError`]; what was started is stopped again first.
pub fn serve(options: &ServeOptions, out: &mut dyn Write) -> Result<(), ServeError> {
    labward_os::restrict_umask();
    labward_os::forbid_core_dumps().map_err(ServerError::from)?;
    // Before anything runs: a signal that nobody waits for would end the process.
    let mut signals = Signals::listen()?;
    let data = DataFolder::new(&options.data);
    let mut opener = None;
    // A configuration that lies elsewhere belongs to an installation: its folder is not mounted.
    if options.config.is_none() && !data.is_set_up() {
        opener = match first_run(options, &mut signals, out)? {
            Some(opener) => opener,
            None => return Ok(()),
        };
    }
    let path = options.config.clone().unwrap_or_else(|| data.config());
    let text = fs::read_to_string(&path).map_err(ServerError::file(&path))?;
    let parsed = Config::parse(&text)?;
    let clock = Arc::new(SystemClock);
    let checked = parsed.check(data.root(), clock.now());
    checked.map_err(|error| error.in_text(&text))?;
    log::start(&parsed.log);
    let mut app = build(Parts {
        config: parsed,
        source: Some(ConfigSource { path, text }),
        data,
        clock,
        // This very file, even if an update has put another in its place.
        program: Some("/proc/self/exe".into()),
    })?;
    let started = app.start().and_then(|()| match &opener {
        // A key file of the restored installation may have opened it already.
        Some(opener) if !app.is_open() => app.unseal(opener),
        _ => Ok(()),
    });
    let served = started.map(|()| signals.wait(&app));
    let stopped = stop(app);
    Ok(served.and(stopped)?)
}

/// Makes the installation; `None` if the server was told to stop before it was there, else how the
/// root key is opened if no key file does it.
fn first_run(
    options: &ServeOptions,
    signals: &mut Signals,
    out: &mut dyn Write,
) -> Result<Option<Left>, ServeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    if let Some(file) = &options.setup_file {
        let answers = Answers::load(file)?;
        let mut input = io::stdin().lock();
        let report = init_unattended(&options.data, clock, &answers, &mut input)?;
        // Nobody may be there to read it; the same stands in the ledger.
        let _ = writeln!(
            out,
            "{} was set up by {}; ledger public key: {}",
            options.data.display(),
            file.display(),
            report.ledger_key
        );
        return Ok(Some(None));
    }
    let mut first = FirstRun::start(&options.data, options.setup_listen, &clock, out)?;
    let left = signals.wait_for(first.left());
    first.stop();
    Ok(left)
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

    /// What `done` gives, unless SIGTERM or SIGINT comes first.
    fn wait_for<T>(&mut self, done: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async {
            tokio::select! {
                _ = self.terminate.recv() => None,
                _ = self.interrupt.recv() => None,
                done = done => Some(done),
            }
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
