//! `/hzadmin_api/…`: what a user prefers and whether a member, with an error form of its own:
//! `{"code", "message", "data"}` with the HTTP status as the code.

use chrono_tz::Tz;
use cloud_core::{Caller, Error, ParkingPreference, PreferenceChange, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use warp::{
    Reply,
    reply::{Response, with_status},
};

use super::records::local_time;
use crate::http::{Answer, Call, Face, Json, Problem, get, limit::Class, post};

const PREFERENCE: &str = "/hzadmin_api/parking-preference/";
const MEMBERSHIP: &str = "/hzadmin_api/membership/";

/// The users' part of the family.
pub(crate) fn face() -> Face {
    Face::new("hz", problem).prefixes(&["/hzadmin_api"]).class(Class::Query).routes([
        get(PREFERENCE, preference).summary("Where one likes to park"),
        post(PREFERENCE, prefer).summary("Say where one likes to park"),
        get(MEMBERSHIP, membership).summary("Whether one is a member"),
        post(MEMBERSHIP, set_membership).summary("Become a member, or cease to be one"),
    ])
}

/// An answer.
#[derive(Debug, Serialize, JsonSchema)]
struct Data<T> {
    /// 200.
    code: u16,
    /// What was done, for people.
    message: &'static str,
    /// What was asked for.
    data: T,
}

fn data<T>(message: &'static str, data: T) -> Json<Data<T>> {
    Json(Data { code: 200, message, data })
}

/// What somebody prefers.
#[derive(Debug, Serialize, JsonSchema)]
struct PreferenceView {
    /// The plate of one's vehicle, as typed.
    license_plate: Option<String>,
    /// The name of an area.
    preferred_area: Option<String>,
    /// Whether one is a member.
    is_member: bool,
    /// Since when.
    member_since: Option<String>,
    /// Whether a spot is to be assigned on entering.
    auto_assign: bool,
    /// The areas that one may prefer.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_areas: Option<Vec<AreaView>>,
}

/// An area.
#[derive(Debug, Serialize, JsonSchema)]
struct AreaView {
    /// Its number.
    id: i64,
    /// Its name.
    name: String,
    /// What people say of it.
    description: String,
}

/// Whether somebody is a member.
#[derive(Debug, Serialize, JsonSchema)]
struct MembershipView {
    /// Whether one is.
    is_member: bool,
    /// Since when.
    member_since: Option<String>,
    /// The plate of one's vehicle, as typed.
    license_plate: Option<String>,
}

impl PreferenceView {
    fn new(preference: ParkingPreference, areas: Option<Vec<AreaView>>, zone: Tz) -> Self {
        let MembershipView { is_member, member_since, license_plate } =
            MembershipView::new(&preference, zone);
        Self {
            license_plate,
            preferred_area: preference.area,
            is_member,
            member_since,
            auto_assign: preference.auto_assign,
            available_areas: areas,
        }
    }
}

impl MembershipView {
    fn new(preference: &ParkingPreference, zone: Tz) -> Self {
        Self {
            is_member: preference.member_since_ms.is_some(),
            member_since: preference.member_since_ms.map(|ms| local_time(ms, zone)),
            license_plate: preference.plate.clone(),
        }
    }
}

/// What changes; what is not given stays, an empty text removes.
#[derive(Debug, Deserialize, JsonSchema)]
struct PreferenceBody {
    /// The plate of one's vehicle: 1 to 20 printable characters.
    license_plate: Option<String>,
    /// The name of an area.
    preferred_area: Option<String>,
    /// Whether a spot is to be assigned on entering.
    auto_assign: Option<bool>,
}

/// Whether to be a member from now on.
#[derive(Debug, Deserialize, JsonSchema)]
struct MembershipBody {
    /// Whether to be one.
    is_member: bool,
    /// The plate of one's vehicle: 1 to 20 printable characters.
    license_plate: Option<String>,
}

async fn preference(call: Call<Caller>) -> Answer<Json<Data<PreferenceView>>> {
    let cloud = &call.app.cloud;
    let preference = cloud.accounts.preference(&call.who).await?;
    let areas = cloud.parking.areas(&call.who).await?.into_iter().map(|area| AreaView {
        id: area.id,
        name: area.name,
        description: area.description,
    });
    let areas = Some(areas.collect());
    Ok(data("获取成功", PreferenceView::new(preference, areas, cloud.parking.zone())))
}

async fn prefer(call: Call<Caller, Json<PreferenceBody>>) -> Answer<Json<Data<PreferenceView>>> {
    let (cloud, body) = (&call.app.cloud, &call.body.0);
    let change = PreferenceChange {
        plate: body.license_plate.clone(),
        area: body.preferred_area.clone(),
        auto_assign: body.auto_assign,
        is_member: None,
    };
    let preference = cloud.accounts.prefer(&call.who, change).await?;
    Ok(data("设置成功", PreferenceView::new(preference, None, cloud.parking.zone())))
}

async fn membership(call: Call<Caller>) -> Answer<Json<Data<MembershipView>>> {
    let cloud = &call.app.cloud;
    let preference = cloud.accounts.preference(&call.who).await?;
    Ok(data("获取成功", MembershipView::new(&preference, cloud.parking.zone())))
}

async fn set_membership(
    call: Call<Caller, Json<MembershipBody>>,
) -> Answer<Json<Data<MembershipView>>> {
    let (cloud, body) = (&call.app.cloud, &call.body.0);
    if !call.app.membership_self_service {
        let (role, needed) = (call.who.role().as_str(), Role::Admin.as_str());
        return Err(Error::Forbidden { role, needed }.into());
    }
    let change = PreferenceChange {
        plate: body.license_plate.clone(),
        is_member: Some(body.is_member),
        ..PreferenceChange::default()
    };
    let preference = cloud.accounts.prefer(&call.who, change).await?;
    Ok(data("更新成功", MembershipView::new(&preference, cloud.parking.zone())))
}

/// Tells a problem in this form.
fn problem(problem: &Problem) -> Response {
    let (message, data) = words(problem);
    let body = json!({"code": problem.status().as_u16(), "message": message, "data": data});
    with_status(warp::reply::json(&body), problem.status()).into_response()
}

fn words(problem: &Problem) -> (&'static str, Value) {
    match problem {
        Problem::NoSuchPath => ("请求的路径不存在", Value::Null),
        Problem::NoSuchMethod => ("不支持该请求方法", Value::Null),
        Problem::Malformed(reason) => ("请求格式错误", json!({"reason": reason})),
        Problem::MediaType { wanted } => ("不支持的内容类型", json!({"expected": wanted})),
        Problem::Missing { field } => ("缺少必填字段", json!({field: "该字段必填"})),
        Problem::Field { field, problem } => ("请求参数错误", json!({field: problem})),
        Problem::Query(bad) => ("请求参数错误", json!({bad.name: bad.wanted})),
        Problem::TooLarge { limit } => ("请求内容过大", json!({"max_bytes": limit})),
        Problem::TooMany { .. } => ("请求过于频繁", Value::Null),
        Problem::Busy { .. } => ("服务繁忙，请稍后重试", Value::Null),
        Problem::NoCredentials => ("身份认证信息未提供", Value::Null),
        Problem::WrongKey => ("密钥无效", Value::Null),
        Problem::Core(error) => core_words(error),
    }
}

fn core_words(error: &Error) -> (&'static str, Value) {
    match error {
        Error::NotFound(_) => ("资源不存在", Value::Null),
        Error::Invalid { field, problem } => ("请求参数错误", json!({*field: problem})),
        Error::Refused(reason) => ("当前状态不允许该操作", json!({"reason": reason})),
        Error::Unauthenticated => ("身份认证信息无效", Value::Null),
        Error::Forbidden { .. } => ("没有执行该操作的权限", Value::Null),
        Error::Throttled { .. } => ("请求过于频繁", Value::Null),
        Error::Store(_) | Error::File { .. } | Error::Outside(_) => ("服务暂时不可用", Value::Null),
    }
}
