//! Tariffs (`fee/configs/`), what a session costs (`fee/calculate/`), and tariffs to begin with
//! (`fee/templates/`).

use cloud_core::{Admin, Caller, Error, FeeConfig, NewFeeConfig, Stay};
use domain::{
    money::Fen,
    tariff::{Tariff, TariffRule},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{Hours, Id, SessionName, Yuan},
    wire::{Done, utc, yuan},
};
use crate::http::{Answer, Call, Created, Json, Route, delete, fields, get, post, put};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/hzsystem_parking/fee/configs/", list).summary("Tariffs in use"),
        post("/hzsystem_parking/fee/configs/", create).summary(
            "Make a tariff; of several the last one made holds, an area's before its site's",
        ),
        get("/hzsystem_parking/fee/configs/{config_id}/", detail).summary("One tariff"),
        put("/hzsystem_parking/fee/configs/{config_id}/", update)
            .summary("Change a tariff, for sessions that begin from now on"),
        delete("/hzsystem_parking/fee/configs/{config_id}/", remove)
            .summary("Take a tariff out of use"),
        post("/hzsystem_parking/fee/calculate/", calculate).summary("What a session costs"),
        get("/hzsystem_parking/fee/templates/", templates).summary("Tariffs to begin with"),
    ]
}

/// A tariff as it is sent; for a change, what is not given stays.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct ConfigInput {
    name: Option<String>,
    base_fee: Option<Yuan>,
    base_hours: Option<Hours>,
    hourly_rate: Option<Yuan>,
    /// The most that each started 24 hours cost; null for no limit.
    #[serde(default, deserialize_with = "fields::given")]
    #[schemars(with = "Option<f64>")]
    daily_max_fee: Option<Option<Yuan>>,
    free_minutes: Option<Id>,
    /// `documented` (the whole stay by the hour beyond the base time) or `overtime` (each started
    /// hour after it).
    rule: Option<RuleName>,
    /// The area that it is for; the whole site where it is not given.
    #[serde(alias = "area", default, deserialize_with = "fields::given")]
    #[schemars(with = "Option<i64>")]
    area_id: Option<Option<Id>>,
    /// Whether it is for members alone.
    member: Option<bool>,
    is_active: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RuleName {
    Documented,
    Overtime,
}

