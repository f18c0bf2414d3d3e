//! A list as a file: comma-separated values with a line of names first, as spreadsheets write them
//! (RFC 4180). Either every line can be used or nothing is, and each that cannot is named.
//!
//! Permits: `plate, holder, valid_from, valid_until, lanes, note`; denials: `plate, reason, note`.
//! Only the first two must be there. A time is RFC 3339, or a day: from its beginning, until its
//! end, on the clock of the sites. Lanes have a blank between them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use csv::StringRecord;
use domain::access::Kind;

use super::entry::{Checked, NewEntry};
use crate::{
    calendar::{day_start_ms, next_day},
    error::{Error, Result},
};

/// Most bytes of a file.
pub const MAX_IMPORT_BYTES: usize = 64 << 20;
/// Most lines that are named as wrong.
const MOST_PROBLEMS: usize = 100;
/// The columns of each kind; the first two must be there.
const PERMITS: &[&str] = &["plate", "holder", "valid_from", "valid_until", "lanes", "note"];
const DENIALS: &[&str] = &["plate", "reason", "note"];

/// A file that is to be taken in.
#[derive(Debug)]
pub struct Import {
    /// What its lines are.
    pub kind: Kind,
    /// The file.
    pub csv: Vec<u8>,
    /// Whether what it has no line for is taken away.
    pub replace: bool,
}

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that it has.
    pub lines: usize,
    /// Entries that changed by it.
    pub changed: usize,
    /// What is wrong with it; then nothing was changed.
    pub problems: Vec<LineProblem>,
}

/// A line that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

/// Where the columns stand.
struct Columns(HashMap<&'static str, usize>);

impl Import {
    /// Its entries, or what is wrong with it.
    pub(super) fn read(self, zone: Tz) -> Result<Vec<Checked>, Vec<LineProblem>> {
        let at = |line, problem: String| vec![LineProblem { line, problem }];
        if self.csv.len() > MAX_IMPORT_BYTES {
            return Err(at(1, format!("the file has more than {MAX_IMPORT_BYTES} bytes")));
        }
        let text = self.csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.csv);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let columns = reader
            .headers()
            .map_err(|e| at(1, e.to_string()))
            .and_then(|names| Columns::of(names, self.kind).map_err(|problem| at(1, problem)))?;
        let (mut entries, mut problems, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
        for record in reader.records() {
            let line = line_of(&record);
            let entry = record.map_err(|e| e.to_string()).and_then(|record| {
                let entry = columns.entry(&record, self.kind, zone);
                entry.and_then(NewEntry::checked).map_err(|e| e.to_string())
            });
            let entry =
                entry.and_then(|entry| match seen.insert(entry.plate.normal().to_owned(), line) {
                    Some(first) => Err(format!("`{}` stands in line {first} already", entry.plate)),
                    None => Ok(entry),
                });
            match entry {
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.push(LineProblem { line, problem }),
            }
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        if problems.is_empty() { Ok(entries) } else { Err(problems) }
    }
}

/// The line that a record begins in.
fn line_of(record: &csv::Result<StringRecord>) -> u64 {
    let position = match record {
        Ok(record) => record.position(),
        Err(error) => error.position(),
    };
    position.map_or(0, csv::Position::line)
}

impl Columns {
    fn of(names: &StringRecord, kind: Kind) -> Result<Self, String> {
        let known = if kind == Kind::Deny { DENIALS } else { PERMITS };
        let wanted = || format!("the first line must name the columns: {}", known.join(","));
        let mut columns = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            let name = name.trim().to_ascii_lowercase();
            let known = known.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| format!("`{name}` is no column; {}", wanted()))?;
            columns.insert(*known, place);
        }
        match known[..2].iter().all(|needed| columns.contains_key(needed)) {
            true => Ok(Self(columns)),
            false => Err(wanted()),
        }
    }

    fn entry(&self, record: &StringRecord, kind: Kind, zone: Tz) -> Result<NewEntry> {
        let value = |name| {
            let place = self.0.get(name);
            place.and_then(|place| record.get(*place)).unwrap_or_default().trim().to_owned()
        };
        let lanes = value("lanes");
        let lanes = lanes.split_whitespace().map(|lane| {
            let problem = |e| Error::invalid("lanes", format!("`{lane}`: {e}"));
            lane.parse().map_err(|e: domain::ids::BadName| problem(e.to_string()))
        });
        let about = if kind == Kind::Deny { "reason" } else { "holder" };
        Ok(NewEntry {
            kind,
            plate: value("plate"),
            about: value(about),
            valid_from: time("valid_from", &value("valid_from"), zone, false)?,
            valid_until: time("valid_until", &value("valid_until"), zone, true)?,
            lanes: lanes.collect::<Result<_>>()?,
            note: value("note"),
        })
    }
}

/// A time, or a day of the sites: its beginning or its end.
fn time(field: &'static str, text: &str, zone: Tz, is_end: bool) -> Result<Option<DateTime<Utc>>> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = if is_end { next_day(day) } else { day };
        return Ok(DateTime::from_timestamp_millis(day_start_ms(zone, day)));
    }
    let wanted = "write 2026-12-31 or 2026-12-31T18:00:00+08:00";
    let time = DateTime::parse_from_rfc3339(text);
    let time = time.map_err(|_| Error::invalid(field, format!("`{text}` is no time: {wanted}")))?;
    Ok(Some(time.to_utc()))
}
