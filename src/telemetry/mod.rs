//! Logs to standard error: readable text on a terminal, JSON otherwise. Never personal data, never SQL with values.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `CITYQUERY_LOG` chooses what is shown (`info` by default), in the words of `tracing`'s filter.
pub fn start() {
    let filter = EnvFilter::try_from_env("CITYQUERY_LOG").unwrap_or_else(|_| EnvFilter::new("warn,cityquery=info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first.
    let _ = if std::io::stderr().is_terminal() { builder.compact().try_init() } else { builder.json().try_init() };
}
