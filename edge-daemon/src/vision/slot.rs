//! Hands frames from a camera to recognition: the latest wins, or the giver waits.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A place for one item between two threads.
#[derive(Debug)]
pub struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    item: Option<T>,
    closed: bool,
}

/// What was in the slot.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// An item.
    Item(T),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl<T> Slot<T> {
    /// An empty slot.
    pub fn new() -> Self {
        Self { state: Mutex::new(State { item: None, closed: false }), changed: Condvar::new() }
    }

    /// Puts an item in, in place of one that was not taken; whether there was one.
    pub fn replace(&self, item: T) -> bool {
        let replaced = self.lock().item.replace(item).is_some();
        self.changed.notify_all();
        replaced
    }

    /// Puts an item in when the one before was taken. Gives it back where that takes longer than
    /// `patience`.
    pub fn offer(&self, item: T, patience: Duration) -> Result<(), T> {
        let full = |state: &mut State<T>| state.item.is_some() && !state.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, full);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.item.is_some() {
            return Err(item);
        }
        state.item = Some(item);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Nothing more will come; what is in it can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes what is in it, waiting up to `patience`.
    pub fn take(&self, patience: Duration) -> Taken<T> {
        let empty = |state: &mut State<T>| state.item.is_none() && !state.closed;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, empty);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = match (state.item.take(), state.closed) {
            (Some(item), _) => Taken::Item(item),
            (None, false) => Taken::Nothing,
            (None, true) => Taken::Closed,
        };
        drop(state);
        self.changed.notify_all();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_wins() {
        let slot = Slot::new();
        assert!(!slot.replace(1));
        assert!(slot.replace(2));
        assert_eq!(slot.take(Duration::ZERO), Taken::Item(2));
        assert_eq!(slot.take(Duration::ZERO), Taken::Nothing);
    }

    #[test]
    fn a_patient_giver_loses_nothing() {
        let slot = Slot::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for item in 0..100 {
                    assert_eq!(slot.offer(item, Duration::from_secs(60)), Ok(()));
                }
                slot.close();
            });
            for item in 0..100 {
                assert_eq!(slot.take(Duration::from_secs(60)), Taken::Item(item));
            }
            assert_eq!(slot.take(Duration::from_secs(60)), Taken::Closed);
        });
        assert_eq!(slot.offer(1, Duration::ZERO), Ok(()));
        assert_eq!(slot.offer(2, Duration::ZERO), Err(2));
    }
}
