//! Which pages may call: those of the configured origins, and on a loopback listener those of this
//! machine on any port. Preflights are answered before anything else is asked.

use std::sync::{PoisonError, RwLock};

use warp::{
    Reply,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    reply::Response,
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, x-api-family, x-api-key, idempotency-key",
);
const AN_HOUR: HeaderValue = HeaderValue::from_static("3600");

/// The pages that may call.
pub(crate) struct Cors {
    origins: RwLock<Vec<String>>,
    local_pages: bool,
}

impl Cors {
    /// Allows the given origins, and pages of this machine while the listener is on loopback.
    pub(crate) fn new(origins: &[String], loopback: bool) -> Self {
        Self { origins: RwLock::new(trimmed(origins)), local_pages: loopback }
    }

    /// Allows other origins from now on.
    pub(crate) fn set(&self, origins: &[String]) {
        *self.origins.write().unwrap_or_else(PoisonError::into_inner) = trimmed(origins);
    }

    /// Whether pages of this origin may call.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        origins.iter().any(|allowed| allowed == origin)
            || (self.local_pages && is_local_page(origin))
    }

    /// The answer to a preflight; none for any other request.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if method != Method::OPTIONS || !asks || !headers.contains_key(header::ORIGIN) {
            return None;
        }
        let mut response = StatusCode::NO_CONTENT.into_response();
        let answer = response.headers_mut();
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, AN_HOUR);
        Some(response)
    }

    /// Tells the browser whether the page may read the answer.
    pub(crate) fn mark(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        let Some(origin) = origin else { return };
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if origin.to_str().is_ok_and(|origin| self.allows(origin)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }
}

fn trimmed(origins: &[String]) -> Vec<String> {
    origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect()
}

fn is_local_page(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
    else {
        return false;
    };
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    matches!(name, "localhost" | "127.0.0.1") && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_this_machine_may_call_a_loopback_listener_only() {
        let local = Cors::new(&[], true);
        assert!(local.allows("http://localhost:3000") && local.allows("http://127.0.0.1"));
        assert!(!local.allows("http://localhost.example.com"));
        assert!(!local.allows("http://localhost:3000.example.com"));
        assert!(!local.allows("null"));
        assert!(!Cors::new(&[], false).allows("http://localhost:3000"));
    }

    #[test]
    fn configured_origins_may_call() {
        let cors = Cors::new(&["https://parking.example.com/".to_owned()], false);
        assert!(cors.allows("https://parking.example.com"));
        assert!(!cors.allows("http://parking.example.com"));
    }
}
