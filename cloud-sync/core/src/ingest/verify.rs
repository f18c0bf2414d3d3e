//! The journal of a site as it is kept here, checked from its first event to its last.

use std::fmt;

use domain::{envelope::ChainHash, event::Event, ids::SiteId};

use super::{
    Ingest,
    chain::is_unknown,
    keep::{LOST, SET_ASIDE, parse_hash},
    replaced::REPLACED,
};
use crate::{
    error::{Error, Result},
    ingest::IngestError,
    store::{Row, first, params},
};

/// Events that are read at once.
const PAGE: i64 = 1000;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalReport {
    /// Places that are here.
    pub places: u64,
    /// The last of them.
    pub head: u64,
    /// Places that the site has set aside.
    pub set_aside: u64,
    /// Places at which the journal of a new machine begins.
    pub replaced: Vec<u64>,
    /// Runs of places that the site has lost: first and last of each.
    pub lost: Vec<[u64; 2]>,
    /// Everything that is wrong; empty for a whole journal. A loss that the site has declared is a
    /// loss, and nothing wrong with what is here.
    pub findings: Vec<(u64, String)>,
}

impl Ingest {
    /// Checks the journal of a site: gaps, hashes, what each event says of itself. Nothing is
    /// changed.
    ///
    /// # Errors
    /// [`Error::NotFound`] `site`, or what the database says.
    pub async fn verify(&self, site: &SiteId) -> Result<JournalReport> {
        let mut walk = Walk::new(site.as_str());
        loop {
            let (name, after) = (site.to_string(), walk.report.head as i64);
            let rows = self.base.store.read(move |tx| {
                let sql = "SELECT sequence, hash, kind, body FROM events
                           WHERE site_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
                Ok(tx.query(sql, params![name, after, PAGE])?)
            });
            let rows = rows.await?;
            if rows.is_empty() {
                break;
            }
            rows.iter().try_for_each(|row| walk.step(row))?;
        }
        let name = site.to_string();
        let end = self.base.store.read(move |tx| {
            let sql = "SELECT acked_through, chain_hash FROM sites WHERE site_id = $1";
            Ok(first(tx, sql, params![name])?)
        });
        let end = end.await?.ok_or(Error::NotFound("site"))?;
        walk.finish(end.get::<i64>(0)?.unsigned_abs(), hash_of(end.get(1)?)?);
        Ok(walk.report)
    }
}

struct Walk<'a> {
    site: &'a str,
    hash: ChainHash,
    report: JournalReport,
}

impl<'a> Walk<'a> {
    fn new(site: &'a str) -> Self {
        Self { site, hash: ChainHash::GENESIS, report: JournalReport::default() }
    }

    fn step(&mut self, row: &Row) -> Result<()> {
        let sequence = row.get::<i64>(0)?.unsigned_abs();
        let (kind, body): (String, String) = (row.get(2)?, row.get(3)?);
        let hash = hash_of(row.get(1)?)?;
        let head = self.report.head;
        if sequence != head + 1 {
            self.find(head + 1, format!("is missing, and all up to {}", sequence - 1));
            self.hash = ChainHash::GENESIS;
        }
        match kind.as_str() {
            LOST => self.lose(sequence),
            SET_ASIDE => self.report.set_aside += 1,
            REPLACED => self.report.replaced.push(sequence),
            _ => self.check(sequence, hash, &body),
        }
        (self.hash, self.report.head) = (hash, sequence);
        self.report.places += 1;
        Ok(())
    }

    fn check(&mut self, sequence: u64, hash: ChainHash, body: &str) {
        let base = self.report.replaced.last().copied().unwrap_or(0);
        // Behind a lost place nothing shows what an event follows.
        let resumes = is_unknown(self.hash) && sequence > base + 1;
        if !resumes && self.hash.follow(body.as_bytes()) != hash {
            self.find(sequence, "does not follow from its bytes and the one before".to_owned());
        }
        match serde_json::from_str::<Event>(body) {
            Ok(event) if event.sequence != sequence - base || event.site.as_str() != self.site => {
                let (other, site) = (event.sequence, &event.site);
                self.find(sequence, format!("says that it is event {other} of `{site}`"));
            }
            Ok(_) => {}
            Err(error) => self.find(sequence, format!("is no event: {error}")),
        }
    }

    fn lose(&mut self, sequence: u64) {
        match self.report.lost.last_mut() {
            Some([_, last]) if *last + 1 == sequence => *last = sequence,
            _ => self.report.lost.push([sequence, sequence]),
        }
    }

    fn finish(&mut self, acked: u64, hash: ChainHash) {
        if self.report.head != acked {
            let what = format!("is the last, and everything up to {acked} was acknowledged");
            self.find(self.report.head, what);
        } else if self.hash != hash {
            self.find(acked, "is not the one that the next has to follow".to_owned());
        }
    }

    fn find(&mut self, sequence: u64, what: String) {
        self.report.findings.push((sequence, what));
    }
}

fn hash_of(text: String) -> Result<ChainHash> {
    parse_hash(text).map_err(|error| match error {
        IngestError::Failed(error) => error,
        IngestError::Refused(_) => Error::NotFound("hash"),
    })
}

impl fmt::Display for JournalReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sequence, what) in &self.findings {
            writeln!(f, "event {sequence} {what}")?;
        }
        for place in &self.replaced {
            writeln!(f, "at place {place} the machine was replaced, and its journal begins anew")?;
        }
        for [first, last] in &self.lost {
            writeln!(f, "events {first} to {last} are lost at the site, as it said")?;
        }
        let Self { places, head, set_aside, .. } = self;
        let lost: u64 = self.lost.iter().map(|[first, last]| last - first + 1).sum();
        let wrong = match self.findings.len() {
            0 => "whole".to_owned(),
            count => format!("{count} wrong"),
        };
        write!(f, "{places} places up to {head}, {set_aside} set aside, {lost} lost: {wrong}")
    }
}
