//! Plates that were read: one for each decision about a vehicle, or in a picture that was sent. The anpr face shows them as
//! plates, the hz face as detection records.

mod change;
mod query;
mod totals;
mod write;

use crate::{
    base::Base,
    caller::{Caller, Operator},
    error::{Error, Result},
};

pub use self::{change::Correction, write::ReadBy};
pub(crate) use self::{
    query::{get, recognition},
    totals::{Tally, changing},
    write::{NewLook, NewRead, Told, kind_by_text, look_at, read_plate, told},
};

/// What a vehicle did when its plate was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// It was let in.
    Entered,
    /// It was let out.
    Left,
    /// It was seen, and not let through.
    Seen,
}

impl Movement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Entered, Self::Left, Self::Seen];

    /// As it is kept.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
            Self::Seen => "seen",
        }
    }
}

/// A plate that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateRead {
    /// Its number.
    pub id: i64,
    /// The look at a picture that it belongs to.
    pub recognition_id: i64,
    /// Name of the site for people.
    pub site_name: String,
    /// The lane of the site.
    pub lane: String,
    /// What the vehicle did.
    pub movement: Movement,
    /// The text; empty where it could not be read.
    pub plate: String,
    /// The kind of plate: `blue`, `green`, `yellow`, `white`, `black`, `other`.
    pub kind: String,
    /// Probability that the text is right, 0 to 1.
    pub confidence: f64,
    /// Other readings, `A/B`.
    pub alternatives: Option<String>,
    /// Where the plate is in its picture: x and y of the upper left and lower right corner, in px.
    pub bounds_px: [i64; 4],
    /// SHA-256 of its picture in hex, once the picture is here.
    pub picture: Option<String>,
    /// SHA-256 of the picture of the plate alone in hex, where there is one.
    pub crop: Option<String>,
    /// The spot that it was seen at, where that is known.
    pub spot: Option<SpotName>,
    /// What a person said the vehicle is; none where only the plate's colour may tell.
    pub vehicle_type: Option<String>,
    /// When it was seen, in milliseconds UTC.
    pub read_at_ms: i64,
    /// `local`, `manual` or `claude`.
    pub processed_by: String,
    /// Whether a person has confirmed it.
    pub is_verified: bool,
}

/// A spot, as people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotName {
    /// Its number in the system.
    pub id: i64,
    /// The name of its area.
    pub area: String,
    /// The number that is painted on it.
    pub number: String,
}

impl PlateRead {
    /// What the vehicle is: what a person said, else a car where the plate's colour says so (blue
    /// and green are theirs). None where nothing tells.
    pub fn vehicle(&self) -> Option<&str> {
        let by_colour = matches!(self.kind.as_str(), "blue" | "green").then_some("car");
        self.vehicle_type.as_deref().or(by_colour)
    }
}

/// As [`PlateRead::vehicle`], in SQL where `r` is the read; `unknown` where nothing tells.
pub(crate) const VEHICLE: &str = "COALESCE(r.vehicle_type,
    CASE WHEN r.kind = 'blue' OR r.kind = 'green' THEN 'car' ELSE 'unknown' END)";

/// One look at one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognition {
    /// Its number.
    pub id: i64,
    /// The name of the picture's file.
    pub filename: String,
    /// When the picture was taken, in milliseconds UTC.
    pub taken_at_ms: i64,
    /// How long finding and reading took, in milliseconds.
    pub processing_ms: f64,
    /// SHA-256 of the picture with what was found drawn on it in hex, where there is one.
    pub drawn: Option<String>,
    /// The plates in it, in the order of their numbers.
    pub plates: Vec<PlateRead>,
}

