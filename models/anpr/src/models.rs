//! The three networks, verified, shared by all threads that recognise.

use crate::detect::CHANNELS;
use crate::frames::{Frames, LARGEST};
use crate::network::{Expected, Network, Parsed};
use crate::recognize::NEAR;
use crate::rectify::{HEIGHT, WIDTH};
use crate::refine::{Refiner, VALUES, VIEW};
use crate::{Detector, Error, Manifest, Reader, Recognizer};

pub(crate) const MANIFEST: &str = include_str!("../weights/manifest.toml");
pub(crate) const DETECTOR: &[u8] = include_bytes!("../weights/detector.onnx");
pub(crate) const REFINER: &[u8] = include_bytes!("../weights/refiner.onnx");
pub(crate) const READER: &[u8] = include_bytes!("../weights/reader.onnx");

/// Verified networks. Loading takes some tens of milliseconds; cloning shares the weights.
#[derive(Debug, Clone)]
pub struct Models {
    manifest: Manifest,
    detector: Frames,
    refiner: Network,
    reader: Network,
}

impl Models {
    /// Largest width and height of what the detector sees, px: pictures are fitted into it.
    pub const INPUT_PX: (usize, usize) = LARGEST;
    /// Bytes of the networks that are built into this program.
    pub const EMBEDDED_BYTES: usize = DETECTOR.len() + REFINER.len() + READER.len();

    /// The networks that are built into this program.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), where the program was built from wrong files.
    pub fn embedded() -> Result<Self, Error> {
        Self::from_bytes(MANIFEST, DETECTOR, REFINER, READER)
    }

    /// Other networks with their manifest (TOML).
    ///
    /// # Errors
    /// [`Error::Manifest`] for an unusable manifest, [`Error::Hash`] where a file is not the one
    /// that it names, [`Error::Network`] and [`Error::Shape`] where it is not such a network.
    pub fn from_bytes(
        manifest: &str,
        detector: &[u8],
        refiner: &[u8],
        reader: &[u8],
    ) -> Result<Self, Error> {
        Self::from_parts(Manifest::parse(manifest)?, detector, refiner, reader)
    }

    pub(crate) fn from_parts(
        manifest: Manifest,
        detector: &[u8],
        refiner: &[u8],
        reader: &[u8],
    ) -> Result<Self, Error> {
        let detector = load_detector(&manifest, detector)?;
        let refiner = load_refiner(&manifest, refiner)?;
        let reader = load_reader(&manifest, reader)?;
        Ok(Self { manifest, detector, refiner, reader })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A recogniser for one thread.
    ///
    /// # Errors
    /// [`Error::Network`] where the inference engine cannot start.
    pub fn recognizer(&self) -> Result<Recognizer, Error> {
        let detector = |largest| Detector::new(&self.detector, largest, &self.manifest.detector);
        Ok(Recognizer {
            detector: detector(LARGEST)?,
            near: detector(NEAR)?,
            reader: Reader::new(
                Refiner::new(&self.refiner, &self.manifest.refiner)?,
                &self.reader,
                &self.manifest.reader,
            )?,
        })
    }
}

fn load_detector(manifest: &Manifest, bytes: &[u8]) -> Result<Frames, Error> {
    let manifest = &manifest.detector;
    let outputs: Vec<String> = manifest.strides.iter().map(|s| format!("p{s}")).collect();
    let frames = Frames::new(Parsed::load(
        bytes,
        &Expected {
            file: &manifest.file,
            sha256: &manifest.sha256,
            input: "image",
            outputs: &outputs,
        },
    )?);
    let network = frames.network(LARGEST)?;
    for (index, stride) in manifest.strides.iter().enumerate() {
        let wanted = [1, CHANNELS, LARGEST.1 / stride, LARGEST.0 / stride];
        check_shape(&network, index, &outputs[index], &manifest.file, &wanted)?;
    }
    Ok(frames)
}

fn load_refiner(manifest: &Manifest, bytes: &[u8]) -> Result<Network, Error> {
    let manifest = &manifest.refiner;
    let outputs = ["corners".to_owned()];
    let network = Parsed::load(
        bytes,
        &Expected {
            file: &manifest.file,
            sha256: &manifest.sha256,
            input: "view",
            outputs: &outputs,
        },
    )?
    .plan([1, 3, VIEW.1, VIEW.0])?;
    check_shape(&network, 0, &outputs[0], &manifest.file, &[1, VALUES])?;
    Ok(network)
}

fn load_reader(manifest: &Manifest, bytes: &[u8]) -> Result<Network, Error> {
    let manifest = &manifest.reader;
    let outputs = ["logits".to_owned()];
    let network = Parsed::load(
        bytes,
        &Expected {
            file: &manifest.file,
            sha256: &manifest.sha256,
            input: "plate",
            outputs: &outputs,
        },
    )?
    .plan([1, 3, HEIGHT, WIDTH])?;
    let steps = network.output_shape(0).get(1).copied().unwrap_or(1);
    let wanted = [1, steps, manifest.charset.chars().count() + 1];
    check_shape(&network, 0, &outputs[0], &manifest.file, &wanted)?;
    Ok(network)
}

pub(crate) fn check_shape(
    network: &Network,
    index: usize,
    tensor: &str,
    file: &str,
    wanted: &[usize],
) -> Result<(), Error> {
    let found = network.output_shape(index);
    if found == wanted {
        return Ok(());
    }
    Err(Error::Shape {
        file: file.to_owned(),
        tensor: tensor.to_owned(),
        wanted: format!("{wanted:?}"),
        found: format!("{found:?}"),
    })
}
