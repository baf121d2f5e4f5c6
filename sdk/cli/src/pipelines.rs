//! `flowetl apply`, `export`, `pipeline`, `schedule` and `trigger`: what a service keeps and runs.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::{AddSchedule, Output, PipelineCommand, ScheduleCommand, TriggerCommand};
use crate::{Outcome, args, files, show, transformation};

/// `flowetl apply`: file by file; the first that is refused ends it.
pub async fn apply(apply: args::Apply) -> anyhow::Result<Outcome> {
    let api = Api::open(&apply.api).await?;
    let mut applied = Vec::new();
    for file in &apply.files {
        let answer = api.post("/pipelines/apply", Some(wish(file, &apply.message)?)).await?;
        if apply.output.json {
            applied.push(answer);
            continue;
        }
        let (name, outcome) = (text(&answer["name"]), text(&answer["outcome"]));
        show::line(&format!("{name}: {outcome}, revision {}", answer["revision"]))?;
    }
    if apply.output.json {
        show::json(&applied)?;
    }
    Ok(Outcome::Success)
}

/// A file with all that it is read with.
fn wish(file: &Path, message: &str) -> anyhow::Result<Value> {
    let source = flowetl::read(file)?;
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    Ok(json!({
        "name": stem.with_context(|| format!("`{}` has no name", file.display()))?,
        "text": source.text,
        "folder": source.folder,
        "connections_text": source.connections_text.unwrap_or_default(),
        "message": message,
    }))
}

/// `flowetl export`.
pub async fn export(name: &str, api: &args::Api) -> anyhow::Result<Outcome> {
    let api = Api::open(api).await?;
    let id = id_of(&api, name).await?;
    let pipeline = api.get(&format!("/pipelines/{id}"), &[]).await?;
    let file = pipeline["text"].as_str().context("the service answered with no file")?;
    show::line(file.trim_end_matches('\n'))?;
    Ok(Outcome::Success)
}

/// `flowetl pipeline`.
pub async fn pipeline(command: PipelineCommand) -> anyhow::Result<Outcome> {
    match command {
        PipelineCommand::List { api, output } => {
            let found = Api::open(&api).await?.all("/pipelines", "pipelines").await?;
            list(output, &found, |p| {
                [
                    text(&p["name"]),
                    text(&p["status"]),
                    last(p),
                    at(&p["next_run_at"]),
                    format!("revision {}", p["revision"]),
                ]
            })?;
        }
        PipelineCommand::Run { name, until, full_refresh, params, priority, api } => {
            let params = files::params(&params)?;
            let api = Api::open(&api).await?;
            let id = id_of(&api, &name).await?;
            let wish = json!({ "until": until, "full_refresh": full_refresh, "params": params, "priority": priority });
            let run = api.post(&format!("/pipelines/{id}/run"), Some(wish)).await?;
            show::line(&text(&run["id"]))?;
        }
        PipelineCommand::Pause { name, api } => stand(&name, &api, "paused").await?,
        PipelineCommand::Resume { name, api } => stand(&name, &api, "active").await?,
    }
    Ok(Outcome::Success)
}

/// `flowetl schedule`.
pub async fn schedule(command: ScheduleCommand) -> anyhow::Result<Outcome> {
    match command {
        ScheduleCommand::List { api, output } => {
            let found = Api::open(&api).await?.all("/schedules", "schedules").await?;
            list(output, &found, |s| {
                let standing = if s["is_active"] == true { "enabled" } else { "disabled" };
                [
                    text(&s["id"]),
                    text(&s["target_name"]),
                    standing.to_owned(),
                    text(&s["text"]),
                    at(&s["next_run_at"]),
                    last(s),
                ]
            })?;
        }
        ScheduleCommand::Add(wish) => add_schedule(wish).await?,
        ScheduleCommand::Remove { id, api } => Api::open(&api).await?.delete(&format!("/schedules/{id}")).await?,
        ScheduleCommand::Enable { id, api } => enable(&id, &api, true).await?,
        ScheduleCommand::Disable { id, api } => enable(&id, &api, false).await?,
    }
    Ok(Outcome::Success)
}

async fn add_schedule(wish: AddSchedule) -> anyhow::Result<()> {
    let params = files::params(&wish.params)?;
    let api = Api::open(&wish.api).await?;
    let target = match wish.transformation {
        true => json!({ "target_type": "transformation", "target_id": transformation::id_of(&api, &wish.name).await?,
                        "with_upstream": wish.upstream }),
        false => json!({ "target_id": id_of(&api, &wish.name).await?, "until": wish.until }),
    };
    let mut document = json!({
        "cron_expression": wish.cron, "timezone": wish.timezone, "missed": wish.missed, "params": params,
    });
    if let (Some(document), Value::Object(target)) = (document.as_object_mut(), target) {
        document.extend(target);
    }
    let made = api.post("/schedules", Some(document)).await?;
    shown(wish.output, &made, "id")
}

