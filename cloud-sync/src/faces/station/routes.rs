//! The family's endpoints.

use super::{admin, auth, cabinets, devices, error::problem, orders};
use crate::http::{Face, Parameter, Route, get, post, put};

const CABINET_FILTERS: &[Parameter] = &[
    Parameter { name: "station", about: "Only those of a station" },
    Parameter { name: "size", about: "small, medium or large" },
    Parameter { name: "status", about: "available, in_use or maintenance" },
    Parameter { name: "available", about: "true: only those that can be had" },
];
const AVAILABLE_FILTERS: &[Parameter] = &[CABINET_FILTERS[0], CABINET_FILTERS[1]];
const ORDER_STATUS: Parameter =
    Parameter { name: "status", about: "pending, paid, in_use, completed or cancelled" };
const PAGE: Parameter = Parameter { name: "page", about: "From 1" };
const PAGE_SIZE: Parameter = Parameter { name: "page_size", about: "1 to 100" };
const ORDER_FILTERS: &[Parameter] = &[
    ORDER_STATUS,
    Parameter { name: "station", about: "Only those of a station" },
    Parameter { name: "from", about: "First day, by the site's calendar" },
    Parameter { name: "to", about: "Last day" },
    PAGE,
    PAGE_SIZE,
];
const DAYS: &[Parameter] = &[Parameter { name: "days", about: "1 to 365, with today" }];

/// The lockers' routes.
pub(crate) fn face() -> Face {
    Face::new("station", problem)
        .prefixes(&["/api/cabinets", "/api/orders", "/api/devices", "/api/admin", "/api/auth"])
        .routes(auth::routes())
        .routes(of_cabinets())
        .routes(of_orders())
        .routes(of_devices())
        .routes(of_admins())
}

fn of_cabinets() -> [Route; 5] {
    [
        get("/api/cabinets/", cabinets::list).summary("Cabinets").query(CABINET_FILTERS),
        get("/api/cabinets/available/", cabinets::available)
            .summary("Cabinets that can be had")
            .query(AVAILABLE_FILTERS),
        post("/api/cabinets/create/", cabinets::create).summary("Put a cabinet up"),
        get("/api/cabinets/{cabinet_id}/", cabinets::one).summary("One cabinet"),
        get("/api/cabinets/{cabinet_id}/status/", cabinets::one)
            .summary("One cabinet as it is right now"),
    ]
}

fn of_orders() -> [Route; 8] {
    [
        post("/api/orders/create/", orders::create).summary("Hold a cabinet").idempotent(),
        get("/api/orders/my/", orders::my).summary("One's own orders").query(&[ORDER_STATUS]),
        get("/api/orders/{order_id}/", orders::one).summary("One order of one's own"),
        post("/api/orders/{order_id}/pay/", orders::pay).summary("Pay an order").idempotent(),
        post("/api/orders/{order_id}/extend/", orders::extend)
            .summary("Keep a cabinet longer")
            .idempotent(),
        post("/api/orders/{order_id}/cancel/", orders::cancel)
            .summary("Give an unpaid order up")
            .idempotent(),
        post("/api/orders/{order_id}/complete/", orders::complete)
            .summary("Give a cabinet back")
            .idempotent(),
        post("/api/devices/open/by-code/", orders::open_by_code)
            .summary("Open a cabinet with its pickup code")
            .idempotent(),
    ]
}

fn of_devices() -> [Route; 5] {
    [
        post("/api/devices/heartbeat/", devices::heartbeat).summary("A controller is there"),
        post("/api/devices/status/", devices::status).summary("How a controller's doors stand"),
        get("/api/devices/{device_id}/open/", devices::poll).summary("What a controller is to do"),
        post("/api/devices/{device_id}/ack/", devices::acknowledge)
            .summary("A controller has carried a command out"),
        get("/api/devices/{device_id}/logs/", devices::logs)
            .summary("What a controller said and was told")
            .query(&[PAGE, PAGE_SIZE]),
    ]
}

fn of_admins() -> [Route; 10] {
    [
        get("/api/admin/stats/", admin::stats).summary("The lockers at a glance").query(DAYS),
        get("/api/admin/revenue/", admin::revenue).summary("What came in").query(DAYS),
        get("/api/admin/orders/", admin::orders).summary("All orders").query(ORDER_FILTERS),
        get("/api/admin/cabinets/", admin::cabinets).summary("Cabinets").query(CABINET_FILTERS),
        put("/api/admin/cabinets/", admin::change_cabinet).summary("Change a cabinet"),
        get("/api/admin/devices/", admin::devices).summary("Controllers"),
        post("/api/admin/devices/", admin::add_device).summary("Register a controller"),
        put("/api/admin/devices/", admin::change_device).summary("Change a controller"),
        get("/api/admin/alerts/", admin::alerts).summary("What wants a person's eye"),
        get("/api/admin/health/", admin::health).summary("How the service is"),
    ]
}
