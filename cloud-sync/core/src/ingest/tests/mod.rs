//! A site and the cloud, over a real database file.
#![allow(clippy::unwrap_used)]

mod ahead;
mod facts;
mod order;
pub(crate) mod site;
mod trust;
