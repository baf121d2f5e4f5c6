//! Arguments of the two roles of a cluster.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Callers, Checks, Http, Metrics, Output, Server, Trust, Warehouse};

/// How the processes of a cluster find each other.
#[derive(Clone, Debug, Args)]
pub struct Cluster {
    /// Etcd's endpoints.
    #[arg(long, env = "FLOWETL_ETCD", value_name = "URL", value_delimiter = ',', required = true)]
    pub etcd: Vec<String>,
    /// Whose signature makes the certificate of an `https://` etcd believed (PEM); what this machine trusts where it is left
    /// out.
    #[arg(long, env = "FLOWETL_ETCD_CA", value_name = "FILE")]
    pub etcd_ca: Option<PathBuf>,
    /// The certificate to show to an etcd that asks its clients for one (PEM).
    #[arg(long, env = "FLOWETL_ETCD_CERT", value_name = "FILE")]
    pub etcd_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, env = "FLOWETL_ETCD_KEY", value_name = "FILE")]
    pub etcd_key: Option<PathBuf>,
    /// Who to sign in to etcd as. The password is taken from `FLOWETL_ETCD_PASSWORD`.
    #[arg(long, env = "FLOWETL_ETCD_USER", value_name = "NAME")]
    pub etcd_user: Option<String>,
    /// What the keys in etcd begin with; the same for all processes of a cluster.
    #[arg(long, env = "FLOWETL_ETCD_PREFIX", value_name = "PREFIX", default_value = flowetl_proto::announcement::PREFIX)]
    pub etcd_prefix: String,
}

/// What is asked of a coordinator about its executors.
#[derive(Debug, Subcommand)]
pub enum Executors {
    /// List the executors that are alive.
    List {
        #[command(flatten)]
        server: Server,
        #[command(flatten)]
        output: Output,
    },
    /// Let an executor take nothing new, finish what it has, and end.
    Drain {
        /// Its id, as the list shows it.
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Executor {
    #[command(subcommand)]
    pub command: Option<Executors>,
    /// Where the coordinator's calls are taken.
    #[arg(long, env = "FLOWETL_FLIGHT", value_name = "HOST:PORT", default_value = "127.0.0.1:7070")]
    pub listen: std::net::SocketAddr,
    /// How the coordinator reaches this process; the address that is listened on where it is left out.
    #[arg(long, value_name = "URL")]
    pub advertise: Option<String>,
    /// Attempts to work on at once.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub slots: u32,
    /// Seconds that attempts may take to end by themselves after SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub drain: u64,
    /// Bytes of files that each core reads before other executors are asked to read some of them.
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = flowetl_proto::pipeline::quantity::size)]
    pub share: u64,
    #[command(flatten)]
    pub cluster: Cluster,
    #[command(flatten)]
    pub trust: Trust,
    #[command(flatten)]
    pub metrics: Metrics,
}

#[derive(Debug, Args)]
pub struct Coordinator {
    /// Where command line and SDKs are answered.
    #[arg(long, env = "FLOWETL_GRPC", value_name = "HOST:PORT", default_value = "127.0.0.1:50051")]
    pub listen: std::net::SocketAddr,
    /// How clients reach this process, as coordinators that stand by tell them; the address that is listened on where it
    /// is left out.
    #[arg(long, value_name = "URL")]
    pub advertise: Option<String>,
    #[command(flatten)]
    pub http: Http,
    #[command(flatten)]
    pub checks: Checks,
    #[command(flatten)]
    pub warehouse: Warehouse,
    #[command(flatten)]
    pub cluster: Cluster,
    #[command(flatten)]
    pub trust: Trust,
    #[command(flatten)]
    pub callers: Callers,
    #[command(flatten)]
    pub metrics: Metrics,
}
