//! The family's query parameters.

use chrono::NaiveDate;
use chrono_tz::Tz;
use cloud_core::{
    Movement, PlateFilter,
    calendar::{day_start_ms, next_day},
};

use super::records::{VEHICLES, detection_type};
use crate::http::{BadValue, Problem, Query};

/// A page, counted from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) number: u32,
    pub(super) size: u32,
}

pub(super) fn page(query: &Query) -> Result<Page, Problem> {
    Ok(Page {
        number: query.clamped("page", 1, 1..=u32::MAX)?,
        size: query.clamped("page_size", 20, 1..=100)?,
    })
}

/// The conditions of `detection/records/`.
pub(super) fn records(query: &Query, zone: Tz) -> Result<PlateFilter, Problem> {
    let day = |name| query.parsed::<NaiveDate>(name, "日期格式应为 YYYY-MM-DD");
    let until = day("end_date")?.map(|last| day_start_ms(zone, next_day(last)));
    Ok(PlateFilter {
        text: query.get("license_plate").map(str::to_owned),
        verified: None,
        movement: movement(query)?,
        vehicle: vehicle_type(query)?,
        spot_id: query.parsed("spot_id", "应为整数")?,
        least_confidence: None,
        from_ms: day("start_date")?.map(|first| day_start_ms(zone, first)),
        until_ms: until,
    })
}

fn movement(query: &Query) -> Result<Option<Movement>, BadValue> {
    let wanted = "vehicle_enter / vehicle_exit / license_plate_recognition";
    let Some(text) = query.get("detection_type") else { return Ok(None) };
    let found = Movement::ALL.into_iter().find(|m| detection_type(*m) == text);
    found.map(Some).ok_or(BadValue { name: "detection_type", wanted })
}

fn vehicle_type(query: &Query) -> Result<Option<&'static str>, BadValue> {
    let wanted = "car / truck / suv / motorcycle / bus / mpv";
    let Some(text) = query.get("vehicle_type") else { return Ok(None) };
    let found = VEHICLES.iter().find(|(name, _)| *name == text);
    found.map(|(name, _)| Some(*name)).ok_or(BadValue { name: "vehicle_type", wanted })
}
