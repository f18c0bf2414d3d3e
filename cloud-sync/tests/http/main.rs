//! The service over real HTTP: a site sends, people look.
#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod anpr;
mod channel;
mod charging;
mod edge;
mod hz;
mod hz_parking;
mod once;
mod program;
mod roles;
mod service;
mod smart;
mod station;
mod web;
