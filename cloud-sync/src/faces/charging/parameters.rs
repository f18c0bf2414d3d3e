//! The parameters. They are shown by their flat names and nested as the document has them, and
//! taken in either way, so that what was shown can be sent back with one value changed.

use cloud_core::{Admin, Error, charging::ParametersChange};
use domain::charging::{Parameters, Periods, Rate, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    number::{Count, TenThousandths, Thousandths},
    wire::{Data, thousands},
};
use crate::http::{Answer, Anyone, Call, Json, Problem};

/// All parameters.
#[derive(Serialize, JsonSchema)]
pub(super) struct ParametersView {
    #[serde(rename = "FastChargingPileNum")]
    fast_piles: u32,
    #[serde(rename = "TrickleChargingPileNum")]
    slow_piles: u32,
    #[serde(rename = "WaitingAreaSize")]
    waiting_places: u32,
    /// Cars at one pile, the one that charges included.
    #[serde(rename = "ChargingQueueLen")]
    queue_length: u32,
    #[serde(flatten)]
    flat_rates: RatesView,
    #[serde(flatten)]
    flat_power: PowerView,
    pricing: RatesView,
    time_periods: PeriodsView,
    charging_power: PowerView,
}

/// Yuan for a kWh.
#[derive(Clone, Copy, Serialize, JsonSchema)]
struct RatesView {
    peak_rate: f64,
    normal_rate: f64,
    valley_rate: f64,
    service_rate: f64,
}

/// kW.
#[derive(Clone, Copy, Serialize, JsonSchema)]
struct PowerView {
    fast_charging_power: f64,
    slow_charging_power: f64,
}

/// Windows of the day, `HH:MM-HH:MM`; every minute is in exactly one.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PeriodsView {
    peak: Vec<String>,
    normal: Vec<String>,
    valley: Vec<String>,
}

/// Parameters that are to be different.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewParameters {
    #[serde(rename = "FastChargingPileNum")]
    fast_piles: Option<Count>,
    #[serde(rename = "TrickleChargingPileNum")]
    slow_piles: Option<Count>,
    #[serde(rename = "WaitingAreaSize")]
    waiting_places: Option<Count>,
    #[serde(rename = "ChargingQueueLen")]
    queue_length: Option<Count>,
    peak_rate: Option<TenThousandths>,
    normal_rate: Option<TenThousandths>,
    valley_rate: Option<TenThousandths>,
    service_rate: Option<TenThousandths>,
    fast_charging_power: Option<Thousandths>,
    slow_charging_power: Option<Thousandths>,
    pricing: Option<NewRates>,
    time_periods: Option<PeriodsView>,
    charging_power: Option<NewPower>,
}

/// Rates that are to be different.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRates {
    peak_rate: Option<TenThousandths>,
    normal_rate: Option<TenThousandths>,
    valley_rate: Option<TenThousandths>,
    service_rate: Option<TenThousandths>,
}

/// Powers that are to be different.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPower {
    fast_charging_power: Option<Thousandths>,
    slow_charging_power: Option<Thousandths>,
}

impl From<&Parameters> for ParametersView {
    fn from(parameters: &Parameters) -> Self {
        let rates = &parameters.tariff.rates;
        let yuan = |Rate(rate)| rate as f64 / 10_000.0;
        let rates = RatesView {
            peak_rate: yuan(rates.peak),
            normal_rate: yuan(rates.normal),
            valley_rate: yuan(rates.valley),
            service_rate: yuan(rates.service),
        };
        let power = PowerView {
            fast_charging_power: thousands(parameters.fast_power_w),
            slow_charging_power: thousands(parameters.slow_power_w),
        };
        Self {
            fast_piles: parameters.fast_piles,
            slow_piles: parameters.slow_piles,
            waiting_places: parameters.waiting_places,
            queue_length: parameters.queue_length,
            flat_rates: rates,
            flat_power: power,
            pricing: rates,
            time_periods: PeriodsView::from(&parameters.tariff.periods),
            charging_power: power,
        }
    }
}

