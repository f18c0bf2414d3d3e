//! What was recognised: the same records as `/hzsystem_parking/detection/records/`.

use cloud_core::{Caller, PlateFilter};

use crate::{
    faces::hz::{
        params,
        records::{Records, read},
    },
    http::{Answer, BadValue, Call, Json},
};

pub(super) async fn list(call: Call<Caller>) -> Answer<Json<Records>> {
    let wanted = BadValue { name: "min_confidence", wanted: "应为 0 到 1 的数字" };
    let least: Option<f64> = call.query.parsed(wanted.name, wanted.wanted)?;
    if least.is_some_and(|least| !(0.0..=1.0).contains(&least)) {
        return Err(wanted.into());
    }
    let filter = params::records(&call.query, call.app.cloud.parking.zone())?;
    read(&call, PlateFilter { least_confidence: least, ..filter }).await
}
