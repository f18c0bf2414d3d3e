//! `cloud-sync serve`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use cloud_core::{Cloud, Options};
use domain::clock::Clock;
use sd_notify::NotifyState;
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{Database, Outcome, log::LogLevel, reload};
#[cfg(feature = "test-clock")]
use crate::test_clock::FileClock;
use crate::{
    SystemClock,
    config::{ApiKey, Config, Log},
    payments::Gateways,
    server,
};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::UNSPECIFIED))]
    host: IpAddr,
    /// Port to listen on; 0 for any that is free, which is logged.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Threads that work on requests; one for each processor where it is not given.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Least level that is logged; without it, as the configuration says.
    #[arg(long, value_parser = Log::LEVELS)]
    log_level: Option<String>,
    /// The same as `--log-level debug`.
    #[arg(long)]
    debug: bool,
    /// Configuration file; config/cloud.example.toml explains every key.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Reads the configuration file again when it changes.
    #[arg(long)]
    reload: bool,
    /// Takes the time from this file (RFC 3339) whenever it changes; on a loopback address alone.
    #[cfg(feature = "test-clock")]
    #[arg(long)]
    test_clock: Option<PathBuf>,
    /// Key of the second reader; the environment is the better place for it, since a command line
    /// can be read by everybody on the machine.
    #[arg(long, env = "CLAUDE_API_KEY", hide_env_values = true)]
    claude_api_key: Option<String>,
    /// Model of the second reader, instead of the configured one.
    #[arg(long)]
    claude_model: Option<String>,
    #[command(flatten)]
    database: Database,
}

impl Serve {
    pub(super) fn run(self) -> Outcome {
        let config = self.configuration()?;
        let level = LogLevel::start(self.level(), &config.log.level);
        let clock = self.clock()?;
        let gateways = Gateways::new(&config.payment, &clock)?;
        let cloud = Cloud::open(Options {
            database_url: self.database.database_url.clone(),
            pictures: config.pictures.folder.clone(),
            zone: config.sites.time_zone,
            clock,
            providers: gateways.all(),
            lockers: config.lockers.settings(),
            settings: config.settings(),
        })?;
        let mut runtime = runtime::Builder::new_multi_thread();
        if let Some(workers) = self.workers {
            runtime.worker_threads(workers.into());
        }
        let (changes, config) = watch::channel(config);
        runtime.enable_all().build()?.block_on(async {
            let file = self.config.filter(|_| self.reload);
            if let Some(file) = file {
                tokio::spawn(reload::follow(file, changes, level));
            }
            cloud.serve().await?;
            serve(cloud, config, SocketAddr::new(self.host, self.port)).await
        })
    }

    fn configuration(&self) -> Result<Config, String> {
        let mut config = match &self.config {
            Some(path) => Config::read(path).map_err(|error| error.to_string())?,
            None => Config::default(),
        };
        let key = self.claude_api_key.as_deref().filter(|key| !key.trim().is_empty());
        config.second_reader.key = key.map(ApiKey::new).transpose()?;
        if let Some(model) = &self.claude_model {
            config.second_reader.model.clone_from(model);
        }
        Ok(config)
    }

    fn level(&self) -> Option<&str> {
        if self.debug { Some("debug") } else { self.log_level.as_deref() }
    }

    #[cfg(not(feature = "test-clock"))]
    #[expect(clippy::unnecessary_wraps, reason = "the clock of tests can be refused")]
    #[expect(clippy::unused_self, reason = "the clock of tests comes from the command line")]
    fn clock(&self) -> Result<Arc<dyn Clock>, String> {
        Ok(Arc::new(SystemClock::new()))
    }

    #[cfg(feature = "test-clock")]
    fn clock(&self) -> Result<Arc<dyn Clock>, String> {
        let Some(path) = &self.test_clock else { return Ok(Arc::new(SystemClock::new())) };
        if !self.host.is_loopback() {
            return Err("--test-clock is for tests: it wants --host 127.0.0.1".to_owned());
        }
        let clock = FileClock::open(path);
        let clock = clock.map_err(|e| format!("--test-clock {}: {e}", path.display()))?;
        Ok(Arc::new(clock))
    }
}

async fn serve(cloud: Cloud, config: watch::Receiver<Config>, address: SocketAddr) -> Outcome {
    let listener =
        TcpListener::bind(address).await.map_err(|e| format!("cannot listen on {address}: {e}"))?;
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(address = %listener.local_addr()?, "serving");
    // Nobody to tell where the program was not started by systemd.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
    };
    server::serve_changing(cloud, config, listener, stop).await?;
    Ok(())
}
