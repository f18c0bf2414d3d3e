//! The wish to stop, shared by all threads.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Cheap to clone; once it is requested it stays so.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Asks all threads to stop.
    pub fn request(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `pause`, or until it is asked for.
    pub fn sleep(&self, pause: Duration) {
        let requested = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken early or late: the caller looks again.
        drop(self.0.1.wait_timeout_while(requested, pause, |requested| !*requested));
    }
}
