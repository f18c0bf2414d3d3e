//! The vision process as the core holds it.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child as Process, Command},
    time,
};

/// How vision is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Launch {
    /// This very program as vision, with the core's configuration and socket.
    ///
    /// # Errors
    /// When the system does not say where this program lies.
    pub fn this_program(config: &Path, socket: &Path) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let args = ["vision".into(), "--config".into(), config.into()].into_iter();
        Ok(Self { program, args: args.chain(["--socket".into(), socket.into()]).collect() })
    }

    /// Starts it: in a process group of its own, so that a Ctrl-C reaches the core alone, and with
    /// the core's stderr. (It asks the system itself to be ended with the core.)
    pub(super) fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.args)
            // Each of its many threads would otherwise keep a heap of its own: 12 MB more.
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map(Child)
    }
}

/// A running vision process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Child(Process);

impl Child {
    /// Its process, while it was not waited for.
    pub fn pid(&self) -> Option<u32> {
        self.0.id()
    }

    /// Waits for its end. May be cancelled.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }

    /// Asks it to end, and kills it when it does not within `deadline`.
    pub async fn stop(&mut self, deadline: Duration) {
        if let Some(pid) = self.pid().and_then(|pid| i32::try_from(pid).ok()) {
            // It may have ended by itself in between.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        if time::timeout(deadline, self.ended()).await.is_err() {
            tracing::warn!("vision did not end when asked and is killed");
            self.kill().await;
        }
    }

    /// Kills it and waits for its end.
    pub async fn kill(&mut self) {
        if let Err(error) = self.0.kill().await {
            tracing::error!(%error, "vision cannot be killed");
        }
    }
}
