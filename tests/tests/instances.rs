//! Three instances of the cloud on one PostgreSQL, behind a plain proxy. One is killed every few
//! seconds while sites replay and people read and pay: nothing is lost, nothing is there twice, what
//! one instance wrote the others tell at once, and what is due by the clock is done once.
//! `SOAK=<seconds>` goes on for longer.
#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, time::Duration};

use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use serde_json::{Value, json};
use system_tests::{
    fleet::{Fleet, Visit},
    process::http_client,
    site::Cluster,
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::connect_async;

const INSTANCES: usize = 3;
const SITES: usize = 3;
/// Cars that pay at the cloud while instances die.
const PAYERS: usize = 12;
/// How long instances die, in seconds, where nobody asks for longer.
const SHORT_S: u64 = 12;
/// How long each of them is left alone.
const PEACE: Duration = Duration::from_millis(1500);
/// Longest that anything may take: twice what a site pauses at most before it asks again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Within this, what one instance wrote is told by another. Without a word from it, it would be 5 s.
const SOON: Duration = Duration::from_secs(3);

struct World {
    cluster: Cluster,
    fleet: Fleet,
    token: String,
    _folder: TempDir,
    sites: PathBuf,
}

async fn start() -> World {
    let folder = TempDir::new().unwrap();
    let cluster = Cluster::start(&folder.path().join("cloud"), INSTANCES).await.unwrap();
    let sites = folder.path().join("sites");
    let fleet = Fleet::open(&sites, "site", SITES).unwrap();
    cluster.enrol(&sites, &fleet).await.unwrap();
    let token = cluster.add_user("op", "operator").await.unwrap();
    World { cluster, fleet, token, _folder: folder, sites }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_die_lose_nothing_and_do_nothing_twice() {
    let mut world = start().await;
    world.fleet.connect(&world.cluster.balancer.url(), true).unwrap();
    let sites = world.fleet.sites();
    // A stay that is too long already: one alert, whoever does what is due. The cloud's first.
    sites[0].append(Visit::new(90_000, Utc::now() - TimeDelta::hours(30)).entry()).await.unwrap();
    world.fleet.drained(PATIENCE).await.unwrap();
    for number in 0..PAYERS {
        let visit = Visit::charged(80_000 + number, Utc::now() - TimeDelta::hours(1));
        sites[number % SITES].append(visit.entry()).await.unwrap();
    }
    world.fleet.drained(PATIENCE).await.unwrap();

    let seconds = std::env::var("SOAK").map_or(SHORT_S, |seconds| seconds.parse().unwrap());
    let (url, token) = (world.cluster.balancer.url(), world.token.clone());
    let paying = tokio::spawn(async move { pay_all(&url, &token).await });
    let (cluster, fleet) = (&mut world.cluster, &world.fleet);
    tokio::select! {
        () = kill_in_turn(cluster, Duration::from_secs(seconds)) => {}
        driven = fleet.drive(150.0) => panic!("{driven:?}"),
    }
    let paid = paying.await.unwrap();
    world.fleet.drained(PATIENCE).await.unwrap();
    directives_are_told(&world, PAYERS as u64).await;

    let compared = world.fleet.compare(world.cluster.database_url()).unwrap();
    println!("{compared:?}, {paid} payments");
    assert_eq!((paid, compared.directives), (PAYERS, PAYERS as u64));
    let number = |sql| world.cluster.number(sql).unwrap();
    let twice = "SELECT COUNT(*) FROM (SELECT session FROM payments WHERE status = 'completed'
                 AND taken_by IS NULL GROUP BY session HAVING COUNT(*) > 1) t";
    assert_eq!(number(twice), 0, "a fee was taken twice");
    let overtime = "SELECT COUNT(*) FROM alerts WHERE alert_type = 'overtime_parking'";
    assert_eq!(number(overtime), 1);
    one_leads(&world.cluster).await;
}

/// Kills one instance after the other and starts it again, until the time is over and all run.
async fn kill_in_turn(cluster: &mut Cluster, time: Duration) {
    let begun = Instant::now();
    for turn in 0.. {
        if begun.elapsed() > time {
            return;
        }
        sleep(PEACE).await;
        cluster.kill(turn % INSTANCES).await.unwrap();
        sleep(PEACE / 3).await;
        cluster.restart(turn % INSTANCES).await.unwrap();
    }
}

/// Waits until the sites have carried out as many directives as there are.
async fn directives_are_told(world: &World, count: u64) {
    let told = async {
        loop {
            world.fleet.drained(PATIENCE).await.unwrap();
            let carried = "SELECT COUNT(*) FROM directives WHERE event IS NOT NULL";
            if world.cluster.number(carried).unwrap() as u64 == count {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("not every directive was carried out");
}

/// Pays every stay behind the first that costs something, each once; how many were paid.
async fn pay_all(url: &str, token: &str) -> usize {
    let mut paid = 0;
    for stay in 2..2 + PAYERS {
        let order = json!({"session_id": stay});
        let order = insist(url, token, "orders/", &order, &format!("order {stay}")).await;
        if order["amount"].as_f64() == Some(0.0) {
            continue;
        }
        let pay = json!({"order_id": order["id"], "payment_method": "wechat",
                         "amount": order["amount"]});
        insist(url, token, "process/", &pay, &format!("pay {stay}")).await;
        paid += 1;
        sleep(Duration::from_millis(300)).await;
    }
    paid
}

/// Asks until there is an answer, under one key; one that says that the outcome is not known is
/// looked up.
async fn insist(url: &str, token: &str, path: &str, body: &Value, key: &str) -> Value {
    let insisting = async {
        loop {
            let request = http_client()
                .post(format!("{url}/hzsystem_parking/payment/{path}"))
                .header("authorization", format!("Token {token}"))
                .header("idempotency-key", key)
                .json(body)
                .send()
                .await;
            if let Ok(answer) = request {
                let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
                if status.is_success() {
                    return serde_json::from_str(&text).unwrap();
                }
                if status.is_client_error() && text.contains("has no answer yet") {
                    return in_doubt(url, token, body).await;
                }
                assert!(!status.is_client_error(), "{path} {body}: {status} {text}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, insisting).await.unwrap_or_else(|_| panic!("no answer to {path} {body}"))
}

/// The instance that was asked died: how does what it was asked about stand now?
async fn in_doubt(url: &str, token: &str, body: &Value) -> Value {
    let again = format!("again {body}");
    let stay = &body["session_id"];
    if stay.is_null() {
        // The order is paid, or it can be paid under another key; both are the same to us.
        let pay = Box::pin(pay_again(url, token, body));
        return pay.await;
    }
    Box::pin(insist(url, token, "orders/", body, &again)).await
}

async fn pay_again(url: &str, token: &str, body: &Value) -> Value {
    loop {
        let request = http_client()
            .post(format!("{url}/hzsystem_parking/payment/process/"))
            .header("authorization", format!("Token {token}"))
            .json(body)
            .send()
            .await;
        if let Ok(answer) = request
            && !answer.status().is_server_error()
        {
            return Value::Null;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// One instance does what is due by the clock, and no other.
async fn one_leads(cluster: &Cluster) {
    let holders = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
                   AND granted AND (classid::bigint << 32 | objid::bigint) = 7021091424851459142";
    let led = async {
        while cluster.number(holders).unwrap() != 1 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, led).await.expect("nobody does what is due");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_instance_wrote_another_tells_at_once() {
    let mut world = start().await;
    let (watched, writing) = (world.cluster.url(0), world.cluster.url(1));
    world.fleet.connect(&writing, false).unwrap();
    let socket = watched.replace("http", "ws") + "/ws/system/?token=" + &world.token;
    let (mut socket, _) = connect_async(socket).await.unwrap();
    for inside in 1..=3 {
        let visit = Visit::new(70_000 + inside, Utc::now());
        world.fleet.sites()[0].append(visit.entry()).await.unwrap();
        let told = async {
            loop {
                let message = socket.next().await.unwrap().unwrap().into_text().unwrap();
                let message: Value = serde_json::from_str(&message).unwrap_or_default();
                if message["data"]["active_sessions"] == inside {
                    return;
                }
            }
        };
        timeout(SOON, told).await.expect("the other instance did not tell");
    }
    assert!(world.sites.is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_that_come_to_know_the_same_cars_at_once_do_not_hinder_each_other() {
    const CARS: usize = 150;
    let mut world = start().await;
    let now = Utc::now();
    let visits = || (0..CARS).map(|number| Visit::new(50_000 + number, now));
    let up: Vec<_> = visits().flat_map(|visit| visit.entry()).collect();
    let down: Vec<_> = visits().rev().flat_map(|visit| visit.entry()).collect();
    for (index, site) in world.fleet.sites().iter().enumerate() {
        site.append(if index % 2 == 0 { up.clone() } else { down.clone() }).await.unwrap();
    }
    world.fleet.connect(&world.cluster.balancer.url(), false).unwrap();
    world.fleet.drained(PATIENCE).await.unwrap();
    world.fleet.compare(world.cluster.database_url()).unwrap();
    let number = |sql| world.cluster.number(sql).unwrap() as usize;
    assert_eq!(number("SELECT COUNT(*) FROM vehicles"), CARS);
    assert_eq!(number("SELECT COUNT(*) FROM parking_sessions"), SITES * CARS);
    let totals = "SELECT CAST(SUM(plates) AS BIGINT) FROM plate_totals";
    assert_eq!(number(totals), SITES * CARS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_with_pictures_of_its_own_does_not_start() {
    let world = start().await;
    let other = TempDir::new().unwrap();
    let config = other.path().join("cloud.toml");
    std::fs::write(&config, format!("[pictures]\nfolder = {:?}\n", other.path())).unwrap();
    let (config, url) = (config.to_string_lossy(), world.cluster.database_url());
    let args =
        ["serve", "--host", "127.0.0.1", "--port", "0", "--database-url", url, "--config", &config];
    let refused = system_tests::process::run("cloud-sync", args, "").await.unwrap();
    let problem = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && problem.contains("pictures.folder"), "{problem}");
}