/// Which plates are wanted; none of it means all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlateFilter {
    /// A part of the plate, as a person types it.
    pub text: Option<String>,
    /// Whether a person has confirmed it.
    pub verified: Option<bool>,
    /// What the vehicle did.
    pub movement: Option<Movement>,
    /// The type of vehicle, as [`PlateRead::vehicle`] tells it.
    pub vehicle: Option<&'static str>,
    /// The spot that it was seen at.
    pub spot_id: Option<i64>,
    /// At least so sure, 0 to 1.
    pub least_confidence: Option<f64>,
    /// Seen at or after, in milliseconds UTC.
    pub from_ms: Option<i64>,
    /// Seen before, in milliseconds UTC.
    pub until_ms: Option<i64>,
}

/// A window into a list, newest first.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// How many are passed over.
    pub skip: u32,
    /// How many are wanted at most.
    pub limit: u32,
}

/// Figures over all plates.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// All plates.
    pub plates: i64,
    /// Those that a person has confirmed.
    pub verified: i64,
    /// Those that could not be read.
    pub unread: i64,
    /// Looks at pictures.
    pub recognitions: i64,
    /// Mean confidence of those that could be read; none without any.
    pub mean_confidence: Option<f64>,
    /// The newest ten.
    pub recent: Vec<PlateRead>,
}

/// The plates.
pub struct Plates {
    base: Base,
}

impl Plates {
    pub(crate) const fn new(base: Base) -> Self {
        Self { base }
    }

    /// The plates that fit, newest first.
    pub async fn list(
        &self,
        _: &Caller,
        filter: PlateFilter,
        window: Window,
    ) -> Result<Vec<PlateRead>> {
        if let Some((sql, params)) = query::newest(&filter, window) {
            return query::plates(self.base.store.ask(&sql, &params).await?);
        }
        self.base.store.read(move |tx| query::list(tx, &filter, window)).await
    }

    /// As [`Plates::list`], and how many fit in all.
    pub async fn page(
        &self,
        _: &Caller,
        filter: PlateFilter,
        window: Window,
    ) -> Result<(Vec<PlateRead>, i64)> {
        let read = self
            .base
            .store
            .read(move |tx| Ok((query::list(tx, &filter, window)?, query::count(tx, &filter)?)));
        read.await
    }

    /// One plate.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there or was deleted.
    pub async fn get(&self, _: &Caller, id: i64) -> Result<PlateRead> {
        let found = self.base.store.read(move |tx| query::get(tx, id)).await?;
        found.ok_or(Error::NotFound("plate"))
    }

    /// Corrects a plate, here and in the parking session that it began or ended.
    ///
    /// # Errors
    /// [`Error::NotFound`], or [`Error::Invalid`] for a text that is no plate.
    pub async fn correct(
        &self,
        operator: &Operator,
        id: i64,
        correction: Correction,
    ) -> Result<PlateRead> {
        let author = change::Author { actor: operator.actor(), now_ms: self.base.now_ms() };
        let changed = self.base.store.write(move |tx| {
            change::correct(tx, &author, id, &correction)?;
            query::get(tx, id)?.ok_or(Error::NotFound("plate"))
        });
        let read = changed.await?;
        self.base.changed();
        Ok(read)
    }

    /// Hides a plate everywhere; its row stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there or was deleted before.
    pub async fn delete(&self, operator: &Operator, id: i64) -> Result<()> {
        let author = change::Author { actor: operator.actor(), now_ms: self.base.now_ms() };
        self.base.store.write(move |tx| change::delete(tx, &author, id)).await?;
        self.base.changed();
        Ok(())
    }

    /// Looks at pictures, newest first.
    pub async fn recognitions(&self, _: &Caller, window: Window) -> Result<Vec<Recognition>> {
        self.base.store.read(move |tx| query::recognitions(tx, window)).await
    }

    /// One look at a picture.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not there.
    pub async fn recognition(&self, _: &Caller, id: i64) -> Result<Recognition> {
        let found = self.base.store.read(move |tx| query::recognition(tx, id)).await?;
        found.ok_or(Error::NotFound("session"))
    }

    /// Figures over all plates.
    pub async fn statistics(&self, _: &Caller) -> Result<Statistics> {
        self.base.store.read(query::statistics).await
    }
}
