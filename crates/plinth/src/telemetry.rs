//! Logs.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error: standard output belongs to what a command answers. A command that is not serving
/// tells of trouble only, unless it is asked for more.
pub fn start(config: &LogConfig, serving: bool) -> Result<(), String> {
    let quiet = !serving && config.filter == LogConfig::default().filter;
    let filter = EnvFilter::try_new(if quiet { "warn" } else { &config.filter })
        .map_err(|error| format!("`log.filter`: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Pretty => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| error.to_string())
}
