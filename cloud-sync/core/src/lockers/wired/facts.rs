//! What a site tells of its lockers, as it is kept here.

use domain::{
    event::{Event, Outcome},
    ids::{CommandId, DeviceId},
    locker::{By, LockerFact, OrderStatus},
};
use serde_json::{Value, json};

use super::{
    super::{NewDevice, Order, commands, finish, orders},
    told,
};
use crate::{
    devices as registry, directives,
    error::{Error, Result},
    logs::{Entry, Level},
    secret,
    store::{Transaction, first, next_id, params},
};

/// The word for a cabinet that was opened for an order which had ended.
const USED_AFTER_END: &str = "used_after_end";

/// Keeps what happened at a locker.
pub(crate) fn apply(tx: &mut dyn Transaction, event: &Event, fact: &LockerFact) -> Result<()> {
    if let Some(directive) = fact.directive() {
        directives::carried_out(tx, event, directive)?;
    }
    match fact {
        LockerFact::Installed { device, doors } => installed(tx, event, device, doors),
        LockerFact::Opening { command, device, cabinet, order, by, operator, .. } => {
            let Some(cabinet) = own(tx, event, cabinet)? else { return Ok(()) };
            let data = json!({"cabinet_id": cabinet.name, "command_id": command.to_string(),
                              "by": by, "operator": operator, "order_id": order});
            log(tx, event, device.as_str(), "command", "站点开柜", &data)?;
            order.map_or(Ok(()), |order| opening(tx, event, *command, device, &cabinet, order))
        }
        LockerFact::Denied { device, cabinet, why, by, command, .. } => {
            if let Some(command) = command {
                settle(tx, event, *command, why.word())?;
            }
            let Some(device) = device.as_ref().filter(|_| *by != By::Cloud) else { return Ok(()) };
            let data = json!({"cabinet_id": cabinet, "why": why, "by": by});
            log(tx, event, device.as_str(), "warning", "取件码被拒绝", &data)
        }
        LockerFact::LockedOut { device, cabinet, seconds } => {
            locked_out(tx, event, device, cabinet.as_deref(), *seconds)
        }
        LockerFact::Outcome { command, cabinet, outcome, refusal, .. } => {
            let Some(cabinet) = own(tx, event, cabinet)? else { return Ok(()) };
            outcome_of(tx, event, &cabinet, *command, *outcome, refusal.as_deref())
        }
        LockerFact::Door { cabinet, closed, command } => {
            let Some(cabinet) = own(tx, event, cabinet)? else { return Ok(()) };
            door(tx, event, &cabinet, *closed, *command)
        }
        LockerFact::Trouble { cabinet, trouble } => {
            let Some(cabinet) = own(tx, event, cabinet)? else { return Ok(()) };
            raise(tx, &cabinet, trouble.word(), at_ms(event))
        }
        LockerFact::Recovered { cabinet } => {
            let Some(cabinet) = own(tx, event, cabinet)? else { return Ok(()) };
            let sql = "UPDATE cabinets SET trouble = NULL, trouble_at_ms = NULL
                       WHERE id = $1 AND trouble <> $2";
            Ok(tx.defer(sql, params![cabinet.id, USED_AFTER_END])?)
        }
        LockerFact::Told { .. } | LockerFact::Unknown => Ok(()),
    }
}

/// A controller answers, or no longer; changes nothing where it is none of a locker.
pub(crate) fn reachable(
    tx: &mut dyn Transaction,
    event: &Event,
    device: &DeviceId,
    online: bool,
    reason: &str,
) -> Result<()> {
    let (id, site) = (device.as_str(), event.site.as_str());
    let sql = "UPDATE locker_banks SET online = $3 WHERE device_id = $1 AND site_id = $2";
    if tx.execute(sql, params![id, site, i64::from(online)])? == 0 {
        return Ok(());
    }
    let seen = "UPDATE devices SET last_seen_at_ms = $3 WHERE device_id = $1
                AND station = (SELECT name FROM sites WHERE site_id = $2)";
    tx.defer(seen, params![id, site, at_ms(event)])?;
    let (kind, message) =
        if online { ("heartbeat", "设备上线") } else { ("warning", "设备离线") };
    log(tx, event, id, kind, message, &json!({"reason": reason}))
}

fn at_ms(event: &Event) -> i64 {
    event.at.wall.timestamp_millis()
}

/// A cabinet of the site's own station.
struct Own<'a> {
    id: i64,
    name: &'a str,
}

