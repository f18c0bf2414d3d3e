//! One life of a vision process: what it says is passed on until it ends, hangs or misbehaves.

use std::ops::ControlFlow;

use tokio::{
    sync::mpsc,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use super::{Event, Policy, child::Child, tell};
use crate::sightings::{Cut, Message, Received, Receiver};

/// Why a life ended.
pub(super) enum End {
    /// The core stops.
    Stopped,
    /// Vision failed, and how.
    Failed(String),
}

/// A vision process that is watched.
pub(super) struct Life<'a> {
    /// The process, where it was started here.
    pub child: Option<Child>,
    policy: &'a Policy,
    connected: bool,
    /// When something was last heard of it.
    heard: Instant,
}

impl<'a> Life<'a> {
    pub fn new(child: Option<Child>, policy: &'a Policy) -> Self {
        Self { child, policy, connected: false, heard: Instant::now() }
    }

    pub async fn watch(
        &mut self,
        receiver: &mut Receiver,
        events: &mpsc::Sender<Event>,
        stop: &CancellationToken,
    ) -> End {
        loop {
            // What was said is taken before the silence is judged: the core may have been slow.
            let happened = tokio::select! {
                biased;
                () = stop.cancelled() => return End::Stopped,
                received = receiver.next() => self.on_received(received, receiver).await,
                reason = self.failed() => ControlFlow::Break(reason),
            };
            match happened {
                ControlFlow::Break(reason) => return End::Failed(reason),
                ControlFlow::Continue(None) => {}
                ControlFlow::Continue(Some(event)) => {
                    if tell(events, event, stop).await.is_break() {
                        return End::Stopped;
                    }
                    self.heard = Instant::now();
                }
            }
        }
    }

    async fn on_received(
        &mut self,
        received: Received,
        receiver: &mut Receiver,
    ) -> ControlFlow<String, Option<Event>> {
        ControlFlow::Continue(match received {
            Received::Message(Message::Heartbeat) => {
                self.heard = Instant::now();
                None
            }
            Received::Message(message) => Some(Event::Message(message)),
            Received::Connected { pid } if self.is_ours(pid) => {
                self.connected = true;
                Some(Event::Connected { pid })
            }
            Received::Connected { pid } => {
                tracing::warn!(pid, "another vision process connected and was cut off");
                receiver.disconnect();
                None
            }
            Received::Disconnected(cut) if self.connected => {
                return ControlFlow::Break(self.parted(&cut).await);
            }
            Received::Disconnected(cut) => {
                tracing::warn!(%cut, "a process on the sightings socket was cut off");
                None
            }
        })
    }

    fn is_ours(&self, pid: u32) -> bool {
        self.child.as_ref().is_none_or(|child| child.pid() == Some(pid))
    }

    /// Why the connection ended: where the process ended with it, that says more.
    async fn parted(&mut self, cut: &Cut) -> String {
        const DYING: time::Duration = time::Duration::from_millis(500);
        match (cut, &mut self.child) {
            (Cut::Closed, Some(child)) => match time::timeout(DYING, child.ended()).await {
                Ok(status) => ended(status),
                Err(_) => cut.to_string(),
            },
            _ => cut.to_string(),
        }
    }

    /// Waits until it ends before it connected, or is silent for too long. Once it is connected,
    /// its end shows on the socket, behind its last words.
    async fn failed(&mut self) -> String {
        let (connected, heard) = (self.connected, self.heard);
        let silence = match (&mut self.child, connected) {
            (_, true) => self.policy.silence,
            (None, false) => return std::future::pending().await,
            (Some(child), false) => {
                let start_within = self.policy.start_within;
                match time::timeout_at(heard + start_within, child.ended()).await {
                    Ok(status) => return ended(status),
                    Err(_) => start_within,
                }
            }
        };
        time::sleep_until(heard + silence).await;
        format!("vision hangs: not a word for {} s", silence.as_secs_f32())
    }
}

fn ended(status: std::io::Result<std::process::ExitStatus>) -> String {
    match status {
        Ok(status) => format!("vision ended: {status}"),
        Err(error) => format!("vision ended: {error}"),
    }
}
