//! `tariff` and `site set`: what a site charges and goes by, as its edge is told it.

use clap::{Args, Subcommand, ValueEnum};
use cloud_core::{Admin, FeeConfig, NewFeeConfig};
use domain::{
    ids::{LaneId, SiteId},
    money::Fen,
    plate::Region,
    site::Parameters,
    tariff::{Tariff, TariffRule},
};

use super::{Database, Outcome, verbs::on};

#[derive(Debug, Subcommand)]
pub(super) enum TariffVerb {
    /// Makes a tariff, for stays that begin from now on; prints its number.
    Add(Box<NewTariff>),
    /// Takes a tariff out of use; stays that began by it are still charged by it.
    Remove {
        /// Its number.
        #[arg(long)]
        id: i64,
        #[command(flatten)]
        database: Database,
    },
    /// Prints the tariffs in use, with a tab between their values.
    List {
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Args)]
pub(super) struct NewTariff {
    /// The site.
    #[arg(long)]
    site_id: SiteId,
    /// The number of the area; the whole site without it.
    #[arg(long)]
    area: Option<i64>,
    /// Its name.
    #[arg(long)]
    name: String,
    /// How the time beyond the base time is charged.
    #[arg(long, value_enum, default_value = "documented")]
    rule: RuleName,
    /// A stay of up to so many minutes costs nothing.
    #[arg(long, default_value_t = 0)]
    free_minutes: u32,
    /// What a stay of up to the base time costs, in fen.
    #[arg(long)]
    base_fee_fen: i64,
    /// The base time in seconds.
    #[arg(long, default_value_t = 3600)]
    base_seconds: u32,
    /// What an hour costs beyond it, in fen.
    #[arg(long)]
    hourly_rate_fen: i64,
    /// The most that each started 24 hours cost, in fen.
    #[arg(long)]
    daily_max_fee_fen: Option<i64>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RuleName {
    Documented,
    Overtime,
}

/// What shall hold at a site. What is not given stays as it is; `--clear` gives all of it back to
/// the site's configuration file first.
#[derive(Debug, Args)]
pub(super) struct SetSite {
    /// The site.
    #[arg(long)]
    site_id: SiteId,
    /// Forgets all that was set.
    #[arg(long)]
    clear: bool,
    /// How many vehicles have room.
    #[arg(long)]
    places: Option<u32>,
    /// The entry lanes that are open to everybody, with commas between them; `none` for none.
    #[arg(long, value_parser = lanes)]
    public_lanes: Option<Lanes>,
    /// Minutes from paying to the exit during which nothing more is due.
    #[arg(long)]
    grace_minutes: Option<u32>,
    /// Seconds during which a vehicle that was decided on is not decided on again.
    #[arg(long)]
    cooldown_s: Option<u32>,
    /// Whether a reading stands for a known plate that differs by look-alikes alone.
    #[arg(long)]
    look_alikes: Option<bool>,
    /// The regions whose plates are taken, with commas between them: cn, ru, eu; `all` for all.
    #[arg(long, value_parser = regions)]
    regions: Option<Regions>,
    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Clone)]
struct Lanes(Vec<LaneId>);

#[derive(Debug, Clone)]
struct Regions(Vec<Region>);

fn lanes(text: &str) -> Result<Lanes, String> {
    if text == "none" {
        return Ok(Lanes(Vec::new()));
    }
    let lanes = text.split(',').map(|lane| lane.parse().map_err(|_| format!("`{lane}`")));
    lanes.collect::<Result<_, _>>().map(Lanes)
}

fn regions(text: &str) -> Result<Regions, String> {
    let region = |word: &str| match word {
        "cn" => Ok(Region::Cn),
        "ru" => Ok(Region::Ru),
        "eu" => Ok(Region::Eu),
        _ => Err(format!("`{word}` is none of cn, ru, eu")),
    };
    match text {
        "all" => Ok(Regions(Vec::new())),
        text => text.split(',').map(region).collect::<Result<_, _>>().map(Regions),
    }
}

impl TariffVerb {
    pub(super) fn run(self) -> Outcome {
        match self {
            Self::Add(new) => {
                let (database, new) = new.split();
                on(&database, async |cloud| {
                    let made = cloud.parking.add_fee_config(&Admin::of_the_database(), new).await?;
                    println!("{}", made.id);
                    Ok(())
                })
            }
            Self::Remove { id, database } => on(&database, async |cloud| {
                cloud.parking.remove_fee_config(&Admin::of_the_database(), id).await.map(drop)
            }),
            Self::List { database } => on(&database, async |cloud| {
                let reader = Admin::of_the_database().operator().reader();
                let tariffs = cloud.parking.fee_configs(&reader).await?;
                tariffs.iter().for_each(|tariff| println!("{}", line(tariff)));
                Ok(())
            }),
        }
    }
}

impl NewTariff {
    fn split(self) -> (Database, NewFeeConfig) {
        let tariff = Tariff {
            rule: match self.rule {
                RuleName::Documented => TariffRule::Documented,
                RuleName::Overtime => TariffRule::Overtime,
            },
            free_minutes: self.free_minutes,
            base_fee: Fen(self.base_fee_fen),
            base_seconds: self.base_seconds,
            hourly_rate: Fen(self.hourly_rate_fen),
            daily_max_fee: self.daily_max_fee_fen.map(Fen),
        };
        let new = NewFeeConfig {
            name: self.name,
            site: Some(self.site_id.to_string()),
            area_id: self.area,
            tariff,
            for_members: false,
            is_active: true,
        };
        (self.database, new)
    }
}

fn line(config: &FeeConfig) -> String {
    let Tariff { rule, free_minutes, base_fee, base_seconds, hourly_rate, daily_max_fee } =
        &config.tariff;
    let rule = match rule {
        TariffRule::Documented => "documented",
        TariffRule::Overtime => "overtime",
    };
    let area = config.area_id.map(|area| area.to_string()).unwrap_or_default();
    let most = daily_max_fee.map(|most| most.to_string()).unwrap_or_default();
    let who = if config.for_members { "members" } else { "" };
    format!(
        "{}\t{}\t{area}\t{}\t{rule}\t{free_minutes} min free\t{base_fee} for {base_seconds} s\t\
         {hourly_rate}/h\t{most}\t{who}",
        config.id, config.site, config.name
    )
}

impl SetSite {
    pub(super) fn run(self) -> Outcome {
        on(&self.database, async |cloud| {
            let (admin, site) = (Admin::of_the_database(), self.site_id.clone());
            let (clear, said) = (self.clear, self.said());
            let set = cloud.sites.set_parameters(&admin, &site, move |before| {
                said.over(if clear { Parameters::default() } else { before })
            });
            let text = serde_json::to_string(&set.await?);
            println!("{}", text.unwrap_or_default());
            Ok(())
        })
    }

    fn said(&self) -> Parameters {
        Parameters {
            places: self.places,
            public_lanes: self.public_lanes.clone().map(|Lanes(lanes)| lanes),
            grace_minutes: self.grace_minutes,
            cooldown_s: self.cooldown_s,
            look_alikes: self.look_alikes,
            regions: self.regions.clone().map(|Regions(regions)| regions),
        }
    }
}