/// A tariff.
#[derive(Debug, Serialize, JsonSchema)]
struct ConfigView {
    id: i64,
    name: String,
    base_fee: f64,
    base_hours: f64,
    hourly_rate: f64,
    daily_max_fee: Option<f64>,
    free_minutes: u32,
    rule: RuleName,
    area_id: Option<i64>,
    member: bool,
    is_active: bool,
    created_time: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Configs {
    fee_configs: Vec<ConfigView>,
    total_count: usize,
}

impl From<FeeConfig> for ConfigView {
    fn from(config: FeeConfig) -> Self {
        let tariff = config.tariff;
        Self {
            id: config.id,
            name: config.name,
            base_fee: yuan(tariff.base_fee.0),
            base_hours: hours(tariff.base_seconds),
            hourly_rate: yuan(tariff.hourly_rate.0),
            daily_max_fee: tariff.daily_max_fee.map(|Fen(fen)| yuan(fen)),
            free_minutes: tariff.free_minutes,
            rule: match tariff.rule {
                TariffRule::Documented => RuleName::Documented,
                TariffRule::Overtime => RuleName::Overtime,
            },
            area_id: config.area_id,
            member: config.for_members,
            is_active: config.is_active,
            created_time: utc(config.created_at_ms),
        }
    }
}

fn hours(seconds: u32) -> f64 {
    f64::from(seconds) / 3600.0
}

impl ConfigInput {
    /// The tariff that is wanted: what was sent, over what was there.
    fn over(&self, before: NewFeeConfig) -> Result<NewFeeConfig, Error> {
        let tariff = before.tariff;
        let free_minutes = self.free_minutes.map(|Id(minutes)| {
            u32::try_from(minutes)
                .map_err(|_| Error::invalid("free_minutes", "应为不小于 0 的整数"))
        });
        Ok(NewFeeConfig {
            name: self.name.clone().unwrap_or(before.name),
            site: before.site,
            area_id: self.area_id.map_or(before.area_id, |area| area.map(|Id(area)| area)),
            tariff: Tariff {
                rule: match self.rule {
                    Some(RuleName::Documented) => TariffRule::Documented,
                    Some(RuleName::Overtime) => TariffRule::Overtime,
                    None => tariff.rule,
                },
                free_minutes: free_minutes.transpose()?.unwrap_or(tariff.free_minutes),
                base_fee: self.base_fee.map_or(tariff.base_fee, |Yuan(fee)| fee),
                base_seconds: self.base_hours.map_or(tariff.base_seconds, |Hours(s)| s),
                hourly_rate: self.hourly_rate.map_or(tariff.hourly_rate, |Yuan(fee)| fee),
                daily_max_fee: self
                    .daily_max_fee
                    .map_or(tariff.daily_max_fee, |limit| limit.map(|Yuan(fee)| fee)),
            },
            for_members: self.member.unwrap_or(before.for_members),
            is_active: self.is_active.unwrap_or(before.is_active),
        })
    }
}

/// What holds of a new tariff where nothing else is said.
fn blank() -> NewFeeConfig {
    NewFeeConfig {
        name: String::new(),
        site: None,
        area_id: None,
        tariff: Tariff {
            rule: TariffRule::Documented,
            free_minutes: 0,
            base_fee: Fen::ZERO,
            base_seconds: 3600,
            hourly_rate: Fen::ZERO,
            daily_max_fee: None,
        },
        for_members: false,
        is_active: true,
    }
}

async fn list(call: Call<Caller>) -> Answer<Json<Configs>> {
    let configs = call.app.cloud.parking.fee_configs(&call.who).await?;
    let fee_configs: Vec<_> = configs.into_iter().map(ConfigView::from).collect();
    Ok(Json(Configs { total_count: fee_configs.len(), fee_configs }))
}

async fn create(call: Call<Admin, Json<ConfigInput>>) -> Answer<Created<ConfigView>> {
    let new = call.body.0.over(blank())?;
    Ok(Created(call.app.cloud.parking.add_fee_config(&call.who, new).await?.into()))
}

async fn detail(call: Call<Caller>) -> Answer<Json<ConfigView>> {
    let id = call.id("config_id", "fee config")?;
    Ok(Json(call.app.cloud.parking.fee_config(&call.who, id).await?.into()))
}

async fn update(call: Call<Admin, Json<ConfigInput>>) -> Answer<Json<Done<ConfigView>>> {
    let id = call.id("config_id", "fee config")?;
    let parking = &call.app.cloud.parking;
    let Json(input) = &call.body;
    let input = input.clone();
    let config = parking.change_fee_config(&call.who, id, move |before| input.over(before)).await?;
    Ok(Json(Done::new("费用配置更新成功", config.into())))
}

async fn remove(call: Call<Admin>) -> Answer<Json<Done<ConfigView>>> {
    let id = call.id("config_id", "fee config")?;
    let config = call.app.cloud.parking.remove_fee_config(&call.who, id).await?;
    Ok(Json(Done::new("费用配置删除成功", config.into())))
}

/// The session that is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
struct CalculateInput {
    session_id: SessionName,
}

/// What a session costs.
#[derive(Debug, Serialize, JsonSchema)]
struct Calculation {
    session_id: String,
    duration_hours: f64,
    fee_config: UsedConfig,
    /// Yuan with two decimals.
    calculated_fee: String,
    /// What was paid of it already.
    paid_amount: f64,
    /// What is still to be paid.
    amount_due: f64,
    calculation_time: String,
}

/// The tariff as it stood when the session began; no `id` where it is none of these here.
#[derive(Debug, Serialize, JsonSchema)]
struct UsedConfig {
    id: Option<i64>,
    name: String,
    base_fee: f64,
    hourly_rate: f64,
}

async fn calculate(call: Call<Caller, Json<CalculateInput>>) -> Answer<Json<Calculation>> {
    let Json(CalculateInput { session_id: SessionName(id) }) = call.body;
    let parking = &call.app.cloud.parking;
    let stay = parking.stay(&call.who, id).await?;
    Ok(Json(calculation(&stay, parking.now_ms())))
}

fn calculation(stay: &Stay, now_ms: i64) -> Calculation {
    let stayed_ms = (stay.exited_at_ms.unwrap_or(now_ms) - stay.entered_at_ms).max(0);
    let used = stay.tariff.as_ref();
    let amount = |of: fn(&Tariff) -> Fen| used.map_or(0.0, |used| yuan(of(&used.tariff).0));
    Calculation {
        session_id: format!("session_{}", stay.id),
        // As exact as the fee is, to the millisecond.
        duration_hours: (stayed_ms as f64 / 36.0).round() / 100_000.0,
        fee_config: UsedConfig {
            id: used.and_then(|used| used.id),
            name: used.map_or_else(|| "免费停车".to_owned(), |used| used.name.clone()),
            base_fee: amount(|tariff| tariff.base_fee),
            hourly_rate: amount(|tariff| tariff.hourly_rate),
        },
        calculated_fee: stay.fee_at(now_ms).to_string(),
        paid_amount: yuan(stay.paid_fen),
        amount_due: yuan(stay.owed_at(now_ms).0),
        calculation_time: utc(now_ms),
    }
}

/// A tariff that people begin with.
#[derive(Debug, Serialize, JsonSchema)]
struct Template {
    name: &'static str,
    description: &'static str,
    base_fee: f64,
    base_hours: f64,
    hourly_rate: f64,
    daily_max_fee: f64,
    free_minutes: u32,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Templates {
    templates: [Template; 3],
    total_count: usize,
}

impl Template {
    const fn new(
        name: &'static str,
        description: &'static str,
        [base_fee, base_hours, hourly_rate, daily_max_fee]: [f64; 4],
        free_minutes: u32,
    ) -> Self {
        Self { name, description, base_fee, base_hours, hourly_rate, daily_max_fee, free_minutes }
    }
}

async fn templates(_: Call<Caller>) -> Answer<Json<Templates>> {
    let templates = [
        Template::new("标准收费", "首小时 5 元，之后按小时计费", [5.0, 1.0, 3.0, 30.0], 15),
        Template::new("夜间收费", "适用于夜间停车", [3.0, 2.0, 2.0, 20.0], 30),
        Template::new("短时停车", "适用于商场等短时停车", [2.0, 0.5, 4.0, 40.0], 30),
    ];
    Ok(Json(Templates { total_count: templates.len(), templates }))
}
