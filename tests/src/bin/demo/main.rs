//! `make demo`: a whole site on loopback, with a line on the terminal for each car.
//!
//! Everything is real but the barriers, the locker and the chargers, which are simulated and speak
//! the real protocols, over ptys and over MQTT, and the cars, which are footage.

mod charging;
mod locker;
mod report;
mod stage;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use chrono::{FixedOffset, Local};
use clap::Parser;
use domain::{
    event::{Fact, Verdict},
    ids::{DeviceId, LaneId},
};
use edge_daemon::{daemon::THROUGH, journal::Reader};
use tokio::time::{Instant, sleep};

use self::{charging::Chargers, report::Report, stage::Stage};

/// How often the journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A car's line waits this long for the cloud, so that it can say that the cloud has it.
const CLOUD_WITHIN: Duration = Duration::from_millis(400);
/// Nothing new for this long after the footage: everything is through.
const QUIET: Duration = Duration::from_secs(4);
/// The line is cut after so many cars, or after all of them where they are fewer.
const CUT_AFTER_CARS: u64 = 2;

/// Shows a site at work: cameras, barriers, journal, cloud.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder of pictures (each is a car), a video, rtsp://… or /dev/videoN, seen at the entry;
    /// without it, footage of our own at both lanes.
    #[arg(long)]
    footage: Option<String>,
    /// End when the footage is through and the cloud has everything.
    #[arg(long)]
    once: bool,
    /// Cut the line to the cloud for so many seconds in the middle.
    #[arg(long, value_name = "SECONDS")]
    offline: Option<u64>,
    /// Port of the cloud.
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Folder with our own footage.
    #[arg(long, default_value = "tests/footage")]
    own: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(show(arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error),
    }
}

fn fail(error: &io::Error) -> ExitCode {
    eprintln!("demo: {error}");
    ExitCode::FAILURE
}

/// Shows it; whether the cloud has in the end what the site journaled.
async fn show(arguments: Arguments) -> io::Result<bool> {
    let mut stage = Stage::set(&arguments).await?;
    println!("{}\n{}", stage.welcome(), Report::heading());
    let mut watch = Watch::new(stage.journal()?, stage.cameras());
    let is_live = arguments.footage.as_deref().is_some_and(stage::is_live);
    watch.live = arguments.once && is_live;
    watch.may_come_later = is_live && !arguments.once;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut cut = arguments.offline.map(Duration::from_secs);
    loop {
        tokio::select! {
            _ = &mut interrupted => break,
            () = sleep(LOOK_EVERY) => {}
        }
        for scene in watch.look()? {
            match scene {
                Scene::Drives(lane) => stage.drive_through(&lane),
                Scene::Charger(charger, is_there) => stage.plug(&charger, is_there),
            }
        }
        if watch.chargers_are_known() && !std::mem::replace(&mut watch.asked, true) {
            stage.ask_for_charges().await?;
        }
        stage.come_to_the_locker(watch.report.cars());
        let is_middle = watch.report.cars() >= CUT_AFTER_CARS || watch.is_through();
        if is_middle && let Some(length) = cut.take() {
            stage.cut_line_for(length);
        }
        let line_is_up = stage.line_is_up();
        if arguments.once && cut.is_none() && line_is_up && watch.is_through() {
            break;
        }
    }
    stage.stop_edge().await?;
    watch.look()?;
    watch.finish();
    let journaled = watch.reader.head().map_err(io::Error::other)?;
    let at_cloud = stage.events_at_cloud()?;
    println!("{}", watch.report.summary(journaled, at_cloud));
    Ok(journaled == at_cloud)
}

/// What is to happen at the site because of what it did.
enum Scene {
    /// A car drives through a lane.
    Drives(LaneId),
    /// A car comes to a charger, or leaves it.
    Charger(DeviceId, bool),
}

/// Follows the journal and prints.
struct Watch {
    reader: Reader,
    report: Report,
    next: u64,
    cameras: usize,
    finished: usize,
    /// A camera whose end is the end of the demonstration: it is through when it goes offline.
    live: bool,
    /// Nobody waits for the end: a camera that is not there yet may come.
    may_come_later: bool,
    delivered: bool,
    backlog_shown: bool,
    changed: Instant,
    /// Chargers that answer, and the last event that said so.
    chargers: (usize, u64),
    acked: u64,
    /// Whether drivers asked for charges.
    asked: bool,
    /// Charges that ended.
    charged: usize,
}

