//! The landing page, and what it asks for beside the documented faces: sites, vehicles inside and
//! alerts at a glance.

use chrono::{DateTime, SecondsFormat};
use cloud_core::{ActiveAlert, ActiveSession, SiteStatus};
use serde::Serialize;
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::HeaderValue,
    reply::{Json, Response, html, json},
};

use crate::{
    faces::anpr::AnprProblem,
    http::{Request, Requests, limit::Class},
};

const PAGE: &str = include_str!("index.html");
/// Only what the page itself brings, pictures it fetched, and this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const MOST_SHOWN: u32 = 50;

/// The page and its overview.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let page = warp::path::end().and(warp::get()).map(page);
    let overview = warp::path!("console" / "v1" / "overview")
        .and(warp::get())
        .and(requests.clone())
        .then(overview);
    page.or(overview.map(Reply::into_response)).unify().boxed()
}

/// What no route knows, outside every family.
pub(crate) async fn nothing_here(rejection: Rejection) -> Result<Response, Rejection> {
    Ok(AnprProblem::from(rejection).into_response())
}

fn page() -> Response {
    let mut response = html(PAGE).into_response();
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert("content-security-policy", policy);
    response
}

async fn overview(request: Request) -> Result<Json, AnprProblem> {
    let caller = request.caller_or_local(Class::Other).await?;
    let cloud = &request.app.cloud;
    Ok(json(&Overview {
        sites: cloud.sites.list(&caller).await?.into_iter().map(Site::from).collect(),
        inside: cloud.parking.active_count().await?,
        sessions: cloud
            .parking
            .active(&caller, MOST_SHOWN)
            .await?
            .into_iter()
            .map(Session::from)
            .collect(),
        alerts: cloud
            .parking
            .alerts(&caller, MOST_SHOWN)
            .await?
            .into_iter()
            .map(Alert::from)
            .collect(),
    }))
}

#[derive(Serialize)]
struct Overview {
    sites: Vec<Site>,
    inside: i64,
    sessions: Vec<Session>,
    alerts: Vec<Alert>,
}

#[derive(Serialize)]
struct Site {
    site_id: String,
    name: String,
    enrolled: bool,
    acked_through: i64,
    backlog: Option<i64>,
    last_seen: Option<String>,
    version: Option<String>,
    inside: i64,
}

impl From<SiteStatus> for Site {
    fn from(site: SiteStatus) -> Self {
        Self {
            site_id: site.id,
            name: site.name,
            enrolled: site.enrolled,
            acked_through: site.acked_through,
            backlog: site.backlog,
            last_seen: site.last_seen_at_ms.map(time),
            version: site.version,
            inside: site.inside,
        }
    }
}

#[derive(Serialize)]
struct Session {
    id: i64,
    site: String,
    plate: String,
    lane: String,
    entered_at: String,
}

impl From<ActiveSession> for Session {
    fn from(session: ActiveSession) -> Self {
        Self {
            id: session.id,
            site: session.site_name,
            plate: session.plate,
            lane: session.entry_lane,
            entered_at: time(session.entered_at_ms),
        }
    }
}

#[derive(Serialize)]
struct Alert {
    site: String,
    alert_type: String,
    message: String,
    since: String,
}

impl From<ActiveAlert> for Alert {
    fn from(alert: ActiveAlert) -> Self {
        Self {
            site: alert.site_name,
            alert_type: alert.alert_type,
            message: alert.message,
            since: time(alert.created_at_ms),
        }
    }
}

fn time(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}
