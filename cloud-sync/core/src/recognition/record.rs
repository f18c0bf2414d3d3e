//! Keeping what was read in pictures.

use domain::plate::normal_form;
use uuid::Uuid;

use crate::{
    caller::Actor,
    error::{Error, Result},
    parking::{self, SpotReading},
    plates::{
        Movement, NewLook, NewRead, PlateRead, ReadBy, Recognition, Tally, changing, get, look_at,
        read_plate, recognition,
    },
    search,
    sites::default_site,
    store::{StoreError, Transaction, first, params},
};

/// What was read in a picture.
#[derive(Debug, Clone)]
pub struct NewRecognition {
    /// The name of its file, as it was sent.
    pub filename: String,
    /// How long finding and reading took, in milliseconds.
    pub processing_ms: f64,
    /// SHA-256 of the picture in hex, as [`crate::Pictures::keep`] gave it.
    pub picture: String,
    /// The same with what was found drawn on it, where that was made.
    pub drawn: Option<String>,
    /// The spot that it shows, where that is known.
    pub spot_id: Option<i64>,
    /// The plates in it.
    pub plates: Vec<NewPlate>,
}

/// A plate in a picture.
#[derive(Debug, Clone)]
pub struct NewPlate {
    /// Empty where it could not be read.
    pub text: String,
    /// `blue`, `green`, `yellow`, `white`, `black` or `other`.
    pub kind: &'static str,
    /// Probability that the text is right, 0 to 1.
    pub confidence: f64,
    /// Other readings, `A/B`.
    pub alternatives: Option<String>,
    /// x and y of the upper left and the lower right corner, in px.
    pub bounds_px: [i64; 4],
    /// SHA-256 of the picture of the plate alone, in hex.
    pub crop: Option<String>,
    /// Who read it.
    pub read_by: ReadBy,
}

/// A surer reading of a plate that is here already, in the same picture or in a later one.
#[derive(Debug, Clone)]
pub struct Better {
    /// The text.
    pub text: String,
    /// The plate's colour, as [`NewPlate::kind`].
    pub kind: &'static str,
    /// Probability that it is right, 0 to 1.
    pub confidence: f64,
    /// Other readings, `A/B`.
    pub alternatives: Option<String>,
    /// Who read it.
    pub read_by: ReadBy,
}

pub(super) fn record(
    tx: &mut dyn Transaction,
    new: &NewRecognition,
    actor: Actor,
    now_ms: i64,
) -> Result<Recognition> {
    let site = match new.spot_id {
        Some(spot) => parking::spot_site(tx, spot)?,
        None => default_site(tx, now_ms)?,
    };
    let crops = new.plates.iter().filter_map(|plate| plate.crop.as_ref());
    for sha256 in [&new.picture].into_iter().chain(&new.drawn).chain(crops) {
        keep_picture(tx, &site, sha256, now_ms)?;
    }
    let look = NewLook {
        site: &site,
        filename: &new.filename,
        taken_at_ms: now_ms,
        processing_ms: new.processing_ms,
        drawn: new.drawn.as_deref(),
    };
    let mut tally = Tally::default();
    let id = look_at(tx, &look, &mut tally)?;
    let mut kept = Vec::with_capacity(new.plates.len());
    for plate in &new.plates {
        let (decision, at) = (Uuid::new_v4().to_string(), (site.as_str(), id, now_ms));
        let read = read_plate(tx, &read_of(new, plate, &decision, at), &mut tally)?;
        kept.push((plate, read, decision));
    }
    tally.write(tx, &site)?;
    // Of several plates on one spot the one that was read most surely stands there.
    let read = kept.iter().filter(|(plate, ..)| !plate.text.is_empty());
    let surest = read.max_by(|a, b| a.0.confidence.total_cmp(&b.0.confidence));
    if let (Some(spot), Some((plate, read, decision))) = (new.spot_id, surest) {
        let (site, plate, kind, read) = (site.as_str(), plate.text.as_str(), plate.kind, *read);
        let reading = SpotReading { site, spot, plate, read, decision, kind, actor };
        parking::read_at(tx, &reading, now_ms)?;
    }
    recognition(tx, id)?.ok_or(Error::NotFound("session"))
}

fn keep_picture(tx: &mut dyn Transaction, site: &str, sha256: &str, now_ms: i64) -> Result<()> {
    let sql = "INSERT INTO pictures (site_id, sha256, received_at_ms) VALUES ($1, $2, $3)
               ON CONFLICT (site_id, sha256) DO UPDATE SET received_at_ms = $3, removed_at_ms = NULL";
    tx.execute(sql, params![site, sha256, now_ms])?;
    Ok(())
}

fn read_of<'a>(
    new: &'a NewRecognition,
    plate: &'a NewPlate,
    decision: &'a str,
    (site, recognition, now_ms): (&'a str, i64, i64),
) -> NewRead<'a> {
    NewRead {
        site,
        recognition,
        decision,
        lane: "",
        movement: Movement::Seen,
        plate: &plate.text,
        kind: plate.kind,
        confidence: plate.confidence,
        alternatives: plate.alternatives.clone(),
        bounds_px: plate.bounds_px,
        picture: Some(&new.picture),
        crop: plate.crop.as_deref(),
        read_at_ms: now_ms,
        read_by: plate.read_by,
        spot_id: new.spot_id,
        vehicle_type: None,
    }
}

pub(super) fn improve(
    tx: &mut dyn Transaction,
    id: i64,
    better: &Better,
    actor: Actor,
    now_ms: i64,
) -> Result<PlateRead> {
    let sql = "SELECT site_id, decision_id, plate, spot_id FROM plate_reads
               WHERE id = $1 AND is_deleted = 0";
    let row = first(tx, sql, params![id])?.ok_or(Error::NotFound("plate"))?;
    let (site, decision, before): (String, String, String) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let plate_key = normal_form(&better.text);
    search::remember(tx, &site, &plate_key)?;
    let sql = "UPDATE plate_reads SET plate = $1, plate_key = $2, confidence = $3,
                                      alternatives = $4, processed_by = $5
               WHERE id = $6 AND is_verified = 0 AND processed_by <> 'manual'";
    let params = params![
        &better.text,
        plate_key,
        better.confidence.clamp(0.0, 1.0),
        better.alternatives.as_deref(),
        better.read_by.as_str(),
        id
    ];
    let mut changed = 0;
    changing(tx, id, |tx| {
        changed = tx.execute(sql, params)?;
        Ok::<_, StoreError>(())
    })?;
    let spot: Option<i64> = row.get(3)?;
    if changed > 0 && before != better.text {
        match spot.filter(|_| before.is_empty()) {
            Some(spot) => {
                let (site, decision) = (site.as_str(), decision.as_str());
                let (plate, kind, read) = (better.text.as_str(), better.kind, id);
                let reading = SpotReading { site, spot, plate, read, decision, kind, actor };
                parking::read_at(tx, &reading, now_ms)?;
            }
            None => parking::renamed(tx, &site, &decision, &better.text, now_ms)?,
        }
    }
    get(tx, id)?.ok_or(Error::NotFound("plate"))
}

pub(super) fn take_second_reading(
    tx: &mut dyn Transaction,
    day: &str,
    budget: u32,
) -> Result<bool> {
    let sql = "INSERT INTO second_readings (day, asked) VALUES ($1, 1)
               ON CONFLICT (day) DO UPDATE SET asked = second_readings.asked + 1
               WHERE second_readings.asked < $2";
    Ok(budget > 0 && tx.execute(sql, params![day, i64::from(budget)])? > 0)
}
