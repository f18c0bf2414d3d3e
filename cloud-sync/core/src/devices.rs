//! Controllers that call the cloud themselves, such as those of lockers.

use domain::ids::DeviceId;

use crate::{
    base::Base,
    caller::Device,
    error::{Error, Result},
    lockers::{NewDevice, check_text},
    secret,
    store::{Transaction, params},
};

/// The controllers.
pub struct Devices {
    base: Base,
}

impl Devices {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// Registers a controller of a station and returns its API key, which is not kept.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the controller is registered already or the station has no name.
    pub async fn add(&self, device: &DeviceId, station: &str) -> Result<String> {
        check_text("station", station)?;
        let (device_id, station) = (device.clone(), station.to_owned());
        let new = NewDevice { device_id, station, name: None, location: None };
        let (key, now_ms) = (secret::new_key(), self.base.now_ms());
        let hash = secret::hash_key(&key);
        self.base.store.write(move |tx| insert(tx, &new, &hash, now_ms)).await?;
        Ok(key)
    }

    /// The controller that an API key stands for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where it stands for none.
    pub async fn by_key(&self, key: &str) -> Result<Device> {
        let hash = secret::hash_key(key);
        let query = "SELECT device_id, station FROM devices WHERE key_hash = $1 AND is_active = 1";
        let found = self.base.store.ask(query, params![hash]).await?;
        let row = found.first().ok_or(Error::Unauthenticated)?;
        let id = row.get::<String>(0)?.parse().map_err(|_| Error::NotFound("device"))?;
        Ok(Device::new(id, row.get(1)?))
    }
}

/// Registers a controller, of whose key only the hash is kept.
pub(crate) fn insert(
    tx: &mut dyn Transaction,
    new: &NewDevice,
    key_hash: &str,
    now_ms: i64,
) -> Result<()> {
    let device_id = new.device_id.as_str();
    let added = tx.execute(
        "INSERT INTO devices (device_id, station, name, location, key_hash, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (device_id) DO NOTHING",
        params![
            device_id,
            &new.station,
            new.name.as_deref(),
            new.location.as_deref(),
            key_hash,
            now_ms
        ],
    )?;
    if added == 1 {
        return Ok(());
    }
    Err(Error::invalid("device_id", format!("`{device_id}` is registered already")))
}
