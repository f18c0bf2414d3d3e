//! A site as scenarios need it again and again: an entry over a serial line, an exit over MQTT, a
//! cloud behind a line that can be cut, vision played by the scenario, and cars.

use std::{io, path::PathBuf, time::Duration};

use domain::event::{Event, Fact};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use crate::{
    barrier::{Barrier, Timing},
    clock::WallClock,
    device::{Account, MqttDevice},
    disk::FaultyDisk,
    line::Line,
    mosquitto::Mosquitto,
    process::{self, PATIENCE},
    serial::SerialLine,
    site::{Cloud, Edge, Lane, Link, Plan, Source},
    traffic::Drive,
    vision::Vision,
};

/// The site's name at the cloud.
pub const SITE: &str = "scenario";
/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What differs between scenarios.
#[derive(Default)]
pub struct Setup<'a> {
    /// How quick the hardware is.
    pub timing: Timing,
    /// More keys of the entry lane.
    pub entry: &'a str,
    /// More keys of the exit lane.
    pub exit: &'a str,
    /// Tariff, permits and so on, as tables of the configuration. `[parking]` must be there.
    pub more: &'a str,
    /// A film for the entry's camera, seen by a real vision process; none where the scenario plays
    /// vision.
    pub film: Option<PathBuf>,
    /// The wall clock that the edge goes by; none for the machine's.
    pub clock: Option<WallClock>,
    /// The disk that the edge writes to; none for the machine's.
    pub disk: Option<FaultyDisk>,
}

/// A running site with its cloud; all of it ends with it.
pub struct Scenario {
    /// The cloud.
    pub cloud: Cloud,
    /// The line from the site to the cloud.
    pub internet: Line,
    /// The broker.
    pub broker: Mosquitto,
    /// The edge.
    pub edge: Edge,
    /// Where cars come in.
    pub entry: Drive,
    /// Where they leave.
    pub exit: Drive,
    _links: (SerialLine, MqttDevice),
    _folder: TempDir,
}

impl Scenario {
    /// Starts everything and waits until the gate works and both barriers answer.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn start(setup: Setup<'_>) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let cloud = Cloud::start(&folder.path().join("cloud"), process::free_port()?).await?;
        let code = cloud.add_site(SITE, "Scenario").await?;
        let internet = Line::open(cloud.address()).await?;
        let (entry, exit) = (Barrier::new(setup.timing), Barrier::new(setup.timing));
        let pty = folder.path().join("line");
        let line = SerialLine::new(&pty, vec![(1, entry.clone())])?;
        let broker = Mosquitto::start()?;
        let account = Account { host: "127.0.0.1".into(), port: broker.port(), login: None };
        let state = folder.path().join("edge/state");
        let mqtt = MqttDevice::paired(account, SITE, "exit-barrier", &state, exit.device())?;
        let plan = setup.plan(broker.port(), pty);
        let url = format!("http://{}", internet.address());
        let edge = Edge::start(&folder.path().join("edge"), &plan, Some((&url, &code))).await?;
        let vision = Vision::start(edge.sightings());
        let entry = Drive::new(entry, "entry-camera", vision.clone());
        let exit = Drive::new(exit, "exit-camera", vision);
        let _links = (line, mqtt);
        let scenario = Self { cloud, internet, broker, edge, entry, exit, _links, _folder: folder };
        scenario.online("entry-barrier").await?;
        scenario.online("exit-barrier").await?;
        Ok(scenario)
    }

    /// Waits until the journal's last word on a controller is that it answers.
    ///
    /// # Errors
    /// Where the journal cannot be read, or it does not answer for long.
    pub async fn online(&self, device: &str) -> io::Result<()> {
        let last = |events: &[Event]| {
            events.iter().rev().find_map(|event| match &event.fact {
                Fact::Device { device: name, online, .. } if name.as_str() == device => {
                    Some(*online)
                }
                _ => None,
            })
        };
        self.until(&format!("{device} answers"), |events| last(events) == Some(true)).await
    }

    /// Waits until the journal is as `is` says.
    ///
    /// # Errors
    /// Where the journal cannot be read, or it never is; then the message is that `what` did not
    /// come about.
    pub async fn until(&self, what: &str, is: impl Fn(&[Event]) -> bool) -> io::Result<()> {
        let come = async {
            while !is(&self.edge.events()?) {
                sleep(LOOK).await;
            }
            Ok(())
        };
        timeout(PATIENCE, come)
            .await
            .unwrap_or_else(|_| Err(io::Error::other(format!("{what}: not in {PATIENCE:?}"))))
    }

    /// Waits until the cloud has acknowledged everything, and compares: how many events both have.
    ///
    /// # Errors
    /// Where that takes too long, or one has what the other has not, or has it twice.
    pub async fn synced(&self) -> io::Result<u64> {
        let journal = self.edge.journal()?;
        let figures = || Ok::<_, io::Error>((head(&journal)?, journal.acked_through()));
        let synced = async {
            loop {
                let (head, acked) = figures()?;
                if acked.map_err(io::Error::other)? == head {
                    return Ok::<_, io::Error>(head);
                }
                sleep(LOOK).await;
            }
        };
        let late = |_| io::Error::other("the cloud does not catch up");
        let head = timeout(PATIENCE, synced).await.map_err(late)??;
        let at_cloud = self.cloud.events(SITE).map_err(io::Error::other)?;
        if at_cloud != (head, head) {
            let message = format!("the journal has {head} events, the cloud {at_cloud:?}");
            return Err(io::Error::other(message));
        }
        Ok(head)
    }
}

impl Setup<'_> {
    fn plan(&self, broker: u16, pty: PathBuf) -> Plan<'_> {
        let film = self.film.clone().unwrap_or_else(|| PathBuf::from("/dev/null"));
        let film = Source(format!("source = \"files\"\npath = {film:?}\nloop = true"));
        let nothing = Source("source = \"files\"\npath = \"/dev/null\"".into());
        let lane = |name, link, source, more| Lane {
            name,
            direction: name,
            source: Some(source),
            link,
            more,
        };
        let lanes = vec![
            lane("entry", Link::Serial(pty, 1), film, self.entry),
            lane("exit", Link::Mqtt, nothing, self.exit),
        ];
        let vision = self.film.is_some();
        Plan {
            site: SITE,
            broker: Some(broker),
            lanes,
            vision,
            more: self.more,
            clock: self.clock.as_ref(),
            disk: self.disk.as_ref(),
        }
    }
}

fn head(journal: &edge_daemon::journal::Reader) -> io::Result<u64> {
    journal.head().map_err(io::Error::other)
}
