//! `/api/cabinets/…`: what everybody may see, and what admins put up.

use cloud_core::{
    Admin,
    lockers::{Cabinet, CabinetFilter, NewCabinet},
};
use domain::locker::{CabinetStatus, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    envelope::{Data, found, made},
    input, words,
};
use crate::http::{
    Answer, BadValue, Call, Created, Json, Query,
    fields::{self, Decimal},
};

/// A cabinet.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CabinetView {
    /// Its number.
    id: i64,
    /// The name on its door.
    cabinet_id: String,
    /// small, medium or large.
    size: &'static str,
    /// The size for people.
    size_display: &'static str,
    /// Where it stands in its station.
    location: String,
    /// Its station.
    station: String,
    /// available, in_use or maintenance.
    status: &'static str,
    /// The state for people.
    status_display: &'static str,
    /// What an hour costs, in yuan.
    price_per_hour: String,
    /// The controller that opens it.
    device_id: Option<String>,
    /// Whether its door was last reported closed.
    is_locked: bool,
}

impl From<Cabinet> for CabinetView {
    fn from(cabinet: Cabinet) -> Self {
        Self {
            id: cabinet.id,
            cabinet_id: cabinet.cabinet_id,
            size: cabinet.size.as_str(),
            size_display: words::size(cabinet.size),
            location: cabinet.location,
            station: cabinet.station,
            status: cabinet.status.as_str(),
            status_display: words::cabinet_status(cabinet.status),
            price_per_hour: cabinet.price.to_string(),
            device_id: cabinet.device_id,
            is_locked: cabinet.is_locked,
        }
    }
}

/// A cabinet that is to be put up.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct NewCabinetBody {
    /// The name on its door, such as A001.
    cabinet_id: String,
    /// small, medium or large.
    size: String,
    /// Where it stands in its station.
    location: String,
    /// Its station.
    station: String,
    /// What an hour costs, in yuan.
    price_per_hour: Decimal,
    /// The controller that opens it; none for the only one of its station.
    device_id: Option<String>,
}

type Cabinets = Answer<Json<Data<Vec<CabinetView>>>>;
type One = Answer<Json<Data<CabinetView>>>;

/// The documented filters: `station`, `size`, `status`, and `available=true`.
pub(super) fn filter(query: &Query) -> Result<CabinetFilter, BadValue> {
    let status = input::filter(query, "status", "available / in_use / maintenance")?;
    let only_available = match query.get("available") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(BadValue { name: "available", wanted: "true / false" }),
    };
    Ok(CabinetFilter {
        station: query.get("station").map(str::to_owned),
        size: input::filter::<Size>(query, "size", "small / medium / large")?,
        status: if only_available { Some(CabinetStatus::Available) } else { status },
    })
}

pub(super) fn views(cabinets: Vec<Cabinet>) -> Vec<CabinetView> {
    cabinets.into_iter().map(CabinetView::from).collect()
}

pub(super) async fn list(call: Call) -> Cabinets {
    Ok(found(views(call.app.cloud.lockers.cabinets(filter(&call.query)?).await?)))
}

pub(super) async fn available(call: Call) -> Cabinets {
    let status = Some(CabinetStatus::Available);
    let filter = CabinetFilter { status, ..filter(&call.query)? };
    Ok(found(views(call.app.cloud.lockers.cabinets(filter).await?)))
}

pub(super) async fn create(
    call: Call<Admin, Json<NewCabinetBody>>,
) -> Answer<Created<Data<CabinetView>>> {
    let body = &call.body.0;
    let new = NewCabinet {
        cabinet_id: body.cabinet_id.trim().to_owned(),
        size: fields::parsed("size", &body.size)?,
        location: body.location.trim().to_owned(),
        station: body.station.trim().to_owned(),
        price: body.price_per_hour.parsed("price_per_hour")?,
        device_id: body.device_id.clone(),
    };
    Ok(made("创建成功", call.app.cloud.lockers.add_cabinet(&call.who, new).await?.into()))
}

pub(super) async fn one(call: Call) -> One {
    Ok(found(call.app.cloud.lockers.cabinet(call.path("cabinet_id")).await?.into()))
}
