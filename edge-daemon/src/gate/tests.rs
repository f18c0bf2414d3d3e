//! Stories and properties of the gate, in simulated time. Every commit of every test is held
//! against the promises of the gate by [`site::Site`].
#![allow(clippy::unwrap_used)]

mod barrier;
mod cloud;
mod configuration;
mod entry;
mod exit;
mod people;
mod properties;
mod restart;
mod site;
