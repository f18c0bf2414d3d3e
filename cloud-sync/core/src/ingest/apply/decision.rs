//! A lane's decision about a sighting is one look at one picture with one plate in it, a movement
//! of a vehicle, and for a person's request a line in the log.

use domain::event::{Decision, Direction, Event, PlateSeen, Rule, Verdict};

use super::{Batch, kind_name};
use crate::{
    logs::{Entry, Level},
    parking,
    plates::{Movement, NewLook, NewRead, ReadBy, Tally, look_at, read_plate},
    store::{StoreError, Transaction, params},
};

pub(super) fn decided(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    batch: &mut Batch,
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
    if picture.is_some() && batch.known.was_seen(decision, plate) {
        return decide_again(tx, event, decision, plate);
    }
    let tally = &mut batch.tally;
    let recognition = insert_recognition(tx, event, decision, plate, picture.is_some(), tally)?;
    insert_read(tx, event, decision, plate, (recognition, picture), tally)
}

/// A second decision about one sighting, such as an operator's after a refusal, concerns the same
/// car and the same plate: it only says what became of it.
fn decide_again(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    plate: &PlateSeen,
) -> Result<(), StoreError> {
    tx.defer(
        "UPDATE plate_reads SET movement = $1, decision_id = $2
         WHERE site_id = $3 AND lane = $4 AND read_at_ms = $5 AND picture = $6",
        params![
            movement(decision).as_str(),
            decision.id.to_string(),
            event.site.as_str(),
            decision.lane.as_str(),
            plate.captured_at.timestamp_millis(),
            &plate.picture
        ],
    )
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
    tx.defer(
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
    tally: &mut Tally,
) -> Result<i64, StoreError> {
    let file = if has_picture { plate.picture.as_str() } else { decision.lane.as_str() };
    let look = NewLook {
        site: event.site.as_str(),
        filename: &format!("{file}.jpg"),
        taken_at_ms: plate.captured_at.timestamp_millis(),
        processing_ms: f64::from(decision.latency.detect_ms + decision.latency.read_ms),
        drawn: None,
    };
    look_at(tx, &look, tally)
}

fn insert_read(
    tx: &mut dyn Transaction,
    event: &Event,
    decision: &Decision,
    plate: &PlateSeen,
    (recognition, picture): (i64, Option<&str>),
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let read = NewRead {
        site: event.site.as_str(),
        recognition,
        decision: &decision.id.to_string(),
        lane: decision.lane.as_str(),
        movement: movement(decision),
        plate: &plate.text,
        kind: kind_name(plate.kind),
        confidence: plate.confidence.into(),
        alternatives: alternatives(decision, plate),
        bounds_px: plate.bounds.map(|px| px.round() as i64),
        picture,
        crop: None,
        read_at_ms: plate.captured_at.timestamp_millis(),
        read_by: ReadBy::Local,
        spot_id: None,
        vehicle_type: None,
    };
    let id = read_plate(tx, &read, tally)?;
    parking::doubt(tx, &read, id, tally.doubtless())
}

/// A vehicle that was refused was seen, no more.
const fn movement(decision: &Decision) -> Movement {
    match (decision.verdict, decision.direction) {
        (Verdict::Refuse, _) => Movement::Seen,
        (Verdict::Open, Direction::Entry) => Movement::Entered,
        (Verdict::Open, Direction::Exit) => Movement::Left,
    }
}

/// The reading and the known plates that it might be, where they differ.
fn alternatives(decision: &Decision, plate: &PlateSeen) -> Option<String> {
    let others = decision.candidates.iter().map(|candidate| candidate.plate.as_str());
    let others: Vec<_> = others.filter(|other| *other != plate.text).collect();
    if others.is_empty() || plate.text.is_empty() {
        return None;
    }
    Some(format!("{}/{}", plate.text, others.join("/")))
}
