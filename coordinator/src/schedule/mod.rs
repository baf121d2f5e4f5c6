//! When pipelines and transformations run by themselves: `machine` decides what becomes of a time that has come, `actor` is the shell around
//! it, `edit` makes and changes schedules.
//!
//! A time that gets a run is written down first, together with the time that comes next; the transaction in which its run
//! begins uses it up. So a time gets one run, whichever coordinator leads and whenever it goes.

mod actor;
mod edit;
mod machine;
mod model;

pub(crate) use self::actor::{Clockwork, begin, put_off};
pub(crate) use self::edit::{Schedules, follow_file, follow_standing};
#[cfg(test)]
pub(crate) use self::machine::step;
pub(crate) use self::machine::{Decision, State};
pub(crate) use self::model::{
    ListedSchedule, Missed, Preview, PreviewWish, Schedule, ScheduleItem, ScheduleWish, Target, TargetType,
};
