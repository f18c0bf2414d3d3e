//! How the replay goes, for the health signal and for people.

use tokio::sync::watch;

/// What the replay is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// The cloud has everything.
    Synced,
    /// Events are on their way.
    Sending,
    /// The cloud cannot be reached, or does not answer in time.
    Unreachable,
    /// Something answers that is not the cloud: a captive portal, a proxy, another server.
    NotTheCloud,
    /// The cloud asks for a pause, or has a fault of its own.
    Busy,
    /// The cloud does not know this site, or not by this key.
    Unauthorised,
    /// The cloud refuses in a way that setting events aside does not help.
    Refused,
    /// The journal here cannot be read or written.
    Journal,
    /// The cloud has another history of this site. Nothing is sent until someone has looked.
    Forked,
}

impl ReplayState {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Synced,
        Self::Sending,
        Self::Unreachable,
        Self::NotTheCloud,
        Self::Busy,
        Self::Unauthorised,
        Self::Refused,
        Self::Journal,
        Self::Forked,
    ];

    /// The state as one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Sending => "sending",
            Self::Unreachable => "unreachable",
            Self::NotTheCloud => "not_the_cloud",
            Self::Busy => "busy",
            Self::Unauthorised => "unauthorised",
            Self::Refused => "refused",
            Self::Journal => "journal",
            Self::Forked => "forked",
        }
    }
}

/// How the replay goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayStatus {
    /// What it is doing.
    pub state: ReplayState,
    /// What hinders it, in a sentence; empty where nothing does.
    pub detail: String,
    /// Failures in a row.
    pub failures: u32,
}

/// The end that says how it goes.
pub(super) struct Status(watch::Sender<ReplayStatus>);

pub(super) fn channel() -> (Status, watch::Receiver<ReplayStatus>) {
    let first = ReplayStatus { state: ReplayState::Sending, detail: String::new(), failures: 0 };
    let (sender, receiver) = watch::channel(first);
    (Status(sender), receiver)
}

impl Status {
    /// All is well.
    pub(super) fn well(&self, state: ReplayState) {
        self.set(ReplayStatus { state, detail: String::new(), failures: 0 });
    }

    /// Something hinders; `failures` times in a row.
    pub(super) fn hindered(&self, state: ReplayState, detail: String, failures: u32) {
        self.set(ReplayStatus { state, detail, failures });
    }

    /// Logs when the state becomes another, not each attempt.
    fn set(&self, status: ReplayStatus) {
        self.0.send_if_modified(|before| {
            if before.state != status.state {
                log(before.state, &status);
            }
            std::mem::replace(before, status.clone()) != status
        });
    }
}

fn log(before: ReplayState, status: &ReplayStatus) {
    use ReplayState::{Sending, Synced};
    match status.state {
        Synced | Sending if matches!(before, Synced | Sending) => {}
        Synced | Sending => tracing::info!("the cloud takes events again"),
        ReplayState::Forked => tracing::error!("replay stopped: {}", status.detail),
        state => tracing::warn!(state = state.word(), "replay waits: {}", status.detail),
    }
}
