//! Destinations and deliveries as people and programs handle them, each within its organization.

use flowetl_proto::pipeline::Secret;
use flowetl_proto::run::Timestamp;

use super::model::{AlertData, Answer, Settings};
use super::post::{Post, new_secret, parsed, secret_bytes};
use super::{
    Alert, AlertEvent, Delivery, DeliveryItem, DeliveryState, Destination, DestinationItem, DestinationWish, Kind,
    Made, Pace, courier,
};
use crate::accounts::{Caller, Change, Refusal, Tenant, text};
use crate::store::{Directory, Store};
use crate::{Handle, Result, clock};

/// Destinations of one organization: more than anyone keeps apart.
const DESTINATIONS_MAX: i64 = 100;
/// To whom one mail goes; a list of a mail server is better for more.
const ADDRESSES_MAX: usize = 20;
const URL_BYTES_MAX: usize = 2_000;

/// Which deliveries of an organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryQuery {
    pub organization: String,
    /// To the one of this id, if it is not empty.
    pub destination: String,
    pub state: Option<DeliveryState>,
    /// Older than the one of this id, if it is not empty.
    pub before: String,
    pub limit: i64,
}

/// The destinations of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Desk {
    handle: Handle,
}

impl Desk {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    fn store(&self) -> &Store {
        self.handle.store()
    }

    /// All of an organization, by name.
    pub(crate) async fn list(&self, tenant: &Tenant) -> Result<Vec<DestinationItem>> {
        let found = self.store().directory().await?.destinations(&tenant.organization.id).await?;
        Ok(found.into_iter().map(DestinationItem::from).collect())
    }

    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<DestinationItem, Refusal> {
        Ok(found(&mut self.store().directory().await?, tenant, id).await?.into())
    }

