//! Chargers and meters: what each can do, whatever it speaks, what it is told and what it reports.

mod nature;

pub(in crate::controller) use self::nature::Charger;

/// What every charger can do: take whether a car may charge and with how much current, and show
/// its status, its meter and what is wrong with it. Each driver makes its device's own words of it.
pub(super) trait Capability {
    /// Lets a car take so much from now on, or nothing, until it is told otherwise; by itself the
    /// charger falls back where it is not told within the lease.
    fn set(&mut self, target: Target, now_ms: u64);

    /// Whether a car is there, the limit in force, the meter, the fault; none while the charger
    /// cannot be reached.
    fn status(&self) -> Option<&Status>;

    /// The same as it is reported.
    fn news(&self) -> Option<News> {
        self.status().cloned().map(News::Status)
    }
}

/// What a charger is to do until it is told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The most that a car may take, for each phase, in milliamperes; 0 for nothing.
    pub limit_ma: u32,
    /// The most that the charger lets it take by itself where it is not told for `lease_s`.
    pub fallback_ma: u32,
    /// See `fallback_ma`; in seconds.
    pub lease_s: u16,
}

/// What is new about a charger or a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// How a charger is. Told again and again, changed or not.
    Status(Status),
    /// What a meter shows that is no charger's own.
    Meter(Meter),
}

/// How a charger is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether a car is there.
    pub plug: Plug,
    /// The most that it lets a car take, for each phase, in milliamperes.
    pub limit_ma: u32,
    /// What is wrong; none where it works.
    pub fault: Option<String>,
    /// What its own meter shows.
    pub meter: Meter,
}

/// Whether a car is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plug {
    /// None.
    Free,
    /// One that takes nothing.
    Plugged,
    /// One that takes energy.
    Charging,
}

/// What a meter shows; nothing of what it does not have or what cannot be believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// The register, in watt-hours.
    pub energy_wh: Option<u64>,
    /// What flows through the phase with the most, in milliamperes.
    pub current_ma: Option<u32>,
}
