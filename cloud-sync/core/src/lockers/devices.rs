//! Controllers as admins see and manage them, and what is kept of what they said.

use domain::ids::DeviceId;
use serde_json::Value;

use super::{Lockers, check_text, reports::LOW_BATTERY, site_of, wired};
use crate::{
    caller::Admin,
    devices,
    error::{Error, Result},
    logs::Entry,
    secret,
    store::{Row, StoreError, Transaction, first, next_id, params},
};

/// Without a heartbeat for so long a controller is offline.
pub(super) const OFFLINE_MS: i64 = 10 * 60 * 1000;
/// How long logs and commands are kept.
const KEPT_MS: i64 = 90 * 24 * 3600 * 1000;

/// A controller that is to be registered.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Its name in the system.
    pub device_id: DeviceId,
    /// The station that it stands in: 1 to 100 characters.
    pub station: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Where it stands in its station.
    pub location: Option<String>,
}

/// What is to be changed of a controller; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct DeviceChange {
    /// Its name for people.
    pub name: Option<String>,
    /// The station that it stands in.
    pub station: Option<String>,
    /// Where it stands in its station.
    pub location: Option<String>,
    /// Whether its key is good.
    pub is_active: Option<bool>,
}

/// A controller as it is right now. Times are milliseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceState {
    /// Its name in the system.
    pub device_id: String,
    /// The station that it stands in.
    pub station: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Where it stands in its station.
    pub location: Option<String>,
    /// Whether its key is good.
    pub is_active: bool,
    /// Whether it was heard of within the last ten minutes.
    pub is_online: bool,
    /// Percent, as it last said.
    pub battery_level: Option<i64>,
    /// When it was last heard of.
    pub last_seen_at_ms: Option<i64>,
    /// When it was registered.
    pub created_at_ms: i64,
    pub(super) battery_low_at_ms: Option<i64>,
}

/// Something that a controller said or was told.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceLog {
    /// Its number.
    pub id: i64,
    /// The controller.
    pub device_id: String,
    /// `status`, `heartbeat`, `command` or `warning`.
    pub log_type: String,
    /// What happened, for people.
    pub message: String,
    /// What came with it.
    pub data: Option<Value>,
    /// When, in milliseconds UTC.
    pub created_at_ms: i64,
}

impl Lockers {
    /// All controllers in the order of their names.
    pub async fn devices(&self, _: &Admin) -> Result<Vec<DeviceState>> {
        self.read(|tx, now_ms| all(tx, now_ms)).await
    }

    /// Registers a controller and returns it with its API key, which is not kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be used or a name that is taken.
    pub async fn add_device(&self, admin: &Admin, new: NewDevice) -> Result<(DeviceState, String)> {
        check_text("station", &new.station)?;
        check_optional(new.name.as_deref(), new.location.as_deref())?;
        let (actor, key) = (admin.actor(), secret::new_key());
        let hash = secret::hash_key(&key);
        let added = self.write(move |tx, now_ms| {
            devices::insert(tx, &new, &hash, now_ms)?;
            let message = format!("controller {} was registered", new.device_id);
            let site = site_of(tx, &new.station)?;
            Entry::of_person(site, now_ms, actor, "lockers", message).write(tx)?;
            get(tx, new.device_id.as_str(), now_ms)
        });
        Ok((added.await?, key))
    }

    /// Changes a controller.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there, [`Error::Invalid`] for a value that cannot be
    /// used.
    pub async fn change_device(
        &self,
        admin: &Admin,
        device_id: &str,
        change: DeviceChange,
    ) -> Result<DeviceState> {
        check_optional(change.name.as_deref(), change.location.as_deref())?;
        change.station.as_deref().map_or(Ok(()), |text| check_text("station", text))?;
        let (actor, device_id) = (admin.actor(), device_id.to_owned());
        let changed = self.write(move |tx, now_ms| {
            let old = get(tx, &device_id, now_ms)?;
            tx.execute(
                "UPDATE devices SET name = COALESCE($2, name), station = COALESCE($3, station),
                     location = COALESCE($4, location), is_active = COALESCE($5, is_active)
                 WHERE device_id = $1",
                params![&device_id, change.name, change.station, change.location, change.is_active],
            )?;
            let message = format!("controller {device_id} was changed");
            let site = site_of(tx, &old.station)?;
            Entry::of_person(site, now_ms, actor, "lockers", message).write(tx)?;
            let new = get(tx, &device_id, now_ms)?;
            wired::tell_station(tx, &old.station, now_ms)?;
            wired::tell_station(tx, &new.station, now_ms)?;
            Ok(new)
        });
        changed.await
    }

