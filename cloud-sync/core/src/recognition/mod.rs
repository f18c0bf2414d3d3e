//! Pictures that people send: what was read in them is kept like what sites read, in the same
//! tables; and how the networks that read them are set and how they do.

mod figures;
mod record;
mod settings;

use chrono_tz::Tz;

pub use self::{
    figures::{DetectionFigures, HourCount, Performance, Realtime, VehicleFigures},
    record::{Better, NewPlate, NewRecognition},
    settings::{ModelSettings, SettingsChange},
};
use crate::{
    base::Base,
    caller::{Admin, Caller, Operator},
    error::Result,
    plates::{PlateRead, Recognition},
};

/// Recognition of pictures.
pub struct Recognitions {
    base: Base,
    zone: Tz,
}

impl Recognitions {
    pub(crate) const fn new(base: Base, zone: Tz) -> Self {
        Self { base, zone }
    }

    /// Keeps what was read in a picture, for the site of its spot or the default site. A car that
    /// was read on a spot stands there from then on.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where the spot that it names is not there.
    pub async fn record(&self, operator: &Operator, new: NewRecognition) -> Result<Recognition> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let kept = self.base.store.write(move |tx| record::record(tx, &new, actor, now_ms)).await?;
        self.base.changed();
        Ok(kept)
    }

    /// Replaces what was read by something surer, unless a person has said what is right.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] where the plate is not there.
    pub async fn improve(&self, operator: &Operator, id: i64, better: Better) -> Result<PlateRead> {
        let (actor, now_ms) = (operator.actor(), self.base.now_ms());
        let improved =
            self.base.store.write(move |tx| record::improve(tx, id, &better, actor, now_ms));
        let read = improved.await?;
        self.base.changed();
        Ok(read)
    }

    /// How the networks are set; `own` is what holds before anybody has changed it.
    pub async fn settings(&self, own: ModelSettings) -> Result<ModelSettings> {
        self.base.store.read(move |tx| settings::read(tx, own)).await
    }

    /// Sets the networks otherwise, from the next picture on.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a value outside its range.
    pub async fn change_settings(
        &self,
        admin: &Admin,
        own: ModelSettings,
        change: SettingsChange,
    ) -> Result<ModelSettings> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let changed =
            self.base.store.write(move |tx| settings::change(tx, own, &change, actor, now_ms));
        changed.await
    }

    /// How often and how surely plates were read, since the beginning and in the last 24 hours.
    pub async fn performance(&self, _: &Caller) -> Result<Performance> {
        let now_ms = self.base.now_ms();
        self.base.store.read(move |tx| figures::performance(tx, now_ms)).await
    }

    /// Figures of the last `days` days with today.
    pub async fn detections(&self, _: &Caller, days: u64) -> Result<DetectionFigures> {
        let (zone, now) = (self.zone, self.base.clock.now().wall);
        self.base.store.read(move |tx| figures::detections(tx, zone, now, days)).await
    }

    /// What was detected today, in the last seven days and in the last thirty.
    pub async fn realtime(&self, _: &Caller) -> Result<Realtime> {
        let (zone, now) = (self.zone, self.base.clock.now().wall);
        self.base.store.read(move |tx| figures::realtime(tx, zone, now)).await
    }

    /// Counts a question to the second reader, where fewer than `budget` were asked today.
    pub async fn take_second_reading(&self, budget: u32) -> Result<bool> {
        let day = self.base.clock.now().wall.date_naive().to_string();
        let taken = self.base.store.write(move |tx| record::take_second_reading(tx, &day, budget));
        taken.await
    }
}
