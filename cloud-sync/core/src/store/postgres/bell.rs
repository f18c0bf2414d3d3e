//! What instances tell each other, over one connection of each: that something has changed
//! (`LISTEN`, `NOTIFY`), and which of them does what is due by the clock (a lock that the connection
//! holds, and that is free when the instance dies).
//!
//! What is told is told after it is on disk, and may be lost with the one who tells it. So everybody
//! looks again after some seconds as well, and often while the connection is away.

use std::{thread, time::Duration};

use tokio::{
    runtime, select,
    sync::{mpsc, watch},
    time::{Instant, interval, sleep, timeout},
};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::{line::Line, link::Link};
use crate::store::StoreError;

const CHANNEL: &str = "gatehouse";
/// What the periodic jobs are locked by.
const LEAD: &str = "SELECT pg_try_advisory_lock(7021091424851459142)";
/// How often the lead is asked for, or the connection for a sign of life.
const BEAT: Duration = Duration::from_secs(1);
/// Longest wait for that.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often everybody looks again, whatever was told.
const LOOK: Duration = Duration::from_secs(5);
/// The same while nothing can be heard.
const LOOK_WHILE_DEAF: Duration = Duration::from_millis(500);
/// Least time between two tellings: what comes up meanwhile is told once.
const PAUSE: Duration = Duration::from_millis(20);

/// Who hears.
pub(in crate::store) type Heard = Box<dyn Fn(&str) + Send>;

struct Bell {
    name: String,
    out: mpsc::Receiver<String>,
    leads: watch::Sender<bool>,
    heard: Heard,
}

/// Starts to tell what comes through `out` and to hear what others tell; an empty text means that
/// something may have changed. Ends when `out` does.
pub(in crate::store) fn start(
    link: Link,
    out: mpsc::Receiver<String>,
    heard: Heard,
) -> Result<watch::Receiver<bool>, StoreError> {
    let failed = |error| StoreError::new("start a thread of the store", error);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (leads, leading) = watch::channel(false);
    let bell = Bell { name: Uuid::new_v4().simple().to_string(), out, leads, heard };
    let run = move || runtime.block_on(bell.run(link));
    thread::Builder::new().name("store-bell".to_owned()).spawn(run).map_err(failed)?;
    Ok(leading)
}

impl Bell {
    async fn run(mut self, mut link: Link) {
        while !self.out.is_closed() {
            if let Ok((client, line)) = link.connect().await {
                let ended = self.talk(&client, line).await;
                self.leads.send_replace(false);
                let Err(error) = ended else { return };
                tracing::warn!(%error, "cannot hear the other instances for a while");
            }
            (self.heard)("");
            sleep(LOOK_WHILE_DEAF).await;
        }
    }

    /// Tells and hears until the connection ends, or, without an error, until nothing will be told.
    async fn talk(&mut self, client: &Client, mut line: Line) -> Result<(), String> {
        let (name, heard) = (&self.name, &self.heard);
        let hear = async {
            while let Some(message) = line.next().await {
                if let Some((from, text)) = message.as_deref().and_then(|m| m.split_once(' '))
                    && from != name
                {
                    heard(text);
                }
            }
            Err("the connection has ended".to_owned())
        };
        select! {
            ended = hear => ended,
            ended = speak(client, name, &mut self.out, &self.leads, heard) => ended,
        }
    }
}

async fn speak(
    client: &Client,
    name: &str,
    out: &mut mpsc::Receiver<String>,
    leads: &watch::Sender<bool>,
    heard: &Heard,
) -> Result<(), String> {
    within(client.batch_execute(&format!("LISTEN {CHANNEL}"))).await?;
    heard("");
    let (mut beat, mut looked_at) = (interval(BEAT), Instant::now());
    loop {
        select! {
            text = out.recv() => {
                let Some(text) = text else { return Ok(()) };
                for text in gather(text, out) {
                    let told = format!("{name} {text}");
                    let notify = format!("SELECT pg_notify('{CHANNEL}', $1)");
                    within(client.execute(&notify, &[&told])).await?;
                }
                sleep(PAUSE).await;
            }
            _ = beat.tick() => {
                if *leads.borrow() {
                    within(client.batch_execute("")).await?;
                } else if within(client.query_one(LEAD, &[])).await?.get(0) {
                    tracing::info!("this instance does what is due by the clock");
                    leads.send_replace(true);
                }
                if looked_at.elapsed() >= LOOK {
                    looked_at = Instant::now();
                    heard("");
                }
            }
        }
    }
}

/// What is to be told, each once.
fn gather(first: String, out: &mut mpsc::Receiver<String>) -> Vec<String> {
    let mut texts = vec![first];
    while let Ok(text) = out.try_recv() {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

async fn within<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, String> {
    let answer = timeout(PATIENCE, answer).await;
    answer.map_err(|_| "the database does not answer".to_owned())?.map_err(|e| e.to_string())
}
