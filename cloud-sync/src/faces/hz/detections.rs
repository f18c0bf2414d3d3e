//! `/hzsystem_parking/detection/`: vehicles that were seen, one by one and in figures.

use std::collections::BTreeMap;

use cloud_core::{Caller, DetectionFigures, HourCount, Realtime, VehicleFigures};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    params,
    records::{Records, read},
};
use crate::http::{Answer, Call, Json, Parameter, Route, get};

const RECORDS: &[Parameter] = &[
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
    Parameter { name: "license_plate", about: "A part of the plate" },
    Parameter { name: "detection_type", about: "What the vehicle did" },
    Parameter { name: "vehicle_type", about: "The type of vehicle" },
    Parameter { name: "spot_id", about: "The spot" },
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
];
const DAYS: &[Parameter] =
    &[Parameter { name: "days", about: "Days with today, 1 to 365; 7 by default" }];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/detection/records/", records)
            .summary("Vehicles that were seen")
            .query(RECORDS),
        get("/hzsystem_parking/detection/stats/", stats)
            .summary("Figures of the last days")
            .query(DAYS),
        get("/hzsystem_parking/detection/realtime/", realtime).summary("Figures of late"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Stats {
    period_days: u32,
    total_detections: i64,
    enter_count: i64,
    exit_count: i64,
    vehicle_type_stats: BTreeMap<String, i64>,
    hourly_stats: Vec<Hour>,
    avg_confidence: f64,
}

#[derive(Serialize, JsonSchema)]
struct Now {
    today_detections: i64,
    week_detections: i64,
    month_detections: i64,
    /// Of today.
    vehicle_type_stats: BTreeMap<String, i64>,
    /// Of today.
    hourly_stats: Vec<Hour>,
}

#[derive(Serialize, JsonSchema)]
struct Hour {
    hour: i64,
    count: i64,
}

async fn records(call: Call<Caller>) -> Answer<Json<Records>> {
    let filter = params::records(&call.query, call.app.cloud.parking.zone())?;
    read(&call, filter).await
}

async fn stats(call: Call<Caller>) -> Answer<Json<Stats>> {
    let days = call.query.clamped("days", 7, 1..=365)?;
    let figures = call.app.cloud.recognition.detections(&call.who, days.into()).await?;
    Ok(Json(Stats::new(days, figures)))
}

async fn realtime(call: Call<Caller>) -> Answer<Json<Now>> {
    let figures = call.app.cloud.recognition.realtime(&call.who).await?;
    Ok(Json(Now::from(figures)))
}

impl Stats {
    fn new(period_days: u32, figures: DetectionFigures) -> Self {
        Self {
            period_days,
            total_detections: figures.total,
            enter_count: figures.entered,
            exit_count: figures.left,
            vehicle_type_stats: vehicles(figures.vehicles),
            hourly_stats: hours(figures.hours),
            avg_confidence: (figures.mean_confidence.unwrap_or_default() * 1e4).round() / 1e4,
        }
    }
}

impl From<Realtime> for Now {
    fn from(figures: Realtime) -> Self {
        Self {
            today_detections: figures.today,
            week_detections: figures.week,
            month_detections: figures.month,
            vehicle_type_stats: vehicles(figures.vehicles),
            hourly_stats: hours(figures.hours),
        }
    }
}

fn vehicles(figures: Vec<VehicleFigures>) -> BTreeMap<String, i64> {
    figures.into_iter().map(|figure| (figure.vehicle_type, figure.count)).collect()
}

fn hours(counts: Vec<HourCount>) -> Vec<Hour> {
    counts.into_iter().map(|HourCount { hour, count }| Hour { hour, count }).collect()
}
