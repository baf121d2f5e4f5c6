//! Destinations, alerts and deliveries, as the store keeps them and the API shows them.

use std::collections::BTreeMap;
use std::str::FromStr;

use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::clock;

/// What somebody may want to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertEvent {
    /// A run has failed.
    Failed,
    /// Nothing has moved in a run for longer than it should.
    Stalled,
    /// No run has succeeded within the pipeline's `freshness`.
    Stale,
    /// The first success after any of these.
    Recovered,
    /// Somebody tries whether a destination is reached.
    Test,
}

impl AlertEvent {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stalled => "stalled",
            Self::Stale => "stale",
            Self::Recovered => "recovered",
            Self::Test => "test",
        }
    }
}

impl FromStr for AlertEvent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Failed, Self::Stalled, Self::Stale, Self::Recovered, Self::Test];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| format!("`{text}` is nothing that is told"))
    }
}

/// How a destination is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DestinationKind)]
pub(crate) enum Kind {
    /// A signed call, as Standard Webhooks describe it.
    Webhook,
    /// An incoming webhook of Slack, or of whatever takes the same.
    Slack,
    Email,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Email => "email",
        }
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Webhook, Self::Slack, Self::Email];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of `webhook`, `slack` and `email`"))
    }
}

/// The settings of a destination that are no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Of its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Where mail goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// Where alerts go. Its secrets are tokens of its organization's vault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Destination {
    pub id: String,
    pub organization: String,
    pub name: String,
    pub kind: Kind,
    pub settings: Settings,
    /// `url`, `secret`.
    pub sealed: BTreeMap<String, String>,
    /// What it is told of every pipeline.
    pub events: Vec<AlertEvent>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Destination {
    /// As the audit log has it.
    pub(crate) fn document(&self) -> Option<Value> {
        Some(json!({ "name": self.name, "kind": self.kind, "settings": self.settings, "events": self.events }))
    }
}

/// A destination that is to be made or changed. What is left out of a change stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationWish {
    /// As pipeline files name it: `alerts: {on: [failed], to: NAME}`.
    pub name: Option<String>,
    /// It cannot be changed.
    pub kind: Option<Kind>,
    /// Where a webhook or Slack takes calls: `https://...`. It is sealed, and never shown again.
    pub url: Option<String>,
    /// What a webhook's calls are signed with: `whsec_` and 24 to 64 bytes in base64. One is made where it is left out of a new
    /// webhook.
    #[schema(format = Password)]
    pub secret: Option<String>,
    /// To whom mail goes.
    pub addresses: Option<Vec<String>>,
    /// What it is told of every pipeline; beside that, what pipelines name it for. Nothing where it is left out of a new one.
    pub events: Option<Vec<AlertEvent>>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct DestinationItem {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// Of its URL, whose rest is a secret; null for mail.
    pub host: Option<String>,
    /// To whom mail goes.
    pub addresses: Vec<String>,
    pub events: Vec<AlertEvent>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A destination that was just made.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Made {
    #[serde(flatten)]
    pub destination: DestinationItem,
    /// What its calls are signed with, where it was made here; shown this once.
    pub secret: Option<String>,
}

impl From<Destination> for DestinationItem {
    fn from(destination: Destination) -> Self {
        Self {
            id: destination.id,
            name: destination.name,
            kind: destination.kind,
            host: destination.settings.host,
            addresses: destination.settings.addresses,
            events: destination.events,
            created_at: destination.created_at,
            updated_at: destination.updated_at,
        }
    }
}

/// What is told: the body of a webhook's call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Alert {
    /// `pipeline.failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened: RFC 3339.
    pub timestamp: Value,
    pub data: AlertData,
}

/// What it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AlertData {
    pub event: AlertEvent,
    /// The id of the organization.
    pub organization: String,
    /// The name of the pipeline; `None` for a test.
    pub pipeline: Option<String>,
    /// The id of the pipeline, where it is kept.
    pub pipeline_id: Option<String>,
    pub run_id: Option<String>,
    /// One sentence.
    pub message: String,
}

impl Alert {
    pub(crate) fn new(data: AlertData, at: i64) -> Self {
        Self { kind: format!("pipeline.{}", data.event.as_str()), timestamp: json!(Timestamp(at)), data }
    }

    /// In few words: `pipeline `shop` has failed`.
    pub(super) fn title(&self) -> String {
        let name = self.data.pipeline.as_deref().unwrap_or_default();
        match self.data.event {
            AlertEvent::Failed => format!("pipeline `{name}` has failed"),
            AlertEvent::Stalled => format!("pipeline `{name}` stands still"),
            AlertEvent::Stale => format!("pipeline `{name}` is stale"),
            AlertEvent::Recovered => format!("pipeline `{name}` works again"),
            AlertEvent::Test => "a test from FlowETL".to_owned(),
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// It is tried, again and again.
    Waiting,
    Delivered,
    /// It was tried often enough.
    GivenUp,
}

impl DeliveryState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

impl FromStr for DeliveryState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Waiting, Self::Delivered, Self::GivenUp];
        let found = all.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of `waiting`, `delivered` and `given_up`"))
    }
}

/// One alert on its way to one destination.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delivery {
    pub id: String,
    pub organization: String,
    pub destination: String,
    pub event: AlertEvent,
    /// An [`Alert`] as it is sent: signed byte for byte.
    pub body: String,
    /// The number of what happened; `None` for a test.
    pub news: Option<i64>,
    pub state: DeliveryState,
    pub tries: i64,
    pub next_at: Option<Timestamp>,
    pub last: Option<Answer>,
    pub created_at: Timestamp,
}

impl Delivery {
    /// One that is to be made as soon as can be.
    pub(super) fn new(destination: &Destination, alert: &Alert, news: Option<i64>, now: i64) -> Self {
        Self {
            id: clock::new_id(),
            organization: destination.organization.clone(),
            destination: destination.id.clone(),
            event: alert.data.event,
            // Texts and numbers are always JSON.
            body: serde_json::to_string(alert).unwrap_or_default(),
            news,
            state: DeliveryState::Waiting,
            tries: 0,
            next_at: Some(Timestamp(now)),
            last: None,
            created_at: Timestamp(now),
        }
    }
}

/// What a try was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Of HTTP or SMTP; `None` where nobody answered.
    pub status: Option<i64>,
    /// The beginning of what was said, or why nothing was.
    pub text: String,
    pub at: Timestamp,
}

/// One alert on its way to one destination.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct DeliveryItem {
    /// Also the `webhook-id` of its calls.
    pub id: String,
    /// The id of the destination.
    pub destination: String,
    pub event: AlertEvent,
    pub state: DeliveryState,
    pub tries: i64,
    /// When it is tried next; null once it is not.
    pub next_try_at: Option<Timestamp>,
    pub tried_at: Option<Timestamp>,
    /// Of HTTP or SMTP, at the last try; null where nobody answered.
    pub status: Option<i64>,
    /// The beginning of what was answered then, or why nothing was.
    pub answer: Option<String>,
    /// What is told.
    #[schema(value_type = Object)]
    pub body: Value,
    pub created_at: Timestamp,
}

impl From<Delivery> for DeliveryItem {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            destination: delivery.destination,
            event: delivery.event,
            state: delivery.state,
            tries: delivery.tries,
            next_try_at: delivery.next_at,
            tried_at: delivery.last.as_ref().map(|last| last.at),
            status: delivery.last.as_ref().and_then(|last| last.status),
            answer: delivery.last.map(|last| last.text),
            body: serde_json::from_str(&delivery.body).unwrap_or_default(),
            created_at: delivery.created_at,
        }
    }
}
