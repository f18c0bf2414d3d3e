//! `/api/camera_ocr/`: cameras, the slots that they watch, and the plates that they saw there.

use cloud_core::{Admin, Caller, Camera, CameraChange, Detection, Operator, Sighting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::required,
    listing::{Listing, Wanted},
    slots::SlotView,
    time::utc,
};
use crate::http::{Answer, Call, Created, Json, Local, NoContent};

const CAMERAS: &str = "/api/camera_ocr/cameras/";
const LOGS: &str = "/api/camera_ocr/ocr_logs/";

/// A camera.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CameraView {
    /// Its number.
    id: i64,
    /// Its name.
    camera_name: String,
    /// Where it hangs.
    location: String,
    /// The slots that it watches.
    monitoring_slots: Vec<SlotView>,
    /// When it was made.
    created_at: String,
}

impl From<Camera> for CameraView {
    fn from(camera: Camera) -> Self {
        Self {
            id: camera.id,
            camera_name: camera.name,
            location: camera.location,
            monitoring_slots: camera.spots.into_iter().map(SlotView::from).collect(),
            created_at: utc(camera.created_at_ms),
        }
    }
}

/// A plate that a camera saw on a slot.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct LogView {
    /// Its number, that of the anpr plate.
    id: i64,
    /// The number of the camera.
    camera: i64,
    /// The number of the slot.
    slot: Option<i64>,
    /// The plate, as read or corrected.
    plate_number: String,
    /// When.
    detected_at: String,
}

impl From<Sighting> for LogView {
    fn from(sighting: Sighting) -> Self {
        Self {
            id: sighting.id,
            camera: sighting.camera,
            slot: sighting.spot,
            plate_number: sighting.plate,
            detected_at: utc(sighting.seen_at_ms),
        }
    }
}

/// What is said of a camera.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct CameraBody {
    /// Its name: 1 to 100 characters.
    camera_name: Option<String>,
    /// Where it hangs: at most 200 characters.
    location: Option<String>,
    /// The numbers of the slots that it watches.
    monitoring_slots: Option<Vec<i64>>,
}

impl From<&CameraBody> for CameraChange {
    fn from(body: &CameraBody) -> Self {
        Self {
            name: body.camera_name.clone(),
            location: body.location.clone(),
            spots: body.monitoring_slots.clone(),
        }
    }
}

/// A car that a camera reports.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct DetectBody {
    /// The number of the camera.
    camera_id: i64,
    /// The number of the slot.
    slot_id: i64,
    /// The plate: 1 to 20 printable characters.
    plate_number: String,
}

pub(super) async fn list(call: Call<Local<Caller>>) -> Answer<Json<Listing<CameraView>>> {
    let wanted = Wanted::of(&call.query)?;
    let cameras = call.app.cloud.parking.cameras(&call.who.0, wanted.window()).await?;
    Ok(wanted.answer(CAMERAS, cameras))
}

pub(super) async fn create(call: Call<Admin, Json<CameraBody>>) -> Answer<Created<CameraView>> {
    required("camera_name", call.body.0.camera_name.as_ref())?;
    let new = CameraChange::from(&call.body.0);
    Ok(Created(call.app.cloud.parking.add_camera(&call.who, new).await?.into()))
}

pub(super) async fn one(call: Call<Local<Caller>>) -> Answer<Json<CameraView>> {
    let id = call.id("id", "camera")?;
    Ok(Json(call.app.cloud.parking.camera(&call.who.0, id).await?.into()))
}

pub(super) async fn replace(call: Call<Admin, Json<CameraBody>>) -> Answer<Json<CameraView>> {
    required("camera_name", call.body.0.camera_name.as_ref())?;
    change(call).await
}

pub(super) async fn change(call: Call<Admin, Json<CameraBody>>) -> Answer<Json<CameraView>> {
    let (id, change) = (call.id("id", "camera")?, CameraChange::from(&call.body.0));
    Ok(Json(call.app.cloud.parking.change_camera(&call.who, id, change).await?.into()))
}

pub(super) async fn remove(call: Call<Admin>) -> Answer<NoContent> {
    call.app.cloud.parking.remove_camera(&call.who, call.id("id", "camera")?).await?;
    Ok(NoContent)
}

pub(super) async fn logs(call: Call<Local<Operator>>) -> Answer<Json<Listing<LogView>>> {
    let wanted = Wanted::of(&call.query)?;
    let sightings = call.app.cloud.parking.sightings(&call.who.0.reader(), wanted.window()).await?;
    Ok(wanted.answer(LOGS, sightings))
}

pub(super) async fn log(call: Call<Local<Operator>>) -> Answer<Json<LogView>> {
    let id = call.id("id", "ocr_log")?;
    Ok(Json(call.app.cloud.parking.sighting(&call.who.0.reader(), id).await?.into()))
}

pub(super) async fn detect_car(
    call: Call<Local<Operator>, Json<DetectBody>>,
) -> Answer<Json<LogView>> {
    let body = &call.body.0;
    let seen =
        Detection { camera: body.camera_id, spot: body.slot_id, plate: body.plate_number.clone() };
    Ok(Json(call.app.cloud.parking.detect_car(&call.who.0, seen).await?.into()))
}
