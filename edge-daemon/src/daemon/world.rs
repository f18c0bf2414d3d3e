//! The cloud, where the site was enrolled at one: what happens goes there, and what it says comes back.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};

use super::StartError;
use crate::{
    cloud::{Cloud, Patience},
    config::Config,
    directives::{self, Told},
    health::Health,
    identity::{Identity, IdentityError},
    journal::{JournalHandle, Reader, StateDir},
    lists::{self, News},
    replay,
};

/// Directives of the cloud that may wait for the control loop.
const DIRECTIVE_QUEUE: usize = 1;
/// How long the cloud is given to take the last events at the end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What tells the cloud and hears it. Where the site was not enrolled it does nothing.
pub(super) struct World {
    journal: JournalHandle,
    replay: Option<JoinHandle<()>>,
    hearing: Vec<JoinHandle<()>>,
}

/// Where what the cloud says arrives.
pub(super) struct Heard {
    pub directives: mpsc::Receiver<Told>,
    pub lists: mpsc::Receiver<News>,
}

impl World {
    /// Starts to tell what is in the journal and to hear directives after number `through`; `store`
    /// keeps the lists of who may enter.
    ///
    /// # Errors
    /// Where the identity, the cloud's address or the journal cannot be used.
    pub fn start(
        config: &Config,
        state: &StateDir,
        journal: &JournalHandle,
        (store, through): (lists::Store, u64),
        health: &Health,
    ) -> Result<(Self, Heard), StartError> {
        let (directives_sender, directives) = mpsc::channel(DIRECTIVE_QUEUE);
        let (lists_sender, lists) = mpsc::channel(DIRECTIVE_QUEUE);
        let mut world = Self { journal: journal.clone(), replay: None, hearing: Vec::new() };
        if let Some(cloud) = enrolled_at(config, state)? {
            let pauses = directives::Pauses::default();
            let (heard_sender, heard) = watch::channel(None);
            let (trouble_sender, trouble) = watch::channel(String::new());
            health.watch_directives(trouble);
            let listed = lists::keep(Arc::clone(&cloud), store, heard, lists_sender, pauses);
            let (asking, told) = (Arc::clone(&cloud), directives_sender);
            let told =
                directives::follow(asking, through, told, heard_sender, trouble_sender, pauses);
            world.hearing = vec![tokio::spawn(told), tokio::spawn(listed)];
            world.replay = Some(start_replay(config, state, journal, cloud, health)?);
        }
        Ok((world, Heard { directives, lists }))
    }

    /// Hears no more, and waits until the cloud has everything, but not for long.
    pub async fn leave(self) {
        self.hearing.iter().for_each(JoinHandle::abort);
        if let Some(replay) = self.replay {
            let head = *self.journal.head().borrow();
            let mut acked = self.journal.acked();
            let _ = timeout(LAST_WORDS, acked.wait_for(|acked| *acked >= head)).await;
            replay.abort();
        }
    }
}

/// The cloud, where this site was enrolled at one.
fn enrolled_at(config: &Config, state: &StateDir) -> Result<Option<Arc<Cloud>>, StartError> {
    let identity = match Identity::load(state) {
        Ok(identity) => identity,
        Err(IdentityError::NotEnrolled(_)) => {
            tracing::warn!("not enrolled at a cloud: everything stays at the site");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if identity.site != config.site.id {
        let configured = config.site.id.clone();
        return Err(StartError::OtherSite { configured, enrolled: identity.site });
    }
    let cloud = Cloud::new(identity, config.cloud.url.as_deref(), Patience::default())?;
    Ok(Some(Arc::new(cloud)))
}

/// Starts telling the cloud what happens.
fn start_replay(
    config: &Config,
    state: &StateDir,
    journal: &JournalHandle,
    cloud: Arc<Cloud>,
    health: &Health,
) -> Result<JoinHandle<()>, StartError> {
    let timing = replay::Timing {
        max_upload_kbit_s: config.cloud.max_upload_kbit_s,
        journal_max_bytes: config.journal.max_bytes(),
        ..replay::Timing::default()
    };
    let reader = Reader::open(state)?;
    let (run, status) = replay::replay(state.clone(), journal.clone(), reader, cloud, timing);
    health.watch_replay(status);
    Ok(tokio::spawn(run))
}
