//! Guessing is stopped: after five wrong codes within ten minutes, none counts for ten minutes.
//! Counted for each door with a keypad of its own, and for each controller whose doors share one.

use std::collections::HashMap;

use domain::ids::DeviceId;

/// Wrong codes, within [`WINDOW_MS`], that lock out.
const MOST_WRONG: usize = 5;
/// How long wrong codes count, and how long the lockout lasts.
pub(super) const WINDOW_MS: u64 = 10 * 60 * 1_000;

/// What codes are counted for: the controller, and the name on the door where one was named.
pub(super) type Scope = (DeviceId, Option<String>);

/// Who has entered how many wrong codes.
#[derive(Debug, Default)]
pub(super) struct Lockouts(HashMap<Scope, Record>);

#[derive(Debug, Default)]
struct Record {
    wrong_ms: Vec<u64>,
    until_ms: u64,
}

impl Lockouts {
    pub fn holds(&self, scope: &Scope, now_ms: u64) -> bool {
        self.0.get(scope).is_some_and(|record| now_ms < record.until_ms)
    }

    /// Counts a wrong code; whether it was one too many.
    pub fn count(&mut self, scope: &Scope, now_ms: u64) -> bool {
        let record = self.0.entry(scope.clone()).or_default();
        record.wrong_ms.retain(|at_ms| now_ms < at_ms + WINDOW_MS);
        record.wrong_ms.push(now_ms);
        let locks = record.wrong_ms.len() >= MOST_WRONG;
        if locks {
            self.lock(scope.clone(), now_ms + WINDOW_MS);
        }
        locks
    }

    /// Locks out until then.
    pub fn lock(&mut self, scope: Scope, until_ms: u64) {
        self.0.insert(scope, Record { wrong_ms: Vec::new(), until_ms });
    }

    /// A right code: whoever stands there has not been guessing.
    pub fn forgive(&mut self, scope: &Scope) {
        self.0.remove(scope);
    }
}
