//! How often one caller may call: a bucket of tokens for each caller and class of calls, filled
//! evenly over the minute. Where several instances answer, the bucket is in the database and this
//! one has small lots of it ([`cloud_core::RateLimits`] says what that costs). Pure; the time is
//! passed in.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
};

use cloud_core::Lease;
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// An account's.
    Account(i64),
    /// A controller's, by its name.
    Device(String),
    /// Those of nobody known, by address.
    Address(IpAddr),
}

impl Who {
    /// A controller.
    pub(crate) fn device(id: &DeviceId) -> Self {
        Self::Device(id.to_string())
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => write!(f, "account {id}"),
            Self::Device(id) => write!(f, "device {id}"),
            Self::Address(address) => write!(f, "address {address}"),
        }
    }
}

/// Why a call is not answered at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// It is one too many.
    Wait {
        /// Until the next may come.
        seconds: u64,
    },
    /// The bucket that all instances share is to be asked for a lot.
    Ask {
        /// Its name.
        bucket: String,
        /// What it gives.
        per_minute: u32,
    },
}

/// What a caller has left here.
struct Bucket {
    tokens: f64,
    filled_at_ms: u64,
    /// Until then the shared bucket has nothing.
    empty_until_ms: u64,
}

type Buckets = HashMap<(Who, Class), Bucket>;

/// The buckets.
pub(crate) struct Limiter {
    limits: RwLock<Limits>,
    is_shared: bool,
    buckets: Mutex<Buckets>,
}

impl Limiter {
    /// Starts with full buckets, or, where other instances count as well, with none.
    pub(crate) fn new(limits: &Limits, is_shared: bool) -> Self {
        Self { limits: RwLock::new(limits.clone()), is_shared, buckets: Mutex::default() }
    }

    /// Goes by other limits from now on.
    pub(crate) fn set(&self, limits: &Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits.clone();
    }

