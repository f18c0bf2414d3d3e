//! Detection records in the family's JSON.

use chrono::DateTime;
use chrono_tz::Tz;
use cloud_core::{Caller, Movement, PlateFilter, PlateRead, Window};
use schemars::JsonSchema;
use serde::Serialize;

use super::params::{self, Page};
use crate::{
    faces::images,
    http::{Answer, Call, Json},
};

/// Types of vehicles with the document's words for them.
pub(super) const VEHICLES: [(&str, &str); 6] = [
    ("car", "轿车"),
    ("truck", "货车"),
    ("suv", "SUV"),
    ("motorcycle", "摩托车"),
    ("bus", "客车"),
    ("mpv", "面包车"),
];

/// The document's word for a movement.
pub(super) const fn detection_type(movement: Movement) -> &'static str {
    match movement {
        Movement::Entered => "vehicle_enter",
        Movement::Left => "vehicle_exit",
        Movement::Seen => "license_plate_recognition",
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Records {
    records: Vec<Record>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
struct Record {
    id: i64,
    detection_time: String,
    detection_type: &'static str,
    detection_type_display: &'static str,
    vehicle_type: Option<&'static str>,
    vehicle_type_display: Option<&'static str>,
    confidence: f64,
    license_plate: Option<String>,
    image_url: Option<String>,
    /// Null at a barrier, which belongs to no spot.
    spot: Option<i64>,
    spot_info: String,
}

#[derive(Serialize, JsonSchema)]
struct Pagination {
    current_page: u32,
    total_pages: i64,
    total_count: i64,
    page_size: u32,
    has_next: bool,
    has_previous: bool,
}

/// The page of records that a call asks for.
pub(super) async fn read(call: &Call<Caller>, filter: PlateFilter) -> Answer<Json<Records>> {
    let page = params::page(&call.query)?;
    let skip = (page.number - 1).saturating_mul(page.size);
    let window = Window { skip, limit: page.size };
    let (reads, total) = call.app.cloud.plates.page(&call.who, filter, window).await?;
    Ok(Json(Records::new(reads, total, page, call.app.cloud.parking.zone())))
}

impl Records {
    fn new(reads: Vec<PlateRead>, total: i64, page: Page, zone: Tz) -> Self {
        let size = i64::from(page.size);
        let total_pages = ((total + size - 1) / size).max(1);
        Self {
            records: reads.into_iter().map(|read| Record::new(read, zone)).collect(),
            pagination: Pagination {
                current_page: page.number,
                total_pages,
                total_count: total,
                page_size: page.size,
                has_next: i64::from(page.number) < total_pages,
                has_previous: page.number > 1,
            },
        }
    }
}

impl Record {
    fn new(read: PlateRead, zone: Tz) -> Self {
        let vehicle = VEHICLES.iter().find(|(name, _)| Some(*name) == read.vehicle());
        let detection_type = detection_type(read.movement);
        Self {
            id: read.id,
            detection_time: local_time(read.read_at_ms, zone),
            detection_type,
            detection_type_display: detection_type,
            vehicle_type: vehicle.map(|(name, _)| *name),
            vehicle_type_display: vehicle.map(|(_, display)| *display),
            confidence: read.confidence,
            license_plate: Some(read.plate).filter(|plate| !plate.is_empty()),
            image_url: read.picture.map(|sha256| format!("/images/{}", images::path(&sha256))),
            spot: read.spot.as_ref().map(|spot| spot.id),
            spot_info: match &read.spot {
                Some(spot) => format!("{}-{}", spot.area, spot.number),
                None if read.lane.is_empty() => read.site_name,
                None => format!("{}-{}", read.site_name, read.lane),
            },
        }
    }
}

/// The site's local time without an offset, with microseconds, as the document shows it.
pub(super) fn local_time(ms: i64, zone: Tz) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&zone);
    moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}
