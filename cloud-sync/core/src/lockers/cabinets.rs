//! Cabinets: what stands where, at which price, and whether it can be had.

use domain::{
    locker::{CabinetStatus, Size},
    money::Fen,
};

use super::{Lockers, site_of, wired};
use crate::{
    caller::Admin,
    error::{Error, Result},
    logs::Entry,
    store::{Conditions, Row, StoreError, Transaction, first, next_id, params},
};

/// Most that an hour may cost: a hundred thousand yuan.
const HIGHEST_PRICE: Fen = Fen(10_000_000);
const LONGEST_ID: usize = 32;
const LONGEST_TEXT: usize = 100;
/// Words that are paths of their own beside the cabinets.
const RESERVED: [&str; 2] = ["available", "create"];

/// A cabinet as it is right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cabinet {
    /// Its number.
    pub id: i64,
    /// The name on its door.
    pub cabinet_id: String,
    /// How much fits in.
    pub size: Size,
    /// Where it stands in its station.
    pub location: String,
    /// Its station.
    pub station: String,
    /// What an hour costs.
    pub price: Fen,
    /// Whether it can be had.
    pub status: CabinetStatus,
    /// The controller that opens it, where there is one: the one that its site says it is wired to,
    /// else the one that was set, else the only one of its station.
    pub device_id: Option<String>,
    /// Whether its door was last reported closed.
    pub is_locked: bool,
}

/// Which cabinets are wanted.
#[derive(Debug, Clone, Default)]
pub struct CabinetFilter {
    /// Of a station.
    pub station: Option<String>,
    /// Of a size.
    pub size: Option<Size>,
    /// In a state.
    pub status: Option<CabinetStatus>,
}

/// A cabinet that is to be put up.
#[derive(Debug, Clone)]
pub struct NewCabinet {
    /// The name on its door: 1 to 32 letters, digits, `-` and `_`, unique.
    pub cabinet_id: String,
    /// How much fits in.
    pub size: Size,
    /// 1 to 100 characters.
    pub location: String,
    /// 1 to 100 characters.
    pub station: String,
    /// What an hour costs: 0 to 100,000.00.
    pub price: Fen,
    /// The controller that opens it; none for the only one of its station.
    pub device_id: Option<String>,
}

/// What is to be changed of a cabinet; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct CabinetChange {
    /// Whether it can be had. `InUse` without an order blocks it by hand.
    pub status: Option<CabinetStatus>,
    /// What an hour costs from now on.
    pub price: Option<Fen>,
    /// Where it stands in its station.
    pub location: Option<String>,
    /// The controller that opens it; `Some(None)` for the only one of its station.
    pub device_id: Option<Option<String>>,
}

impl Lockers {
    /// The cabinets in the order of their names.
    pub async fn cabinets(&self, filter: CabinetFilter) -> Result<Vec<Cabinet>> {
        self.read(move |tx, _| {
            let wanted = Conditions::new("1 = 1")
                .and("station = ?", filter.station.as_deref())
                .and("size = ?", filter.size.map(Size::as_str))
                .and("status = ?", filter.status.map(CabinetStatus::as_str));
            let sql = format!("{SELECT} {} ORDER BY cabinet_id", wanted.sql());
            tx.query(&sql, wanted.params())?.iter().map(cabinet).collect()
        })
        .await
    }

    /// One cabinet.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there.
    pub async fn cabinet(&self, cabinet_id: &str) -> Result<Cabinet> {
        let cabinet_id = cabinet_id.to_owned();
        self.read(move |tx, _| get(tx, &cabinet_id)).await
    }

    /// Puts a cabinet up.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be used or a name that is taken.
    pub async fn add_cabinet(&self, admin: &Admin, new: NewCabinet) -> Result<Cabinet> {
        check_new(&new)?;
        let actor = admin.actor();
        let added = self.write(move |tx, now_ms| {
            check_device(tx, new.device_id.as_deref())?;
            insert(tx, &new, now_ms)?;
            let message = format!("cabinet {} at {} was put up", new.cabinet_id, new.station);
            let site = site_of(tx, &new.station)?;
            Entry::of_person(site, now_ms, actor, "lockers", message).write(tx)?;
            let cabinet = get(tx, &new.cabinet_id)?;
            wired::tell(tx, cabinet.id, now_ms)?;
            Ok(cabinet)
        });
        added.await
    }

