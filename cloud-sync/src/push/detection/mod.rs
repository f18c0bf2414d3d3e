//! `/ws/detection/` and `/ws/detection/{parking_spot_id}/`: a camera sends frames and is told what
//! is in them. The newest frame wins: what comes in faster than it can be read is dropped, the
//! oldest first, so that memory and delay stay bounded however fast a camera is.

mod camera;
mod frames;
mod message;
mod session;
mod spots;
mod tracker;

use std::sync::{Arc, Mutex, PoisonError};

use cloud_core::{Caller, Error};
use tokio::sync::Semaphore;
use warp::{Filter, Reply, filters::BoxedFilter, reply::Response, ws::Ws};

use self::{camera::CameraMeter, session::Session};
use crate::{
    config,
    http::{Problem, Request, Requests, limit::Class},
};

pub(crate) use self::camera::Camera;

/// Most bytes of a message: a frame of 6 MB in base 64.
const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// What the channels share.
pub(crate) struct Channels {
    places: Arc<Semaphore>,
    most: usize,
    /// Frames that are read at a time, so that cameras leave the queue to people.
    reading: Semaphore,
    camera: Mutex<CameraMeter>,
}

impl Channels {
    /// Prepares for as many as are set.
    pub(crate) fn new(config: &config::Recognition) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.max_channels)),
            most: config.max_channels,
            reading: Semaphore::new(config.threads),
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

    fn saw_frame(&self, size: (u32, u32), now_ms: u64) {
        self.camera.lock().unwrap_or_else(PoisonError::into_inner).frame(size, now_ms);
    }
}

/// The routes under `/ws`.
pub(super) fn routes(requests: &Requests) -> BoxedFilter<(Result<Response, Problem>,)> {
    let names = warp::path("detection").or(warp::path("vehicle-detection")).unify();
    let anywhere = warp::path::end().map(|| None);
    let at_spot = warp::path::param::<String>().and(warp::path::end()).map(Some);
    names
        .and(at_spot.or(anywhere).unify())
        .and(warp::get())
        .and(requests.clone())
        .and(warp::ws())
        .then(open)
        .boxed()
}

async fn open(spot: Option<String>, request: Request, upgrade: Ws) -> Result<Response, Problem> {
    let caller = caller(&request).await?;
    let spot = match spot {
        Some(id) => {
            let id = id.parse().map_err(|_| Error::NotFound("spot"))?;
            Some(request.app.cloud.parking.spot(&caller, id).await?)
        }
        None => None,
    };
    let app = request.app.clone();
    let place = app.channels.places.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::Busy { retry_after_s: 10 })?;
    let session = Session::new(app, caller, spot);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    let upgraded = upgrade.on_upgrade(move |socket| async move {
        if let Err(error) = session.run(socket).await {
            tracing::debug!(%error, "a detection channel ended early");
        }
        drop(place);
    });
    Ok(upgraded.into_response())
}

/// An account, or somebody at this machine where the settings let them in.
async fn caller(request: &Request) -> Result<Caller, Problem> {
    if request.has_credentials() || request.query.get("token").is_some() || !request.is_local() {
        return request.channel_caller(Class::Query).await;
    }
    request.count_address(Class::Query).await?;
    Ok(Caller::local_operator())
}
