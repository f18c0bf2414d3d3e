//! What is set up at the cloud changes what the barrier does: permits, denials, a tariff, parameters;
//! while the line is cut the site goes by what it has. A list of 200,000 permits arrives compressed,
//! then only what changes, and an edge that is killed in the midst of it goes on where it was.
#![allow(clippy::unwrap_used)]

use std::{fmt::Write, time::Duration};

use chrono::{TimeDelta, Utc};
use domain::event::{Decision, Event, Fact, Rule, Verdict};
use firmware_protocol::barrier::Arm;
use reqwest::{Client, Method, RequestBuilder};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use system_tests::{
    barrier::Timing,
    process::{PATIENCE, http_client},
    scenario::{SITE, Scenario, Setup},
};
use tokio::time::{sleep, timeout};

const TIMING: Timing = Timing { travel_ms: 100, approach_ms: 50, passing_ms: 50 };
/// Permits of a long list.
const MANY: u64 = 200_000;
/// At so many of them the edge is killed, and once more while they become what it goes by.
const KILLED_AT: [u64; 3] = [1, 60_000, 150_000];
/// A long list takes an unoptimised program a while, on a machine that does other work as well.
const LONG: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_millis(5);

/// Somebody who looks after sites, at the cloud's console.
struct Admin {
    client: Client,
    url: String,
    token: String,
}

impl Admin {
    async fn of(site: &Scenario) -> Self {
        let token = site.cloud.add_user("chief", "admin", "long enough a secret").await.unwrap();
        let url = format!("{}/console/v1", site.cloud.url());
        Self { client: http_client(), url, token }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/{path}", self.url));
        request.header("authorization", format!("Token {}", self.token))
    }

