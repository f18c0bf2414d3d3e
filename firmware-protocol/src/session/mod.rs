//! How a command moves something once, in time, or not at all, on a line that delays, loses and
//! repeats, with a device that has no clock.
//!
//! - At its start a device draws a boot number. A [`Hello`](crate::command::Hello) names it, gives
//!   the session a larger number than any before in this boot, and carries the host's monotonic
//!   time; so the replay of an older hello is void. The device keeps the distance between its own
//!   counter and the host's.
//! - The host trusts a session only if the answer to its hello came soon: what the hello spent on
//!   the line is by how much the device could be late. It says hello again every few minutes, so
//!   that two clocks that drift apart do not matter.
//! - A command names the boot and the session and carries its end in the host's time. Another boot
//!   or session, or a time past the end, is answered `expired`.
//! - The device remembers each command until it has expired. One that it knows is answered
//!   `duplicate` with what was decided first, so that the host may repeat a command whose answer
//!   was lost.
//! - Where messages are sealed, a command also has a number that is higher than that of any command
//!   the device ever took; the device keeps it through a restart, and tells it in its sealed
//!   [`Welcome`]. So a device that draws the same boot number twice is safe as well, and nobody who
//!   holds a hello back can make a command count later than the host meant.
//! - A device that has a clock may look at it as well; none needs one.

mod device;
mod host;

pub use device::{Arrival, Device, REMEMBERED};
pub use host::{Done, Host, Offer, Outcome, Pace, Run, Welcome};
