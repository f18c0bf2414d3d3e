//! The family's error form: `{"detail": text}`, and with 422 a list of what is wrong where.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    http::StatusCode,
    reply::{Response, with_status},
};

use crate::http::Problem;

/// Tells a problem in this family's form.
pub(crate) fn problem(problem: &Problem) -> Response {
    let body = json!({"detail": detail(problem)});
    with_status(warp::reply::json(&body), status(problem)).into_response()
}

/// Invalid parameters are 422 here, as the list form says which.
const fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::Query(_)
        | Problem::Malformed(_)
        | Problem::Missing { .. }
        | Problem::Field { .. }
        | Problem::Core(Error::Invalid { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        other => other.status(),
    }
}

fn detail(problem: &Problem) -> Value {
    match problem {
        Problem::NoSuchPath => "Not Found".into(),
        Problem::NoSuchMethod => "Method Not Allowed".into(),
        Problem::Query(bad) => invalid(&["query", bad.name], &format!("ожидается {}", bad.wanted)),
        Problem::Malformed(reason) => invalid(&["body"], reason),
        Problem::Missing { field } => invalid(&["body", field], "обязательное поле"),
        Problem::Field { field, problem } => invalid(&["body", field], problem),
        Problem::MediaType { wanted } => format!("Ожидается {wanted}").into(),
        Problem::TooLarge { limit } => format!("Тело запроса больше {limit} байт").into(),
        Problem::TooMany { .. } => "Слишком много запросов".into(),
        Problem::Busy { .. } => "Сервис занят, повторите позже".into(),
        Problem::NoCredentials | Problem::WrongKey => core_detail(&Error::Unauthenticated),
        Problem::Core(error) => core_detail(error),
    }
}

fn core_detail(error: &Error) -> Value {
    match error {
        Error::NotFound("plate") => "Номер не найден".into(),
        Error::NotFound("session") => "Сессия не найдена".into(),
        Error::NotFound(_) => "Не найдено".into(),
        Error::Invalid { field, problem } => invalid(&["body", field], problem),
        Error::Refused("picture_empty") => "Файл пуст: отправьте изображение JPEG или PNG".into(),
        Error::Refused("picture_type") => "Файл не является изображением JPEG или PNG".into(),
        Error::Refused("picture_broken") => "Изображение повреждено".into(),
        Error::Refused("picture_too_many_pixels") => "Слишком много пикселей в изображении".into(),
        Error::Refused(_) => "Сейчас это невозможно".into(),
        Error::Unauthenticated => "Нужны действительные учётные данные".into(),
        Error::Forbidden { .. } => "Недостаточно прав".into(),
        Error::Throttled { .. } => "Слишком много запросов".into(),
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => {
            "Сервис временно недоступен".into()
        }
    }
}

fn invalid(place: &[&str], message: &str) -> Value {
    json!([{"loc": place, "msg": message, "type": "value_error"}])
}