    /// Counts a call, where it need not be asked for.
    pub(crate) fn take(&self, who: Who, class: Class, now_ms: u64) -> Result<(), Short> {
        let limits = self.limits.read().unwrap_or_else(PoisonError::into_inner);
        if !limits.enabled {
            return Ok(());
        }
        let most = per_minute(&limits, class);
        let mut buckets = self.buckets();
        self.drop_idle(&mut buckets, &limits, now_ms);
        if self.is_shared {
            return take_leased(&mut buckets, who, class, most, now_ms);
        }
        let full = Bucket { tokens: most.into(), filled_at_ms: now_ms, empty_until_ms: 0 };
        let bucket = buckets.entry((who, class)).or_insert(full);
        bucket.tokens = refilled(bucket, most.into(), now_ms);
        bucket.filled_at_ms = now_ms;
        if bucket.tokens < 1.0 {
            let wait_ms = (1.0 - bucket.tokens) * MINUTE_MS / f64::from(most);
            return Err(Short::Wait { seconds: seconds(wait_ms) });
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// Counts a call with what the shared bucket gave; where that is nothing, the seconds until
    /// the next may come.
    pub(crate) fn lend(
        &self,
        who: Who,
        class: Class,
        lease: Lease,
        now_ms: u64,
    ) -> Result<(), u64> {
        let mut buckets = self.buckets();
        let none = Bucket { tokens: 0.0, filled_at_ms: now_ms, empty_until_ms: 0 };
        let bucket = buckets.entry((who, class)).or_insert(none);
        match lease {
            Lease::Calls(calls) => {
                bucket.tokens += f64::from(calls) - 1.0;
                bucket.filled_at_ms = now_ms;
                Ok(())
            }
            Lease::Wait(wait_ms) => {
                bucket.empty_until_ms = now_ms.saturating_add(wait_ms.unsigned_abs());
                Err(seconds(wait_ms as f64))
            }
        }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().expect("nobody panics with the buckets")
    }

    /// Where there are too many, drops those that say nothing: full ones, and old lots.
    fn drop_idle(&self, buckets: &mut Buckets, limits: &Limits, now_ms: u64) {
        if buckets.len() < MOST_BUCKETS {
            return;
        }
        buckets.retain(|(_, class), bucket| {
            let most = f64::from(per_minute(limits, *class));
            if self.is_shared {
                is_fresh(bucket, now_ms)
            } else {
                refilled(bucket, most, now_ms) < most
            }
        });
    }
}

/// Counts a call with what is left of a lot. A lot is good for a minute: in that the shared bucket
/// would have been filled again.
fn take_leased(
    buckets: &mut Buckets,
    who: Who,
    class: Class,
    per_minute: u32,
    now_ms: u64,
) -> Result<(), Short> {
    let bucket_name = format!("{who} {class:?}");
    let Some(bucket) = buckets.get_mut(&(who, class)) else {
        return Err(Short::Ask { bucket: bucket_name, per_minute });
    };
    if bucket.tokens >= 1.0 && is_fresh(bucket, now_ms) {
        bucket.tokens -= 1.0;
        return Ok(());
    }
    bucket.tokens = 0.0;
    if now_ms < bucket.empty_until_ms {
        return Err(Short::Wait { seconds: seconds((bucket.empty_until_ms - now_ms) as f64) });
    }
    Err(Short::Ask { bucket: bucket_name, per_minute })
}

fn is_fresh(bucket: &Bucket, now_ms: u64) -> bool {
    now_ms.saturating_sub(bucket.filled_at_ms) < MINUTE_MS as u64
}

/// Whole seconds that are enough.
fn seconds(ms: f64) -> u64 {
    (ms / 1000.0).ceil().max(1.0) as u64
}

fn per_minute(limits: &Limits, class: Class) -> u32 {
    match class {
        Class::Detection => limits.detections_per_minute,
        Class::Query => limits.queries_per_minute,
        Class::Other => limits.other_per_minute,
        Class::Enrolment => limits.enrolments_per_minute,
    }
}

fn refilled(bucket: &Bucket, most: f64, now_ms: u64) -> f64 {
    let passed_ms = now_ms.saturating_sub(bucket.filled_at_ms) as f64;
    (bucket.tokens + passed_ms * most / MINUTE_MS).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(is_shared: bool) -> Limiter {
        Limiter::new(&Limits { queries_per_minute: 60, ..Limits::default() }, is_shared)
    }

    #[test]
    fn the_call_after_the_last_is_refused_until_a_token_is_there_again() {
        let limiter = limiter(false);
        let call = |who, now_ms| limiter.take(Who::Account(who), Class::Query, now_ms);
        assert!((0..60).all(|_| call(1, 0).is_ok()));
        assert_eq!(call(1, 0), Err(Short::Wait { seconds: 1 }));
        assert!(call(2, 0).is_ok(), "another caller is not limited");
        assert!(call(1, 1000).is_ok());
        assert_eq!(call(1, 1000), Err(Short::Wait { seconds: 1 }));
    }

    #[test]
    fn where_others_count_as_well_a_lot_is_asked_for_and_used_up() {
        let limiter = limiter(true);
        let call = |now_ms| limiter.take(Who::Account(1), Class::Query, now_ms);
        let ask = || Short::Ask { bucket: "account 1 Query".into(), per_minute: 60 };
        let lend = |lease| limiter.lend(Who::Account(1), Class::Query, lease, 0);
        assert_eq!(call(0), Err(ask()));
        assert_eq!(lend(Lease::Calls(3)), Ok(()));
        assert!(call(0).is_ok() && call(0).is_ok());
        assert_eq!(call(0), Err(ask()));
        assert_eq!(lend(Lease::Wait(1500)), Err(2));
        assert_eq!(call(100), Err(Short::Wait { seconds: 2 }), "nobody asks again before");
        assert_eq!(call(1500), Err(ask()));
        assert_eq!(lend(Lease::Calls(3)), Ok(()));
        assert_eq!(call(60_000), Err(ask()), "a lot is good for a minute");
    }

    #[test]
    fn memory_is_bounded_by_the_callers_of_the_last_minute() {
        for limiter in [limiter(false), limiter(true)] {
            for id in 0..3 * MOST_BUCKETS as i64 {
                let now_ms = 120_000 * id as u64;
                let _ = limiter.take(Who::Account(id), Class::Query, now_ms);
                let _ = limiter.lend(Who::Account(id), Class::Query, Lease::Calls(1), now_ms);
            }
            assert!(limiter.buckets().len() <= MOST_BUCKETS);
        }
    }
}
