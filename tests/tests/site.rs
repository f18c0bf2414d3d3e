//! Stories of a whole site and its cloud: the real binaries, a real line, a real broker.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use domain::event::{Event, Fact, Outcome, Rule, Verdict};
use firmware_protocol::barrier::Arm;
use serde_json::{Value, json};
use system_tests::{
    barrier::Timing,
    process::{self, http_client},
    scenario::{Scenario, Setup},
};

const TIMING: Timing = Timing { travel_ms: 100, approach_ms: 50, passing_ms: 50 };
const FREE: &str = "[parking]\nplaces = 100\n";
const PERMIT: &str =
    "[parking]\nplaces = 100\n[[permits]]\nplate = \"京A12345\"\nholder = \"Li\"\n";
const FIVE_YUAN: &str = "[parking]\nplaces = 100\n[parking.tariff]\nbase_fee_fen = 500\n\
                         base_seconds = 3600\nhourly_rate_fen = 300\n";
const PUBLIC: &str = "access = \"public\"";

fn site(more: &str) -> Setup<'_> {
    Setup { timing: TIMING, entry: PUBLIC, more, ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_comes_and_leaves_and_the_cloud_shows_it() {
    let setup = Setup { entry: "access = \"permits\"", ..site(PERMIT) };
    let site = Scenario::start(setup).await.unwrap();
    let token = site.cloud.add_user("op", "operator", "long enough a secret").await.unwrap();
    site.entry.see("京B55555");
    site.until("the stranger is refused", refused(Rule::NoPermit)).await.unwrap();
    site.entry.pass("京A12345").await.unwrap();
    site.until("the stay begins", has(|f| matches!(f, Fact::SessionOpened { .. }))).await.unwrap();
    site.synced().await.unwrap();
    let dashboard = "/hzsystem_parking/dashboard/";
    assert_eq!(show(&site, dashboard, &token).await["active_sessions"], 1);
    site.exit.pass("京A12345").await.unwrap();
    site.until("the stay ends", has(|f| matches!(f, Fact::SessionClosed { .. }))).await.unwrap();
    site.synced().await.unwrap();

    assert_eq!(show(&site, dashboard, &token).await["active_sessions"], 0);
    let plates = show(&site, "/api/plates?plate_number=京A12345", &token).await;
    assert_eq!(plates.as_array().unwrap().len(), 2, "{plates}");
    let sessions = show(&site, "/api/sessions", &token).await;
    assert_eq!(sessions.as_array().unwrap().len(), 3, "{sessions}");
    let records = show(&site, "/hzsystem_parking/detection/records/", &token).await;
    let kinds = |plate: &str| -> Vec<String> {
        let of_plate = records["records"].as_array().unwrap().iter();
        let of_plate = of_plate.filter(|record| record["license_plate"] == plate);
        of_plate.map(|record| record["detection_type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("京A12345"), ["vehicle_exit", "vehicle_enter"]);
    assert_eq!(kinds("京B55555"), ["license_plate_recognition"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_goes_on_without_the_internet_and_the_cloud_catches_up() {
    let site = Scenario::start(site(FREE)).await.unwrap();
    site.entry.pass("京A00001").await.unwrap();
    let before = site.synced().await.unwrap();
    site.internet.cut();
    for car in 2..10 {
        site.entry.pass(&format!("京A{car:05}")).await.unwrap();
    }
    site.exit.pass("京A00001").await.unwrap();
    let journal = site.edge.journal().unwrap();
    assert!(journal.head().unwrap() > before);
    assert_eq!(journal.acked_through().unwrap(), before);
    let status = status(&site).await;
    assert_eq!(status["running"]["ready"], true, "{status}");
    assert!(status["journal"]["backlog"].as_u64().unwrap() > 0, "{status}");
    let days = status["journal"]["room"]["days_left"].as_u64().unwrap();
    site.internet.mend();
    assert!(site.synced().await.unwrap() > before);
    let token = site.cloud.add_user("op", "operator", "long enough a secret").await.unwrap();
    let overview = show(&site, "/console/v1/overview", &token).await;
    let told = overview["sites"][0]["room_days"].as_u64().unwrap();
    assert!(told > 0 && told.abs_diff(days) <= days / 10 + 1, "{told} at the cloud, {days} here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_dies_in_between_loses_and_doubles_nothing() {
    let mut site = Scenario::start(site(FREE)).await.unwrap();
    for round in 0..4 {
        for car in 0..5 {
            site.entry.pass(&format!("京A{round}000{car}")).await.unwrap();
        }
        site.cloud.kill().await.unwrap();
        site.entry.pass(&format!("京A{round}0009")).await.unwrap();
        site.cloud.restart().await.unwrap();
    }
    site.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_opens_and_takes_a_fee_at_the_site() {
    let setup = Setup { entry: "access = \"permits\"", ..site(FIVE_YUAN) };
    let site = Scenario::start(setup).await.unwrap();
    site.entry.barrier.board().hardware.vehicle();
    site.entry.see("京A12345");
    site.until("the stranger is refused", refused(Rule::NoPermit)).await.unwrap();
    let wrong = ask(&site, "Bearer wrong", "lanes/entry/open", json!({"by": "Li"})).await;
    assert_eq!(wrong.0, 401);
    assert_eq!(site.entry.barrier.movements(), []);
    let token = format!("Bearer {}", site.edge.operator_token().unwrap());
    let opened = ask(&site, &token, "lanes/entry/open", json!({"by": "Li"})).await;
    assert_eq!((opened.0, &opened.1["done"]), (200, &json!(true)), "{}", opened.1);
    site.until("the car is inside", has(is_inside("京A12345"))).await.unwrap();

    site.exit.barrier.board().hardware.vehicle();
    site.exit.see("京A12345");
    site.until("the unpaid car is refused", refused(Rule::FeeDue)).await.unwrap();
    assert_eq!(site.exit.barrier.movements(), []);
    let fee =
        |plate: &str| json!({"plate": plate, "amount_fen": 500, "method": "cash", "by": "Li"});
    let nobody = ask(&site, &token, "paid", fee("京B99999")).await;
    assert_eq!((nobody.0, &nobody.1["done"]), (409, &json!(false)));
    let paid = ask(&site, &token, "paid", fee("京a·12345")).await;
    assert_eq!(paid.0, 200, "{}", paid.1);
    site.exit.barrier.arm(Arm::Open).await;
    site.until(
        "the stay ends",
        has(|fact| matches!(fact, Fact::SessionClosed { fee_fen: 500, .. })),
    )
    .await
    .unwrap();
    site.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_goes_and_comes_moves_nothing_late() {
    let mut site = Scenario::start(site(FREE)).await.unwrap();
    site.entry.pass("京A12345").await.unwrap();
    site.until("the car is inside", has(is_inside("京A12345"))).await.unwrap();
    site.broker.stop();
    let offline = |events: &[Event]| last_word_on("exit-barrier", events) == Some(false);
    site.until("the exit is known to be away", offline).await.unwrap();
    site.exit.see("京A12345");
    site.until("the exit refuses", refused(Rule::BarrierFault)).await.unwrap();
    site.entry.pass("京A00002").await.unwrap();
    let token = format!("Bearer {}", site.edge.operator_token().unwrap());
    let refused = ask(&site, &token, "lanes/exit/open", json!({"by": "Li"})).await;
    assert_eq!(refused.0, 409, "{}", refused.1);
    assert_eq!(site.exit.barrier.movements(), []);

    site.broker.resume().unwrap();
    site.online("exit-barrier").await.unwrap();
    // The car still stands there: what it is let out by now is a new decision with a new command.
    site.exit.pass("京A12345").await.unwrap();
    site.until("the stay ends", has(|f| matches!(f, Fact::SessionClosed { .. }))).await.unwrap();
    let opened: Vec<_> = site.exit.barrier.movements().iter().map(|m| m.command).collect();
    assert_eq!(opened.len(), 2, "one up, one down: {opened:?}");
    let unanswered = |f: &Fact| matches!(f, Fact::CommandOutcome { outcome, .. } if *outcome != Outcome::Accepted);
    assert!(!has(unanswered)(&site.edge.events().unwrap()));
    site.synced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn vision_may_die_and_the_gate_goes_on() {
    let film = Path::new(env!("CARGO_MANIFEST_DIR")).join("footage/entry.mp4");
    let setup = Setup { film: Some(film), entry: "access = \"permits\"", ..site(FREE) };
    let site = Scenario::start(setup).await.unwrap();
    let sees = has(
        |f| matches!(f, Fact::Decision(d) if d.plate.as_ref().is_some_and(|p| !p.text.is_empty())),
    );
    site.until("the film's first car is read", sees).await.unwrap();
    let vision = site.edge.process().children().unwrap();
    nix::sys::signal::kill(vision[0], nix::sys::signal::Signal::SIGKILL).unwrap();
    site.until("the restart is journaled", has(|f| matches!(f, Fact::VisionRestarted { .. })))
        .await
        .unwrap();
    let token = format!("Bearer {}", site.edge.operator_token().unwrap());
    let opened = ask(&site, &token, "lanes/entry/open", json!({"by": "Li"})).await;
    assert_eq!(opened.0, 200, "{}", opened.1);
    site.entry.barrier.arm(Arm::Open).await;
    let decisions = |events: &[Event]| {
        let after = events.iter().skip_while(|e| !matches!(e.fact, Fact::VisionRestarted { .. }));
        after.filter(|e| matches!(&e.fact, Fact::Decision(d) if d.requested_by.is_none())).count()
    };
    site.until("vision sees again", |events| decisions(events) > 0).await.unwrap();
}

/// What `edge-daemon status` says while the daemon runs.
async fn status(site: &Scenario) -> Value {
    let config = site.edge.state().path().with_file_name("edge.toml");
    let words = ["status", "--json", "--config", &config.to_string_lossy()].map(str::to_owned);
    serde_json::from_str(&process::output("edge-daemon", words, "").await.unwrap()).unwrap()
}

/// What the cloud answers to `GET path` with a user's token.
async fn show(site: &Scenario, path: &str, token: &str) -> Value {
    let request = http_client().get(site.cloud.url() + path);
    let answer = request.header("authorization", format!("Token {token}")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

/// What the edge's console answers, with its status.
async fn ask(site: &Scenario, authorization: &str, path: &str, body: Value) -> (u16, Value) {
    let request = http_client().post(format!("{}/{path}", site.edge.console_url()));
    let request = request.header("authorization", authorization).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn has(is: impl Fn(&Fact) -> bool) -> impl Fn(&[Event]) -> bool {
    move |events| events.iter().any(|event| is(&event.fact))
}

fn refused(rule: Rule) -> impl Fn(&[Event]) -> bool {
    has(move |fact| match fact {
        Fact::Decision(decision) => decision.verdict == Verdict::Refuse && decision.rule == rule,
        _ => false,
    })
}

fn is_inside(wanted: &str) -> impl Fn(&Fact) -> bool {
    move |fact| matches!(fact, Fact::SessionOpened { plate, .. } if plate == wanted)
}

/// Whether a controller answers, as the journal says last.
fn last_word_on(name: &str, events: &[Event]) -> Option<bool> {
    events.iter().rev().find_map(|event| match &event.fact {
        Fact::Device { device, online, .. } if device.as_str() == name => Some(*online),
        _ => None,
    })
}
