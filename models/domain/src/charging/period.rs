//! The periods of a day that electricity is priced by. They cover the day exactly once, and a span
//! of time is cut at their borders by the clocks on the wall of the site: across midnight, and
//! across the hours that daylight saving skips or repeats.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use serde::{Deserialize, Serialize};

const DAY_MINUTES: u16 = 24 * 60;
/// Most windows of one period; more would be a mistake.
const MOST_WINDOWS: usize = 48;

/// A price level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// When everybody wants electricity.
    Peak,
    /// In between.
    Normal,
    /// At night.
    Valley,
}

impl Period {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Peak, Self::Normal, Self::Valley];
}

/// Why periods cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPeriods {
    /// A text that is no window.
    #[error("`{0}` is no window of the day: write it like 23:00-07:00")]
    Window(String),
    /// A minute of the day that is not in exactly one window.
    #[error("{0} is in {1} windows: every minute of the day belongs to exactly one")]
    Cover(String, usize),
    /// Too many windows.
    #[error("use at most {MOST_WINDOWS} windows for each period")]
    Many,
}

/// From one time of the day until another, over midnight where the second is not the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// Minute of the day, 0 to 1439.
    from: u16,
    /// Minute of the day, 1 to 1440.
    until: u16,
}

impl Window {
    fn contains(self, minute: u16) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

/// `23:00`.
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", clock(self.from), clock(self.until))
    }
}

impl FromStr for Window {
    type Err = BadPeriods;

    fn from_str(text: &str) -> Result<Self, BadPeriods> {
        let time = |text: &str| {
            let (hours, minutes) = text.trim().split_once(':')?;
            let two =
                |digits: &str| digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            let (hours, minutes): (u16, u16) = match two(hours) && two(minutes) {
                true => (hours.parse().ok()?, minutes.parse().ok()?),
                false => return None,
            };
            (minutes < 60 && hours * 60 + minutes <= DAY_MINUTES).then_some(hours * 60 + minutes)
        };
        let window = || {
            let (from, until) = text.split_once('-')?;
            let (from, until) = (time(from)? % DAY_MINUTES, time(until)?);
            Some(Self { from, until: if until == 0 { DAY_MINUTES } else { until } })
        };
        window().ok_or_else(|| BadPeriods::Window(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Window {
    type Error = BadPeriods;

    fn try_from(text: String) -> Result<Self, BadPeriods> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

/// The windows of each period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// Windows at the peak rate.
    pub peak: Vec<Window>,
    /// Windows at the normal rate.
    pub normal: Vec<Window>,
    /// Windows at the valley rate.
    pub valley: Vec<Window>,
}

impl Default for Periods {
    /// As the document has them.
    fn default() -> Self {
        let windows = |hours: &[(u16, u16)]| {
            hours
                .iter()
                .map(|(from, until)| Window { from: from * 60, until: until * 60 })
                .collect()
        };
        Self {
            peak: windows(&[(10, 15), (18, 21)]),
            normal: windows(&[(7, 10), (15, 18), (21, 23)]),
            valley: windows(&[(23, 7)]),
        }
    }
}

impl Periods {
    /// The windows of one period.
    pub fn windows(&self, period: Period) -> &[Window] {
        match period {
            Period::Peak => &self.peak,
            Period::Normal => &self.normal,
            Period::Valley => &self.valley,
        }
    }

    /// Whether every minute of the day is in exactly one window.
    ///
    /// # Errors
    /// Names the first minute that is not.
    pub fn check(&self) -> Result<(), BadPeriods> {
        if Period::ALL.iter().any(|period| self.windows(*period).len() > MOST_WINDOWS) {
            return Err(BadPeriods::Many);
        }
        let all = || Period::ALL.into_iter().flat_map(|period| self.windows(period));
        let covers = |minute| all().filter(|window| window.contains(minute)).count();
        let wrong = (0..DAY_MINUTES).map(|minute| (minute, covers(minute))).find(|(_, n)| *n != 1);
        wrong.map_or(Ok(()), |(minute, n)| Err(BadPeriods::Cover(clock(minute), n)))
    }

    fn at(&self, minute: u16) -> Period {
        let covering = |period: &Period| self.windows(*period).iter().any(|w| w.contains(minute));
        Period::ALL.into_iter().find(covering).unwrap_or(Period::Normal)
    }

    /// The minutes from `minute` to the next border of a window.
    fn until_border(&self, minute: u16) -> u16 {
        let all = Period::ALL.into_iter().flat_map(|period| self.windows(period));
        let away = |border: u16| (border + DAY_MINUTES - minute - 1) % DAY_MINUTES + 1;
        all.map(|window| away(window.from)).min().unwrap_or(DAY_MINUTES)
    }

    /// Cuts a span of time, in milliseconds UTC, at the borders of the periods in a time zone:
    /// when each piece ends, and its period. Pieces of one period may follow one another.
    pub fn cut<Z: TimeZone>(&self, zone: &Z, from_ms: i64, until_ms: i64) -> Vec<(i64, Period)> {
        let (mut pieces, mut at_ms) = (Vec::new(), from_ms);
        while at_ms < until_ms {
            let (period, end_ms) = self.piece(zone, at_ms);
            at_ms = end_ms.clamp(at_ms + 1, until_ms);
            pieces.push((at_ms, period));
        }
        pieces
    }

    /// The period at a moment, and the moment until which it surely lasts.
    fn piece<Z: TimeZone>(&self, zone: &Z, at_ms: i64) -> (Period, i64) {
        let local = local(zone, at_ms);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or_default();
        let into_minute_ms = at_ms.rem_euclid(1000) + i64::from(local.second()) * 1000;
        let border_ms = at_ms - into_minute_ms + i64::from(self.until_border(minute)) * 60_000;
        (self.at(minute), first_change_ms(zone, at_ms, border_ms).unwrap_or(border_ms))
    }
}

fn local<Z: TimeZone>(zone: &Z, at_ms: i64) -> chrono::NaiveDateTime {
    let utc = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    utc.with_timezone(zone).naive_local()
}

fn offset<Z: TimeZone>(zone: &Z, at_ms: i64) -> TimeDelta {
    let utc = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or_default();
    let seconds = utc.with_timezone(zone).offset().fix().local_minus_utc();
    TimeDelta::seconds(seconds.into())
}

/// The first second within a span at which the clocks on the wall have been changed. A day has at
/// most one change, so that halving the span finds it.
fn first_change_ms<Z: TimeZone>(zone: &Z, from_ms: i64, until_ms: i64) -> Option<i64> {
    let before = offset(zone, from_ms);
    if offset(zone, until_ms) == before {
        return None;
    }
    let (mut low, mut high) = (from_ms.div_euclid(1000), until_ms.div_euclid(1000));
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(zone, middle * 1000) == before { low = middle } else { high = middle }
    }
    Some(high * 1000)
}
