//! What must be done at most once, however often it is asked for: the first request with a key is
//! done, later ones get its answer. The key is on disk before anything is done, so that after a
//! crash in between the request is not done again: its outcome is told to be unknown.

use std::time::Duration;

use domain::envelope::to_hex;
use ring::digest::{Context, SHA256};
use tokio::time::{Instant, sleep};

use crate::{
    base::Base,
    error::{Error, Result},
    store::{Transaction, first, params},
};

/// How long an answer is kept, in milliseconds: a day.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Whoever still works on a request after so long, in milliseconds, has crashed.
const LONGEST_MS: i64 = 60 * 1000;
/// How long a second request waits for the answer to the first.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
const LONGEST_KEY: usize = 255;

/// A request that is to be done at most once.
#[derive(Debug, Clone)]
pub struct OnceKey {
    owner: String,
    key: String,
    digest: String,
}

impl OnceKey {
    /// The key that `owner` gave to a request of this content.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the key is not 1 to 255 printable ASCII characters.
    pub fn new(owner: String, key: &str, content: &[&[u8]]) -> Result<Self> {
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if key.is_empty() || key.len() > LONGEST_KEY || !printable {
            let problem = "use 1 to 255 printable ASCII characters";
            return Err(Error::invalid("Idempotency-Key", problem));
        }
        let mut digest = Context::new(&SHA256);
        for part in content {
            // With its length, so that no two contents run together into one.
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let digest = to_hex(digest.finish().as_ref());
        Ok(Self { owner, key: key.to_owned(), digest })
    }
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The status of HTTP.
    pub status: u16,
    /// The media type of the body; empty where there is none.
    pub media_type: String,
    /// The body.
    pub body: String,
}

/// What became of a request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first: it is to be done now, and then finished or released.
    New,
    /// It was done and got this answer.
    Done(Kept),
    /// It was begun and has no answer; whether it was done is not known.
    Unanswered,
    /// The key was used for another request.
    Mismatch,
}

/// The keys that were used.
pub struct Once {
    base: Base,
}

impl Once {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Reserves a key, or tells what became of the request that reserved it first; waits some
    /// seconds where that one is still being worked on.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn begin(&self, key: &OnceKey) -> Result<Begun> {
        let until = Instant::now() + PATIENCE;
        loop {
            let (wanted, now_ms) = (key.clone(), self.base.now_ms());
            let begun = self.base.store.write(move |tx| reserve(tx, &wanted, now_ms)).await?;
            match begun {
                Entry::Running if Instant::now() < until => sleep(POLL).await,
                Entry::Running => return Ok(Begun::Unanswered),
                Entry::Begun(begun) => return Ok(begun),
            }
        }
    }

    /// Keeps the answer to a request that was done.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn finish(&self, key: OnceKey, kept: Kept) -> Result<()> {
        let sql = "UPDATE idempotency_keys SET status = $1, media_type = $2, body = $3
                   WHERE owner = $4 AND key = $5";
        let write = self.base.store.write(move |tx| {
            let Kept { status, media_type, body } = kept;
            tx.execute(sql, params![i64::from(status), media_type, body, key.owner, key.key])?;
            Ok(())
        });
        write.await
    }

    /// Frees the key of a request that changed nothing, so that it can be tried again.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn release(&self, key: OnceKey) -> Result<()> {
        let sql = "DELETE FROM idempotency_keys
                   WHERE owner = $1 AND key = $2 AND status IS NULL";
        let write = self.base.store.write(move |tx| {
            tx.execute(sql, params![key.owner, key.key])?;
            Ok(())
        });
        write.await
    }

    /// Forgets answers that are older than a day.
    pub(crate) async fn forget_old(&self) -> Result<()> {
        let before_ms = self.base.now_ms() - KEPT_MS;
        let oldest = "SELECT COALESCE(MIN(begun_at_ms), $1) < $1 FROM idempotency_keys";
        let due = self.base.store.read(move |tx| Ok(first(tx, oldest, params![before_ms])?));
        if !due.await?.map_or(Ok(false), |row| row.get::<bool>(0))? {
            return Ok(());
        }
        let sql = "DELETE FROM idempotency_keys WHERE begun_at_ms < $1";
        let write = self.base.store.write(move |tx| {
            tx.execute(sql, params![before_ms])?;
            Ok(())
        });
        write.await
    }
}

/// The state of a key.
enum Entry {
    Begun(Begun),
    /// Somebody works on it now.
    Running,
}

fn reserve(tx: &mut dyn Transaction, wanted: &OnceKey, now_ms: i64) -> Result<Entry> {
    if let Some(entry) = look(tx, wanted, now_ms)? {
        return Ok(entry);
    }
    tx.execute(
        "INSERT INTO idempotency_keys (owner, key, digest, begun_at_ms) VALUES ($1, $2, $3, $4)
         ON CONFLICT (owner, key) DO UPDATE
         SET digest = $3, begun_at_ms = $4, status = NULL, media_type = NULL, body = NULL",
        params![&wanted.owner, &wanted.key, &wanted.digest, now_ms],
    )?;
    Ok(Entry::Begun(Begun::New))
}

fn look(tx: &mut dyn Transaction, wanted: &OnceKey, now_ms: i64) -> Result<Option<Entry>> {
    let sql = "SELECT digest, begun_at_ms, status, media_type, body FROM idempotency_keys
               WHERE owner = $1 AND key = $2 AND begun_at_ms >= $3";
    let oldest_ms = now_ms - KEPT_MS;
    let Some(row) = first(tx, sql, params![&wanted.owner, &wanted.key, oldest_ms])? else {
        return Ok(None);
    };
    let (digest, begun_at_ms): (String, i64) = (row.get(0)?, row.get(1)?);
    if digest != wanted.digest {
        return Ok(Some(Entry::Begun(Begun::Mismatch)));
    }
    let Some(status) = row.get::<Option<i64>>(2)? else {
        let running = now_ms - begun_at_ms < LONGEST_MS;
        let entry = if running { Entry::Running } else { Entry::Begun(Begun::Unanswered) };
        return Ok(Some(entry));
    };
    let status = u16::try_from(status).unwrap_or(500);
    let kept = Kept { status, media_type: row.get(3)?, body: row.get(4)? };
    Ok(Some(Entry::Begun(Begun::Done(kept))))
}
