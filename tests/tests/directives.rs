//! What the cloud tells a site: a fee that is paid there opens the barrier here, once.
#![allow(clippy::unwrap_used)]

use domain::event::{Event, Fact, Rule, Verdict};
use firmware_protocol::barrier::Arm;
use serde_json::{Value, json};
use system_tests::{
    barrier::Timing,
    process::http_client,
    scenario::{Scenario, Setup},
};
use tokio::time::Instant;

const TIMING: Timing = Timing { travel_ms: 100, approach_ms: 50, passing_ms: 50 };
const FIVE_YUAN: &str = "[parking]\nplaces = 100\ngrace_minutes = 20\n[parking.tariff]\nbase_fee_fen = 500\n\
                         base_seconds = 3600\nhourly_rate_fen = 300\n";

async fn start() -> (Scenario, String) {
    let entry = "access = \"public\"";
    let setup = Setup { timing: TIMING, entry, more: FIVE_YUAN, ..Setup::default() };
    let site = Scenario::start(setup).await.unwrap();
    let token = site.cloud.add_user("op", "operator", "long enough a secret").await.unwrap();
    (site, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_is_paid_at_the_cloud_opens_the_barrier_and_is_counted_once() {
    let (site, token) = start().await;
    site.entry.pass("京A12345").await.unwrap();
    stand_before_the_exit(&site, "京A12345").await;
    site.synced().await.unwrap();

    let paid_at = Instant::now();
    pay(&site, &token, 1).await;
    site.exit.barrier.arm(Arm::Open).await;
    println!("from the payment at the cloud to the open barrier: {:?}", paid_at.elapsed());
    site.until("the stay ends", |events| left(events) == 1).await.unwrap();
    site.synced().await.unwrap();
    let events = site.edge.events().unwrap();
    assert_eq!(directives(&events), [1]);
    let told = matches!(events[0].fact, Fact::Started { grace_minutes: Some(20), .. });
    assert!(told, "the cloud hears how long one may take to the exit: {:?}", events[0].fact);
    let fee = |event: &Event| matches!(event.fact, Fact::SessionClosed { fee_fen: 500, .. });
    assert!(events.iter().any(fee));
    let figures = ask(&site, &token, "GET", "payment/stats/", Value::Null).await;
    assert_eq!(figures["today_revenue"], 5.0, "{figures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_while_the_line_was_cut_is_told_afterwards_and_only_once() {
    let (mut site, token) = start().await;
    for plate in ["京A00001", "京A00002"] {
        site.entry.pass(plate).await.unwrap();
    }
    site.synced().await.unwrap();
    site.internet.cut();
    pay(&site, &token, 1).await;
    // Without the cloud the site goes by what it knows.
    stand_before_the_exit(&site, "京A00001").await;
    assert_eq!(site.exit.barrier.movements(), []);
    site.internet.mend();
    site.exit.barrier.arm(Arm::Open).await;
    site.until("the first stay ends", |events| left(events) == 1).await.unwrap();

    site.edge.kill().await.unwrap();
    site.edge.restart().await.unwrap();
    site.online("exit-barrier").await.unwrap();
    pay(&site, &token, 2).await;
    let both = |events: &[Event]| directives(events) == [1, 2];
    site.until("the second payment is told", both).await.unwrap();
    site.exit.pass("京A00002").await.unwrap();
    site.until("the second stay ends", |events| left(events) == 2).await.unwrap();
    site.synced().await.unwrap();
    assert_eq!(directives(&site.edge.events().unwrap()), [1, 2]);
}

/// A car drives up and is refused for the fee that is due.
async fn stand_before_the_exit(site: &Scenario, plate: &str) {
    site.exit.barrier.board().hardware.vehicle();
    site.exit.see(plate);
    let refused = |event: &Event| match &event.fact {
        Fact::Decision(decision) => {
            decision.verdict == Verdict::Refuse && decision.rule == Rule::FeeDue
        }
        _ => false,
    };
    site.until("the fee is due", |events| events.iter().any(refused)).await.unwrap();
}

/// An operator takes at the cloud what is due for a stay.
async fn pay(site: &Scenario, token: &str, stay: i64) {
    let order = ask(site, token, "POST", "payment/orders/", json!({"session_id": stay})).await;
    let (id, amount) = (&order["id"], &order["amount"]);
    let paid = json!({"order_id": id, "payment_method": "wechat", "amount": amount});
    ask(site, token, "POST", "payment/process/", paid).await;
}

/// What the cloud answers at its parking face.
async fn ask(site: &Scenario, token: &str, method: &str, path: &str, body: Value) -> Value {
    let url = format!("{}/hzsystem_parking/{path}", site.cloud.url());
    let request = http_client().request(method.parse().unwrap(), url);
    let request = request.header("authorization", format!("Token {token}")).json(&body);
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// The directives that the journal says were paid for, in its order.
fn directives(events: &[Event]) -> Vec<u64> {
    let directive = |event: &Event| match event.fact {
        Fact::Paid { directive, .. } => directive,
        _ => None,
    };
    events.iter().filter_map(directive).collect()
}

fn left(events: &[Event]) -> usize {
    let closed = |event: &&Event| matches!(event.fact, Fact::SessionClosed { .. });
    events.iter().filter(closed).count()
}
