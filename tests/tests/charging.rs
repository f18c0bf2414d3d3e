//! Cars that are charged at a site, from the request at the cloud to the bill: through faults, with
//! the line to the cloud cut, and the program killed in the middle.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use domain::event::{Event, Fact};
use serde_json::{Value, json};
use system_tests::{
    barrier::Timing,
    modbus::{Maker, ModbusLine, Wallbox},
    process::http_client,
    scenario::{Scenario, Setup},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
/// More messages than go to a charger while it is looked at twice.
const LOOKED_AT: u64 = 10;

/// A site with two fast chargers on a Modbus line: one with a meter of its own, one with a meter
/// beside it.
struct Site {
    scenario: Scenario,
    first: Wallbox,
    second: Wallbox,
    _line: ModbusLine,
    _folder: TempDir,
}

impl Site {
    async fn start() -> Self {
        Self::start_at(["FAST-001", "FAST-002"], &["FAST-001", "FAST-002"]).await
    }

    /// With its chargers at two piles; waits for those that the cloud has in use.
    async fn start_at([first_pile, second_pile]: [&str; 2], in_use: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("modbus");
        let (first, second) = (Wallbox::new(), Wallbox::new());
        let devices = vec![
            (1, Maker::Heidelberg, first.clone()),
            (101, Maker::Viridian, second.clone()),
            (2, Maker::Eastron, second.clone()),
        ];
        let line = ModbusLine::new(&path, devices).unwrap();
        let controller = |id: &str, address: u8, model: &str| {
            format!(
                "[[controllers]]\nid = '{id}'\nlink = 'modbus'\npath = '{}'\naddress = {address}\n\
                 model = '{model}'\nbaud = 19200\nparity = 'even'\n",
                path.display()
            )
        };
        let more = [
            format!(
                "[parking]\nplaces = 100\n[charging]\nlimit_a = 40\nfall_back_after_s = 10\n\
                 journal_every_s = 5\n\
                 [[chargers]]\ndevice = 'first'\npile = '{first_pile}'\nmax_a = 16\n\
                 [[chargers]]\ndevice = 'second'\npile = '{second_pile}'\nmax_a = 32\n\
                 meter = 'meter'\n"
            ),
            controller("first", 1, "heidelberg-energy-control"),
            controller("second", 101, "viridian-epc2-plus"),
            controller("meter", 2, "eastron-sdm630"),
        ]
        .concat();
        let setup = Setup { timing: Timing::default(), more: &more, ..Setup::default() };
        let scenario = Scenario::start(setup).await.unwrap();
        let site = Self { scenario, first, second, _line: line, _folder: folder };
        for device in ["first", "second"] {
            site.scenario.online(device).await.unwrap();
        }
        site.scenario.synced().await.unwrap();
        let staff = site.token("staff", "admin").await;
        for pile in in_use {
            site.until_pile(&staff, pile, "normal").await;
        }
        site
    }

    /// Waits until the cloud shows a pile as it should be.
    async fn until_pile(&self, staff: &str, pile: &str, status: &str) {
        self.until(&format!("{pile} is {status}"), async || {
            let piles = self.ask(staff, "GET", "piles/status/", Value::Null).await;
            let piles = piles["data"]["fast_piles"].as_array().unwrap().clone();
            piles.iter().any(|p| p["pile_id"] == pile && p["status"] == status)
        })
        .await;
    }

    async fn token(&self, name: &str, role: &str) -> String {
        self.scenario.cloud.add_user(name, role, "long enough a secret").await.unwrap()
    }

    /// What the cloud answers at its charging face, whatever it is.
    async fn ask(&self, token: &str, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/api/charging/{path}", self.scenario.cloud.url());
        let request = http_client().request(method.parse().unwrap(), url);
        let request = request.header("authorization", format!("Token {token}")).json(&body);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    async fn request(&self, token: &str, kwh: f64) -> Value {
        let body =
            json!({"charging_mode": "fast", "requested_amount": kwh, "battery_capacity": 60});
        let asked = self.ask(token, "POST", "request/", body).await;
        assert_eq!(asked["success"], true, "{asked}");
        asked["data"].clone()
    }

    async fn status(&self, token: &str) -> Value {
        self.ask(token, "GET", "request/status/", Value::Null).await["data"].clone()
    }

    async fn bills(&self, token: &str) -> Vec<Value> {
        let bills = self.ask(token, "GET", "bills/", Value::Null).await;
        bills["data"]["bills"].as_array().unwrap().clone()
    }

    /// Takes the car away from the first charger, long enough for the site to see it free.
    async fn unplug_first(&self) {
        self.first.unplug();
        let free = self.first.state().messages;
        self.until("the free charger is looked at", async || {
            self.first.state().messages > free + LOOKED_AT
        })
        .await;
    }

    async fn until(&self, what: &str, is: impl AsyncFn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is().await {
            assert!(Instant::now() < end, "{what}: not in {PATIENCE:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until_at(&self, token: &str, word: &str, pile: &str) {
        let what = format!("{word} at {pile}");
        self.until(&what, async || {
            let status = self.status(token).await;
            status["current_status"] == word && status["charging_pile_id"] == pile
        })
        .await;
    }

    async fn until_billed(&self, token: &str, count: usize) -> Vec<Value> {
        self.until("the bill comes", async || self.bills(token).await.len() == count).await;
        self.bills(token).await
    }

    /// Ends of charges that the journal has.
    fn ends(&self) -> Vec<Event> {
        let events = self.scenario.edge.events().unwrap();
        events.into_iter().filter(|e| matches!(e.fact, Fact::ChargeEnded(_))).collect()
    }
}

/// The watt-hours of a bill, whose parts add up to the fen.
fn billed_wh(bill: &Value) -> i64 {
    let yuan = |key: &str| (bill[key].as_f64().unwrap() * 100.0).round() as i64;
    let parts = ["peak_cost", "normal_cost", "valley_cost", "service_cost"];
    assert_eq!(parts.iter().map(|part| yuan(part)).sum::<i64>(), yuan("total_cost"), "{bill}");
    let wh = (bill["charging_amount"].as_f64().unwrap() * 1_000.0).round() as i64;
    // 0.80 yuan a kWh, rounded half up.
    assert_eq!(yuan("service_cost"), (wh * 80 + 500) / 1_000, "{bill}");
    wh
}

/// What was billed in all is what the meter has counted, to the watt-hours that registers leave out.
fn is_what_was_delivered(bills: &[Value], wallboxes: &[&Wallbox]) {
    let billed: i64 = bills.iter().map(billed_wh).sum();
    let delivered: i64 = wallboxes.iter().map(|wallbox| wallbox.delivered_wh()).sum();
    // A register that shows 0.1 kWh in a float is off by a few watt-hours at both ends.
    assert!((billed - delivered).abs() <= 2 + 2 * bills.len() as i64, "{billed} of {delivered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_car_is_charged_through_a_fault_and_every_watt_hour_is_billed_once() {
    let site = Site::start().await;
    let (driver, other) =
        (site.token("driver", "visitor").await, site.token("other", "visitor").await);
    let number = site.request(&driver, 0.06).await["queue_number"].clone();
    site.request(&other, 0.03).await;
    assert_eq!(number, "F1");
    site.until_at(&driver, "waiting", "FAST-001").await;
    site.first.plug(32.0);
    site.until_at(&driver, "charging", "FAST-001").await;
    site.until_at(&other, "waiting", "FAST-002").await;
    site.second.plug(32.0);
    // 40 A for two: the first takes its 16, the other what is left.
    site.until("the current is shared", async || site.second.state().limit_a == 24.0).await;
    site.until("energy flows", async || site.first.delivered_wh() > 12).await;
    site.first.state().faults.broken = true;
    let bills = site.until_billed(&driver, 1).await;
    is_what_was_delivered(&bills, &[&site.first]);
    // Requeued before all others, with its number; it takes the other's place when that is through.
    assert_eq!(site.status(&driver).await["queue_number"], number);
    site.until_billed(&other, 1).await;
    let bills = site.until_billed(&driver, 2).await;
    let all = [bills, site.bills(&other).await].concat();
    is_what_was_delivered(&all, &[&site.first, &site.second]);
    assert_eq!(site.ends().len(), 3);
    site.first.state().faults.broken = false;
    site.scenario.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_line_cut_and_the_program_killed_a_charge_goes_on_and_is_billed_by_its_meter() {
    let mut site = Site::start().await;
    let driver = site.token("driver", "visitor").await;
    site.request(&driver, 0.05).await;
    site.first.plug(16.0);
    site.until_at(&driver, "charging", "FAST-001").await;
    site.scenario.internet.cut();
    site.until("energy flows", async || site.first.delivered_wh() > 10).await;
    site.scenario.edge.kill().await.unwrap();
    site.first.reboot();
    site.scenario.edge.restart().await.unwrap();
    site.until("it has got what it wanted", async || site.ends().len() == 1).await;
    let delivered = site.first.delivered_wh();
    assert!((50..80).contains(&delivered), "{delivered}");
    assert_eq!(site.bills(&driver).await.len(), 0, "the cloud knows nothing of it yet");
    assert_eq!(site.status(&driver).await["current_status"], "charging");
    site.scenario.internet.mend();
    let bills = site.until_billed(&driver, 1).await;
    is_what_was_delivered(&bills, &[&site.first]);
    site.scenario.synced().await.unwrap();
    assert_eq!(site.ends().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_ends_a_charge_and_is_told_when_the_site_is_away() {
    let site = Site::start().await;
    let driver = site.token("driver", "visitor").await;
    site.request(&driver, 5.0).await;
    site.first.plug(16.0);
    site.until_at(&driver, "charging", "FAST-001").await;
    site.until("energy flows", async || site.first.delivered_wh() > 5).await;
    let ended = site.ask(&driver, "POST", "complete/", json!({})).await;
    assert_eq!(ended["success"], true, "{ended}");
    let bills = site.bills(&driver).await;
    assert_eq!(ended["data"]["bill_id"], bills[0]["bill_id"]);
    is_what_was_delivered(&bills, &[&site.first]);

    // The car stays, and the next is told so.
    site.request(&driver, 5.0).await;
    site.until("the driver is told of the car in the way", async || {
        let told = site.ask(&driver, "GET", "notifications/", Value::Null).await;
        let told = told["data"].as_array().unwrap().clone();
        told.iter().any(|t| t["type"] == "pile_fault" && t["message"].to_string().contains("占用"))
    })
    .await;
    site.unplug_first().await;
    site.first.plug(16.0);
    site.until_at(&driver, "charging", "FAST-001").await;
    site.scenario.internet.cut();
    let away = site.ask(&driver, "POST", "complete/", json!({})).await;
    assert_eq!(away["error"]["code"], "SITE_AWAY", "{away}");
    site.scenario.internet.mend();
    let bills = site.until_billed(&driver, 2).await;
    is_what_was_delivered(&bills, &[&site.first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_whose_pile_is_added_at_the_cloud_later_comes_into_service_by_itself() {
    let site = Site::start_at(["FAST-001", "FAST-003"], &["FAST-001"]).await;
    let staff = site.token("boss", "admin").await;
    let (driver, other) =
        (site.token("driver", "visitor").await, site.token("other", "visitor").await);
    site.request(&driver, 5.0).await;
    site.request(&other, 0.03).await;
    site.until_at(&driver, "waiting", "FAST-001").await;
    let more = json!({"FastChargingPileNum": 3});
    let set = site.ask(&staff, "PUT", "system_parameters/", more).await;
    assert_eq!(set["success"], true, "{set}");
    site.until_pile(&staff, "FAST-003", "normal").await;
    site.until_pile(&staff, "FAST-002", "offline").await;
    site.until_at(&other, "waiting", "FAST-003").await;
    site.second.plug(32.0);
    let bills = site.until_billed(&other, 1).await;
    is_what_was_delivered(&bills, &[&site.second]);
}
