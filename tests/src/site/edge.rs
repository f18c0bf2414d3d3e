//! The edge: `edge-daemon` with a configuration written for the scenario.

use std::{
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

use domain::event::Event;
use edge_daemon::journal::{Reader, StateDir};

use crate::{
    clock::WallClock,
    disk::FaultyDisk,
    process::{self, Process},
};

/// What stands at a site.
pub struct Plan<'a> {
    /// The site's name at the cloud.
    pub site: &'a str,
    /// Port of the MQTT broker.
    pub broker: Option<u16>,
    /// Its lanes.
    pub lanes: Vec<Lane<'a>>,
    /// Whether the core starts vision itself; otherwise the scenario plays vision.
    pub vision: bool,
    /// More of the configuration: permits, tariff, and so on.
    pub more: &'a str,
    /// The wall clock that the daemon goes by; none for the machine's.
    pub clock: Option<&'a WallClock>,
    /// The disk that the daemon writes to; none for the machine's.
    pub disk: Option<&'a FaultyDisk>,
}

/// One lane.
pub struct Lane<'a> {
    /// Its name, from which those of its camera and barrier follow.
    pub name: &'a str,
    /// `entry` or `exit`.
    pub direction: &'a str,
    /// Its camera.
    pub source: Option<Source>,
    /// How its barrier is reached.
    pub link: Link,
    /// More keys of the lane.
    pub more: &'a str,
}

/// Where a camera's frames come from, as keys of its `[[cameras]]`.
pub struct Source(pub String);

/// How a barrier is reached.
pub enum Link {
    /// Over this serial line, at this address.
    Serial(PathBuf, u8),
    /// Over the broker.
    Mqtt,
}

impl<'a> Plan<'a> {
    /// A site without cars: a broker and what `more` of the configuration says.
    pub fn without_lanes(site: &'a str, broker: u16, more: &'a str) -> Self {
        let (broker, lanes, vision) = (Some(broker), Vec::new(), false);
        Self { site, broker, lanes, vision, more, clock: None, disk: None }
    }

    fn configuration(&self, folder: &Path, health: u16, console: u16) -> String {
        let mut text = format!(
            "[site]\nid = {:?}\n[journal]\nstate_dir = {:?}\n\
             [health]\nlisten = \"127.0.0.1:{health}\"\n\
             [console]\nlisten = \"127.0.0.1:{console}\"\n[vision]\nmanaged = {}\n",
            self.site,
            folder.join("state"),
            self.vision
        );
        if let Some(port) = self.broker {
            let _ = write!(text, "[mqtt]\nport = {port}\n");
        }
        for lane in &self.lanes {
            lane.write(&mut text);
        }
        text + self.more
    }
}

impl Lane<'_> {
    fn write(&self, text: &mut String) {
        let Self { name, direction, more, .. } = self;
        let camera = self.source.as_ref().map(|_| format!("{name}-camera"));
        let _ = write!(
            text,
            "[[lanes]]\nid = {name:?}\ndirection = {direction:?}\ndevice = \"{name}-barrier\"\n\
             cameras = {:?}\n{more}\n[[controllers]]\nid = \"{name}-barrier\"\n",
            camera.as_slice()
        );
        let _ = match &self.link {
            Link::Serial(path, address) => {
                write!(text, "link = \"serial\"\npath = {path:?}\naddress = {address}\n")
            }
            Link::Mqtt => writeln!(text, "link = \"mqtt\""),
        };
        if let Some(Source(keys)) = &self.source {
            let _ = write!(text, "[[cameras]]\nid = \"{name}-camera\"\n{keys}\n");
        }
    }
}

/// A running `edge-daemon`.
pub struct Edge {
    process: Process,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    health: u16,
    console: u16,
}

impl Edge {
    /// Starts it with its state in `folder`, enrolled at `cloud` with a code where they are given,
    /// and waits until it is ready.
    ///
    /// # Errors
    /// Where it does not start; the message has its last words.
    pub async fn start(
        folder: &Path,
        plan: &Plan<'_>,
        cloud: Option<(&str, &str)>,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        if let Some((url, code)) = cloud {
            let state = folder.join("state");
            let state = state.to_string_lossy();
            let args = ["enroll", "--cloud", url, "--code", code, "--state", &state];
            process::output("edge-daemon", args, "").await?;
        }
        let (health, console) = (process::free_port()?, process::free_port()?);
        std::fs::write(folder.join("edge.toml"), plan.configuration(folder, health, console))?;
        let mut environment = plan.clock.map(WallClock::environment).unwrap_or_default();
        environment.extend(plan.disk.map(FaultyDisk::environment).unwrap_or_default());
        let process = launch(folder, &environment, health).await?;
        Ok(Self { process, folder: folder.to_owned(), environment, health, console })
    }

    /// Kills it without warning, as a power cut would.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.process.kill().await
    }

    /// Starts it again with the same configuration and state.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.process = launch(&self.folder, &self.environment, self.health).await?;
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// Where it hangs.
    pub async fn stop(&mut self) -> io::Result<()> {
        self.process.stop().await
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// A reader of its journal, as any other process on the machine may have one.
    ///
    /// # Errors
    /// Where the journal cannot be opened.
    pub fn journal(&self) -> io::Result<Reader> {
        Reader::open(&self.state()).map_err(io::Error::other)
    }

    /// Every event in its journal, as it was written.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn bodies(&self) -> io::Result<Vec<String>> {
        let journal = self.journal()?;
        let mut bodies = Vec::new();
        loop {
            let lines = journal.lines(bodies.len() as u64 + 1, 500).map_err(io::Error::other)?;
            if lines.is_empty() {
                return Ok(bodies);
            }
            bodies.extend(lines.into_iter().map(|line| line.body));
        }
    }

    /// Every event in its journal.
    ///
    /// # Errors
    /// Where the journal cannot be read, or has something that is no event.
    pub fn events(&self) -> io::Result<Vec<Event>> {
        self.bodies()?.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
    }

    /// Its state directory.
    pub fn state(&self) -> StateDir {
        StateDir::new(self.folder.join("state"))
    }

    /// Where vision connects.
    pub fn sightings(&self) -> PathBuf {
        self.state().path().join("sightings.sock")
    }

    /// Its health and figures.
    pub fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.health)
    }

    /// Its console.
    pub fn console_url(&self) -> String {
        format!("http://127.0.0.1:{}/console", self.console)
    }

    /// The operator's token.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn operator_token(&self) -> io::Result<String> {
        let path = self.state().path().join("operator.token");
        Ok(std::fs::read_to_string(path)?.trim().to_owned())
    }
}

async fn launch(
    folder: &Path,
    environment: &[(String, String)],
    health: u16,
) -> io::Result<Process> {
    let config = folder.join("edge.toml");
    let config = config.to_string_lossy();
    let args = ["run", "--config", &config];
    let mut process = Process::start_in(environment, "edge-daemon", args, folder)?;
    process.ready(&format!("http://127.0.0.1:{health}/readyz")).await?;
    Ok(process)
}
