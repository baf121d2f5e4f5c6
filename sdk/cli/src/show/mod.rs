//! Everything a person or a script reads: lines and JSON on standard output, logs and the live table on standard error.

mod display;
mod run_json;
mod table;

use std::io::{self, IsTerminal, Write};

use flowetl_proto::run::{RunSummary, Timestamp};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

pub use display::Display;
pub use run_json::RunJson;
pub use table::table;

/// One line on standard output.
pub fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        // Whoever read us (`| head`) has had enough.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// One JSON document on standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// An error with all its causes, on standard error.
pub fn error(error: &anyhow::Error) {
    note(&format!("error: {error:#}"));
}

/// One line on standard error. Where even that fails there is nobody left to tell.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Logs go to standard error: warnings always, more with `-v`, or as `RUST_LOG` says.
pub fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "flowetl=info,flowetl_coordinator=info,flowetl_executor=info,warn",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// A point in time, in milliseconds since 1970, as RFC 3339.
pub fn time(at: i64) -> String {
    serde_json::to_value(Timestamp(at)).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A run in a list.
pub fn run_line(run: &RunSummary) -> String {
    let error = run.failure.as_ref().map(|f| format!("  {}", f.message)).unwrap_or_default();
    format!("{}  {}  {}  {}{error}", run.id, time(run.created_at), table::phase(run.state), run.pipeline)
}
