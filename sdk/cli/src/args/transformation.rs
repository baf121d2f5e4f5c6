//! Arguments of `flowetl transformation`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Api, Output};

#[derive(Debug, Subcommand)]
pub enum TransformationCommand {
    /// List transformations, and what they make.
    List {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Print the SQL of a transformation, as it is kept.
    Show {
        /// The transformation's name.
        name: String,
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
    /// Make a transformation of a file of SQL, or make the one of its name like the file.
    Apply(Box<ApplyTransformation>),
    /// Print the SQL as the database gets it, which is asked whether it understands it.
    Compile {
        /// The transformation's name.
        name: String,
        /// The value of a parameter; its default where it is left out.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Begin a run that makes a transformation's table or view and tests it, and print the run's id.
    Run {
        /// The transformation's name.
        name: String,
        /// Make what it refers to first.
        #[arg(long)]
        upstream: bool,
        /// Read everything again where only what is new would be read.
        #[arg(long)]
        full_refresh: bool,
        /// The value of a parameter; its default where it is left out.
        #[arg(short, long = "param", value_name = "NAME=VALUE")]
        params: Vec<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Remove a transformation; its table or view stays.
    Remove {
        /// The transformation's name.
        name: String,
        #[command(flatten)]
        api: Api,
    },
    /// List the tables that pipelines have loaded, which transformations may read.
    Sources {
        #[command(flatten)]
        api: Api,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub struct ApplyTransformation {
    /// A file of one query; the transformation is called like it: `orders_clean.sql`.
    pub file: PathBuf,
    /// What it is for.
    #[arg(long)]
    pub description: Option<String>,
    /// What becomes of its rows.
    #[arg(long, value_name = "HOW", value_parser = ["view", "table", "incremental", "ephemeral"])]
    pub materialization: Option<String>,
    /// The connection whose database runs it; `warehouse` where a new one says none.
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
    /// The schema that its table or view lies in; `staging` where a new one in the warehouse says none.
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Incremental: the columns that name a row.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub key: Vec<String>,
    /// Incremental: a column that grows, so that only what is new is read.
    #[arg(long, value_name = "COLUMN")]
    pub cursor: Option<String>,
    /// Columns that hold no value twice.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub unique: Vec<String>,
    /// Columns that hold no null.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub not_null: Vec<String>,
    #[command(flatten)]
    pub api: Api,
}
