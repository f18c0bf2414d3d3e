//! Chargers behind the broker.

use firmware_protocol::charger;

use super::{
    payload::{
        Command,
        charger::{Arguments, Refusal, State, encode},
    },
    told::Words,
};
use crate::controller::charger::Charger;

impl Words for Charger {
    type Arguments = Arguments;
    type State = State;
    type Reason = Refusal;

    /// A charger tells its state at least every ten seconds.
    const SILENT_AFTER_MS: u64 = 30_000;

    fn moment(state: &State) -> (u32, u64) {
        (state.boot_id, state.uptime_ms)
    }

    fn encode(command: &charger::Command, counter: u64) -> (&'static str, Command<Arguments>) {
        encode(command, counter)
    }
}
