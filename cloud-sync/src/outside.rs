//! Services outside that are asked over HTTP: bounded in time and size, and never led elsewhere.

use std::time::Duration;

use reqwest::{Client, Response, Url, redirect::Policy};

/// Most bytes of an answer that are read.
const MOST_ANSWER_BYTES: usize = 64 * 1024;
/// Names of this very machine, where HTTP without TLS is safe.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Why an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The line broke.
    #[error("the service cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// There is no end to it.
    #[error("the answer is longer than {MOST_ANSWER_BYTES} bytes")]
    Endless,
}

/// A client that waits so long for a whole answer.
///
/// # Errors
/// Where the system lacks what TLS needs.
pub(crate) fn client(longest: Duration) -> Result<Client, String> {
    // An error says that one is installed already, which is all that is wanted.
    rustls::crypto::ring::default_provider().install_default().ok();
    // What is sent is for the configured service and for nobody it points to.
    let client = Client::builder().timeout(longest).redirect(Policy::none()).build();
    client.map_err(|error| format!("cannot prepare to ask services outside: {error}"))
}

/// The bytes of an answer.
pub(crate) async fn body(mut response: Response) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(Unread::Unreachable)? {
        if body.len() + part.len() > MOST_ANSWER_BYTES {
            return Err(Unread::Endless);
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Whether secrets may be sent to an address: by https, or to this machine.
pub(crate) fn is_safe(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(|host| HERE.contains(&host)),
        _ => false,
    })
}
