//! Recognition of pictures that people send: bounded in bytes, pixels, threads and waiting. A
//! picture goes in; what was read, and pictures of it, come out.

mod decode;
mod draw;
mod found;
mod inspect;
mod keep;
mod pool;
mod second;

use std::time::Instant;

use anpr::{Image, Models, Thresholds, Vehicle, VehicleModel};
use bytes::Bytes;
use cloud_core::{Cloud, ModelSettings};
use image::RgbImage;

pub use self::second::ApiKey;
use self::{
    draw::Mark,
    inspect::inspect,
    pool::{DETAIL, Networks, Pool, models, vehicle_model},
};
pub(crate) use self::{
    found::Found, inspect::BadPicture, keep::Keep, pool::PoolError, second::SecondReader,
};
use crate::config;

/// How much is to be made of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What it says alone.
    Reading,
    /// Also the picture and its plates as JPEGs.
    Pictures,
    /// Also the picture with what was found drawn on it.
    Drawn,
}

/// A picture that was looked at.
#[derive(Debug)]
pub(crate) struct Look {
    /// The plates in it, the surest find first.
    pub(crate) plates: Vec<Found>,
    /// The vehicles in it, the surest first; looked for where they are drawn.
    pub(crate) vehicles: Vec<Vehicle>,
    /// Width and height of the picture, px.
    pub(crate) size_px: (u32, u32),
    /// The picture itself, upright and without metadata, as a JPEG; empty where it was not wanted.
    pub(crate) picture: Vec<u8>,
    /// The same with what was found drawn on it, where it was wanted.
    pub(crate) drawn: Option<Vec<u8>>,
    /// How long decoding, finding and reading took, in milliseconds.
    pub(crate) took_ms: f64,
}

impl Look {
    /// Draws what was found once more, after it has changed.
    fn draw_again(&mut self) -> Result<(), LookError> {
        self.drawn = Some(drawn(&decode::decode(&self.picture)?, &self.plates, &self.vehicles)?);
        Ok(())
    }
}

/// The plates' boxes lie over those of the vehicles that carry them.
fn drawn(
    picture: &RgbImage,
    plates: &[Found],
    vehicles: &[Vehicle],
) -> Result<Vec<u8>, BadPicture> {
    let vehicles = vehicles.iter().map(Mark::of_vehicle);
    let marks: Vec<Mark> = vehicles.chain(plates.iter().map(Found::mark)).collect();
    decode::encode(&draw::draw(picture, &marks))
}

/// Why a picture was not looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// There is something wrong with it.
    #[error(transparent)]
    Picture(#[from] BadPicture),
    /// There is something wrong here.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// What was read cannot be kept.
    #[error(transparent)]
    Core(#[from] cloud_core::Error),
}

/// Looks at pictures.
pub(crate) struct Recognition {
    pool: Pool,
    second: Option<SecondReader>,
    started_at_ms: i64,
}

impl Recognition {
    /// Starts the threads; `now_ms` is when, in milliseconds UTC.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(
        config: &config::Recognition,
        second: Option<SecondReader>,
        now_ms: i64,
    ) -> std::io::Result<Self> {
        let pool = Pool::start(config.threads, config.queue)?;
        Ok(Self { pool, second, started_at_ms: now_ms })
    }

    /// How the networks are set before anybody has changed it.
    ///
    /// # Errors
    /// [`LookError::Pool`] where there are none.
    pub(crate) fn own_settings(&self) -> Result<ModelSettings, LookError> {
        Ok(ModelSettings { updated_at_ms: self.started_at_ms, ..own_settings()? })
    }

    /// How the networks are set.
    ///
    /// # Errors
    /// [`LookError`].
    pub(crate) async fn settings(&self, cloud: &Cloud) -> Result<ModelSettings, LookError> {
        Ok(cloud.recognition.settings(self.own_settings()?).await?)
    }

    /// Looks at a JPEG or PNG.
    ///
    /// # Errors
    /// [`LookError`].
    pub(crate) async fn look(
        &self,
        file: Bytes,
        settings: ModelSettings,
        wanted: Wanted,
    ) -> Result<Look, LookError> {
        inspect(&file)?;
        let work = move |networks: &mut Networks| look(networks, &file, &settings, wanted);
        self.pool.run(work).await?
    }

    /// Looks at a JPEG or PNG, and has the second reader look at what was not read surely, where
    /// there is one.
    ///
    /// # Errors
    /// [`LookError`].
    pub(crate) async fn look_twice(
        &self,
        cloud: &Cloud,
        file: Bytes,
        wanted: Wanted,
    ) -> Result<Look, LookError> {
        let mut look = self.look(file, self.settings(cloud).await?, wanted).await?;
        let Some(second) = &self.second else { return Ok(look) };
        if second.look_again(cloud, &mut look.plates).await && wanted == Wanted::Drawn {
            let draw = move |_: &mut Networks| look.draw_again().map(|()| look);
            look = self.pool.run(draw).await??;
        }
        Ok(look)
    }
}

