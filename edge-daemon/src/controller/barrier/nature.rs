//! What is particular to a barrier: its arm, its loops, its button.

use domain::event;
use firmware_protocol::{
    barrier::{self, Refusal, Status},
    session::Run,
};

use super::News;
use crate::controller::{Action, peer::Nature, report::What};

/// More passages than this between two looks are not vehicles.
const MAX_MISSED: u16 = 4;

/// A barrier.
#[derive(Debug, Default)]
pub(in crate::controller) struct Barrier {
    last: Option<Status>,
}

impl Nature for Barrier {
    type Action = barrier::Action;
    type Refusal = Refusal;
    type Status = Status;

    /// Whether there is a fire must be known before anything moves.
    const STATUS_FIRST: bool = true;
    const NEWEST_ALONE: bool = false;

    fn action(action: Action) -> Option<barrier::Action> {
        match action {
            Action::Barrier(event::Action::Open) => Some(barrier::Action::Open),
            Action::Barrier(event::Action::Close) => Some(barrier::Action::Close),
            _ => None,
        }
    }

    fn word(refusal: Refusal) -> &'static str {
        match refusal {
            Refusal::UnderArm => "under_arm",
            Refusal::Fault => "fault",
            Refusal::Busy => "busy",
            Refusal::TooLong => "too_long",
            Refusal::Unauthenticated => "unauthenticated",
        }
    }

    fn run(status: &Status) -> Run {
        Run { boot: status.boot, session: status.session }
    }

    fn heard(&mut self, status: Status) -> Vec<What> {
        let news = match self.last.replace(status) {
            Some(last) => differences(&last, &status),
            None => vec![
                News::Power(status.power),
                News::Fire(status.fire),
                News::Arm(status.arm),
                News::Loop(status.under_arm),
                News::Presence(status.in_front),
            ],
        };
        news.into_iter().map(What::Barrier).collect()
    }

    fn forget(&mut self) {
        self.last = None;
    }
}

fn differences(last: &Status, status: &Status) -> Vec<News> {
    let mut news = Vec::new();
    let mut differs = |differs: bool, what: News| news.extend(differs.then_some(what));
    differs(last.power != status.power, News::Power(status.power));
    differs(last.fire != status.fire, News::Fire(status.fire));
    differs(last.press != status.press, News::Button { press: status.press });
    differs(last.arm != status.arm, News::Arm(status.arm));
    let seen = status.in_front_count.wrapping_sub(last.in_front_count);
    news.extend(changes(last.in_front, seen, status.in_front).into_iter().map(News::Presence));
    let seen = status.under_arm_count.wrapping_sub(last.under_arm_count);
    news.extend(changes(last.under_arm, seen, status.under_arm).into_iter().map(News::Loop));
    news
}

/// The states of a loop from `was` to `is` that became occupied `count` times in between.
fn changes(was: bool, count: u16, is: bool) -> Vec<bool> {
    let mut states = Vec::new();
    let mut now = was;
    for _ in 0..count.min(MAX_MISSED) {
        if now {
            states.push(false);
        }
        states.push(true);
        now = true;
    }
    if now != is {
        states.push(is);
    }
    states
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn passages_between_two_looks_are_told_in_order() {
        assert!(changes(false, 0, false).is_empty());
        assert_eq!(changes(false, 1, true), [true]);
        assert_eq!(changes(true, 0, false), [false]);
        assert_eq!(changes(false, 1, false), [true, false]);
        assert_eq!(changes(true, 1, true), [false, true]);
        assert_eq!(changes(false, 2, true), [true, false, true]);
    }

    #[test]
    fn a_counter_that_leaps_tells_a_bounded_tale() {
        assert!(changes(false, u16::MAX, true).len() < 10);
    }
}
