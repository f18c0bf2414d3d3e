//! The threads that recognise: as many as are set, each with networks of its own, and a queue of
//! bounded length before them. What does not fit is refused at once, so that nobody waits for what
//! the machine cannot do.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use anpr::{Detail, Models, Recognizer, VehicleDetector, VehicleModel};
use tokio::sync::oneshot;

/// How much of a picture's detail is looked at.
pub(crate) const DETAIL: Detail = Detail::Medium;

type Job = Box<dyn FnOnce(&mut Networks) + Send>;

/// What one thread looks with.
pub(crate) struct Networks {
    /// Finds and reads plates.
    pub(crate) plates: Recognizer,
    /// Finds vehicles and tells them apart.
    pub(crate) vehicles: VehicleDetector,
}

/// Why the pool did not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
    /// The queue is full.
    #[error("too many pictures are waiting")]
    Busy,
    /// The networks could not be used; the log says why.
    #[error("recognition is not available")]
    Failed,
}

/// The threads; they end when this is dropped.
pub(crate) struct Pool {
    queue: SyncSender<Job>,
}

impl Pool {
    /// Starts `threads` threads before which `queue` pictures may wait. The networks are loaded
    /// when the first one comes.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn start(threads: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let jobs = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let jobs = jobs.clone();
            let thread = thread::Builder::new().name(format!("recognise-{number}"));
            thread.spawn(move || work(&jobs))?;
        }
        Ok(Self { queue: sender })
    }

    /// Runs `work` on one of the threads. Where nobody waits for it any more when its turn comes,
    /// it is not begun.
    ///
    /// # Errors
    /// [`PoolError`].
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, PoolError>
    where
        F: FnOnce(&mut Networks) -> T + Send + 'static,
        T: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |networks| {
            if !answer.is_closed() {
                // Who left meanwhile misses nothing.
                let _ = answer.send(work(networks));
            }
        });
        self.queue.try_send(job).map_err(|_| PoolError::Busy)?;
        answered.await.map_err(|_| PoolError::Failed)
    }
}

/// The networks for plates that are built into this program, loaded once.
pub(crate) fn models() -> Result<&'static Models, &'static anpr::Error> {
    static MODELS: OnceLock<Result<Models, anpr::Error>> = OnceLock::new();
    MODELS.get_or_init(Models::embedded).as_ref()
}

/// The network for vehicles that is built into this program, loaded once.
pub(crate) fn vehicle_model() -> Result<&'static VehicleModel, &'static anpr::Error> {
    static MODEL: OnceLock<Result<VehicleModel, anpr::Error>> = OnceLock::new();
    MODEL.get_or_init(VehicleModel::embedded).as_ref()
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut ready = None;
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        let Some(mut networks) = ready.take().or_else(networks) else { continue };
        // After a panic its buffers may be anything: the next picture gets new ones.
        match catch_unwind(AssertUnwindSafe(|| job(&mut networks))) {
            Ok(()) => ready = Some(networks),
            Err(_) => tracing::error!("recognising a picture panicked"),
        }
    }
}

fn networks() -> Option<Networks> {
    match make_networks() {
        Ok(made) => Some(made),
        Err(error) => {
            tracing::error!(error, "the networks cannot be used");
            None
        }
    }
}

fn make_networks() -> Result<Networks, String> {
    let plates = models().map_err(ToString::to_string)?.recognizer(DETAIL);
    let vehicles = vehicle_model().map_err(ToString::to_string)?.detector();
    Ok(Networks {
        plates: plates.map_err(|error| error.to_string())?,
        vehicles: vehicles.map_err(|error| error.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::{
        pin::pin,
        sync::mpsc::channel,
        task::{Context, Waker},
    };

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_does_not_fit_into_the_queue_is_refused_and_the_rest_is_done() {
        let pool = Arc::new(Pool::start(1, 1).unwrap());
        let ((begin, begun), (release, released)) = (channel(), channel::<()>());
        let first = {
            let pool = pool.clone();
            tokio::spawn(async move {
                let work = move |_: &mut Networks| {
                    begin.send(()).unwrap();
                    released.recv().unwrap();
                    1
                };
                pool.run(work).await
            })
        };
        begun.recv().unwrap();
        let mut second = pin!(pool.run(|_| 2));
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut nobody).is_pending());
        assert_eq!(pool.run(|_| 3).await, Err(PoolError::Busy));
        release.send(()).unwrap();
        assert_eq!((first.await.unwrap(), second.await), (Ok(1), Ok(2)));
    }

    #[tokio::test]
    async fn a_picture_that_makes_it_panic_takes_nothing_else_down() {
        let pool = Pool::start(1, 4).unwrap();
        let failed = pool.run(|_| -> () { panic!("no picture should do this") }).await;
        assert_eq!(failed, Err(PoolError::Failed));
        assert_eq!(pool.run(|_| 7).await, Ok(7));
    }
}
