//! What the cloud tells a site: numbered for each site from 1 without gaps, told in that order, and
//! carried out once.
//!
//! A site asks with `GET /edge/v1/directives?after=N` for what follows the last one that it has
//! carried out, and waits for the answer. The wire form is JSON with the kind of directive in
//! `kind`. Like that of events it only ever grows: fields that are added are optional, and a site
//! that does not know a kind passes it over and says so.
//!
//! - A directive is small ([`MAX_DIRECTIVE_BYTES`]).
//! - A command has a life ([`Directive::life`]) that is counted on the cloud's clock until the site
//!   has heard of it and on the site's monotonic clock from there, so that no wall clock of the site
//!   has a part in it. What comes too late is passed over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    charging::PileId,
    ids::{ChargingId, CommandId, LaneId, SessionId},
    locker::Cabinet,
    site::Parameters,
    tariff::Tariff,
};

/// Where a site asks.
pub const PATH: &str = "/edge/v1/directives";
/// Longest time that the cloud lets a site wait where there is nothing to tell.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// Most directives in one answer.
pub const MOST_DIRECTIVES: usize = 100;
/// Most bytes of one directive.
pub const MAX_DIRECTIVE_BYTES: usize = 8 << 10;
/// Most bytes of the directives in one answer; what is beyond comes with the next one.
pub const MAX_PAGE_BYTES: usize = 256 << 10;
/// How long after it was asked for a lane may still be opened.
pub const OPEN_LIFE: TimeDelta = TimeDelta::seconds(15);
/// The same for a cabinet, before which somebody stands and waits for the answer.
pub const OPEN_CABINET_LIFE: TimeDelta = TimeDelta::seconds(8);

/// One thing that a site is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Directive {
    /// A fee was paid at the cloud.
    Paid {
        /// The stay it is for.
        session: SessionId,
        /// The amount in fen.
        amount_fen: i64,
        /// How: `balance`, `wechat`, …
        method: String,
        /// When, on the cloud's clock.
        paid_at: DateTime<Utc>,
    },
    /// Somebody at the cloud wants a lane opened for one vehicle. A command.
    Open {
        /// The lane.
        lane: LaneId,
        /// Who wants it.
        by: String,
    },
    /// A car is to be charged.
    Charge {
        /// The session.
        session: ChargingId,
        /// Where.
        pile: PileId,
        /// How much, in watt-hours.
        energy_wh: i64,
        /// What the battery holds, where that is known, in watt-hours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        battery_wh: Option<i64>,
        /// A car that has not begun after so many seconds gives its place away.
        begin_within_s: u32,
        /// When another tariff begins, in seconds UTC: the meter is to be read then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        borders: Vec<i64>,
    },
    /// A charge is to end.
    StopCharge {
        /// The session.
        session: ChargingId,
    },
    /// A cabinet stands so from now on.
    Cabinet(Cabinet),
    /// Somebody with a code wants a cabinet's door unlocked. A command.
    OpenCabinet {
        /// The command; never used twice.
        command: CommandId,
        /// The name on the door.
        cabinet: String,
        /// The order that it is opened for.
        order: i64,
    },
    /// The site's parameters from now on, all of them.
    Parameters {
        /// What the cloud has set.
        parameters: Parameters,
    },
    /// The tariff of stays that begin from now on.
    Tariff {
        /// The number of the area it is for; none for the whole site.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<i64>,
        /// Its name.
        #[serde(default)]
        name: String,
        /// What it asks; none where the cloud has none any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tariff: Option<Tariff>,
    },
    /// A plate was read wrongly when its vehicle entered, and is this.
    Renamed {
        /// The stay.
        session: SessionId,
        /// The right plate.
        plate: String,
    },
}

impl Directive {
    /// The kind as it is written.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Paid { .. } => "paid",
            Self::Open { .. } => "open",
            Self::Charge { .. } => "charge",
            Self::StopCharge { .. } => "stop_charge",
            Self::Cabinet(_) => "cabinet",
            Self::OpenCabinet { .. } => "open_cabinet",
            Self::Parameters { .. } => "parameters",
            Self::Tariff { .. } => "tariff",
            Self::Renamed { .. } => "renamed",
        }
    }

    /// How long after it was issued it may be carried out; none for what holds whenever it arrives.
    pub const fn life(&self) -> Option<TimeDelta> {
        match self {
            Self::Paid { .. } | Self::Cabinet(_) => None,
            Self::Charge { .. } | Self::StopCharge { .. } => None,
            Self::Open { .. } => Some(OPEN_LIFE),
            Self::OpenCabinet { .. } => Some(OPEN_CABINET_LIFE),
            Self::Parameters { .. } | Self::Tariff { .. } | Self::Renamed { .. } => None,
        }
    }
}

/// A directive with its number. It is read by itself, so that one that cannot be read does not keep
/// back the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issued {
    /// Its place among the site's directives.
    pub sequence: u64,
    /// A [`Directive`] as the cloud wrote it.
    pub directive: Box<RawValue>,
    /// When it is too late for it, on the cloud's clock; none for what holds whenever it arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a directive was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a directive `{kind}` is not understood: {reason}")]
pub struct NotUnderstood {
    /// Its kind, where it says one.
    pub kind: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Issued {
    /// What it says.
    ///
    /// # Errors
    /// [`NotUnderstood`] where this version does not know it.
    pub fn read(&self) -> Result<Directive, NotUnderstood> {
        serde_json::from_str(self.directive.get()).map_err(|error| NotUnderstood {
            kind: kind_of(self.directive.get()),
            reason: bounded(&error.to_string(), 200),
        })
    }

    /// How much of its life is left at `now` on the cloud's clock; none for what has no end.
    pub fn left(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.expires_at.map(|end| (end - now).to_std().unwrap_or_default())
    }
}

/// The kind that a directive names, whatever else it says.
fn kind_of(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        kind: String,
    }
    serde_json::from_str(text).map_or_else(|_| String::new(), |Named { kind }| bounded(&kind, 40))
}

fn bounded(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// The answer to [`Ask`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// The cloud's clock as it answers, so that a site whose own is not set can still tell how long
    /// ago something was.
    pub now: DateTime<Utc>,
    /// What follows, in order; empty where nothing came up in time.
    pub directives: Vec<Issued>,
    /// The version of the site's list of who may enter ([`crate::access`]); none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<u64>,
}

/// What a site asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The last directive that the site has carried out; 0 before the first.
    pub after: u64,
    /// The version of its list that the site last heard of: another one is told at once. None of a
    /// site that knows of no lists.
    pub list: Option<u64>,
}

impl Ask {
    /// Path and query, as they are signed.
    pub fn target(&self) -> String {
        let list = self.list.map(|list| format!("&list={list}")).unwrap_or_default();
        format!("{PATH}?after={}{list}", self.after)
    }
}
