//! What stands at the site to charge cars: who charges where, what they get, and how the site's
//! current is shared.
//!
//! Pure, like the gate: [`Chargers::step`] takes what happened and the time, changes its own state,
//! and returns what is to be journaled and only then told to chargers ([`Commit`]).
//!
//! Promised, whatever arrives in whatever order:
//! - energy flows only for a charge that the cloud has assigned and the journal has; its end is
//!   journaled once, with all that its meter counted;
//! - a car that is still plugged in when its charge has ended takes nothing on the next one's bill:
//!   that begins when the charger was seen without a car, and until then its driver is told;
//! - a line that is cut, a wall clock that is set, a restart of this program or of the charger
//!   neither lose nor double energy, and move nothing to another tariff;
//! - what all chargers may take together is never more than what there is; a meter of the site that
//!   says nothing leaves the safe minimum; when this program ends the chargers fall back by
//!   themselves, and that is within the limit too.

mod config;
mod input;
mod post;
mod recovery;
mod register;
mod session;
mod share;
#[cfg(test)]
mod tests;
mod timeline;

use domain::{
    charging::{
        ChargeAssigned, ChargeEnded, ChargeStop, ChargerFound, ChargersFound, EndCause, PileId,
    },
    clock::Stamp,
    event::Fact,
    ids::{ChargingId, DeviceId},
};

pub use self::{
    config::{ChargerConfig, ChargingConfig, Config},
    input::{Assignment, Commit, Input, Meter, Plug, Refusal, Status, Target},
    recovery::OpenCharge,
    share::{LEAST_MA, share},
};
use self::{post::Post, session::Session, timeline::Timeline};

/// The chargers of a site.
#[derive(Debug, Clone)]
pub struct Chargers {
    charging: ChargingConfig,
    /// In the order of the configuration.
    posts: Vec<Post>,
    /// What flows through the site's connection, and when that was read.
    site: Option<(u32, u64)>,
    /// Those with a charge, in the order in which they came.
    order: Vec<usize>,
}

impl Chargers {
    /// Starts from what the journal holds, and says what is to be added to it first. None where
    /// there are no chargers, nor were any. At those in `left_over` a charge has ended last whose
    /// car had not been unplugged.
    pub fn recovered(
        config: Config,
        open: Vec<OpenCharge>,
        left_over: &[DeviceId],
        now: Stamp,
    ) -> Option<(Self, Commit)> {
        let charging = config.charging?;
        let post = |charger: ChargerConfig| {
            // The car of a charge that has begun is its own.
            let began = |open: &OpenCharge| {
                open.assigned.charger == charger.device && open.started.is_some()
            };
            let left_over = left_over.contains(&charger.device) && !open.iter().any(began);
            Post::new(charger, left_over, now)
        };
        let posts = config.chargers.into_iter().map(post).collect();
        let mut chargers = Self { charging, posts, site: None, order: Vec::new() };
        let mut commit = Commit::default();
        let found = |post: &Post| ChargerFound {
            charger: post.config.device.clone(),
            pile: post.config.pile,
        };
        let found = ChargersFound { chargers: chargers.posts.iter().map(found).collect() };
        commit.facts.push(Fact::ChargersFound(found));
        for open in open {
            match chargers.place_of(&open.assigned.charger) {
                Some(place) if chargers.posts[place].session.is_none() => {
                    chargers.posts[place].session = Some(Session::recovered(open, now));
                    chargers.order.push(place);
                }
                _ => commit.facts.push(orphaned(&open, now)),
            }
        }
        Some((chargers, commit))
    }

    /// Takes one step.
    pub fn step(&mut self, input: Input, now: Stamp) -> Commit {
        let mut commit = Commit::default();
        let facts = &mut commit.facts;
        match input {
            Input::Online(device) => self.at(&device, |post| post.online(facts)),
            Input::Offline(device, reason) => self.at(&device, |post| post.offline(reason, facts)),
            Input::Status(device, status) => {
                self.at(&device, |post| post.heard(status, now, facts));
            }
            Input::Metered(device, meter) => self.metered(&device, meter, now),
            Input::Tick => {}
        }
        self.settle(now, &mut commit);
        commit
    }

    /// Takes a charge.
    ///
    /// # Errors
    /// Where the site has no such charger, or it has another car. Nothing has changed then.
    pub fn assign(&mut self, assignment: Assignment, now: Stamp) -> Result<Commit, Refusal> {
        let Assignment { session, pile, energy_wh, battery_wh, begin_within_s, .. } = assignment;
        let Assignment { borders, directive, told_at, .. } = assignment;
        let place = self.place_of_pile(pile).ok_or(Refusal::NoPile(pile))?;
        let post = &mut self.posts[place];
        let mut commit = Commit::default();
        match &post.session {
            // It could not be journaled the first time.
            Some(known) if known.id() == session => return Ok(commit),
            Some(_) => return Err(Refusal::Taken(pile)),
            None => {}
        }
        let charger = post.config.device.clone();
        let meter_wh = post.meter_wh();
        let assigned = ChargeAssigned {
            session,
            charger,
            energy_wh,
            battery_wh,
            begin_within_s,
            borders,
            directive,
            told_at,
            meter_wh,
        };
        commit.facts.push(Fact::ChargeAssigned(assigned.clone()));
        post.session = Some(Session::new(assigned, now));
        self.order.push(place);
        self.settle(now, &mut commit);
        Ok(commit)
    }

