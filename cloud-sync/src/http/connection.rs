//! The listener: bounded in connections, in the time a request may take to arrive and to be
//! answered; stops by finishing what it has begun.

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulConnection, GracefulShutdown},
    },
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use warp::{
    Reply,
    filters::BoxedFilter,
    http::{self, HeaderValue, StatusCode, header},
    reply::Response,
};

use super::Peer;
use crate::app::App;

/// Longest time for the head of a request to arrive, also on a connection that is kept open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time to finish what was begun when stopping.
const DRAIN: Duration = Duration::from_secs(8);
/// Pause after the system refused a connection, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a connection needs to serve requests.
pub(crate) struct Service {
    /// The service itself.
    pub(crate) app: Arc<App>,
    /// All routes, which answer everything.
    pub(crate) routes: BoxedFilter<(Response,)>,
    /// Longest time for one request.
    pub(crate) request_timeout: Duration,
}

impl Service {
    /// Serves until `stop` completes and what was begun is finished.
    pub(crate) async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let places = self.app.connections.clone();
        let service = Arc::new(self);
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let Some((stream, peer, place)) = accepted else { continue };
            let connection = service.clone().connection(stream, peer);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(place);
            });
        }
        drop(listener);
        if timeout(DRAIN, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were cut off after {DRAIN:?}");
        }
    }

    fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: IpAddr,
    ) -> impl GracefulConnection<Error = BoxError> + Send {
        let routes = TowerToHyperService::new(warp::service(self.routes.clone()));
        let serve = service_fn(move |request| {
            let (service, routes) = (self.clone(), routes.clone());
            async move {
                let answer = |request| hyper::service::Service::call(&routes, request);
                Ok::<_, Infallible>(service.answer(peer, request, answer).await)
            }
        });
        let mut http = Builder::new(TokioExecutor::new()).http1_only();
        http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        http.serve_connection_with_upgrades(TokioIo::new(stream), serve).into_owned()
    }

    async fn answer<F>(
        &self,
        peer: IpAddr,
        mut request: http::Request<Incoming>,
        routes: impl FnOnce(http::Request<Incoming>) -> F,
    ) -> Response
    where
        F: Future<Output = Result<Response, Infallible>>,
    {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = match self.app.cors.preflight(request.method(), request.headers()) {
            Some(response) => response,
            None => {
                request.extensions_mut().insert(Peer(peer));
                match timeout(self.request_timeout, routes(request)).await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
                }
            }
        };
        self.app.cors.mark(origin.as_ref(), &mut response);
        let nosniff = HeaderValue::from_static("nosniff");
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        response
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // An answer that is written in parts shall not wait for the peer's word of the first.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection ended early");
            }
            Some((stream, peer.ip(), place))
        }
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
