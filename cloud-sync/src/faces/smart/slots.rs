//! `/api/parking/slots/`: spots. What this document has no word for shows as the nearest: a spot
//! that nobody can use as reserved, a spot of another type as regular.

use cloud_core::{Admin, Caller, NewSpot, Spot, SpotChange, SpotFilter, SpotReport, SpotStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{one_of, required},
    listing::{Listing, Wanted},
    time::utc,
};
use crate::http::{Answer, Call, Created, Json, Local, NoContent, Problem};

const PATH: &str = "/api/parking/slots/";
const TYPES: &[(&str, &str)] =
    &[("compact", "compact"), ("regular", "regular"), ("large", "large")];
const STATES: &[(&str, SpotStatus)] = &[
    ("available", SpotStatus::Available),
    ("reserved", SpotStatus::Reserved),
    ("occupied", SpotStatus::Occupied),
];

/// A slot.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct SlotView {
    /// Its number.
    id: i64,
    /// What is painted on it.
    slot_number: String,
    /// compact, regular or large.
    slot_type: &'static str,
    /// available, reserved or occupied.
    status: &'static str,
    /// When it was made.
    created_at: String,
}

impl From<Spot> for SlotView {
    fn from(spot: Spot) -> Self {
        Self {
            id: spot.id,
            slot_type: shown_type(&spot),
            status: shown_status(&spot),
            slot_number: spot.number,
            created_at: utc(spot.created_at_ms),
        }
    }
}

impl SlotView {
    /// Whether it is in a state of this document.
    pub(super) fn is(&self, status: &str) -> bool {
        self.status == status
    }
}

fn shown_type(spot: &Spot) -> &'static str {
    TYPES.iter().find(|(word, _)| *word == spot.spot_type).map_or("regular", |(word, _)| word)
}

const fn shown_status(spot: &Spot) -> &'static str {
    match spot.status {
        SpotStatus::Available => "available",
        SpotStatus::Occupied => "occupied",
        SpotStatus::Reserved | SpotStatus::Maintenance => "reserved",
    }
}

/// What is said of a slot.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct SlotBody {
    /// What is painted on it: 1 to 50 characters.
    slot_number: Option<String>,
    /// compact, regular or large.
    slot_type: Option<String>,
    /// available, reserved or occupied.
    status: Option<String>,
}

impl SlotBody {
    fn slot_type(&self) -> Result<Option<&'static str>, Problem> {
        self.slot_type.as_deref().map(|word| one_of("slot_type", word, TYPES)).transpose()
    }

    fn status(&self) -> Result<Option<SpotStatus>, Problem> {
        self.status.as_deref().map(|word| one_of("status", word, STATES)).transpose()
    }
}

pub(super) async fn list(call: Call<Local<Caller>>) -> Answer<Json<Listing<SlotView>>> {
    let wanted = Wanted::of(&call.query)?;
    let parking = &call.app.cloud.parking;
    let spots = parking.spots(&call.who.0, SpotFilter::default(), wanted.window()).await?;
    Ok(wanted.answer(PATH, spots))
}

pub(super) async fn create(call: Call<Admin, Json<SlotBody>>) -> Answer<Created<SlotView>> {
    let (parking, body) = (&call.app.cloud.parking, &call.body.0);
    let new = NewSpot {
        number: required("slot_number", body.slot_number.clone())?,
        area: None,
        spot_type: body.slot_type()?.unwrap_or("regular").to_owned(),
    };
    let status = body.status()?;
    let spot = parking.add_spot(&call.who, new).await?;
    Ok(Created(said(&call, spot, status).await?.into()))
}

pub(super) async fn one(call: Call<Local<Caller>>) -> Answer<Json<SlotView>> {
    let id = call.id("id", "spot")?;
    Ok(Json(call.app.cloud.parking.spot(&call.who.0, id).await?.into()))
}

pub(super) async fn replace(call: Call<Admin, Json<SlotBody>>) -> Answer<Json<SlotView>> {
    required("slot_number", call.body.0.slot_number.as_ref())?;
    change(call).await
}

pub(super) async fn change(call: Call<Admin, Json<SlotBody>>) -> Answer<Json<SlotView>> {
    let (parking, body, id) = (&call.app.cloud.parking, &call.body.0, call.id("id", "spot")?);
    let (wanted_type, status) = (body.slot_type()?, body.status()?);
    let before = parking.spot(&call.who.operator().reader(), id).await?;
    let change = SpotChange {
        number: body.slot_number.clone(),
        // What is shown already is no change.
        spot_type: wanted_type.filter(|word| *word != shown_type(&before)).map(str::to_owned),
        area: None,
    };
    let spot = parking.change_spot(&call.who, id, change).await?;
    Ok(Json(said(&call, spot, status).await?.into()))
}

/// Takes the word for what a slot is, where that is not what it shows already.
async fn said<B>(
    call: &Call<Admin, B>,
    spot: Spot,
    status: Option<SpotStatus>,
) -> Result<Spot, Problem> {
    let shown = shown_status(&spot);
    let Some(status) = status.filter(|status| status.as_str() != shown) else { return Ok(spot) };
    let report = SpotReport { status, vehicle_type: None, plate: None };
    Ok(call.app.cloud.parking.report_spot(&call.who.operator(), spot.id, report).await?)
}

pub(super) async fn remove(call: Call<Admin>) -> Answer<NoContent> {
    call.app.cloud.parking.remove_spot(&call.who, call.id("id", "spot")?).await?;
    Ok(NoContent)
}
