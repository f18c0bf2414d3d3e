//! The service over real HTTP: a site sends, people look.
#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod anpr;
mod channel;
mod charging;
mod crossing;
mod detection;
mod edge;
mod engines;
mod hz;
mod hz_parking;
mod members;
mod once;
mod openapi;
mod pictures;
mod plans;
#[path = "../../core/tests/services/postgres.rs"]
#[expect(dead_code, reason = "the tests of the store do more with it")]
mod postgres;
mod program;
mod providers;
mod races;
mod recognition;
mod roles;
mod scans;
mod second_reader;
mod service;
mod smart;
mod station;
mod web;
