//! What a route answers when all went well.

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use warp::{
    http::StatusCode,
    reply::{Reply as _, Response, json, with_status},
};

use super::{body::Json, route::Content};

/// An answer.
pub(crate) trait Reply: Send + 'static {
    /// Its status.
    const STATUS: StatusCode;

    /// Puts it into a response.
    fn into_response(self) -> Response;

    /// Its shape; none where it has no body that a document can describe.
    fn shape(generator: &mut SchemaGenerator) -> Option<Content>;
}

impl<T: Serialize + JsonSchema + Send + 'static> Reply for Json<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn into_response(self) -> Response {
        json(&self.0).into_response()
    }

    fn shape(generator: &mut SchemaGenerator) -> Option<Content> {
        let schema = generator.subschema_for::<T>();
        Some(Content { media_type: "application/json", schema })
    }
}

/// JSON of something that was made: 201.
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize + JsonSchema + Send + 'static> Reply for Created<T> {
    const STATUS: StatusCode = StatusCode::CREATED;

    fn into_response(self) -> Response {
        with_status(json(&self.0), Self::STATUS).into_response()
    }

    fn shape(generator: &mut SchemaGenerator) -> Option<Content> {
        Json::<T>::shape(generator)
    }
}

/// Nothing: 204.
pub(crate) struct NoContent;

impl Reply for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn into_response(self) -> Response {
        Self::STATUS.into_response()
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        None
    }
}

/// A response of its own kind, such as a picture.
impl Reply for Response {
    const STATUS: StatusCode = StatusCode::OK;

    fn into_response(self) -> Response {
        self
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        None
    }
}
