//! Arguments of the commands about a service's files, and about backups of an installation.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Api, Output};

#[derive(Debug, Subcommand)]
pub enum FileCommand {
    /// List files with their sizes.
    List {
        /// Only those in this folder and the folders there.
        #[arg(default_value = "")]
        folder: String,
        /// Only those with this in their name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Upload a file, in place of one that is there. Goes on where it broke off, also in another call of this command.
    Upload {
        /// The file.
        file: PathBuf,
        /// The folder it is to lie in.
        #[arg(long, default_value = "")]
        folder: String,
        /// What it is to be called; as here where it is left out.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Download a file to a new one.
    Download {
        /// Its folder and name, `raw/orders.csv`.
        path: String,
        /// Where to; a file of its name in the working folder where it is left out.
        #[arg(long, short = 'o', value_name = "FILE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        api: Api,
    },
    /// Delete a file.
    Remove {
        /// Its folder and name, `raw/orders.csv`.
        path: String,
        #[command(flatten)]
        api: Api,
    },
}

#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Write all of the metadata database to a new file, or into the storage, also while a coordinator serves. Secrets stay
    /// sealed, and their key is not in it; nor are files that people uploaded.
    Create {
        /// The new file; one in the storage, whose name is printed, where it is left out.
        file: Option<PathBuf>,
    },
    /// List the backups in the storage, the newest first.
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Take all of a backup in, of either database into either. Refused where the installation is not empty; none may serve.
    Restore {
        /// A file, or the name of a backup in the storage.
        file: PathBuf,
    },
}
