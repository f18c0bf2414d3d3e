//! The family's error form: `{"success": false, "error": {"code", "message", "details"}}`.

use cloud_core::Error;
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, with_status},
};

use crate::http::Problem;

type Words = (&'static str, &'static str, Value);

/// Tells a problem in this family's form.
pub(crate) fn problem(problem: &Problem) -> Response {
    let (code, message, details) = words(problem);
    let error = json!({"code": code, "message": message, "details": details});
    let body = json!({"success": false, "error": error});
    with_status(warp::reply::json(&body), problem.status()).into_response()
}

fn words(problem: &Problem) -> Words {
    match problem {
        Problem::NoSuchPath => ("RESOURCE_NOT_FOUND", "请求的路径不存在", Value::Null),
        Problem::NoSuchMethod => ("METHOD_NOT_ALLOWED", "不支持该请求方法", Value::Null),
        Problem::Malformed(reason) => {
            ("VALIDATION_ERROR", "请求格式错误", json!({"reason": reason}))
        }
        Problem::MediaType { wanted } => {
            ("VALIDATION_ERROR", "不支持的内容类型", json!({"expected": wanted}))
        }
        Problem::Missing { field: name } => invalid(name, "该字段必填"),
        Problem::Field { field: name, problem } => invalid(name, problem),
        Problem::Query(bad) => invalid(bad.name, bad.wanted),
        Problem::TooLarge { limit } => {
            ("VALIDATION_ERROR", "请求内容过大", json!({"max_bytes": limit}))
        }
        Problem::TooMany { retry_after_s } => too_many(*retry_after_s),
        Problem::Busy { retry_after_s } => {
            ("SYSTEM_ERROR", "服务繁忙，请稍后重试", json!({"retry_after": retry_after_s}))
        }
        Problem::NoCredentials => ("AUTH_REQUIRED", "需要认证", Value::Null),
        Problem::WrongKey => core_words(&Error::Unauthenticated),
        Problem::Core(error) => core_words(error),
    }
}

fn core_words(error: &Error) -> Words {
    match error {
        Error::NotFound(what) => ("RESOURCE_NOT_FOUND", not_found(what), Value::Null),
        Error::Invalid { field, problem } => invalid(field, problem),
        Error::Refused(reason) => refused(reason),
        Error::Unauthenticated => ("AUTH_INVALID", "认证无效", Value::Null),
        Error::Forbidden { needed, .. } => {
            ("PERMISSION_DENIED", "权限不足", json!({"required_role": needed}))
        }
        Error::Throttled { retry_after_s } => too_many(*retry_after_s),
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => {
            ("SYSTEM_ERROR", "系统错误，请稍后重试", Value::Null)
        }
    }
}

fn not_found(what: &str) -> &'static str {
    match what {
        "request" => "没有进行中的充电请求",
        "bill" => "详单不存在",
        "pile" => "充电桩不存在",
        "notification" => "通知不存在",
        _ => "资源不存在",
    }
}

fn refused(reason: &str) -> Words {
    match reason {
        "duplicate_request" => ("DUPLICATE_REQUEST", "您已有进行中的充电请求", Value::Null),
        "queue_full" => ("QUEUE_FULL", "等候区已满", Value::Null),
        "charging" => ("INVALID_REQUEST", "正在充电，不能修改或取消", Value::Null),
        "site_away" => {
            let words = "站点暂时没有响应，已通知其结束充电，账单随后生成";
            ("SITE_AWAY", words, Value::Null)
        }
        "already_paid" => ("INVALID_REQUEST", "详单已支付", Value::Null),
        "balance_too_low" => ("INSUFFICIENT_BALANCE", "余额不足", Value::Null),
        "not_charging" => ("INVALID_REQUEST", "尚未开始充电", Value::Null),
        _ => ("INVALID_REQUEST", "当前状态不允许该操作", json!({"reason": reason})),
    }
}

fn too_many(retry_after_s: u64) -> Words {
    ("RATE_LIMITED", "请求过于频繁", json!({"retry_after": retry_after_s}))
}

fn invalid(field: &str, problem: &str) -> Words {
    ("VALIDATION_ERROR", "参数验证失败", json!({field: [problem]}))
}
