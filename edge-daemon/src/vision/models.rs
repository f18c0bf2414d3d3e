//! The networks that recognition works with: the built-in ones, or those of one's own (`[models]`).

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anpr::{Detail, Models, Own, VehicleModel};
use clap::Args;
use serde::Deserialize;

/// A network of more bytes is none for this.
const MAX_BYTES: u64 = 64 << 20;
/// What the export of a network writes beside it.
const MANIFEST: &str = "manifest.toml";

/// Networks of one's own (`[models]`, and options of `edge-daemon plate`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Args)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
    /// Finds plates, in place of the built-in network (ONNX).
    #[arg(long, value_name = "FILE")]
    pub detector: Option<PathBuf>,
    /// Reads plates, in place of the built-in network (ONNX).
    #[arg(long, value_name = "FILE")]
    pub reader: Option<PathBuf>,
    /// Finds vehicles and tells them apart, in place of the built-in network (ONNX).
    #[arg(long, value_name = "FILE")]
    pub vehicles: Option<PathBuf>,
    /// Look at pictures with less detail, which takes less time and misses small plates.
    #[arg(long)]
    pub fast: bool,
}

/// Why a network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The file cannot be read.
    #[error("the network {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no such network.
    #[error("the recognition models cannot be used")]
    Unfit(#[from] anpr::Error),
}

impl ModelsConfig {
    /// Reads the networks and checks that they fit.
    ///
    /// # Errors
    /// Where a file cannot be read or is no network of the shapes that are needed.
    pub fn load(&self) -> Result<Models, ModelsError> {
        let detector = self.detector.as_deref().map(NetworkFile::read).transpose()?;
        let reader = self.reader.as_deref().map(NetworkFile::read).transpose()?;
        let (detector, reader) = (detector.as_ref(), reader.as_ref());
        Ok(Models::with_own(detector.map(NetworkFile::own), reader.map(NetworkFile::own))?)
    }

    /// Reads the network that finds vehicles and checks that it fits.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn load_vehicles(&self) -> Result<VehicleModel, ModelsError> {
        Ok(match &self.vehicles {
            Some(path) => VehicleModel::own(NetworkFile::read(path)?.own())?,
            None => VehicleModel::embedded()?,
        })
    }

    /// How much detail is looked at, where `usual` is enough time for.
    pub fn detail(&self, usual: Detail) -> Detail {
        if self.fast { Detail::Low } else { usual }
    }

    /// Checks that all networks can be used.
    ///
    /// # Errors
    /// Those of [`load`](Self::load).
    pub fn check(&self) -> Result<(), ModelsError> {
        self.load()?;
        self.load_vehicles().map(drop)
    }

    /// Itself, and what it does not name as `other` does.
    pub fn or(self, other: Self) -> Self {
        Self {
            detector: self.detector.or(other.detector),
            reader: self.reader.or(other.reader),
            vehicles: self.vehicles.or(other.vehicles),
            fast: self.fast || other.fast,
        }
    }
}

/// A network's file and what stands beside it.
struct NetworkFile {
    name: String,
    onnx: Vec<u8>,
    manifest: Option<String>,
}

impl NetworkFile {
    fn read(path: &Path) -> Result<Self, ModelsError> {
        let failed = |source| ModelsError::Read { path: path.to_owned(), source };
        let onnx = read_bounded(path).map_err(failed)?;
        let manifest = match fs::metadata(path.with_file_name(MANIFEST)) {
            Ok(_) => Some(read_bounded(&path.with_file_name(MANIFEST)).map_err(failed)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let manifest = manifest.map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Self { name: path.display().to_string(), onnx, manifest })
    }

    fn own(&self) -> Own<'_> {
        Own { file: &self.name, onnx: &self.onnx, manifest: self.manifest.as_deref() }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let count = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if count as u64 > MAX_BYTES {
        let message = format!("it is longer than {} MiB", MAX_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/anpr/weights");

    /// The message of an error and of what is behind it.
    fn refusal(config: &ModelsConfig) -> String {
        chain(&config.load().unwrap_err()).join(": ")
    }

    fn chain(error: &dyn std::error::Error) -> Vec<String> {
        let behind = error.source().map(chain).unwrap_or_default();
        [vec![error.to_string()], behind].concat()
    }

    #[test]
    fn networks_of_ones_own_are_taken_with_their_manifest_or_without() {
        let weights = Path::new(WEIGHTS);
        let config = ModelsConfig {
            detector: Some(weights.join("detector.onnx")),
            reader: Some(weights.join("reader.onnx")),
            vehicles: Some(weights.join("vehicles.onnx")),
            fast: true,
        };
        config.check().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let alone = folder.path().join("mine.onnx");
        fs::copy(weights.join("reader.onnx"), &alone).unwrap();
        ModelsConfig { reader: Some(alone), ..ModelsConfig::default() }.load().unwrap();
    }

    #[test]
    fn where_it_has_to_be_fast_less_detail_is_looked_at() {
        let fast: ModelsConfig = toml::from_str("fast = true").unwrap();
        let usual = ModelsConfig::default();
        assert_eq!(usual.detail(Detail::High), Detail::High);
        assert_eq!(usual.or(fast).detail(Detail::High), Detail::Low);
    }

    #[test]
    fn what_does_not_fit_is_named_with_file_tensor_and_what_would() {
        let weights = Path::new(WEIGHTS);
        let mixed_up =
            ModelsConfig { detector: Some(weights.join("reader.onnx")), ..ModelsConfig::default() };
        let said = refusal(&mixed_up);
        assert!(said.contains("reader.onnx does not fit: its input"), "{said}");
        let vehicles = weights.join("detector.onnx");
        let mixed_up = ModelsConfig { vehicles: Some(vehicles), ..ModelsConfig::default() };
        let said = chain(&mixed_up.check().unwrap_err()).join(": ");
        assert!(said.contains("detector.onnx") && said.contains("wanted [1, 8,"), "{said}");
        let missing =
            ModelsConfig { reader: Some("/no/such.onnx".into()), ..ModelsConfig::default() };
        assert!(refusal(&missing).contains("/no/such.onnx"));
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("broken.onnx");
        fs::write(&broken, "not a network").unwrap();
        let broken = ModelsConfig { reader: Some(broken), ..ModelsConfig::default() };
        assert!(refusal(&broken).contains("broken.onnx: could not parse the network"));
    }

    #[test]
    fn a_manifest_beside_holds_its_network_to_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(Path::new(WEIGHTS).join(MANIFEST)).unwrap();
        fs::write(folder.path().join(MANIFEST), text).unwrap();
        let reader = folder.path().join("reader.onnx");
        fs::write(&reader, "another network").unwrap();
        let config = ModelsConfig { reader: Some(reader), ..ModelsConfig::default() };
        assert!(refusal(&config).contains("sha256"));
    }
}
