//! The family's error form: `{"detail": text}`, and with 422 a list of what is wrong where.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    http::StatusCode,
    reply::{Response, with_header, with_status},
};

use crate::http::Problem;

/// A problem, told in this family's form.
pub(crate) struct AnprProblem(Problem);

impl<E: Into<Problem>> From<E> for AnprProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Reply for AnprProblem {
    fn into_response(self) -> Response {
        self.0.log();
        let reply =
            with_status(warp::reply::json(&json!({"detail": self.detail()})), self.status());
        match self.0.retry_after_s() {
            Some(seconds) => with_header(reply, "retry-after", seconds).into_response(),
            None => reply.into_response(),
        }
    }
}

impl AnprProblem {
    /// Invalid parameters are 422 here, as the list form says which.
    fn status(&self) -> StatusCode {
        match &self.0 {
            Problem::Query(_) | Problem::Malformed(_) | Problem::Core(Error::Invalid { .. }) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            other => other.status(),
        }
    }

    fn detail(&self) -> Value {
        match &self.0 {
            Problem::NoSuchPath => "Not Found".into(),
            Problem::NoSuchMethod => "Method Not Allowed".into(),
            Problem::Query(bad) => {
                invalid(&["query", bad.name], &format!("ожидается {}", bad.wanted))
            }
            Problem::Malformed(reason) => invalid(&["body"], reason),
            Problem::TooLarge { limit } => format!("Тело запроса больше {limit} байт").into(),
            Problem::TooMany { .. } => "Слишком много запросов".into(),
            Problem::Core(error) => core_detail(error),
        }
    }
}

fn core_detail(error: &Error) -> Value {
    match error {
        Error::NotFound("plate") => "Номер не найден".into(),
        Error::NotFound("session") => "Сессия не найдена".into(),
        Error::NotFound(_) => "Не найдено".into(),
        Error::Invalid { field, problem } => invalid(&["body", field], problem),
        Error::Unauthenticated => "Нужны действительные учётные данные".into(),
        Error::Forbidden { .. } => "Недостаточно прав".into(),
        Error::Throttled { .. } => "Слишком много запросов".into(),
        Error::Store(_) | Error::File { .. } => "Сервис временно недоступен".into(),
    }
}

fn invalid(place: &[&str], message: &str) -> Value {
    json!([{"loc": place, "msg": message, "type": "value_error"}])
}
