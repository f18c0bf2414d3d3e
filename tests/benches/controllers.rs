//! How long a command takes from the call that sends it to its bytes on the line, and to the
//! answer, while the line is busy with polls as ever.

use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{event::Action, ids::CommandId};
use edge_daemon::{
    controller::{Command, Config, Controllers, Report, What, keys::Keys, start},
    system_clock::SystemClock,
};
use rand::Rng;
use system_tests::{
    barrier::{Barrier, Timing},
    device::{Account, MqttDevice},
    mosquitto::Mosquitto,
    serial::SerialLine,
};
use tempfile::TempDir;
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const COMMANDS: usize = 500;
/// Longer than between two polls, so that commands meet them at any moment.
const PAUSE_MS: std::ops::Range<u64> = 0..60;
const TIMING: Timing = Timing { travel_ms: 1, approach_ms: 1, passing_ms: 1 };

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = TempDir::new()?;
    let path = directory.path().join("line");
    let _line = SerialLine::new(&path, vec![(1, Barrier::new(TIMING))])?;
    let path = path.display();
    let settings = format!("link = 'serial'\npath = '{path}'");
    measure("serial", &settings, directory.path()).await?;

    let broker = Mosquitto::start()?;
    let port = broker.port();
    let account = Account { host: "127.0.0.1".to_owned(), port, login: None };
    let (state, device) = (directory.path(), Barrier::new(TIMING).device());
    let _barrier = MqttDevice::paired(account, "bench", "barrier", state, device)?;
    measure("mqtt", &format!("link = 'mqtt'\n[mqtt]\nport = {port}"), state).await
}

async fn measure(link: &str, settings: &str, state: &Path) -> Result<(), Box<dyn Error>> {
    let config: Config = toml::from_str(&format!("[[controllers]]\nid = 'barrier'\n{settings}"))?;
    let shutdown = CancellationToken::new();
    let _running = shutdown.clone().drop_guard();
    let keys = Keys::new(state);
    let (controllers, mut reports) =
        start(&config, &"bench".parse()?, &keys, Arc::new(SystemClock), shutdown);
    while reports.recv().await.ok_or("the controllers ended")?.what != What::Online {}
    let (mut sent, mut answered) = (Vec::new(), Vec::new());
    for round in 0..COMMANDS {
        let pause = rand::rng().random_range(PAUSE_MS);
        sleep(Duration::from_millis(pause)).await;
        let action = if round % 2 == 0 { Action::Open } else { Action::Close };
        let (to_line, to_answer) = command(&controllers, &mut reports, action).await?;
        sent.push(to_line);
        answered.push(to_answer);
    }
    print(link, "on the line", sent);
    print(link, "answered", answered);
    Ok(())
}

async fn command(
    controllers: &Controllers,
    reports: &mut mpsc::Receiver<Report>,
    action: Action,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let id = CommandId(Uuid::new_v4());
    let began = Instant::now();
    let expires_in = Duration::from_secs(3);
    controllers.send(&"barrier".parse()?, Command { id, action: action.into(), expires_in })?;
    let mut to_line = Duration::ZERO;
    loop {
        match reports.recv().await.ok_or("the controllers ended")?.what {
            What::Sent { command, at } if command == id => to_line = at - began,
            What::Result { command, .. } if command == id => {
                return Ok((to_line, began.elapsed()));
            }
            _ => {}
        }
    }
}

fn print(link: &str, what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |share: usize| times[(times.len() - 1) * share / 1_000].as_secs_f64() * 1e3;
    let (p50, p90, p99, max) = (ms(500), ms(900), ms(990), ms(1_000));
    println!("{link:>8} command {what:<12} p50 {p50:.2} p90 {p90:.2} p99 {p99:.2} max {max:.2} ms");
}
