//! Areas of a site. Who has no account of spots says only how many there are.

use super::Parking;
use crate::{
    caller::{Admin, Caller},
    error::{Error, Result},
    logs::Entry,
    sites::default_site,
    store::{Row, Transaction, first, next_id, number, params},
    text,
};

const MOST_SPOTS: i64 = 1_000_000;

/// An area and how full it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its number.
    pub id: i64,
    /// The site it belongs to.
    pub site: String,
    /// Its name.
    pub name: String,
    /// What people say of it; may be empty.
    pub description: String,
    /// Places that it has: as many as were said, or as are defined where those are more.
    pub total_spots: i64,
    /// Places that a car stands on: spots that are taken and cars inside without a spot.
    pub occupied_spots: i64,
    /// Places that are kept for somebody.
    pub reserved_spots: i64,
    /// Places that nobody can use.
    pub maintenance_spots: i64,
    /// Whether it is in use.
    pub is_active: bool,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

impl Area {
    /// Places that a car can take right now.
    pub const fn available_spots(&self) -> i64 {
        self.total_spots - self.occupied_spots - self.reserved_spots - self.maintenance_spots
    }
}

/// An area that is to be made.
#[derive(Debug, Clone, Default)]
pub struct NewArea {
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// At most 500 characters.
    pub description: String,
    /// Places that it has, 0 to 1,000,000.
    pub total_spots: i64,
    /// The site; none for the default one.
    pub site: Option<String>,
}

/// What changes of an area; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct AreaChange {
    /// See [`NewArea::name`].
    pub name: Option<String>,
    /// See [`NewArea::description`].
    pub description: Option<String>,
    /// See [`NewArea::total_spots`].
    pub total_spots: Option<i64>,
    /// Whether it is in use.
    pub is_active: Option<bool>,
}

impl Parking {
    /// The areas in use, by their numbers.
    pub async fn areas(&self, _: &Caller) -> Result<Vec<Area>> {
        self.base.store.read(|tx| list(tx)).await
    }

    /// One area in use.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn area(&self, _: &Caller, id: i64) -> Result<Area> {
        self.base.store.read(move |tx| get(tx, id)).await
    }

    /// Makes an area.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used.
    pub async fn add_area(&self, admin: &Admin, new: NewArea) -> Result<Area> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let area = insert(tx, &new, now_ms)?;
            let message = format!("停车区域 {} 已创建", area.name);
            Entry::of_person(area.site.clone(), now_ms, actor, "parking", message).write(tx)?;
            Ok(area)
        });
        self.changed(made.await)
    }

    /// Changes an area.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] as for [`Parking::add_area`].
    pub async fn change_area(&self, admin: &Admin, id: i64, change: AreaChange) -> Result<Area> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let area = update(tx, id, &change)?;
            let message = format!("停车区域 {} 已更新", area.name);
            Entry::of_person(area.site.clone(), now_ms, actor, "parking", message).write(tx)?;
            Ok(area)
        });
        self.changed(made.await)
    }

    /// Takes an area and its spots out of use; what happened there stays known.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Refused`] `area_in_use` while a car stands there.
    pub async fn remove_area(&self, admin: &Admin, id: i64) -> Result<Area> {
        let change = AreaChange { is_active: Some(false), ..AreaChange::default() };
        self.change_area(admin, id, change).await
    }
}

const SELECT: &str = "SELECT a.id, a.site_id, a.name, a.description, a.total_spots, a.is_active,
        a.created_at_ms,
        (SELECT COUNT(*) FROM spots x WHERE x.area_id = a.id AND x.is_active = 1),
        (SELECT COUNT(*) FROM spots x
         WHERE x.area_id = a.id AND x.is_active = 1 AND x.status = 'occupied')
        + (SELECT COUNT(*) FROM parking_sessions p WHERE p.site_id = a.site_id
           AND p.area_id = a.id AND p.exited_at_ms IS NULL AND p.spot_id IS NULL),
        (SELECT COUNT(*) FROM spots x
         WHERE x.area_id = a.id AND x.is_active = 1 AND x.status = 'reserved'),
        (SELECT COUNT(*) FROM spots x
         WHERE x.area_id = a.id AND x.is_active = 1 AND x.status = 'maintenance')
    FROM areas a";

