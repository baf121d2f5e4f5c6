//! Who is told when a pipeline fails or stands still: destinations of an organization, and what is on its way to them.
//!
//! [`reader`] reads the log of what happens, decides who is told, and writes deliveries down; [`courier`] takes them to their
//! destinations, `post` over HTTP, [`mail`] by `smtp`, until they are taken or given up. [`desk`] is how people ask.

mod courier;
mod desk;
mod invite;
mod mail;
mod model;
mod pace;
mod post;
mod reader;
mod smtp;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, OnceLock};

use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use self::desk::{DeliveryQuery, Desk};
pub(crate) use self::invite::invite;
pub use self::mail::{Mail, WrongMail};
pub(crate) use self::model::{
    Alert, AlertEvent, Answer, Delivery, DeliveryItem, DeliveryState, Destination, DestinationItem, DestinationWish,
    Kind, Made,
};
pub(crate) use self::pace::Pace;
pub(crate) use self::reader::named_destinations;
use crate::run::Surroundings;

/// What a coordinator that leads tells, from when it is started until it is dropped.
#[derive(Default)]
pub(crate) struct Notifier {
    end: OnceLock<DropGuard>,
}

impl Notifier {
    pub(crate) fn start(&self, around: &Arc<Surroundings>, pace: Pace) {
        self.end.get_or_init(|| {
            let end = CancellationToken::new();
            let (own, reads) = (end.clone(), reader::read(Arc::downgrade(around), pace));
            around.runtime.spawn(async move { own.run_until_cancelled(reads).await });
            let (own, delivers) = (end.clone(), courier::deliver(Arc::downgrade(around), pace));
            around.runtime.spawn(async move { own.run_until_cancelled(delivers).await });
            end.drop_guard()
        });
    }
}
