//! As `scans`, on PostgreSQL with texts in the order of an ICU collation, as many have it: no
//! declared route that reads, and nothing that a site tells or asks for, has the planner go through
//! a growing table from end to end. The server itself tells how it carries out each statement.

use std::{fs, path::PathBuf};

use cloud_core::Role;
use cloud_sync::config::{Config, Limits};
use domain::{directive::Ask, event::Fact};
use reqwest::{Method, StatusCode};
use tokio_postgres::{Client, NoTls};

use super::{
    postgres::Database,
    scans::{is_figure, reads},
    service::{Service, filling, start_on},
};

const PLATES: u32 = 100_000;
const ROWS: u32 = 20_000;
const DATABASE: &str = "explained";
/// Rows that a statement may read one by one, beside four times as many as it wants: where so many
/// of them are wanted, an index is no sooner done.
const LONG_SCAN: usize = 5_000;
/// One event of each kind at least.
const FACTS: &str = include_str!("../../../models/domain/tests/vectors/facts.jsonl");
/// What other sites have told and were told; the door of the facts is one of the site's.
const OF_SITES: &str = "
    INSERT INTO events SELECT 'south', i, '', 'stopped', '{}', 0 FROM generate_series(1, 20000) i;
    INSERT INTO events_ahead SELECT 'south', i, '', '{}', 0 FROM generate_series(1, 20000) i;
    INSERT INTO pictures SELECT 'south', 'p' || i, 0 FROM generate_series(1, 20000) i;
    INSERT INTO directives SELECT 'south', i, 'paid', '{}', 0 FROM generate_series(1, 20000) i;
    INSERT INTO access_entries
        SELECT 'south', 'permit', 'P' || i, 'P' || i, '', NULL, NULL, '', '', 0, '{}', i, 0
        FROM generate_series(1, 20000) i;
    INSERT INTO devices (device_id, station, key_hash, created_at_ms) VALUES ('of-old', '', '', 0);
    INSERT INTO open_commands
        SELECT 'c' || i, 'of-old', 1 + i % 100, i, 0, 0, NULL, 'opened', 'south'
        FROM generate_series(1, 20000) i;
    UPDATE payments SET sequence = sequence + 1000000;
    UPDATE cabinets SET cabinet_id = 'A001', station = '北门'
    WHERE id = (SELECT cabinet FROM locker_orders WHERE id = 2)";

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// An empty database of that kind; its URL.
async fn create(other: &Database) -> String {
    let client = connect(&other.url()).await;
    for sql in [
        "CREATE DATABASE explained TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'zh-CN'",
        "ALTER DATABASE explained SET session_preload_libraries = 'auto_explain'",
        "ALTER DATABASE explained SET auto_explain.log_min_duration = 0",
        "ALTER DATABASE explained SET auto_explain.log_analyze = on",
        "ALTER DATABASE explained SET auto_explain.log_timing = off",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    format!("{}/{DATABASE}", other.url().rsplit_once('/').unwrap().0)
}

/// Puts a year into it; the tables that have grown with it.
async fn fill(url: &str) -> Vec<String> {
    let client = connect(url).await;
    client.batch_execute("SET auto_explain.log_min_duration = -1").await.unwrap();
    client.batch_execute(&filling(PLATES, ROWS)).await.unwrap();
    client.batch_execute(OF_SITES).await.unwrap();
    // As it does by itself in time.
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
    let large = format!(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND reltuples >= {}
         AND relnamespace = 'public'::regnamespace",
        ROWS / 2
    );
    client.query(&large, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// What the server tells of its statements.
struct Told {
    log: PathBuf,
    read_to: usize,
}

impl Told {
    /// The statements since the last time that went through one of these tables, with their plans.
    fn scans(&mut self, growing: &[String]) -> Vec<String> {
        let log = fs::read(&self.log).unwrap();
        let new = String::from_utf8_lossy(&log[self.read_to..]).into_owned();
        self.read_to = log.len();
        let told = new.split("LOG:  duration:").skip(1);
        let long = told.filter(|told| !is_figure(told) && is_long(told, growing));
        long.map(str::to_owned).collect()
    }
}

/// Whether a plan went through one of these tables for few of its rows: for those that were asked
/// for, or, where all are, for those that fit.
fn is_long(told: &str, growing: &[String]) -> bool {
    let mut nodes = told.split("(cost=");
    let Some(mut name) = nodes.next() else { return false };
    let (mut found, mut fit, mut passed_over) = (None, 0, 0);
    for node in nodes {
        let rows = actual_rows(node);
        found = found.or(Some(rows));
        let table = name.rsplit_once("Seq Scan on ").and_then(|(_, what)| what.split(' ').next());
        if table.is_some_and(|table| growing.iter().any(|known| known == table)) {
            fit += rows;
            passed_over += number_after(node, "Rows Removed by Filter: ");
        }
        name = node;
    }
    let wanted = if told.contains("LIMIT") { found.unwrap_or_default() } else { fit };
    fit + passed_over > LONG_SCAN + 4 * wanted
}

/// Rows that a node of a plan gave.
fn actual_rows(node: &str) -> usize {
    let Some((_, actual)) = node.split_once("(actual ") else { return 0 };
    number_after(actual, "rows=") * number_after(actual, "loops=")
}

fn number_after(text: &str, word: &str) -> usize {
    let digits = text.split_once(word).map_or("", |(_, rest)| rest);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(0)
}

/// What a site tells and asks for, each with the scans that it takes.
async fn site_at_work(service: &mut Service, told: &mut Told, growing: &[String]) -> Vec<String> {
    let mut long = Vec::new();
    let mut look = |what: &str| {
        let scans = told.scans(growing);
        if !scans.is_empty() {
            long.push(format!("{what}\n{}", scans.join("\n")));
        }
    };
    service.car(1, "京A99999").await;
    look("a car");
    for line in FACTS.lines() {
        service.tell(vec![serde_json::from_str::<Fact>(line).unwrap()]).await;
        look(line);
    }
    for (count, list) in (1..).zip([None, Some(0)]) {
        let answer = service.ask(Ask { after: 0, list }, count).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        look("directives");
    }
    long
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_goes_through_no_growing_table_from_end_to_end() {
    let other = Database::create();
    let url = create(&other).await;
    let limits = Limits { enabled: false, ..Limits::default() };
    let mut config = Config { limits, ..Config::default() };
    config.http.request_timeout_s = 1;
    let mut service = start_on(config, url.clone()).await;
    let (admin, visitor) = (service.token(Role::Admin).await, service.token(Role::Visitor).await);
    let growing = fill(&url).await;
    assert!(growing.len() > 10, "{growing:?}");
    let mut told = Told { log: Database::certificates().join("log"), read_to: 0 };
    told.scans(&growing);

    let unplanned = "SELECT movement FROM plate_reads WHERE lane = 'nowhere'";
    connect(&url).await.query(unplanned, &[]).await.unwrap();
    assert_eq!(told.scans(&growing).len(), 1, "the server does not tell of its plans");

    let mut long = Vec::new();
    for read in reads(&service).await {
        for token in [&admin, &visitor] {
            let status = service.call(token, Method::GET, &read).await.status;
            assert!(status < StatusCode::INTERNAL_SERVER_ERROR, "{read}: {status}");
            let scans = told.scans(&growing);
            if !scans.is_empty() {
                long.push(format!("{read}\n{}", scans.join("\n")));
            }
        }
    }
    long.extend(site_at_work(&mut service, &mut told, &growing).await);
    service.stop().await;
    assert!(long.is_empty(), "{} of them:\n{}", long.len(), long.join("\n"));
}
