//! What the cloud tells this site, as soon as it can be reached: asks, waits, and hands over what
//! comes, one directive after the other.
//!
//! - Each is handed over again until the core says that it is in the journal, and then no more.
//! - Nothing is tried without a pause: the one back-off of the house, with jitter. Where there is no
//!   cloud, nothing else is hindered by that.
//! - Only an answer of the cloud in its own words counts (`judge`).

mod judge;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::directive::{Ask, Directive, NotUnderstood, Page};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};

use self::judge::Meaning;
use crate::{backoff::Backoff, cloud::Cloud};

/// A directive on its way to the core.
#[derive(Debug)]
pub struct Told {
    /// Its number.
    pub sequence: u64,
    /// What it says.
    pub what: Result<Directive, NotUnderstood>,
    /// The cloud's clock when it told it.
    pub now: DateTime<Utc>,
    /// When it is too late for it; none for what holds whenever it arrives.
    pub expires: Option<Instant>,
    /// Takes whether it is in the journal, with all that follows from it.
    pub done: oneshot::Sender<bool>,
}

/// What an answer said of the site's list of who may enter.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// Its version at the cloud; 0 where there is none.
    pub list: u64,
    /// The cloud's clock then.
    pub now: DateTime<Utc>,
    /// When it was heard.
    pub at: Instant,
}

/// The pauses after failures.
#[derive(Debug, Clone, Copy)]
pub struct Pauses {
    /// The first; it doubles from there.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

/// A question that was held for this long before it failed reached a cloud: what cut it off is new,
/// and no reason to wait as long as after the failures before it.
const HELD: Duration = Duration::from_secs(1);

/// A version that no list has.
const UNHEARD: u64 = u64::MAX;

/// Why nothing was told.
enum Trouble {
    /// Something that passes, at the earliest after this time.
    Passing(String, Duration),
    /// The core is gone.
    NoCore,
}

struct Asker {
    cloud: Arc<Cloud>,
    core: mpsc::Sender<Told>,
    list: watch::Sender<Option<Heard>>,
    /// What has been carried out.
    through: u64,
}

/// Asks `cloud` for what follows `through` and hands it over to `core`, until that is gone. What is
/// heard of the list goes to `list`, and to `trouble` why nothing is heard; nothing while all is well.
pub async fn follow(
    cloud: Arc<Cloud>,
    through: u64,
    core: mpsc::Sender<Told>,
    list: watch::Sender<Option<Heard>>,
    trouble: watch::Sender<String>,
    pauses: Pauses,
) {
    let began = Instant::now();
    let mut asker = Asker { cloud, core, list, through };
    let calm = || Backoff::new(pauses.first, pauses.longest, HELD);
    let (mut back_off, mut hindered) = (calm(), false);
    loop {
        back_off.started(began.elapsed());
        match asker.round().await {
            Ok(()) => {
                back_off = calm();
                if std::mem::take(&mut hindered) {
                    trouble.send_replace(String::new());
                    tracing::info!("the cloud can tell us something again");
                }
            }
            Err(Trouble::NoCore) => return,
            Err(Trouble::Passing(detail, at_least)) => {
                if !std::mem::replace(&mut hindered, true) {
                    tracing::warn!("directives of the cloud wait: {detail}");
                }
                trouble.send_replace(detail);
                sleep(back_off.failed(began.elapsed(), rand::random()).max(at_least)).await;
            }
        }
    }
}

impl Asker {
    /// Asks once and hands over what is told.
    async fn round(&mut self) -> Result<(), Trouble> {
        match self.ask().await? {
            Meaning::Told(page) => self.hand_over(page).await,
            Meaning::Hindered { detail, at_least } => Err(Trouble::Passing(detail, at_least)),
        }
    }

    async fn ask(&mut self) -> Result<Meaning, Trouble> {
        // The first time whatever there is, so that it is known to be current.
        let list = self.list.borrow().map_or(UNHEARD, |heard| heard.list);
        let asked = self.cloud.ask(Ask { after: self.through, list: Some(list) }).await;
        Ok(judge::answer(&asked.map_err(|error| passing(error.to_string()))?))
    }

    async fn hand_over(&mut self, page: Page) -> Result<(), Trouble> {
        let heard = Instant::now();
        let list = Heard { list: page.list.unwrap_or(0), now: page.now, at: heard };
        self.list.send_replace(Some(list));
        for told in page.directives {
            let (done, is_done) = oneshot::channel();
            let (sequence, what, now) = (told.sequence, told.read(), page.now);
            let expires = told.left(now).and_then(|left| heard.checked_add(left));
            let told = Told { sequence, what, now, expires, done };
            self.core.send(told).await.map_err(|_| Trouble::NoCore)?;
            if !is_done.await.map_err(|_| Trouble::NoCore)? {
                return Err(passing(format!("directive {sequence} could not be journaled")));
            }
            self.through = self.through.max(sequence);
        }
        Ok(())
    }
}

fn passing(detail: String) -> Trouble {
    Trouble::Passing(detail, Duration::ZERO)
}
