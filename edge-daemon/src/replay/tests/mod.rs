//! Replay against a real HTTP server on loopback that answers by script.
#![allow(clippy::unwrap_used)]

mod drain;
mod script;
mod stories;
mod stranger;
