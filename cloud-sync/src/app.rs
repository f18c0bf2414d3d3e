//! What every handler has at hand.

use std::{sync::Arc, time::Duration};

use cloud_core::Cloud;
use domain::directive::LONGEST_WAIT;
use tokio::sync::watch;

use crate::{
    config::Config,
    http::{cors::Cors, limit::Limiter},
    push::SystemStatus,
};

/// The running service.
pub(crate) struct App {
    /// The domain.
    pub(crate) cloud: Arc<Cloud>,
    /// Whether callers of this machine may go without credentials, where a face documents none.
    pub(crate) local_callers: bool,
    /// Which pages may call.
    pub(crate) cors: Cors,
    /// How often a caller may call.
    pub(crate) limiter: Limiter,
    /// What `/ws/system/` shows.
    pub(crate) status: watch::Receiver<SystemStatus>,
    /// Turns true when the program stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// How long a site may wait for something to be told: well within the time of a request.
    pub(crate) longest_wait: Duration,
}

impl App {
    /// Puts the service together for a listener that is bound to a loopback address or not.
    pub(crate) fn new(
        cloud: Arc<Cloud>,
        config: &Config,
        loopback: bool,
        status: watch::Receiver<SystemStatus>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        use crate::config::Anonymous;
        Self {
            cloud,
            local_callers: loopback && config.auth.anonymous == Anonymous::Loopback,
            cors: Cors::new(&config.http.cors_origins, loopback),
            limiter: Limiter::new(&config.limits),
            status,
            stopping,
            longest_wait: LONGEST_WAIT
                .min(Duration::from_secs(config.http.request_timeout_s).mul_f32(0.8)),
        }
    }

    /// Takes over what can change while the service runs.
    pub(crate) fn reconfigure(&self, config: &Config) {
        self.limiter.set(&config.limits);
        self.cors.set(&config.http.cors_origins);
    }
}
