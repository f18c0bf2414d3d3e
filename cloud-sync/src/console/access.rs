//! Permits and denials.

use chrono::{DateTime, Utc};
use cloud_core::{
    AccessEntry, AccessKind, Admin, EntryFilter, Error, HistoryLine, Import, NewEntry, Operator,
    Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{lanes, time};
use crate::http::{
    Answer, Call, Csv, Json, NoContent, Parameter, Problem, Request, Route, delete, get, post,
};

const MOST_SHOWN: u32 = 200;

const SITE: Parameter = Parameter { name: "site", about: "Of this site alone" };
const KIND: Parameter = Parameter { name: "kind", about: "`permit` or `deny`" };
const PLATE: Parameter = Parameter { name: "plate", about: "With this in their plates" };
const SKIP: Parameter = Parameter { name: "skip", about: "How many are passed over" };
const REPLACE: Parameter =
    Parameter { name: "replace", about: "`true`: what the file has no line for is taken away" };

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/console/v1/access", list)
            .summary("Permits and denials, by their plates")
            .query(&[SITE, KIND, PLATE, SKIP]),
        post("/console/v1/access", put).summary("Make or change a permit or a denial"),
        delete("/console/v1/access/{site}/{kind}/{plate}", remove)
            .summary("Revoke a permit, or deny a plate no longer"),
        post("/console/v1/access/{site}/{kind}/import", import)
            .summary("Take a whole file in: every line, or none")
            .query(&[REPLACE]),
        get("/console/v1/access/{site}/history", history)
            .summary("Who changed what, newest first")
            .query(&[PLATE, SKIP]),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Entries {
    entries: Vec<EntryView>,
    total: i64,
}

#[derive(Serialize, JsonSchema)]
struct EntryView {
    site: String,
    kind: &'static str,
    plate: String,
    /// Whose permit it is, or why the plate may not enter.
    about: String,
    valid_from: Option<DateTime<Utc>>,
    valid_until: Option<DateTime<Utc>>,
    lanes: Vec<String>,
    note: String,
    revoked: bool,
    changed_at: String,
}

impl From<AccessEntry> for EntryView {
    fn from(entry: AccessEntry) -> Self {
        Self {
            site: entry.site,
            kind: entry.kind.as_str(),
            plate: entry.plate,
            about: entry.about,
            valid_from: entry.valid_from,
            valid_until: entry.valid_until,
            lanes: entry.lanes.iter().map(ToString::to_string).collect(),
            note: entry.note,
            revoked: entry.revoked,
            changed_at: time(entry.changed_at_ms),
        }
    }
}

/// An entry that is wanted.
#[derive(Deserialize, JsonSchema)]
struct EntryInput {
    site: String,
    kind: KindName,
    plate: String,
    /// Whose permit it is, or why the plate may not enter.
    about: String,
    #[serde(default)]
    valid_from: Option<DateTime<Utc>>,
    #[serde(default)]
    valid_until: Option<DateTime<Utc>>,
    /// The entry lanes that a permit opens; all where none is named.
    #[serde(default)]
    lanes: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KindName {
    Permit,
    Deny,
}

impl From<KindName> for AccessKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Permit => Self::Permit,
            KindName::Deny => Self::Deny,
        }
    }
}

/// What became of a file.
#[derive(Serialize, JsonSchema)]
struct ImportView {
    lines: usize,
    changed: usize,
    /// What is wrong with it; then nothing was changed.
    problems: Vec<ProblemView>,
}

#[derive(Serialize, JsonSchema)]
struct ProblemView {
    line: u64,
    problem: String,
}

#[derive(Serialize, JsonSchema)]
struct Changes {
    changes: Vec<ChangeView>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeView {
    version: i64,
    kind: String,
    plate: String,
    what: String,
    /// The entry afterwards, as JSON; empty where it is gone.
    entry: String,
    at: String,
    by: Option<String>,
}

impl From<HistoryLine> for ChangeView {
    fn from(line: HistoryLine) -> Self {
        let HistoryLine { version, kind, plate, what, entry, at_ms, by } = line;
        Self { version, kind, plate, what, entry, at: time(at_ms), by }
    }
}

async fn list(call: Call<Operator>) -> Answer<Json<Entries>> {
    let text = |name| call.query.get(name).map(str::to_owned);
    let kind = call.query.get("kind").map(kind).transpose()?;
    let filter = EntryFilter { site: text("site"), kind, plate: text("plate") };
    let (entries, total) = call.app.cloud.access.page(&call.who, filter, window(&call)?).await?;
    Ok(Json(Entries { entries: entries.into_iter().map(EntryView::from).collect(), total }))
}

async fn put(call: Call<Admin, Json<EntryInput>>) -> Answer<Json<EntryView>> {
    let Json(input) = &call.body;
    let new = NewEntry {
        kind: input.kind.into(),
        plate: input.plate.clone(),
        about: input.about.clone(),
        valid_from: input.valid_from,
        valid_until: input.valid_until,
        lanes: lanes(&input.lanes, "lanes")?,
        note: input.note.clone(),
    };
    Ok(Json(call.app.cloud.access.put(&call.who, &input.site, new).await?.into()))
}

async fn remove(call: Call<Admin>) -> Answer<NoContent> {
    let (site, plate) = (call.path("site"), call.path("plate"));
    let kind = kind(call.path("kind"))?;
    call.app.cloud.access.remove(&call.who, site, kind, plate).await?;
    Ok(NoContent)
}

async fn import(mut call: Call<Admin, Csv>) -> Answer<Json<ImportView>> {
    let csv = std::mem::take(&mut call.body.0);
    let replace = call.query.get("replace") == Some("true");
    let import = Import { kind: kind(call.path("kind"))?, csv, replace };
    let imported = call.app.cloud.access.import(&call.who, call.path("site"), import).await?;
    let problems = imported.problems.into_iter();
    Ok(Json(ImportView {
        lines: imported.lines,
        changed: imported.changed,
        problems: problems.map(|p| ProblemView { line: p.line, problem: p.problem }).collect(),
    }))
}

async fn history(call: Call<Operator>) -> Answer<Json<Changes>> {
    let (site, plate) = (call.path("site"), call.query.get("plate"));
    let access = &call.app.cloud.access;
    let changes = access.history(&call.who, site, plate, window(&call)?).await?;
    Ok(Json(Changes { changes: changes.into_iter().map(ChangeView::from).collect() }))
}

fn kind(word: &str) -> Result<AccessKind, Error> {
    match word {
        "permit" => Ok(AccessKind::Permit),
        "deny" => Ok(AccessKind::Deny),
        _ => Err(Error::invalid("kind", "use permit or deny")),
    }
}

fn window(request: &Request) -> Result<Window, Problem> {
    let skip = request.query.clamped("skip", 0, 0..=u32::MAX).map_err(Problem::Query)?;
    Ok(Window { skip, limit: MOST_SHOWN })
}