/// `flowetl trigger`.
pub async fn trigger(command: TriggerCommand) -> anyhow::Result<Outcome> {
    match command {
        TriggerCommand::List { api, output } => {
            let found = Api::open(&api).await?.all("/triggers", "triggers").await?;
            list(output, &found, |trigger| {
                let upstream = trigger["upstream"].as_array().into_iter().flatten();
                let names: Vec<_> = upstream.map(|one| text(&one["upstream_name"])).collect();
                let waits_for = match trigger["place"].as_str() {
                    Some(place) => format!("files at {place}"),
                    None if names.is_empty() => "a call".to_owned(),
                    None => names.join(", "),
                };
                let standing = if trigger["is_active"] == true { "enabled" } else { "disabled" };
                [
                    text(&trigger["id"]),
                    text(&trigger["target_name"]),
                    standing.to_owned(),
                    format!("waits for {waits_for}"),
                ]
            })?;
        }
        TriggerCommand::Webhook { pipeline, params, api, output } => {
            let params = files::params(&params)?;
            let api = Api::open(&api).await?;
            let wish = json!({ "kind": "webhook", "target_id": id_of(&api, &pipeline).await?, "params": params });
            let mut made = api.post("/triggers", Some(wish)).await?;
            made["url"] = format!("{}{}", api.url(), text(&made["url"])).into();
            shown(output, &made, "url")?;
        }
        TriggerCommand::After { pipeline, upstream, params, api, output } => {
            let params = files::params(&params)?;
            let api = Api::open(&api).await?;
            let mut ids = Vec::new();
            for name in &upstream {
                ids.push(id_of(&api, name).await?);
            }
            let target = id_of(&api, &pipeline).await?;
            let wish = json!({ "kind": "upstream", "target_id": target, "upstream": ids, "params": params });
            shown(output, &api.post("/triggers", Some(wish)).await?, "id")?;
        }
        TriggerCommand::Files { pipeline, place, every, params, api, output } => {
            let params = files::params(&params)?;
            let api = Api::open(&api).await?;
            let target = id_of(&api, &pipeline).await?;
            let wish = json!({ "kind": "files", "target_id": target, "place": place, "every_seconds": every, "params": params });
            shown(output, &api.post("/triggers", Some(wish)).await?, "id")?;
        }
        TriggerCommand::Remove { id, api } => Api::open(&api).await?.delete(&format!("/triggers/{id}")).await?,
    }
    Ok(Outcome::Success)
}

/// What was made, or only what people need of it.
fn shown(output: Output, made: &Value, key: &str) -> anyhow::Result<()> {
    if output.json { show::json(made) } else { show::line(&text(&made[key])) }
}

async fn stand(name: &str, api: &args::Api, status: &str) -> anyhow::Result<()> {
    let api = Api::open(api).await?;
    let id = id_of(&api, name).await?;
    api.put(&format!("/pipelines/{id}"), json!({ "status": status })).await.map(drop)
}

async fn enable(id: &str, api: &args::Api, is_active: bool) -> anyhow::Result<()> {
    let api = Api::open(api).await?;
    api.put(&format!("/schedules/{id}"), json!({ "is_active": is_active })).await.map(drop)
}

/// The id of the pipeline that is called so.
async fn id_of(api: &Api, name: &str) -> anyhow::Result<String> {
    let found = api.all("/pipelines", "pipelines").await?;
    let found = found.iter().find(|pipeline| pipeline["name"] == name).and_then(|pipeline| pipeline["id"].as_str());
    found.map(str::to_owned).with_context(|| format!("there is no pipeline `{name}`"))
}

/// All of it as JSON, or a line for each.
pub fn list<const N: usize>(
    output: args::Output,
    found: &[Value],
    line: impl Fn(&Value) -> [String; N],
) -> anyhow::Result<()> {
    if output.json {
        return show::json(&found);
    }
    found.iter().try_for_each(|one| show::line(&line(one).join("  ")))
}

fn last(of: &Value) -> String {
    of["last_run"]["status"].as_str().map_or_else(|| "never ran".to_owned(), |status| format!("last run {status}"))
}

fn at(time: &Value) -> String {
    time.as_str().map_or_else(|| "no next run".to_owned(), |time| format!("next {time}"))
}

/// The text of a value that is one; else nothing.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