    /// What a controller said and was told, the latest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there.
    pub async fn device_logs(
        &self,
        _: &Admin,
        device_id: &str,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<DeviceLog>> {
        let device_id = device_id.to_owned();
        self.read(move |tx, now_ms| {
            get(tx, &device_id, now_ms)?;
            let sql = "SELECT id, device_id, log_type, message, data, created_at_ms
                       FROM device_logs WHERE device_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";
            let window = params![&device_id, i64::from(limit), i64::from(skip)];
            tx.query(sql, window)?.iter().map(log_line).collect()
        })
        .await
    }
}

/// Whether a controller that was last heard of then is offline.
pub(super) fn is_offline(last_seen_at_ms: Option<i64>, now_ms: i64) -> bool {
    last_seen_at_ms.is_none_or(|seen| now_ms - seen >= OFFLINE_MS)
}

/// A controller that a site speaks for was heard of when its site was, while that says that it
/// answers.
const SELECT: &str = "SELECT device_id, station, name, location, is_active, battery_level,
       CASE online WHEN 1 THEN site_seen_at_ms ELSE last_seen_at_ms END, created_at_ms,
       battery_low_at_ms, online
FROM (SELECT d.*,
           (SELECT MAX(b.online) FROM locker_banks b JOIN sites s ON s.site_id = b.site_id
            WHERE b.device_id = d.device_id AND s.name = d.station) AS online,
           (SELECT MAX(s.last_seen_at_ms) FROM locker_banks b JOIN sites s ON s.site_id = b.site_id
            WHERE b.device_id = d.device_id AND s.name = d.station) AS site_seen_at_ms
      FROM devices d) AS known";

/// All controllers in the order of their names.
pub(super) fn all(tx: &mut dyn Transaction, now_ms: i64) -> Result<Vec<DeviceState>> {
    let rows = tx.query(&format!("{SELECT} ORDER BY device_id"), &[])?;
    rows.iter().map(|row| state(row, now_ms)).collect()
}

fn get(tx: &mut dyn Transaction, device_id: &str, now_ms: i64) -> Result<DeviceState> {
    let row = first(tx, &format!("{SELECT} WHERE device_id = $1"), params![device_id])?;
    state(&row.ok_or(Error::NotFound("device"))?, now_ms)
}

fn state(row: &Row, now_ms: i64) -> Result<DeviceState> {
    let last_seen_at_ms = row.get(6)?;
    let battery_level: Option<i64> = row.get(5)?;
    Ok(DeviceState {
        device_id: row.get(0)?,
        station: row.get(1)?,
        name: row.get(2)?,
        location: row.get(3)?,
        is_active: row.get(4)?,
        is_online: !is_offline(last_seen_at_ms, now_ms) && row.get::<Option<i64>>(9)? != Some(0),
        battery_level,
        last_seen_at_ms,
        created_at_ms: row.get(7)?,
        battery_low_at_ms: row
            .get::<Option<i64>>(8)?
            .filter(|_| battery_level.is_some_and(|percent| percent < LOW_BATTERY)),
    })
}

fn log_line(row: &Row) -> Result<DeviceLog> {
    let data: Option<String> = row.get(4)?;
    let parsed = data.map(|text| serde_json::from_str(&text)).transpose();
    Ok(DeviceLog {
        id: row.get(0)?,
        device_id: row.get(1)?,
        log_type: row.get(2)?,
        message: row.get(3)?,
        data: parsed.map_err(|error| StoreError::new("read a log line", error))?,
        created_at_ms: row.get(5)?,
    })
}

/// Keeps what a controller said or was told.
pub(super) fn log(
    tx: &mut dyn Transaction,
    device: &str,
    log_type: &str,
    message: &str,
    data: Option<&Value>,
    now_ms: i64,
) -> Result<()> {
    let id = next_id(tx, "device_log")?;
    tx.execute(
        "INSERT INTO device_logs (site_id, id, device_id, log_type, message, data, created_at_ms)
         VALUES (COALESCE((SELECT MIN(s.site_id) FROM sites s JOIN devices d ON d.station = s.name
                           WHERE d.device_id = $2), ''), $1, $2, $3, $4, $5, $6)",
        params![id, device, log_type, message, data.map(Value::to_string), now_ms],
    )?;
    Ok(())
}

/// Whether there are logs or commands that are older than they are kept.
pub(super) fn has_old(tx: &mut dyn Transaction, now_ms: i64) -> Result<bool> {
    // In the order of their index, which else may be passed over: where none is old, all are read.
    let sql = "SELECT 1 FROM device_logs WHERE created_at_ms <= $1
               ORDER BY created_at_ms LIMIT 1";
    Ok(first(tx, sql, params![now_ms - KEPT_MS])?.is_some())
}

/// Forgets what is older than it is kept.
pub(super) fn forget_old(tx: &mut dyn Transaction, now_ms: i64) -> Result<()> {
    let before = params![now_ms - KEPT_MS];
    tx.execute("DELETE FROM device_logs WHERE created_at_ms <= $1", before)?;
    tx.execute("DELETE FROM open_commands WHERE expires_at_ms <= $1", before)?;
    tx.execute("DELETE FROM wrong_codes WHERE at_ms <= $1", before)?;
    Ok(())
}

fn check_optional(name: Option<&str>, location: Option<&str>) -> Result<()> {
    name.map_or(Ok(()), |text| check_text("name", text))?;
    location.map_or(Ok(()), |text| check_text("location", text))
}
