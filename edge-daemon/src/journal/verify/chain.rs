//! Every event in order: sequence, hash, JSON.

use domain::{envelope::ChainHash, event::Event};
use rusqlite::Connection;

use super::{
    super::{
        database,
        error::{JournalError, Result},
        query::stored_hash,
    },
    Report, misplaced,
};

/// Walks over all events and hands each sound one to `each`.
pub(super) fn check(
    db: &Connection,
    site: &str,
    report: &mut Report,
    mut each: impl FnMut(&Event) -> Result<()>,
) -> Result<()> {
    let read = || JournalError::database("read its events");
    let sql = "SELECT event.sequence, hash, body, event.sequence <= thinned_through
                   OR quarantine.sequence IS NOT NULL
               FROM event JOIN journal LEFT JOIN quarantine USING (sequence)
               ORDER BY event.sequence";
    let mut statement = db.prepare(sql).map_err(read())?;
    let mut rows = statement.query([]).map_err(read())?;
    let mut previous = ChainHash::GENESIS;
    while let Some(row) = rows.next().map_err(read())? {
        let sequence = row.get(0).map(database::sequence).map_err(read())?;
        let hash = stored_hash(row, 1).map_err(read())?;
        let body = row.get_ref(2).map_err(read())?;
        let body = body.as_bytes().unwrap_or_default();
        gap(report, sequence);
        if body.is_empty() {
            report.without_body += 1;
            if !row.get::<_, bool>(3).map_err(read())? {
                report.find("event", Some(sequence), "its bytes are gone");
            }
        } else {
            // Behind a place of which not even the hash is left, nothing shows what it follows.
            let resumes = previous == ChainHash::GENESIS && sequence > 1;
            let follows = resumes || previous.follow(body) == hash;
            if let Some(event) = sound(report, sequence, site, follows, body) {
                each(&event)?;
            }
        }
        report.events += 1;
        report.head = sequence;
        // From the hash that was written, so that one bad event is not told of all after it.
        previous = hash;
    }
    Ok(())
}

fn gap(report: &mut Report, sequence: u64) {
    match sequence.saturating_sub(report.head) {
        1 => {}
        2 => report.find("event", Some(sequence - 1), "is missing"),
        _ => {
            let (from, to) = (report.head + 1, sequence.saturating_sub(1));
            report.find("event", Some(from), format!("is missing, and all up to {to}"));
        }
    }
}

/// The event, where its bytes are one; says what is wrong with it.
fn sound(
    report: &mut Report,
    sequence: u64,
    site: &str,
    follows: bool,
    body: &[u8],
) -> Option<Event> {
    if !follows {
        let what = "its hash does not follow from its bytes and the event before";
        report.find("event", Some(sequence), what);
    }
    match serde_json::from_slice::<Event>(body) {
        Ok(event) => {
            if let Some(what) = misplaced(&event, sequence, site) {
                report.find("event", Some(sequence), what);
            }
            Some(event)
        }
        Err(error) => {
            report.find("event", Some(sequence), format!("is no event: {error}"));
            None
        }
    }
}
