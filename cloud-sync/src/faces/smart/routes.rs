//! The family's endpoints.

use super::{
    cameras, cars, dashboard, error::problem, listing::PAGES, payments, slots, transactions, users,
};
use crate::http::{Face, Route, delete, get, patch, post, put};

/// The family.
pub(crate) fn face() -> Face {
    Face::new("smart", problem)
        .prefixes(&[
            "/api/users",
            "/api/parking",
            "/api/payments",
            "/api/camera_ocr",
            "/api/dashboard",
        ])
        .routes(of_users())
        .routes(of_cars())
        .routes(of_slots())
        .routes(of_transactions())
        .routes(of_payments())
        .routes(of_cameras())
        .routes([get("/api/dashboard/", dashboard::show).summary("Everything at a glance")])
}

fn of_users() -> [Route; 6] {
    [
        get("/api/users/users/", users::list).summary("Users").query(PAGES),
        post("/api/users/users/", users::create).summary("Make a user"),
        get("/api/users/users/{id}/", users::one).summary("One user"),
        put("/api/users/users/{id}/", users::replace).summary("Replace what is said of a user"),
        patch("/api/users/users/{id}/", users::change).summary("Change a user"),
        delete("/api/users/users/{id}/", users::remove).summary("Remove a user"),
    ]
}

fn of_cars() -> [Route; 6] {
    [
        get("/api/users/cars/", cars::list).summary("Cars").query(PAGES),
        post("/api/users/cars/", cars::create).summary("Add a car"),
        get("/api/users/cars/{id}/", cars::one).summary("One car"),
        put("/api/users/cars/{id}/", cars::replace).summary("Replace what is said of a car"),
        patch("/api/users/cars/{id}/", cars::change).summary("Change a car"),
        delete("/api/users/cars/{id}/", cars::remove).summary("Remove a car"),
    ]
}

fn of_slots() -> [Route; 6] {
    [
        get("/api/parking/slots/", slots::list).summary("Slots").query(PAGES),
        post("/api/parking/slots/", slots::create).summary("Make a slot"),
        get("/api/parking/slots/{id}/", slots::one).summary("One slot"),
        put("/api/parking/slots/{id}/", slots::replace).summary("Replace what is said of a slot"),
        patch("/api/parking/slots/{id}/", slots::change).summary("Change a slot"),
        delete("/api/parking/slots/{id}/", slots::remove).summary("Take a slot out of use"),
    ]
}

fn of_transactions() -> [Route; 5] {
    [
        get("/api/parking/transactions/", transactions::list).summary("Transactions").query(PAGES),
        get("/api/parking/transactions/{id}/", transactions::one).summary("One transaction"),
        post("/api/parking/transactions/enter/", transactions::enter)
            .summary("A car drives in")
            .idempotent(),
        put("/api/parking/transactions/enter/", transactions::enter).summary("A car drives in"),
        post("/api/parking/transactions/exit/", transactions::exit)
            .summary("A car drives out")
            .idempotent(),
    ]
}

fn of_payments() -> [Route; 7] {
    [
        get("/api/payments/payments/", payments::list).summary("Payments").query(PAGES),
        post("/api/payments/pay_transaction/", payments::pay)
            .summary("Pay for a transaction that is completed")
            .idempotent(),
        post("/api/payments/payments/pay_transaction/", payments::pay)
            .summary("Pay for a transaction that is completed")
            .idempotent(),
        get("/api/payments/payments/{id}/", payments::one).summary("One payment"),
        put("/api/payments/payments/{id}/", payments::replace)
            .summary("Replace a payment that was written down wrongly"),
        patch("/api/payments/payments/{id}/", payments::change)
            .summary("Correct a payment that was written down wrongly"),
        delete("/api/payments/payments/{id}/", payments::remove)
            .summary("Take back a payment that never was"),
    ]
}

fn of_cameras() -> [Route; 9] {
    [
        get("/api/camera_ocr/cameras/", cameras::list).summary("Cameras").query(PAGES),
        post("/api/camera_ocr/cameras/", cameras::create).summary("Make a camera"),
        get("/api/camera_ocr/cameras/{id}/", cameras::one).summary("One camera"),
        put("/api/camera_ocr/cameras/{id}/", cameras::replace)
            .summary("Replace what is said of a camera"),
        patch("/api/camera_ocr/cameras/{id}/", cameras::change).summary("Change a camera"),
        delete("/api/camera_ocr/cameras/{id}/", cameras::remove).summary("Forget a camera"),
        get("/api/camera_ocr/ocr_logs/", cameras::logs)
            .summary("Plates that cameras saw")
            .query(PAGES),
        get("/api/camera_ocr/ocr_logs/{id}/", cameras::log).summary("One plate that a camera saw"),
        post("/api/camera_ocr/ocr_logs/detect_car/", cameras::detect_car)
            .summary("A camera reports a car"),
    ]
}
