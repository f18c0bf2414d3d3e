//! The page for people at the site. It comes in one piece, runs nothing but its own script, and
//! knows nothing by itself: everything it shows it asks for with the operator's token.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::HeaderValue,
    reply::{Response, html},
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
static PAGE: LazyLock<String> = LazyLock::new(|| {
    let body = include_str!("page.html");
    body.replacen("/*style*/", STYLE, 1).replacen("/*script*/", SCRIPT, 1)
});
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    policy.parse().expect("a policy is printable ASCII")
});

/// `GET /` and `GET /console`, for everybody.
pub(super) fn route() -> BoxedFilter<(Response,)> {
    let place = warp::path::end().or(warp::path!("console")).unify();
    place.and(warp::get()).map(page).boxed()
}

fn page() -> Response {
    let mut response = html(PAGE.as_str()).into_response();
    let headers = response.headers_mut();
    headers.insert("content-security-policy", POLICY.clone());
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// How a policy names a style or a script.
fn hash(content: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(digest(&SHA256, content.as_bytes())))
}
