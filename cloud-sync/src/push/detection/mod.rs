//! What the detection channels share.

mod camera;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

pub(crate) use self::camera::Camera;
use self::camera::CameraMeter;
use crate::config;

/// What the channels share.
pub(crate) struct Channels {
    places: Arc<Semaphore>,
    most: usize,
    camera: Mutex<CameraMeter>,
}

impl Channels {
    /// Prepares for as many as are set.
    pub(crate) fn new(config: &config::Recognition) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.max_channels)),
            most: config.max_channels,
            camera: Mutex::default(),
        }
    }

    /// Channels that are open.
    pub(crate) fn open(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// The camera whose frames came in last, while they do; `now_ms` is monotonic.
    pub(crate) fn camera(&self, now_ms: u64) -> Option<Camera> {
        self.camera.lock().unwrap_or_else(PoisonError::into_inner).at(now_ms)
    }
}
