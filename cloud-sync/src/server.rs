//! Wiring: from a configuration and a listener to a running service, and back.

use std::{sync::Arc, time::Duration};

use cloud_core::Cloud;
use tokio::{net::TcpListener, sync::watch};
use warp::{Filter, Reply, filters::BoxedFilter, http::StatusCode, reply::Response};

use crate::{
    app::App,
    config::Config,
    console, faces,
    http::{Request, Requests, connection::Service, requests},
    ingest,
    push::{self, SystemStatus},
};

/// Serves until `stop` completes; then takes no more, finishes what was begun and tells those who
/// watch.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(
    cloud: Cloud,
    config: &Config,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let loopback = listener.local_addr()?.ip().is_loopback();
    let (cloud, board) = (Arc::new(cloud), watch::Sender::new(SystemStatus::default()));
    let stopping = watch::Sender::new(false);
    let (status, stopped) = (board.subscribe(), stopping.subscribe());
    let app = Arc::new(App::new(cloud.clone(), config, loopback, status, stopped));
    tokio::spawn(push::keep_current(cloud, board));
    let service = Service {
        routes: routes(&app),
        app,
        request_timeout: Duration::from_secs(config.http.request_timeout_s),
        max_connections: config.http.max_connections,
    };
    service
        .run(listener, async {
            stop.await;
            stopping.send_replace(true);
        })
        .await;
    Ok(())
}

/// Everything that is served; answers every request.
fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let requests = requests(app.clone());
    let documented = faces::anpr::routes(&requests)
        .or(faces::hz::routes(&requests))
        .unify()
        .or(faces::images::routes(&requests))
        .unify()
        .or(push::routes(&requests))
        .unify();
    ingest::routes(&requests)
        .or(documented)
        .unify()
        .or(probes(&requests))
        .unify()
        .or(console::routes(&requests))
        .unify()
        .recover(console::nothing_here)
        .unify()
        .boxed()
}

/// `/livez`: the program runs. `/readyz`: it can also keep what it is given.
fn probes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let alive = warp::path!("livez").and(warp::get()).map(|| StatusCode::OK.into_response());
    let ready = warp::path!("readyz").and(warp::get()).and(requests.clone()).then(readiness);
    alive.or(ready).unify().boxed()
}

async fn readiness(request: Request) -> Response {
    match request.app.cloud.check().await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
