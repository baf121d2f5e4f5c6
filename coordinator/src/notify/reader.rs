//! Reads the log of what happens, decides who is told of it, and writes that down: once for each entry, in the transaction that
//! remembers how far it has read.

use std::sync::Weak;

use flowetl_proto::id::RunId;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::model::AlertData;
use super::{Alert, AlertEvent, Delivery, Destination, Pace};
use crate::run::Surroundings;
use crate::store::{News, NewsRow, Store, Told};
use crate::{Error, Result, clock};

/// Entries of the log read at once.
const PAGE: i64 = 200;

/// Reads until the coordinator is dropped, or another leads.
pub(super) async fn read(around: Weak<Surroundings>, pace: Pace) {
    loop {
        {
            let Some(around) = around.upgrade() else { return };
            match look(&around.store).await {
                Ok(()) => {}
                Err(Error::Deposed) => return,
                Err(error) => tracing::warn!(error = %error.chain(), "alerts are late, trying again"),
            }
        }
        sleep(pace.look_every).await;
    }
}

/// Tells what has happened, and then what should have and has not.
async fn look(store: &Store) -> Result<()> {
    tell(store).await?;
    store.find_stale(clock::now()).await
}

/// Tells all that has happened since the last time.
pub(super) async fn tell(store: &Store) -> Result<()> {
    loop {
        let mut last = store.news_told().await?;
        let page = store.news_after(None, last, PAGE).await?;
        for row in &page.rows {
            let Some(told) = judge(store, row).await? else { continue };
            if !store.tell(last, row.number, told).await? {
                // Another has read this far.
                return Ok(());
            }
            last = row.number;
        }
        if page.upto > last {
            store.tell(last, page.upto, Told::default()).await?;
        }
        // What is told adds to the log itself.
        if page.rows.is_empty() {
            return Ok(());
        }
    }
}

/// What follows from an entry; `None` where nothing does.
async fn judge(store: &Store, row: &NewsRow) -> Result<Option<Told>> {
    let Some(organization) = &row.organization else { return Ok(None) };
    let said = |key: &str| row.news.detail[key].as_str().unwrap_or_default().to_owned();
    let key = said("pipeline");
    let mut told = Told { pipeline: key.clone(), ..Told::default() };
    let (event, message) = match (row.news.kind.as_str(), said("state").as_str()) {
        ("run.ended", "failed") => {
            told.begun = Some(AlertEvent::Failed);
            (AlertEvent::Failed, said("error_message"))
        }
        ("run.ended", "success") => {
            told.succeeded_at = Some(row.news.at);
            if !store.troubles(&key).await?.is_empty() {
                told.ended = vec![AlertEvent::Failed, AlertEvent::Stalled, AlertEvent::Stale];
                let (kind, subject) = ("run.recovered".to_owned(), row.news.subject.clone());
                let news = News { kind, subject, detail: json!({ "pipeline": key }), at: row.news.at };
                told.news = Some((organization.clone(), news));
            }
            return Ok(Some(told));
        }
        ("run.ended", _) => {
            told.ended = vec![AlertEvent::Stalled];
            return Ok(Some(told));
        }
        ("run.stalled", _) => {
            if store.troubles(&key).await?.contains(&AlertEvent::Stalled) {
                return Ok(None);
            }
            told.begun = Some(AlertEvent::Stalled);
            (AlertEvent::Stalled, said("stalled"))
        }
        ("run.recovered", _) => (AlertEvent::Recovered, "a run has succeeded".to_owned()),
        ("pipeline.stale", _) => {
            let hours = row.news.detail["within"].as_f64().unwrap_or_default() / 3600.0;
            (AlertEvent::Stale, format!("no run has succeeded for more than {hours:.1} hours"))
        }
        _ => return Ok(None),
    };
    let about = match event {
        AlertEvent::Stale => of_pipeline(store, organization, row, message).await?,
        _ => of_run(store, organization, row, event, message).await?,
    };
    let Some((data, wishes)) = about else { return Ok(Some(told)) };
    let alert = Alert::new(data, row.news.at);
    let destinations = store.directory().await?.destinations(organization).await?;
    let now = clock::now();
    told.deliveries = recipients(destinations, &wishes, event)
        .map(|destination| Delivery::new(&destination, &alert, Some(row.number), now))
        .collect();
    Ok(Some(told))
}

/// What is told of a run, and what its pipeline's file says of alerts; `None` where the run is gone.
async fn of_run(
    store: &Store,
    organization: &str,
    row: &NewsRow,
    event: AlertEvent,
    message: String,
) -> Result<Option<(AlertData, Value)>> {
    let run = match store.run_of(organization, &RunId::new(row.news.subject.clone())).await {
        Ok(run) => run,
        Err(Error::NoRun(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let definition = store.pipeline(&run.run.pipeline, &run.run.hash).await?;
    let data = AlertData {
        event,
        organization: organization.to_owned(),
        pipeline: Some(run.pipeline),
        pipeline_id: run.origin.pipeline,
        run_id: Some(run.run.id.to_string()),
        message,
    };
    Ok(Some((data, definition.service["alerts"].clone())))
}

/// The same of a pipeline that is kept; `None` where it is gone.
async fn of_pipeline(
    store: &Store,
    organization: &str,
    row: &NewsRow,
    message: String,
) -> Result<Option<(AlertData, Value)>> {
    let mut directory = store.directory().await?;
    let found = directory.stored_pipeline(organization, &row.news.subject).await?;
    let Some(pipeline) = found else { return Ok(None) };
    let revision = directory.revision(&pipeline.id, pipeline.revision).await?;
    let definition = revision.and_then(|revision| revision.definition);
    let data = AlertData {
        event: AlertEvent::Stale,
        organization: organization.to_owned(),
        pipeline: Some(pipeline.name),
        pipeline_id: Some(pipeline.id),
        run_id: None,
        message,
    };
    Ok(Some((data, definition.map(|definition| definition.service["alerts"].clone()).unwrap_or_default())))
}

/// Destinations that hear of an event: those that hear it of every pipeline, and those that `alerts:` names for it.
fn recipients(
    destinations: Vec<Destination>,
    alerts: &Value,
    event: AlertEvent,
) -> impl Iterator<Item = Destination> + use<> {
    let is_wished = texts(&alerts["on"]).iter().any(|on| on == event.as_str());
    let named = if is_wished { named_destinations(alerts) } else { Vec::new() };
    for name in &named {
        if !destinations.iter().any(|destination| destination.name == *name) {
            tracing::warn!(destination = name, "a pipeline's `alerts:` names a destination that is not there");
        }
    }
    destinations
        .into_iter()
        .filter(move |destination| destination.events.contains(&event) || named.contains(&destination.name))
}

/// The destinations that a file's `alerts:` names.
pub(crate) fn named_destinations(alerts: &Value) -> Vec<String> {
    texts(&alerts["to"])
}

/// A text, or each of a list.
fn texts(value: &Value) -> Vec<String> {
    let many = value.as_array().into_iter().flatten().chain(value.is_string().then_some(value));
    many.filter_map(|one| Some(one.as_str()?.to_owned())).collect()
}
