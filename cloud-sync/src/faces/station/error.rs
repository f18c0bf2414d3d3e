//! The family's error form: `{"code", "message"}` with the HTTP status as the code, and `errors`
//! by field where a field is at fault. The messages are the document's where it has them.

use cloud_core::{Error, UNAVAILABLE};
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, json as json_reply, with_status},
};

use crate::http::Problem;

const BAD_VALUE: &str = "参数错误";

/// Tells a problem in this family's form.
pub(crate) fn problem(problem: &Problem) -> Response {
    let (message, errors) = words(problem);
    let mut body = json!({"code": problem.status().as_u16(), "message": message});
    if let Some(errors) = errors {
        body["errors"] = errors;
    }
    with_status(json_reply(&body), problem.status()).into_response()
}

fn words(problem: &Problem) -> (&'static str, Option<Value>) {
    match problem {
        Problem::NoSuchPath => ("接口不存在", None),
        Problem::NoSuchMethod => ("不支持该请求方法", None),
        Problem::Malformed(reason) => (BAD_VALUE, field("non_field_errors", reason)),
        Problem::MediaType { wanted } => {
            ("不支持的媒体类型", field("non_field_errors", &format!("请使用 {wanted}")))
        }
        Problem::Missing { field: name } => (BAD_VALUE, field(name, "该字段是必填项")),
        Problem::Field { field: name, problem } => (BAD_VALUE, field(name, problem)),
        Problem::Query(bad) => (BAD_VALUE, field(bad.name, &format!("应为 {}", bad.wanted))),
        Problem::TooLarge { .. } => ("请求内容过大", None),
        Problem::TooMany { .. } => ("请求过于频繁，请稍后再试", None),
        Problem::Busy { .. } => ("服务繁忙，请稍后再试", None),
        Problem::NoCredentials => ("认证凭据未提供", None),
        Problem::WrongKey => ("无效的API密钥", None),
        Problem::Core(error) => core_words(error),
    }
}

fn core_words(error: &Error) -> (&'static str, Option<Value>) {
    match error {
        Error::NotFound(what) => (not_there(what), None),
        Error::Invalid { field: name, problem } => (BAD_VALUE, field(name, problem)),
        Error::Refused(reason) => (refusal(reason), None),
        Error::Unauthenticated => ("认证凭据无效", None),
        Error::Forbidden { .. } => ("无权限访问", None),
        Error::Throttled { .. } => ("尝试次数过多，请稍后再试", None),
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => ("服务暂时不可用", None),
    }
}

fn not_there(what: &str) -> &'static str {
    match what {
        "account" => "用户不存在",
        "cabinet" => "柜子不存在",
        "order" => "订单不存在",
        "device" => "设备不存在",
        "command" => "开柜指令不存在",
        _ => "资源不存在",
    }
}

fn refusal(reason: &str) -> &'static str {
    match reason {
        "cabinet_unavailable" => "柜子不可用",
        "not_pending" => "订单已支付或已取消",
        "not_cancellable" => "只有待支付的订单可以取消",
        "wrong_password" => "手机号或密码错误",
        "bad_code" => "无效的取件码或订单已过期",
        "code_locked" => "取件码错误次数过多，请10分钟后再试",
        "balance_too_low" => "余额不足",
        UNAVAILABLE => "支付方式不可用",
        "no_device" => "柜子未绑定设备",
        "site_away" => "站点离线，请在柜机上输入取件码",
        "device_offline" => "柜机离线",
        "door_stuck" => "柜门未能打开，请联系工作人员",
        "door_open" => "柜门未关闭，请关好柜门后再完成订单",
        "cabinet_ordered" => "柜子有未结束的订单",
        "too_many_unpaid" => "待支付订单过多，请先支付或取消",
        _ => "订单状态不允许此操作",
    }
}

fn field(name: &str, problem: &str) -> Option<Value> {
    Some(json!({name: [problem]}))
}
