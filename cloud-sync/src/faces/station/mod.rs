//! The station face: lockers, their orders and controllers, as their document has them.

mod admin;
mod auth;
mod cabinets;
mod devices;
mod envelope;
mod error;
mod input;
mod orders;
mod routes;
mod time;
mod words;

pub(crate) use self::routes::face;
