//! The family's JSON.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use cloud_core::{AreaFigures, Dashboard, DayFigures, Movement, PlateRead};
use serde::Serialize;

use super::params::Page;
use crate::faces::images;

/// A type of vehicle as the document names it, and the kinds of plate that say it.
pub(super) struct VehicleType {
    pub(super) name: &'static str,
    display: &'static str,
    pub(super) kinds: &'static [&'static str],
}

/// Only cars can be told by their plate: blue and green are theirs. What wears another colour is
/// of no type here.
pub(super) const VEHICLES: [VehicleType; 6] = [
    VehicleType { name: "car", display: "轿车", kinds: &["blue", "green"] },
    VehicleType { name: "truck", display: "货车", kinds: &[] },
    VehicleType { name: "suv", display: "SUV", kinds: &[] },
    VehicleType { name: "motorcycle", display: "摩托车", kinds: &[] },
    VehicleType { name: "bus", display: "客车", kinds: &[] },
    VehicleType { name: "mpv", display: "面包车", kinds: &[] },
];

/// The document's word for a movement.
pub(super) const fn detection_type(movement: Movement) -> &'static str {
    match movement {
        Movement::Entered => "vehicle_enter",
        Movement::Left => "vehicle_exit",
        Movement::Seen => "license_plate_recognition",
    }
}

#[derive(Serialize)]
pub(super) struct Records {
    records: Vec<Record>,
    pagination: Pagination,
}

#[derive(Serialize)]
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
    /// A read at a barrier belongs to no spot.
    spot: Option<i64>,
    spot_info: String,
}

#[derive(Serialize)]
struct Pagination {
    current_page: u32,
    total_pages: i64,
    total_count: i64,
    page_size: u32,
    has_next: bool,
    has_previous: bool,
}

impl Records {
    pub(super) fn new(reads: Vec<PlateRead>, total: i64, page: Page, zone: Tz) -> Self {
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
        let vehicle = VEHICLES.iter().find(|vehicle| vehicle.kinds.contains(&read.kind.as_str()));
        let detection_type = detection_type(read.movement);
        Self {
            id: read.id,
            detection_time: local_time(read.read_at_ms, zone),
            detection_type,
            detection_type_display: detection_type,
            vehicle_type: vehicle.map(|vehicle| vehicle.name),
            vehicle_type_display: vehicle.map(|vehicle| vehicle.display),
            confidence: read.confidence,
            license_plate: Some(read.plate).filter(|plate| !plate.is_empty()),
            image_url: read.picture.map(|sha256| format!("/images/{}", images::path(&sha256))),
            spot: None,
            spot_info: format!("{}-{}", read.site_name, read.lane),
        }
    }
}

/// The site's local time without an offset, with microseconds, as the document shows it.
fn local_time(ms: i64, zone: Tz) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&zone);
    moment.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

#[derive(Serialize)]
pub(super) struct DashboardView {
    #[serde(flatten)]
    totals: Totals,
    overview: Overview,
    today_stats: Option<DayView>,
    area_stats: Vec<AreaView>,
    daily_trends: Vec<DayView>,
}

#[derive(Clone, Copy, Serialize)]
struct Totals {
    total_spots: i64,
    occupied_spots: i64,
    available_spots: i64,
    /// A ratio, 0 to 1.
    occupancy_rate: f64,
    today_revenue: f64,
    active_sessions: i64,
}

/// The same figures as the original page reads them: the rate in percent.
#[derive(Serialize)]
struct Overview {
    total_spots: i64,
    occupied_spots: i64,
    available_spots: i64,
    occupancy_rate: f64,
    today_revenue: f64,
    active_sessions: i64,
}

#[derive(Serialize)]
struct DayView {
    date: NaiveDate,
    entries: i64,
    exits: i64,
    detections: i64,
    revenue: f64,
}

#[derive(Serialize)]
struct AreaView {
    area_id: i64,
    area_name: String,
    total_spots: i64,
    occupied_spots: i64,
    available_spots: i64,
    /// In percent, as in `overview`.
    occupancy_rate: f64,
}

impl From<Dashboard> for DashboardView {
    fn from(dashboard: Dashboard) -> Self {
        let daily_trends: Vec<_> = dashboard.days.iter().map(DayView::from).collect();
        let today = dashboard.days.last();
        let area_stats: Vec<_> = dashboard.areas.into_iter().map(AreaView::from).collect();
        let sum = |figure: fn(&AreaView) -> i64| area_stats.iter().map(figure).sum();
        let (total_spots, occupied_spots) = (sum(|a| a.total_spots), sum(|a| a.occupied_spots));
        let totals = Totals {
            total_spots,
            occupied_spots,
            available_spots: total_spots - occupied_spots,
            occupancy_rate: ratio(occupied_spots, total_spots),
            today_revenue: today.map_or(0.0, |today| yuan(today.revenue_fen)),
            active_sessions: dashboard.active_sessions,
        };
        Self {
            totals,
            overview: Overview::from(totals),
            today_stats: today.map(DayView::from),
            area_stats,
            daily_trends,
        }
    }
}

impl From<Totals> for Overview {
    fn from(totals: Totals) -> Self {
        Self {
            total_spots: totals.total_spots,
            occupied_spots: totals.occupied_spots,
            available_spots: totals.available_spots,
            occupancy_rate: percent(totals.occupied_spots, totals.total_spots),
            today_revenue: totals.today_revenue,
            active_sessions: totals.active_sessions,
        }
    }
}

impl From<&DayFigures> for DayView {
    fn from(day: &DayFigures) -> Self {
        Self {
            date: day.day,
            entries: day.entries,
            exits: day.exits,
            detections: day.detections,
            revenue: yuan(day.revenue_fen),
        }
    }
}

impl From<AreaFigures> for AreaView {
    fn from(area: AreaFigures) -> Self {
        // More vehicles than places means that some stand elsewhere: no place is taken twice.
        let occupied_spots = area.inside.min(area.total_spots);
        Self {
            area_id: area.id,
            area_name: area.name,
            total_spots: area.total_spots,
            occupied_spots,
            available_spots: area.total_spots - occupied_spots,
            occupancy_rate: percent(occupied_spots, area.total_spots),
        }
    }
}

fn ratio(part: i64, whole: i64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 10_000.0).round() / 10_000.0
}

fn percent(part: i64, whole: i64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 10_000.0).round() / 100.0
}

fn yuan(fen: i64) -> f64 {
    fen as f64 / 100.0
}
