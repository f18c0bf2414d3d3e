//! What the machine could do at best: the same events put into one table, in batches of the size that
//! sites send, each batch on disk before the next.

use std::{path::Path, time::Instant};

use domain::envelope::MAX_BATCH_EVENTS;
use futures_util::SinkExt;
use rusqlite::{Connection, params};
use system_tests::{fleet::Fleet, postgres};

const TABLE: &str = "CREATE TABLE bare (site TEXT NOT NULL, sequence BIGINT NOT NULL,
                     body TEXT NOT NULL, PRIMARY KEY (site, sequence))";

/// The events of each site.
pub(crate) fn bodies(folder: &Path, count: usize) -> Vec<Vec<String>> {
    let fleet = Fleet::open(folder, "site", count).unwrap();
    fleet.sites().iter().map(|site| site.bodies().unwrap()).collect()
}

fn batches(bodies: &[Vec<String>]) -> impl Iterator<Item = (usize, usize, &[String])> {
    bodies.iter().enumerate().flat_map(|(site, events)| {
        let chunks = events.chunks(MAX_BATCH_EVENTS).enumerate();
        chunks.map(move |(chunk, events)| (site, chunk * MAX_BATCH_EVENTS, events))
    })
}

fn per_second(bodies: &[Vec<String>], begun: Instant) -> f64 {
    let events: usize = bodies.iter().map(Vec::len).sum();
    events as f64 / begun.elapsed().as_secs_f64()
}

/// A prepared insert, one commit for each batch.
pub(crate) fn sqlite(folder: &Path, bodies: &[Vec<String>]) -> f64 {
    let mut database = Connection::open(folder.join("bare.db")).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.pragma_update(None, "synchronous", "FULL").unwrap();
    database.execute_batch(TABLE).unwrap();
    let begun = Instant::now();
    for (site, first, events) in batches(bodies) {
        let transaction = database.transaction().unwrap();
        {
            let sql = "INSERT INTO bare VALUES (?1, ?2, ?3)";
            let mut insert = transaction.prepare_cached(sql).unwrap();
            for (index, body) in events.iter().enumerate() {
                let sequence = (first + index) as i64;
                insert.execute(params![format!("site-{site}"), sequence, body]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    per_second(bodies, begun)
}

/// `COPY`, one for each batch.
pub(crate) async fn postgres(url: &str, bodies: &[Vec<String>]) -> f64 {
    let client = postgres::connect(url).await.unwrap();
    client.batch_execute(TABLE).await.unwrap();
    let begun = Instant::now();
    for (site, first, events) in batches(bodies) {
        let mut text = String::new();
        for (index, body) in events.iter().enumerate() {
            let body = body.replace('\\', "\\\\");
            text += &format!("site-{site}\t{}\t{body}\n", first + index);
        }
        let sink = client.copy_in("COPY bare FROM STDIN").await.unwrap();
        let mut sink = std::pin::pin!(sink);
        sink.send(std::io::Cursor::new(text.into_bytes())).await.unwrap();
        sink.close().await.unwrap();
    }
    per_second(bodies, begun)
}
