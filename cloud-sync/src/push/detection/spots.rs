//! Spots, as a session asks for them, tells of them and hears of them.

use cloud_core::{Caller, SpotReport, SpotStatus};

use super::message::Refusal;
use crate::app::App;

/// How a spot is.
pub(super) async fn status(app: &App, caller: &Caller, id: i64) -> Result<SpotStatus, Refusal> {
    Ok(app.cloud.parking.spot(caller, id).await?.status)
}

/// Takes an operator's word for how a spot is.
pub(super) async fn tell(
    app: &App,
    caller: &Caller,
    id: i64,
    status: SpotStatus,
    plate: Option<String>,
) -> Result<SpotStatus, Refusal> {
    let report = SpotReport { status, vehicle_type: None, plate };
    Ok(app.cloud.parking.report_spot(&caller.operator()?, id, report).await?.status)
}