    /// Changes a cabinet. Orders keep the price that they were made at.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a cabinet that is not there, [`Error::Invalid`] for a value that
    /// cannot be used, [`Error::Refused`] with `cabinet_ordered` for one that is to be available
    /// while an order holds it.
    pub async fn change_cabinet(
        &self,
        admin: &Admin,
        cabinet_id: &str,
        change: CabinetChange,
    ) -> Result<Cabinet> {
        change.price.map_or(Ok(()), check_price)?;
        change.location.as_deref().map_or(Ok(()), |text| check_text("location", text))?;
        let (actor, cabinet_id) = (admin.actor(), cabinet_id.to_owned());
        let changed = self.write(move |tx, now_ms| {
            let old = get(tx, &cabinet_id)?;
            update(tx, &old, &change, now_ms)?;
            let new = get(tx, &cabinet_id)?;
            let message = format!("cabinet {cabinet_id} was changed: {}", differences(&old, &new));
            let site = site_of(tx, &new.station)?;
            Entry::of_person(site, now_ms, actor, "lockers", message).write(tx)?;
            Ok(new)
        });
        changed.await
    }
}

/// A cabinet whose state and controller are worked out.
const SELECT: &str = "SELECT id, cabinet_id, size, location, station, price_fen, status, device_id,
       door FROM (
    SELECT c.id, c.cabinet_id, c.size, c.location, c.station, c.price_fen, c.door,
           CASE WHEN c.state <> 'available' THEN c.state
                WHEN EXISTS (SELECT 1 FROM locker_orders o WHERE o.cabinet = c.id
                             AND o.status IN ('pending', 'paid', 'in_use')) THEN 'in_use'
                ELSE 'available' END AS status,
           COALESCE(
               (SELECT MIN(w.device_id) FROM locker_doors w JOIN sites s ON s.site_id = w.site_id
                WHERE w.cabinet_id = c.cabinet_id AND s.name = c.station),
               c.device_id,
               (SELECT CASE WHEN COUNT(*) = 1 THEN MIN(d.device_id) END FROM devices d
                WHERE d.station = c.station AND d.is_active = 1
                  AND NOT EXISTS (SELECT 1 FROM locker_banks b WHERE b.device_id = d.device_id))
           ) AS device_id
    FROM cabinets c) AS known";

fn cabinet(row: &Row) -> Result<Cabinet> {
    let word = |error| StoreError::new("read a word of a cabinet", error);
    Ok(Cabinet {
        id: row.get(0)?,
        cabinet_id: row.get(1)?,
        size: row.get::<String>(2)?.parse().map_err(word)?,
        location: row.get(3)?,
        station: row.get(4)?,
        price: Fen(row.get(5)?),
        status: row.get::<String>(6)?.parse().map_err(word)?,
        device_id: row.get(7)?,
        is_locked: row.get::<String>(8)? != "open",
    })
}

/// A cabinet by the name on its door.
pub(super) fn get(tx: &mut dyn Transaction, cabinet_id: &str) -> Result<Cabinet> {
    let row = first(tx, &format!("{SELECT} WHERE cabinet_id = $1"), params![cabinet_id])?;
    cabinet(&row.ok_or(Error::NotFound("cabinet"))?)
}

fn insert(tx: &mut dyn Transaction, new: &NewCabinet, now_ms: i64) -> Result<()> {
    let id = next_id(tx, "cabinet")?;
    let added = tx.execute(
        "INSERT INTO cabinets
             (id, cabinet_id, size, location, station, price_fen, state, device_id, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, 'available', $7, $8) ON CONFLICT (cabinet_id) DO NOTHING",
        params![
            id,
            &new.cabinet_id,
            new.size.as_str(),
            &new.location,
            &new.station,
            new.price.0,
            new.device_id.as_deref(),
            now_ms
        ],
    )?;
    if added == 1 { Ok(()) } else { Err(Error::invalid("cabinet_id", "is taken; choose another")) }
}

