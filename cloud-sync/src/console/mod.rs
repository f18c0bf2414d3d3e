//! The landing page, and what it asks for beside the documented faces: sites, vehicles inside and
//! alerts at a glance; permits, tariffs and what is set of sites for those who look after them.

mod access;
mod settings;

use chrono::{DateTime, SecondsFormat};
use cloud_core::{
    ActiveSession, Alert as CoreAlert, AlertFilter, Caller, Error, SiteStatus, Window,
};
use domain::ids::LaneId;
use schemars::JsonSchema;
use serde::Serialize;
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    http::HeaderValue,
    reply::{Response, html},
};

use crate::{
    faces::anpr,
    http::{Answer, Call, Face, Json, Local, Problem, fields::parsed, get},
};

/// The page in one piece: nothing is fetched beside it.
const PAGE: &str = concat!(
    include_str!("head.html"),
    "<style>\n",
    include_str!("style.css"),
    "</style>\n",
    include_str!("body.html"),
    "<script>\n",
    include_str!("overview.js"),
    include_str!("admin.js"),
    "</script>\n</body>\n</html>\n"
);
/// Only what the page itself brings, pictures it fetched, and this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const MOST_SHOWN: u32 = 50;

/// The page.
pub(crate) fn routes() -> BoxedFilter<(Response,)> {
    warp::path::end().and(warp::get()).map(page).boxed()
}

/// What the page asks for.
pub(crate) fn face() -> Face {
    let overview = get("/console/v1/overview", overview).summary("Sites, vehicles, alerts");
    Face::new("console", problem)
        .prefixes(&["/console"])
        .routes([overview])
        .routes(access::routes())
        .routes(settings::routes())
}

/// Tells a problem in a sentence that the page shows as it is.
fn problem(problem: &Problem) -> Response {
    let text = match problem {
        Problem::Core(error @ (Error::Invalid { .. } | Error::NotFound(_))) => error.to_string(),
        Problem::Core(error @ Error::Forbidden { .. }) => error.to_string(),
        Problem::Field { field, problem } => format!("{field}: {problem}"),
        Problem::Missing { field } => format!("{field} is missing"),
        Problem::Malformed(reason) => reason.clone(),
        Problem::Query(bad) => format!("{}: use {}", bad.name, bad.wanted),
        Problem::MediaType { wanted } => format!("send {wanted}"),
        Problem::TooLarge { limit } => format!("more than {limit} bytes"),
        _ => return anpr::problem(problem),
    };
    let body = warp::reply::json(&serde_json::json!({"detail": text}));
    warp::reply::with_status(body, problem.status()).into_response()
}

/// Names of lanes in a field.
fn lanes(names: &[String], field: &str) -> Result<Vec<LaneId>, Problem> {
    names.iter().map(|name| parsed(field, name)).collect()
}

/// What no route knows, outside every family.
pub(crate) async fn nothing_here(rejection: Rejection) -> Result<Response, Rejection> {
    Ok(anpr::problem(&Problem::from(rejection)))
}

fn page() -> Response {
    let mut response = html(PAGE).into_response();
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert("content-security-policy", policy);
    response
}

async fn overview(call: Call<Local<Caller>>) -> Answer<Json<Overview>> {
    let (cloud, Local(caller)) = (&call.app.cloud, &call.who);
    let sites = cloud.sites.list(caller).await?;
    let sessions = cloud.parking.active(caller, MOST_SHOWN).await?;
    let active = AlertFilter { active: Some(true), ..AlertFilter::default() };
    let latest = Window { skip: 0, limit: MOST_SHOWN };
    let (alerts, _) = cloud.parking.alerts(caller, active, latest).await?;
    Ok(Json(Overview {
        sites: sites.into_iter().map(Site::from).collect(),
        inside: cloud.parking.active_count().await?,
        sessions: sessions.into_iter().map(Session::from).collect(),
        alerts: alerts.into_iter().map(Alert::from).collect(),
    }))
}

#[derive(Serialize, JsonSchema)]
struct Overview {
    sites: Vec<Site>,
    inside: i64,
    sessions: Vec<Session>,
    alerts: Vec<Alert>,
}

#[derive(Serialize, JsonSchema)]
struct Site {
    site_id: String,
    name: String,
    enrolled: bool,
    acked_through: i64,
    backlog: Option<i64>,
    last_seen: Option<String>,
    version: Option<String>,
    inside: i64,
    /// Version of its list of who may enter; 0 where it has none.
    list_version: i64,
    /// The version that it last said it goes by, and since when.
    list_at_site: Option<i64>,
    list_at_site_since: Option<String>,
    /// Days for which it has room where it cannot reach this cloud, as it last said.
    room_days: Option<i64>,
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
            list_version: site.list_version,
            list_at_site: site.list_at_site.map(|(version, _)| version),
            room_days: site.room_days,
            list_at_site_since: site.list_at_site.map(|(_, since_ms)| time(since_ms)),
        }
    }
}

#[derive(Serialize, JsonSchema)]
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

#[derive(Serialize, JsonSchema)]
struct Alert {
    site: String,
    alert_type: &'static str,
    message: String,
    since: String,
}

impl From<CoreAlert> for Alert {
    fn from(alert: CoreAlert) -> Self {
        Self {
            site: alert.site_name,
            alert_type: alert.kind.as_str(),
            message: alert.message,
            since: time(alert.created_at_ms),
        }
    }
}

fn time(ms: i64) -> String {
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}
