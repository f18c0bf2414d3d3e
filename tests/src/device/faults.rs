//! What may be wrong with a device's firmware; all off at first.

use std::time::Duration;

use crate::serial::Manners;

/// Switches; each breaks one promise of the protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// It says nothing.
    pub silent: bool,
    /// It says its state without end, as fast as it can.
    pub babbling: bool,
    /// It takes this long to answer, in milliseconds.
    pub slow_ms: u64,
    /// Everything it receives reaches it twice.
    pub duplicates: bool,
    /// It does what anybody says.
    pub ignores_seal: bool,
    /// It seals nothing that it says.
    pub unsealed: bool,
    /// It does what came late.
    pub ignores_expiry: bool,
    /// It does what was meant for another run or session.
    pub ignores_session: bool,
    /// It does what has an old number.
    pub ignores_counter: bool,
    /// It does again what it did before.
    pub ignores_duplicates: bool,
    /// It does what the broker kept.
    pub ignores_retained: bool,
    /// It starts from nothing after a loss of power, and takes old numbers again.
    pub forgets_counter: bool,
    /// It answers no hello.
    pub unwelcoming: bool,
    /// It has no last will.
    pub no_will: bool,
    /// Its state is not retained.
    pub forgettable_state: bool,
    /// It tells each event twice, as two.
    pub repeats_events: bool,
    /// It leaves numbers of events out.
    pub skips_events: bool,
    /// It says nothing about itself.
    pub no_info: bool,
}

impl Faults {
    /// What of it shows on a serial line.
    pub fn manners(&self) -> Manners {
        let Self { silent, babbling, duplicates, slow_ms, .. } = *self;
        Manners { silent, babbling, duplicates, slow: Duration::from_millis(slow_ms) }
    }

    /// The fault of a name, as the command line has it.
    pub fn named(name: &str) -> Option<Self> {
        let mut faults = Self::default();
        let switch = match name {
            "slow" => {
                faults.slow_ms = 800;
                return Some(faults);
            }
            "silent" => &mut faults.silent,
            "babbling" => &mut faults.babbling,
            "duplicates" => &mut faults.duplicates,
            "ignores-seal" => &mut faults.ignores_seal,
            "unsealed" => &mut faults.unsealed,
            "ignores-expiry" => &mut faults.ignores_expiry,
            "ignores-session" => &mut faults.ignores_session,
            "ignores-counter" => &mut faults.ignores_counter,
            "ignores-duplicates" => &mut faults.ignores_duplicates,
            "ignores-retained" => &mut faults.ignores_retained,
            "forgets-counter" => &mut faults.forgets_counter,
            "unwelcoming" => &mut faults.unwelcoming,
            "no-will" => &mut faults.no_will,
            "forgettable-state" => &mut faults.forgettable_state,
            "repeats-events" => &mut faults.repeats_events,
            "skips-events" => &mut faults.skips_events,
            "no-info" => &mut faults.no_info,
            _ => return None,
        };
        *switch = true;
        Some(faults)
    }
}
