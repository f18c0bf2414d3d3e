//! The landing page, and what it asks for beside the documented faces: sites, vehicles inside and
//! alerts at a glance; permits, tariffs and what is set of sites for those who look after them.

mod access;
mod people;
mod plates;
mod settings;

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat};
use cloud_core::{
    ActiveSession, Admin, Alert as CoreAlert, AlertFilter, Caller, Error, SiteStatus, Window,
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
    http::{Answer, Call, Face, Json, Local, NoContent, Problem, fields::parsed, get, post},
};

const STYLE: &str = concat!("\n", include_str!("style.css"));
const SCRIPT: &str =
    concat!("\n", include_str!("common.js"), include_str!("overview.js"), include_str!("admin.js"));
/// The page in one piece: nothing is fetched beside it.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let (head, body) = (include_str!("head.html"), include_str!("body.html"));
    format!("{head}<style>{STYLE}</style>\n{body}<script>{SCRIPT}</script>\n</body>\n</html>\n")
});
/// Only what the page itself brings (whatever else should get into it is neither run nor applied),
/// pictures it fetched, and this server.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src 'self' blob: data:; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    policy.parse().expect("a policy is printable ASCII")
});
const MOST_SHOWN: u32 = 50;

/// The page.
pub(crate) fn routes() -> BoxedFilter<(Response,)> {
    warp::path::end().and(warp::get()).map(page).boxed()
}

/// What the page asks for.
pub(crate) fn face() -> Face {
    let overview = get("/console/v1/overview", overview).summary("Sites, vehicles, alerts");
    let resolve = post("/console/v1/alerts/{id}/resolve", resolve).summary("Resolve an alert");
    Face::new("console", problem)
        .prefixes(&["/console"])
        .routes([overview, resolve])
        .routes(people::routes())
        .routes(plates::routes())
        .routes(access::routes())
        .routes(settings::routes())
}

/// Tells a problem in a sentence that the page shows as it is.
fn problem(problem: &Problem) -> Response {
    let text = match problem {
        Problem::Core(error @ (Error::Invalid { .. } | Error::NotFound(_))) => error.to_string(),
        Problem::Core(error @ (Error::Forbidden { .. } | Error::Throttled { .. })) => {
            error.to_string()
        }
        Problem::Core(Error::Refused("wrong_password")) => {
            "the name or the password is wrong".to_owned()
        }
        Problem::TooMany { retry_after_s } => {
            format!("too many requests; try again in {retry_after_s} s")
        }
        Problem::Busy { .. } | Problem::Core(Error::Store(_) | Error::File { .. }) => {
            "the service cannot do this at the moment; try again soon".to_owned()
        }
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
    let mut response = html(PAGE.as_str()).into_response();
    let headers = response.headers_mut();
    headers.insert("content-security-policy", POLICY.clone());
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    // A page of an older program would speak of what a newer one does not know.
    headers.insert("cache-control", HeaderValue::from_static("no-cache"));
    response
}

/// How a policy names a style or a script.
fn hash(content: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
    format!("sha256-{}", BASE64_STANDARD.encode(digest))
}

async fn resolve(call: Call<Admin>) -> Answer<NoContent> {
    let id = call.id("id", "alert")?;
    call.app.cloud.parking.resolve_alert(&call.who, id).await?;
    Ok(NoContent)
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
    id: i64,
    site: String,
    alert_type: &'static str,
    message: String,
    since: String,
}

impl From<CoreAlert> for Alert {
    fn from(alert: CoreAlert) -> Self {
        Self {
            id: alert.id,
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