impl From<&Periods> for PeriodsView {
    fn from(periods: &Periods) -> Self {
        let words = |windows: &[Window]| windows.iter().map(Window::to_string).collect();
        Self {
            peak: words(&periods.peak),
            normal: words(&periods.normal),
            valley: words(&periods.valley),
        }
    }
}

impl PeriodsView {
    fn parse(&self) -> Result<Periods, Error> {
        let windows = |words: &[String]| {
            let parsed = words.iter().map(|word| word.parse());
            parsed.collect::<Result<_, domain::charging::BadPeriods>>()
        };
        let periods = || {
            let (peak, normal) = (windows(&self.peak)?, windows(&self.normal)?);
            Ok(Periods { peak, normal, valley: windows(&self.valley)? })
        };
        periods().map_err(|bad: domain::charging::BadPeriods| {
            Error::invalid("time_periods", bad.to_string())
        })
    }
}

/// A value that was given flat, nested, or both ways: the one that is new.
fn given<const PLACES: u32>(
    current: i64,
    flat: Option<super::number::Decimal<PLACES>>,
    nested: Option<super::number::Decimal<PLACES>>,
) -> Option<i64> {
    flat.filter(|flat| flat.0 != current).or(nested).map(|value| value.0)
}

impl NewParameters {
    fn change(self, current: &Parameters) -> Result<ParametersChange, Error> {
        let (rates, pricing) = (&current.tariff.rates, self.pricing.unwrap_or_default());
        let power = self.charging_power.unwrap_or_default();
        let rate = |Rate(current), flat, nested| given(current, flat, nested).map(Rate);
        Ok(ParametersChange {
            fast_piles: self.fast_piles.map(Count::things),
            slow_piles: self.slow_piles.map(Count::things),
            waiting_places: self.waiting_places.map(Count::things),
            queue_length: self.queue_length.map(Count::things),
            peak: rate(rates.peak, self.peak_rate, pricing.peak_rate),
            normal: rate(rates.normal, self.normal_rate, pricing.normal_rate),
            valley: rate(rates.valley, self.valley_rate, pricing.valley_rate),
            service: rate(rates.service, self.service_rate, pricing.service_rate),
            fast_power_w: given(
                current.fast_power_w,
                self.fast_charging_power,
                power.fast_charging_power,
            ),
            slow_power_w: given(
                current.slow_power_w,
                self.slow_charging_power,
                power.slow_charging_power,
            ),
            periods: self.time_periods.map(|periods| periods.parse()).transpose()?,
        })
    }
}

pub(super) async fn show(call: Call<Anyone>) -> Answer<Json<Data<ParametersView>>> {
    let parameters = call.app.cloud.charging.parameters().await?;
    Ok(Json(Data::of(ParametersView::from(&parameters))))
}

pub(super) async fn set(
    call: Call<Admin, Json<NewParameters>>,
) -> Answer<Json<Data<ParametersView>>> {
    let cloud = call.app.cloud.clone();
    let charging = &cloud.charging;
    let change = call.body.0.change(&charging.parameters().await?)?;
    let parameters = charging.set_parameters(&call.who, change).await.map_err(by_wire_name)?;
    Ok(Json(Data::done("系统参数已更新", ParametersView::from(&parameters))))
}

/// Names a parameter at fault as the document does.
fn by_wire_name(error: Error) -> Problem {
    let Error::Invalid { field, problem } = error else { return error.into() };
    let field = match field {
        "fast_piles" => "FastChargingPileNum",
        "slow_piles" => "TrickleChargingPileNum",
        "waiting_places" => "WaitingAreaSize",
        "queue_length" => "ChargingQueueLen",
        "fast_power_w" => "fast_charging_power",
        "slow_power_w" => "slow_charging_power",
        "peak" => "peak_rate",
        "normal" => "normal_rate",
        "valley" => "valley_rate",
        "service" => "service_rate",
        _ => "time_periods",
    };
    Error::invalid(field, problem).into()
}