impl Watch {
    fn new(reader: Reader, cameras: usize) -> Self {
        let zone: FixedOffset = *Local::now().offset();
        let report = Report::new(zone);
        Self {
            reader,
            report,
            next: 1,
            cameras,
            finished: 0,
            live: false,
            may_come_later: false,
            delivered: false,
            backlog_shown: false,
            changed: Instant::now(),
            chargers: (0, 0),
            acked: 0,
            asked: false,
            charged: 0,
        }
    }

    /// Reads what is new and prints what is worth it. Returns what is to happen because of it.
    fn look(&mut self) -> io::Result<Vec<Scene>> {
        let mut scenes = Vec::new();
        for line in self.reader.lines(self.next, 500).map_err(io::Error::other)? {
            self.changed = Instant::now();
            let Some(event) = line.event() else { continue };
            self.next = event.sequence + 1;
            match &event.fact {
                Fact::Camera { online: true, .. } => self.delivered = true,
                Fact::Camera { online: false, reason, .. } => self.ended(reason)?,
                Fact::Decision(decision) if decision.verdict == Verdict::Open => {
                    scenes.push(Scene::Drives(decision.lane.clone()));
                }
                Fact::Device { device, online: true, .. } if is_charger(device) => {
                    self.chargers = (self.chargers.0 + 1, event.sequence);
                }
                Fact::ChargeAssigned(charge) => {
                    scenes.push(Scene::Charger(charge.charger.clone(), true));
                }
                Fact::ChargeEnded(charge) => {
                    self.charged += 1;
                    scenes.push(Scene::Charger(charge.charger.clone(), false));
                }
                _ => {}
            }
            if let Some(text) = self.report.take(event) {
                println!("{text}");
            }
        }
        let acked = self.reader.acked_through().map_err(io::Error::other)?;
        let patient = self.changed.elapsed() < CLOUD_WITHIN && acked + 1 < self.next;
        if !patient {
            self.report.lines(acked).iter().for_each(|line| println!("{line}"));
        }
        self.tell_backlog(acked);
        self.acked = acked;
        io::stdout().flush()?;
        Ok(scenes)
    }

    /// A camera delivers no longer. One that never did shows nothing, unless it may come later.
    fn ended(&mut self, reason: &str) -> io::Result<()> {
        if !self.delivered && !self.may_come_later {
            let reason = if reason == THROUGH { "no picture could be decoded" } else { reason };
            return Err(io::Error::other(format!("the footage shows nothing: {reason}")));
        }
        self.finished += usize::from(self.live || reason == THROUGH);
        Ok(())
    }

    fn tell_backlog(&mut self, acked: u64) {
        let behind = self.next - 1 - acked.min(self.next - 1);
        let stuck = behind > 0 && self.changed.elapsed() > 2 * CLOUD_WITHIN;
        if stuck && !self.backlog_shown {
            println!("           the cloud is away; {behind} events wait");
            self.backlog_shown = true;
        } else if behind == 0 && self.backlog_shown {
            println!("           the cloud has everything again");
            self.backlog_shown = false;
        }
    }

    /// Whether all footage was shown, nothing happens any more, and the cloud has everything. A live
    /// camera that comes back would go on for ever.
    fn is_through(&self) -> bool {
        let quiet = self.live || self.changed.elapsed() > QUIET;
        let charged = self.charged >= Chargers::count();
        self.finished >= self.cameras && charged && quiet && !self.backlog_shown
    }

    /// Whether the cloud knows that the chargers are there.
    fn chargers_are_known(&self) -> bool {
        let (answer, last) = self.chargers;
        answer >= Chargers::count() && self.acked >= last
    }

    /// Prints what is still held back.
    fn finish(&mut self) {
        self.report.lines(u64::MAX).iter().for_each(|line| println!("{line}"));
    }
}

fn is_charger(device: &DeviceId) -> bool {
    device.as_str().starts_with("charger-")
}
