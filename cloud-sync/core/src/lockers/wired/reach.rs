//! Opening a door through the site that it is wired to: the command goes down as a directive and
//! opens nothing after a few seconds; whoever asked waits for the site's word that the lock was
//! released, or is told why not.

use std::time::Duration;

use domain::{
    directive::{Directive, OPEN_CABINET_LIFE},
    ids::CommandId,
};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::super::{Cabinet, Lockers};
use crate::{
    directives,
    error::{Error, Result},
    store::{StoreError, Transaction, first, params},
};

/// A site that was not heard for so long is away. It asks for directives at least twice as often.
const AWAY_MS: i64 = 60_000;
/// How often to look where nothing says that something has changed, as on another instance.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How a cabinet's controller is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Route {
    /// It calls by itself.
    Direct,
    /// Through this site.
    Site(String),
}

/// How the controller of a cabinet is reached.
///
/// # Errors
/// [`Error::Refused`] with `site_away` or `device_offline` where it cannot be right now.
pub(in super::super) fn route(
    tx: &mut dyn Transaction,
    cabinet: &Cabinet,
    device: &str,
    now_ms: i64,
) -> Result<Route> {
    let sql = "SELECT w.site_id, b.online, COALESCE(s.last_seen_at_ms, 0)
               FROM locker_doors w
               JOIN sites s ON s.site_id = w.site_id
               JOIN locker_banks b ON b.device_id = w.device_id AND b.site_id = w.site_id
               WHERE w.cabinet_id = $1 AND w.device_id = $2 AND s.name = $3
               ORDER BY w.site_id LIMIT 1";
    let row = first(tx, sql, params![&cabinet.cabinet_id, device, &cabinet.station])?;
    let Some(row) = row else { return Ok(Route::Direct) };
    if row.get::<i64>(2)? + AWAY_MS <= now_ms {
        return Err(Error::Refused("site_away"));
    }
    if row.get::<i64>(1)? == 0 {
        return Err(Error::Refused("device_offline"));
    }
    Ok(Route::Site(row.get(0)?))
}

impl Route {
    /// Until when a command holds that is given now, which lives for `life_ms` where its controller
    /// fetches it.
    pub(in super::super) fn expires_at_ms(&self, now_ms: i64, life_ms: i64) -> i64 {
        let through_site_ms = OPEN_CABINET_LIFE.num_milliseconds();
        now_ms + if *self == Self::Direct { life_ms } else { through_site_ms }
    }

    /// The site that it leads through.
    pub(in super::super) fn site(&self) -> Option<&str> {
        match self {
            Self::Direct => None,
            Self::Site(site) => Some(site),
        }
    }
}

/// Sends a command that was given to a site on its way.
pub(in super::super) fn send(
    tx: &mut dyn Transaction,
    site: &str,
    command: Uuid,
    cabinet: &str,
    order: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (command, cabinet) = (CommandId(command), cabinet.to_owned());
    let directive = Directive::OpenCabinet { command, cabinet, order };
    directives::issue(tx, site, &directive, now_ms).map(drop)
}

impl Lockers {
    /// Waits for what a site says of a command.
    ///
    /// # Errors
    /// [`Error::Refused`] with `site_away` where it says nothing in time, `device_offline` or
    /// `door_stuck` where nothing opened, `no_device` where the site has no such door.
    pub(in super::super) async fn answered(&self, command_id: &str) -> Result<()> {
        let life_ms = OPEN_CABINET_LIFE.num_milliseconds().unsigned_abs();
        let deadline = Instant::now() + Duration::from_millis(life_ms);
        loop {
            // In this order, so that what comes in between is not waited for in vain.
            let mut changes = self.base.changes.subscribe();
            if let Some(settled) = self.settled(command_id).await? {
                return verdict(&settled);
            }
            if Instant::now() >= deadline {
                return self.withdraw(command_id).await;
            }
            let look_again = (Instant::now() + LOOK_EVERY).min(deadline);
            tokio::select! {
                // The sender lives as long as the service does.
                _ = changes.changed() => {}
                () = sleep_until(look_again) => {}
            }
        }
    }

    async fn settled(&self, command_id: &str) -> Result<Option<String>> {
        let command_id = command_id.to_owned();
        let sql = "SELECT settled FROM open_commands WHERE command_id = $1";
        let read = self.base.store.read(move |tx| Ok(first(tx, sql, params![command_id])?));
        let row = read.await?.ok_or(Error::NotFound("command"))?;
        Ok(row.get(0)?)
    }

    /// Nobody waits for a command any more. It opens nothing any more either: its life is over.
    async fn withdraw(&self, command_id: &str) -> Result<()> {
        let id = command_id.to_owned();
        let withdrawn = self.write(move |tx, _| {
            let sql = "UPDATE open_commands SET settled = 'withdrawn'
                       WHERE command_id = $1 AND settled IS NULL";
            let withdrawn = tx.execute(sql, params![&id])?;
            let unfinish = "UPDATE locker_orders SET finishing_at_ms = NULL WHERE id IN
                            (SELECT order_id FROM open_commands
                             WHERE command_id = $1 AND settled = 'withdrawn')";
            tx.execute(unfinish, params![&id])?;
            Ok(withdrawn > 0)
        });
        if withdrawn.await? {
            return Err(Error::Refused("site_away"));
        }
        let settled = self.settled(command_id).await?;
        verdict(settled.as_deref().unwrap_or_default())
    }
}

/// What the word means for whoever waits.
fn verdict(settled: &str) -> Result<()> {
    match settled {
        "unlocked" | "opened" => Ok(()),
        "unknown_cabinet" => Err(Error::Refused("no_device")),
        "unavailable" => Err(Error::Refused("device_offline")),
        "replaced" | "withdrawn" => Err(Error::Refused("site_away")),
        _ => Err(Error::Refused("door_stuck")),
    }
}
