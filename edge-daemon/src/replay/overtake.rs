//! What goes next: what happens now, or what has waited. Pure.
//!
//! While more than a batch waits, the newest of it and what is journaled from then on are sent ahead
//! of the rest, each as soon as it is there; in between goes what has waited, from the oldest on. The
//! cloud puts by what came ahead and applies it when the rest has arrived there. Once the two meet,
//! everything goes in order again. What is newest is judged when something has got through in order:
//! at the end of an outage, not at its beginning. A cloud that does not want anything ahead gets
//! everything in order until the backlog is gone.

/// The share of a batch that goes ahead as the newest of what has waited: what happened while the
/// line came back.
const NEWEST: u64 = 10;

/// What goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: the cloud has everything.
    Nothing,
    /// What has waited longest: from here on, and no further than through `until`.
    InOrder { first: u64, until: u64 },
    /// What happened just now, from here on.
    Ahead { first: u64 },
}

/// How far everything is.
#[derive(Debug)]
pub(super) struct Overtake {
    /// Everything up to here is at the cloud, in order.
    acked: u64,
    /// What the cloud has put by: from `first` to before `next`.
    ahead: Option<Ahead>,
    /// More than so many events are a backlog.
    backlog: u64,
    unwanted: bool,
    /// Whether the cloud has taken anything since the line was bad.
    gets_through: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ahead {
    first: u64,
    next: u64,
}

impl Overtake {
    /// Everything up to `acked` is at the cloud; more than `backlog` events beyond are overtaken.
    pub(super) fn new(acked: u64, backlog: u64) -> Self {
        Self { acked, ahead: None, backlog, unwanted: false, gets_through: false }
    }

    /// What goes next, where the journal ends at `head`.
    pub(super) fn next(&mut self, head: u64) -> Next {
        if head <= self.acked {
            (self.ahead, self.unwanted) = (None, false);
            return Next::Nothing;
        }
        if self.ahead.is_some_and(|ahead| ahead.next <= self.acked + 1) {
            self.ahead = None;
        }
        let is_wanted = self.gets_through && !self.unwanted;
        if self.ahead.is_none() && is_wanted && head - self.acked > self.backlog {
            let first = head + 1 - self.backlog / NEWEST;
            self.ahead = Some(Ahead { first, next: first });
        }
        let first = self.acked + 1;
        match self.ahead {
            Some(ahead) if ahead.next <= head => Next::Ahead { first: ahead.next },
            // One event has the cloud take in the next of those that it has put by.
            Some(ahead) if first >= ahead.first => Next::InOrder { first, until: first },
            Some(ahead) => Next::InOrder { first, until: ahead.first - 1 },
            None => Next::InOrder { first, until: head },
        }
    }

    /// The cloud has put by what was sent ahead, through here.
    pub(super) fn put_by(&mut self, through: u64) {
        if let Some(ahead) = &mut self.ahead {
            ahead.next = ahead.next.max(through + 1);
        }
    }

    /// Nothing gets through just now.
    pub(super) fn is_hindered(&mut self) {
        self.ahead = self.ahead.filter(|ahead| ahead.next > ahead.first);
        self.gets_through = false;
    }

    /// The cloud does not want this ahead.
    pub(super) fn is_unwanted(&mut self) {
        (self.ahead, self.unwanted) = (None, true);
    }

    /// How far an acknowledgement may go beyond what was sent in order: over what was put by.
    pub(super) fn may_reach(&self, last: u64) -> u64 {
        let joined = self.ahead.filter(|ahead| ahead.first <= last + 1);
        joined.map_or(last, |ahead| last.max(ahead.next - 1))
    }

    /// Everything up to here is at the cloud; or no more than that, where it has lost something.
    pub(super) fn move_to(&mut self, through: u64) {
        if through < self.acked {
            self.ahead = None;
        }
        self.acked = through;
        self.gets_through = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_now_goes_first_and_the_backlog_ends_where_it_began() {
        let mut way = Overtake::new(0, 10);
        assert_eq!(way.next(100), Next::InOrder { first: 1, until: 100 });
        way.move_to(50);
        assert_eq!(way.next(102), Next::Ahead { first: 102 });
        way.put_by(102);
        assert_eq!(way.next(102), Next::InOrder { first: 51, until: 101 });
        assert_eq!((way.may_reach(100), way.may_reach(101)), (100, 102));
        way.move_to(101);
        assert_eq!(way.next(104), Next::Ahead { first: 103 });
        way.put_by(104);
        assert_eq!(way.next(104), Next::InOrder { first: 102, until: 102 });
        way.move_to(104);
        assert_eq!(way.next(104), Next::Nothing);
        assert_eq!(way.next(106), Next::InOrder { first: 105, until: 106 });
    }

    #[test]
    fn a_few_events_overtake_nothing_and_neither_does_what_is_not_wanted() {
        let mut way = Overtake::new(0, 10);
        way.move_to(1);
        assert_eq!(way.next(11), Next::InOrder { first: 2, until: 11 });
        assert_eq!(way.next(12), Next::Ahead { first: 12 });
        way.is_unwanted();
        assert_eq!(way.next(30), Next::InOrder { first: 2, until: 30 });
        way.move_to(30);
        assert_eq!(way.next(30), Next::Nothing);
        assert_eq!(way.next(60), Next::Ahead { first: 60 });
    }

    #[test]
    fn what_is_newest_is_judged_when_something_gets_through() {
        let mut way = Overtake::new(0, 10);
        way.move_to(1);
        assert_eq!(way.next(20), Next::Ahead { first: 20 });
        way.is_hindered();
        assert_eq!(way.next(5000), Next::InOrder { first: 2, until: 5000 });
        way.move_to(11);
        assert_eq!(way.next(5005), Next::Ahead { first: 5005 });
        way.put_by(5005);
        way.is_hindered();
        assert_eq!(way.next(5006), Next::Ahead { first: 5006 }, "what is put by stays so");
        way.put_by(5006);
        assert_eq!(way.next(5006), Next::InOrder { first: 12, until: 5004 });
    }
}
