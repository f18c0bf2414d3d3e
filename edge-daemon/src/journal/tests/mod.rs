//! The journal against real SQLite in real folders.
#![allow(clippy::unwrap_used)]

mod append;
mod crash;
mod damage;
pub(crate) mod fixture;
mod group;
mod model;
mod pictures;
mod repair;
mod room;
