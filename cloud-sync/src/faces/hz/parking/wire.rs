//! What the family's answers have in common.

use chrono::{DateTime, NaiveDate, SecondsFormat};
use chrono_tz::Tz;
use cloud_core::{
    Window,
    calendar::{day_start_ms, next_day},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    faces::hz::params::Page,
    http::{Problem, Query},
};

/// An answer to a change that has no example: that it was done, and the object's fields.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Done<T> {
    success: bool,
    message: &'static str,
    #[serde(flatten)]
    object: T,
}

impl<T> Done<T> {
    pub(super) const fn new(message: &'static str, object: T) -> Self {
        Self { success: true, message, object }
    }
}

/// `2024-01-01T10:00:00Z`.
pub(super) fn utc(ms: i64) -> String {
    moment(ms).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The site's local time without an offset, with microseconds.
pub(super) fn local(ms: i64, zone: Tz) -> String {
    moment(ms).with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn moment(ms: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// An amount as a JSON number.
pub(super) fn yuan(fen: i64) -> f64 {
    fen as f64 / 100.0
}

/// A share in percent, with two decimals.
pub(super) fn percent(part: i64, whole: i64) -> f64 {
    (part as f64 / whole.max(1) as f64 * 10_000.0).round() / 100.0
}

/// The window of a page.
pub(super) fn window(page: Page) -> Window {
    Window { skip: (page.number - 1).saturating_mul(page.size), limit: page.size }
}

/// The first moment of `start_date` and that after `end_date`, by the sites' calendar.
pub(super) fn days(query: &Query, zone: Tz) -> Result<(Option<i64>, Option<i64>), Problem> {
    let day = |name| query.parsed::<NaiveDate>(name, "日期格式应为 YYYY-MM-DD");
    let from = day("start_date")?.map(|first| day_start_ms(zone, first));
    let until = day("end_date")?.map(|last| day_start_ms(zone, next_day(last)));
    Ok((from, until))
}

/// Why the domain refuses, in the family's language.
pub(in crate::faces::hz) fn refusal(reason: &str) -> &'static str {
    match reason {
        "slot_not_available" => "该车位不可用",
        "spot_in_use" => "车位上有车辆，不能修改或删除",
        "area_in_use" => "区域内有车辆，不能删除",
        "no_spot" => "没有可用的停车位",
        "already_inside" => "该车牌已在场内",
        "already_paid" => "订单已支付",
        "order_closed" => "订单已关闭",
        "wrong_amount" => "支付金额与订单金额不符",
        "not_paid" => "订单尚未支付",
        "nothing_left" => "订单已全额退款",
        "refund_too_large" => "退款金额超过可退金额",
        "method_unavailable" | "provider_unavailable" => "支付方式不可用",
        "balance_too_low" => "余额不足",
        _ => "当前状态不允许该操作",
    }
}
