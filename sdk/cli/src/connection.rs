//! `flowetl connection`: list and test.

use anyhow::Context;
use flowetl_executor::inspect;
use indexmap::IndexMap;

use crate::args::Connection;
use crate::{Outcome, files, home, show};

pub async fn perform(command: Connection) -> anyhow::Result<Outcome> {
    let folder = std::env::current_dir().context("there is no working folder")?;
    let known = files::connections_in(&folder, &flowetl_executor::catalogue())?;
    match command {
        Connection::List(output) if output.json => {
            let shown: IndexMap<_, _> = known.iter().map(|(name, spec)| (name, spec.to_string())).collect();
            show::json(&shown)?;
        }
        Connection::List(_) => {
            for (name, spec) in &known {
                show::line(&format!("{name}  {spec}"))?;
            }
        }
        Connection::Test { connection } => {
            let (name, spec) = match known.get(&connection) {
                Some(spec) => (connection.as_str(), spec.clone()),
                None => ("connection", files::connection("connection", &connection)?),
            };
            match inspect::version(name, &spec, &home::node_config()?).await {
                Ok(version) => show::line(&format!("connected: {version}"))?,
                Err(error) => {
                    show::error(&error.to_failure().into());
                    return Ok(Outcome::Failed);
                }
            }
        }
    }
    Ok(Outcome::Success)
}
