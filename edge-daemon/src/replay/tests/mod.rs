//! Replay against a real HTTP server on loopback that answers by script.
#![allow(clippy::unwrap_used)]

mod script;
mod stories;
