//! Something that is asked over HTTP on this machine: keeps what it was asked and answers.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpListener;
use warp::{
    Filter,
    http::{HeaderMap, Method, Response},
    hyper::body::Bytes,
    path::FullPath,
};

/// A question as it came.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

pub(super) type Answer = Response<String>;

/// What was asked, with what is remembered of each.
pub(super) type Log = Arc<Mutex<Vec<(String, Value)>>>;

/// Starts to answer; the address.
pub(super) async fn start(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    let routes = warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(warp::body::bytes())
        .map(move |method, path: FullPath, headers, body: Bytes| {
            let path = path.as_str().to_owned();
            answer(Asked { method, path, headers, body: body.to_vec() })
        });
    tokio::spawn(warp::serve(routes).incoming(listener).run());
    address
}
