//! A lane's decision about a sighting is one look at one picture with one plate in it, a movement
//! of a vehicle, and for a person's request a line in the log.

use domain::{
    event::{Decision, Direction, Event, PlateSeen, Rule, Verdict},
    plate::normal_form,
};

use super::kind_name;
use crate::{
    logs::{Entry, Level},
    store::{StoreError, Transaction, next_id, params},
};

/// Most characters of the other readings that are kept.
const ALTERNATIVES_LENGTH: usize = 200;

pub(super) fn decided(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
) -> Result<(), StoreError> {
    if let Some(who) = &decision.requested_by {
        let message = format!("{who} at {}: {}", decision.lane, decision.reason);
        Entry::of_site(event, Level::Info, "gate", message).write(tx)?;
    }
    let Some(plate) = &decision.plate else { return Ok(()) };
    let picture = expect_picture(tx, event, &plate.picture)?;
    // The same vehicle once more, which a moment ago was decided on: no second car.
    if decision.rule == Rule::Cooldown {
        return Ok(());
    }
    if decide_again(tx, event, decision, plate)? {
        return Ok(());
    }
    let recognition = insert_recognition(tx, event, decision, plate, picture.is_some())?;
    insert_read(tx, event, decision, plate, recognition, picture)
}

/// A second decision about one sighting, such as an operator's after a refusal, concerns the same
/// car and the same plate: it only says what became of it.
fn decide_again(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    plate: &PlateSeen,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE plate_reads SET movement = $1, decision_id = $2
         WHERE site_id = $3 AND lane = $4 AND read_at_ms = $5 AND picture = $6",
        params![
            movement(decision),
            decision.id.to_string(),
            event.site.as_str(),
            decision.lane.as_str(),
            plate.captured_at.timestamp_millis(),
            &plate.picture
        ],
    )?;
    Ok(changed > 0)
}

/// Notes that the site may send this picture; none where the name is no hash.
fn expect_picture<'a>(
    tx: &mut dyn Transaction,
    event: &Event,
    name: &'a str,
) -> Result<Option<&'a str>, StoreError> {
    if name.len() != 64 || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(None);
    }
    tx.execute(
        "INSERT INTO pictures (site_id, sha256) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![event.site.as_str(), name],
    )?;
    Ok(Some(name))
}

fn insert_recognition(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    plate: &PlateSeen,
    has_picture: bool,
) -> Result<i64, StoreError> {
    let id = next_id(tx, "recognition")?;
    let file = if has_picture { plate.picture.as_str() } else { decision.lane.as_str() };
    let processing_ms = f64::from(decision.latency.detect_ms + decision.latency.read_ms);
    tx.execute(
        "INSERT INTO recognitions (site_id, id, filename, taken_at_ms, processing_ms)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            event.site.as_str(),
            id,
            format!("{file}.jpg"),
            plate.captured_at.timestamp_millis(),
            finite(processing_ms)
        ],
    )?;
    Ok(id)
}

fn insert_read(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    plate: &PlateSeen,
    recognition: i64,
    picture: Option<&str>,
) -> Result<(), StoreError> {
    let id = next_id(tx, "plate_read")?;
    let confidence = if plate.text.is_empty() { 0.0 } else { finite(plate.confidence.into()) };
    let [x_min, y_min, x_max, y_max] = plate.bounds.map(|px| px.round() as i64);
    tx.execute(
        "INSERT INTO plate_reads
                (site_id, id, recognition_id, decision_id, lane, movement, plate, plate_key, kind,
                 confidence, alternatives, x_min, y_min, x_max, y_max, picture, read_at_ms,
                 processed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 'local')",
        params![
            event.site.as_str(),
            id,
            recognition,
            decision.id.to_string(),
            decision.lane.as_str(),
            movement(decision),
            &plate.text,
            normal_form(&plate.text),
            kind_name(plate.kind),
            confidence.clamp(0.0, 1.0),
            alternatives(decision, plate),
            x_min,
            y_min,
            x_max,
            y_max,
            picture,
            plate.captured_at.timestamp_millis()
        ],
    )?;
    Ok(())
}

/// A vehicle that was refused was seen, no more.
const fn movement(decision: &Decision) -> &'static str {
    match (decision.verdict, decision.direction) {
        (Verdict::Refuse, _) => "seen",
        (Verdict::Open, Direction::Entry) => "entered",
        (Verdict::Open, Direction::Exit) => "left",
    }
}

/// The reading and the known plates that it might be, where they differ.
fn alternatives(decision: &Decision, plate: &PlateSeen) -> Option<String> {
    let others = decision.candidates.iter().map(|candidate| candidate.plate.as_str());
    let others: Vec<_> = others.filter(|other| *other != plate.text).collect();
    if others.is_empty() || plate.text.is_empty() {
        return None;
    }
    let text = format!("{}/{}", plate.text, others.join("/"));
    Some(text.chars().take(ALTERNATIVES_LENGTH).collect())
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
