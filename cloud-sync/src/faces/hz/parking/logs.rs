//! The system log (`system/logs/`).

use std::collections::BTreeMap;

use cloud_core::{LogFigures, LogFilter, LogLine, Operator};
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::{days, utc, window};
use crate::{
    faces::hz::params,
    http::{Answer, BadValue, Call, Json, Parameter, Route, get},
};

const FILTERS: &[Parameter] = &[
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
    Parameter { name: "log_level", about: "INFO, WARNING or ERROR" },
    Parameter { name: "module", about: "The part of the system" },
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/system/logs/", list)
            .summary("What people and the system did")
            .query(FILTERS),
        get("/hzsystem_parking/system/logs/stats/", stats).summary("How many lines there are"),
        get("/hzsystem_parking/system/logs/{log_id}/", detail).summary("One line"),
    ]
}

/// A line of the log.
#[derive(Debug, Serialize, JsonSchema)]
struct LogView {
    id: i64,
    timestamp: String,
    level: String,
    module: String,
    message: String,
    /// The account that did it; null for the system itself.
    user_id: Option<i64>,
    ip_address: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Logs {
    logs: Vec<LogView>,
    total_count: i64,
    page: u32,
    page_size: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Stats {
    total_logs: i64,
    today_logs: i64,
    error_count_24h: i64,
    warning_count_24h: i64,
    level_distribution: BTreeMap<&'static str, i64>,
}

impl From<LogLine> for LogView {
    fn from(line: LogLine) -> Self {
        Self {
            id: line.id,
            timestamp: utc(line.at_ms),
            level: line.level,
            module: line.module,
            message: line.message,
            user_id: line.user,
            ip_address: line.address,
        }
    }
}

async fn list(call: Call<Operator>) -> Answer<Json<Logs>> {
    let (from_ms, until_ms) = days(&call.query, call.app.cloud.parking.zone())?;
    let level = call.query.get("log_level").map(|wanted| {
        let known = LogFigures::LEVELS.into_iter().find(|level| *level == wanted);
        known.ok_or(BadValue { name: "log_level", wanted: "INFO / WARNING / ERROR" })
    });
    let module = call.query.get("module").map(str::to_owned);
    let filter = LogFilter { level: level.transpose()?, module, from_ms, until_ms };
    let page = params::page(&call.query)?;
    let (lines, total_count) = call.app.cloud.logs.page(&call.who, filter, window(page)).await?;
    Ok(Json(Logs {
        logs: lines.into_iter().map(LogView::from).collect(),
        total_count,
        page: page.number,
        page_size: page.size,
    }))
}

async fn detail(call: Call<Operator>) -> Answer<Json<LogView>> {
    let id = call.id("log_id", "log")?;
    Ok(Json(call.app.cloud.logs.get(&call.who, id).await?.into()))
}

async fn stats(call: Call<Operator>) -> Answer<Json<Stats>> {
    let figures = call.app.cloud.logs.figures(&call.who).await?;
    Ok(Json(Stats {
        total_logs: figures.by_level.iter().sum(),
        today_logs: figures.today,
        error_count_24h: figures.errors_24h,
        warning_count_24h: figures.warnings_24h,
        level_distribution: LogFigures::LEVELS.into_iter().zip(figures.by_level).collect(),
    }))
}
