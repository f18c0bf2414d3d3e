//! What the demo stands on: broker, cloud, line, barriers and edge, and the configuration of the
//! site that it shows.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use domain::ids::{DeviceId, LaneId};
use edge_daemon::journal::Reader;
use system_tests::{
    barrier::{Barrier, Timing},
    device::{Account, MqttDevice},
    line::Line,
    mosquitto::Mosquitto,
    serial::SerialLine,
    site::{Cloud, Edge, Lane, Link, Plan, Source},
};
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Arguments,
    charging::{self, Chargers},
    locker::Bank,
};

/// The site's name at the cloud.
pub const SITE: &str = "demo";
/// Its name for people.
const NAME: &str = "Demonstration";
/// How the simulated barriers and drivers move: briskly, so that one need not wait for them.
const TIMING: Timing = Timing { travel_ms: 600, approach_ms: 400, passing_ms: 600 };

/// Everything that runs during the demo; all of it ends with it.
pub struct Stage {
    folder: TempDir,
    cloud: Cloud,
    line: Line,
    mended_at: Option<Instant>,
    edge: Edge,
    cameras: usize,
    token: String,
    password: String,
    barriers: [Barrier; 2],
    chargers: Chargers,
    bank: Bank,
    _entry: SerialLine,
    _exit: MqttDevice,
    _broker: Mosquitto,
}

impl Stage {
    /// Sets the stage and waits until the gate works.
    pub async fn set(arguments: &Arguments) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("gatehouse-demo-").tempdir()?;
        let broker = Mosquitto::start()?;
        refuse_taken(arguments.port)?;
        let cloud = Cloud::start(&folder.path().join("cloud"), arguments.port).await?;
        let code = cloud.add_site(SITE, NAME).await?;
        let password = Uuid::new_v4().simple().to_string();
        let token = cloud.add_user("demo", "admin", &password).await?;
        let line = Line::open(cloud.address()).await?;

        let pty = folder.path().join("tty-entry");
        let barriers = [Barrier::new(TIMING), Barrier::new(TIMING)];
        let entry = SerialLine::new(&pty, vec![(1, barriers[0].clone())])?;
        let account = Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None };
        let home = folder.path().join("edge");
        let (state, device) = (home.join("state"), barriers[1].device());
        let exit = MqttDevice::paired(account.clone(), SITE, "exit-barrier", &state, device)?;
        let chargers = Chargers::set(folder.path(), &state, account)?;

        let scene = Scene::of(arguments)?;
        let cameras = scene.cameras();
        let more = [include_str!("site.toml"), chargers.configuration()].concat();
        let plan = scene.plan(broker.port(), &pty, &more);
        let url = format!("http://{}", line.address());
        let mut bank = Bank::connect(SITE, broker.port(), &state)?;
        let edge = Edge::start(&home, &plan, Some((&url, &code))).await?;
        bank.rent(&cloud.url(), &token, NAME).await?;
        Ok(Self {
            folder,
            cloud,
            line,
            mended_at: None,
            edge,
            cameras,
            token,
            password,
            barriers,
            chargers,
            bank,
            _entry: entry,
            _exit: exit,
            _broker: broker,
        })
    }

    /// What a person can do while it runs.
    pub fn welcome(&self) -> String {
        let (url, token) = (self.cloud.url(), &self.token);
        format!(
            "Gatehouse: one site, two lanes, three chargers, lockers. The cloud's page: {url}/   (user demo, password {})\n\
             \x20 curl {url}/api/plates\n\
             \x20 curl {url}/api/sessions\n\
             \x20 curl -H 'Authorization: Token {token}' {url}/hzsystem_parking/detection/records/\n\
             \x20 curl -H 'Authorization: Token {token}' {url}/hzsystem_parking/dashboard/\n\
             Figures of the site: {}/metrics   logs: {}\n",
            self.password,
            self.edge.health_url(),
            self.folder.path().display(),
        )
    }

    /// A reader of the site's journal.
    pub fn journal(&self) -> io::Result<Reader> {
        self.edge.journal()
    }

    /// How many cameras there are.
    pub fn cameras(&self) -> usize {
        self.cameras
    }

    /// Cuts the line to the cloud, to be mended after `length`.
    pub fn cut_line_for(&mut self, length: Duration) {
        println!("           the line to the cloud is cut for {} s", length.as_secs());
        self.line.cut();
        self.mended_at = Some(Instant::now() + length);
    }

    /// Mends the line when its time has come; whether it is up.
    pub fn line_is_up(&mut self) -> bool {
        if self.mended_at.is_some_and(|at| at <= Instant::now()) {
            println!("           the line to the cloud is back");
            self.line.mend();
            self.mended_at = None;
        }
        self.mended_at.is_none()
    }

    /// The car that a lane decided about drives up to the barrier, and through when it is open.
    pub fn drive_through(&self, lane: &LaneId) {
        self.barriers[usize::from(lane.as_str() == "exit")].board().hardware.vehicle();
    }

    /// Drivers want their cars charged.
    pub async fn ask_for_charges(&self) -> io::Result<()> {
        charging::ask(&self.cloud).await
    }

    /// A car comes to a charger, or leaves it.
    pub fn plug(&self, charger: &DeviceId, is_there: bool) {
        self.chargers.plug(charger, is_there);
    }

    /// Now and then somebody comes to the locker, as often as so many cars.
    pub fn come_to_the_locker(&mut self, cars: u64) {
        self.bank.after_cars(cars);
    }

    /// Stops the edge in order.
    pub async fn stop_edge(&mut self) -> io::Result<()> {
        self.edge.stop().await
    }

    /// How many of the site's events are on the cloud's disk.
    pub fn events_at_cloud(&self) -> io::Result<u64> {
        let (rows, distinct) = self.cloud.events(SITE).map_err(io::Error::other)?;
        if rows != distinct {
            return Err(io::Error::other("the cloud has events twice"));
        }
        Ok(rows)
    }
}

