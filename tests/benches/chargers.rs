//! What fifty chargers cost one edge that has its cloud: its memory and its share of a processor,
//! first without any, then with all of them charging.

use std::{
    error::Error,
    fs,
    time::{Duration, Instant},
};

use domain::event::Fact;
use serde_json::{Value, json};
use system_tests::{
    barrier::Timing,
    modbus::{Maker, ModbusLine, Wallbox},
    process::http_client,
    scenario::{Scenario, Setup},
};
use tempfile::TempDir;
use tokio::time::sleep;

const LINES: usize = 5;
const EACH: usize = 10;
const CHARGERS: usize = LINES * EACH;
/// How long is measured.
const WATCHED: Duration = Duration::from_secs(20);
/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Clock ticks in a second, as Linux counts them for people.
const TICKS: f64 = 100.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let idle = measure("without chargers", &site("").await?).await?;
    let folder = TempDir::new()?;
    let wallboxes: Vec<_> = (0..CHARGERS).map(|_| Wallbox::new()).collect();
    let mut more = "[charging]\nlimit_a = 500\n".to_owned();
    let mut lines = Vec::new();
    for (line, there) in wallboxes.chunks(EACH).enumerate() {
        let path = folder.path().join(format!("line-{line}"));
        let devices = (1..).zip(there).map(|(a, wallbox)| (a, Maker::Heidelberg, wallbox.clone()));
        lines.push(ModbusLine::new(&path, devices.collect())?);
        for place in 1..=EACH {
            let number = line * EACH + place;
            more += &format!(
                "[[chargers]]\ndevice = 'charger-{number}'\npile = 'FAST-{number:03}'\nmax_a = 16\n\
                 [[controllers]]\nid = 'charger-{number}'\nlink = 'modbus'\npath = '{}'\n\
                 address = {place}\nmodel = 'heidelberg-energy-control'\n",
                path.display()
            );
        }
    }
    let mut site = site(&more).await?;
    let online = |fact: &Fact| matches!(fact, Fact::Device { device, online: true, .. } if device.as_str().starts_with("charger"));
    site.until("all chargers answer", |events| {
        events.iter().filter(|event| online(&event.fact)).count() >= CHARGERS
    })
    .await?;
    site.synced().await?;
    let staff = site.cloud.add_user("staff", "admin", "long enough a secret").await?;
    count_piles(&site, &staff).await?;
    // A site tells which chargers it has when it starts.
    site.edge.stop().await?;
    site.edge.restart().await?;
    in_service(&site, &staff).await?;
    wallboxes.iter().for_each(|wallbox| wallbox.plug(16.0));
    for driver in 0..CHARGERS {
        ask(&site, &format!("driver-{driver}")).await?;
    }
    site.until("all charge", |events| {
        let starts = events.iter().filter(|event| matches!(event.fact, Fact::ChargeStarted(_)));
        starts.count() == CHARGERS
    })
    .await?;
    let busy = measure("50 chargers, 50 cars", &site).await?;
    println!("for 50 chargers: {:.1} MiB more", busy - idle);
    Ok(())
}

async fn site(more: &str) -> Result<Scenario, Box<dyn Error>> {
    let more = format!("[parking]\nplaces = 100\n{more}");
    let setup = Setup { timing: Timing::default(), more: &more, ..Setup::default() };
    Ok(Scenario::start(setup).await?)
}

/// Has the cloud count as many piles as there are chargers.
async fn count_piles(site: &Scenario, staff: &str) -> Result<(), Box<dyn Error>> {
    let url = format!("{}/api/charging/system_parameters/", site.cloud.url());
    let counted = http_client().put(url).header("authorization", format!("Token {staff}"));
    let counted = counted.json(&json!({"FastChargingPileNum": CHARGERS}));
    counted.send().await?.error_for_status()?;
    Ok(())
}

/// Waits until all piles can be used.
async fn in_service(site: &Scenario, staff: &str) -> Result<(), Box<dyn Error>> {
    let url = format!("{}/api/charging/piles/status/", site.cloud.url());
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let piles = http_client().get(&url).header("authorization", format!("Token {staff}"));
        let piles: Value = piles.send().await?.error_for_status()?.json().await?;
        let piles = piles["data"]["fast_piles"].as_array().map_or(&[][..], Vec::as_slice);
        if piles.iter().filter(|pile| pile["status"] == "normal").count() == CHARGERS {
            return Ok(());
        }
        sleep(Duration::from_millis(200)).await;
    }
    Err(format!("not all piles are in service within {PATIENCE:?}").into())
}

async fn ask(site: &Scenario, driver: &str) -> Result<(), Box<dyn Error>> {
    let token = site.cloud.add_user(driver, "visitor", "long enough a secret").await?;
    let url = format!("{}/api/charging/request/", site.cloud.url());
    let body = json!({"charging_mode": "fast", "requested_amount": 50, "battery_capacity": 60});
    let asked = http_client().post(url).header("authorization", format!("Token {token}"));
    let answer = asked.json(&body).send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    if status.is_success() { Ok(()) } else { Err(format!("{driver}: {status} {text}").into()) }
}

/// Watches the core for a while, says what it took, and gives the MiB of its memory.
async fn measure(what: &str, site: &Scenario) -> Result<f64, Box<dyn Error>> {
    sleep(Duration::from_secs(5)).await;
    let before = ticks(site)?;
    sleep(WATCHED).await;
    let share = (ticks(site)? - before) / TICKS / WATCHED.as_secs_f64() * 100.0;
    let mib = site.edge.process().resident_bytes()? as f64 / f64::from(1 << 20);
    println!("{what}: {mib:.1} MiB resident, {share:.1} % of one core");
    Ok(mib)
}

/// What the core has taken of the processor, in ticks.
fn ticks(site: &Scenario) -> Result<f64, Box<dyn Error>> {
    let pid = site.edge.process().pid().ok_or("the edge is gone")?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let behind_name = stat.rsplit(')').next().ok_or("no stat")?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let [user, system] = [11, 12].map(|index| fields.get(index).copied().unwrap_or_default());
    Ok(user.parse::<f64>()? + system.parse::<f64>()?)
}
