//! The network that finds vehicles, verified against its table of the manifest.

use serde::Deserialize;

use super::{FRAMES, LOOKS, PLACE, VehicleClass, VehicleDetector, enlarged};
use crate::boxes::{Given, Head, vehicle_class};
use crate::fitted::Fitted;
use crate::frames::Frames;
use crate::models::{MANIFEST, check_shape};
use crate::network::Parsed;
use crate::{Error, Own};

const VEHICLES: &[u8] = include_bytes!("../../weights/vehicles.onnx");

/// The manifest's table `[vehicles]`.
#[derive(Debug, Clone, Deserialize)]
pub struct VehicleManifest {
    /// The file's name, for messages.
    pub file: String,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// One output `p{stride}` each, px of the network's input per cell.
    pub strides: Vec<usize>,
    /// The names of the classes, in the order of the network's channels.
    pub classes: Vec<String>,
    /// Cells below this score are no vehicles, 0 to 1.
    pub threshold: f32,
    /// Vehicles of a class whose boxes share more than this (intersection over union) are one, 0 to 1.
    pub overlap: f32,
    /// The input's shape; needed where a network of one's own takes any and shall be shown one.
    pub input_shape: Option<[usize; 4]>,
}

/// The part of the manifest that is read here.
#[derive(Deserialize)]
struct Tables {
    vehicles: VehicleManifest,
}

impl VehicleManifest {
    const TABLE: &str = "vehicles";

    fn parse(text: &str) -> Result<Self, Error> {
        let tables: Tables = toml::from_str(text).map_err(|e| Error::Manifest(e.to_string()))?;
        Ok(tables.vehicles)
    }

    fn check_thresholds(&self) -> Result<(), Error> {
        let part = |value: f32| value > 0.0 && value < 1.0;
        if part(self.threshold) && part(self.overlap) {
            return Ok(());
        }
        let reason = "vehicles.threshold and overlap must lie between 0 and 1";
        Err(Error::Manifest(reason.to_owned()))
    }

    /// The classes of maps of cells, where all values make sense.
    fn check_cells(&self) -> Result<Vec<VehicleClass>, String> {
        if self.strides.is_empty() || self.strides.iter().any(|s| !matches!(s, 4 | 8 | 16 | 32)) {
            return Err("vehicles.strides must be some of 4, 8, 16 and 32".to_owned());
        }
        if self.classes.is_empty() {
            return Err("vehicles.classes is empty, wanted at least one class".to_owned());
        }
        let class = |name: &String| {
            VehicleClass::named(name).ok_or_else(|| {
                format!("vehicles.classes names `{name}`, wanted some of {}", VehicleClass::names())
            })
        };
        self.classes.iter().map(class).collect()
    }
}

/// The verified network, shared by all threads that look for vehicles.
#[derive(Debug, Clone)]
pub struct VehicleModel {
    manifest: VehicleManifest,
    /// The classes of a head of cells.
    classes: Vec<VehicleClass>,
    frames: Frames,
    head: Head<VehicleClass>,
}

impl VehicleModel {
    /// Bytes of the network that is built into this program.
    pub const EMBEDDED_BYTES: usize = VEHICLES.len();

    /// The network that is built into this program. Takes some tens of milliseconds.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), where the program was built from wrong files.
    pub fn embedded() -> Result<Self, Error> {
        Self::from_bytes(MANIFEST, VEHICLES)
    }

    /// Another network (ONNX) of the shape of the built-in one with its manifest (TOML).
    ///
    /// # Errors
    /// [`Error::Manifest`] for an unusable manifest, [`Error::Hash`] where the file is not the one
    /// that it names, [`Error::Network`] and [`Error::Shape`] where it is not such a network.
    pub fn from_bytes(manifest: &str, onnx: &[u8]) -> Result<Self, Error> {
        let manifest = VehicleManifest::parse(manifest)?;
        let parsed = Parsed::load(onnx, &manifest.file, &manifest.sha256)?;
        Self::of_cells(manifest, parsed)
    }

    /// A network of one's own: of the shape of the built-in one, or one that writes boxes.
    ///
    /// # Errors
    /// [`Error::Unfit`] and those of [`from_bytes`](Self::from_bytes), with the name of the file
    /// that does not fit and what would.
    pub fn own(own: Own) -> Result<Self, Error> {
        let opened = own.open(VehicleManifest::TABLE)?;
        let manifest: VehicleManifest = opened.table()?;
        if opened.is_ours() {
            return Self::of_cells(manifest, opened.parsed);
        }
        manifest.check_thresholds()?;
        let (frames, boxes) = Given {
            parsed: opened.parsed,
            classes: &manifest.classes,
            input_shape: manifest.input_shape,
            largest: FRAMES[0],
        }
        .fit(vehicle_class, None, &VehicleClass::names())?;
        Ok(Self { manifest, classes: Vec::new(), frames, head: Head::Boxes(boxes) })
    }

    fn of_cells(manifest: VehicleManifest, parsed: Parsed) -> Result<Self, Error> {
        manifest.check_thresholds()?;
        let classes = manifest.check_cells().map_err(Error::Manifest)?;
        let outputs: Vec<String> = manifest.strides.iter().map(|s| format!("p{s}")).collect();
        let frames = Frames::new(parsed.with_tensors("image", &outputs)?);
        let (width, height) = enlarged(FRAMES[0], LOOKS[0]);
        let network = frames.network((width, height))?;
        for (index, stride) in manifest.strides.iter().enumerate() {
            let wanted = [1, classes.len() + PLACE, height / stride, width / stride];
            check_shape(&network, index, &outputs[index], &manifest.file, &wanted)?;
        }
        let head = Head::Cells(manifest.strides.clone());
        Ok(Self { manifest, classes, frames, head })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &VehicleManifest {
        &self.manifest
    }

    /// A detector for one thread.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine cannot start.
    pub fn detector(&self) -> Result<VehicleDetector, Error> {
        // A network of one size sees the same each time.
        let looks = if self.frames.fixed().is_some() { &LOOKS[..1] } else { &LOOKS[..] };
        let look = |times: &f64| -> Result<_, Error> {
            Ok((Fitted::new(&self.frames, enlarged(FRAMES[0], *times))?, *times))
        };
        Ok(VehicleDetector {
            looks: looks.iter().map(look).collect::<Result<_, _>>()?,
            head: self.head.clone(),
            classes: self.classes.clone(),
            threshold: self.manifest.threshold,
            overlap: self.manifest.overlap,
        })
    }
}
