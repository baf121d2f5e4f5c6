//! `flowetl user` and `org`: accounts of a service, its organizations, and who belongs to them.

use anyhow::Context;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::{OrgCommand, UserCommand};
use crate::{Outcome, login, show};

/// A new password, where nobody is there to type it.
pub const NEW_PASSWORD: &str = "FLOWETL_NEW_PASSWORD";

/// `flowetl user`.
pub async fn user(command: UserCommand) -> anyhow::Result<Outcome> {
    match command {
        UserCommand::Show { api, output } => {
            let me = Api::open(&api).await?.get("/auth/me", &[]).await?;
            match output.json {
                true => show::json(&me)?,
                false => {
                    let rights = if me["super_admin"] == true { "  super admin" } else { "" };
                    show::line(&format!("{}  {}{rights}", text(&me["email"]), text(&me["name"])))?;
                    list(&me["memberships"])?;
                }
            }
        }
        UserCommand::Register { email, name, found, invitation, api } => {
            let url = api.server.clone().map_or_else(login::newest, Ok)?;
            let api = Api::nobody(&api, &url)?;
            let password = login::password(login::PASSWORD, "password: ")?;
            let wish = json!({
                "email": email, "password": password, "name": name, "organization": found, "invitation": invitation,
            });
            let tokens = api.post("/auth/register", Some(wish)).await?;
            login::keep(&api, &tokens, &email)?;
        }
        UserCommand::Password { api } => {
            let api = Api::open(&api).await?;
            let old = login::password(login::PASSWORD, "password: ")?;
            let new = login::password(NEW_PASSWORD, "new password: ")?;
            api.post("/auth/password", Some(json!({ "old": old, "new": new }))).await?;
        }
    }
    Ok(Outcome::Success)
}

/// `flowetl org`.
pub async fn org(command: OrgCommand) -> anyhow::Result<Outcome> {
    match command {
        OrgCommand::List { api, output } => {
            let own = Api::open(&api).await?.get("/organizations", &[]).await?;
            if output.json { show::json(&own)? } else { list(&own)? }
        }
        OrgCommand::Members { api, output } => {
            let members = members(&Api::open(&api).await?).await?;
            match output.json {
                true => show::json(&members)?,
                false => members.iter().try_for_each(|member| {
                    show::line(&format!(
                        "{}  {}  {}",
                        text(&member["email"]),
                        text(&member["role"]),
                        text(&member["name"])
                    ))
                })?,
            }
        }
        OrgCommand::Invite { email, role, api, output } => {
            let api = Api::open(&api).await?;
            let wish = json!({ "email": email, "role": role.as_str() });
            let made = api.post(&format!("{}/invitations", api.organization().await?), Some(wish)).await?;
            if output.json { show::json(&made)? } else { show::line(&text(&made["secret"]))? }
        }
        OrgCommand::Limit { runs, api } => {
            let api = Api::open(&api).await?;
            api.patch(&api.organization().await?, json!({ "runs_at_once": runs })).await?;
        }
        OrgCommand::Role { email, role, api } => {
            let api = Api::open(&api).await?;
            api.patch(&member(&api, &email).await?, json!({ "role": role.as_str() })).await?;
        }
        OrgCommand::Remove { email, api } => {
            let api = Api::open(&api).await?;
            api.delete(&member(&api, &email).await?).await?;
        }
    }
    Ok(Outcome::Success)
}

async fn members(api: &Api) -> anyhow::Result<Vec<Value>> {
    let members = api.get(&format!("{}/members", api.organization().await?), &[]).await?;
    members.as_array().cloned().context("the service answered with no members")
}

/// The path of the member with this address.
async fn member(api: &Api, email: &str) -> anyhow::Result<String> {
    let members = members(api).await?;
    let found = members.iter().find(|member| text(&member["email"]).eq_ignore_ascii_case(email));
    let found =
        found.and_then(|member| member["person"].as_str()).with_context(|| format!("there is no member `{email}`"))?;
    Ok(format!("{}/members/{found}", api.organization().await?))
}

/// A line for each organization that somebody belongs to.
fn list(memberships: &Value) -> anyhow::Result<()> {
    for membership in memberships.as_array().into_iter().flatten() {
        let organization = &membership["organization"];
        let (slug, name) = (text(&organization["slug"]), text(&organization["name"]));
        show::line(&format!("{slug}  {}  {name}", text(&membership["role"])))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
