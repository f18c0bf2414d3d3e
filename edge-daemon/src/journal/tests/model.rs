//! Journal and outbox against a small model: whatever sequence of appending, acknowledging, killing,
//! starting again and damaging, each place is what the model says.

use std::fs;

use domain::event::Fact;
use proptest::prelude::*;

use super::fixture::*;
use crate::journal::{Journal, Limits, Outbox, verify};

/// What can be done to a journal.
#[derive(Debug, Clone)]
enum Step {
    /// So many facts in one commit.
    Append(usize),
    /// The cloud has so much of it, as a share of 255.
    Acknowledge(u8),
    /// The process is killed: what it had not closed stays as it is.
    Kill,
    /// It ends in order and starts again.
    Restart,
    /// A byte of an event rots while the process is away.
    Rot(u8),
    /// An event vanishes while the process is away.
    Vanish(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..6).prop_map(Step::Append),
        2 => any::<u8>().prop_map(Step::Acknowledge),
        2 => Just(Step::Kill),
        2 => Just(Step::Restart),
        1 => any::<u8>().prop_map(Step::Rot),
        1 => any::<u8>().prop_map(Step::Vanish),
    ]
}

/// What a place holds: the version that a `started` fact names, something else, or nothing.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    Tagged(String),
    Repair,
    Lost,
}

#[derive(Default)]
struct Model {
    places: Vec<Place>,
    acked: u64,
    tags: usize,
}

impl Model {
    /// The place that a share of 255 means; none where there is nothing to damage.
    fn at(&self, share: u8) -> Option<usize> {
        let at = usize::from(share) * self.places.len() / 256;
        self.places.get(at).filter(|place| **place != Place::Lost).map(|_| at)
    }
}

struct Run {
    site: Site,
    journal: Option<Journal>,
    model: Model,
}

impl Run {
    fn new() -> Self {
        let site = Site::new();
        let journal = Some(site.journal());
        Self { site, journal, model: Model::default() }
    }

    fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().unwrap()
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append(count) => self.append(*count),
            Step::Acknowledge(share) => {
                let through = u64::from(*share) * self.model.places.len() as u64 / 255;
                self.journal().acknowledge(through).unwrap();
                self.model.acked = through;
            }
            Step::Kill => self.kill(),
            Step::Restart => self.restart(|_| ()),
            // Behind a lost place nothing shows that the bytes are others: see `salvage`.
            Step::Rot(share) if self.is_behind_a_hole(*share) => {}
            Step::Rot(share) => {
                self.damage(*share, "UPDATE event SET body = replace(body, 'start', 'stert')")
            }
            Step::Vanish(share) => self.damage(*share, "DELETE FROM event"),
        }
        self.check();
    }

    fn append(&mut self, count: usize) {
        let tags: Vec<_> = (0..count).map(|n| (self.model.tags + n).to_string()).collect();
        let facts: Vec<_> = tags.iter().map(tagged).collect();
        self.journal().append(&facts).unwrap();
        self.model.tags += count;
        self.model.places.extend(tags.into_iter().map(Place::Tagged));
    }

    /// The files as they are go on elsewhere.
    fn kill(&mut self) {
        let site = Site::new();
        for name in ["journal.db", "journal.db-wal", "journal.end"] {
            let from = self.site.folder.path().join(name);
            if from.exists() {
                fs::copy(from, site.folder.path().join(name)).unwrap();
            }
        }
        self.journal = Some(site.journal());
        self.site = site;
    }

    fn restart(&mut self, meanwhile: impl FnOnce(&Site)) {
        self.journal = None;
        meanwhile(&self.site);
        self.journal = Some(self.site.journal());
    }

    fn damage(&mut self, share: u8, sql: &str) {
        let Some(at) = self.model.at(share) else { return };
        if matches!(self.model.places[at], Place::Repair) {
            return;
        }
        let sql = format!("{sql} WHERE sequence = {}", at + 1);
        self.restart(|site| {
            let db = rusqlite::Connection::open(site.state().journal()).unwrap();
            assert_eq!(db.execute(&sql, []).unwrap(), 1);
        });
        self.model.places[at] = Place::Lost;
        self.model.places.push(Place::Repair);
    }

    fn is_behind_a_hole(&self, share: u8) -> bool {
        let at = self.model.at(share).unwrap_or(0);
        at > 0 && self.model.places[at - 1] == Place::Lost
    }

    fn check(&mut self) {
        let reader = self.site.reader();
        let places = reader.lines(1, u32::MAX).unwrap().into_iter().map(|line| {
            match line.event().map(|event| event.fact) {
                Some(Fact::Started { version, .. }) => Place::Tagged(version),
                Some(Fact::JournalRepaired { .. }) => Place::Repair,
                Some(other) => panic!("{other:?}"),
                None => Place::Lost,
            }
        });
        assert_eq!(places.collect::<Vec<_>>(), self.model.places);
        assert_eq!(reader.acked_through().unwrap(), self.model.acked);
        let (head, limits) = (self.model.places.len() as u64, Limits { events: 3, bytes: 1 << 20 });
        let mut next = self.model.acked + 1;
        while next <= head {
            let Outbox::Batch(batch) = reader.outbox(next, limits).unwrap() else {
                panic!("nothing goes from {next} of {head}");
            };
            next = batch.last_sequence() + 1;
        }
        assert!(matches!(reader.outbox(head + 1, limits).unwrap(), Outbox::Empty));
        let report = verify(&self.site.state()).unwrap();
        assert!(report.whole(), "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        if std::env::var_os("SOAK").is_some() { 2000 } else { 25 }
    ))]

    #[test]
    fn a_journal_is_what_the_model_says(steps in proptest::collection::vec(step(), 1..25)) {
        let mut run = Run::new();
        steps.iter().for_each(|step| run.take(step));
    }
}
