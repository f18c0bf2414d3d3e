//! `POST /payments/{provider}/notify/`: a payment provider says that money has come, or went back.
//! Of no family; each provider tells in its own form and wants its own answer.

use cloud_core::{Error, ProviderName, Word};
use schemars::SchemaGenerator;
use serde_json::json;
use warp::{
    Reply,
    http::StatusCode,
    reply::{Response, json as json_reply, with_status},
};

use crate::http::{self, Answer, Anyone, Body, Call, Face, Problem, Request, post, route::Content};

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
struct Taken(ProviderName);

/// The route for providers.
pub(crate) fn face() -> Face {
    let notify = post("/payments/{provider}/notify/", notify)
        .summary("A payment provider says that money has come, or went back");
    Face::new("payments", problem).prefixes(&["/payments"]).routes([notify])
}

async fn notify(call: Call<Anyone, Signed>) -> Answer<Taken> {
    let provider: ProviderName = call.path("provider").parse()?;
    let word = hear(&call, provider)?.ok_or(Error::Unauthenticated)?;
    call.app.cloud.providers.hear(provider, word).await?;
    Ok(Taken(provider))
}

/// What is said; none where the provider has not signed it.
fn hear(call: &Call<Anyone, Signed>, provider: ProviderName) -> Result<Option<Word>, Error> {
    let not_there = Error::NotFound("payment provider");
    let (gateways, body) = (&call.app.gateways, &call.body.0);
    match provider {
        ProviderName::Wechat => {
            Ok(gateways.wechat.as_ref().ok_or(not_there)?.hear(&call.headers, body))
        }
        ProviderName::Alipay => Ok(gateways.alipay.as_ref().ok_or(not_there)?.hear(body)),
    }
}

impl http::Reply for Taken {
    const STATUS: StatusCode = StatusCode::OK;

    fn into_response(self) -> Response {
        match self.0 {
            ProviderName::Wechat => {
                json_reply(&json!({"code": "SUCCESS", "message": "成功"})).into_response()
            }
            ProviderName::Alipay => "success".into_response(),
        }
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        None
    }
}

fn problem(problem: &Problem) -> Response {
    let message = match problem {
        Problem::NoSuchPath | Problem::Core(Error::NotFound(_)) => "支付不存在",
        Problem::Core(Error::Unauthenticated) => "签名无效或已过期",
        Problem::Core(Error::Invalid { field: "amount_fen", .. }) => "金额不一致",
        Problem::Core(Error::Store(_) | Error::File { .. } | Error::Outside(_)) => "服务暂时不可用",
        _ => "请求无效",
    };
    let body = json!({"code": "FAIL", "message": message});
    with_status(json_reply(&body), problem.status()).into_response()
}
