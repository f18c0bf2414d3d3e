//! What is pushed: `/ws/system/` tells how the system is, every 5 s and at once when something
//! changes; `/ws/detection/` reads the frames of a camera and tells what is in them.

mod board;
mod channel;
mod detection;
mod machine;

pub(crate) use board::{SystemStatus, keep_current};
pub(crate) use detection::Channels;
pub(crate) use machine::{disk_percent, uptime};

use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use crate::{
    faces::hz,
    http::{Problem, Requests},
};

/// The routes under `/ws`; whatever they do not know is an error in the form of the hz family,
/// whose document has them.
pub(crate) fn routes(requests: &Requests) -> BoxedFilter<(Response,)> {
    let routes = channel::route(requests)
        .or(detection::routes(requests))
        .unify()
        .recover(|rejection: Rejection| async { Ok::<_, Rejection>(Err(rejection.into())) })
        .unify();
    warp::path("ws").and(routes).map(told).boxed()
}

fn told(answer: Result<Response, Problem>) -> Response {
    answer.unwrap_or_else(|problem| hz::problem(&problem))
}
