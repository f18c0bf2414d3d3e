//! The charging site as its users see it: schedule and bills.
#![allow(clippy::unwrap_used, missing_docs)]

mod billing;
mod driven;
mod faults;
mod invariants;
mod schedule;
mod site;
