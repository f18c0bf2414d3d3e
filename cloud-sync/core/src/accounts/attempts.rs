//! How often somebody may try a password: per account and address together, per account from
//! anywhere, and per address for any account. Each attempt is counted before the password is
//! looked at, so that many at once are no way around it, and kept in the database, so that a
//! restart is none either.

use std::net::IpAddr;

use crate::{
    error::{Error, Result},
    store::{Transaction, params},
};

/// Attempts are counted from the first one for this long, in milliseconds.
const WINDOW_MS: i64 = 10 * 60 * 1000;
/// Attempts from one address at one account.
const BY_BOTH: i64 = 10;
/// Attempts at one account, so that many addresses do not help; high, so that a stranger cannot
/// easily lock somebody out.
const BY_ACCOUNT: i64 = 100;
/// Attempts from one address, behind which a whole office may be.
const BY_ADDRESS: i64 = 200;
/// Longest name that is told from others, in characters.
const LONGEST_NAME: usize = 150;

/// An attempt to log in under a name from an address.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    subjects: [(String, i64); 3],
    now_ms: i64,
}

impl Attempt {
    pub(super) fn new(name: &str, address: IpAddr, now_ms: i64) -> Self {
        let name: String = name.chars().take(LONGEST_NAME).collect();
        let subjects = [
            (format!("both {address} {name}"), BY_BOTH),
            (format!("account {name}"), BY_ACCOUNT),
            (format!("address {address}"), BY_ADDRESS),
        ];
        Self { subjects, now_ms }
    }

    /// Counts it.
    ///
    /// # Errors
    /// [`Error::Throttled`] where there were too many.
    pub(super) fn count(&self, tx: &mut dyn Transaction) -> Result<()> {
        let old = self.now_ms - WINDOW_MS;
        tx.execute("DELETE FROM login_failures WHERE started_at_ms <= $1", params![old])?;
        let until_ms =
            self.subjects.iter().try_fold(None, |latest: Option<i64>, (subject, most)| {
                Ok::<_, Error>(latest.max(blocked_until_ms(tx, subject, *most)?))
            })?;
        if let Some(until_ms) = until_ms {
            let wait_ms = u64::try_from(until_ms - self.now_ms).unwrap_or_default();
            return Err(Error::Throttled { retry_after_s: wait_ms.div_ceil(1000).max(1) });
        }
        for (subject, _) in &self.subjects {
            tx.execute(
                "INSERT INTO login_failures (subject, failures, started_at_ms) VALUES ($1, 1, $2)
                 ON CONFLICT (subject) DO UPDATE SET failures = login_failures.failures + 1",
                params![subject, self.now_ms],
            )?;
        }
        Ok(())
    }

    /// Takes it back: it was no failure of the password.
    pub(super) fn take_back(&self, tx: &mut dyn Transaction) -> Result<()> {
        for (subject, _) in &self.subjects {
            let less = "UPDATE login_failures SET failures = failures - 1 WHERE subject = $1";
            tx.execute(less, params![subject])?;
        }
        Ok(())
    }

    /// Takes it back and forgets what went before it at this account from this address.
    pub(super) fn succeeded(&self, tx: &mut dyn Transaction) -> Result<()> {
        self.take_back(tx)?;
        let forget = "DELETE FROM login_failures WHERE subject = $1";
        tx.execute(forget, params![&self.subjects[0].0])?;
        Ok(())
    }
}

fn blocked_until_ms(tx: &mut dyn Transaction, subject: &str, most: i64) -> Result<Option<i64>> {
    let sql = "SELECT started_at_ms FROM login_failures WHERE subject = $1 AND failures >= $2";
    let rows = tx.query(sql, params![subject, most])?;
    Ok(rows.first().map(|row| row.get::<i64>(0)).transpose()?.map(|start| start + WINDOW_MS))
}
