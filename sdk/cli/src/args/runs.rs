//! Arguments of `flowetl runs`.

use clap::Args;

use super::{Output, Server};

#[derive(Debug, Args)]
pub struct Runs {
    /// A run's id; all runs where it is left out.
    pub run: Option<String>,
    /// What is said of the run.
    #[arg(long, requires = "run")]
    pub logs: bool,
    /// Go on with that until the run has ended.
    #[arg(long, requires = "logs")]
    pub follow: bool,
    /// Ask the run to end.
    #[arg(long, requires_all = ["run", "server"], conflicts_with_all = ["logs", "retry"])]
    pub cancel: bool,
    /// Go on with a run that failed or was cancelled, from the block that did.
    #[arg(long, requires_all = ["run", "server"], conflicts_with = "logs")]
    pub retry: bool,
    /// Only runs that stand so: `running`, `success`, `failed` or `cancelled`; more of them after commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "run")]
    pub status: Vec<String>,
    /// Only runs of this pipeline.
    #[arg(long, conflicts_with = "run")]
    pub pipeline: Option<String>,
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub output: Output,
}
