//! `--connection-checks`: how often connections that are kept are tested.

use std::time::Duration;

use clap::Args;

/// How the connections that are kept are watched over.
#[derive(Clone, Copy, Debug, Args)]
pub struct Checks {
    /// How often every connection is tested: `15m`; `off` leaves it to people.
    #[arg(long, env = "FLOWETL_CONNECTION_CHECKS", value_name = "DURATION", default_value = "15m", value_parser = checks)]
    pub connection_checks: Every,
}

/// How often something is done, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every(pub Option<Duration>);

fn checks(text: &str) -> Result<Every, String> {
    if text == "off" {
        return Ok(Every(None));
    }
    let every = flowetl_proto::pipeline::quantity::duration(text)?;
    // Each of them waits up to 5 s for a system that may be away.
    if every < Duration::from_secs(10) {
        return Err("connections are tested every 10 s at most".to_owned());
    }
    Ok(Every(Some(every)))
}
