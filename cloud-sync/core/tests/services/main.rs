//! The services as faces use them, on each engine: `world` says how to write such a test.
#![allow(clippy::unwrap_used)]

mod access;
mod accounts;
mod charging;

mod directives;
mod instances;
mod lockers;
mod once;
mod parking;
mod postgres;
mod recognition;
mod schema;
mod store;
mod till;
mod world;