/// What there is to say about the networks.
pub(crate) struct ModelFacts {
    /// The files of those that find plates, read them and find vehicles.
    pub(crate) name: String,
    /// Bytes of all files.
    pub(crate) bytes: usize,
    /// Width and height of what the detector sees, px.
    pub(crate) input_px: [usize; 2],
}

/// What there is to say about the networks.
///
/// # Errors
/// [`LookError::Pool`] where there are none.
pub(crate) fn model_facts() -> Result<ModelFacts, LookError> {
    let manifest = models().map_err(|_| PoolError::Failed)?.manifest();
    let vehicles = vehicle_model().map_err(|_| PoolError::Failed)?.manifest();
    let files = [&manifest.detector.file, &manifest.reader.file, &vehicles.file];
    let name = files.map(String::as_str).join(" + ");
    let (width, height) = DETAIL.px();
    let bytes = Models::EMBEDDED_BYTES + VehicleModel::EMBEDDED_BYTES;
    Ok(ModelFacts { name, bytes, input_px: [width, height] })
}

/// The networks' settings as their figures were measured.
fn own_settings() -> Result<ModelSettings, PoolError> {
    let manifest = models().map_err(|_| PoolError::Failed)?.manifest();
    let own = Thresholds::of(&manifest.detector);
    Ok(ModelSettings {
        confidence_threshold: decimal(own.score),
        iou_threshold: decimal(own.overlap),
        max_detections: own.most as i64,
        tracking: true,
        tracking_threshold: 0.7,
        updated_at_ms: 0,
    })
}

/// 0.35 for the nearest `f32` of 0.35.
fn decimal(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

fn look(
    networks: &mut Networks,
    file: &[u8],
    settings: &ModelSettings,
    wanted: Wanted,
) -> Result<Look, LookError> {
    let begun = Instant::now();
    let picture = decode::decode(file)?;
    let mut plates = read(networks, &picture, settings)?;
    let vehicles = match wanted {
        Wanted::Drawn => vehicles(networks, &picture)?,
        Wanted::Reading | Wanted::Pictures => Vec::new(),
    };
    let took_ms = begun.elapsed().as_secs_f64() * 1e3;
    let (size_px, mut jpeg) = (picture.dimensions(), Vec::new());
    if wanted != Wanted::Reading {
        jpeg = decode::encode(&picture)?;
        plates.iter_mut().try_for_each(|plate| plate.cut_out(&picture))?;
    }
    let drawn = match wanted {
        Wanted::Drawn => Some(drawn(&picture, &plates, &vehicles)?),
        Wanted::Reading | Wanted::Pictures => None,
    };
    Ok(Look { plates, vehicles, size_px, drawn, picture: jpeg, took_ms })
}

fn read(
    networks: &mut Networks,
    picture: &RgbImage,
    settings: &ModelSettings,
) -> Result<Vec<Found>, LookError> {
    let recognizer = &mut networks.plates;
    recognizer.detector.thresholds = Thresholds {
        score: settings.confidence_threshold as f32,
        overlap: settings.iou_threshold as f32,
        most: usize::try_from(settings.max_detections).unwrap_or_default(),
    };
    let readings = view(picture).and_then(|image| recognizer.recognize(image)).map_err(failed)?;
    Ok(readings.iter().map(Found::new).collect())
}

fn vehicles(networks: &mut Networks, picture: &RgbImage) -> Result<Vec<Vehicle>, LookError> {
    Ok(view(picture).and_then(|image| networks.vehicles.detect(image)).map_err(failed)?)
}

fn view(picture: &RgbImage) -> Result<Image<'_>, anpr::Error> {
    Image::new(picture.as_raw(), picture.width() as usize, picture.height() as usize)
}

fn failed(error: anpr::Error) -> PoolError {
    tracing::error!(error = &error as &dyn std::error::Error, "recognition failed");
    PoolError::Failed
}
