//! The network that finds vehicles, verified against its table of the manifest.

use serde::Deserialize;

use super::{FRAMES, PLACE, VehicleClass, VehicleDetector};
use crate::Error;
use crate::frames::Frames;
use crate::models::{MANIFEST, check_shape};
use crate::network::{Expected, Parsed};

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
}

/// The part of the manifest that is read here.
#[derive(Deserialize)]
struct Tables {
    vehicles: VehicleManifest,
}

impl VehicleManifest {
    fn parse(text: &str) -> Result<(Self, Vec<VehicleClass>), Error> {
        let tables: Tables = toml::from_str(text).map_err(|e| Error::Manifest(e.to_string()))?;
        let manifest = tables.vehicles;
        let classes = manifest.check().map_err(Error::Manifest)?;
        Ok((manifest, classes))
    }

    /// The classes, where all values make sense.
    fn check(&self) -> Result<Vec<VehicleClass>, String> {
        let part = |value: f32| value > 0.0 && value < 1.0;
        if self.strides.is_empty() || self.strides.iter().any(|s| !matches!(s, 4 | 8 | 16 | 32)) {
            return Err("vehicles.strides must be some of 4, 8, 16 and 32".to_owned());
        }
        if !part(self.threshold) || !part(self.overlap) {
            return Err("vehicles.threshold and overlap must lie between 0 and 1".to_owned());
        }
        if self.classes.is_empty() {
            return Err("vehicles.classes is empty, wanted at least one class".to_owned());
        }
        let class = |name: &String| {
            VehicleClass::named(name).ok_or_else(|| {
                let known = VehicleClass::ALL.map(VehicleClass::as_str).join(", ");
                format!("vehicles.classes names `{name}`, wanted some of {known}")
            })
        };
        self.classes.iter().map(class).collect()
    }
}

/// The verified network, shared by all threads that look for vehicles.
#[derive(Debug, Clone)]
pub struct VehicleModel {
    manifest: VehicleManifest,
    classes: Vec<VehicleClass>,
    frames: Frames,
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

    /// Another network (ONNX) with its manifest (TOML).
    ///
    /// # Errors
    /// [`Error::Manifest`] for an unusable manifest, [`Error::Hash`] where the file is not the one
    /// that it names, [`Error::Network`] and [`Error::Shape`] where it is not such a network.
    pub fn from_bytes(manifest: &str, onnx: &[u8]) -> Result<Self, Error> {
        let (manifest, classes) = VehicleManifest::parse(manifest)?;
        let outputs: Vec<String> = manifest.strides.iter().map(|s| format!("p{s}")).collect();
        let frames = Frames::new(Parsed::load(
            onnx,
            &Expected {
                file: &manifest.file,
                sha256: &manifest.sha256,
                input: "image",
                outputs: &outputs,
            },
        )?);
        let network = frames.network(FRAMES[0])?;
        for (index, stride) in manifest.strides.iter().enumerate() {
            let (width, height) = FRAMES[0];
            let wanted = [1, classes.len() + PLACE, height / stride, width / stride];
            check_shape(&network, index, &outputs[index], &manifest.file, &wanted)?;
        }
        Ok(Self { manifest, classes, frames })
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
        VehicleDetector::new(&self.frames, &self.manifest, self.classes.clone())
    }
}
