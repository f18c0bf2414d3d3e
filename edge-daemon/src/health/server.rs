//! The four routes, on a listener that the caller has bound.

use std::sync::Arc;

use tokio::net::TcpListener;
use warp::{Filter, Rejection, Reply, http::StatusCode, reply::Response};

use super::Health;

/// Serves `/livez`, `/readyz`, `/status` and `/metrics` until it is dropped.
pub async fn serve(listener: TcpListener, health: Arc<Health>) {
    warp::serve(routes(health)).incoming(listener).run().await;
}

fn routes(health: Arc<Health>) -> impl Filter<Extract = (Response,), Error = Rejection> + Clone {
    let answer = move |answer: fn(&Health) -> Response| {
        let health = Arc::clone(&health);
        warp::get().map(move || answer(&health))
    };
    let livez = warp::path!("livez").and(answer(livez));
    let readyz = warp::path!("readyz").and(answer(readyz));
    let metrics = warp::path!("metrics").and(answer(metrics));
    let status = warp::path!("status").and(answer(status));
    livez.or(readyz).unify().or(metrics).unify().or(status).unify()
}

fn livez(health: &Health) -> Response {
    match health.live() {
        Ok(()) => "alive\n".into_response(),
        Err(stands) => {
            let text = format!("the control loop stands since {} s\n", stands.as_secs());
            warp::reply::with_status(text, StatusCode::SERVICE_UNAVAILABLE).into_response()
        }
    }
}

fn readyz(health: &Health) -> Response {
    let report = health.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    warp::reply::with_status(warp::reply::json(&report), status).into_response()
}

fn status(health: &Health) -> Response {
    warp::reply::json(&health.status()).into_response()
}

fn metrics(health: &Health) -> Response {
    let text = health.figures();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    warp::reply::with_header(text, "content-type", kind).into_response()
}
