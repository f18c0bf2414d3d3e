//! The family's endpoints.

use cloud_core::{Caller, Operator, PlateFilter, Window};

use super::{
    problem,
    wire::{Change, Deleted, Figures, Plate, Session, Uploaded},
};
use crate::{
    http::{
        Answer, Call, Face, Json, Local, Parameter, Problem, Query, Upload, delete, get,
        limit::Class, post, put,
    },
    recognition::{Keep, Wanted},
};

const DEFAULT_LIMIT: u32 = 20;

const SKIP: Parameter = Parameter { name: "skip", about: "How many are passed over" };
const LIMIT: Parameter = Parameter { name: "limit", about: "1 to 100, 20 by default" };
const PLATES: &[Parameter] = &[
    SKIP,
    LIMIT,
    Parameter { name: "plate_number", about: "A part of the plate" },
    Parameter { name: "verified", about: "true or false" },
];
const SEARCH: &[Parameter] = &[Parameter { name: "query", about: "A part of the plate" }, LIMIT];

/// The family.
pub(crate) fn face() -> Face {
    Face::new("anpr", problem)
        .prefixes(&[
            "/api/upload",
            "/api/plates",
            "/api/sessions",
            "/api/statistics",
            "/api/search",
        ])
        .routes([
            post("/api/upload", upload).summary("Read a picture").class(Class::Detection),
            get("/api/plates", list).summary("Plates, newest first").query(PLATES),
            get("/api/plates/{plate_id}", plate).summary("One plate"),
            put("/api/plates/{plate_id}", correct).summary("Correct a plate"),
            delete("/api/plates/{plate_id}", remove).summary("Hide a plate"),
            get("/api/sessions", sessions).summary("Pictures, newest first").query(&[SKIP, LIMIT]),
            get("/api/sessions/{session_id}", session).summary("One picture with its plates"),
            get("/api/statistics", statistics).summary("Figures over all plates"),
            get("/api/search", search).summary("Plates that contain a text").query(SEARCH),
        ])
}

async fn upload(call: Call<Local<Operator>, Upload>) -> Answer<Json<Uploaded>> {
    let (file, app) = (call.body.file("file")?, &call.app);
    let look = app.recognition.look_twice(&app.cloud, file.content, Wanted::Pictures).await?;
    let keep = Keep { look, filename: &file.name, spot_id: None };
    let (_, session) = keep.keep(&app.cloud, &call.who.0).await?;
    Ok(Json(Uploaded::from(session)))
}

async fn list(call: Call<Local<Caller>>) -> Answer<Json<Vec<Plate>>> {
    let filter = PlateFilter {
        text: call.query.get("plate_number").map(str::to_owned),
        verified: call.query.parsed("verified", "true или false")?,
        ..PlateFilter::default()
    };
    let window = window(&call.query)?;
    let plates = call.app.cloud.plates.list(&call.who.0, filter, window).await?;
    Ok(Json(plates.into_iter().map(Plate::from).collect()))
}

async fn search(call: Call<Local<Caller>>) -> Answer<Json<Vec<Plate>>> {
    let window = Window { skip: 0, ..window(&call.query)? };
    let Some(text) = call.query.get("query").map(str::to_owned) else {
        return Ok(Json(Vec::new()));
    };
    let filter = PlateFilter { text: Some(text), ..PlateFilter::default() };
    let plates = call.app.cloud.plates.list(&call.who.0, filter, window).await?;
    Ok(Json(plates.into_iter().map(Plate::from).collect()))
}

async fn plate(call: Call<Local<Caller>>) -> Answer<Json<Plate>> {
    let id = call.id("plate_id", "plate")?;
    let plate = call.app.cloud.plates.get(&call.who.0, id).await?;
    Ok(Json(Plate::from(plate)))
}

async fn correct(call: Call<Local<Operator>, Json<Change>>) -> Answer<Json<Plate>> {
    let id = call.id("plate_id", "plate")?;
    let (app, Local(operator)) = (call.app.clone(), call.who);
    let plate = app.cloud.plates.correct(&operator, id, call.body.0.into()).await?;
    Ok(Json(Plate::from(plate)))
}

async fn remove(call: Call<Local<Operator>>) -> Answer<Json<Deleted>> {
    let id = call.id("plate_id", "plate")?;
    call.app.cloud.plates.delete(&call.who.0, id).await?;
    Ok(Json(Deleted { message: "Номер успешно удален", id }))
}

async fn sessions(call: Call<Local<Caller>>) -> Answer<Json<Vec<Session>>> {
    let window = window(&call.query)?;
    let sessions = call.app.cloud.plates.recognitions(&call.who.0, window).await?;
    Ok(Json(sessions.into_iter().map(Session::from).collect()))
}

async fn session(call: Call<Local<Caller>>) -> Answer<Json<Session>> {
    let id = call.id("session_id", "session")?;
    let session = call.app.cloud.plates.recognition(&call.who.0, id).await?;
    Ok(Json(Session::from(session)))
}

async fn statistics(call: Call<Local<Caller>>) -> Answer<Json<Figures>> {
    let figures = call.app.cloud.plates.statistics(&call.who.0).await?;
    Ok(Json(Figures::from(figures)))
}

fn window(query: &Query) -> Result<Window, Problem> {
    Ok(Window {
        skip: query.clamped("skip", 0, 0..=u32::MAX)?,
        limit: query.clamped("limit", DEFAULT_LIMIT, 1..=100)?,
    })
}
