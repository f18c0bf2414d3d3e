//! Plates that were read, wherever: the newest, or those that contain what somebody looks for.

use cloud_core::{Caller, Movement, PlateFilter, PlateRead, Window};
use schemars::JsonSchema;
use serde::Serialize;

use super::time;
use crate::{
    faces::images,
    http::{Answer, Call, Json, Local, Parameter, Route, get},
};

const DEFAULT_LIMIT: u32 = 12;
const MOST_SHOWN: u32 = 240;

const PLATE: Parameter = Parameter { name: "plate", about: "With this in it, however it is typed" };
const LIMIT: Parameter = Parameter { name: "limit", about: "1 to 240, 12 by default" };

pub(super) fn routes() -> [Route; 1] {
    [get("/console/v1/plates", list)
        .summary("Plates that were read, newest first")
        .query(&[PLATE, LIMIT])]
}

#[derive(Serialize, JsonSchema)]
struct Plates {
    plates: Vec<PlateView>,
    total: i64,
}

#[derive(Serialize, JsonSchema)]
struct PlateView {
    id: i64,
    site: String,
    lane: String,
    movement: &'static str,
    /// Empty where it could not be read.
    plate: String,
    /// Probability that the text is right, 0 to 1.
    confidence: f64,
    read_at: String,
    /// `local`, `manual` or `claude`.
    processed_by: String,
    /// Path of its picture, once the picture is here.
    picture: Option<String>,
    /// Where the plate is in its picture: x and y of the upper left and lower right corner, in px.
    bounds_px: [i64; 4],
}

impl From<PlateRead> for PlateView {
    fn from(read: PlateRead) -> Self {
        Self {
            id: read.id,
            site: read.site_name,
            lane: read.lane,
            movement: match read.movement {
                Movement::Entered => "entered",
                Movement::Left => "left",
                Movement::Seen => "seen",
            },
            plate: read.plate,
            confidence: read.confidence,
            read_at: time(read.read_at_ms),
            processed_by: read.processed_by,
            picture: read.picture.map(|sha256| format!("/images/{}", images::path(&sha256))),
            bounds_px: read.bounds_px,
        }
    }
}

async fn list(call: Call<Local<Caller>>) -> Answer<Json<Plates>> {
    let text = call.query.get("plate").map(str::to_owned);
    let limit = call.query.clamped("limit", DEFAULT_LIMIT, 1..=MOST_SHOWN)?;
    let (filter, window) =
        (PlateFilter { text, ..PlateFilter::default() }, Window { skip: 0, limit });
    let (plates, total) = call.app.cloud.plates.page(&call.who.0, filter, window).await?;
    Ok(Json(Plates { plates: plates.into_iter().map(PlateView::from).collect(), total }))
}
