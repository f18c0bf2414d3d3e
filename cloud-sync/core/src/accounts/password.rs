//! Passwords: argon2id, a few at a time so that logins cannot take the machine, and the same work
//! for an account that is not there, so that the time tells nobody which are.

use std::{
    sync::{Arc, OnceLock},
    thread::available_parallelism,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    error::{Error, Result},
    secret,
    store::StoreError,
};

/// Passwords that may wait for their turn; each takes tens of milliseconds.
const WAITING: usize = 64;
/// After how many seconds it is worth trying again when too many wait.
const BUSY_RETRY_S: u64 = 2;

/// The one place where passwords are hashed and compared.
pub(super) struct Passwords {
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
    /// What the password of nobody is compared with.
    decoy: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        let at_a_time = available_parallelism().map_or(1, |cores| cores.get().clamp(1, 4));
        Self {
            waiting: Arc::new(Semaphore::new(WAITING)),
            working: Arc::new(Semaphore::new(at_a_time)),
            decoy: Arc::default(),
        }
    }

    /// What is kept of a password.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.work(move || secret::hash_password(&password)).await
    }

    /// Whether a password is the one that `hash` was made of; never, and not sooner, without one.
    pub(super) async fn matches(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let (password, decoy) = (password.to_owned(), self.decoy.clone());
        self.work(move || match hash {
            Some(hash) => secret::is_password(&password, &hash),
            None => {
                let decoy = match decoy.get() {
                    Some(decoy) => decoy,
                    None => decoy.get_or_init(|| secret::hash_password("").unwrap_or_default()),
                };
                secret::is_password(&password, decoy).map(|_| false)
            }
        })
        .await
    }

    /// Runs work on another thread when its turn comes.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = |_| Error::Throttled { retry_after_s: BUSY_RETRY_S };
        let place = self.waiting.clone().try_acquire_owned().map_err(busy)?;
        let closed = |e| StoreError::new("wait for a turn", e);
        let turn = self.working.clone().acquire_owned().await.map_err(closed)?;
        let worker = spawn_blocking(move || {
            let _held = (place, turn);
            work()
        });
        worker.await.map_err(|e| StoreError::new("work on a password", e))?
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_matches() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.matches("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches("wrong horse", Some(hash)).await.unwrap());
        assert!(!passwords.matches("", None).await.unwrap(), "the decoy lets nobody in");
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_instead_of_piling_up() {
        let passwords = Arc::new(Passwords::new());
        let tries = (0..3 * WAITING).map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.matches("flood", None).await })
        });
        let mut turned_away = 0;
        for outcome in tries.collect::<Vec<_>>() {
            let outcome = outcome.await.unwrap();
            turned_away += usize::from(matches!(outcome, Err(Error::Throttled { .. })));
        }
        assert!((1..=2 * WAITING).contains(&turned_away), "{turned_away}");
        assert!(passwords.matches("calm", None).await.is_ok());
    }
}
