//! `flowetl transformation`: SQL that a service keeps by name and makes tables and views of.

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::args::{ApplyTransformation, TransformationCommand};
use crate::pipelines::{list, text};
use crate::{Outcome, files, show};

pub async fn perform(command: TransformationCommand) -> anyhow::Result<Outcome> {
    match command {
        TransformationCommand::List { api, output } => {
            let found = Api::open(&api).await?.all("/transformations", "transformations").await?;
            list(output, &found, |one| {
                let place = format!("{}.{}", text(&one["connection"]), text(&one["schema_name"]));
                [text(&one["name"]), text(&one["materialization"]), place, format!("revision {}", one["revision"])]
            })?;
        }
        TransformationCommand::Show { name, api, output } => {
            let found = named(&Api::open(&api).await?, &name).await?;
            match output.json {
                true => show::json(&found)?,
                false => show::line(text(&found["sql_body"]).trim_end())?,
            }
        }
        TransformationCommand::Apply(apply) => self::apply(*apply).await?,
        TransformationCommand::Compile { name, params, api } => {
            let (api, wish) = (Api::open(&api).await?, json!({ "params": files::params(&params)? }));
            let compiled = api.post(&format!("{}/compile", path(&api, &name).await?), Some(wish)).await?;
            show::line(text(&compiled["sql"]).trim_end())?;
        }
        TransformationCommand::Run { name, upstream, full_refresh, params, api } => {
            let wish = json!({ "full_refresh": full_refresh, "params": files::params(&params)? });
            let api = Api::open(&api).await?;
            let call = format!("{}/run?upstream={upstream}", path(&api, &name).await?);
            show::line(&text(&api.post(&call, Some(wish)).await?["id"]))?;
        }
        TransformationCommand::Remove { name, api } => {
            let api = Api::open(&api).await?;
            api.delete(&path(&api, &name).await?).await?;
        }
        TransformationCommand::Sources { api, output } => {
            let found = Api::open(&api).await?.all("/transformations/sources", "sources").await?;
            list(output, &found, |one| {
                let source = format!("{}.{}", text(&one["source"]), text(&one["table"]));
                let rows = one["rows"].as_u64().map_or_else(|| "made there".to_owned(), |rows| format!("{rows} rows"));
                [source, format!("loaded by {}", text(&one["pipeline"])), rows, text(&one["loaded_at"])]
            })?;
        }
    }
    Ok(Outcome::Success)
}

async fn apply(apply: ApplyTransformation) -> anyhow::Result<()> {
    let file = apply.file.display().to_string();
    let sql = std::fs::read_to_string(&apply.file).with_context(|| format!("cannot read `{file}`"))?;
    let name =
        apply.file.file_stem().and_then(|stem| stem.to_str()).with_context(|| format!("`{file}` has no name"))?;
    let mut wish = Map::from_iter([("sql_body".to_owned(), json!(sql))]);
    let said = [
        ("description", apply.description),
        ("materialization", apply.materialization),
        ("connection", apply.connection),
        ("schema_name", apply.schema),
        ("cursor", apply.cursor),
    ];
    wish.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value?)))));
    if !apply.key.is_empty() {
        wish.insert("unique_key".to_owned(), json!(apply.key));
    }
    let tests = [("unique", apply.unique), ("not_null", apply.not_null)].into_iter();
    let tests: Map<_, _> =
        tests.filter(|(_, of)| !of.is_empty()).map(|(key, of)| (key.to_owned(), json!(of))).collect();
    if !tests.is_empty() {
        wish.insert("tests".to_owned(), Value::Object(tests));
    }
    let api = Api::open(&apply.api).await?;
    let applied = match found(&api, name).await? {
        Some(there) => api.put(&format!("/transformations/{}", text(&there["id"])), Value::Object(wish)).await?,
        None => {
            wish.insert("name".to_owned(), json!(name));
            api.post("/transformations", Some(Value::Object(wish))).await?
        }
    };
    show::line(&format!("{name}: revision {}", applied["revision"]))
}

/// The one that is called so, if there is one.
async fn found(api: &Api, name: &str) -> anyhow::Result<Option<Value>> {
    let mut page = api.get("/transformations", &[("name", name)]).await?;
    Ok(page["transformations"].as_array_mut().and_then(Vec::pop))
}

async fn named(api: &Api, name: &str) -> anyhow::Result<Value> {
    found(api, name).await?.with_context(|| format!("there is no transformation `{name}`"))
}

pub async fn id_of(api: &Api, name: &str) -> anyhow::Result<String> {
    Ok(text(&named(api, name).await?["id"]))
}

/// Where the API has the one that is called so.
async fn path(api: &Api, name: &str) -> anyhow::Result<String> {
    Ok(format!("/transformations/{}", id_of(api, name).await?))
}
