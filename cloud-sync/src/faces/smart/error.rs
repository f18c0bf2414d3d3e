//! The family's error forms: `{"detail"}`, `{"error"}` where a transaction or a payment is
//! refused, and `{"field": ["…"]}` where a value is at fault.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, with_status},
};

use crate::http::Problem;

/// Tells a problem in this family's form.
pub(crate) fn problem(problem: &Problem) -> Response {
    with_status(warp::reply::json(&body(problem)), problem.status()).into_response()
}

fn body(problem: &Problem) -> Value {
    match problem {
        Problem::NoSuchPath => detail("Not found."),
        Problem::NoSuchMethod => detail("Method not allowed."),
        Problem::Malformed(reason) => detail(&format!("Bad request: {reason}.")),
        Problem::MediaType { wanted } => detail(&format!("Unsupported media type; use {wanted}.")),
        Problem::Missing { field: name } => field(name, "This field is required."),
        Problem::Field { field: name, problem } => field(name, problem),
        Problem::Query(bad) => field(bad.name, &format!("Use {}.", bad.wanted)),
        Problem::TooLarge { limit } => detail(&format!("The body is larger than {limit} bytes.")),
        Problem::TooMany { retry_after_s } => throttled(*retry_after_s),
        Problem::Busy { .. } => detail("The service is busy; try again later."),
        Problem::NoCredentials => detail("Authentication credentials were not provided."),
        Problem::WrongKey => detail("This key is not known."),
        Problem::Core(error) => core(error),
    }
}

fn core(error: &Error) -> Value {
    match error {
        Error::NotFound("transaction") => refusal("Active transaction not found."),
        Error::NotFound(_) => detail("Not found."),
        Error::Invalid { field: name, problem } => field(documented(name), problem),
        Error::Refused(reason) => refusal(words(reason)),
        Error::Unauthenticated => detail("Wrong credentials."),
        Error::Forbidden { .. } => detail("You do not have permission to perform this action."),
        Error::Throttled { retry_after_s } => throttled(*retry_after_s),
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => {
            detail("The service is not available right now.")
        }
    }
}

/// The names of the domain's values that this document calls otherwise.
fn documented(name: &'static str) -> &'static str {
    match name {
        "number" => "slot_number",
        "spot_type" => "slot_type",
        "spot" => "slot",
        "license_plate" => "plate_number",
        name => name,
    }
}

fn words(reason: &str) -> &'static str {
    match reason {
        "slot_not_available" => "Parking slot is not available.",
        "already_inside" => "Car is already parked.",
        "not_completed" => "Transaction not completed yet",
        "already_paid" => "Transaction already paid",
        "wrong_amount" => "The amount is not what is due.",
        "method_unavailable" => "This payment method is not available.",
        "balance_too_low" => "The balance is too low.",
        "vehicle_inside" => "The car is parked; its plate cannot change now.",
        "spot_in_use" => "A car stands on this slot.",
        _ => "This cannot be done right now.",
    }
}

fn detail(text: &str) -> Value {
    json!({"detail": text})
}

fn refusal(text: &str) -> Value {
    json!({"error": text})
}

fn throttled(retry_after_s: u64) -> Value {
    detail(&format!("Request was throttled. Expected available in {retry_after_s} seconds."))
}

fn field(name: &str, problem: &str) -> Value {
    json!({name: [problem]})
}
