//! Controllers that call the cloud themselves, such as those of lockers.

use domain::ids::DeviceId;

use crate::{
    base::Base,
    caller::Device,
    error::{Error, Result},
    secret,
    store::{first, params},
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
        if station.trim().is_empty() || station.chars().count() > 100 {
            return Err(Error::invalid("station", "use 1 to 100 characters"));
        }
        let key = secret::new_key();
        let row = (device.to_string(), station.to_owned(), secret::hash_key(&key));
        let now_ms = self.base.now_ms();
        let insert = "INSERT INTO devices (device_id, station, key_hash, created_at_ms)
                      VALUES ($1, $2, $3, $4) ON CONFLICT (device_id) DO NOTHING";
        let made = self
            .base
            .store
            .write(move |tx| Ok(tx.execute(insert, params![row.0, row.1, row.2, now_ms])?));
        if made.await? == 1 {
            Ok(key)
        } else {
            Err(Error::invalid("device_id", format!("`{device}` is registered already")))
        }
    }

    /// The controller that an API key stands for.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where it stands for none.
    pub async fn by_key(&self, key: &str) -> Result<Device> {
        let hash = secret::hash_key(key);
        let query = "SELECT device_id, station FROM devices WHERE key_hash = $1";
        let found = self.base.store.read(move |tx| Ok(first(tx, query, params![hash])?));
        let row = found.await?.ok_or(Error::Unauthenticated)?;
        let id = row.get::<String>(0)?.parse().map_err(|_| Error::NotFound("device"))?;
        Ok(Device::new(id, row.get(1)?))
    }
}
