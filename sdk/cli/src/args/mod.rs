//! The command line: what may be written, and what `--help` says of it.

mod api;
mod cluster;
mod files;
mod runs;
mod transformation;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::api::{
    AddConnection, AddSchedule, Api, Apply, Login, OrgCommand, PipelineCommand, ScheduleCommand, TriggerCommand,
    UserCommand,
};
pub use self::cluster::{Cluster, Coordinator, Executor, Executors};
pub use self::files::{BackupCommand, FileCommand};
pub use self::runs::Runs;
pub use self::transformation::{ApplyTransformation, TransformationCommand};
pub use crate::checks::Checks;

#[derive(Debug, Parser)]
#[command(name = "flowetl", version, about = "Moves and shapes data: extract, SQL, test, load", max_term_width = 100)]
pub struct Arguments {
    /// Say more on standard error; twice for everything.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a pipeline: here, in this process, or on a coordinator.
    Run(Run),
    /// Copy a table, a query or files from one place to another: here, or on a coordinator.
    Copy(Copy),
    /// Show what would run; touches nothing.
    Plan(Plan),
    /// Show rows of a block; never writes anywhere.
    Preview(Preview),
    /// Check a pipeline file.
    Validate(File),
    /// Print the JSON Schema of pipeline files.
    Schema,
    /// Look at connections, here or in a service, and keep them there.
    #[command(subcommand)]
    Connection(Connection),
    /// List runs, or show one.
    Runs(Runs),
    /// Serve: coordinator and executor in one process.
    Up(Box<Up>),
    /// Look at and set where incremental reads start.
    #[command(subcommand)]
    State(State),
    /// Sign in to a service, for the commands that speak to it.
    Login(Login),
    /// Sign out of a service.
    Logout(Api),
    /// Make the pipelines of a service like these files; what is like them already stays as it is.
    Apply(Apply),
    /// Print the file of a service's pipeline.
    Export {
        /// The pipeline's name.
        name: String,
        #[command(flatten)]
        api: Api,
    },
    /// Look at a service's pipelines and run them.
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// Look at a service's schedules, make and remove them.
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Look at what else begins runs of a service's pipelines, make and remove that.
    #[command(subcommand)]
    Trigger(TriggerCommand),
    /// Look at one's account in a service, make one, change its password.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at organizations of a service and who belongs to them, and invite people.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Look at a service's files, upload and download them. Pipelines read them as `files/FOLDER/NAME`.
    #[command(subcommand)]
    File(FileCommand),
    /// Open an organization's vault by its master password, so that runs that wait for it go on.
    Unlock {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Close an organization's vault until somebody unlocks it: runs that need its secrets wait.
    Lock {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// SQL that a service keeps by name and makes tables and views of.
    #[command(subcommand)]
    Transformation(TransformationCommand),
    /// Work as an executor of a cluster, until SIGTERM; or look at executors and end them.
    Executor(Box<Executor>),
    /// Work as the coordinator of a cluster, until SIGTERM.
    Coordinator(Box<Coordinator>),
    /// Make a key for `ENCRYPTION_KEY`.
    Keygen,
    /// Copy the metadata database to a file, or take such a copy into an empty installation.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Make a small shop to try FlowETL on: a database, files, and a pipeline.
    Sample {
        /// Where to make it; created if missing.
        folder: PathBuf,
    },
}

/// What every command that reads a pipeline takes.
#[derive(Debug, Args)]
pub struct File {
    /// The pipeline file, YAML or JSON.
    pub file: PathBuf,
    /// A connection by name; stands before the file's own.
    #[arg(short, long = "connection", value_name = "NAME=URL")]
    pub connections: Vec<String>,
    /// The value of a parameter; its default where it is left out.
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Run {
    /// The pipeline file, YAML or JSON; may be left out with `--resume`.
    #[arg(required_unless_present = "resume")]
    pub file: Option<PathBuf>,
    /// A connection by name; stands before the file's own.
    #[arg(short, long = "connection", value_name = "NAME=URL", requires = "file")]
    pub connections: Vec<String>,
    /// The value of a parameter; its default where it is left out.
    #[arg(short, long = "param", value_name = "NAME=VALUE", requires = "file")]
    pub params: Vec<String>,
    /// Run only this block and what it needs.
    #[arg(long, value_name = "BLOCK", requires = "file")]
    pub until: Option<String>,
    /// Read incremental extracts from the beginning, and take the columns of all sources as they are now.
    #[arg(long, requires = "file")]
    pub full_refresh: bool,
    /// Go on with this run, from its last committed boundary.
    #[arg(long, value_name = "RUN")]
    pub resume: Option<String>,
    /// Do not wait for the end: print the run's id.
    #[arg(long, requires = "server", conflicts_with = "json")]
    pub detach: bool,
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct Copy {
    /// From where: `connection.schema.table`, a path, or a URL with the table after `#`.
    pub from: String,
    /// To where.
    pub to: String,
    /// Copy only what has grown in this column since the last time.
    #[arg(long, value_name = "COLUMN")]
    pub cursor: Option<String>,
    /// The columns that name a row.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub key: Vec<String>,
    /// What happens to the rows that are there already.
    #[arg(long, value_enum)]
    pub write: Option<Write>,
    /// Bytes the whole process may use: `128MB`.
    #[arg(long, value_name = "SIZE", value_parser = flowetl_proto::pipeline::quantity::size)]
    pub memory: Option<u64>,
    /// A connection by name.
    #[arg(short, long = "connection", value_name = "NAME=URL")]
    pub connections: Vec<String>,
    /// Read everything again.
    #[arg(long)]
    pub full_refresh: bool,
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Write {
    Append,
    Replace,
    Merge,
}

impl Write {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Server {
    /// The coordinator to ask, such as http://127.0.0.1:50051, or all of them with commas between; without it, this process
    /// does everything.
    #[arg(long, value_name = "URL", env = "FLOWETL_SERVER")]
    pub server: Option<String>,
    /// Whose signature makes the certificate of an `https://` coordinator believed (PEM); what this machine trusts where it
    /// is left out. The token to show is taken from `FLOWETL_TOKEN`.
    #[arg(long, value_name = "FILE", env = "FLOWETL_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
}

/// Who may watch over this process.
#[derive(Clone, Copy, Debug, Args)]
pub struct Metrics {
    /// Where Prometheus finds this process's figures, at `/metrics`; nowhere where it is left out.
    #[arg(long, value_name = "HOST:PORT", env = "FLOWETL_METRICS")]
    pub metrics: Option<std::net::SocketAddr>,
}

/// What a process that serves shows to its callers.
#[derive(Clone, Debug, Args)]
pub struct Certificate {
    /// This process's certificate (PEM), with those between it and its authority after it.
    #[arg(long, value_name = "FILE", env = "FLOWETL_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE", env = "FLOWETL_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
}

/// How the processes of a cluster know each other.
#[derive(Clone, Debug, Args)]
pub struct Trust {
    /// The authority that signs the certificates of this cluster's processes, and nothing else (PEM).
    #[arg(long, value_name = "FILE", env = "FLOWETL_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
    #[command(flatten)]
    pub certificate: Certificate,
    /// The file with the cluster's key, the same for all its processes; or the key itself in `FLOWETL_CLUSTER_KEY`.
    #[arg(long, value_name = "FILE", env = "FLOWETL_CLUSTER_KEY_FILE")]
    pub cluster_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub exposure: Exposure,
}

/// Who may ask a coordinator.
#[derive(Clone, Debug, Args)]
pub struct Callers {
    /// The file of the tokens that calls are taken with: `name sha256` in each line. Read again as it changes.
    #[arg(long, value_name = "FILE", env = "FLOWETL_TOKENS")]
    pub tokens: Option<PathBuf>,
}

/// Where consoles and scripts are answered.
#[derive(Clone, Debug, Args)]
pub struct Http {
    /// Where to serve consoles and scripts (REST, with its description at `/docs`).
    #[arg(long, env = "FLOWETL_HTTP", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub http: std::net::SocketAddr,
    /// Where pages of other hosts lie that may call it from browsers: `https://host`, more of them after commas.
    #[arg(long, env = "FLOWETL_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<flowetl_coordinator::http::Origin>,
    /// `off` lets whoever reaches it over HTTP in without signing in: for a try on one's own machine, on its own address only.
    #[arg(long, env = "FLOWETL_AUTH", value_enum, default_value = "on")]
    pub auth: Auth,
    /// Calls a second that each person, each API key, and each address from which nobody has signed in may make; ten times as
    /// many may come at once.
    #[arg(long, env = "FLOWETL_RATE_LIMIT", value_name = "CALLS", default_value_t = flowetl_coordinator::http::RATE)]
    pub rate_limit: std::num::NonZeroU32,
    #[command(flatten)]
    pub oidc: Oidc,
}

/// The service that people may sign in through.
#[derive(Clone, Debug, Args)]
pub struct Oidc {
    /// An OpenID Connect service whose people may sign in here, by its URL. A secret, where it gives one, is taken from
    /// `FLOWETL_OIDC_CLIENT_SECRET`.
    #[arg(long, env = "FLOWETL_OIDC_ISSUER", value_name = "URL", requires = "oidc_client_id", requires = "public_url")]
    pub oidc_issuer: Option<url::Url>,
    /// What that service calls this one.
    #[arg(long, env = "FLOWETL_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// Where people's browsers reach this service, such as https://etl.example.com: they come back there.
    #[arg(long, env = "FLOWETL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<url::Url>,
}

/// The database that is built in.
#[derive(Clone, Debug, Args)]
pub struct Warehouse {
    /// A PostgreSQL database in which every organization gets schemas of its own and a connection `warehouse`:
    /// `postgres://user:password@host/database`, of a user who may make schemas and roles. In the variable other users of this
    /// machine do not see it.
    #[arg(long, env = WAREHOUSE, value_name = "URL", hide_env_values = true)]
    pub warehouse: Option<String>,
}

/// Where the warehouse is, and how to sign in there: no pipeline may read it.
pub const WAREHOUSE: &str = "FLOWETL_WAREHOUSE_URL";

/// Whether people have to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct Exposure {
    /// Be reached from other machines although certificates, key or tokens are not set: whoever gets there may do anything.
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Debug, Args)]
pub struct Up {
    /// Where to serve command lines and SDKs (gRPC).
    #[arg(long, env = "FLOWETL_GRPC", value_name = "HOST:PORT", default_value = "127.0.0.1:50051")]
    pub listen: std::net::SocketAddr,
    #[command(flatten)]
    pub http: Http,
    #[command(flatten)]
    pub checks: Checks,
    #[command(flatten)]
    pub warehouse: Warehouse,
    #[command(flatten)]
    pub certificate: Certificate,
    #[command(flatten)]
    pub callers: Callers,
    #[command(flatten)]
    pub exposure: Exposure,
    #[command(flatten)]
    pub metrics: Metrics,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub file: File,
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct Preview {
    #[command(flatten)]
    pub file: File,
    /// The block whose rows to show.
    pub block: String,
    /// How many rows.
    #[arg(short = 'n', long = "rows", default_value_t = 100)]
    pub rows: u32,
    #[command(flatten)]
    pub server: Server,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum Connection {
    /// List the connections of `connections.yml`; with `--server`, those of a service.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Sign in and show the server's version: from here, or with `--server` from an executor of a service.
    Test {
        /// A name in `connections.yml` or in the service; here also a URL.
        connection: String,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Keep a connection in a service, which tests it first.
    Add(AddConnection),
    /// Look what lies behind a connection of a service, and wait for that.
    Discover {
        /// Its name.
        name: String,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Delete a connection from a service.
    Remove {
        /// Its name.
        name: String,
        /// Also while pipelines use it, which fail then.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Subcommand)]
pub enum State {
    /// Show where each incremental read starts.
    Show {
        pipeline: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Set where a block's next read starts; without a value, the beginning.
    Set { pipeline: String, block: String, value: Option<String> },
    /// Print all positions as JSON, one object a line.
    Export { pipeline: Option<String> },
}
