//! The cloud's list of who may enter this site: fetched when the cloud says that there is a newer
//! one, kept on the disk, and handed to the gate whole.
//!
//! - What arrives is compressed, in parts of bounded size, and only what has changed. A part that
//!   breaks off is asked for again, and no other.
//! - Nothing of this happens on the control loop or in the journal: both go on meanwhile.
//! - Until a newer version is whole and is what the cloud says it is, the site goes by the one that
//!   it has; without the cloud, for as long as it takes.

mod fetch;
mod store;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
    time::{Instant, sleep},
};

use self::store::{Progress, Taken};
pub use self::store::{Store, StoreError};
use crate::{
    backoff::Backoff,
    cloud::Cloud,
    directives::{Heard, Pauses},
    gate::Listed,
};

/// How often it is noted on the disk that the list is confirmed: rarely, for the card's sake.
const NOTE_EVERY: Duration = Duration::from_secs(600);

/// What the gate hears of the list.
#[derive(Debug)]
pub enum News {
    /// It is another one from now on.
    Changed(Listed),
    /// The cloud has no newer one, as of this moment.
    Confirmed(Instant),
}

/// Why the list is not brought up to date.
enum Trouble {
    /// Something that passes, at the earliest after this time.
    Passing(String, Duration),
    /// The core is gone.
    NoCore,
}

struct Keeper {
    cloud: Arc<Cloud>,
    /// Out while a thread works with it.
    store: Option<Store>,
    core: mpsc::Sender<News>,
    noted: Option<Instant>,
}

/// When the list on the disk was confirmed last, in milliseconds UTC; none where it never was.
pub fn confirmed_ms(store: &Store) -> Option<i64> {
    store.progress().ok().and_then(|progress| progress.confirmed_ms)
}

/// Keeps the list at the version that the cloud is heard to have, until the core is gone.
pub async fn keep(
    cloud: Arc<Cloud>,
    store: Store,
    mut heard: watch::Receiver<Option<Heard>>,
    core: mpsc::Sender<News>,
    pauses: Pauses,
) {
    let mut keeper = Keeper { cloud, store: Some(store), core, noted: None };
    let calm = || Backoff::new(pauses.first, pauses.longest, Duration::MAX);
    let (began, mut back_off, mut hindered) = (Instant::now(), calm(), false);
    while heard.changed().await.is_ok() {
        let Some(latest) = *heard.borrow_and_update() else { continue };
        match keeper.follow(latest).await {
            Ok(()) => {
                back_off = calm();
                if std::mem::take(&mut hindered) {
                    tracing::info!("the list of who may enter is up to date again");
                }
            }
            Err(Trouble::NoCore) => return,
            Err(Trouble::Passing(detail, at_least)) => {
                if !std::mem::replace(&mut hindered, true) {
                    tracing::warn!("the list of who may enter is not brought up to date: {detail}");
                }
                sleep(back_off.failed(began.elapsed(), rand::random()).max(at_least)).await;
                heard.mark_changed();
            }
        }
    }
}

impl Keeper {
    async fn follow(&mut self, heard: Heard) -> Result<(), Trouble> {
        let progress = self.with_store(|store| store.progress()).await?;
        if progress.version != heard.list {
            self.fetch(progress).await?;
        }
        self.core.send(News::Confirmed(heard.at)).await.map_err(|_| Trouble::NoCore)?;
        if self.noted.is_none_or(|noted| noted.elapsed() >= NOTE_EVERY) {
            self.noted = Some(Instant::now());
            let at_ms = heard.now.timestamp_millis();
            self.with_store(move |store| store.confirmed(at_ms)).await?;
        }
        Ok(())
    }

    /// Fetches parts until the list is whole, and hands it over.
    async fn fetch(&mut self, mut progress: Progress) -> Result<(), Trouble> {
        loop {
            let part = self.part(progress.fetched).await?;
            let fetched = progress.fetched;
            match self.with_store(move |store| part.into(store, fetched)).await? {
                Taken::More => progress = self.with_store(|store| store.progress()).await?,
                Taken::Whole(listed) => {
                    let (version, entries) = (listed.version(), listed.len());
                    tracing::info!(version, entries, "the list of who may enter is a newer one");
                    return self
                        .core
                        .send(News::Changed(listed))
                        .await
                        .map_err(|_| Trouble::NoCore);
                }
                Taken::Wrong if progress.anew => {
                    return Err(passing("its entries are not those that the cloud counts"));
                }
                Taken::Wrong => progress = self.with_store(|store| store.progress()).await?,
            }
        }
    }

    /// Works with the store on a thread that may wait for the disk.
    async fn with_store<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let mut store = self.store.take().ok_or(Trouble::NoCore)?;
        let worked = spawn_blocking(move || {
            let outcome = work(&mut store);
            (store, outcome)
        });
        // Only a program that ends takes its threads away.
        let (store, outcome) = worked.await.map_err(|_| Trouble::NoCore)?;
        self.store = Some(store);
        outcome.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            passing(&format!("{error}: {}", cause.unwrap_or_default()))
        })
    }
}

fn passing(detail: &str) -> Trouble {
    Trouble::Passing(detail.to_owned(), Duration::ZERO)
}
