//! What stands in for a site in tests and in the demo: simulated hardware that speaks the real
//! protocols, and real servers on free ports.

pub mod barrier;
pub mod mosquitto;
