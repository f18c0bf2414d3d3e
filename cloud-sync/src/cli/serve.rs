//! `cloud-sync serve`.

use std::{
    io::{self, IsTerminal},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use cloud_core::{Cloud, Options};
use sd_notify::NotifyState;
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use super::{Database, Outcome};
use crate::{SystemClock, config::Config, server};

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
    /// Least level that is logged.
    #[arg(long, default_value = "info",
          value_parser = ["debug", "info", "warning", "error", "critical"])]
    log_level: String,
    /// The same as `--log-level debug`.
    #[arg(long)]
    debug: bool,
    /// Configuration file; config/cloud.example.toml explains every key.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

impl Serve {
    pub(super) fn run(self) -> Outcome {
        let config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        self.start_log();
        let cloud = Cloud::open(Options {
            database_url: self.database.database_url,
            pictures: config.pictures.folder.clone(),
            zone: config.sites.time_zone,
            clock: Arc::new(SystemClock::new()),
            providers: config.payment.providers()?,
            lockers: config.lockers.settings(),
        })?;
        let mut runtime = runtime::Builder::new_multi_thread();
        if let Some(workers) = self.workers {
            runtime.worker_threads(workers.into());
        }
        let address = SocketAddr::new(self.host, self.port);
        runtime.enable_all().build()?.block_on(serve(cloud, &config, address))
    }

    fn start_log(&self) {
        let level = match self.log_level.as_str() {
            _ if self.debug => "debug",
            "warning" => "warn",
            "critical" => "error",
            level => level,
        };
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .init();
    }
}

async fn serve(cloud: Cloud, config: &Config, address: SocketAddr) -> Outcome {
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
    server::serve(cloud, config, listener, stop).await?;
    Ok(())
}
