//! What all faces share of HTTP: requests with their caller, query and bounded body, problems with
//! their status, limits, and the listener.

pub(crate) mod access;
mod body;
pub(crate) mod connection;
pub(crate) mod cors;
mod credentials;
pub(crate) mod face;
pub(crate) mod fields;
pub(crate) mod limit;
mod once;
pub(crate) mod openapi;
mod problem;
mod query;
mod reply;
mod request;
pub(crate) mod route;
mod upload;

pub(crate) use access::{Anyone, Local, Unchecked};
pub(crate) use body::{Body, Csv, Json};
pub(crate) use credentials::CHANNEL_PROTOCOL;
pub(crate) use face::{Face, Faces};
pub(crate) use problem::Problem;
pub(crate) use query::{BadValue, Query};
pub(crate) use reply::{Created, NoContent, Reply};
pub(crate) use request::{Peer, Request, Requests, requests};
pub(crate) use route::{Answer, Call, Parameter, Route, delete, get, patch, post, put};
pub(crate) use upload::{MAX_UPLOADS, Upload};
