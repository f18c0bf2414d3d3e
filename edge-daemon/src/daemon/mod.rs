//! `edge-daemon run`: the life of the core from top to bottom. Parts start in the order in which
//! they need each other and stop in reverse; a part that ends by itself ends the process, and the
//! service manager starts it again.

mod charging;
mod core;
mod directed;
mod error;
mod lockers;
mod past;
mod shown;
mod translate;
mod unwritten;
mod waits;
mod world;

use std::{net::SocketAddr, sync::Arc};

use domain::{clock::Clock, event::Fact};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use self::core::THROUGH;
pub use self::error::StartError;
use self::{
    core::{Core, Inputs},
    past::Past,
    world::{Heard, World},
};
use crate::{
    config::Config,
    console::{self, Request, Token},
    controller::{self, keys::Keys},
    health::{self, Health, systemd},
    journal::{self, JournalHandle, StateDir},
    sightings,
    supervisor::{self, Launch, Policy, Supervisor},
    system_clock::{JumpDetector, SystemClock},
};

/// Messages of vision that may wait for the control loop.
const VISION_QUEUE: usize = 64;
/// Requests of people that may wait for the control loop.
const REQUEST_QUEUE: usize = 16;

/// Runs the core until it is asked to stop.
///
/// # Errors
/// Where something that it cannot do without is not there; the message names it.
pub async fn run(config: Config) -> Result<(), StartError> {
    let mut end = End::listen()?;
    let stop = CancellationToken::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let watchdog = systemd::Watchdog::from_environment();
    let health = Arc::new(Health::new(Arc::clone(&clock), config.health.live_within(), watchdog));
    let listeners = Listeners::open(&config).await?;

    let state = config.journal.state();
    let past = Past::recall(&config, &state, &clock, &health).await?;
    let journal = past.journal;

    let (links, site) = (stop.child_token(), &config.site.id);
    let keys = Keys::new(state.path());
    let (controllers, reports) =
        controller::start(&config.controllers, site, &keys, Arc::clone(&clock), links.clone());
    let lan = (listeners.lan.zip(controllers.lan()))
        .map(|(listener, lan)| tokio::spawn(controller::lan::serve(listener, lan)));
    let eyes = stop.child_token();
    let (vision, supervised) = start_vision(&config, &state, eyes.clone())?;

    let told = (past.lists, past.directives_through);
    let (world, heard) = World::start(&config, &state, &journal, told, &health)?;
    let Heard { directives, lists } = heard;
    let sweeper = start_sweeper(&config, &state, &journal, &clock);
    let (pages, requests) =
        start_pages(&config, &state, listeners.health, listeners.console, &health)?;

    let gate_stop = stop.child_token();
    let core = Core {
        lane_of_camera: config.lane_of_camera(),
        lane_of_device: config.lane_of_device(),
        gate: past.gate,
        lockers: past.lockers,
        journal: journal.clone(),
        controllers,
        clock,
        health: Arc::clone(&health),
        waits: waits::Waits::default(),
        jumps: JumpDetector::default(),
        unwritten: past.unwritten,
        charging: past.charging,
        directives_through: past.directives_through,
    };
    let inputs = Inputs { vision, reports, requests, directives, lists };
    let mut gate = tokio::spawn(core.run(inputs, gate_stop.clone()));
    health.gate_running(true);
    systemd::ready("the gate works");
    tracing::info!(%site, "the gate works");
    tokio::select! {
        () = end.wanted() => {}
        ended = &mut gate => tracing::error!(?ended, "the control loop ended by itself"),
    }

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
    if let Err(error) = journal.append(vec![Fact::Stopped]).await {
        tracing::error!(%error, "the end could not be journaled");
    }
    world.leave().await;
    sweeper.abort();
    pages.iter().for_each(JoinHandle::abort);
    // What was answered as journaled is on disk: the writer has nothing left to do.
    Ok(())
}

/// Tells when the process is asked to end.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    fn listen() -> Result<Self, StartError> {
        let of = |kind| {
            signal(kind).map_err(|source| StartError::System { act: "wait for signals", source })
        };
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }

    async fn wanted(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Where the core is asked.
struct Listeners {
    health: TcpListener,
    console: TcpListener,
    lan: Option<TcpListener>,
}

impl Listeners {
    async fn open(config: &Config) -> Result<Self, StartError> {
        Ok(Self {
            health: listen(config.health.listen, "health").await?,
            console: listen(config.console.listen, "the console").await?,
            lan: match config.controllers.lan {
                Some(lan) => Some(listen(lan.listen, "controllers on the network").await?),
                None => None,
            },
        })
    }
}

async fn listen(address: SocketAddr, what: &'static str) -> Result<TcpListener, StartError> {
    let error = |source| StartError::Listen { address, what, source };
    TcpListener::bind(address).await.map_err(error)
}

type Vision = (mpsc::Receiver<supervisor::Event>, JoinHandle<()>);

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

fn start_sweeper(
    config: &Config,
    state: &StateDir,
    journal: &JournalHandle,
    clock: &Arc<dyn Clock>,
) -> JoinHandle<()> {
    let (retention, clock) = (config.journal.retention(), Arc::clone(clock));
    tokio::spawn(journal::sweep_regularly(state.clone(), journal.clone(), retention, clock))
}

type Pages = ([JoinHandle<()>; 2], mpsc::Receiver<Request>);

/// Serves what others ask for and what people see, and hands on what these want.
fn start_pages(
    config: &Config,
    state: &StateDir,
    to_health: TcpListener,
    to_console: TcpListener,
    health: &Arc<Health>,
) -> Result<Pages, StartError> {
    let (sender, requests) = mpsc::channel(REQUEST_QUEUE);
    let token = Token::load_or_make(state.path())?;
    let routes = console::routes(token, sender, shown::status(health, config));
    let served = [
        tokio::spawn(health::serve(to_health, Arc::clone(health))),
        tokio::spawn(warp::serve(routes).incoming(to_console).run()),
    ];
    Ok((served, requests))
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
