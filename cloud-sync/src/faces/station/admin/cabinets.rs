//! `/api/admin/cabinets/`.

use cloud_core::{Admin, lockers::CabinetChange};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{
    cabinets::{CabinetView, filter, views},
    envelope::{Data, found, said},
};
use crate::http::{
    Answer, Call, Json,
    fields::{self, Decimal},
};

/// What is to be changed of a cabinet; what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(in super::super) struct CabinetBody {
    /// The name on its door.
    cabinet_id: String,
    /// available, in_use or maintenance.
    status: Option<String>,
    /// What an hour costs from now on, in yuan.
    price_per_hour: Option<Decimal>,
    /// Where it stands in its station.
    location: Option<String>,
    /// The controller that opens it; null for the only one of its station.
    #[serde(default, deserialize_with = "fields::given")]
    device_id: Option<Option<String>>,
}

pub(in super::super) async fn cabinets(call: Call<Admin>) -> Answer<Json<Data<Vec<CabinetView>>>> {
    Ok(found(views(call.app.cloud.lockers.cabinets(filter(&call.query)?).await?)))
}

pub(in super::super) async fn change_cabinet(
    call: Call<Admin, Json<CabinetBody>>,
) -> Answer<Json<Data<CabinetView>>> {
    let body = &call.body.0;
    let status = body.status.as_deref().map(|text| fields::parsed("status", text)).transpose()?;
    let price = body.price_per_hour.as_ref().map(|price| price.parsed("price_per_hour"));
    let change = CabinetChange {
        status,
        price: price.transpose()?,
        location: body.location.clone(),
        device_id: body.device_id.clone(),
    };
    let lockers = &call.app.cloud.lockers;
    let cabinet = lockers.change_cabinet(&call.who, body.cabinet_id.trim(), change).await?;
    Ok(said("更新成功", cabinet.into()))
}
