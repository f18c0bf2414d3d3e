//! The three networks, verified, shared by all threads that recognise.

use crate::boxes::{Given, Head, PlateClass};
use crate::detect::CHANNELS;
use crate::frames::{Frames, LARGEST};
use crate::near::{NEAR, NearDetector};
use crate::network::{Network, Parsed};
use crate::read::ReaderNetwork;
use crate::refine::{Refiner, VALUES, VIEW};
use crate::{
    Detail, Detector, DetectorManifest, Error, Manifest, Own, Reader, ReaderManifest, Recognizer,
    RefinerManifest,
};

pub(crate) const MANIFEST: &str = include_str!("../weights/manifest.toml");
const DETECTOR: &[u8] = include_bytes!("../weights/detector.onnx");
const REFINER: &[u8] = include_bytes!("../weights/refiner.onnx");
const READER: &[u8] = include_bytes!("../weights/reader.onnx");

/// Verified networks. Loading takes some tens of milliseconds; cloning shares the weights.
#[derive(Debug, Clone)]
pub struct Models {
    manifest: Manifest,
    detector: PlateFinder,
    refiner: Network,
    reader: ReaderNetwork,
}

impl Models {
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
        let manifest = Manifest::parse(manifest)?;
        Ok(Self {
            detector: PlateFinder::built_in(&manifest.detector, detector)?,
            refiner: load_refiner(&manifest.refiner, refiner)?,
            reader: load_reader(&manifest.reader, reader)?,
            manifest,
        })
    }

    /// The built-in networks, but for those of one's own: of the built-in ones' shapes, a detector
    /// that writes boxes, or a reader of another size or other characters.
    ///
    /// # Errors
    /// [`Error::Unfit`] and those of [`from_bytes`](Self::from_bytes), with the name of the file
    /// that does not fit and what would.
    pub fn with_own(detector: Option<Own>, reader: Option<Own>) -> Result<Self, Error> {
        let mut manifest = Manifest::parse(MANIFEST)?;
        let detector = match detector {
            Some(own) => PlateFinder::own(own, &mut manifest.detector)?,
            None => PlateFinder::built_in(&manifest.detector, DETECTOR)?,
        };
        let refiner = load_refiner(&manifest.refiner, REFINER)?;
        let reader = match reader {
            Some(own) => own_reader(own, &mut manifest.reader)?,
            None => load_reader(&manifest.reader, READER)?,
        };
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
    pub fn recognizer(&self, detail: Detail) -> Result<Recognizer, Error> {
        let PlateFinder { frames, head } = &self.detector;
        let detector = |largest| Detector::new(frames, head, largest, &self.manifest.detector);
        Ok(Recognizer {
            detector: detector(detail.px())?,
            near: NearDetector(detector(NEAR)?),
            reader: Reader::new(
                Refiner::new(&self.refiner, &self.manifest.refiner)?,
                &self.reader,
                &self.manifest.reader,
            )?,
        })
    }
}

/// The network that finds plates, and how it writes them.
#[derive(Debug, Clone)]
struct PlateFinder {
    frames: Frames,
    head: Head<PlateClass>,
}

impl PlateFinder {
    fn built_in(manifest: &DetectorManifest, onnx: &[u8]) -> Result<Self, Error> {
        Self::of_cells(manifest, Parsed::load(onnx, &manifest.file, &manifest.sha256)?)
    }

    /// One's own, whose numbers take the place of those in `manifest`.
    fn own(own: Own, manifest: &mut DetectorManifest) -> Result<Self, Error> {
        let opened = own.open("detector")?;
        *manifest = opened.table()?;
        match opened.is_ours() {
            true => Self::of_cells(manifest, opened.parsed),
            false => Self::of_boxes(manifest, opened.parsed),
        }
    }

    /// A network of the built-in one's shape.
    fn of_cells(manifest: &DetectorManifest, parsed: Parsed) -> Result<Self, Error> {
        manifest.check_cells()?;
        let outputs: Vec<String> = manifest.strides.iter().map(|s| format!("p{s}")).collect();
        let parsed = parsed.with_tensors("image", &outputs)?;
        let network = parsed.plan([1, 3, LARGEST.1, LARGEST.0])?;
        for (index, stride) in manifest.strides.iter().enumerate() {
            let wanted = [1, CHANNELS, LARGEST.1 / stride, LARGEST.0 / stride];
            check_shape(&network, index, &outputs[index], &manifest.file, &wanted)?;
        }
        Ok(Self { frames: Frames::new(parsed), head: Head::Cells(manifest.strides.clone()) })
    }

    /// A network of somebody else, which writes boxes.
    fn of_boxes(manifest: &DetectorManifest, parsed: Parsed) -> Result<Self, Error> {
        manifest.check_thresholds()?;
        let (classes, input_shape) = (&manifest.classes[..], manifest.input_shape);
        let given = Given { parsed, classes, input_shape, largest: LARGEST };
        let ours = "`plate`, a colour, `single` or `double`";
        let (frames, boxes) = given.fit(PlateClass::named, Some(PlateClass::PLAIN), ours)?;
        Ok(Self { frames, head: Head::Boxes(boxes) })
    }
}

fn load_reader(manifest: &ReaderManifest, onnx: &[u8]) -> Result<ReaderNetwork, Error> {
    ReaderNetwork::ours(manifest, Parsed::load(onnx, &manifest.file, &manifest.sha256)?)
}

/// A reader of one's own, whose numbers take the place of those in `manifest`.
fn own_reader(own: Own, manifest: &mut ReaderManifest) -> Result<ReaderNetwork, Error> {
    let opened = own.open("reader")?;
    *manifest = opened.table()?;
    match opened.is_ours() {
        true => ReaderNetwork::ours(manifest, opened.parsed),
        false => ReaderNetwork::given(manifest, opened.parsed),
    }
}

fn load_refiner(manifest: &RefinerManifest, bytes: &[u8]) -> Result<Network, Error> {
    let outputs = ["corners".to_owned()];
    let parsed = Parsed::load(bytes, &manifest.file, &manifest.sha256)?;
    let network = parsed.with_tensors("view", &outputs)?.plan([1, 3, VIEW.1, VIEW.0])?;
    check_shape(&network, 0, &outputs[0], &manifest.file, &[1, VALUES])?;
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
