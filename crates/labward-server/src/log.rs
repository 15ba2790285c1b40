//! The log on standard error: each message readable alone, its fields for whoever queries it.
//!
//! It must never hold a body, a path or query of a request, an identifier, a key or a passphrase.
//! What must be kept as evidence stands in the ledger, not here.

use std::sync::OnceLock;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// The level of the log that runs, to be changed.
static LEVEL: OnceLock<Handle<LevelFilter, Registry>> = OnceLock::new();

/// Starts the log; a second start changes nothing.
pub(crate) fn start(config: &LogConfig) {
    let (level, handle) = Layer::new(filter(config.level));
    let log = fmt::layer().with_target(false).with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(level);
    let started = match config.format {
        LogFormat::Json => registry.with(log.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(log).try_init(),
    };
    // A program around the server may have set up a log of its own; its level is its own, too.
    if started.is_ok() {
        let _ = LEVEL.set(handle);
    }
}

/// Writes so much from now on.
pub(crate) fn set_level(level: LogLevel) {
    if let Some(handle) = LEVEL.get() {
        // The log lives as long as the program.
        let _ = handle.reload(filter(level));
    }
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Warn => LevelFilter::WARN,
    }
}
