//! `/images/`: the pictures that the faces speak of, under the paths they give.

use cloud_core::Caller;
use warp::{
    Reply as _,
    http::{HeaderValue, header},
    reply::Response,
};

use super::anpr;
use crate::http::{Answer, Call, Face, Local, get};

/// Its name is its content: it never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// The path of a picture under `/images/`.
pub(crate) fn path(sha256: &str) -> String {
    format!("plates/{sha256}.jpg")
}

/// The pictures.
pub(crate) fn face() -> Face {
    Face::new("anpr", anpr::problem).prefixes(&["/images"]).routes([get(
        "/images/plates/{file}",
        picture,
    )
    .summary("A picture")])
}

async fn picture(call: Call<Local<Caller>>) -> Answer<Response> {
    let file = call.path("file");
    let sha256 = file.strip_suffix(".jpg").unwrap_or(file);
    let mut response = call.app.cloud.pictures.get(&call.who.0, sha256).await?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CACHE_CONTROL, FOREVER);
    Ok(response)
}
