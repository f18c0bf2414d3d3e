//! The socket between the two processes: vision says what it saw, the core listens.
//!
//! Frames never cross it, only JSON messages with their length in front. Everything is bounded: the
//! size of a message, how many may wait, how many may come in a second. When the core is slow,
//! statistics are overwritten by newer ones, and sightings wait; should too many wait, the oldest
//! is given up and counted, and the count is sent ([`Message::Lost`]), so that nothing vanishes
//! unseen. Vision may have been taken over through a codec, so the core checks what it says and
//! cuts off a peer that floods or talks nonsense.

mod limit;
mod message;
mod receiver;
mod sender;

pub use message::{Message, Sighting, Stats, VERSION};
pub use receiver::{Cut, Error, Received, Receiver};
pub use sender::{SendError, Sender};

use std::time::Duration;

use tokio_util::codec::LengthDelimitedCodec;

/// Most bytes in one message.
pub const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// How often vision says that it is alive.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// Microseconds of the system's monotonic clock, which both processes share; it starts with the
/// machine and does not count suspended time.
pub fn monotonic_us() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)
        .expect("every Linux has a monotonic clock");
    now.tv_sec().unsigned_abs() * 1_000_000 + now.tv_nsec().unsigned_abs() / 1_000
}

/// How a message lies on the wire: four bytes of length, most significant first, then JSON.
fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(MAX_MESSAGE_BYTES).new_codec()
}