    async fn send(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status} {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    async fn enter(&self, kind: &str, plate: &str) {
        let entry = json!({"site": SITE, "kind": kind, "plate": plate, "about": "Li Na"});
        self.send(self.request(Method::POST, "access").json(&entry)).await;
    }

    async fn remove(&self, kind: &str, plate: &str) {
        let path = format!("access/{SITE}/{kind}/{plate}");
        self.send(self.request(Method::DELETE, &path)).await;
    }

    async fn set(&self, parameters: Value) {
        let path = format!("sites/{SITE}/parameters");
        self.send(self.request(Method::PUT, &path).json(&parameters)).await;
    }

    async fn charge(&self, hourly_fen: i64) {
        let tariff = json!({"site": SITE, "name": "day", "base_fee_fen": hourly_fen,
                            "base_seconds": 3600, "hourly_rate_fen": hourly_fen});
        self.send(self.request(Method::POST, "tariffs").json(&tariff)).await;
    }

    async fn open(&self, lane: &str) {
        let path = format!("sites/{SITE}/lanes/{lane}/open");
        self.send(self.request(Method::POST, &path)).await;
    }

    async fn import(&self, csv: String) {
        let path = format!("access/{SITE}/permit/import");
        let file = self.request(Method::POST, &path).header("content-type", "text/csv").body(csv);
        let told = self.send(file.timeout(LONG)).await;
        assert_eq!((&told["changed"], &told["problems"]), (&json!(MANY), &json!([])), "{told}");
    }
}

fn setup() -> Setup<'static> {
    let more = "[parking]\nplaces = 100\n";
    Setup {
        timing: TIMING,
        entry: "access = \"permits\"\ncooldown_s = 0",
        more,
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_at_the_cloud_holds_at_the_barrier_also_without_a_line() {
    let mut site = Scenario::start(setup()).await.unwrap();
    let admin = Admin::of(&site).await;
    admin.enter("deny", "京D00007").await;
    until_list(&site, 1, PATIENCE).await;
    is_refused(&site, "京D00007", Rule::Denied).await;
    // Who waits for a permit is let in when it arrives.
    site.entry.barrier.board().hardware.vehicle();
    is_refused(&site, "京A12345", Rule::NoPermit).await;
    admin.enter("permit", "京A·12345").await;
    site.entry.barrier.arm(Arm::Open).await;
    let by_permit = |event: &Event| matches!(&event.fact, Fact::SessionOpened { plate, .. } if plate == "京A12345");
    site.until("the stay begins", |events| events.iter().any(by_permit)).await.unwrap();

    // Open to everybody, at a price, from now on.
    admin.charge(500).await;
    admin.set(json!({"public_lanes": ["entry"]})).await;
    until_told(&site, 2).await;
    site.entry.pass("京B00001").await.unwrap();
    site.exit.barrier.board().hardware.vehicle();
    site.exit.see("京B00001");
    site.until("the fee is due", decided(Rule::FeeDue)).await.unwrap();
    admin.open("exit").await;
    site.exit.barrier.arm(Arm::Open).await;
    site.synced().await.unwrap();

    site.internet.cut();
    admin.set(json!({"public_lanes": []})).await;
    admin.remove("permit", "京A12345").await;
    admin.enter("permit", "京C00003").await;
    site.edge.kill().await.unwrap();
    site.edge.restart().await.unwrap();
    site.online("entry-barrier").await.unwrap();
    site.entry.pass("京B00002").await.unwrap();
    is_refused(&site, "京D00007", Rule::Denied).await;

    site.internet.mend();
    until_list(&site, 3, PATIENCE).await;
    until_told(&site, 4).await;
    is_refused(&site, "京B00003", Rule::NoPermit).await;
    site.entry.pass("京C00003").await.unwrap();
    site.synced().await.unwrap();
    assert_eq!(obeyed(&site), (1..=4).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_the_cloud_wanted_open_while_the_line_was_cut_stays_closed() {
    let mut site = Scenario::start(setup()).await.unwrap();
    let admin = Admin::of(&site).await;
    site.internet.cut();
    admin.open("entry").await;
    // Its life is over on the cloud's clock; the site's own has no part in it.
    site.cloud.restart_at(Utc::now() + TimeDelta::seconds(20)).await.unwrap();
    site.internet.mend();
    let skipped = |event: &Event| match &event.fact {
        Fact::DirectiveSkipped { directive: 1, kind, reason } => {
            kind == "open" && reason.contains("too late")
        }
        _ => false,
    };
    site.until("it is passed over", |events| events.iter().any(skipped)).await.unwrap();
    admin.open("entry").await;
    site.entry.barrier.arm(Arm::Open).await;
    site.until("the second is obeyed", |events| obeyed_in(events) == [2]).await.unwrap();
    let opened = site.entry.barrier.movements();
    assert_eq!(opened.len(), 1, "the late one moved something: {opened:?}");
    site.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_arrives_whole_though_the_edge_is_killed_in_the_midst_of_it() {
    let mut site = Scenario::start(setup()).await.unwrap();
    let admin = Admin::of(&site).await;
    site.internet.cut();
    admin.import(list(MANY)).await;
    site.internet.mend();
    let before = site.internet.down_bytes();
    for (kill, at) in KILLED_AT.into_iter().chain([MANY]).enumerate() {
        admin.set(json!({"places": kill + 100})).await;
        until_fetched(&site, at).await;
        site.edge.kill().await.unwrap();
        let disk = on_disk(&site);
        // What has arrived is on the disk with the note that it has; nothing counts yet.
        assert_eq!((disk.version, disk.entries, disk.arrived), (0, 0, disk.fetched), "{disk:?}");
        site.edge.restart().await.unwrap();
    }
    until_list(&site, MANY, LONG).await;
    let disk = on_disk(&site);
    assert_eq!((disk.version, disk.entries, disk.arrived), (MANY, MANY, 0), "{disk:?}");
    let came = site.internet.down_bytes() - before;
    println!("{} bytes of permits came as {came}, three killed parts included", disk.bytes);
    assert!(came * 4 < disk.bytes, "{came} bytes for {}", disk.bytes);
    // Exactly one known plate looks like it.
    site.online("entry-barrier").await.unwrap();
    site.entry.pass("京AO0O17").await.unwrap();
    is_refused(&site, "京C00017", Rule::NoPermit).await;

    let before = site.internet.down_bytes();
    admin.enter("permit", "京C·00017").await;
    admin.remove("permit", "京A00018").await;
    admin.enter("deny", "京A00019").await;
    until_list(&site, MANY + 3, LONG).await;
    let came = site.internet.down_bytes() - before;
    assert!(came < 10_000, "{came} bytes for three changes");
    site.entry.pass("京C00017").await.unwrap();
    is_refused(&site, "京A00018", Rule::NoPermit).await;
    is_refused(&site, "京A00019", Rule::Denied).await;
    site.synced().await.unwrap();
    assert_eq!(obeyed(&site), (1..=KILLED_AT.len() as u64 + 1).collect::<Vec<_>>());
}

/// A file of so many permits.
fn list(count: u64) -> String {
    let mut csv = String::from("plate,holder,valid_until\n");
    for number in 0..count {
        let letter = char::from(b'A' + u8::try_from(number / 100_000).unwrap());
        let _ = writeln!(csv, "京{letter}{:05},Household {number},2099-12-31", number % 100_000);
    }
    csv
}

/// A car's plate is read at the entry, and it is not let in.
async fn is_refused(site: &Scenario, plate: &str, rule: Rule) {
    site.entry.see(plate);
    let refused = |event: &Event| match &event.fact {
        Fact::Decision(decision) => is_of(decision, plate, rule),
        _ => false,
    };
    let what = format!("{plate} is refused by {rule:?}");
    site.until(&what, |events| events.iter().any(refused)).await.unwrap();
}

fn is_of(decision: &Decision, plate: &str, rule: Rule) -> bool {
    let seen = decision.plate.as_ref().is_some_and(|seen| seen.text == plate);
    seen && decision.verdict == Verdict::Refuse && decision.rule == rule
}

fn decided(rule: Rule) -> impl Fn(&[Event]) -> bool {
    let by_rule =
        move |event: &Event| matches!(&event.fact, Fact::Decision(one) if one.rule == rule);
    move |events| events.iter().any(by_rule)
}

/// Waits until the site goes by this version of its list, or a later one.
async fn until_list(site: &Scenario, version: u64, longest: Duration) {
    let is_there = |event: &Event| matches!(event.fact, Fact::ListInEffect { version: now, .. } if now >= version);
    let come = async {
        while !site.edge.events().unwrap().iter().any(is_there) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(longest, come).await.unwrap_or_else(|_| panic!("no list {version} in {longest:?}"));
}

async fn until_told(site: &Scenario, directive: u64) {
    let what = format!("directive {directive} is carried out");
    site.until(&what, |events| obeyed_in(events).contains(&directive)).await.unwrap();
}

fn obeyed(site: &Scenario) -> Vec<u64> {
    obeyed_in(&site.edge.events().unwrap())
}

/// The directives that the journal says were carried out, in its order.
fn obeyed_in(events: &[Event]) -> Vec<u64> {
    let done = |event: &Event| match event.fact {
        Fact::DirectiveDone { directive, .. } => Some(directive),
        _ => None,
    };
    events.iter().filter_map(done).collect()
}

/// The list as it lies on the edge's disk.
#[derive(Debug)]
struct OnDisk {
    version: u64,
    fetched: u64,
    entries: u64,
    arrived: u64,
    bytes: u64,
}

fn on_disk(site: &Scenario) -> OnDisk {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(site.edge.state().lists(), flags).unwrap();
    let sql =
        "SELECT version, fetched, (SELECT COUNT(*) FROM entry), (SELECT COUNT(*) FROM incoming),
                      (SELECT COALESCE(SUM(LENGTH(CAST(line AS BLOB))), 0) FROM entry) FROM list";
    let number = |row: &rusqlite::Row, at| row.get::<_, i64>(at).unwrap().unsigned_abs();
    let read = |row: &rusqlite::Row| {
        let [version, fetched, entries, arrived, bytes] = [0, 1, 2, 3, 4].map(|at| number(row, at));
        Ok(OnDisk { version, fetched, entries, arrived, bytes })
    };
    db.query_row(sql, [], read).unwrap()
}

/// Waits until so much of a list has arrived.
async fn until_fetched(site: &Scenario, change: u64) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(site.edge.state().lists(), flags).unwrap();
    let fetched = || db.query_row("SELECT fetched FROM list", [], |row| row.get::<_, i64>(0));
    let come = async {
        while fetched().unwrap().unsigned_abs() < change {
            sleep(LOOK).await;
        }
    };
    timeout(LONG, come).await.unwrap_or_else(|_| panic!("{change} entries: not in {LONG:?}"));
}
