//! `flowetl connection`: those of `connections.yml`, and those that a service keeps.

use anyhow::Context;
use flowetl_executor::inspect;
use flowetl_proto::pipeline::ConnectionSpec;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::api::Api;
use crate::args::{AddConnection, Connection, Output};
use crate::{Outcome, args, files, home, show};

pub async fn perform(command: Connection) -> anyhow::Result<Outcome> {
    match command {
        Connection::List { api, output } if api.server.is_some() => list_there(&api, output).await,
        Connection::List { output, .. } => list_here(output),
        Connection::Test { connection, api, output } if api.server.is_some() => {
            let api = Api::open(&api).await?;
            let tested = api.post(&format!("/connections/{}/test", id_of(&api, &connection).await?), None).await?;
            told(&tested, output)
        }
        Connection::Test { connection, output, .. } => test_here(&connection, output).await,
        Connection::Add(wish) => add(wish).await,
        Connection::Discover { name, api, output } => discover(&name, &api, output).await,
        Connection::Remove { name, force, api } => {
            let api = Api::open(&api).await?;
            api.delete(&format!("/connections/{}?force={force}", id_of(&api, &name).await?)).await?;
            Ok(Outcome::Success)
        }
    }
}

fn known() -> anyhow::Result<IndexMap<String, ConnectionSpec>> {
    let folder = std::env::current_dir().context("there is no working folder")?;
    files::connections_in(&folder, &flowetl_executor::catalogue())
}

fn list_here(output: Output) -> anyhow::Result<Outcome> {
    let known = known()?;
    if output.json {
        let shown: IndexMap<_, _> = known.iter().map(|(name, spec)| (name, spec.to_string())).collect();
        show::json(&shown)?;
    } else {
        known.iter().try_for_each(|(name, spec)| show::line(&format!("{name}  {spec}")))?;
    }
    Ok(Outcome::Success)
}

async fn test_here(connection: &str, output: Output) -> anyhow::Result<Outcome> {
    let (name, spec) = match known()?.get(connection) {
        Some(spec) => (connection, spec.clone()),
        None => ("connection", files::connection("connection", connection)?),
    };
    match inspect::version(name, &spec, &home::node_config()?).await {
        Ok(version) if output.json => show::json(&json!({ "success": true, "version": version }))?,
        Ok(version) => show::line(&format!("connected: {version}"))?,
        Err(error) => {
            show::error(&error.to_failure().into());
            return Ok(Outcome::Failed);
        }
    }
    Ok(Outcome::Success)
}

async fn list_there(api: &args::Api, output: Output) -> anyhow::Result<Outcome> {
    let found = all(&Api::open(api).await?).await?;
    if output.json {
        show::json(&found)?;
        return Ok(Outcome::Success);
    }
    for connection in &found {
        let text = |key: &str| connection[key].as_str().unwrap_or_default().to_owned();
        let tested = connection["last_test_status"].as_str().unwrap_or("untested");
        show::line(&format!("{}  {}  {}  {tested}", text("name"), text("type"), text("direction")))?;
    }
    Ok(Outcome::Success)
}

/// Tests a connection from the service, and keeps it there if that goes well.
async fn add(wish: AddConnection) -> anyhow::Result<Outcome> {
    let spec = files::connection(&wish.name, &wish.url)?;
    let api = Api::open(&wish.api).await?;
    let document = json!({
        "name": wish.name, "type": spec.scheme, "direction": wish.direction.as_str(), "folder": wish.folder,
        "config": config(&spec),
    });
    if !wish.untested {
        let tested = api.post("/connections/test", Some(document.clone())).await?;
        if tested["success"] != true {
            told(&tested, Output { json: false })?;
            return Ok(Outcome::Failed);
        }
    }
    let made = api.post("/connections", Some(document)).await?;
    if wish.output.json {
        show::json(&made)?
    } else {
        show::line(made["id"].as_str().unwrap_or_default())?
    }
    Ok(Outcome::Success)
}

/// Looks what lies behind a connection of the service, to the end of that.
async fn discover(name: &str, api: &args::Api, output: Output) -> anyhow::Result<Outcome> {
    let api = Api::open(api).await?;
    let path = format!("/connections/{}/discover", id_of(&api, name).await?);
    let mut look = api.post(&path, None).await?;
    while look["state"] == "running" {
        tokio::time::sleep(LOOK_PAUSE).await;
        look = api.get(&path, &[]).await?;
    }
    if output.json {
        show::json(&look)?;
    }
    if let Some(message) = look["message"].as_str() {
        show::error(&anyhow::anyhow!("{message}"));
        return Ok(Outcome::Failed);
    }
    if !output.json {
        show::line(&format!("{} tables", look["tables"]))?;
    }
    Ok(Outcome::Success)
}

/// A connection's settings, as its connector calls them.
fn config(spec: &ConnectionSpec) -> Map<String, Value> {
    let (host, path) = match spec.scheme.as_str() {
        "s3" => ("bucket", "prefix"),
        "sqlite" | "file" => ("host", "path"),
        _ => ("host", "database"),
    };
    let port = spec.port.map(Value::from);
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let own = [
        (host, text(&spec.host)),
        ("port", port),
        ("username", text(&spec.user)),
        ("password", text(&spec.password)),
        (path, Some(spec.path.clone()).filter(|path| !path.is_empty()).map(Value::from)),
    ];
    let own = own.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let catalogue = flowetl_executor::catalogue();
    let connector = catalogue.connector_for_scheme(&spec.scheme);
    let meant = |key, text: &str| connector.map_or_else(|| text.into(), |connector| connector.meant(key, text));
    own.chain(spec.options.iter().map(|(key, value)| (key.clone(), meant(key, value)))).collect()
}

/// What a test in the service has found.
fn told(tested: &Value, output: Output) -> anyhow::Result<Outcome> {
    let outcome = if tested["success"] == true { Outcome::Success } else { Outcome::Failed };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match outcome {
        _ if output.json => show::json(tested)?,
        Outcome::Success => show::line(&format!("connected: {}", text(&tested["details"]["version"])))?,
        _ => {
            let hint = tested["hint"].as_str().map(|hint| format!("; {hint}")).unwrap_or_default();
            show::error(&anyhow::anyhow!("{}{hint}", text(&tested["message"])));
        }
    }
    Ok(outcome)
}

/// Every connection of the organization: they are answered as a list alone, from behind the last one on.
async fn all(api: &Api) -> anyhow::Result<Vec<Value>> {
    let (mut all, limit) = (Vec::new(), PAGE.to_string());
    loop {
        let after = all.last().and_then(|last: &Value| last["id"].as_str()).unwrap_or_default().to_owned();
        let query = [("limit", limit.as_str()), ("after", after.as_str())];
        let page = api.get("/connections", if after.is_empty() { &query[..1] } else { &query }).await?;
        let page = page.as_array().context("the service answered with no connections")?;
        all.extend(page.iter().cloned());
        if page.len() < PAGE {
            return Ok(all);
        }
    }
}

/// The pause before it is asked again whether a look has ended.
const LOOK_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);
/// Connections in one answer.
const PAGE: usize = 500;

/// The id of the connection that is called so.
async fn id_of(api: &Api, name: &str) -> anyhow::Result<String> {
    let found = all(api).await?;
    let found = found.iter().find(|connection| connection["name"] == name).and_then(|c| c["id"].as_str());
    found.map(str::to_owned).with_context(|| format!("there is no connection `{name}`"))
}
