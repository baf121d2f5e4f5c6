//! Takes deliveries to their destinations: one at a time to each, so that one that is slow or dead delays no other.

use std::sync::Weak;
use std::time::Duration;

use flowetl_proto::pipeline::Secret;
use flowetl_proto::run::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::model::{Alert, Answer};
use super::post::{Post, Tried};
use super::{Delivery, DeliveryState, Destination, Kind, Pace};
use crate::run::Surroundings;
use crate::vault::Fault;
use crate::{Error, Result, clock};

/// Destinations that something is on its way to at once: each waits for a server elsewhere and holds a socket.
const AT_ONCE: usize = 64;
/// How much longer than a try may take nobody else takes anything to its destination: until then what came of it is written.
const WRITE_MS: i64 = 30_000;
/// How long deliveries wait for a vault that is locked.
const LOCKED_MS: i64 = 60_000;
/// How long ended deliveries are kept, and how often those that are older go.
const KEPT_MS: i64 = 30 * 24 * 3_600_000;
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// What is kept of an answer.
const ANSWER_CHARS_MAX: usize = 1024;

/// Delivers until the coordinator is dropped, or another leads.
pub(super) async fn deliver(around: Weak<Surroundings>, pace: Pace) {
    let post = match Post::new(pace.try_limit) {
        Ok(post) => post,
        Err(error) => {
            tracing::error!(error = %error.chain(), "no alert is delivered");
            return;
        }
    };
    let mut under_way = JoinSet::new();
    let mut forgotten_at: Option<Instant> = None;
    loop {
        match look(&around, &post, pace, &mut under_way).await {
            Ok(true) => {}
            Ok(false) | Err(Error::Deposed) => return,
            Err(error) => tracing::warn!(error = %error.chain(), "deliveries cannot be looked at, trying again"),
        }
        if forgotten_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY)
            && let Some(around) = around.upgrade()
        {
            forgotten_at = Some(Instant::now());
            if let Err(error) = around.store.forget_deliveries(clock::now() - KEPT_MS).await {
                tracing::debug!(error = %error.chain(), "old deliveries are forgotten the next time");
            }
        }
        // One that has ended may have another behind it.
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            () = sleep(pace.look_every) => {}
        }
    }
}

/// Sets off with what is due. False where there is nobody to deliver for any more.
async fn look(around: &Weak<Surroundings>, post: &Post, pace: Pace, under_way: &mut JoinSet<()>) -> Result<bool> {
    let Some(strong) = around.upgrade() else { return Ok(false) };
    let free = AT_ONCE.saturating_sub(under_way.len());
    if free == 0 {
        return Ok(true);
    }
    let now = clock::now();
    let until = now + i64::try_from(pace.try_limit.as_millis()).unwrap_or(i64::MAX / 2) + WRITE_MS;
    for (destination, delivery) in strong.store.take_deliveries(now, until, free as i64).await? {
        let (around, post) = (Weak::clone(around), post.clone());
        under_way.spawn(async move {
            let Some(around) = around.upgrade() else { return };
            if let Err(error) = carry(&around, &post, pace, &destination, delivery).await {
                tracing::warn!(error = %error.chain(), "what came of a delivery cannot be written: it is tried again");
            }
        });
    }
    Ok(true)
}

/// One try, and what comes of it.
async fn carry(
    around: &Surroundings,
    post: &Post,
    pace: Pace,
    destination: &Destination,
    mut delivery: Delivery,
) -> Result<()> {
    let tried = match try_once(around, post, destination, &delivery, pace.try_limit).await {
        Err(Error::Vault(Fault::Locked)) => {
            delivery.next_at = Some(Timestamp(clock::now() + LOCKED_MS));
            return around.store.tried_delivery(&delivery).await;
        }
        Err(error @ Error::Vault(_)) => Tried::unanswered(error.to_string()),
        tried => tried?,
    };
    let moment = clock::moment();
    delivery.tries += 1;
    let wait = pace.wait(delivery.tries, moment.random).filter(|_| !tried.is_taken && !tried.is_gone);
    delivery.next_at = wait.map(|wait| Timestamp(moment.now + i64::try_from(wait.as_millis()).unwrap_or_default()));
    delivery.state = match (tried.is_taken, wait) {
        (true, _) => DeliveryState::Delivered,
        (false, Some(_)) => DeliveryState::Waiting,
        (false, None) => DeliveryState::GivenUp,
    };
    if delivery.state == DeliveryState::GivenUp {
        tracing::warn!(delivery = delivery.id, destination = destination.name, "an alert is given up");
    }
    delivery.last = Some(Answer { status: tried.status, text: tried.text, at: Timestamp(moment.now) });
    around.store.tried_delivery(&delivery).await
}

/// Tries once. Fails where the secrets of the destination cannot be opened.
pub(super) async fn try_once(
    around: &Surroundings,
    post: &Post,
    destination: &Destination,
    delivery: &Delivery,
    limit: Duration,
) -> Result<Tried> {
    let late = || Tried::unanswered(format!("no answer within {} s", limit.as_secs()));
    let trying = timeout(limit, trying(around, post, destination, delivery));
    let mut tried = trying.await.unwrap_or_else(|_| Ok(late()))?;
    if let Some((cut, _)) = tried.text.char_indices().nth(ANSWER_CHARS_MAX) {
        tried.text.truncate(cut);
    }
    Ok(tried)
}

async fn trying(around: &Surroundings, post: &Post, destination: &Destination, delivery: &Delivery) -> Result<Tried> {
    if destination.kind == Kind::Email {
        return Ok(mail(around, destination, delivery).await);
    }
    let Some(url) = opened(around, destination, "url").await? else { return Ok(Tried::unanswered("it has no URL")) };
    let secret = opened(around, destination, "secret").await?;
    Ok(post.send((destination.kind, &url, secret.as_ref()), &delivery.id, &delivery.body).await)
}

async fn opened(around: &Surroundings, destination: &Destination, key: &str) -> Result<Option<Secret>> {
    let Some(token) = destination.sealed.get(key) else { return Ok(None) };
    let what = format!("`{key}` of destination `{}`", destination.name);
    Ok(Some(around.vault.open(&destination.organization, token, &what).await?))
}

async fn mail(around: &Surroundings, destination: &Destination, delivery: &Delivery) -> Tried {
    let Some(mail) = &around.mail else {
        return Tried::unanswered("this coordinator has no mail server: set `FLOWETL_SMTP_URL`");
    };
    let Ok(alert) = serde_json::from_str::<Alert>(&delivery.body) else {
        return Tried::unanswered("what is to be told is damaged");
    };
    let run = alert.data.run_id.as_ref().map(|run| format!("\n\nrun {run}")).unwrap_or_default();
    let time = alert.timestamp.as_str().unwrap_or_default();
    let text = format!("{}\n\n{}{run}\n{time}\n", alert.title(), alert.data.message);
    mail.send(&destination.settings.addresses, &format!("[FlowETL] {}", alert.title()), &text).await
}
