//! The pictures' files against their names, which are their hashes.

use std::{fs, io};

use domain::envelope::to_hex;
use ring::digest::{SHA256, digest};
use rusqlite::Connection;

use super::{
    super::{
        StateDir,
        database::sequence,
        error::{JournalError, Result},
    },
    Report,
};

/// Checks every picture that should be there. One that was not there when its decision was
/// journaled is vision's affair (it may have crashed) and nothing wrong with the journal.
pub(super) fn check(db: &Connection, state: &StateDir, report: &mut Report) -> Result<()> {
    let kept = || {
        let mut statement = db.prepare(
            "SELECT sha256, sequence FROM picture
             WHERE bytes IS NOT NULL AND state <> 'removed' ORDER BY sequence",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, sequence(row.get(1)?))))?;
        rows.collect::<rusqlite::Result<Vec<(String, u64)>>>()
    };
    for (sha256, sequence) in kept().map_err(JournalError::database("list its pictures"))? {
        if let Some(what) = wrong(state, &sha256) {
            report.find("picture", Some(sequence), format!("{sha256} {what}"));
        }
        report.pictures += 1;
    }
    Ok(())
}

fn wrong(state: &StateDir, sha256: &str) -> Option<String> {
    let path = state.picture(sha256)?;
    match fs::read(&path) {
        Ok(bytes) if to_hex(digest(&SHA256, &bytes).as_ref()) == sha256 => None,
        Ok(_) => Some("has other bytes than when it was taken".into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some("is gone".into()),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}
