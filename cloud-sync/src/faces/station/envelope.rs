//! The family's envelope: `{"code": 0, "message", "data"}`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{Created, Json};

/// An answer with data.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Data<T> {
    /// 0: all went well.
    code: u16,
    /// What was done, for people.
    message: &'static str,
    /// What was asked for.
    data: T,
}

/// An answer that only says that all went well.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {
    /// 0: all went well.
    code: u16,
    /// What was done, for people.
    message: &'static str,
}

/// What was asked for.
pub(crate) const fn found<T>(data: T) -> Json<Data<T>> {
    said("success", data)
}

/// What was done, in the document's words.
pub(crate) const fn said<T>(message: &'static str, data: T) -> Json<Data<T>> {
    Json(Data { code: 0, message, data })
}

/// What was made.
pub(crate) const fn made<T>(message: &'static str, data: T) -> Created<Data<T>> {
    Created(Data { code: 0, message, data })
}

/// What was done, where there is nothing more to say.
pub(crate) const fn done(message: &'static str) -> Json<Done> {
    Json(Done { code: 0, message })
}
