//! What both ends of Gatehouse mean by a plate, a fee, a session and an event. Pure: no clock, no
//! disk, no network, so that the edge and the cloud always reach the same answer.

pub mod access;
pub mod charging;
pub mod clock;
pub mod conflicts;
pub mod directive;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod locker;
pub mod money;
pub mod parking;
pub mod plate;
pub mod site;
pub mod tariff;
