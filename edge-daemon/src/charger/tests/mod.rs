//! The chargers of a site, with cars, lines that fail and clocks that jump, by the simulated hour.
#![allow(clippy::unwrap_used)]

mod limit;
mod metering;
mod site;
