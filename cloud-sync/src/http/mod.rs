//! What all faces share of HTTP: requests with their caller, query and bounded body, problems with
//! their status, limits, and the listener.

pub(crate) mod connection;
pub(crate) mod cors;
mod credentials;
pub(crate) mod limit;
mod problem;
mod query;
mod request;

pub(crate) use problem::Problem;
pub(crate) use query::{BadValue, Query};
pub(crate) use request::{Peer, Request, Requests, requests};
