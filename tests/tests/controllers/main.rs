//! The daemon's controllers against simulated barriers on a real pty and behind a real mosquitto.
#![allow(clippy::unwrap_used)]

mod chargers;
mod modbus;
mod mqtt;
mod scene;
mod serial;
