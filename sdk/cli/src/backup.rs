//! `flowetl backup`: the metadata database as one file, and back.

use std::path::{Path, PathBuf};

use flowetl_coordinator as coordinator;

use crate::args::BackupCommand;
use crate::{Outcome, home, role, show};

pub async fn perform(command: BackupCommand) -> anyhow::Result<Outcome> {
    let config = home::serving_config()?;
    match command {
        BackupCommand::Create { file: Some(file) } => {
            let rows = coordinator::back_up(&config, &file).await.map_err(role::chained)?;
            show::line(&format!("copied {rows} rows: {}", file.display()))?;
        }
        BackupCommand::Create { file: None } => {
            let kept = coordinator::keep_backup(&config).await.map_err(role::chained)?;
            show::line(&kept.name)?;
        }
        BackupCommand::List { output } => {
            let kept = coordinator::backups(&config).await.map_err(role::chained)?;
            if output.json {
                show::json(&kept)?;
            } else {
                let line = |backup: &coordinator::Backup| format!("{}  {} bytes", backup.name, backup.size);
                kept.iter().try_for_each(|backup| show::line(&line(backup)))?;
            }
        }
        BackupCommand::Restore { file } => restore(&config, &file).await?,
    }
    Ok(Outcome::Success)
}

/// From a file, or from the storage where there is no such file.
async fn restore(config: &coordinator::Config, wanted: &Path) -> anyhow::Result<()> {
    let fetched: Option<PathBuf> = match wanted.exists() {
        true => None,
        false => {
            let file = config.home.join(format!("restore-{}", std::process::id()));
            std::fs::create_dir_all(&config.home)?;
            let fetched = coordinator::fetch_backup(config, &wanted.to_string_lossy(), &file).await;
            fetched.map_err(role::chained)?;
            Some(file)
        }
    };
    let restored = coordinator::restore(config, fetched.as_deref().unwrap_or(wanted)).await;
    if let Some(file) = fetched {
        std::fs::remove_file(file)?;
    }
    show::line(&format!("restored {} rows", restored.map_err(role::chained)?))
}
