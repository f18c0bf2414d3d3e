//! Keeping what was read: one look at a picture, or at a car by a person, and the plates in it.
//! Everything that lets a vehicle in or sees it goes through here, so that each is once an anpr
//! plate and once an hz detection record.

use domain::plate::normal_form;

use super::{Movement, Tally};
use crate::{
    search,
    store::{StoreError, Transaction, next_id, params},
};

/// Most characters of the other readings that are kept.
const ALTERNATIVES_LENGTH: usize = 200;

/// Who read a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// The networks.
    Local,
    /// A person.
    Manual,
    /// The second reader.
    Claude,
}

impl ReadBy {
    /// As it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Manual => "manual",
            Self::Claude => "claude",
        }
    }
}

/// A look that is to be kept.
#[derive(Debug)]
pub(crate) struct NewLook<'a> {
    pub(crate) site: &'a str,
    pub(crate) filename: &'a str,
    pub(crate) taken_at_ms: i64,
    pub(crate) processing_ms: f64,
    /// The picture with what was found drawn on it.
    pub(crate) drawn: Option<&'a str>,
}

/// A plate in a look that is to be kept.
#[derive(Debug)]
pub(crate) struct NewRead<'a> {
    pub(crate) site: &'a str,
    pub(crate) recognition: i64,
    /// What ties it to the parking session that it begins or ends; unique.
    pub(crate) decision: &'a str,
    pub(crate) lane: &'a str,
    pub(crate) movement: Movement,
    /// Empty where it could not be read.
    pub(crate) plate: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) confidence: f64,
    pub(crate) alternatives: Option<String>,
    pub(crate) bounds_px: [i64; 4],
    pub(crate) picture: Option<&'a str>,
    pub(crate) crop: Option<&'a str>,
    pub(crate) read_at_ms: i64,
    pub(crate) read_by: ReadBy,
    pub(crate) spot_id: Option<i64>,
    pub(crate) vehicle_type: Option<&'a str>,
}

/// A vehicle that was entered without a picture: by a person, or by a system that read it itself.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) site: &'a str,
    /// What ties it to the parking session that it begins or ends; unique.
    pub(crate) decision: &'a str,
    pub(crate) movement: Movement,
    pub(crate) plate: &'a str,
    pub(crate) at_ms: i64,
    pub(crate) read_by: ReadBy,
    pub(crate) spot_id: Option<i64>,
    /// car, truck, suv, motorcycle, bus or mpv.
    pub(crate) vehicle_type: Option<&'a str>,
}

/// Keeps a vehicle that somebody told of, as a look of its own with one plate; its number.
pub(crate) fn told(tx: &mut dyn Transaction, told: &Told) -> Result<i64, StoreError> {
    let look = NewLook {
        site: told.site,
        filename: told.plate,
        taken_at_ms: told.at_ms,
        processing_ms: 0.0,
        drawn: None,
    };
    let mut tally = Tally::default();
    let recognition = look_at(tx, &look, &mut tally)?;
    let read = NewRead {
        site: told.site,
        recognition,
        decision: told.decision,
        lane: "",
        movement: told.movement,
        plate: told.plate,
        kind: kind_by_text(told.plate),
        confidence: 1.0,
        alternatives: None,
        bounds_px: [0; 4],
        picture: None,
        crop: None,
        read_at_ms: told.at_ms,
        read_by: told.read_by,
        spot_id: told.spot_id,
        vehicle_type: told.vehicle_type,
    };
    let id = read_plate(tx, &read, &mut tally)?;
    tally.write(tx, told.site)?;
    Ok(id)
}

/// The colour that a plate must have by how it is written; `other` where that does not say.
pub(crate) fn kind_by_text(plate: &str) -> &'static str {
    let normal = normal_form(plate);
    let mut characters = normal.chars();
    let is_chinese = characters.next().is_some_and(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let ascii = characters.clone().all(|c| c.is_ascii_alphanumeric());
    match (is_chinese && ascii, characters.count()) {
        (true, 6) => "blue",
        (true, 7) => "green",
        _ => "other",
    }
}

/// Keeps a look; its number. It is counted with the tally.
pub(crate) fn look_at(
    tx: &mut dyn Transaction,
    look: &NewLook,
    tally: &mut Tally,
) -> Result<i64, StoreError> {
    let id = next_id(tx, "recognition")?;
    let sql = "INSERT INTO recognitions
                   (site_id, id, filename, taken_at_ms, processing_ms, drawn)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let processing_ms = finite(look.processing_ms);
    tx.defer(
        sql,
        params![look.site, id, look.filename, look.taken_at_ms, processing_ms, look.drawn],
    )?;
    tally.look();
    Ok(id)
}

/// Keeps a plate of a look; its number. It is counted with the tally.
pub(crate) fn read_plate(
    tx: &mut dyn Transaction,
    read: &NewRead,
    tally: &mut Tally,
) -> Result<i64, StoreError> {
    let id = next_id(tx, "plate_read")?;
    let confidence = if read.plate.is_empty() { 0.0 } else { finite(read.confidence) };
    let confidence = confidence.clamp(0.0, 1.0);
    let alternatives = read.alternatives.as_deref().filter(|_| !read.plate.is_empty());
    let alternatives: Option<String> =
        alternatives.map(|text| text.chars().take(ALTERNATIVES_LENGTH).collect());
    let [x_min, y_min, x_max, y_max] = read.bounds_px;
    let plate_key = normal_form(read.plate);
    tx.defer(
        "INSERT INTO plate_reads
                (site_id, id, recognition_id, decision_id, lane, movement, plate, plate_key, kind,
                 confidence, alternatives, x_min, y_min, x_max, y_max, picture, crop, read_at_ms,
                 processed_by, spot_id, vehicle_type)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21)",
        params![
            read.site,
            id,
            read.recognition,
            read.decision,
            read.lane,
            read.movement.as_str(),
            read.plate,
            &plate_key,
            read.kind,
            confidence,
            alternatives,
            x_min,
            y_min,
            x_max,
            y_max,
            read.picture,
            read.crop,
            read.read_at_ms,
            read.read_by.as_str(),
            read.spot_id,
            read.vehicle_type
        ],
    )?;
    tally.plate(read.plate, confidence);
    search::remember(tx, read.site, &plate_key)?;
    Ok(id)
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::kind_by_text;

    #[test]
    fn only_mainland_plates_tell_their_colour() {
        for (plate, kind) in
            [("京A·12345", "blue"), ("粤BD12345", "green"), ("A123BC77", "other"), ("京", "other")]
        {
            assert_eq!(kind_by_text(plate), kind, "{plate}");
        }
    }
}
