//! Arguments of the commands that speak to a service over HTTP, as whoever has signed in.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Output;

/// Which service, and which of its organizations.
#[derive(Clone, Debug, Args)]
pub struct Api {
    /// The service's HTTP, such as http://127.0.0.1:8080; the one signed in to last where it is left out. What is shown
    /// there is the API key in `FLOWETL_API_KEY`, or else the sign-in of `flowetl login`.
    #[arg(long, value_name = "URL", env = "FLOWETL_API")]
    pub server: Option<String>,
    /// An organization's slug or id, for who belongs to several.
    #[arg(long, value_name = "NAME", env = "FLOWETL_ORGANIZATION")]
    pub organization: Option<String>,
    /// Whose signature makes the certificate of an `https://` service believed (PEM); what this machine trusts where it is
    /// left out.
    #[arg(long, value_name = "FILE", env = "FLOWETL_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Login {
    /// The e-mail address to sign in with; asked for where it is left out.
    #[arg(long)]
    pub email: Option<String>,
    #[command(flatten)]
    pub api: Api,
}

#[derive(Debug, Args)]
pub struct Apply {
    /// Pipeline files, YAML or JSON.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// What was changed and why, for the list of revisions.
    #[arg(short, long, default_value = "")]
    pub message: String,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum PipelineCommand {
    /// List pipelines with how they stand and their last runs.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Begin a run, and print its id.
    Run {
        /// The pipeline's name.
        name: String,
        /// Run only this block and what it needs.
        #[arg(long, value_name = "BLOCK")]
        until: Option<String>,
        /// Read incremental extracts from the beginning, and take the columns of all sources as they are now.
        #[arg(long)]
        full_refresh: bool,
        /// The value of a parameter; its default where it is left out.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        /// Which of the runs that wait for their turn comes first: `low`, `normal` or `high`.
        #[arg(long, value_parser = ["low", "normal", "high"])]
        priority: Option<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Let no schedule run a pipeline.
    Pause {
        /// The pipeline's name.
        name: String,
        #[command(flatten)]
        api: Api,
    },
    /// Let schedules run a pipeline again.
    Resume {
        /// The pipeline's name.
        name: String,
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// List schedules with their next times and last runs.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Make a schedule, and print its id.
    Add(AddSchedule),
    /// Remove a schedule.
    Remove {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        api: Api,
    },
    /// Let a schedule come.
    Enable {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        api: Api,
    },
    /// Let a schedule not come.
    Disable {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Args)]
pub struct AddSchedule {
    /// The pipeline's name, or the transformation's.
    pub name: String,
    /// Minute, hour, day, month, weekday; or six fields, with seconds first.
    pub cron: String,
    /// Such as `Europe/Warsaw`.
    #[arg(long, default_value = "UTC")]
    pub timezone: String,
    /// What becomes of times that passed while nothing ran.
    #[arg(long, default_value = "skip", value_parser = ["skip", "run_now", "queue"])]
    pub missed: String,
    /// Run a transformation instead of a pipeline.
    #[arg(long, conflicts_with = "until")]
    pub transformation: bool,
    /// Make what the transformation refers to first.
    #[arg(long, requires = "transformation")]
    pub upstream: bool,
    /// Run only this block and what it needs.
    #[arg(long, value_name = "BLOCK")]
    pub until: Option<String>,
    /// The value of a parameter; its default where it is left out.
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum TriggerCommand {
    /// List triggers with what they wait for.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Let a pipeline run when an address is called, and print that: it holds a secret, and is shown this once.
    Webhook {
        /// The pipeline's name.
        pipeline: String,
        /// The value of a parameter; what a call tells counts before it.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Let a pipeline run when others have succeeded.
    After {
        /// The pipeline's name.
        pipeline: String,
        /// The names of those that have to succeed, each once.
        #[arg(required = true)]
        upstream: Vec<String>,
        /// The value of a parameter; its default where it is left out.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Let a pipeline run when files have arrived.
    Files {
        /// The pipeline's name.
        pipeline: String,
        /// Where: `connection/path`, such as `files/raw/*.csv`. What is there already is no arrival.
        place: String,
        /// How often to look, in seconds; at least 5.
        #[arg(long, default_value_t = 30)]
        every: u32,
        /// The value of a parameter; its default where it is left out.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Remove a trigger.
    Remove {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Args)]
pub struct AddConnection {
    /// What pipelines call it.
    pub name: String,
    /// Where it leads: `postgres://user@host/database`. Its secrets are taken from here too, or are references such as
    /// `${env:SHOP_PASSWORD}`, which the executors resolve.
    pub url: String,
    /// Where rows may go.
    #[arg(long, value_enum, default_value = "both")]
    pub direction: Direction,
    /// The folder it lies in.
    #[arg(long, default_value = "")]
    pub folder: String,
    /// Keep it although it was not tested.
    #[arg(long)]
    pub untested: bool,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Direction {
    Source,
    Destination,
    Both,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Both => "both",
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Show who has signed in, and where they belong.
    Show {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Make an account and sign in with it. The password is asked for, or taken from `FLOWETL_PASSWORD`.
    Register {
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        /// The name of the organization that is made for it.
        #[arg(long, value_name = "NAME", conflicts_with = "invitation")]
        found: Option<String>,
        /// The secret of an invitation to one.
        #[arg(long, value_name = "SECRET")]
        invitation: Option<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Change one's password; all other sessions end. Both are asked for.
    Password {
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// List the organizations one belongs to.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// List who belongs to an organization.
    Members {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Invite someone, and print the invitation's secret.
    Invite {
        email: String,
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Let so many runs of an organization go at once; others wait for their turn.
    Limit {
        /// 0 for as many as there are.
        runs: u32,
        #[command(flatten)]
        api: Api,
    },
    /// Give a member another role.
    Role {
        email: String,
        #[arg(value_enum)]
        role: Role,
        #[command(flatten)]
        api: Api,
    },
    /// Take a member out.
    Remove {
        email: String,
        #[command(flatten)]
        api: Api,
    },
}

/// What a member may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Role {
    /// Everything.
    Owner,
    /// All but the organization's own settings.
    Admin,
    /// Create, edit and run.
    Editor,
    /// Read.
    Viewer,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }
}
