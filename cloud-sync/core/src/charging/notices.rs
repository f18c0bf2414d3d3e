//! What users are told about their charging.

use domain::money::Fen;
use serde::{Deserialize, Serialize};

use super::{Charging, SITE};
use crate::{
    caller::Caller,
    error::{Error, Result},
    store::{Row, StoreError, Transaction, next_id, params},
};

/// Something that a user is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// The place in the queue is a new one.
    QueueUpdate {
        /// The queue number.
        queue_number: String,
        /// Among all of the mode who do not charge, from 1; 0 for one whose turn it is.
        position: usize,
        /// The pile to wait at; none in the waiting area.
        pile: Option<String>,
    },
    /// Charging has begun.
    ChargingStart {
        /// The queue number.
        queue_number: String,
        /// The pile.
        pile: String,
    },
    /// Charging has ended.
    ChargingComplete {
        /// The queue number.
        queue_number: String,
        /// The pile.
        pile: String,
        /// What was delivered, in watt-hours.
        energy_wh: i64,
        /// What is to be paid.
        total: Fen,
    },
    /// The car before is still at the pile where it is one's turn; it has to be waited for.
    PileBlocked {
        /// The queue number.
        queue_number: String,
        /// The pile.
        pile: String,
    },
    /// The pile went out of service; one is served first elsewhere.
    PileFault {
        /// The queue number.
        queue_number: String,
        /// The pile.
        pile: String,
        /// What was delivered (watt-hours) and billed before, where one was charging.
        delivered: Option<(i64, Fen)>,
    },
}

/// A notice as a user finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub notice: Notice,
    /// When it happened, in milliseconds UTC.
    pub at_ms: i64,
    /// Whether the user has seen it.
    pub is_read: bool,
}

impl Notice {
    /// Leaves it for a user.
    pub(super) fn tell(&self, tx: &mut dyn Transaction, user: i64, at_ms: i64) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| StoreError::new("write a notice", e))?;
        let id = next_id(tx, "charging_notification")?;
        tx.execute(
            "INSERT INTO charging_notifications (site_id, id, user_id, at_ms, notice)
             VALUES ($1, $2, $3, $4, $5)",
            params![SITE, id, user, at_ms, text],
        )?;
        Ok(())
    }
}

impl Charging {
    /// What the caller was told, the latest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for somebody without an account.
    pub async fn notifications(&self, caller: &Caller, limit: u32) -> Result<Vec<Notification>> {
        let (user, limit) = (caller.own_id()?, i64::from(limit));
        self.advance().await?;
        let sql = "SELECT id, notice, at_ms, is_read FROM charging_notifications
                   WHERE user_id = $1 ORDER BY id DESC LIMIT $2";
        let read = self.base.store.read(move |tx| Ok(tx.query(sql, params![user, limit])?));
        Ok(read.await?.iter().map(notification).collect::<Result<_, _>>()?)
    }

    /// Marks one of the caller's own notifications as read.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the caller has no such notification.
    pub async fn mark_read(&self, caller: &Caller, id: i64) -> Result<()> {
        let user = caller.own_id()?;
        let sql = "UPDATE charging_notifications SET is_read = 1 WHERE id = $1 AND user_id = $2";
        let write = self.base.store.write(move |tx| Ok(tx.execute(sql, params![id, user])?));
        if write.await? == 1 { Ok(()) } else { Err(Error::NotFound("notification")) }
    }
}

fn notification(row: &Row) -> Result<Notification, StoreError> {
    let notice: String = row.get(1)?;
    Ok(Notification {
        id: row.get(0)?,
        notice: serde_json::from_str(&notice).map_err(|e| StoreError::new("read a notice", e))?,
        at_ms: row.get(2)?,
        is_read: row.get(3)?,
    })
}
