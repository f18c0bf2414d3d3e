//! What happened before: the journal is opened, and from it come the gate, the lockers and the chargers
//! as they were left. What a start itself has to say is journaled first.

use std::{mem, sync::Arc};

use domain::{
    clock::{Clock, ClockQuality, Stamp},
    event::Fact,
    ids::BootId,
};
use uuid::Uuid;

use super::{StartError, charging::Charging, translate, unwritten::Unwritten};
use crate::{
    charger::Chargers,
    config::Config,
    gate::Gate,
    health::Health,
    journal::{Journal, JournalError, JournalHandle, Recovered, StateDir},
    lists,
    locker::Lockers,
};

/// The site as it was left.
pub(super) struct Past {
    pub journal: JournalHandle,
    pub lists: lists::Store,
    pub gate: Gate,
    pub lockers: Lockers,
    /// None where there are no chargers.
    pub charging: Option<Charging>,
    pub unwritten: Unwritten,
    /// The last of the cloud's directives that is in the journal.
    pub directives_through: u64,
}

impl Past {
    /// Opens the journal and takes up what it holds.
    ///
    /// # Errors
    /// Where the journal or the list of who may enter cannot be opened. A disk that takes nothing is
    /// none but where money hangs on it.
    pub async fn recall(
        config: &Config,
        state: &StateDir,
        clock: &Arc<dyn Clock>,
        health: &Arc<Health>,
    ) -> Result<Self, StartError> {
        let (journal, mut recovered) = open(config, state, clock, health)?;
        let mut first = First { journal: &journal, clock, unwritten: Unwritten::default() };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let grace_minutes = Some(config.gate.parking.grace_minutes);
        first.say(vec![Fact::Started { version, grace_minutes }]).await?;
        let directives_through = recovered.directives_through;
        let charging = charging(config, &mut recovered, &journal, clock.now()).await?;
        let of_lockers = mem::take(&mut recovered.lockers);
        let (lists, listed) = lists::Store::open(&state.lists())?;
        let now = clock.now();
        let journaled = translate::journaled(recovered, listed, confirmed_ago_ms(&lists, now));
        let (gate, unfinished) = Gate::recovered(config.gate.clone(), journaled, now);
        first.say(unfinished.facts().to_vec()).await?;
        let (lockers, news) = Lockers::recovered(config.banks(), of_lockers, clock.now());
        first.say(news.facts().to_vec()).await?;
        let unwritten = first.unwritten;
        Ok(Self { journal, lists, gate, lockers, charging, unwritten, directives_through })
    }
}

/// Opens the journal, with its writer started and its state shown.
fn open(
    config: &Config,
    state: &StateDir,
    clock: &Arc<dyn Clock>,
    health: &Arc<Health>,
) -> Result<(JournalHandle, Recovered), JournalError> {
    let (site, boot) = (config.site.id.clone(), BootId(Uuid::new_v4()));
    let (journal, recovered) = Journal::open(state, site, boot, Arc::clone(clock))?;
    let watcher = Arc::clone(health);
    let (journal, _writer) = journal.spawn(move |commit| watcher.commit(commit))?;
    health.watch_journal(journal.clone());
    health.watch_room(state.clone(), config.journal.max_bytes());
    Ok((journal, recovered))
}

/// The chargers as the journal has them; none where there are none.
async fn charging(
    config: &Config,
    recovered: &mut Recovered,
    journal: &JournalHandle,
    now: Stamp,
) -> Result<Option<Charging>, JournalError> {
    let open = mem::take(&mut recovered.open_charges);
    let open = open.into_iter().map(translate::open_charge).collect();
    let left_over = mem::take(&mut recovered.left_over);
    let started = Chargers::recovered(config.chargers.clone(), open, &left_over, now);
    let Some((chargers, commit)) = started else {
        return Ok(None);
    };
    journal.append(commit.facts).await?;
    Ok(Some(Charging { chargers, unwritten: Vec::new() }))
}

/// How long ago the cloud confirmed its list of who may enter; none where that cannot be told.
fn confirmed_ago_ms(store: &lists::Store, now: Stamp) -> Option<i64> {
    let is_set = now.quality == ClockQuality::Synchronised;
    let confirmed_ms = lists::confirmed_ms(store).filter(|_| is_set)?;
    Some(now.wall.timestamp_millis() - confirmed_ms)
}

/// The first that a run journals. A disk that does not take it stops no start.
struct First<'a> {
    journal: &'a JournalHandle,
    clock: &'a Arc<dyn Clock>,
    unwritten: Unwritten,
}

impl First<'_> {
    async fn say(&mut self, facts: Vec<Fact>) -> Result<(), JournalError> {
        if facts.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        match self.journal.append(facts.clone()).await {
            Err(error) if error.is_of_the_disk() => {
                tracing::error!(%error, "nothing is journaled");
                self.unwritten.failed(now, &error);
                self.unwritten.keep(now, facts);
                Ok(())
            }
            journaled => journaled.map(drop),
        }
    }
}
