//! Tariffs, what is set of sites, and opening a lane from here.

use cloud_core::{Admin, Caller, Error, FeeConfig, NewFeeConfig, Operator};
use domain::{
    ids::{LaneId, SiteId},
    money::Fen,
    plate::Region,
    site::Parameters,
    tariff::{Tariff, TariffRule},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lanes;
use crate::http::{Answer, Call, Json, NoContent, Problem, Route, delete, get, post, put};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/console/v1/tariffs", tariffs).summary("Tariffs in use"),
        post("/console/v1/tariffs", add_tariff).summary("Make a tariff"),
        delete("/console/v1/tariffs/{id}", remove_tariff).summary("Take a tariff out of use"),
        get("/console/v1/sites/{site}/parameters", parameters).summary("What is set of a site"),
        put("/console/v1/sites/{site}/parameters", set_parameters)
            .summary("Set all of a site; what is not said is left to its configuration file"),
        post("/console/v1/sites/{site}/lanes/{lane}/open", open)
            .summary("Have a lane opened for one vehicle, within seconds or not at all"),
        get("/console/v1/sites/{site}/directives/{directive}", outcome)
            .summary("What became of what a site was told"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Tariffs {
    tariffs: Vec<TariffView>,
}

#[derive(Serialize, JsonSchema)]
struct TariffView {
    id: i64,
    site: String,
    area: Option<i64>,
    name: String,
    members: bool,
    rule: RuleName,
    free_minutes: u32,
    base_fee_fen: i64,
    base_seconds: u32,
    hourly_rate_fen: i64,
    daily_max_fee_fen: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
struct TariffInput {
    site: String,
    /// The number of the area; the whole site without it.
    #[serde(default)]
    area: Option<i64>,
    name: String,
    #[serde(default)]
    rule: RuleName,
    #[serde(default)]
    free_minutes: u32,
    base_fee_fen: i64,
    base_seconds: u32,
    hourly_rate_fen: i64,
    #[serde(default)]
    daily_max_fee_fen: Option<i64>,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RuleName {
    #[default]
    Documented,
    Overtime,
}

impl From<FeeConfig> for TariffView {
    fn from(config: FeeConfig) -> Self {
        let Tariff { rule, free_minutes, base_fee, base_seconds, hourly_rate, daily_max_fee } =
            config.tariff;
        Self {
            id: config.id,
            site: config.site,
            area: config.area_id,
            name: config.name,
            members: config.for_members,
            rule: match rule {
                TariffRule::Documented => RuleName::Documented,
                TariffRule::Overtime => RuleName::Overtime,
            },
            free_minutes,
            base_fee_fen: base_fee.0,
            base_seconds,
            hourly_rate_fen: hourly_rate.0,
            daily_max_fee_fen: daily_max_fee.map(|fee| fee.0),
        }
    }
}

impl TariffInput {
    fn wanted(&self) -> NewFeeConfig {
        NewFeeConfig {
            name: self.name.clone(),
            site: Some(self.site.clone()),
            area_id: self.area,
            tariff: Tariff {
                rule: match self.rule {
                    RuleName::Documented => TariffRule::Documented,
                    RuleName::Overtime => TariffRule::Overtime,
                },
                free_minutes: self.free_minutes,
                base_fee: Fen(self.base_fee_fen),
                base_seconds: self.base_seconds,
                hourly_rate: Fen(self.hourly_rate_fen),
                daily_max_fee: self.daily_max_fee_fen.map(Fen),
            },
            for_members: false,
            is_active: true,
        }
    }
}

async fn tariffs(call: Call<Caller>) -> Answer<Json<Tariffs>> {
    let tariffs = call.app.cloud.parking.fee_configs(&call.who).await?;
    Ok(Json(Tariffs { tariffs: tariffs.into_iter().map(TariffView::from).collect() }))
}

async fn add_tariff(call: Call<Admin, Json<TariffInput>>) -> Answer<Json<TariffView>> {
    let wanted = call.body.0.wanted();
    Ok(Json(call.app.cloud.parking.add_fee_config(&call.who, wanted).await?.into()))
}

async fn remove_tariff(call: Call<Admin>) -> Answer<NoContent> {
    let id = call.id("id", "fee config")?;
    call.app.cloud.parking.remove_fee_config(&call.who, id).await?;
    Ok(NoContent)
}

/// What is set of a site; null where its configuration file holds.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ParametersView {
    places: Option<u32>,
    public_lanes: Option<Vec<String>>,
    grace_minutes: Option<u32>,
    cooldown_s: Option<u32>,
    look_alikes: Option<bool>,
    regions: Option<Vec<RegionName>>,
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RegionName {
    Cn,
    Ru,
    Eu,
}

impl From<Parameters> for ParametersView {
    fn from(set: Parameters) -> Self {
        let lanes = |lanes: Vec<LaneId>| lanes.iter().map(ToString::to_string).collect();
        let region = |region| match region {
            Region::Cn => RegionName::Cn,
            Region::Ru => RegionName::Ru,
            Region::Eu => RegionName::Eu,
        };
        Self {
            places: set.places,
            public_lanes: set.public_lanes.map(lanes),
            grace_minutes: set.grace_minutes,
            cooldown_s: set.cooldown_s,
            look_alikes: set.look_alikes,
            regions: set.regions.map(|regions| regions.into_iter().map(region).collect()),
        }
    }
}

impl ParametersView {
    fn wanted(&self) -> Result<Parameters, Problem> {
        let public = self.public_lanes.as_ref().map(|named| lanes(named, "public_lanes"));
        let region = |region: &RegionName| match region {
            RegionName::Cn => Region::Cn,
            RegionName::Ru => Region::Ru,
            RegionName::Eu => Region::Eu,
        };
        Ok(Parameters {
            places: self.places,
            public_lanes: public.transpose()?,
            grace_minutes: self.grace_minutes,
            cooldown_s: self.cooldown_s,
            look_alikes: self.look_alikes,
            regions: self.regions.as_ref().map(|all| all.iter().map(region).collect()),
        })
    }
}

async fn parameters(call: Call<Caller>) -> Answer<Json<ParametersView>> {
    let set = call.app.cloud.sites.parameters(&call.who, call.path("site")).await?;
    Ok(Json(set.into()))
}

async fn set_parameters(call: Call<Admin, Json<ParametersView>>) -> Answer<Json<ParametersView>> {
    let wanted = call.body.0.wanted()?;
    let site: SiteId = call.path("site").parse().map_err(|_| Error::NotFound("site"))?;
    let set = call.app.cloud.sites.set_parameters(&call.who, &site, |_| wanted).await?;
    Ok(Json(set.into()))
}

/// The number under which the site is told.
#[derive(Serialize, JsonSchema)]
struct Told {
    directive: i64,
}

async fn open(call: Call<Operator>) -> Answer<Json<Told>> {
    let lane: LaneId = call.path("lane").parse().map_err(|_| Error::NotFound("lane"))?;
    let directives = &call.app.cloud.directives;
    let directive = directives.open(&call.who, call.path("site"), lane).await?;
    Ok(Json(Told { directive }))
}

/// What a site did; all of it is null while the site has not said.
#[derive(Serialize, JsonSchema)]
struct OutcomeView {
    /// Whether it was carried out; for a lane, whether it opens.
    done: Option<bool>,
    /// Why, or why not, in the site's words.
    reason: Option<String>,
}

async fn outcome(call: Call<Operator>) -> Answer<Json<OutcomeView>> {
    let (site, directive) = (call.path("site"), call.id("directive", "directive")?);
    let told = call.app.cloud.directives.outcome(&call.who, site, directive).await?;
    let (done, reason) = told.map(|told| (told.done, told.reason)).unzip();
    Ok(Json(OutcomeView { done, reason }))
}
