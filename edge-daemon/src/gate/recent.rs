//! Vehicles that were decided on a moment ago.

use domain::{
    event::{Decision, Rule, Verdict},
    plate::look_alike_key,
};

use super::input::Sighting;

/// Most vehicles that are remembered.
const MOST: usize = 32;

#[derive(Debug, Clone, Default)]
pub(super) struct Recent(Vec<Settled>);

/// A vehicle that was decided on.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    passage: u64,
    /// Look-alike key of its plate; empty where it could not be read.
    key: String,
    pub verdict: Verdict,
    rule: Rule,
    pub at_ms: u64,
    /// Whether its coming back was recorded once; after that it is silent.
    pub noted: bool,
}

impl Recent {
    /// The last decision about the vehicle of this sighting since `since_ms`.
    pub fn of(&mut self, sighting: &Sighting, since_ms: u64) -> Option<&mut Settled> {
        let key = look_alike_key(&sighting.plate.text);
        let is_it = |settled: &&mut Settled| {
            settled.is_passage(sighting) || !key.is_empty() && settled.key == key
        };
        self.0.iter_mut().rev().filter(|settled| settled.at_ms >= since_ms).find(is_it)
    }

    pub fn settle(&mut self, sighting: &Sighting, decision: &Decision, at_ms: u64) {
        let key = look_alike_key(&sighting.plate.text);
        self.0.retain(|old| !old.is_passage(sighting) && (key.is_empty() || old.key != key));
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        let (verdict, rule) = (decision.verdict, decision.rule);
        let passage = sighting.passage;
        self.0.push(Settled { passage, key, verdict, rule, at_ms, noted: false });
    }

    /// A vehicle that has just driven through was decided on now, as it were: the camera may see
    /// its tail.
    pub fn touch(&mut self, sighting: &Sighting, now_ms: u64) {
        if let Some(settled) = self.of(sighting, 0) {
            settled.at_ms = now_ms;
        }
    }

    /// A vehicle that is to be decided on afresh.
    pub fn forget(&mut self, sighting: &Sighting) {
        self.0.retain(|settled| !settled.is_passage(sighting));
    }
}

impl Settled {
    /// Whether the vehicle reads otherwise now, or another rule would decide on it.
    pub fn differs(&self, sighting: &Sighting, rule: Rule) -> bool {
        self.rule != rule || self.key != look_alike_key(&sighting.plate.text)
    }

    pub fn is_passage(&self, sighting: &Sighting) -> bool {
        self.passage == sighting.passage
    }
}
