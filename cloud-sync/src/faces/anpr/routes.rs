//! The family's endpoints.

use cloud_core::{Error, PlateFilter, Window};
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    reply::{Json, Response, json},
};

use super::{
    AnprProblem,
    wire::{Change, Deleted, Figures, Plate, Session},
};
use crate::http::{Query, Request, Requests, limit::Class};

const MAX_BODY_BYTES: usize = 64 * 1024;
const DEFAULT_LIMIT: u32 = 20;

type Answer = Result<Json, AnprProblem>;

/// The routes under `/api` that belong to this family.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let figures = plain("statistics", requests, statistics).or(plain("search", requests, search));
    plates(requests).or(sessions(requests)).unify().or(figures.unify()).unify().boxed()
}

fn plates(requests: &Requests) -> BoxedFilter<(Response,)> {
    let list = warp::path::end().and(warp::get()).and(requests.clone()).then(list);
    let one = warp::path!(String).and(warp::get()).and(requests.clone()).then(plate);
    let change = warp::path!(String).and(warp::put()).and(requests.clone()).then(correct);
    let remove = warp::path!(String).and(warp::delete()).and(requests.clone()).then(delete);
    let routes = list.or(one).unify().or(change).unify().or(remove).unify();
    under("plates", routes.boxed())
}

fn sessions(requests: &Requests) -> BoxedFilter<(Response,)> {
    let list = warp::path::end().and(warp::get()).and(requests.clone()).then(list_sessions);
    let one = warp::path!(String).and(warp::get()).and(requests.clone()).then(session);
    under("sessions", list.or(one).unify().boxed())
}

fn plain<F>(
    name: &'static str,
    requests: &Requests,
    handler: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
) -> BoxedFilter<(Response,)>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let route = warp::path::end().and(warp::get()).and(requests.clone()).then(handler);
    under(name, route.boxed())
}

/// Puts routes under `/api/<name>`, where whatever they do not know is this family's error.
fn under(name: &'static str, routes: BoxedFilter<(Answer,)>) -> BoxedFilter<(Response,)> {
    let routes = routes
        .recover(|rejection: Rejection| async { Ok::<_, Rejection>(AnprProblem::from(rejection)) });
    warp::path("api").and(warp::path(name)).and(routes).map(Reply::into_response).boxed()
}

async fn list(request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let filter = PlateFilter {
        text: request.query.get("plate_number").map(str::to_owned),
        verified: request.query.parsed("verified", "true или false")?,
        ..PlateFilter::default()
    };
    let window = window(&request.query)?;
    let plates = request.app.cloud.plates.list(&caller, filter, window).await?;
    Ok(json(&plates.into_iter().map(Plate::from).collect::<Vec<_>>()))
}

async fn search(request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let window = Window { skip: 0, ..window(&request.query)? };
    let Some(text) = request.query.get("query").map(str::to_owned) else {
        return Ok(json(&[(); 0]));
    };
    let filter = PlateFilter { text: Some(text), ..PlateFilter::default() };
    let plates = request.app.cloud.plates.list(&caller, filter, window).await?;
    Ok(json(&plates.into_iter().map(Plate::from).collect::<Vec<_>>()))
}

async fn plate(id: String, request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let plate = request.app.cloud.plates.get(&caller, number(&id, "plate")?).await?;
    Ok(json(&Plate::from(plate)))
}

async fn correct(id: String, mut request: Request) -> Answer {
    let operator = request.caller_or_local(Class::Other).await?.operator()?;
    let change: Change = request.json(MAX_BODY_BYTES).await?;
    let id = number(&id, "plate")?;
    let plate = request.app.cloud.plates.correct(&operator, id, change.into()).await?;
    Ok(json(&Plate::from(plate)))
}

async fn delete(id: String, request: Request) -> Answer {
    let operator = request.caller_or_local(Class::Other).await?.operator()?;
    let id = number(&id, "plate")?;
    request.app.cloud.plates.delete(&operator, id).await?;
    Ok(json(&Deleted { message: "Номер успешно удален", id }))
}

async fn list_sessions(request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let window = window(&request.query)?;
    let sessions = request.app.cloud.plates.recognitions(&caller, window).await?;
    Ok(json(&sessions.into_iter().map(Session::from).collect::<Vec<_>>()))
}

async fn session(id: String, request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let id = number(&id, "session")?;
    let session = request.app.cloud.plates.recognition(&caller, id).await?;
    Ok(json(&Session::from(session)))
}

async fn statistics(request: Request) -> Answer {
    let caller = request.caller_or_local(Class::Other).await?;
    let figures = request.app.cloud.plates.statistics(&caller).await?;
    Ok(json(&Figures::from(figures)))
}

fn window(query: &Query) -> Result<Window, AnprProblem> {
    Ok(Window {
        skip: query.clamped("skip", 0, 0..=u32::MAX)?,
        limit: query.clamped("limit", DEFAULT_LIMIT, 1..=100)?,
    })
}

/// An id in a path; what is no number is the id of nothing.
fn number(id: &str, what: &'static str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::NotFound(what))
}
