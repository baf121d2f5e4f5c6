//! `flowetl unlock` and `lock`: the vault of an organization of a service.

use serde_json::{Value, json};

use crate::api::Api;
use crate::{Outcome, args, login, show};

/// The master password, where nobody is there to type it.
pub const PASSWORD: &str = "FLOWETL_VAULT_PASSWORD";

/// `flowetl unlock`.
pub async fn unlock(api: &args::Api, output: args::Output) -> anyhow::Result<Outcome> {
    let api = Api::open(api).await?;
    let password = login::password(PASSWORD, "master password: ")?;
    told(&api.post("/vault/unlock", Some(json!({ "password": password }))).await?, output)
}

/// `flowetl lock`.
pub async fn lock(api: &args::Api, output: args::Output) -> anyhow::Result<Outcome> {
    told(&Api::open(api).await?.post("/vault/lock", None).await?, output)
}

fn told(status: &Value, output: args::Output) -> anyhow::Result<Outcome> {
    match output.json {
        true => show::json(status)?,
        false => show::line(if status["locked"] == true { "locked" } else { "unlocked" })?,
    }
    Ok(Outcome::Success)
}
