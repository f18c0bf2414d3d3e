//! What wants a person's eye: worked out of the facts whenever somebody looks, so that an alert is
//! there as soon as its reason is and gone with it.

use super::{
    Lockers,
    devices::{self, OFFLINE_MS},
};
use crate::{
    caller::Admin,
    error::Result,
    store::{Row, Transaction, params},
};

/// Most alerts of a kind in one answer.
const MOST: i64 = 500;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertKind {
    /// A controller was not heard of for ten minutes.
    DeviceOffline {
        /// The controller.
        device_id: String,
    },
    /// A controller's battery is below 20 %.
    LowBattery {
        /// The controller.
        device_id: String,
        /// Percent.
        battery_level: i64,
    },
    /// An order was not ended when its time was over.
    OrderOverdue {
        /// Its number.
        order_id: i64,
        /// Its number for people.
        order_no: String,
        /// The name on the cabinet's door.
        cabinet_id: String,
    },
    /// A door at a site does not do as it should.
    DoorTrouble {
        /// The name on it.
        cabinet_id: String,
        /// What is wrong, as a word: `jammed`, `never_opened`, `left_open`, `forced_open`,
        /// `used_after_end`.
        trouble: String,
    },
    /// A cabinet is being repaired.
    CabinetMaintenance {
        /// The name on its door.
        cabinet_id: String,
    },
}

/// Something that wants a person's eye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What is wrong.
    pub kind: AlertKind,
    /// Where.
    pub station: String,
    /// Since when, in milliseconds UTC.
    pub created_at_ms: i64,
}

impl Lockers {
    /// All alerts, the latest first.
    pub async fn alerts(&self, _: &Admin) -> Result<Vec<Alert>> {
        self.read(|tx, now_ms| {
            let mut alerts = of_devices(tx, now_ms)?;
            alerts.extend(overdue(tx, now_ms)?);
            alerts.extend(troubles(tx)?);
            alerts.extend(maintenance(tx)?);
            alerts.sort_by_key(|alert| std::cmp::Reverse(alert.created_at_ms));
            Ok(alerts)
        })
        .await
    }
}

fn of_devices(tx: &mut dyn Transaction, now_ms: i64) -> Result<Vec<Alert>> {
    let mut alerts = Vec::new();
    for device in devices::all(tx, now_ms)?.into_iter().filter(|device| device.is_active) {
        let device_id = device.device_id;
        let away_since_ms = device.last_seen_at_ms.unwrap_or(device.created_at_ms) + OFFLINE_MS;
        if away_since_ms <= now_ms {
            let kind = AlertKind::DeviceOffline { device_id: device_id.clone() };
            let station = device.station.clone();
            alerts.push(Alert { kind, station, created_at_ms: away_since_ms });
        }
        if let (Some(battery_level), Some(since_ms)) =
            (device.battery_level, device.battery_low_at_ms)
        {
            let kind = AlertKind::LowBattery { device_id, battery_level };
            alerts.push(Alert { kind, station: device.station, created_at_ms: since_ms });
        }
    }
    Ok(alerts)
}

fn overdue(tx: &mut dyn Transaction, now_ms: i64) -> Result<Vec<Alert>> {
    let sql = "SELECT o.id, o.order_no, c.cabinet_id, o.station, o.ends_at_ms
               FROM locker_orders o JOIN cabinets c ON c.id = o.cabinet
               WHERE o.status IN ('paid', 'in_use') AND o.ends_at_ms < $1
               ORDER BY o.ends_at_ms DESC LIMIT $2";
    let alert = |row: &Row| {
        let (order_id, order_no) = (row.get(0)?, row.get(1)?);
        let kind = AlertKind::OrderOverdue { order_id, order_no, cabinet_id: row.get(2)? };
        Ok(Alert { kind, station: row.get(3)?, created_at_ms: row.get(4)? })
    };
    tx.query(sql, params![now_ms, MOST])?.iter().map(alert).collect()
}

fn troubles(tx: &mut dyn Transaction) -> Result<Vec<Alert>> {
    let sql = "SELECT cabinet_id, station, trouble, trouble_at_ms FROM cabinets
               WHERE trouble IS NOT NULL ORDER BY trouble_at_ms DESC LIMIT $1";
    let alert = |row: &Row| {
        let kind = AlertKind::DoorTrouble { cabinet_id: row.get(0)?, trouble: row.get(2)? };
        Ok(Alert { kind, station: row.get(1)?, created_at_ms: row.get(3)? })
    };
    tx.query(sql, params![MOST])?.iter().map(alert).collect()
}

fn maintenance(tx: &mut dyn Transaction) -> Result<Vec<Alert>> {
    let sql = "SELECT cabinet_id, station, COALESCE(maintenance_at_ms, created_at_ms) AS since_ms
               FROM cabinets WHERE state = 'maintenance' ORDER BY since_ms DESC LIMIT $1";
    let alert = |row: &Row| {
        let kind = AlertKind::CabinetMaintenance { cabinet_id: row.get(0)? };
        Ok(Alert { kind, station: row.get(1)?, created_at_ms: row.get(2)? })
    };
    tx.query(sql, params![MOST])?.iter().map(alert).collect()
}
