//! The family's endpoints.

use cloud_core::Window;
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    reply::{Json, Response, json},
};

use super::{HzProblem, dashboard::DashboardView, params, records::Records};
use crate::http::{Request, Requests, limit::Class};

type Answer = Result<Json, HzProblem>;

/// The routes under `/hzsystem_parking`.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let dashboard = warp::path!("dashboard").and(warp::get()).and(requests.clone()).then(dashboard);
    let records =
        warp::path!("detection" / "records").and(warp::get()).and(requests.clone()).then(records);
    let routes = dashboard
        .or(records)
        .unify()
        .recover(|rejection: Rejection| async { Ok::<_, Rejection>(HzProblem::from(rejection)) });
    warp::path("hzsystem_parking").and(routes).map(Reply::into_response).boxed()
}

async fn dashboard(request: Request) -> Answer {
    let caller = request.caller(Class::Query).await?;
    let dashboard = request.app.cloud.parking.dashboard(&caller).await?;
    Ok(json(&DashboardView::from(dashboard)))
}

async fn records(request: Request) -> Answer {
    let caller = request.caller(Class::Query).await?;
    let zone = request.app.cloud.parking.zone();
    let page = params::page(&request.query)?;
    let filter = params::records(&request.query, zone)?;
    let skip = (page.number - 1).saturating_mul(page.size);
    let window = Window { skip, limit: page.size };
    let (reads, total) = request.app.cloud.plates.page(&caller, filter, window).await?;
    Ok(json(&Records::new(reads, total, page, zone)))
}
