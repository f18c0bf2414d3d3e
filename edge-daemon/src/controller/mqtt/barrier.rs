//! Barriers behind the broker.

use firmware_protocol::barrier;

use super::{
    payload::{
        Command, Nothing,
        barrier::{Refusal, State, encode},
    },
    told::Words,
};
use crate::controller::barrier::Barrier;

impl Words for Barrier {
    type Arguments = Nothing;
    type State = State;
    type Reason = Refusal;

    /// A barrier tells its state at least once a second.
    const SILENT_AFTER_MS: u64 = 3_000;

    fn moment(state: &State) -> (u32, u64) {
        (state.boot_id, state.uptime_ms)
    }

    fn encode(command: &barrier::Command, counter: u64) -> (&'static str, Command<Nothing>) {
        encode(command, counter)
    }
}
