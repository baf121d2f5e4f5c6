//! What begins runs beside schedules and people: `edit` makes and changes triggers, `fire` takes the calls of webhooks,
//! `watch` looks for files and `arrivals` says which have arrived; that pipelines have succeeded is noticed where their runs
//! are written.
//!
//! An event is written down first, under a key by which it is known again; the transaction in which its run begins uses it
//! up. So an event gets one run, however often it is told and whichever coordinator leads.

mod arrivals;
mod edit;
mod fire;
mod model;
mod watch;

pub(crate) use self::arrivals::{Arrived, Seen};
pub(crate) use self::edit::Triggers;
pub(crate) use self::fire::{Fired, Hooks};
pub(crate) use self::model::{
    Firing, Kind, ListedTrigger, MadeTrigger, Start, TriggerDetail, TriggerItem, TriggerTarget, TriggerWish, Upstream,
};
pub(crate) use self::watch::Watch;
#[cfg(test)]
pub(crate) use self::watch::Watcher;
pub use self::watch::watch_files;