/// The cabinet of a name, where it is one of the site's own station.
fn own<'a>(tx: &mut dyn Transaction, event: &Event, name: &'a str) -> Result<Option<Own<'a>>> {
    let sql = "SELECT c.id FROM cabinets c WHERE c.cabinet_id = $1
               AND (SELECT MIN(s.site_id) FROM sites s WHERE s.name = c.station) = $2";
    if let Some(row) = first(tx, sql, params![name, event.site.as_str()])? {
        return Ok(Some(Own { id: row.get(0)?, name }));
    }
    let message = format!("door {name} is none of a cabinet of this station");
    Entry::of_site(event, Level::Warning, "lockers", message).write(tx)?;
    Ok(None)
}

/// Writes to the log of a controller of the site's own station.
fn log(
    tx: &mut dyn Transaction,
    event: &Event,
    device: &str,
    kind: &str,
    message: &str,
    data: &Value,
) -> Result<()> {
    let id = next_id(tx, "device_log")?;
    let sql = "INSERT INTO device_logs (site_id, id, device_id, log_type, message, data,
                                        created_at_ms)
               SELECT s.site_id, $1, d.device_id, $2, $3, $4, $5
               FROM devices d JOIN sites s ON s.name = d.station
               WHERE d.device_id = $6 AND s.site_id = $7";
    let (data, at_ms, site) = (data.to_string(), at_ms(event), event.site.as_str());
    Ok(tx.defer(sql, params![id, kind, message, data, at_ms, device, site])?)
}

/// A controller that nobody has registered is registered here; its key is nobody's.
fn installed(
    tx: &mut dyn Transaction,
    event: &Event,
    device: &DeviceId,
    doors: &[String],
) -> Result<()> {
    let (id, site) = (device.as_str(), event.site.as_str());
    register(tx, event, device)?;
    let before = "SELECT cabinet_id FROM locker_doors WHERE device_id = $1 AND site_id = $2";
    let before = tx.query(before, params![id, site])?;
    let mut names = before.iter().map(|row| row.get(0)).collect::<Result<Vec<String>, _>>()?;
    for table in ["locker_doors", "locker_banks"] {
        let sql = format!("DELETE FROM {table} WHERE device_id = $1 AND site_id = $2");
        tx.defer(&sql, params![id, site])?;
    }
    if !doors.is_empty() {
        let sql = "INSERT INTO locker_banks (device_id, site_id) VALUES ($1, $2)";
        tx.defer(sql, params![id, site])?;
    }
    for name in doors.iter().filter(|name| !name.is_empty()) {
        let sql = "INSERT INTO locker_doors (cabinet_id, site_id, device_id) VALUES ($1, $2, $3)
                   ON CONFLICT (cabinet_id, site_id) DO UPDATE SET device_id = excluded.device_id";
        tx.defer(sql, params![name, site, id])?;
    }
    names.extend(doors.iter().cloned());
    for name in names {
        let row = first(tx, "SELECT id FROM cabinets WHERE cabinet_id = $1", params![name])?;
        if let Some(row) = row {
            told::tell(tx, row.get(0)?, at_ms(event))?;
        }
    }
    Ok(())
}

fn register(tx: &mut dyn Transaction, event: &Event, device: &DeviceId) -> Result<()> {
    let site = event.site.as_str();
    let name = first(tx, "SELECT name FROM sites WHERE site_id = $1", params![site])?;
    let station: String = name.ok_or(Error::NotFound("site"))?.get(0)?;
    let known = "SELECT station FROM devices WHERE device_id = $1";
    match first(tx, known, params![device.as_str()])? {
        None => {
            let device_id = device.clone();
            let new = NewDevice { device_id, station, name: None, location: None };
            let nobodys = secret::hash_key(&secret::new_key());
            registry::insert(tx, &new, &nobodys, at_ms(event))
        }
        Some(row) if row.get::<String>(0)? != station => {
            let elsewhere: String = row.get(0)?;
            let message = format!(
                "controller {device} is registered at `{elsewhere}`, not here: change its station"
            );
            Ok(Entry::of_site(event, Level::Warning, "lockers", message).write(tx)?)
        }
        Some(_) => Ok(()),
    }
}

/// Keeps which order a door is opened for, so that what the door does then is that order's.
fn opening(
    tx: &mut dyn Transaction,
    event: &Event,
    command: CommandId,
    device: &DeviceId,
    cabinet: &Own<'_>,
    order: i64,
) -> Result<()> {
    Ok(tx.defer(
        "INSERT INTO open_commands (command_id, device_id, cabinet, order_id, created_at_ms,
                                    expires_at_ms, settled, site_id)
         SELECT $1, d.device_id, o.cabinet, o.id, $5, $5, 'at_site', $6
         FROM locker_orders o JOIN devices d ON d.device_id = $2
         WHERE o.id = $4 AND o.cabinet = $3
         ON CONFLICT (command_id) DO NOTHING",
        params![
            command.to_string(),
            device.as_str(),
            cabinet.id,
            order,
            at_ms(event),
            event.site.as_str()
        ],
    )?)
}

