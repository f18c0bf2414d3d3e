//! How often callers may call, where several instances answer them. There is one bucket of tokens for
//! each caller and class of calls, filled evenly over the minute. An instance takes tokens out in
//! small lots, a lease, and answers calls with those.
//!
//! So in no minute are there more calls than the bucket gives, however many instances there are. There
//! may be fewer: what an instance has leased, no other can use. A caller who is answered by n
//! instances in turn may be refused up to (n - 1) lots early, and one whose instance dies loses a lot.

use crate::{
    base::Base,
    error::Result,
    store::{Transaction, first, params},
};

const MINUTE_MS: i64 = 60_000;
/// Tokens are kept in thousandths.
const WHOLE: i64 = 1000;
/// A lot is this part of a minute's tokens, and at least one.
const LOTS: i64 = 20;

/// What an instance may answer before it asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// So many calls.
    Calls(u32),
    /// None for so many milliseconds.
    Wait(i64),
}

/// The buckets.
pub struct RateLimits {
    base: Base,
}

impl RateLimits {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Whether there may be other instances: where not, each counts by itself.
    pub fn are_shared(&self) -> bool {
        self.base.store.is_shared()
    }

    /// Takes a lot out of a bucket that gives `per_minute` tokens.
    ///
    /// # Errors
    /// [`crate::Error::Store`] where the database cannot be used.
    pub async fn lease(&self, bucket: String, per_minute: u32) -> Result<Lease> {
        let now_ms = self.base.now_ms();
        let name = bucket.clone();
        let lease = move |tx: &mut dyn Transaction| take(tx, &bucket, per_minute.into(), now_ms);
        self.base.store.count(&name, lease).await
    }

    /// Forgets buckets that are full again.
    pub(crate) async fn forget_old(&self) -> Result<()> {
        let before_ms = self.base.now_ms() - MINUTE_MS;
        let any = "SELECT 1 FROM rate_buckets WHERE filled_at_ms < $1 LIMIT 1";
        let any = self.base.store.read(move |tx| Ok(first(tx, any, params![before_ms])?.is_some()));
        if !any.await? {
            return Ok(());
        }
        let forget = move |tx: &mut dyn Transaction| {
            tx.execute("DELETE FROM rate_buckets WHERE filled_at_ms < $1", params![before_ms])?;
            Ok(())
        };
        self.base.store.write(forget).await
    }
}

fn take(tx: &mut dyn Transaction, bucket: &str, most: i64, now_ms: i64) -> Result<Lease> {
    let sql = "SELECT tokens, filled_at_ms FROM rate_buckets WHERE bucket = $1";
    let full = most * WHOLE;
    let tokens = match first(tx, sql, params![bucket])? {
        // A clock that was set back fills nothing.
        Some(row) => refilled(row.get(0)?, (now_ms - row.get::<i64>(1)?).max(0), most),
        None => full,
    };
    let lot = (most / LOTS).max(1).min(tokens / WHOLE);
    if lot == 0 {
        return Ok(Lease::Wait(((WHOLE - tokens) * MINUTE_MS + full - 1) / full));
    }
    tx.execute(
        "INSERT INTO rate_buckets (bucket, tokens, filled_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (bucket) DO UPDATE
         SET tokens = excluded.tokens, filled_at_ms = excluded.filled_at_ms",
        params![bucket, tokens - lot * WHOLE, now_ms],
    )?;
    Ok(Lease::Calls(u32::try_from(lot).unwrap_or(1)))
}

/// What is in a bucket after a time, at most what it holds.
fn refilled(tokens: i64, passed_ms: i64, most: i64) -> i64 {
    let full = most * WHOLE;
    tokens.saturating_add(passed_ms.min(MINUTE_MS) * full / MINUTE_MS).min(full)
}