    pub(crate) async fn create(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: DestinationWish,
    ) -> Result<Made, Refusal> {
        let (organization, now) = (&tenant.organization.id, Timestamp(clock::now()));
        let kind = wish.kind.ok_or_else(|| Refusal::wrong("kind", "a destination has a `kind`"))?;
        if wish.name.is_none() {
            return Err(Refusal::wrong("name", "a destination has a `name`"));
        }
        let blank = Destination {
            id: clock::new_id(),
            organization: organization.clone(),
            name: String::new(),
            kind,
            settings: Settings::default(),
            sealed: Default::default(),
            events: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        let made = (kind == Kind::Webhook && wish.secret.is_none()).then(new_secret).transpose()?;
        let secret = made.as_ref().map(|secret| secret.reveal().to_owned());
        let wish = DestinationWish { secret: wish.secret.or_else(|| secret.clone()), ..wish };
        let destination = self.wished(blank, wish).await?;
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(organization).await?;
        if directory.count_destinations(organization).await? >= DESTINATIONS_MAX {
            return Err(Refusal::Conflict(format!(
                "the organization has {DESTINATIONS_MAX} destinations: remove some"
            )));
        }
        check_name(&mut directory, &destination).await?;
        directory.add_destination(&destination).await?;
        audit(&mut directory, caller, "destination.made", None, Some(&destination)).await?;
        directory.commit().await?;
        Ok(Made { destination: destination.into(), secret })
    }

    /// Changes what the wish says; secrets that it leaves out stay.
    pub(crate) async fn change(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        wish: DestinationWish,
    ) -> Result<DestinationItem, Refusal> {
        let before = found(&mut self.store().directory().await?, tenant, id).await?;
        if wish.kind.is_some_and(|kind| kind != before.kind) {
            return Err(Refusal::wrong("kind", "the kind of a destination cannot be changed: make another one"));
        }
        let mut after = self.wished(before.clone(), wish).await?;
        after.updated_at = Timestamp(clock::now().max(before.updated_at.0 + 1));
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(&after.organization).await?;
        if found(&mut directory, tenant, id).await?.updated_at != before.updated_at {
            return Err(Refusal::Conflict("somebody else has changed the destination meanwhile: look again".into()));
        }
        check_name(&mut directory, &after).await?;
        directory.change_destination(&after).await?;
        audit(&mut directory, caller, "destination.changed", Some(&before), Some(&after)).await?;
        directory.commit().await?;
        Ok(after.into())
    }

    /// Removes a destination, and all that is or was on its way to it.
    pub(crate) async fn remove(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let mut directory = self.store().change_directory().await?;
        let before = found(&mut directory, tenant, id).await?;
        directory.remove_destination(&tenant.organization.id, id).await?;
        audit(&mut directory, caller, "destination.removed", Some(&before), None).await?;
        Ok(directory.commit().await?)
    }

    /// Sends a test, once and now, and keeps what came of it.
    pub(crate) async fn test(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<DeliveryItem, Refusal> {
        let destination = found(&mut self.store().directory().await?, tenant, id).await?;
        let now = clock::now();
        let data = AlertData {
            event: AlertEvent::Test,
            organization: tenant.organization.id.clone(),
            pipeline: None,
            pipeline_id: None,
            run_id: None,
            message: format!("alerts of `{}` come here", tenant.organization.name),
        };
        let mut delivery = Delivery::new(&destination, &Alert::new(data, now), None, now);
        let post = Post::new(Pace::default().try_limit)?;
        let around = &self.handle.inner.around;
        let tried = courier::try_once(around, &post, &destination, &delivery, Pace::default().try_limit).await;
        let tried = tried.map_err(Refusal::Failed)?;
        (delivery.tries, delivery.next_at) = (1, None);
        delivery.state = if tried.is_taken { DeliveryState::Delivered } else { DeliveryState::GivenUp };
        delivery.last = Some(Answer { status: tried.status, text: tried.text, at: Timestamp(clock::now()) });
        let mut directory = self.store().change_directory().await?;
        // Someone may have removed it meanwhile.
        found(&mut directory, tenant, id).await?;
        directory.add_delivery(&delivery).await?;
        audit(&mut directory, caller, "destination.tested", None, Some(&destination)).await?;
        directory.commit().await?;
        Ok(delivery.into())
    }

    /// Newest first.
    pub(crate) async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryItem>> {
        let found = self.store().directory().await?.deliveries(query).await?;
        Ok(found.into_iter().map(DeliveryItem::from).collect())
    }

    pub(crate) async fn delivery(&self, tenant: &Tenant, id: &str) -> Result<DeliveryItem, Refusal> {
        Ok(found_delivery(&mut self.store().directory().await?, tenant, id).await?.into())
    }

    /// Lets a delivery be tried again from the beginning, whatever came of it.
    pub(crate) async fn redeliver(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<DeliveryItem, Refusal> {
        let mut directory = self.store().change_directory().await?;
        let before = found_delivery(&mut directory, tenant, id).await?;
        directory.retry_delivery(&tenant.organization.id, id, clock::now()).await?;
        let change = Change {
            organization: Some(&tenant.organization.id),
            action: "delivery.repeated",
            subject: id,
            before: Some(before.state.as_str().into()),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        let after = found_delivery(&mut directory, tenant, id).await?;
        directory.commit().await?;
        Ok(after.into())
    }

    /// What a wish makes of a destination.
    async fn wished(&self, mut destination: Destination, wish: DestinationWish) -> Result<Destination, Refusal> {
        if let Some(name) = &wish.name {
            destination.name = text::name(name)?;
        }
        if let Some(mut events) = wish.events {
            events.sort();
            events.dedup();
            if events.contains(&AlertEvent::Test) {
                return Err(Refusal::wrong("events", "a test is sent by hand"));
            }
            destination.events = events;
        }
        match destination.kind {
            Kind::Email => mailed(&mut destination, wish.addresses)?,
            Kind::Webhook | Kind::Slack if wish.addresses.is_some() => {
                return Err(Refusal::wrong("addresses", "only a destination of the kind `email` has `addresses`"));
            }
            Kind::Webhook | Kind::Slack => {}
        }
        self.seal_url(&mut destination, wish.url).await?;
        self.seal_secret(&mut destination, wish.secret).await?;
        Ok(destination)
    }

    async fn seal_url(&self, destination: &mut Destination, url: Option<String>) -> Result<(), Refusal> {
        let Some(url) = url else {
            return match destination.kind == Kind::Email || destination.sealed.contains_key("url") {
                true => Ok(()),
                false => Err(Refusal::wrong("url", "say where it is: `https://...`")),
            };
        };
        if destination.kind == Kind::Email {
            return Err(Refusal::wrong("url", "mail goes to `addresses`"));
        }
        if url.len() > URL_BYTES_MAX {
            return Err(Refusal::wrong("url", format!("a URL has at most {URL_BYTES_MAX} bytes")));
        }
        let parsed = parsed(&url).map_err(|why| Refusal::wrong("url", why))?;
        destination.settings.host = parsed.host_str().map(str::to_owned);
        let token = self.handle.vault().seal(&destination.organization, &Secret::new(url)).await?;
        destination.sealed.insert("url".to_owned(), token);
        Ok(())
    }

    async fn seal_secret(&self, destination: &mut Destination, secret: Option<String>) -> Result<(), Refusal> {
        let Some(secret) = secret else { return Ok(()) };
        if destination.kind != Kind::Webhook {
            return Err(Refusal::wrong("secret", "only calls of the kind `webhook` are signed"));
        }
        if secret_bytes(&secret).is_none() {
            return Err(Refusal::wrong("secret", "a secret is `whsec_` and 24 to 64 bytes in base64"));
        }
        let token = self.handle.vault().seal(&destination.organization, &Secret::new(secret)).await?;
        destination.sealed.insert("secret".to_owned(), token);
        Ok(())
    }
}

/// The addresses of a destination of mail.
fn mailed(destination: &mut Destination, addresses: Option<Vec<String>>) -> Result<(), Refusal> {
    if let Some(addresses) = addresses {
        let wrong = |_| Refusal::wrong("addresses", "one of these is no e-mail address");
        destination.settings.addresses =
            addresses.iter().map(|address| text::email(address)).collect::<Result<_, _>>().map_err(wrong)?;
    }
    match destination.settings.addresses.len() {
        0 => Err(Refusal::wrong("addresses", "say where mail goes")),
        1..=ADDRESSES_MAX => Ok(()),
        _ => Err(Refusal::wrong("addresses", format!("a destination has at most {ADDRESSES_MAX} addresses"))),
    }
}

async fn check_name(directory: &mut Directory, destination: &Destination) -> Result<(), Refusal> {
    let all = directory.destinations(&destination.organization).await?;
    match all.iter().any(|other| other.name == destination.name && other.id != destination.id) {
        true => Err(Refusal::Conflict(format!("there is a destination `{}` already", destination.name))),
        false => Ok(()),
    }
}

async fn audit(
    directory: &mut Directory,
    caller: &Caller,
    action: &'static str,
    before: Option<&Destination>,
    after: Option<&Destination>,
) -> Result<()> {
    let Some(either) = after.or(before) else { return Ok(()) };
    let change = Change {
        organization: Some(&either.organization),
        action,
        subject: &either.id,
        before: before.and_then(Destination::document),
        after: after.and_then(Destination::document),
    };
    directory.audit(&caller.entry(change)).await
}

async fn found(directory: &mut Directory, tenant: &Tenant, id: &str) -> Result<Destination, Refusal> {
    let found = directory.destination(&tenant.organization.id, id).await?;
    found.ok_or_else(|| Refusal::NotFound(format!("there is no destination `{id}`")))
}

async fn found_delivery(directory: &mut Directory, tenant: &Tenant, id: &str) -> Result<Delivery, Refusal> {
    let found = directory.delivery(&tenant.organization.id, id).await?;
    found.ok_or_else(|| Refusal::NotFound(format!("there is no delivery `{id}`")))
}
