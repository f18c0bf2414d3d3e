//! Commands to open a door. One is shown to its controller, at least once if that asks in time,
//! until the door is reported open or the command is acknowledged; after a minute it is void, so
//! that no door opens when nobody stands before it any more.

use serde_json::json;
use uuid::Uuid;

use super::{
    Lockers, Order, devices,
    wired::{self, Route},
};
use crate::{
    caller::Device,
    error::{Error, Result},
    store::{Transaction, first, params},
};

/// How long a command holds.
const LIFE_MS: i64 = 60 * 1000;

/// A door that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCommand {
    /// Its own number, a UUID: a controller opens once for each.
    pub command_id: String,
    /// The name on the door.
    pub cabinet_id: String,
    /// When it was given, in milliseconds UTC.
    pub created_at_ms: i64,
    /// When it is void.
    pub expires_at_ms: i64,
}

impl Lockers {
    /// The command that a controller is to carry out next: of several the one that was shown
    /// longest ago.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it asks for another controller's.
    pub async fn next_command(&self, device: &Device, asked: &str) -> Result<Option<OpenCommand>> {
        own(device, asked)?;
        let (id, now_ms) = (device.id().to_string(), self.base.now_ms());
        let waiting = {
            let id = id.clone();
            self.base.store.read(move |tx| waiting(tx, &id, now_ms))
        };
        if waiting.await?.is_none() {
            return Ok(None);
        }
        self.base.store.write(move |tx| show(tx, &id, now_ms)).await
    }

    /// A controller says that it has carried a command out. The same again changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a command that is not there or another controller's.
    pub async fn acknowledge(&self, device: &Device, asked: &str, command_id: &str) -> Result<()> {
        own(device, asked)?;
        let (device, command_id) = (device.id().to_string(), command_id.to_owned());
        self.write(move |tx, now_ms| acknowledge(tx, &device, &command_id, now_ms)).await
    }
}

fn own(device: &Device, asked: &str) -> Result<()> {
    if device.id().as_str() == asked { Ok(()) } else { Err(Error::NotFound("device")) }
}

fn waiting(
    tx: &mut dyn Transaction,
    device: &str,
    now_ms: i64,
) -> Result<Option<(OpenCommand, i64, bool)>> {
    let row = first(
        tx,
        "SELECT o.command_id, c.cabinet_id, o.created_at_ms, o.expires_at_ms, c.id, o.shown_at_ms
         FROM open_commands o JOIN cabinets c ON c.id = o.cabinet
         WHERE o.device_id = $1 AND o.settled IS NULL AND o.site_id IS NULL
           AND o.expires_at_ms > $2
         ORDER BY COALESCE(o.shown_at_ms, 0), o.created_at_ms, o.command_id LIMIT 1",
        params![device, now_ms],
    )?;
    let Some(row) = row else { return Ok(None) };
    let command = OpenCommand {
        command_id: row.get(0)?,
        cabinet_id: row.get(1)?,
        created_at_ms: row.get(2)?,
        expires_at_ms: row.get(3)?,
    };
    Ok(Some((command, row.get(4)?, row.get::<Option<i64>>(5)?.is_none())))
}

fn show(tx: &mut dyn Transaction, device: &str, now_ms: i64) -> Result<Option<OpenCommand>> {
    let Some((command, cabinet, is_first)) = waiting(tx, device, now_ms)? else { return Ok(None) };
    let shown = "UPDATE open_commands SET shown_at_ms = $2 WHERE command_id = $1";
    tx.execute(shown, params![&command.command_id, now_ms])?;
    if is_first {
        let opening = "UPDATE cabinets SET door = 'opening' WHERE id = $1 AND door = 'closed'";
        tx.execute(opening, params![cabinet])?;
        let data = json!({"command_id": command.command_id, "cabinet_id": command.cabinet_id});
        devices::log(tx, device, "command", "下发开柜指令", Some(&data), now_ms)?;
    }
    Ok(Some(command))
}

/// Gives the command to open an order's door, in place of one that still waits; a site is told of
/// it at once.
pub(super) fn issue(
    tx: &mut dyn Transaction,
    device: &str,
    route: &Route,
    order: &Order,
    now_ms: i64,
) -> Result<String> {
    settle(tx, order.cabinet, "replaced")?;
    let command = Uuid::new_v4();
    let (command_id, site) = (command.to_string(), route.site());
    let expires_at_ms = route.expires_at_ms(now_ms, LIFE_MS);
    tx.execute(
        "INSERT INTO open_commands
             (command_id, device_id, cabinet, order_id, created_at_ms, expires_at_ms, site_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![&command_id, device, order.cabinet, order.id, now_ms, expires_at_ms, site],
    )?;
    if let Some(site) = site {
        wired::send(tx, site, command, &order.cabinet_id, order.id, now_ms)?;
    }
    Ok(command_id)
}

/// Ends the command that waits for a cabinet, where there is one.
pub(super) fn settle(tx: &mut dyn Transaction, cabinet: i64, how: &str) -> Result<()> {
    let sql = "UPDATE open_commands SET settled = $2 WHERE cabinet = $1 AND settled IS NULL";
    Ok(tx.defer(sql, params![cabinet, how])?)
}

fn acknowledge(
    tx: &mut dyn Transaction,
    device: &str,
    command_id: &str,
    now_ms: i64,
) -> Result<()> {
    let sql = "SELECT cabinet, settled FROM open_commands WHERE command_id = $1 AND device_id = $2";
    let row = first(tx, sql, params![command_id, device])?.ok_or(Error::NotFound("command"))?;
    if row.get::<Option<String>>(1)?.is_some() {
        return Ok(());
    }
    let settled = "UPDATE open_commands SET settled = 'acknowledged' WHERE command_id = $1";
    tx.execute(settled, params![command_id])?;
    let opened = "UPDATE cabinets SET door = 'open' WHERE id = $1";
    tx.execute(opened, params![row.get::<i64>(0)?])?;
    let data = json!({"command_id": command_id});
    devices::log(tx, device, "command", "开柜指令已执行", Some(&data), now_ms)
}
