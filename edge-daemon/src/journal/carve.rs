//! Events out of the raw pages of a database and of its log, whatever SQLite makes of these files:
//! every page that looks like a leaf of the table of events is read cell by cell.
//!
//! What is found is a candidate and no more. It may be old, half, or rotten; whoever takes it checks
//! it against the chain. The format is that of <https://www.sqlite.org/fileformat2.html>.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// What our databases have; another size would have been set by somebody else.
const PAGE: usize = 4096;
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;
const TABLE_LEAF: u8 = 0x0D;
/// Most bytes of a payload that stay on the leaf.
const MOST_LOCAL: usize = PAGE - 35;
const LEAST_LOCAL: usize = (PAGE - 12) * 32 / 255 - 23;
/// Largest event that is looked for.
const MOST_BYTES: usize = 4 << 20;

/// Something that looks like an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) sequence: u64,
    pub(super) hash: [u8; 32],
    pub(super) body: String,
}

/// Hands over whatever looks like an event in a database file; one that is not there has none.
pub(super) fn database(path: &Path, found: &mut dyn FnMut(Candidate)) -> io::Result<()> {
    pages(path, 0, 0, found)
}

/// The same of a log. Its frames are taken for what they are, in no order and whole or not.
pub(super) fn log(path: &Path, found: &mut dyn FnMut(Candidate)) -> io::Result<()> {
    pages(path, LOG_HEADER, FRAME_HEADER, found)
}

fn pages(
    path: &Path,
    start: u64,
    header: usize,
    found: &mut dyn FnMut(Candidate),
) -> io::Result<()> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let length = file.metadata()?.len();
    let mut page = vec![0; header + PAGE];
    let mut at = start;
    while at < length {
        file.seek(SeekFrom::Start(at))?;
        let read = fill(&mut file, &mut page)?;
        page[read..].fill(0);
        // In a log the pages of an overflow are anywhere; in a database they are where they belong.
        let mut overflow = |number: u32| {
            let mut next = vec![0; PAGE];
            let there = u64::from(number.checked_sub(1)?) * PAGE as u64;
            if header > 0 || there >= length {
                return None;
            }
            file.seek(SeekFrom::Start(there)).ok()?;
            fill(&mut file, &mut next).ok()?;
            Some(next)
        };
        leaf(&page[header..], at == 0, &mut overflow, found);
        at += (header + PAGE) as u64;
    }
    Ok(())
}

fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..])? {
            0 => break,
            more => read += more,
        }
    }
    Ok(read)
}

type Overflow<'a> = &'a mut dyn FnMut(u32) -> Option<Vec<u8>>;

fn leaf(page: &[u8], is_first: bool, overflow: Overflow<'_>, found: &mut dyn FnMut(Candidate)) {
    let header = if is_first { 100 } else { 0 };
    if page.get(header) != Some(&TABLE_LEAF) {
        return;
    }
    let number = |at: usize| {
        page.get(at..at + 2)
            .map_or(0, |bytes| usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
    };
    let cells = number(header + 3).min(PAGE / 4);
    for cell in 0..cells {
        let at = number(header + 8 + 2 * cell);
        if let Some(candidate) = page.get(at..).and_then(|cell| read_cell(cell, overflow)) {
            found(candidate);
        }
    }
}

/// A cell: length of the payload, row, payload.
fn read_cell(cell: &[u8], overflow: Overflow<'_>) -> Option<Candidate> {
    let (length, rest) = varint(cell)?;
    let (row, rest) = varint(rest)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST_BYTES)?;
    let payload = payload(rest, length, overflow)?;
    let (hash, body) = record(&payload)?;
    Some(Candidate { sequence: row, hash, body })
}

fn payload(rest: &[u8], length: usize, overflow: Overflow<'_>) -> Option<Vec<u8>> {
    if length <= MOST_LOCAL {
        return rest.get(..length).map(<[u8]>::to_vec);
    }
    let spread = LEAST_LOCAL + (length - LEAST_LOCAL) % (PAGE - 4);
    let local = if spread <= MOST_LOCAL { spread } else { LEAST_LOCAL };
    let mut payload = rest.get(..local)?.to_vec();
    let mut next = u32::from_be_bytes(rest.get(local..local + 4)?.try_into().ok()?);
    while payload.len() < length {
        let page = overflow(next)?;
        next = u32::from_be_bytes(page.get(..4)?.try_into().ok()?);
        let more = (length - payload.len()).min(PAGE - 4);
        payload.extend_from_slice(page.get(4..4 + more)?);
    }
    Some(payload)
}

/// The record of an event: nothing (its sequence is the row), 32 bytes, a text.
fn record(payload: &[u8]) -> Option<([u8; 32], String)> {
    const HASH: u64 = 12 + 2 * 32;
    let (header, rest) = varint(payload)?;
    let (sequence, rest) = varint(rest)?;
    let (hash, rest) = varint(rest)?;
    let (body, _) = varint(rest)?;
    if sequence != 0 || hash != HASH || body < 13 || body.is_multiple_of(2) {
        return None;
    }
    let values = payload.get(usize::try_from(header).ok()?..)?;
    let text = values.get(32..32 + usize::try_from((body - 13) / 2).ok()?)?;
    let body = String::from_utf8(text.to_vec()).ok()?;
    Some((values.get(..32)?.try_into().ok()?, body))
}

/// A number of one to nine bytes, and what follows.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        number = number << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    let last = bytes.get(8)?;
    Some((number << 8 | u64::from(*last), &bytes[9..]))
}
