//! Searching among a million plates: one question after another, each for another text, as somebody
//! who types asks.

use std::{
    error::Error,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rand::Rng;
use rusqlite::Connection as Database;
use system_tests::process::output;
use tokio::time::Instant;

use super::{
    load::{Connection, Met},
    ours::serve,
};

const PLATES: u32 = 1_000_000;
const QUESTIONS: usize = 500;
const PROVINCES: &str = "京沪粤浙苏鲁川豫鄂湘";
const LETTERS: &str = "ABCDEFGHJK";
const ROWS: &str = include_str!("../../../cloud-sync/tests/http/large.sql");

/// What is searched for: a name for people, and a text of that kind.
type Kind = (&'static str, fn() -> String);

const KINDS: [Kind; 5] = [
    ("a whole plate", || format!("{}{}{}", any(PROVINCES), any(LETTERS), digits(5))),
    ("five digits", || digits(5)),
    ("three digits", || digits(3)),
    ("one digit", || digits(1)),
    ("what is not there", || format!("ZZ{}", digits(3))),
];

/// Fills a file, serves it and prints how long searches take.
///
/// # Errors
/// When a step of it fails.
pub async fn measure(folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = folder.join("large.db");
    let url = format!("sqlite:///{}", file.display());
    let site = "site add --site-id north --name North --database-url";
    output("cloud-sync", site.split(' ').chain([&url[..]]), "").await?;
    fill(&file)?;
    let (port, _process) = serve(&url, folder).await?;
    let mut connection = Connection::new(port);
    let mut all = Met::default();
    println!("searching {PLATES} plates, {QUESTIONS} questions of each kind");
    for (name, text) in KINDS {
        let mut met = ask(&mut connection, text).await?;
        print(name, &mut met);
        all.add(met);
    }
    print("all", &mut all);
    Ok(())
}

fn fill(file: &Path) -> Result<(), Box<dyn Error>> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let sql = ROWS
        .replace("{plates}", &PLATES.to_string())
        .replace("{rows}", "1000")
        .replace("{now_ms}", &now_ms.to_string());
    let database = Database::open(file)?;
    let fast = "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA temp_store = 2";
    database.execute_batch(fast)?;
    Ok(database.execute_batch(&format!("BEGIN IMMEDIATE; {sql} COMMIT"))?)
}

async fn ask(connection: &mut Connection, text: fn() -> String) -> Result<Met, Box<dyn Error>> {
    let mut met = Met::default();
    for _ in 0..QUESTIONS {
        let encoded: String = text().bytes().map(|byte| format!("%{byte:02X}")).collect();
        let request =
            format!("GET /api/search?query={encoded}&limit=20 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        let sent = Instant::now();
        connection.exchange(request.as_bytes()).await?;
        let wait = sent.elapsed();
        met.add(Met { waits_ms: vec![ms(wait)], lasted: wait });
    }
    Ok(met)
}

fn print(what: &str, met: &mut Met) {
    let (p50, p99, max) = (met.wait_ms(500), met.wait_ms(990), met.wait_ms(1_000));
    println!("{what:<20}  p50 {p50:6.2} p99 {p99:6.2} max {max:6.2} ms");
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn any(of: &str) -> char {
    let all: Vec<char> = of.chars().collect();
    all[rand::rng().random_range(0..all.len())]
}

fn digits(count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rand::rng().random_range(0..10))).collect()
}
