//! The dashboard in the family's JSON.

use chrono::NaiveDate;
use cloud_core::{Area, Dashboard, DayFigures};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub(super) struct DashboardView {
    #[serde(flatten)]
    totals: Totals,
    overview: Overview,
    today_stats: Option<DayView>,
    area_stats: Vec<AreaView>,
    daily_trends: Vec<DayView>,
}

#[derive(Clone, Copy, Serialize, JsonSchema)]
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
#[derive(Serialize, JsonSchema)]
struct Overview {
    total_spots: i64,
    occupied_spots: i64,
    available_spots: i64,
    occupancy_rate: f64,
    today_revenue: f64,
    active_sessions: i64,
}

#[derive(Serialize, JsonSchema)]
struct DayView {
    date: NaiveDate,
    entries: i64,
    exits: i64,
    detections: i64,
    revenue: f64,
}

#[derive(Serialize, JsonSchema)]
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
            available_spots: sum(|a| a.available_spots),
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

impl From<Area> for AreaView {
    fn from(area: Area) -> Self {
        Self {
            available_spots: area.available_spots(),
            area_id: area.id,
            area_name: area.name,
            total_spots: area.total_spots,
            occupied_spots: area.occupied_spots,
            occupancy_rate: percent(area.occupied_spots, area.total_spots),
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
