//! A request as handlers get it. The body is read only when a handler asks for it, after the
//! caller was judged, and only up to a limit.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;
use warp::{Filter, Rejection, filters::BoxedFilter, http::HeaderMap};

use super::{Problem, Query, route::PathValues};
use crate::app::App;

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// A filter that never rejects and hands the request over.
pub(crate) type Requests = BoxedFilter<(Request,)>;

/// A body as it arrives.
pub(super) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>;

/// A request.
pub(crate) struct Request {
    /// The service.
    pub(crate) app: Arc<App>,
    /// Where it comes from: the peer, or what a proxy at this machine says.
    pub(crate) peer: IpAddr,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its query.
    pub(crate) query: Query,
    /// The values of its path.
    values: PathValues,
    /// Never locked: it makes a body, which only one can read, part of what many may look at.
    body: Mutex<Body>,
}

/// Hands requests to handlers.
pub(crate) fn requests(app: Arc<App>) -> Requests {
    let query = warp::query::raw().or_else(|_| async { Ok::<_, Rejection>((String::new(),)) });
    warp::header::headers_cloned()
        .and(warp::ext::get::<Peer>())
        .and(query)
        .and(warp::body::stream())
        .map(move |headers, peer: Peer, query: String, body| Request {
            app: app.clone(),
            peer: origin(peer.0, &headers),
            headers,
            query: Query::parse(&query),
            values: PathValues::new(),
            body: Mutex::new(boxed(body)),
        })
        .boxed()
}

/// A proxy at this machine adds who called it as the last one; what stands before that, and what
/// anybody else writes there, is hearsay.
fn origin(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last =
        forwarded.and_then(|text| text.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    if peer.is_loopback() { last.unwrap_or(peer) } else { peer }
}

fn boxed(body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static) -> Body {
    body.map_ok(|mut part| part.copy_to_bytes(part.remaining())).boxed()
}

impl Request {
    /// The request for a path with these values.
    pub(crate) fn with_values(self, values: PathValues) -> Self {
        Self { values, ..self }
    }

    /// A value of the path; empty where the route has none of that name.
    pub(crate) fn path(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// What the path and the query ask for, in one text.
    pub(crate) fn asked(&self) -> String {
        format!("{:?} {:?}", self.values, self.query)
    }

    /// The value of a header, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, which can be taken once.
    pub(super) fn take_body(&mut self) -> Body {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(body, futures_util::stream::empty().boxed())
    }

    /// Reads the body, which may have `limit` bytes, and leaves it to be read again.
    pub(crate) async fn peek(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let bytes = Bytes::from(self.body(limit).await?);
        let again = bytes.clone();
        self.body = Mutex::new(futures_util::stream::once(async { Ok(again) }).boxed());
        Ok(bytes)
    }

    /// Reads the body, which may have `limit` bytes.
    pub(crate) async fn body(&mut self, limit: usize) -> Result<Vec<u8>, Problem> {
        let announced = self.header("content-length").and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Problem::TooLarge { limit });
        }
        let mut body = Vec::with_capacity(announced.unwrap_or_default());
        let parts = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| Problem::Malformed("the body broke off".to_owned()))?;
            if body.len() + part.len() > limit {
                return Err(Problem::TooLarge { limit });
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// Reads the body as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self, limit: usize) -> Result<T, Problem> {
        let body = self.body(limit).await?;
        serde_json::from_slice(&body).map_err(|e| Problem::Malformed(e.to_string()))
    }
}
