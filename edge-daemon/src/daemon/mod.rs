//! `edge-daemon run`: the life of the core from top to bottom. Parts start in the order in which
//! they need each other and stop in reverse; a part that ends by itself ends the process, and the
//! service manager starts it again.

mod charging;
mod core;
mod directed;
mod lockers;
mod shown;
mod translate;
mod unwritten;
mod waits;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use domain::{
    clock::{Clock, ClockQuality, Stamp},
    event::Fact,
    ids::{BootId, SiteId},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::core::THROUGH;
use self::{
    charging::Charging,
    core::{Core, Inputs},
};
use crate::{
    charger::Chargers,
    cloud::{Cloud, CloudError, Patience},
    config::Config,
    console::{self, Token, TokenError},
    controller::{self, keys::Keys},
    directives,
    gate::Gate,
    health::{Health, systemd},
    identity::{Identity, IdentityError},
    journal::{self, Journal, JournalError, JournalHandle, Reader, StateDir},
    lists,
    locker::Lockers,
    replay, sightings,
    supervisor::{Launch, Policy, Supervisor},
    system_clock::{JumpDetector, SystemClock},
};

/// Messages of vision that may wait for the control loop.
const VISION_QUEUE: usize = 64;
/// Requests of people that may wait for the control loop.
const REQUEST_QUEUE: usize = 16;
/// Directives of the cloud that may wait for the control loop.
const DIRECTIVE_QUEUE: usize = 1;
/// How long the cloud is given to take the last events at the end.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error("cannot open the journal")]
    Journal(#[from] JournalError),
    /// The list of who may enter.
    #[error("cannot open the list of who may enter")]
    Lists(#[from] lists::StoreError),
    /// The identity.
    #[error("cannot use the site's identity")]
    Identity(#[from] IdentityError),
    /// It was enrolled as another site than the configuration says.
    #[error(
        "site.id is `{configured}`, but this machine was enrolled as `{enrolled}`: set site.id to that"
    )]
    OtherSite {
        /// What the configuration says.
        configured: SiteId,
        /// What the cloud said.
        enrolled: SiteId,
    },
    /// The cloud's address.
    #[error("cannot use the cloud")]
    Cloud(#[from] CloudError),
    /// The operator's token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The socket of vision.
    #[error("cannot listen for vision")]
    Sightings(#[from] sightings::Error),
    /// A listener.
    #[error("cannot listen on {address} for {what}; is another edge-daemon running?")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// For what.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The system.
    #[error("cannot {act}")]
    System {
        /// What was tried.
        act: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the core until it is asked to stop.
///
/// # Errors
/// Where something that it cannot do without is not there; the message names it.
pub async fn run(config: Config) -> Result<(), StartError> {
    let system = |act| move |source| StartError::System { act, source };
    let mut terminate = signal(SignalKind::terminate()).map_err(system("wait for signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("wait for signals"))?;
    let stop = CancellationToken::new();

    // What everything else tells, and where it is told.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let watchdog = systemd::Watchdog::from_environment();
    let health = Arc::new(Health::new(Arc::clone(&clock), config.health.live_within(), watchdog));
    let health_listener = listen(config.health.listen, "health").await?;
    let console_listener = listen(config.console.listen, "the console").await?;
    let lan_listener = match config.controllers.lan {
        Some(lan) => Some(listen(lan.listen, "controllers on the network").await?),
        None => None,
    };

    // What happened before.
    let state = config.journal.state();
    let site = config.site.id.clone();
    let boot = BootId(Uuid::new_v4());
    let (journal, mut recovered) = Journal::open(&state, site.clone(), boot, Arc::clone(&clock))?;
    let watcher = Arc::clone(&health);
    let (journal, _writer) = journal.spawn(move |commit| watcher.commit(commit))?;
    health.watch_journal(journal.clone());
    health.watch_room(state.clone(), config.journal.max_bytes());
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut unwritten = unwritten::Unwritten::default();
    let grace_minutes = Some(config.gate.parking.grace_minutes);
    let started = vec![Fact::Started { version, grace_minutes }];
    unwritten::first(&journal, &mut unwritten, clock.now(), started).await?;
    let directives_through = recovered.directives_through;
    let charging = start_charging(&config, &mut recovered, &journal, clock.now()).await?;
    let of_lockers = recovered.lockers.clone();
    let (store, listed) = lists::Store::open(&state.lists())?;
    let now = clock.now();
    let confirmed_ago_ms = confirmed_ago_ms(&store, now);
    let journaled = translate::journaled(recovered, listed, confirmed_ago_ms);
    let (gate, unfinished) = Gate::recovered(config.gate.clone(), journaled, now);
    if !unfinished.is_empty() {
        let facts = unfinished.facts().to_vec();
        unwritten::first(&journal, &mut unwritten, clock.now(), facts).await?;
    }
    let (lockers, news) = Lockers::recovered(config.banks(), of_lockers, clock.now());
    if !news.is_empty() {
        let facts = news.facts().to_vec();
        unwritten::first(&journal, &mut unwritten, clock.now(), facts).await?;
    }

    // The site.
    let links = stop.child_token();
    let keys = Keys::new(state.path());
    let (controllers, reports) =
        controller::start(&config.controllers, &site, &keys, Arc::clone(&clock), links.clone());
    let lan = lan_listener
        .zip(controllers.lan())
        .map(|(listener, lan)| tokio::spawn(controller::lan::serve(listener, lan)));
    let eyes = stop.child_token();
    let (vision, supervised) = start_vision(&config, &state, eyes.clone())?;

    // The world.
    let (directives_sender, directives) = mpsc::channel(DIRECTIVE_QUEUE);
    let (lists_sender, lists) = mpsc::channel(DIRECTIVE_QUEUE);
    let cloud = enrolled_at(&config, &state)?;
    let told = cloud.clone().map(|cloud| {
        let (pauses, through) = (directives::Pauses::default(), directives_through);
        let (heard_sender, heard) = watch::channel(None);
        let (trouble_sender, trouble) = watch::channel(String::new());
        health.watch_directives(trouble);
        let listed = lists::keep(Arc::clone(&cloud), store, heard, lists_sender, pauses);
        let (told, heard) = (directives_sender, heard_sender);
        let told = directives::follow(cloud, through, told, heard, trouble_sender, pauses);
        [tokio::spawn(told), tokio::spawn(listed)]
    });
    let timing = replay::Timing {
        max_upload_kbit_s: config.cloud.max_upload_kbit_s,
        journal_max_bytes: config.journal.max_bytes(),
        ..replay::Timing::default()
    };
    let replayed = start_replay(cloud, &state, &journal, &health, timing)?;
    let retention = config.journal.retention();
    let sweeper = tokio::spawn(journal::sweep_regularly(
        state.clone(),
        journal.clone(),
        retention,
        Arc::clone(&clock),
    ));
    let (requests_sender, requests) = mpsc::channel(REQUEST_QUEUE);
    let token = Token::load_or_make(state.path())?;
    let routes = console::routes(token, requests_sender, shown::status(&health, &config));
    let served = [
        tokio::spawn(crate::health::serve(health_listener, Arc::clone(&health))),
        tokio::spawn(warp::serve(routes).incoming(console_listener).run()),
    ];

    // The loop.
    let gate_stop = stop.child_token();
    let core = Core {
        lane_of_camera: config.lane_of_camera(),
        lane_of_device: config.lane_of_device(),
        gate,
        lockers,
        journal: journal.clone(),
        controllers,
        clock,
        health: Arc::clone(&health),
        waits: waits::Waits::default(),
        jumps: JumpDetector::default(),
        unwritten,
        charging,
        directives_through,
    };
    let inputs = Inputs { vision, reports, requests, directives, lists };
    let mut gate = tokio::spawn(core.run(inputs, gate_stop.clone()));
    health.gate_running(true);
    systemd::ready("the gate works");
    tracing::info!(%site, "the gate works");

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = &mut gate => {
            tracing::error!(?ended, "the control loop ended by itself");
        }
    }

    // In reverse.
    systemd::stopping();
    health.gate_running(false);
    gate_stop.cancel();
    if !gate.is_finished() {
        let _ = gate.await;
    }
    eyes.cancel();
    let _ = supervised.await;
    lan.inspect(JoinHandle::abort);
    links.cancel();
    told.iter().flatten().for_each(JoinHandle::abort);
    if let Err(error) = journal.append(vec![Fact::Stopped]).await {
        tracing::error!(%error, "the end could not be journaled");
    }
    if let Some(replay) = replayed {
        last_words(&journal).await;
        replay.abort();
    }
    sweeper.abort();
    served.iter().for_each(JoinHandle::abort);
    // What was answered as journaled is on disk: the writer has nothing left to do.
    Ok(())
}

async fn listen(address: SocketAddr, what: &'static str) -> Result<TcpListener, StartError> {
    let error = |source| StartError::Listen { address, what, source };
    TcpListener::bind(address).await.map_err(error)
}

/// The chargers as the journal has them; none where there are none.
async fn start_charging(
    config: &Config,
    recovered: &mut journal::Recovered,
    journal: &JournalHandle,
    now: Stamp,
) -> Result<Option<Charging>, StartError> {
    let open = std::mem::take(&mut recovered.open_charges);
    let open = open.into_iter().map(translate::open_charge).collect();
    let left_over = std::mem::take(&mut recovered.left_over);
    let started = Chargers::recovered(config.chargers.clone(), open, &left_over, now);
    let Some((chargers, commit)) = started else {
        return Ok(None);
    };
    journal.append(commit.facts).await?;
    Ok(Some(Charging { chargers, unwritten: Vec::new() }))
}

type Vision = (mpsc::Receiver<crate::supervisor::Event>, JoinHandle<()>);

fn start_vision(
    config: &Config,
    state: &StateDir,
    stop: CancellationToken,
) -> Result<Vision, StartError> {
    let socket = state.path().join("sightings.sock");
    let system = |source| StartError::System { act: "find this very program", source };
    let launch = config.vision.managed.then(|| Launch::this_program(&config.path, &socket));
    let (events, receiver) = mpsc::channel(VISION_QUEUE);
    let supervisor = Supervisor {
        launch: launch.transpose().map_err(system)?,
        policy: Policy::default(),
        receiver: sightings::Receiver::bind(&socket)?,
        events,
    };
    Ok((receiver, tokio::spawn(supervisor.run(stop))))
}

/// How long ago the cloud confirmed its list of who may enter; none where that cannot be told.
fn confirmed_ago_ms(store: &lists::Store, now: Stamp) -> Option<i64> {
    let is_set = now.quality == ClockQuality::Synchronised;
    let confirmed_ms = lists::confirmed_ms(store).filter(|_| is_set)?;
    Some(now.wall.timestamp_millis() - confirmed_ms)
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
    cloud: Option<Arc<Cloud>>,
    state: &StateDir,
    journal: &JournalHandle,
    health: &Health,
    timing: replay::Timing,
) -> Result<Option<JoinHandle<()>>, StartError> {
    let Some(cloud) = cloud else { return Ok(None) };
    let reader = Reader::open(state)?;
    let (run, status) = replay::replay(state.clone(), journal.clone(), reader, cloud, timing);
    health.watch_replay(status);
    Ok(Some(tokio::spawn(run)))
}

/// Waits until the cloud has everything, but not for long.
async fn last_words(journal: &JournalHandle) {
    let head = *journal.head().borrow();
    let mut acked = journal.acked();
    let _ = timeout(LAST_WORDS, acked.wait_for(|acked| *acked >= head)).await;
}

/// Runs the daemon from the command line.
///
/// # Errors
/// See [`run`]; also where the runtime cannot be made.
pub fn start(config: Config) -> Result<(), StartError> {
    let system = |source| StartError::System { act: "start the runtime", source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(system)?;
    runtime.block_on(run(config))
}