pub(super) fn list(tx: &mut dyn Transaction) -> Result<Vec<Area>> {
    let rows = tx.query(&format!("{SELECT} WHERE a.is_active = 1 ORDER BY a.id"), &[])?;
    rows.iter().map(area).collect()
}

pub(super) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Area> {
    let row = first(tx, &format!("{SELECT} WHERE a.is_active = 1 AND a.id = $1"), params![id])?;
    area(&row.ok_or(Error::NotFound("area"))?)
}

/// The first area in use of that name, as people name it in preferences.
pub(super) fn by_name(tx: &mut dyn Transaction, name: &str) -> Result<Option<(i64, String)>> {
    let sql = "SELECT id, site_id FROM areas WHERE name = $1 AND is_active = 1 ORDER BY id LIMIT 1";
    let row = first(tx, sql, params![name.trim()])?;
    row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

fn area(row: &Row) -> Result<Area> {
    let (said, defined): (i64, i64) = (row.get(4)?, row.get(7)?);
    let total_spots = said.max(defined);
    let (reserved_spots, maintenance_spots): (i64, i64) = (row.get(9)?, row.get(10)?);
    // More cars than places means that some stand elsewhere: no place is taken twice.
    let most = (total_spots - reserved_spots - maintenance_spots).max(0);
    Ok(Area {
        id: row.get(0)?,
        site: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        total_spots,
        occupied_spots: row.get::<i64>(8)?.min(most),
        reserved_spots,
        maintenance_spots,
        is_active: row.get(5)?,
        created_at_ms: row.get(6)?,
    })
}

fn insert(tx: &mut dyn Transaction, new: &NewArea, now_ms: i64) -> Result<Area> {
    let name = text::required("name", &new.name, 100)?;
    let description = text::optional("description", &new.description, 500)?;
    let total_spots = spots(new.total_spots)?;
    let site = match &new.site {
        Some(site) => known_site(tx, site)?,
        None => default_site(tx, now_ms)?,
    };
    let id = next_id(tx, "area")?;
    tx.execute(
        "INSERT INTO areas (site_id, id, name, description, total_spots, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![site, id, name, description, total_spots, now_ms],
    )?;
    get(tx, id)
}

fn known_site(tx: &mut dyn Transaction, site: &str) -> Result<String> {
    let row = first(tx, "SELECT site_id FROM sites WHERE site_id = $1", params![site])?;
    Ok(row.ok_or_else(|| Error::invalid("site_id", "no such site"))?.get(0)?)
}

fn update(tx: &mut dyn Transaction, id: i64, change: &AreaChange) -> Result<Area> {
    let before = get(tx, id)?;
    let name = change.name.as_ref().unwrap_or(&before.name);
    let description = change.description.as_ref().unwrap_or(&before.description);
    let said = change.total_spots.map(spots).transpose()?;
    tx.execute(
        "UPDATE areas SET name = $1, description = $2, total_spots = COALESCE($3, total_spots)
         WHERE id = $4",
        params![
            text::required("name", name, 100)?,
            text::optional("description", description, 500)?,
            said,
            id
        ],
    )?;
    if change.is_active == Some(false) {
        retire(tx, id)?;
        return Ok(Area { is_active: false, ..before });
    }
    get(tx, id)
}

fn retire(tx: &mut dyn Transaction, id: i64) -> Result<()> {
    let sql = "SELECT COUNT(*) FROM spots WHERE area_id = $1 AND is_active = 1
               AND status = 'occupied'";
    if number(tx, sql, params![id])? > 0 {
        return Err(Error::Refused("area_in_use"));
    }
    tx.execute("UPDATE spots SET is_active = 0 WHERE area_id = $1", params![id])?;
    tx.execute("UPDATE tariffs SET is_active = 0 WHERE area_id = $1", params![id])?;
    tx.execute("UPDATE areas SET is_active = 0 WHERE id = $1", params![id])?;
    Ok(())
}

fn spots(count: i64) -> Result<i64> {
    if (0..=MOST_SPOTS).contains(&count) {
        Ok(count)
    } else {
        Err(Error::invalid("total_spots", "use 0 to 1000000"))
    }
}
