//! The service over real HTTP: a site sends, people look.
#![allow(clippy::unwrap_used, missing_docs)]

mod accounts;
mod anpr;
mod channel;
mod charging;
mod crossing;
mod detection;
mod edge;
mod hz;
mod hz_parking;
mod members;
mod once;
mod openapi;
mod pictures;
mod program;
mod recognition;
mod roles;
mod scans;
mod second_reader;
mod service;
mod smart;
mod station;
mod web;
