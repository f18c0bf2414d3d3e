//! The charging face: requests, queues, piles, bills, notifications and parameters, as the
//! charging station's document has them.

mod auth;
mod bills;
mod error;
mod notifications;
mod number;
mod parameters;
mod piles;
mod requests;
mod wire;

pub(crate) use error::problem;

use crate::http::{Face, Parameter, delete, get, post, put};

const BILLS: &[Parameter] = &[
    Parameter { name: "page", about: "From 1" },
    Parameter { name: "limit", about: "1 to 100, 20 by default" },
    Parameter { name: "start_date", about: "The first day that bills were made on, YYYY-MM-DD" },
    Parameter { name: "end_date", about: "The last day that bills were made on, YYYY-MM-DD" },
];
const LIMIT: &[Parameter] = &[Parameter { name: "limit", about: "1 to 100, 100 by default" }];

/// The family's own paths.
pub(crate) fn face() -> Face {
    Face::new("charging", problem).prefixes(&["/api/charging"]).routes(auth::routes()).routes([
        post("/api/charging/request/", requests::ask).summary("Ask to charge").idempotent(),
        get("/api/charging/request/status/", requests::status).summary("One's active request"),
        put("/api/charging/request/{request_id}/", requests::change)
            .summary("Change mode or amount of what is not charging yet"),
        delete("/api/charging/request/{request_id}/cancel/", requests::cancel)
            .summary("Call off what is not charging yet"),
        post("/api/charging/complete/", requests::complete)
            .summary("End one's charging, with a bill")
            .idempotent(),
        get("/api/charging/queue/status/", piles::queues).summary("Who waits, and how long"),
        get("/api/charging/piles/status/", piles::piles).summary("The piles and who is there"),
        put("/api/charging/piles/{pile_id}/", piles::set)
            .summary("Take a pile out of service or back into it"),
        get("/api/charging/bills/", bills::list).summary("One's bills").query(BILLS),
        get("/api/charging/bills/{bill_id}/", bills::one).summary("One of one's bills"),
        post("/api/charging/bills/{bill_id}/pay/", bills::pay)
            .summary("Pay a bill that the balance had not enough for")
            .idempotent(),
        get("/api/charging/notifications/", notifications::list)
            .summary("What one was told, the latest first")
            .query(LIMIT),
        put("/api/charging/notifications/{notification_id}/read/", notifications::read)
            .summary("Mark as read"),
        get("/api/charging/config/parameters/", parameters::show).summary("The parameters"),
        get("/api/charging/system_parameters/", parameters::show).summary("The parameters"),
        put("/api/charging/system_parameters/", parameters::set).summary("Change parameters"),
    ])
}
