//! How often one caller may call: a bucket of tokens for each caller and class of calls, filled
//! evenly over the minute. Pure; the time is passed in.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::IpAddr,
    sync::{Mutex, PoisonError, RwLock},
};

use domain::ids::DeviceId;

use crate::config::Limits;

const MINUTE_MS: f64 = 60_000.0;
/// Buckets that are kept; when there are more, the full ones, which say nothing, are dropped.
const MOST_BUCKETS: usize = 10_000;

/// A class of calls with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Pictures that are to be recognised.
    Detection,
    /// Queries of the hz face.
    Query,
    /// Everything that has no limit of its own.
    Other,
    /// Attempts to enrol a site.
    Enrolment,
}

/// Whose calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// An account's.
    Account(i64),
    /// A controller's, by a hash of its name.
    Device(u64),
    /// Those of nobody known, by address.
    Address(IpAddr),
}

impl Who {
    /// A controller.
    pub(crate) fn device(id: &DeviceId) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self::Device(hasher.finish())
    }
}

struct Bucket {
    tokens: f64,
    filled_at_ms: u64,
}

/// The buckets.
pub(crate) struct Limiter {
    limits: RwLock<Limits>,
    buckets: Mutex<HashMap<(Who, Class), Bucket>>,
}

impl Limiter {
    /// Starts with full buckets.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { limits: RwLock::new(limits.clone()), buckets: Mutex::default() }
    }

    /// Goes by other limits from now on.
    pub(crate) fn set(&self, limits: &Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits.clone();
    }

    /// Counts a call; where it is one too many, the seconds until the next may come.
    pub(crate) fn take(&self, who: Who, class: Class, now_ms: u64) -> Result<(), u64> {
        let limits = self.limits.read().unwrap_or_else(PoisonError::into_inner);
        if !limits.enabled {
            return Ok(());
        }
        let most = per_minute(&limits, class);
        let mut buckets = self.buckets.lock().expect("nobody panics with the buckets");
        if buckets.len() >= MOST_BUCKETS {
            buckets.retain(|(_, class), bucket| {
                let most = per_minute(&limits, *class);
                refilled(bucket, most, now_ms) < most
            });
        }
        let full = Bucket { tokens: most, filled_at_ms: now_ms };
        let bucket = buckets.entry((who, class)).or_insert(full);
        bucket.tokens = refilled(bucket, most, now_ms);
        bucket.filled_at_ms = now_ms;
        if bucket.tokens < 1.0 {
            let wait_ms = (1.0 - bucket.tokens) * MINUTE_MS / most;
            return Err((wait_ms / 1000.0).ceil().max(1.0) as u64);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

fn per_minute(limits: &Limits, class: Class) -> f64 {
    f64::from(match class {
        Class::Detection => limits.detections_per_minute,
        Class::Query => limits.queries_per_minute,
        Class::Other => limits.other_per_minute,
        Class::Enrolment => limits.enrolments_per_minute,
    })
}

fn refilled(bucket: &Bucket, most: f64, now_ms: u64) -> f64 {
    let passed_ms = now_ms.saturating_sub(bucket.filled_at_ms) as f64;
    (bucket.tokens + passed_ms * most / MINUTE_MS).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter::new(&Limits { queries_per_minute: 60, ..Limits::default() })
    }

    #[test]
    fn the_call_after_the_last_is_refused_until_a_token_is_there_again() {
        let limiter = limiter();
        let call = |who, now_ms| limiter.take(Who::Account(who), Class::Query, now_ms);
        assert!((0..60).all(|_| call(1, 0).is_ok()));
        assert_eq!(call(1, 0), Err(1));
        assert!(call(2, 0).is_ok(), "another caller is not limited");
        assert!(call(1, 1000).is_ok());
        assert_eq!(call(1, 1000), Err(1));
    }

    #[test]
    fn memory_is_bounded_by_the_callers_of_the_last_minute() {
        let limiter = limiter();
        for id in 0..3 * MOST_BUCKETS as i64 {
            let _ = limiter.take(Who::Account(id), Class::Query, 120_000 * id as u64);
        }
        assert!(limiter.buckets.lock().is_ok_and(|buckets| buckets.len() <= MOST_BUCKETS));
    }
}
