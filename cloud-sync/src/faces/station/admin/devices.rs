//! `/api/admin/devices/`.

use chrono_tz::Tz;
use cloud_core::{
    Admin,
    lockers::{DeviceChange, DeviceState, NewDevice},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{
    envelope::{Data, found, made, said},
    time::with_offset,
};
use crate::http::{Answer, Call, Created, Json, fields};

/// A controller.
#[derive(Debug, Serialize, JsonSchema)]
pub(in super::super) struct DeviceView {
    /// Its name in the system.
    device_id: String,
    /// Its name for people; the one in the system where it has none.
    name: String,
    /// The station that it stands in.
    station: String,
    /// Where it stands in its station.
    location: Option<String>,
    /// online or offline.
    status: &'static str,
    /// Whether its key is good.
    is_active: bool,
    /// Percent, as it last said.
    battery_level: Option<i64>,
    /// When it was last heard of.
    last_heartbeat: Option<String>,
    /// When it was registered.
    created_at: String,
    /// Its API key, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

impl DeviceView {
    fn new(device: DeviceState, zone: Tz) -> Self {
        Self {
            name: device.name.unwrap_or_else(|| device.device_id.clone()),
            device_id: device.device_id,
            station: device.station,
            location: device.location,
            status: if device.is_online { "online" } else { "offline" },
            is_active: device.is_active,
            battery_level: device.battery_level,
            last_heartbeat: device.last_seen_at_ms.map(|ms| with_offset(ms, zone)),
            created_at: with_offset(device.created_at_ms, zone),
            api_key: None,
        }
    }
}

/// A controller that is to be registered.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in super::super) struct NewDeviceBody {
    /// Its name in the system: 1 to 64 of a-z, A-Z, 0-9, `-` and `_`.
    device_id: String,
    /// The station that it stands in.
    station: String,
    /// Its name for people.
    name: Option<String>,
    /// Where it stands in its station.
    location: Option<String>,
}

/// What is to be changed of a controller; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in super::super) struct DeviceBody {
    /// Its name in the system.
    device_id: String,
    /// Its name for people.
    name: Option<String>,
    /// The station that it stands in.
    station: Option<String>,
    /// Where it stands in its station.
    location: Option<String>,
    /// Whether its key is good.
    is_active: Option<bool>,
}

pub(in super::super) async fn devices(call: Call<Admin>) -> Answer<Json<Data<Vec<DeviceView>>>> {
    let lockers = &call.app.cloud.lockers;
    let devices = lockers.devices(&call.who).await?;
    let views = devices.into_iter().map(|device| DeviceView::new(device, lockers.zone()));
    Ok(found(views.collect()))
}

pub(in super::super) async fn add_device(
    call: Call<Admin, Json<NewDeviceBody>>,
) -> Answer<Created<Data<DeviceView>>> {
    let (lockers, body) = (&call.app.cloud.lockers, &call.body.0);
    let new = NewDevice {
        device_id: fields::parsed("device_id", body.device_id.trim())?,
        station: body.station.trim().to_owned(),
        name: body.name.clone(),
        location: body.location.clone(),
    };
    let (device, key) = lockers.add_device(&call.who, new).await?;
    let view = DeviceView::new(device, lockers.zone());
    Ok(made("创建成功", DeviceView { api_key: Some(key), ..view }))
}

pub(in super::super) async fn change_device(
    call: Call<Admin, Json<DeviceBody>>,
) -> Answer<Json<Data<DeviceView>>> {
    let (lockers, body) = (&call.app.cloud.lockers, &call.body.0);
    let change = DeviceChange {
        name: body.name.clone(),
        station: body.station.clone(),
        location: body.location.clone(),
        is_active: body.is_active,
    };
    let device = lockers.change_device(&call.who, body.device_id.trim(), change).await?;
    Ok(said("更新成功", DeviceView::new(device, lockers.zone())))
}