/// Ends a command that was given to this site.
fn settle(tx: &mut dyn Transaction, event: &Event, command: CommandId, how: &str) -> Result<()> {
    let sql = "UPDATE open_commands SET settled = $3
               WHERE command_id = $1 AND site_id = $2 AND settled IS NULL";
    Ok(tx.defer(sql, params![command.to_string(), event.site.as_str(), how])?)
}

fn outcome_of(
    tx: &mut dyn Transaction,
    event: &Event,
    cabinet: &Own<'_>,
    command: CommandId,
    outcome: Outcome,
    refusal: Option<&str>,
) -> Result<()> {
    if outcome == Outcome::Accepted {
        let opening = "UPDATE cabinets SET door = 'opening' WHERE id = $1 AND door = 'closed'";
        tx.defer(opening, params![cabinet.id])?;
        return settle(tx, event, command, "unlocked");
    }
    settle(tx, event, command, refusal.unwrap_or("failed"))?;
    let message = format!("{}: command {command} {outcome:?}", cabinet.name);
    Ok(Entry::of_site(event, Level::Warning, "lockers", message).write(tx)?)
}

/// A door was opened or closed. The first opening begins an order's use, a closing ends the order
/// that was asked to end.
fn door(
    tx: &mut dyn Transaction,
    event: &Event,
    cabinet: &Own<'_>,
    closed: bool,
    command: Option<CommandId>,
) -> Result<()> {
    let state = if closed { "closed" } else { "open" };
    tx.defer("UPDATE cabinets SET door = $2 WHERE id = $1", params![cabinet.id, state])?;
    if closed {
        return match orders::running(tx, cabinet.id)? {
            Some(order) => finish::after_closing(tx, &order, at_ms(event)),
            None => Ok(()),
        };
    }
    commands::settle(tx, cabinet.id, "opened")?;
    let Some(command) = command else { return Ok(()) };
    let sql = "SELECT order_id FROM open_commands WHERE command_id = $1 AND cabinet = $2";
    let row = first(tx, sql, params![command.to_string(), cabinet.id])?;
    let Some(row) = row else { return Ok(()) };
    let order = orders::get(tx, row.get(0)?)?;
    used(tx, event, cabinet, &order)
}

/// An order was used. See [`domain::locker`] for one that had ended here.
fn used(tx: &mut dyn Transaction, event: &Event, cabinet: &Own<'_>, order: &Order) -> Result<()> {
    let status = if order.status == OrderStatus::Paid { OrderStatus::InUse } else { order.status };
    let sql = "UPDATE locker_orders SET status = $2, started_at_ms = COALESCE(started_at_ms, $3)
               WHERE id = $1";
    tx.defer(sql, params![order.id, status.as_str(), at_ms(event)])?;
    if order.status.is_running() || order.ended_at_ms.is_some_and(|at| at_ms(event) <= at) {
        return Ok(());
    }
    raise(tx, cabinet, USED_AFTER_END, at_ms(event))?;
    let (name, order_no) = (cabinet.name, &order.order_no);
    let message = format!("{name} was opened for order {order_no}, which had ended here");
    Ok(Entry::of_site(event, Level::Warning, "lockers", message).write(tx)?)
}

fn raise(tx: &mut dyn Transaction, cabinet: &Own<'_>, trouble: &str, at_ms: i64) -> Result<()> {
    let sql = "UPDATE cabinets SET trouble = $2, trouble_at_ms = $3 WHERE id = $1";
    Ok(tx.defer(sql, params![cabinet.id, trouble, at_ms])?)
}

/// Codes that count at neither the site nor here, for as long.
fn locked_out(
    tx: &mut dyn Transaction,
    event: &Event,
    device: &DeviceId,
    cabinet: Option<&str>,
    seconds: u32,
) -> Result<()> {
    let until_ms = at_ms(event) + i64::from(seconds) * 1_000;
    if let Some(name) = cabinet
        && let Some(cabinet) = own(tx, event, name)?
    {
        let sql = "UPDATE cabinets SET code_locked_until_ms = $2
                   WHERE id = $1 AND code_locked_until_ms < $2";
        tx.defer(sql, params![cabinet.id, until_ms])?;
    }
    let data = json!({"cabinet_id": cabinet, "seconds": seconds});
    log(tx, event, device.as_str(), "warning", "取件码错误次数过多", &data)
}
