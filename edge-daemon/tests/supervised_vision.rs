//! Vision as a real process under the core's supervision: killed, stopped in its tracks, flooding,
//! and left behind by a core that was killed.

#![allow(clippy::unwrap_used)]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use edge_daemon::{
    sightings::{Message, Receiver},
    supervisor::{Event, Launch, Policy, Supervisor},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{sync::mpsc, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

const DAEMON: &str = env!("CARGO_BIN_EXE_edge-daemon");
/// Far longer than anything takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A core that supervises vision.
struct Core {
    events: mpsc::Receiver<Event>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn policy() -> Policy {
    Policy {
        initial: Duration::from_millis(20),
        silence: Duration::from_millis(2500),
        start_within: PATIENCE,
        ..Policy::default()
    }
}

impl Core {
    fn start(launch: Launch, socket: &Path) -> Self {
        let (sender, events) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let receiver = Receiver::bind(socket).unwrap();
        let supervisor =
            Supervisor { launch: Some(launch), policy: policy(), receiver, events: sender };
        let task = tokio::spawn(supervisor.run(stop.clone()));
        Self { events, stop, task }
    }

    /// The next event that `pick` takes.
    async fn wait_for<T>(&mut self, pick: impl Fn(Event) -> Option<T>) -> T {
        let picked = async {
            loop {
                let event = self.events.recv().await.expect("the supervisor goes on");
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        };
        time::timeout(PATIENCE, picked).await.expect("it happens in time")
    }

    async fn connected(&mut self) -> u32 {
        self.wait_for(|event| match event {
            Event::Connected { pid } => Some(pid),
            _ => None,
        })
        .await
    }

    async fn restarting(&mut self) -> String {
        self.wait_for(|event| match event {
            Event::Restarting { reason, .. } => Some(reason),
            _ => None,
        })
        .await
    }
}

/// A site with one camera: a folder with one grey picture.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("cars");
    std::fs::create_dir(&pictures).unwrap();
    image::RgbImage::from_pixel(320, 180, image::Rgb([90; 3]))
        .save(pictures.join("1.png"))
        .unwrap();
    let config = format!(
        "[site]\nid = \"site\"\n[journal]\nstate_dir = {:?}\n[parking]\nplaces = 1\n\
         [[lanes]]\nid = \"entry\"\ndirection = \"entry\"\ndevice = \"barrier\"\n\
         cameras = [\"entry\"]\n\
         [[controllers]]\nid = \"barrier\"\nlink = \"serial\"\npath = \"/dev/null\"\n\
         [[cameras]]\nid = \"entry\"\nsource = \"files\"\npath = {pictures:?}\nloop = false\n\
         show_ms = 100\ngap_ms = 100\n",
        folder.path().join("state"),
    );
    std::fs::write(folder.path().join("edge.toml"), config).unwrap();
    folder
}

fn vision(site: &Path) -> (Launch, PathBuf) {
    let socket = site.join("sightings.sock");
    let args: [OsString; 5] = [
        "vision".into(),
        "--config".into(),
        site.join("edge.toml").into(),
        "--socket".into(),
        socket.clone().into(),
    ];
    (Launch { program: DAEMON.into(), args: args.into() }, socket)
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

async fn ends(pid: u32) {
    let gone = async {
        while is_running(pid) {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    time::timeout(PATIENCE, gone).await.expect("the process ends");
}

#[tokio::test]
async fn a_camera_says_that_it_is_there_and_that_it_is_through() {
    let site = site();
    let (launch, socket) = vision(site.path());
    let mut core = Core::start(launch, &socket);
    core.connected().await;
    let mut said = Vec::new();
    while !matches!(said.last(), Some(Message::Finished { .. })) {
        let message = |event| match event {
            Event::Message(message) => Some(message),
            _ => None,
        };
        said.push(core.wait_for(message).await);
    }
    assert!(matches!(&said[0], Message::Camera { online: true, .. }), "{said:?}");
    core.stop.cancel();
    time::timeout(PATIENCE, core.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn vision_that_is_killed_or_hangs_is_started_again_and_stops_with_the_core() {
    let site = site();
    let (launch, socket) = vision(site.path());
    let mut core = Core::start(launch, &socket);
    let first = core.connected().await;
    signal(first, Signal::SIGKILL);
    assert!(core.restarting().await.contains("signal: 9"));
    let second = core.connected().await;
    assert_ne!(first, second);

    signal(second, Signal::SIGSTOP);
    assert!(core.restarting().await.contains("hangs"));
    let third = core.connected().await;
    ends(second).await;

    core.stop.cancel();
    time::timeout(PATIENCE, core.task).await.unwrap().unwrap();
    assert!(!is_running(third));
    assert!(!socket.exists());
}

/// This test program again, as one of the processes below.
fn myself(role: &str, socket: &Path) -> Launch {
    let args: [OsString; 4] =
        ["--ignored".into(), "--exact".into(), role.into(), socket.to_owned().into()];
    Launch { program: std::env::current_exe().unwrap(), args: args.into() }
}

fn last_argument() -> PathBuf {
    std::env::args_os().next_back().unwrap().into()
}

#[tokio::test]
async fn vision_that_floods_is_ended_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sightings.sock");
    let mut core = Core::start(myself("role_of_a_flood", &socket), &socket);
    for _ in 0..2 {
        let pid = core.connected().await;
        assert!(core.restarting().await.contains("floods"));
        ends(pid).await;
    }
    core.stop.cancel();
    core.task.await.unwrap();
}

#[test]
#[ignore = "a process that another test starts"]
fn role_of_a_flood() {
    use std::io::Write;
    let mut wire = std::os::unix::net::UnixStream::connect(last_argument()).unwrap();
    let mut say = |json: &str| {
        let length = u32::try_from(json.len()).unwrap().to_be_bytes();
        wire.write_all(&[&length, json.as_bytes()].concat())
    };
    let hello = format!(r#"{{"type":"hello","version":1,"pid":{}}}"#, std::process::id());
    say(&hello).unwrap();
    while say(r#"{"type":"lost","sightings":1}"#).is_ok() {}
    // Cut off; a real one would not end by itself either.
    std::thread::sleep(PATIENCE);
}

#[tokio::test]
async fn vision_does_not_outlive_a_core_that_is_killed() {
    let site = site();
    let launch = myself("role_of_a_core", site.path());
    let mut core =
        Command::new(launch.program).args(launch.args).stdout(Stdio::null()).spawn().unwrap();
    let told = site.path().join("pid");
    let pid = async {
        loop {
            match std::fs::read_to_string(&told).map(|pid| pid.parse()) {
                Ok(Ok(pid)) => return pid,
                _ => time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let pid = time::timeout(PATIENCE, pid).await.expect("vision starts");
    // Not even where it cannot notice the end of the connection.
    signal(pid, Signal::SIGSTOP);
    core.kill().unwrap();
    core.wait().unwrap();
    ends(pid).await;
}

#[tokio::test]
#[ignore = "a process that another test starts"]
async fn role_of_a_core() {
    let site = last_argument();
    let (launch, socket) = vision(&site);
    let mut core = Core::start(launch, &socket);
    let pid = core.connected().await;
    std::fs::write(site.join("pid"), pid.to_string()).unwrap();
    core.task.await.unwrap();
}
