//! The family's error form: `{"error", "code", "details"}`.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, with_status},
};

use super::parking::refusal;
use crate::http::Problem;

/// Tells a problem in this family's form.
pub(crate) fn problem(problem: &Problem) -> Response {
    let (code, message, details) = words(problem);
    let body = json!({"error": message, "code": code, "details": details});
    with_status(warp::reply::json(&body), problem.status()).into_response()
}

fn words(problem: &Problem) -> (&'static str, &'static str, Value) {
    match problem {
        Problem::NoSuchPath => ("NOT_FOUND", "请求的路径不存在", json!({})),
        Problem::NoSuchMethod => ("METHOD_NOT_ALLOWED", "不支持该请求方法", json!({})),
        Problem::Malformed(reason) => {
            ("INVALID_REQUEST", "请求格式错误", json!({"message": reason}))
        }
        Problem::MediaType { wanted } => {
            ("UNSUPPORTED_MEDIA_TYPE", "不支持的内容类型", json!({"expected": wanted}))
        }
        Problem::Missing { field: name } => {
            ("INVALID_PARAMETER", "缺少必填字段", field(name, "该字段必填"))
        }
        Problem::Field { field: name, problem } => {
            ("INVALID_PARAMETER", "请求参数错误", field(name, problem))
        }
        Problem::Query(bad) => ("INVALID_PARAMETER", "请求参数错误", field(bad.name, bad.wanted)),
        Problem::TooLarge { limit } => {
            ("PAYLOAD_TOO_LARGE", "请求内容过大", json!({"max_bytes": limit}))
        }
        Problem::TooMany { retry_after_s } => {
            ("RATE_LIMITED", "请求过于频繁", json!({"retry_after": retry_after_s}))
        }
        Problem::Busy { retry_after_s } => {
            ("BUSY", "服务繁忙，请稍后重试", json!({"retry_after": retry_after_s}))
        }
        Problem::NoCredentials | Problem::WrongKey => core_words(&Error::Unauthenticated),
        Problem::Core(error) => core_words(error),
    }
}

fn core_words(error: &Error) -> (&'static str, &'static str, Value) {
    match error {
        Error::NotFound(_) => ("NOT_FOUND", "资源不存在", json!({})),
        Error::Invalid { field: name, problem } => {
            ("INVALID_PARAMETER", "请求参数错误", field(name, problem))
        }
        Error::Refused(reason) if reason.starts_with("picture_") => (
            "INVALID_IMAGE",
            "图片无法识别，请上传完整的 JPEG 或 PNG 图片",
            json!({"reason": reason}),
        ),
        Error::Refused(reason) => ("REFUSED", refusal(reason), json!({"reason": reason})),
        Error::Unauthenticated => ("UNAUTHORIZED", "身份认证信息未提供或无效", json!({})),
        Error::Forbidden { needed, .. } => {
            ("FORBIDDEN", "没有执行该操作的权限", json!({"required_role": needed}))
        }
        Error::Throttled { retry_after_s } => {
            ("RATE_LIMITED", "请求过于频繁", json!({"retry_after": retry_after_s}))
        }
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => {
            ("UNAVAILABLE", "服务暂时不可用", json!({}))
        }
    }
}

fn field(name: &str, message: &str) -> Value {
    json!({"field": name, "message": message})
}
