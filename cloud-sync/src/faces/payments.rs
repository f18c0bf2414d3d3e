//! `POST /payments/{provider}/notify/`: a payment provider says that money has come. Of no
//! family; its form is explained in `config/cloud.example.toml`.

use cloud_core::{Error, Notification};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use warp::{
    Reply,
    reply::{Response, json as json_reply, with_status},
};

use crate::http::{Answer, Anyone, Body, Call, Face, Json, Problem, Request, post, route::Content};

/// Most bytes of a notification.
const MAX_BYTES: usize = 16 * 1024;

/// What was signed, byte for byte.
struct Signed(Vec<u8>);

impl Body for Signed {
    async fn read(request: &mut Request) -> Result<Self, Problem> {
        request.body(MAX_BYTES).await.map(Self)
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        None
    }
}

/// The provider need not say it again.
#[derive(Debug, Serialize, JsonSchema)]
struct Taken {
    /// SUCCESS.
    code: &'static str,
    /// The same for people.
    message: &'static str,
}

/// The route for providers.
pub(crate) fn face() -> Face {
    let notify = post("/payments/{provider}/notify/", notify)
        .summary("A payment provider says that money has come");
    Face::new("payments", problem).prefixes(&["/payments"]).routes([notify])
}

async fn notify(call: Call<Anyone, Signed>) -> Answer<Json<Taken>> {
    let header = |name| call.header(name).map(str::to_owned).ok_or(Error::Unauthenticated);
    let notification = Notification {
        timestamp: header("x-timestamp")?,
        signature: header("x-signature")?,
        body: call.body.0.clone(),
    };
    call.app.cloud.providers.notify(call.path("provider").parse()?, notification).await?;
    Ok(Json(Taken { code: "SUCCESS", message: "成功" }))
}

fn problem(problem: &Problem) -> Response {
    let message = match problem {
        Problem::NoSuchPath | Problem::Core(Error::NotFound(_)) => "支付不存在",
        Problem::Core(Error::Unauthenticated) => "签名无效或已过期",
        Problem::Core(Error::Invalid { field: "amount_fen", .. }) => "金额不一致",
        Problem::Core(Error::Store(_) | Error::File { .. }) => "服务暂时不可用",
        _ => "请求无效",
    };
    let body = json!({"code": "FAIL", "message": message});
    with_status(json_reply(&body), problem.status()).into_response()
}
