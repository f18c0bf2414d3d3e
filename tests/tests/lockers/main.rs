//! Lockers at a site, through all real parts: ordered and paid at the cloud, opened at the site or
//! from the cloud, with and without a line, a broker, a sound board.
#![allow(clippy::unwrap_used)]

mod bad_boards;
mod broker;
mod lan;
mod stories;

use domain::{
    event::{Event, Fact},
    locker::LockerFact,
};

/// What happened at lockers, in order.
fn at_lockers(events: &[Event]) -> impl Iterator<Item = &LockerFact> {
    events.iter().filter_map(|event| match &event.fact {
        Fact::Locker(fact) => Some(fact),
        _ => None,
    })
}
