//! What every handler has at hand.

use std::{sync::Arc, time::Duration};

use cloud_core::Cloud;
use domain::directive::LONGEST_WAIT;
use tokio::sync::{Semaphore, watch};

use crate::{
    config::Config,
    http::{MAX_UPLOADS, cors::Cors, limit::Limiter},
    payments::Gateways,
    push::{Channels, SystemStatus},
    recognition::{Recognition, SecondReader},
};

/// The running service.
pub(crate) struct App {
    /// The domain.
    pub(crate) cloud: Arc<Cloud>,
    /// Whether callers of this machine may go without credentials, where a face documents none.
    pub(crate) local_callers: bool,
    /// Whether users make themselves members.
    pub(crate) membership_self_service: bool,
    /// Which pages may call.
    pub(crate) cors: Cors,
    /// How often a caller may call.
    pub(crate) limiter: Limiter,
    /// Whose word counts that money has come.
    pub(crate) gateways: Gateways,
    /// Looks at pictures.
    pub(crate) recognition: Recognition,
    /// Places of uploads.
    pub(crate) uploads: Arc<Semaphore>,
    /// Places of connections.
    pub(crate) connections: Arc<Semaphore>,
    max_connections: usize,
    /// What the detection channels share.
    pub(crate) channels: Channels,
    /// What `/ws/system/` shows.
    pub(crate) status: watch::Receiver<SystemStatus>,
    /// Turns true when the program stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// How long a site may wait for something to be told: well within the time of a request.
    pub(crate) longest_wait: Duration,
}

impl App {
    /// Puts the service together for a listener that is bound to a loopback address or not.
    ///
    /// # Errors
    /// When the system gives no threads, or lacks what TLS needs.
    pub(crate) fn new(
        cloud: Arc<Cloud>,
        config: &Config,
        loopback: bool,
        status: watch::Receiver<SystemStatus>,
        stopping: watch::Receiver<bool>,
    ) -> std::io::Result<Self> {
        use crate::config::Anonymous;
        let now_ms = cloud.clock().now().wall.timestamp_millis();
        let second = &config.second_reader;
        let second = second.key.clone().map(|key| SecondReader::new(second, key)).transpose();
        let second = second.map_err(std::io::Error::other)?;
        let gateways = Gateways::new(&config.payment, cloud.clock());
        Ok(Self {
            gateways: gateways.map_err(std::io::Error::other)?,
            recognition: Recognition::start(&config.recognition, second, now_ms)?,
            connections: Arc::new(Semaphore::new(config.http.max_connections)),
            max_connections: config.http.max_connections,
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
            channels: Channels::new(&config.recognition),
            local_callers: loopback && config.auth.anonymous == Anonymous::Loopback,
            membership_self_service: config.sites.membership_self_service,
            cors: Cors::new(&config.http.cors_origins, loopback),
            limiter: Limiter::new(&config.limits, cloud.limits.are_shared()),
            cloud,
            status,
            stopping,
            longest_wait: LONGEST_WAIT
                .min(Duration::from_secs(config.http.request_timeout_s).mul_f32(0.8)),
        })
    }

    /// Connections that are open, without those that became channels.
    pub(crate) fn open_connections(&self) -> usize {
        self.max_connections - self.connections.available_permits()
    }

    /// Takes over what can change while the service runs.
    pub(crate) fn reconfigure(&self, config: &Config) {
        self.limiter.set(&config.limits);
        self.cors.set(&config.http.cors_origins);
    }
}
