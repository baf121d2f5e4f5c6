//! Attends to one executor: keeps a stream of its reports open for as long as it belongs to the fleet.

use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::announcement::Announcement;
use flowetl_proto::control::{AttemptEvent, AttemptSpec};
use flowetl_proto::id::ExecutorId;
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::reported::What;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::client::{Client, Reports, read, said};
use crate::place::Event;

/// The pause before an executor that was not reached is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// How long an executor may take from opening its stream to saying what it holds.
const HELD_LIMIT: Duration = Duration::from_secs(5);

/// Until `end`, which never cuts off what has begun to be told.
pub(super) async fn attend(desk: Arc<Desk>, announcement: Announcement, end: CancellationToken) {
    let id = &announcement.id;
    // Of the newest event that was passed on.
    let mut heard = 0;
    let mut was_tried = false;
    while !end.is_cancelled() {
        let opened = open(&desk, &announcement).await;
        let tried_now = !std::mem::replace(&mut was_tried, true);
        match opened {
            Ok((mut reports, held)) => {
                desk.happen(Event::Opened(id.clone(), held)).await;
                if tried_now {
                    desk.tried.send_modify(|tried| *tried += 1);
                }
                let reason = listen(&desk, id, &mut reports, &mut heard, &end).await;
                tracing::info!(executor = %id, %reason, "the stream of reports has ended");
                desk.happen(Event::Broken(id.clone())).await;
            }
            Err(reason) => {
                tracing::debug!(executor = %id, %reason, "an executor was not reached");
                desk.happen(Event::Unreachable(id.clone())).await;
                if tried_now {
                    tracing::warn!(executor = %id, %reason, "an executor is announced and cannot be reached, trying again");
                    desk.tried.send_modify(|tried| *tried += 1);
                }
                let _: Option<()> = end.run_until_cancelled(sleep(RETRY_PAUSE)).await;
            }
        }
    }
}

/// Connects, sees that it is who it says it is, and opens its stream.
async fn open(
    desk: &Arc<Desk>,
    announcement: &Announcement,
) -> Result<(Reports, Vec<(Arc<AttemptSpec>, bool)>), String> {
    let client = Client::connect(&announcement.url, &desk.trust, desk.tenure.clone()).await?;
    let (described, catalogue) = client.describe().await?;
    if described.id != announcement.id.as_str() {
        return Err(format!("another executor, `{}`, answers at `{}`", described.id, announcement.url));
    }
    let mut reports = client.report().await?;
    let first = timeout(HELD_LIMIT, reports.reported.message()).await;
    let first = first.map_err(|_| "it did not say what it holds".to_owned())?.map_err(|status| said(&status))?;
    let Some(v1::Reported { what: Some(What::Held(held)) }) = first else {
        return Err("it did not say what it holds".into());
    };
    let mut attempts = Vec::new();
    for attempt in held.attempts {
        attempts.push((Arc::new(read(&attempt.attempt_json)?), attempt.prepared));
    }
    let mut state = desk.state();
    state.catalogue = Some(Arc::new(catalogue));
    if let Some(seat) = state.seats.get_mut(&announcement.id) {
        seat.client = Some(client);
    }
    Ok((reports, attempts))
}

/// Passes events on and acknowledges them, until the stream ends; says why it did.
async fn listen(
    desk: &Arc<Desk>,
    id: &ExecutorId,
    reports: &mut Reports,
    heard: &mut u64,
    end: &CancellationToken,
) -> String {
    while let Some(message) = end.run_until_cancelled(reports.reported.message()).await {
        let happened = match message {
            Ok(Some(v1::Reported { what: Some(What::Happened(happened)) })) => happened,
            Ok(Some(_)) => continue,
            Ok(None) => return "it was closed".into(),
            Err(status) => return said(&status),
        };
        // One that was passed on before its acknowledgement arrived comes again.
        if happened.number > *heard {
            match read(&happened.event_json) {
                Ok(event) => {
                    let event = AttemptEvent { executor: Some(id.to_string()), ..event };
                    desk.happen(Event::Reported(id.clone(), event)).await;
                }
                Err(reason) => tracing::error!(executor = %id, %reason, "an event was lost"),
            }
            *heard = happened.number;
        }
        if reports.heard.send(v1::Heard { number: happened.number }).await.is_err() {
            return "acknowledgements are no longer taken".into();
        }
    }
    "nobody listens any more".into()
}
