//! What is pushed: `/ws/system/` tells how the system is, every 5 s and at once when something
//! changes.

mod board;
mod channel;
mod machine;

pub(crate) use board::{SystemStatus, keep_current};
pub(crate) use channel::routes;
