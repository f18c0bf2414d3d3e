//! What controllers say of themselves: heartbeats, which are one small write, and reports of doors
//! and battery. A controller speaks for its own cabinets alone.

use serde_json::{Map, Value, json};

use super::{Lockers, cabinets, commands, devices, finish, orders};
use crate::{
    caller::Device,
    error::{Error, Result},
    store::{Transaction, first, params},
};

/// Below so many percent a battery is low.
pub(super) const LOW_BATTERY: i64 = 20;
/// Most doors in one report.
const MOST_DOORS: usize = 256;

/// One door of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorReport {
    /// The name on the door.
    pub cabinet_id: String,
    /// Whether it is closed.
    pub is_closed: bool,
}

impl Lockers {
    /// A controller is there, and its battery has so many percent.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a battery outside 0 to 100.
    pub async fn heartbeat(&self, device: &Device, battery: Option<i64>) -> Result<()> {
        check_battery(battery)?;
        let (device, now_ms) = (device.id().to_string(), self.base.now_ms());
        self.base.store.write(move |tx| seen(tx, &device, battery, now_ms)).await
    }

    /// A controller says how its doors stand. An open door settles the command that opened it; a
    /// closed one completes an order that waits for it, and frees nothing else.
    ///
    /// # Errors
    /// [`Error::Invalid`] for more doors than a controller has or a battery outside 0 to 100.
    pub async fn report(
        &self,
        device: &Device,
        doors: Vec<DoorReport>,
        battery: Option<i64>,
    ) -> Result<()> {
        check_battery(battery)?;
        if doors.len() > MOST_DOORS {
            return Err(Error::invalid("cabinet_status", "use at most 256 cabinets"));
        }
        let device = device.id().to_string();
        self.write(move |tx, now_ms| {
            seen(tx, &device, battery, now_ms)?;
            let mut strange = Vec::new();
            for door in &doors {
                if !apply(tx, &device, door, now_ms)? {
                    strange.push(&door.cabinet_id);
                }
            }
            if !strange.is_empty() {
                let data = json!({"cabinet_ids": strange});
                devices::log(
                    tx,
                    &device,
                    "warning",
                    "忽略不属于本设备的柜子",
                    Some(&data),
                    now_ms,
                )?;
            }
            devices::log(tx, &device, "status", "状态上报", Some(&said(&doors, battery)), now_ms)
        })
        .await
    }
}

fn check_battery(battery: Option<i64>) -> Result<()> {
    if battery.is_none_or(|percent| (0..=100).contains(&percent)) {
        return Ok(());
    }
    Err(Error::invalid("battery_level", "use 0 to 100"))
}

fn said(doors: &[DoorReport], battery: Option<i64>) -> Value {
    let pairs = doors.iter().map(|door| (door.cabinet_id.clone(), door.is_closed.into()));
    let mut data = Map::from_iter([("cabinet_status".to_owned(), Value::Object(pairs.collect()))]);
    if let Some(percent) = battery {
        data.insert("battery_level".to_owned(), percent.into());
    }
    Value::Object(data)
}

/// Notes that a controller is there; the log has it where it had been away.
fn seen(tx: &mut dyn Transaction, device: &str, battery: Option<i64>, now_ms: i64) -> Result<()> {
    let sql = "SELECT last_seen_at_ms FROM devices WHERE device_id = $1";
    let row = first(tx, sql, params![device])?.ok_or(Error::NotFound("device"))?;
    let was_away = devices::is_offline(row.get(0)?, now_ms);
    tx.execute(
        "UPDATE devices SET last_seen_at_ms = $2,
             battery_level = COALESCE(CAST($3 AS BIGINT), battery_level),
             battery_low_at_ms = CASE WHEN CAST($3 AS BIGINT) IS NULL THEN battery_low_at_ms
                 WHEN CAST($3 AS BIGINT) < $4 THEN COALESCE(battery_low_at_ms, $2) END
         WHERE device_id = $1",
        params![device, now_ms, battery, LOW_BATTERY],
    )?;
    if was_away {
        devices::log(tx, device, "heartbeat", "设备上线", None, now_ms)?;
    }
    Ok(())
}

/// Applies the report of one door; whether the door is this controller's.
fn apply(tx: &mut dyn Transaction, device: &str, report: &DoorReport, now_ms: i64) -> Result<bool> {
    let cabinet = match cabinets::get(tx, &report.cabinet_id) {
        Ok(cabinet) if cabinet.device_id.as_deref() == Some(device) => cabinet,
        Ok(_) | Err(Error::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let door = if report.is_closed { "closed" } else { "open" };
    tx.execute("UPDATE cabinets SET door = $2 WHERE id = $1", params![cabinet.id, door])?;
    if !report.is_closed {
        commands::settle(tx, cabinet.id, "opened")?;
    } else if !cabinet.is_locked
        && let Some(order) = orders::running(tx, cabinet.id)?
    {
        finish::after_closing(tx, &order, now_ms)?;
    }
    Ok(true)
}
