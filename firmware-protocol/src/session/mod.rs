//! How a command moves something once, in time, or not at all, on a line that delays, loses and
//! repeats, with a device that has no clock.
//!
//! - At its start a device draws a boot number. A [`Hello`](crate::barrier::Hello) names it, gives
//!   the session a larger number than any before in this boot, and carries the host's monotonic
//!   time; so the replay of an older hello is void. The device keeps the distance between its own
//!   counter and the host's.
//! - The host trusts a session only if the answer to its hello came soon: what the hello spent on
//!   the line is by how much the device could be late. It says hello again every few minutes, so
//!   that two clocks that drift apart do not matter.
//! - A command names the boot and the session and carries its end in the host's time. Another boot
//!   or session, or a time past the end, is answered `expired`.
//! - The device remembers each command until it has expired. One that it knows is answered `duplicate` with what was decided first, so that the host may
//!   repeat a command whose answer was lost.

mod device;
mod host;

pub use device::{Device, REMEMBERED};
pub use host::{Done, Host, Offer, Outcome, Pace, SILENT_AFTER_MS};
