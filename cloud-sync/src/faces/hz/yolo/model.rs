//! The networks: what they are, how they are set and how they do.

use chrono::{DateTime, SecondsFormat};
use cloud_core::{Admin, Caller, ModelSettings, Performance, SettingsChange, VehicleFigures};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classes;
use crate::{
    http::{Answer, Call, Json},
    recognition::model_facts,
};

#[derive(Serialize, JsonSchema)]
pub(super) struct Info {
    model_name: String,
    /// Of all networks together.
    model_size: String,
    classes: Vec<&'static str>,
    /// Width and height of what the detector of plates sees, px.
    input_size: [usize; 2],
    current_confidence_threshold: f64,
    current_iou_threshold: f64,
    settings_updated: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Settings {
    model_name: String,
    confidence_threshold: f64,
    iou_threshold: f64,
    max_detections: i64,
    enable_vehicle_tracking: bool,
    tracking_threshold: f64,
    updated_at: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Changed {
    success: bool,
    message: &'static str,
    #[serde(flatten)]
    settings: Settings,
}

/// What is to be set otherwise; all fields are optional.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Change {
    /// What is less sure than this is no plate, 0 to 1.
    confidence_threshold: Option<f64>,
    /// Boxes that share more than this are one plate, 0 to 1.
    iou_threshold: Option<f64>,
    /// Plates of a picture that are read, 1 to 100.
    max_detections: Option<i64>,
    /// Whether cars are followed by their place over the frames of a channel.
    enable_vehicle_tracking: Option<bool>,
    /// How alike two readings at one place must be to be of one car, 0 to 1.
    tracking_threshold: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Figures {
    overall_performance: Vec<Overall>,
    recent_24h_stats: Vec<Recent>,
    total_detections_all_time: i64,
    total_detections_24h: i64,
}

#[derive(Serialize, JsonSchema)]
struct Overall {
    vehicle_type: String,
    total_detections: i64,
    avg_confidence: f64,
    last_updated: String,
}

#[derive(Serialize, JsonSchema)]
struct Recent {
    vehicle_type: String,
    count_24h: i64,
    avg_confidence_24h: f64,
}

pub(super) async fn info(call: Call<Caller>) -> Answer<Json<Info>> {
    let settings = call.app.recognition.settings(&call.app.cloud).await?;
    let facts = model_facts()?;
    Ok(Json(Info {
        model_name: facts.name,
        model_size: format!("{:.1}MB", facts.bytes as f64 / 1e6),
        classes: classes(),
        input_size: facts.input_px,
        current_confidence_threshold: settings.confidence_threshold,
        current_iou_threshold: settings.iou_threshold,
        settings_updated: time(settings.updated_at_ms),
    }))
}

pub(super) async fn settings(call: Call<Caller>) -> Answer<Json<Settings>> {
    let settings = call.app.recognition.settings(&call.app.cloud).await?;
    Ok(Json(Settings::new(settings)?))
}

pub(super) async fn change(call: Call<Admin, Json<Change>>) -> Answer<Json<Changed>> {
    let (app, Json(change)) = (call.app.clone(), call.body);
    let own = app.recognition.own_settings()?;
    let change = SettingsChange {
        confidence_threshold: change.confidence_threshold,
        iou_threshold: change.iou_threshold,
        max_detections: change.max_detections,
        tracking: change.enable_vehicle_tracking,
        tracking_threshold: change.tracking_threshold,
    };
    let settings = app.cloud.recognition.change_settings(&call.who, own, change).await?;
    let settings = Settings::new(settings)?;
    Ok(Json(Changed { success: true, message: "模型设置已更新", settings }))
}

pub(super) async fn performance(call: Call<Caller>) -> Answer<Json<Figures>> {
    let performance = call.app.cloud.recognition.performance(&call.who).await?;
    Ok(Json(Figures::from(performance)))
}

impl Settings {
    fn new(settings: ModelSettings) -> Answer<Self> {
        Ok(Self {
            model_name: model_facts()?.name,
            confidence_threshold: settings.confidence_threshold,
            iou_threshold: settings.iou_threshold,
            max_detections: settings.max_detections,
            enable_vehicle_tracking: settings.tracking,
            tracking_threshold: settings.tracking_threshold,
            updated_at: time(settings.updated_at_ms),
        })
    }
}

impl From<Performance> for Figures {
    fn from(performance: Performance) -> Self {
        let sum = |figures: &[VehicleFigures]| figures.iter().map(|figure| figure.count).sum();
        let overall = |figure: &VehicleFigures| Overall {
            vehicle_type: figure.vehicle_type.clone(),
            total_detections: figure.count,
            avg_confidence: rounded(figure.mean_confidence),
            last_updated: time(figure.last_at_ms),
        };
        let recent = |figure: &VehicleFigures| Recent {
            vehicle_type: figure.vehicle_type.clone(),
            count_24h: figure.count,
            avg_confidence_24h: rounded(figure.mean_confidence),
        };
        Self {
            overall_performance: performance.overall.iter().map(overall).collect(),
            recent_24h_stats: performance.last_24h.iter().map(recent).collect(),
            total_detections_all_time: sum(&performance.overall),
            total_detections_24h: sum(&performance.last_24h),
        }
    }
}

/// UTC with `Z`, as the document shows it.
fn time(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
