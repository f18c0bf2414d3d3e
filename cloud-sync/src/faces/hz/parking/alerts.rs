//! Alerts (`system/alerts/`).

use cloud_core::{Admin, Alert, AlertFilter, AlertKind, Caller, Priority};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::{Done, days, utc, window};
use crate::{
    faces::hz::params,
    http::{Answer, BadValue, Call, Json, Parameter, Query, Route, get, post, put},
};

const FILTERS: &[Parameter] = &[
    Parameter { name: "alert_type", about: "What it is about" },
    Parameter { name: "status", about: "active or resolved" },
    Parameter { name: "priority", about: "low, medium, high or critical" },
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/system/alerts/", list)
            .summary("What needs somebody's attention, or did")
            .query(FILTERS),
        get("/hzsystem_parking/system/alerts/{alert_id}/", detail).summary("One alert"),
        put("/hzsystem_parking/system/alerts/{alert_id}/", change).summary("Resolve an alert"),
        put("/hzsystem_parking/system/alerts/{alert_id}/resolve/", resolve)
            .summary("Resolve an alert"),
        post("/hzsystem_parking/system/alerts/{alert_id}/resolve/", resolve)
            .summary("Resolve an alert"),
    ]
}

/// An alert.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertView {
    #[serde(flatten)]
    facts: AlertFacts,
    message: String,
}

/// An alert that was resolved: `message` says so, so that the alert's own words stand beside it.
#[derive(Debug, Serialize, JsonSchema)]
struct ResolvedView {
    #[serde(flatten)]
    facts: AlertFacts,
    alert_message: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertFacts {
    id: i64,
    alert_type: &'static str,
    title: &'static str,
    priority: &'static str,
    /// active or resolved
    status: &'static str,
    spot_id: Option<i64>,
    license_plate: Option<String>,
    created_at: String,
    resolved_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Alerts {
    alerts: Vec<AlertView>,
    total_count: i64,
    page: u32,
    page_size: u32,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let message = alert.message.clone();
        Self { facts: alert.into(), message }
    }
}

impl From<Alert> for ResolvedView {
    fn from(alert: Alert) -> Self {
        let alert_message = alert.message.clone();
        Self { facts: alert.into(), alert_message }
    }
}

impl From<Alert> for AlertFacts {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id,
            alert_type: alert.kind.as_str(),
            title: title(alert.kind),
            priority: alert.priority.as_str(),
            status: if alert.resolved_at_ms.is_none() { "active" } else { "resolved" },
            spot_id: alert.spot,
            license_plate: alert.plate,
            created_at: utc(alert.created_at_ms),
            resolved_at: alert.resolved_at_ms.map(utc),
        }
    }
}

const fn title(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::OvertimeParking => "超时停车警报",
        AlertKind::DeviceOffline => "设备离线警报",
        AlertKind::LowConfidence => "识别置信度低警报",
        AlertKind::GateFault => "道闸故障警报",
        AlertKind::PaymentOverdue => "逾期未支付警报",
        AlertKind::RefundDue => "应退款警报",
        AlertKind::SiteOffline => "站点离线警报",
        AlertKind::SiteSecurity => "站点安全警报",
        AlertKind::JournalDamaged => "站点日志损坏警报",
    }
}

fn status(query: &Query) -> Result<Option<bool>, BadValue> {
    match query.get("status") {
        None => Ok(None),
        Some("active") => Ok(Some(true)),
        Some("resolved") => Ok(Some(false)),
        Some(_) => Err(BadValue { name: "status", wanted: "active / resolved" }),
    }
}

async fn list(call: Call<Caller>) -> Answer<Json<Alerts>> {
    let parking = &call.app.cloud.parking;
    let (from_ms, until_ms) = days(&call.query, parking.zone())?;
    let filter = AlertFilter {
        kind: call.query.get("alert_type").map(str::parse::<AlertKind>).transpose()?,
        active: status(&call.query)?,
        priority: call.query.get("priority").map(str::parse::<Priority>).transpose()?,
        from_ms,
        until_ms,
    };
    let page = params::page(&call.query)?;
    let (alerts, total_count) = parking.alerts(&call.who, filter, window(page)).await?;
    Ok(Json(Alerts {
        alerts: alerts.into_iter().map(AlertView::from).collect(),
        total_count,
        page: page.number,
        page_size: page.size,
    }))
}

async fn detail(call: Call<Caller>) -> Answer<Json<AlertView>> {
    let id = call.id("alert_id", "alert")?;
    Ok(Json(call.app.cloud.parking.alert(&call.who, id).await?.into()))
}

/// What becomes of an alert.
#[derive(Debug, Deserialize, JsonSchema)]
struct AlertInput {
    /// resolved
    status: Outcome,
}

/// An alert can only be resolved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Resolved,
}

async fn change(call: Call<Admin, Json<AlertInput>>) -> Answer<Json<Done<ResolvedView>>> {
    let Outcome::Resolved = call.body.0.status;
    let id = call.id("alert_id", "alert")?;
    let alert = call.app.cloud.parking.resolve_alert(&call.who, id).await?;
    Ok(Json(Done::new("警报已处理", alert.into())))
}

async fn resolve(call: Call<Admin>) -> Answer<Json<Done<ResolvedView>>> {
    let id = call.id("alert_id", "alert")?;
    let alert = call.app.cloud.parking.resolve_alert(&call.who, id).await?;
    Ok(Json(Done::new("警报已处理", alert.into())))
}