    /// Ends a charge, for the cloud.
    ///
    /// # Errors
    /// Where it is over, or was never here. Nothing has changed then.
    pub fn stop(
        &mut self,
        session: ChargingId,
        directive: u64,
        now: Stamp,
    ) -> Result<Commit, Refusal> {
        let mut sessions = self.posts.iter_mut().filter_map(|post| post.session.as_mut());
        let running = sessions.find(|running| running.id() == session);
        running.ok_or(Refusal::NoCharge(session))?.stop(now);
        let mut commit = Commit::default();
        commit.facts.push(Fact::ChargeStop(ChargeStop { session, directive }));
        self.settle(now, &mut commit);
        Ok(commit)
    }

    /// What a charger was to be told could not be sent; it is told soon.
    pub fn was_not_told(&mut self, device: &DeviceId) {
        self.at(device, Post::was_not_told);
    }

    /// The most that all chargers together may take now, in the worst case, in milliamperes.
    pub fn exposure_ma(&self) -> u64 {
        self.posts.iter().map(|post| u64::from(post.exposure_ma())).sum()
    }

    fn at(&mut self, device: &DeviceId, act: impl FnOnce(&mut Post)) {
        if let Some(place) = self.place_of(device) {
            act(&mut self.posts[place]);
        }
    }

    fn place_of(&self, device: &DeviceId) -> Option<usize> {
        self.posts.iter().position(|post| post.config.device == *device)
    }

    fn place_of_pile(&self, pile: PileId) -> Option<usize> {
        self.posts.iter().position(|post| post.config.pile == pile)
    }

    fn metered(&mut self, device: &DeviceId, meter: Meter, now: Stamp) {
        if self.charging.meter.as_ref() == Some(device) {
            self.site = meter.current_ma.map(|ma| (ma, now.monotonic_ms));
        }
        let theirs = |post: &&mut Post| post.config.meter.as_ref() == Some(device);
        self.posts.iter_mut().filter(theirs).for_each(|post| post.metered(meter, now));
    }

    /// Looks at everybody, shares the current, and says who is to be told what.
    fn settle(&mut self, now: Stamp, commit: &mut Commit) {
        for post in &mut self.posts {
            post.look(&self.charging, now, &mut commit.facts);
        }
        let posts = &self.posts;
        self.order.retain(|place| posts[*place].session.is_some());
        self.divide(now);
        for post in &mut self.posts {
            if let Some(target) = post.tell(&self.charging, now) {
                commit.targets.push((post.config.device.clone(), target));
            }
        }
    }

    /// Who gets less gets it at once; who gets more, as far as what the others may take in the
    /// worst case leaves room for it.
    fn divide(&mut self, now: Stamp) {
        let available_ma = self.available_ma(now);
        let claiming: Vec<usize> =
            self.order.iter().copied().filter(|place| self.posts[*place].wants()).collect();
        let most_ma: Vec<u32> =
            claiming.iter().map(|place| self.posts[*place].config.max_a * 1000).collect();
        let mut shares = vec![0; self.posts.len()];
        for (place, share) in claiming.iter().zip(share(available_ma, &most_ma)) {
            shares[*place] = share;
        }
        for (post, share) in self.posts.iter_mut().zip(&shares) {
            post.aim(post.target_ma().min(*share), now);
        }
        for place in claiming {
            let others_ma = self.exposure_ma() - u64::from(self.posts[place].exposure_ma());
            let room_ma = u64::from(available_ma).saturating_sub(others_ma);
            let more_ma = shares[place].min(u32::try_from(room_ma).unwrap_or(u32::MAX));
            let post = &mut self.posts[place];
            if more_ma >= LEAST_MA && more_ma > post.target_ma() {
                post.aim(more_ma, now);
            }
        }
    }

    /// What there is for all chargers together, in milliamperes.
    fn available_ma(&self, now: Stamp) -> u32 {
        let limit_ma = self.charging.limit_a.saturating_mul(1000);
        if self.charging.meter.is_none() {
            return limit_ma;
        }
        let stale_ms = u64::from(self.charging.meter_stale_s) * 1000;
        let fresh = self.site.filter(|(_, at_ms)| now.monotonic_ms < at_ms + stale_ms);
        let Some((site_ma, _)) = fresh else { return self.charging.safe_a.saturating_mul(1000) };
        let ours_ma: u32 =
            self.posts.iter().fold(0, |sum, post| sum.saturating_add(post.current_ma(now)));
        limit_ma.saturating_sub(site_ma.saturating_sub(ours_ma))
    }
}

/// The end of a charge whose charger is gone: with what was read of it.
fn orphaned(open: &OpenCharge, now: Stamp) -> Fact {
    let ChargeAssigned { session, charger, told_at, .. } = open.assigned.clone();
    let first = (told_at, 0, 0, open.assigned_at);
    let (at, energy_wh, _, then) = open.metered.or(open.started).unwrap_or(first);
    let at = Timeline::resumed(at, then, now).now(now);
    let cause = EndCause::Fault;
    Fact::ChargeEnded(ChargeEnded { session, charger, at, energy_wh, cause })
}
