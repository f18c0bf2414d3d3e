//! The vision process: cameras, codecs and recognition. All that is big, slow or may crash is here,
//! and nothing that must not: the core lives in another process and hears of sightings alone.
//!
//! Each camera has two threads: one that captures (`capture`) and one that recognises
//! (`pipeline`), with a `slot` for the latest frame between them. The main thread carries their
//! messages to the core and says that all is well as long as every thread makes progress; should
//! one hang or panic, the process is ended and started afresh by the core.

pub mod camera;
mod capture;
mod config;
mod frame;
mod models;
mod motion;
mod picture;
mod pipeline;
mod pulse;
mod slot;
mod stats;
mod stop;
mod tracker;
mod yuv;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anpr::Detail;
use tokio::signal::unix;

use crate::sightings::{SendError, Sender, monotonic_us};
use capture::Capture;
pub use config::{CameraConfig, Config, RecognitionConfig};
pub use models::{ModelsConfig, ModelsError};
use picture::{PictureSender, PictureStore};
use pipeline::Pipeline;
use pulse::Pulses;
use slot::Slot;
use stats::Counters;
use stop::Stop;
use tracker::Tracker;

/// How long the threads may take to end before the process ends without them.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// Exit code of a process that ends because one of its threads panicked (`EX_SOFTWARE`).
const PANICKED: i32 = 70;

/// Why vision cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The models cannot be used.
    #[error(transparent)]
    Models(#[from] ModelsError),
    /// Recognition cannot start.
    #[error("the recognition models cannot be loaded")]
    Start(#[from] anpr::Error),
    /// The system refuses a thread, a folder or a signal.
    #[error("{act}")]
    System {
        /// What failed.
        act: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The core cannot be reached.
    #[error("the connection to the core failed")]
    Core(#[from] SendError),
}

/// Runs all cameras until the core goes away or the process is asked to end.
///
/// # Errors
/// When it cannot start, or the connection to the core breaks.
pub fn run(config: &Config, pictures: &Path, socket: &Path) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::System { act: "starting the runtime", source })?;
    let store = PictureStore::open(pictures.to_owned())
        .map_err(|source| Error::System { act: "making the folder of the pictures", source })?;
    let sender = Sender::default();
    let mut workers = Workers::default();
    let models = config.models.load()?;
    for camera in &config.cameras {
        let mut recogniser = models.recognizer(config.models.detail(Detail::High))?;
        recogniser.reader.regions.clone_from(&config.recognition.regions);
        workers
            .start(camera, config, recogniser, &sender, &store.sender())
            .map_err(|source| Error::System { act: "starting a camera's threads", source })?;
    }
    let carried = runtime.block_on(carry(&sender, socket, &workers.pulses));
    if workers.end() {
        store.close();
    }
    carried
}

/// Carries messages until the core goes away or a signal comes.
async fn carry(sender: &Sender, socket: &Path, pulses: &Pulses) -> Result<(), Error> {
    let signal = |kind| {
        unix::signal(kind).map_err(|source| Error::System { act: "listening for signals", source })
    };
    let mut terminate = signal(unix::SignalKind::terminate())?;
    let mut interrupt = signal(unix::SignalKind::interrupt())?;
    let alive = || match pulses.stuck(monotonic_us()) {
        None => true,
        Some(thread) => {
            tracing::error!(thread, "a thread hangs");
            false
        }
    };
    tokio::select! {
        carried = sender.carry(socket, alive) => Ok(carried?),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// All threads of the cameras.
#[derive(Default)]
struct Workers {
    stop: Stop,
    pulses: Pulses,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the two threads of a camera.
    fn start(
        &mut self,
        camera: &CameraConfig,
        config: &Config,
        recogniser: anpr::Recognizer,
        messages: &Sender,
        pictures: &PictureSender,
    ) -> io::Result<()> {
        let id = &camera.id;
        let frames = Arc::new(Slot::new());
        let counters = Arc::new(Counters::default());
        let capture = Capture {
            id: id.clone(),
            fps: camera.fps,
            frames: frames.clone(),
            counters: counters.clone(),
            messages: messages.clone(),
            pulse: self.pulses.add(format!("{id}, capture")),
            stop: self.stop.clone(),
        };
        let pipeline = Pipeline {
            camera: id.clone(),
            zone: camera.zone,
            frames,
            counters,
            recogniser,
            // The clock outruns any count of passages, so that a later run begins above this one.
            tracker: Tracker::new(config.recognition.clone(), monotonic_us()),
            messages: messages.clone(),
            pictures: pictures.clone(),
            pulse: self.pulses.add(format!("{id}, recognition")),
            stop: self.stop.clone(),
        };
        let camera = camera.clone();
        self.spawn(format!("{id} cam"), move || capture.run(|| camera::open(&camera)))?;
        self.spawn(format!("{id} anpr"), move || pipeline.run())
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let work = move || {
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                // Half a vision would look alive; the core starts a whole one.
                process::exit(PANICKED);
            }
        };
        self.threads.push(thread::Builder::new().name(name).spawn(work)?);
        Ok(())
    }

    /// Asks all threads to end and waits for them, but not for ever; whether all did.
    fn end(self) -> bool {
        self.stop.request();
        let until = Instant::now() + STOP_WITHIN;
        self.threads.into_iter().all(|thread| {
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
            if !thread.is_finished() {
                tracing::warn!(thread = thread.thread().name(), "a thread does not end in time");
            }
            thread.is_finished()
        })
    }
}
