//! What the detector takes for a plate, and how cars are followed over the frames of a channel:
//! kept, and applied from the next picture on.

use crate::{
    caller::Actor,
    error::{Error, Result},
    logs::Entry,
    store::{Transaction, first, params},
};

/// Most plates in one picture that may be asked for.
const MOST_DETECTIONS: i64 = 100;

/// How the networks are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelSettings {
    /// What the detector is less sure of than this is no plate, 0 to 1.
    pub confidence_threshold: f64,
    /// Boxes that share more than this (intersection over union) are one plate, 0 to 1.
    pub iou_threshold: f64,
    /// Of more plates in a picture the surest are read.
    pub max_detections: i64,
    /// Whether a car is followed over the frames of a channel by its place; else by its plate alone.
    pub tracking: bool,
    /// How alike two readings at one place must be to be the same car's, 0 to 1.
    pub tracking_threshold: f64,
    /// When they were changed, in milliseconds UTC.
    pub updated_at_ms: i64,
}

/// What is to be set otherwise; what is not given stays.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SettingsChange {
    /// As in [`ModelSettings`].
    pub confidence_threshold: Option<f64>,
    /// As in [`ModelSettings`].
    pub iou_threshold: Option<f64>,
    /// As in [`ModelSettings`], 1 to 100.
    pub max_detections: Option<i64>,
    /// As in [`ModelSettings`].
    pub tracking: Option<bool>,
    /// As in [`ModelSettings`].
    pub tracking_threshold: Option<f64>,
}

pub(super) fn read(tx: &mut dyn Transaction, own: ModelSettings) -> Result<ModelSettings> {
    let sql = "SELECT confidence_threshold, iou_threshold, max_detections, tracking,
                      tracking_threshold, updated_at_ms FROM model_settings WHERE id = 1";
    let Some(row) = first(tx, sql, &[])? else { return Ok(own) };
    Ok(ModelSettings {
        confidence_threshold: row.get(0)?,
        iou_threshold: row.get(1)?,
        max_detections: row.get(2)?,
        tracking: row.get(3)?,
        tracking_threshold: row.get(4)?,
        updated_at_ms: row.get(5)?,
    })
}

pub(super) fn change(
    tx: &mut dyn Transaction,
    own: ModelSettings,
    change: &SettingsChange,
    actor: Actor,
    now_ms: i64,
) -> Result<ModelSettings> {
    check(change)?;
    let old = read(tx, own)?;
    let new = ModelSettings {
        confidence_threshold: change.confidence_threshold.unwrap_or(old.confidence_threshold),
        iou_threshold: change.iou_threshold.unwrap_or(old.iou_threshold),
        max_detections: change.max_detections.unwrap_or(old.max_detections),
        tracking: change.tracking.unwrap_or(old.tracking),
        tracking_threshold: change.tracking_threshold.unwrap_or(old.tracking_threshold),
        updated_at_ms: now_ms,
    };
    write(tx, &new)?;
    let message = format!(
        "model settings: confidence {}, overlap {}, at most {}, tracking {}",
        new.confidence_threshold, new.iou_threshold, new.max_detections, new.tracking
    );
    Entry::of_person(String::new(), now_ms, actor, "recognition", message).write(tx)?;
    Ok(new)
}

fn check(change: &SettingsChange) -> Result<()> {
    let parts = [
        ("confidence_threshold", change.confidence_threshold),
        ("iou_threshold", change.iou_threshold),
        ("tracking_threshold", change.tracking_threshold),
    ];
    for (name, value) in parts {
        if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err(Error::invalid(name, "use a number from 0 to 1"));
        }
    }
    if change.max_detections.is_some_and(|most| !(1..=MOST_DETECTIONS).contains(&most)) {
        let problem = format!("use a whole number from 1 to {MOST_DETECTIONS}");
        return Err(Error::invalid("max_detections", problem));
    }
    Ok(())
}

fn write(tx: &mut dyn Transaction, new: &ModelSettings) -> Result<()> {
    tx.execute(
        "INSERT INTO model_settings (id, confidence_threshold, iou_threshold, max_detections,
                                     tracking, tracking_threshold, updated_at_ms)
         VALUES (1, $1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET confidence_threshold = $1, iou_threshold = $2,
             max_detections = $3, tracking = $4, tracking_threshold = $5, updated_at_ms = $6",
        params![
            new.confidence_threshold,
            new.iou_threshold,
            new.max_detections,
            new.tracking,
            new.tracking_threshold,
            new.updated_at_ms
        ],
    )?;
    Ok(())
}
