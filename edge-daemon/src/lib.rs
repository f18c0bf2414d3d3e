//! The appliance at a site: sees vehicles, decides at the barrier, remembers everything, and tells
//! the cloud when it can.
//!
//! One binary, two processes: `vision` (cameras, codecs, recognition; may crash) and the core
//! (lanes, controllers, journal, replay; must not), joined by the [`sightings`] socket.

pub mod backoff;
pub mod charger;
pub mod cli;
pub mod cloud;
pub mod commit;
pub mod config;
pub mod conformance;
pub mod console;
pub mod controller;
pub mod daemon;
pub mod directives;
pub mod gate;
pub mod health;
pub mod identity;
pub mod journal;
pub mod lists;
pub mod locker;
pub mod pairing;
pub mod replay;
pub mod sightings;
pub mod supervisor;
pub mod system_clock;
pub mod tls;
pub mod vision;
