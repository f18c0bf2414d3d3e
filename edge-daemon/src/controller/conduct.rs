//! How a device behaves: how much it says, and whether it is something. What is
//! beyond measure is thrown away and the device is named, once, until it has behaved for a while.
//! Pure.

/// Messages that a device may say in a burst.
const BURST: u64 = 200;
/// Messages that it may say each second for ever. A device that tells every change of its state
/// says at most fifty.
const EACH_SECOND: u64 = 100;
/// Messages that are none, within [`WINDOW_MS`], that are no accident.
const MOST_UNREADABLE: u32 = 10;
const WINDOW_MS: u64 = 10_000;
/// Good conduct for so long, and all is well again.
const FORGIVEN_AFTER_MS: u64 = 10_000;

/// The record of one device.
#[derive(Debug)]
pub(in crate::controller) struct Conduct {
    /// What it may still say, in thousandths of a message.
    budget: u64,
    filled_ms: u64,
    unreadable: u32,
    window_ms: u64,
    /// When it last misbehaved, while it is named for that.
    named_ms: Option<u64>,
    /// What it is to be named for, not told yet.
    news: Option<Verdict>,
}

/// What is new about a device's conduct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::controller) enum Verdict {
    Misbehaves(&'static str),
    Behaves,
}

impl Conduct {
    pub fn new(now_ms: u64) -> Self {
        Self {
            budget: BURST * 1_000,
            filled_ms: now_ms,
            unreadable: 0,
            window_ms: now_ms,
            named_ms: None,
            news: None,
        }
    }

    /// A message came; whether there is room for it.
    pub fn hears(&mut self, now_ms: u64) -> bool {
        let passed_ms = now_ms.saturating_sub(self.filled_ms);
        self.budget = (self.budget + passed_ms * EACH_SECOND).min(BURST * 1_000);
        self.filled_ms = now_ms;
        let Some(rest) = self.budget.checked_sub(1_000) else {
            self.blame("it babbles: more than 100 messages a second", now_ms);
            return false;
        };
        self.budget = rest;
        true
    }

    /// A message was too long, or none that a device of its kind says.
    pub fn unreadable(&mut self, now_ms: u64) {
        if now_ms >= self.window_ms + WINDOW_MS {
            (self.unreadable, self.window_ms) = (0, now_ms);
        }
        self.unreadable += 1;
        if self.unreadable > MOST_UNREADABLE {
            self.blame("it sends what cannot be read", now_ms);
        }
    }

    fn blame(&mut self, how: &'static str, now_ms: u64) {
        if self.named_ms.replace(now_ms).is_none() {
            self.news = Some(Verdict::Misbehaves(how));
        }
    }

    /// What is to be told now.
    pub fn verdict(&mut self, now_ms: u64) -> Option<Verdict> {
        if self.named_ms.is_some_and(|at| now_ms >= at + FORGIVEN_AFTER_MS) {
            self.named_ms = None;
            self.news = Some(Verdict::Behaves);
        }
        self.news.take()
    }

    /// When there may be something to tell.
    pub fn next_at_ms(&self) -> u64 {
        match (&self.news, self.named_ms) {
            (Some(_), _) => 0,
            (None, Some(at)) => at + FORGIVEN_AFTER_MS,
            (None, None) => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets so many messages a second come from `from_ms` to `to_ms`; how many there was room for.
    fn say(conduct: &mut Conduct, each_second: u64, from_ms: u64, to_ms: u64) -> u64 {
        let moments = (from_ms..to_ms).step_by(usize::try_from(1_000 / each_second).unwrap_or(1));
        moments.filter(|now_ms| conduct.hears(*now_ms)).count() as u64
    }

    #[test]
    fn a_lively_device_is_heard_whole_and_a_babbling_one_in_part_and_named_once() {
        let mut conduct = Conduct::new(0);
        assert_eq!(say(&mut conduct, 50, 0, 60_000), 3_000);
        assert_eq!(conduct.verdict(60_000), None);
        let heard = say(&mut conduct, 1_000, 60_000, 70_000);
        assert!((1_000..1_300).contains(&heard), "{heard}");
        assert!(matches!(conduct.verdict(70_000), Some(Verdict::Misbehaves(_))));
        say(&mut conduct, 1_000, 70_000, 71_000);
        assert_eq!(conduct.verdict(71_000), None);
        say(&mut conduct, 1, 71_000, 90_000);
        assert_eq!(conduct.verdict(90_000), Some(Verdict::Behaves));
        assert_eq!(conduct.next_at_ms(), u64::MAX);
    }

    #[test]
    fn a_few_unreadable_messages_are_forgiven() {
        let mut conduct = Conduct::new(0);
        for second in 0..100 {
            conduct.unreadable(second * 1_000);
        }
        assert_eq!(conduct.verdict(100_000), None);
        for ms in 0..20 {
            conduct.unreadable(100_000 + ms);
        }
        assert!(matches!(conduct.verdict(100_100), Some(Verdict::Misbehaves(_))));
    }
}
