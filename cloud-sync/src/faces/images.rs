//! `/images/`: the pictures that the faces speak of, under the paths they give.

use warp::{Filter, Reply, filters::BoxedFilter, reply::Response, reply::with_header};

use super::anpr::AnprProblem;
use crate::http::{Request, Requests, limit::Class};

/// The path of a picture under `/images/`.
pub(crate) fn path(sha256: &str) -> String {
    format!("plates/{sha256}.jpg")
}

/// The route of pictures.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    warp::path!("images" / "plates" / String)
        .and(warp::get())
        .and(requests.clone())
        .then(picture)
        .map(Reply::into_response)
        .boxed()
}

async fn picture(file: String, request: Request) -> Result<impl Reply, AnprProblem> {
    let caller = request.caller_or_local(Class::Other).await?;
    let sha256 = file.strip_suffix(".jpg").unwrap_or(&file);
    let bytes = request.app.cloud.pictures.get(&caller, sha256).await?;
    let reply = with_header(bytes, "content-type", "image/jpeg");
    // Its name is its content: it never changes.
    Ok(with_header(reply, "cache-control", "private, max-age=31536000, immutable"))
}
