//! One site of a fleet: a real journal on the disk, real replay, and real asking for directives. What
//! a gate would do with a directive is done here: it is journaled, once.

use std::{io, path::Path, sync::Arc};

use domain::{
    directive::Directive,
    event::{Event, Fact},
    ids::{BootId, SiteId},
};
use edge_daemon::{
    cloud::{Cloud, Patience},
    directives::{self, Pauses, Told},
    identity::{Identity, Key},
    journal::{Journal, JournalHandle, Reader, StateDir},
    replay::{self, Timing},
    system_clock::SystemClock,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use uuid::Uuid;

/// A site that journals.
pub struct Site {
    state: StateDir,
    journal: JournalHandle,
    directives_through: u64,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    /// Opens the journal of the site whose state lies in `folder`, which is made where it is not
    /// there.
    ///
    /// # Errors
    /// What the journal says.
    pub fn open(folder: &Path, id: &SiteId) -> io::Result<Self> {
        let state = StateDir::new(folder);
        let boot = BootId(Uuid::new_v4());
        let opened = Journal::open(&state, id.clone(), boot, Arc::new(SystemClock));
        let (journal, recovered) = opened.map_err(io::Error::other)?;
        let (journal, _) = journal.spawn(|_| ()).map_err(io::Error::other)?;
        let directives_through = recovered.directives_through;
        Ok(Self { state, journal, directives_through, tasks: Vec::new() })
    }

    /// The public half of the key that the site signs with; made where there is none.
    ///
    /// # Errors
    /// Where the key cannot be read or made.
    pub fn public_key(folder: &Path) -> io::Result<String> {
        std::fs::create_dir_all(folder)?;
        let key = Key::load_or_make(&StateDir::new(folder)).map_err(io::Error::other)?;
        Ok(key.public())
    }

    /// Starts to replay to `cloud`, and to ask it for directives where `asks`.
    ///
    /// # Errors
    /// Where the key or the journal cannot be read.
    pub fn connect(&mut self, id: &SiteId, cloud: &str, asks: bool) -> io::Result<()> {
        let key = Key::load_or_make(&self.state).map_err(io::Error::other)?;
        let identity = Identity::store(&self.state, key, id.clone(), cloud.to_owned());
        let identity = identity.map_err(io::Error::other)?;
        let cloud = Cloud::new(identity, None, Patience::default()).map_err(io::Error::other)?;
        let cloud = Arc::new(cloud);
        let reader = self.reader()?;
        let (state, journal) = (self.state.clone(), self.journal.clone());
        let (run, _) = replay::replay(state, journal, reader, cloud.clone(), Timing::default());
        self.tasks.push(tokio::spawn(run));
        if asks {
            let (core, told) = mpsc::channel(1);
            let (journal, through) = (self.journal.clone(), self.directives_through);
            let ((list, _), (deaf, _)) = (watch::channel(None), watch::channel(String::new()));
            let follow = directives::follow(cloud, through, core, list, deaf, Pauses::default());
            self.tasks.push(tokio::spawn(follow));
            self.tasks.push(tokio::spawn(obey(journal, told, through)));
        }
        Ok(())
    }

    /// Journals facts; they are on disk when this returns.
    ///
    /// # Errors
    /// What the journal says.
    pub async fn append(&self, facts: Vec<Fact>) -> io::Result<()> {
        self.journal.append(facts).await.map(drop).map_err(io::Error::other)
    }

    /// Events that are journaled.
    pub fn head(&self) -> u64 {
        *self.journal.head().borrow()
    }

    /// Events that the cloud has, as it said.
    pub fn acked(&self) -> u64 {
        *self.journal.acked().borrow()
    }

    /// Every event of the journal as it was written, in order.
    ///
    /// # Errors
    /// What the journal says.
    pub fn bodies(&self) -> io::Result<Vec<String>> {
        let reader = self.reader()?;
        let mut bodies = Vec::new();
        loop {
            let lines = reader.lines(bodies.len() as u64 + 1, 500).map_err(io::Error::other)?;
            if lines.is_empty() {
                return Ok(bodies);
            }
            bodies.extend(lines.into_iter().map(|line| line.body));
        }
    }

    fn reader(&self) -> io::Result<Reader> {
        Reader::open(&self.state).map_err(io::Error::other)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Journals what the cloud tells, each once.
async fn obey(journal: JournalHandle, mut told: mpsc::Receiver<Told>, mut through: u64) {
    while let Some(Told { sequence, what, done, .. }) = told.recv().await {
        let mut journaled = true;
        if sequence > through {
            let fact = match what {
                Ok(Directive::Paid { session, amount_fen, method, paid_at }) => Fact::Paid {
                    session,
                    amount_fen,
                    method,
                    by: "cloud".to_owned(),
                    directive: Some(sequence),
                    paid_at: Some(paid_at),
                },
                #[allow(unreachable_patterns, reason = "there may be more kinds one day")]
                Ok(other) => skipped(sequence, other.kind(), "a fleet has no gate"),
                Err(error) => skipped(sequence, &error.kind, &error.reason),
            };
            journaled = journal.append(vec![fact]).await.is_ok();
        }
        if journaled {
            through = through.max(sequence);
        }
        // Who asked for it has gone where the site ends.
        let _ = done.send(journaled);
    }
}

fn skipped(directive: u64, kind: &str, reason: &str) -> Fact {
    Fact::DirectiveSkipped { directive, kind: kind.to_owned(), reason: reason.to_owned() }
}

/// The number of the directive that an event says was carried out or passed over.
pub fn directive_of(event: &Event) -> Option<u64> {
    match &event.fact {
        Fact::Paid { directive, .. } => *directive,
        Fact::DirectiveSkipped { directive, .. } => Some(*directive),
        _ => None,
    }
}
