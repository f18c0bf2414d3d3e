//! The family's error form: `{"error", "code", "details"}`.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, with_header, with_status},
};

use crate::http::Problem;

/// A problem, told in this family's form.
pub(crate) struct HzProblem(Problem);

impl<E: Into<Problem>> From<E> for HzProblem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl Reply for HzProblem {
    fn into_response(self) -> Response {
        self.0.log();
        let (code, message, details) = self.words();
        let body = json!({"error": message, "code": code, "details": details});
        let reply = with_status(warp::reply::json(&body), self.0.status());
        match self.0.retry_after_s() {
            Some(seconds) => with_header(reply, "retry-after", seconds).into_response(),
            None => reply.into_response(),
        }
    }
}

impl HzProblem {
    fn words(&self) -> (&'static str, &'static str, Value) {
        match &self.0 {
            Problem::NoSuchPath => ("NOT_FOUND", "请求的路径不存在", json!({})),
            Problem::NoSuchMethod => ("METHOD_NOT_ALLOWED", "不支持该请求方法", json!({})),
            Problem::Malformed(reason) => {
                ("INVALID_REQUEST", "请求格式错误", json!({"message": reason}))
            }
            Problem::Query(bad) => {
                ("INVALID_PARAMETER", "请求参数错误", field(bad.name, bad.wanted))
            }
            Problem::TooLarge { limit } => {
                ("PAYLOAD_TOO_LARGE", "请求内容过大", json!({"max_bytes": limit}))
            }
            Problem::TooMany { retry_after_s } => {
                ("RATE_LIMITED", "请求过于频繁", json!({"retry_after": retry_after_s}))
            }
            Problem::Core(error) => core_words(error),
        }
    }
}

fn core_words(error: &Error) -> (&'static str, &'static str, Value) {
    match error {
        Error::NotFound(_) => ("NOT_FOUND", "资源不存在", json!({})),
        Error::Invalid { field: name, problem } => {
            ("INVALID_PARAMETER", "请求参数错误", field(name, problem))
        }
        Error::Unauthenticated => ("UNAUTHORIZED", "身份认证信息未提供或无效", json!({})),
        Error::Forbidden { needed, .. } => {
            ("FORBIDDEN", "没有执行该操作的权限", json!({"required_role": needed}))
        }
        Error::Throttled { retry_after_s } => {
            ("RATE_LIMITED", "请求过于频繁", json!({"retry_after": retry_after_s}))
        }
        Error::Store(_) | Error::File { .. } => ("UNAVAILABLE", "服务暂时不可用", json!({})),
    }
}

fn field(name: &str, message: &str) -> Value {
    json!({"field": name, "message": message})
}