fn refuse_taken(port: u16) -> io::Result<()> {
    std::net::TcpListener::bind(("127.0.0.1", port)).map(drop).map_err(|error| {
        let message = format!("port {port} is taken ({error}); give another with --port");
        io::Error::new(ErrorKind::AddrInUse, message)
    })
}

/// What the cameras see, and what the site knows beforehand.
struct Scene {
    entry: Source,
    exit: Option<Source>,
}

impl Scene {
    fn of(arguments: &Arguments) -> io::Result<Self> {
        let again = !arguments.once;
        if let Some(footage) = &arguments.footage {
            return Ok(Self { entry: source(footage, again)?, exit: None });
        }
        let film = |name: &str| {
            let path = fs::canonicalize(arguments.own.join(name)).map_err(|error| {
                let folder = arguments.own.display();
                io::Error::new(error.kind(), format!("our own footage is not in {folder}: {error}"))
            })?;
            Ok::<_, io::Error>(files(&path, again))
        };
        Ok(Self { entry: film("entry.mp4")?, exit: Some(film("exit.mp4")?) })
    }

    fn cameras(&self) -> usize {
        1 + usize::from(self.exit.is_some())
    }

    fn plan<'a>(self, broker: u16, pty: &Path, more: &'a str) -> Plan<'a> {
        let entry = Lane {
            name: "entry",
            direction: "entry",
            source: Some(self.entry),
            link: Link::Serial(pty.to_owned(), 1),
            more: "access = \"public\"",
        };
        let exit =
            Lane { name: "exit", direction: "exit", source: self.exit, link: Link::Mqtt, more: "" };
        let lanes = vec![entry, exit];
        Plan {
            site: SITE,
            broker: Some(broker),
            lanes,
            vision: true,
            more,
            clock: None,
            disk: None,
        }
    }
}

/// Whether what a person named is a camera, which has no end of its own.
pub fn is_live(footage: &str) -> bool {
    is_stream(footage) || is_device(footage)
}

fn is_stream(footage: &str) -> bool {
    footage.starts_with("rtsp://") || footage.starts_with("rtsps://")
}

fn is_device(footage: &str) -> bool {
    footage.starts_with("/dev/video")
}

/// A camera's source from what a person named.
fn source(footage: &str, again: bool) -> io::Result<Source> {
    if is_stream(footage) {
        return Ok(Source(format!("source = \"rtsp\"\nurl = {footage:?}")));
    }
    if is_device(footage) {
        return device(footage);
    }
    let path: PathBuf = fs::canonicalize(footage)
        .map_err(|error| io::Error::new(error.kind(), format!("footage {footage}: {error}")))?;
    Ok(files(&path, again))
}

fn device(footage: &str) -> io::Result<Source> {
    if Path::new(footage).exists() {
        return Ok(Source(format!("source = \"v4l2\"\ndevice = {footage:?}")));
    }
    let entries = fs::read_dir("/dev")?.filter_map(|entry| Some(entry.ok()?.path()));
    let cameras = entries.filter_map(|path| path.to_str().map(str::to_owned));
    let mut cameras: Vec<String> = cameras.filter(|path| is_device(path)).collect();
    cameras.sort();
    let instead = match cameras.as_slice() {
        [] => "this machine has no camera; name a folder of pictures, a video or rtsp://…".into(),
        cameras => format!("this machine has {}", cameras.join(", ")),
    };
    Err(io::Error::new(ErrorKind::NotFound, format!("footage {footage}: not there; {instead}")))
}

fn files(path: &Path, again: bool) -> Source {
    Source(format!("source = \"files\"\npath = {path:?}\nloop = {again}"))
}
