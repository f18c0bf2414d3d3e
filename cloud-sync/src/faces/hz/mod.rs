//! hz: the parking system's dashboard and detection records (`/hzsystem_parking/`) and its status
//! channel (`/ws/system/`). Its document is Chinese and wants a token.

mod dashboard;
mod detections;
mod error;
mod members;
mod params;
mod parking;
mod records;
mod routes;
mod status;
pub(crate) mod yolo;

pub(crate) use error::problem;
pub(crate) use members::face as members;
pub(crate) use routes::face;
