//! Cameras over spots.

use super::{Parking, spots};
use crate::{
    caller::{Admin, Caller},
    error::{Error, Result},
    logs::Entry,
    plates::Window,
    sites::default_site,
    store::{Conditions, Row, Transaction, first, next_id, number, params},
    text,
};

/// Most spots that one camera watches.
const MOST_SPOTS: usize = 1000;

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Camera {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Where it hangs; may be empty.
    pub location: String,
    /// The spots that it watches.
    pub spots: Vec<super::Spot>,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// What changes of a camera, or is said of a new one; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct CameraChange {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 200 characters.
    pub location: Option<String>,
    /// Numbers of the spots that it watches.
    pub spots: Option<Vec<i64>>,
}

impl Parking {
    /// The cameras, newest first, and how many there are.
    pub async fn cameras(&self, _: &Caller, window: Option<Window>) -> Result<(Vec<Camera>, i64)> {
        let read = self.base.store.read(move |tx| {
            let total = number(tx, "SELECT COUNT(*) FROM cameras", &[])?;
            let mut conditions = Conditions::new("1 = 1");
            let slice = window.map_or_else(String::new, |window| conditions.slice(window));
            let sql = format!("{SELECT} {} ORDER BY id DESC{slice}", conditions.sql());
            let rows = tx.query(&sql, conditions.params())?;
            Ok((rows.iter().map(|row| camera(tx, row)).collect::<Result<_>>()?, total))
        });
        read.await
    }

    /// One camera.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn camera(&self, _: &Caller, id: i64) -> Result<Camera> {
        self.base.store.read(move |tx| get(tx, id)).await
    }

    /// Makes a camera.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used.
    pub async fn add_camera(&self, admin: &Admin, new: CameraChange) -> Result<Camera> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let site = default_site(tx, now_ms)?;
            let id = next_id(tx, "camera")?;
            tx.execute(
                "INSERT INTO cameras (site_id, id, name, location, created_at_ms)
                 VALUES ($1, $2, '', '', $3)",
                params![&site, id, now_ms],
            )?;
            let name = Some(new.name.clone().unwrap_or_default());
            let camera = change(tx, id, &CameraChange { name, ..new })?;
            let message = format!("摄像头 {} 已创建", camera.name);
            Entry::of_person(site, now_ms, actor, "camera", message).write(tx)?;
            Ok(camera)
        });
        made.await
    }

    /// Changes a camera.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] as for [`Parking::add_camera`].
    pub async fn change_camera(&self, _: &Admin, id: i64, wanted: CameraChange) -> Result<Camera> {
        self.base.store.write(move |tx| change(tx, id, &wanted)).await
    }

    /// Forgets a camera; what it saw stays known.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_camera(&self, _: &Admin, id: i64) -> Result<()> {
        let removed = self.base.store.write(move |tx| {
            get(tx, id)?;
            tx.execute("DELETE FROM camera_spots WHERE camera_id = $1", params![id])?;
            tx.execute("DELETE FROM cameras WHERE id = $1", params![id])?;
            Ok(())
        });
        removed.await
    }
}

const SELECT: &str = "SELECT id, name, location, created_at_ms FROM cameras";

pub(super) fn get(tx: &mut dyn Transaction, id: i64) -> Result<Camera> {
    let row = first(tx, &format!("{SELECT} WHERE id = $1"), params![id])?;
    camera(tx, &row.ok_or(Error::NotFound("camera"))?)
}

fn camera(tx: &mut dyn Transaction, row: &Row) -> Result<Camera> {
    let id = row.get(0)?;
    let sql = format!(
        "SELECT {} FROM camera_spots c JOIN spots sp ON sp.id = c.spot_id {}
         WHERE c.camera_id = $1 AND sp.is_active = 1 ORDER BY sp.id",
        spots::SPOT_COLUMNS,
        spots::SPOT_JOINS
    );
    let watched = tx.query(&sql, params![id])?;
    Ok(Camera {
        id,
        name: row.get(1)?,
        location: row.get(2)?,
        spots: watched.iter().map(|row| spots::read(row, 0)).collect::<Result<_>>()?,
        created_at_ms: row.get(3)?,
    })
}

fn change(tx: &mut dyn Transaction, id: i64, wanted: &CameraChange) -> Result<Camera> {
    let before = get(tx, id)?;
    let name = text::required("camera_name", wanted.name.as_ref().unwrap_or(&before.name), 100)?;
    let location =
        text::optional("location", wanted.location.as_ref().unwrap_or(&before.location), 200)?;
    let sql = "UPDATE cameras SET name = $1, location = $2 WHERE id = $3";
    tx.execute(sql, params![name, location, id])?;
    if let Some(wanted) = &wanted.spots {
        watch(tx, id, wanted)?;
    }
    get(tx, id)
}

fn watch(tx: &mut dyn Transaction, camera: i64, wanted: &[i64]) -> Result<()> {
    if wanted.len() > MOST_SPOTS {
        return Err(Error::invalid("monitoring_slots", "name at most 1000"));
    }
    tx.execute("DELETE FROM camera_spots WHERE camera_id = $1", params![camera])?;
    for spot in wanted {
        spots::get(tx, *spot)
            .map_err(|_| Error::invalid("monitoring_slots", format!("{spot} is not there")))?;
        let sql = "INSERT INTO camera_spots (camera_id, spot_id) VALUES ($1, $2)
                   ON CONFLICT DO NOTHING";
        tx.execute(sql, params![camera, *spot])?;
    }
    Ok(())
}
