//! Wiring: from a configuration and a listener to a running service, and back.

use std::{sync::Arc, time::Duration};

use cloud_core::Cloud;
use tokio::{net::TcpListener, sync::watch};
use warp::{Filter, Reply, filters::BoxedFilter, http::StatusCode, reply::Response};

use crate::{
    app::App,
    config::Config,
    console, faces,
    http::{Faces, Request, Requests, connection::Service, openapi, requests},
    ingest,
    push::{self, SystemStatus},
};

/// Serves until `stop` completes; then takes no more, finishes what was begun and tells those who
/// watch.
///
/// # Errors
/// When the listener has no address, or the system gives what recognition needs not.
pub async fn serve(
    cloud: Cloud,
    config: &Config,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let (_unchanging, config) = watch::channel(config.clone());
    serve_changing(cloud, config, listener, stop).await
}

/// As [`serve`], with a configuration that changes: the limits and the origins of pages follow it.
///
/// # Errors
/// When the listener has no address.
pub async fn serve_changing(
    cloud: Cloud,
    mut changing: watch::Receiver<Config>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let config = &changing.borrow_and_update().clone();
    let loopback = listener.local_addr()?.ip().is_loopback();
    let (cloud, board) = (Arc::new(cloud), watch::Sender::new(SystemStatus::default()));
    let stopping = watch::Sender::new(false);
    let (status, stopped) = (board.subscribe(), stopping.subscribe());
    let app = Arc::new(App::new(cloud.clone(), config, loopback, status, stopped)?);
    tokio::spawn(push::keep_current(cloud.clone(), board));
    tokio::spawn(keep_time(cloud.clone()));
    tokio::spawn(keep_giving_back(cloud.clone()));
    tokio::spawn(keep_tidy(cloud));
    tokio::spawn(reconfigure(app.clone(), changing));
    let service = Service {
        routes: routes(&app),
        app,
        request_timeout: Duration::from_secs(config.http.request_timeout_s),
    };
    service
        .run(listener, async {
            stop.await;
            stopping.send_replace(true);
        })
        .await;
    Ok(())
}

/// Lets the domain do what the time has made due.
async fn keep_time(cloud: Arc<Cloud>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        if let Err(error) = cloud.tick().await {
            tracing::warn!(%error, "what is due has to wait");
        }
    }
}

/// Asks providers for the refunds that are due. Apart from what time makes due, since a provider
/// may take its time to answer.
async fn keep_giving_back(cloud: Arc<Cloud>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        if let Err(error) = cloud.providers.carry_out_refunds().await {
            tracing::warn!(%error, "refunds have to wait");
        }
    }
}

/// Removes pictures that are too old.
async fn keep_tidy(cloud: Arc<Cloud>) {
    let mut minutes = tokio::time::interval(Duration::from_secs(60));
    minutes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        match cloud.pictures.sweep().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "pictures that were too old are removed"),
            Err(error) => tracing::warn!(%error, "old pictures have to wait"),
        }
    }
}

async fn reconfigure(app: Arc<App>, mut changing: watch::Receiver<Config>) {
    while changing.changed().await.is_ok() {
        app.reconfigure(&changing.borrow_and_update());
        tracing::info!("the configuration was read again");
    }
}

/// Everything that is served; answers every request.
fn routes(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    let requests = requests(app.clone());
    let mut families = faces::all();
    families.push(console::face());
    let faces = Arc::new(Faces::new(families, faces::choose));
    ingest::routes(&requests)
        .or(push::routes(&requests))
        .unify()
        .or(probes(&requests))
        .unify()
        .or(console::routes())
        .unify()
        .or(openapi::routes(faces.clone()))
        .unify()
        .or(faces.filter(&requests))
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
