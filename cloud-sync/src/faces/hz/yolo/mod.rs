//! `/hzsystem_yolo/`: pictures that are sent to be recognised, and the networks that do it.
//! Classes are what the networks tell apart: vehicles, and plates, of these the blue and the green
//! ones.

mod detect;
mod history;
mod model;

use anpr::{Kind, VehicleClass};

use crate::http::{Parameter, Route, get, limit::Class, post};

const HISTORY: &[Parameter] = &[
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
    Parameter { name: "vehicle_type", about: "The type of vehicle" },
    Parameter { name: "min_confidence", about: "At least so sure, 0 to 1" },
    Parameter { name: "start_date", about: "The first day, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day, YYYY-MM-DD" },
];

/// The classes of plates in the order of their ids.
pub(crate) const PLATE_CLASSES: [&str; 3] = ["license_plate", "blue", "green"];

/// All classes: those of vehicles, then those of plates.
fn classes() -> Vec<&'static str> {
    VehicleClass::ALL.map(VehicleClass::as_str).into_iter().chain(PLATE_CLASSES).collect()
}

/// The id of the class of a plate in [`PLATE_CLASSES`].
pub(crate) const fn class_id(kind: Kind) -> usize {
    match kind {
        Kind::Blue => 1,
        Kind::Green => 2,
        Kind::Yellow | Kind::White | Kind::Black | Kind::Other => 0,
    }
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/hzsystem_yolo/detect/", detect::vehicles)
            .summary("Recognise a picture")
            .class(Class::Detection),
        post("/hzsystem_yolo/license-plate/detect/", detect::plates)
            .summary("Recognise the plates of a picture, character by character")
            .class(Class::Detection),
        get("/hzsystem_yolo/model/info/", model::info).summary("The networks"),
        get("/hzsystem_yolo/model/performance/", model::performance)
            .summary("How often and how surely plates were read"),
        get("/hzsystem_yolo/model/settings/", model::settings).summary("How they are set"),
        post("/hzsystem_yolo/model/settings/", model::change).summary("Set them otherwise"),
        get("/hzsystem_yolo/detection/history/", history::list)
            .summary("What was recognised, newest first")
            .query(HISTORY),
    ]
}