fn update(
    tx: &mut dyn Transaction,
    old: &Cabinet,
    change: &CabinetChange,
    now_ms: i64,
) -> Result<()> {
    if let Some(status) = change.status {
        let state = kept_state(tx, old, status)?;
        // Whoever sets it has looked after what was wrong.
        let sql = "UPDATE cabinets SET state = $2, trouble = NULL, trouble_at_ms = NULL,
                       maintenance_at_ms = CASE WHEN $2 = 'maintenance'
                           THEN COALESCE(maintenance_at_ms, CAST($3 AS BIGINT)) END
                   WHERE id = $1";
        tx.execute(sql, params![old.id, state.as_str(), now_ms])?;
    }
    if let Some(price) = change.price {
        tx.execute("UPDATE cabinets SET price_fen = $2 WHERE id = $1", params![old.id, price.0])?;
    }
    if let Some(location) = &change.location {
        let sql = "UPDATE cabinets SET location = $2 WHERE id = $1";
        tx.execute(sql, params![old.id, location])?;
    }
    if let Some(device) = &change.device_id {
        check_device(tx, device.as_deref())?;
        let sql = "UPDATE cabinets SET device_id = $2 WHERE id = $1";
        tx.execute(sql, params![old.id, device.as_deref()])?;
    }
    Ok(())
}

/// What is kept where a status is asked for. An order alone makes its cabinet `in_use`, so that
/// it is free when the order ends.
fn kept_state(
    tx: &mut dyn Transaction,
    cabinet: &Cabinet,
    asked: CabinetStatus,
) -> Result<CabinetStatus> {
    let sql = "SELECT 1 FROM locker_orders
               WHERE cabinet = $1 AND status IN ('pending', 'paid', 'in_use')";
    let is_ordered = first(tx, sql, params![cabinet.id])?.is_some();
    match (asked, is_ordered) {
        (CabinetStatus::Available, true) => Err(Error::Refused("cabinet_ordered")),
        (CabinetStatus::InUse, true) => Ok(CabinetStatus::Available),
        (asked, _) => Ok(asked),
    }
}

fn differences(old: &Cabinet, new: &Cabinet) -> String {
    let values = |cabinet: &Cabinet| {
        [
            ("status", cabinet.status.as_str().to_owned()),
            ("price", cabinet.price.to_string()),
            ("location", cabinet.location.clone()),
            ("device", cabinet.device_id.clone().unwrap_or_default()),
        ]
    };
    let pairs = values(old).into_iter().zip(values(new));
    let changed = pairs.filter(|(before, after)| before != after);
    let texts: Vec<_> = changed.map(|((name, a), (_, b))| format!("{name} {a} → {b}")).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}

fn check_new(new: &NewCabinet) -> Result<()> {
    let usable = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let length = new.cabinet_id.chars().count();
    if !(1..=LONGEST_ID).contains(&length) || !new.cabinet_id.chars().all(usable) {
        let problem = "use 1 to 32 letters, digits, `-` and `_`";
        return Err(Error::invalid("cabinet_id", problem));
    }
    if RESERVED.contains(&new.cabinet_id.as_str()) {
        return Err(Error::invalid("cabinet_id", "is a word of the service; choose another"));
    }
    check_text("location", &new.location)?;
    check_text("station", &new.station)?;
    check_price(new.price)
}

/// Whether a text that a person typed is neither empty nor too long.
pub(crate) fn check_text(field: &'static str, text: &str) -> Result<()> {
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(Error::invalid(field, "use 1 to 100 characters"));
    }
    Ok(())
}

fn check_price(price: Fen) -> Result<()> {
    if (Fen::ZERO..=HIGHEST_PRICE).contains(&price) {
        return Ok(());
    }
    Err(Error::invalid("price_per_hour", "use 0 to 100000.00"))
}

fn check_device(tx: &mut dyn Transaction, device: Option<&str>) -> Result<()> {
    let Some(device) = device else { return Ok(()) };
    let found = first(tx, "SELECT 1 FROM devices WHERE device_id = $1", params![device])?;
    found.map(drop).ok_or(Error::NotFound("device"))
}
