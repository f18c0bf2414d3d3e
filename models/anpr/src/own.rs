//! Networks of one's own in place of the built-in ones, of the same inputs and outputs.

use std::path::Path;

use serde::Deserialize;

use crate::models::{DETECTOR, MANIFEST, READER, REFINER};
use crate::network::sha256;
use crate::{DetectorManifest, Error, Manifest, Models, ReaderManifest};

/// A network of one's own.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// The file's name or path, for messages.
    pub file: &'a str,
    /// The network (ONNX).
    pub onnx: &'a [u8],
    /// The manifest that its export wrote beside it (TOML). Without one, or where that is about
    /// another file, the built-in network's numbers hold.
    pub manifest: Option<&'a str>,
}

/// What of a manifest one network needs.
#[derive(Default, Deserialize)]
struct Tables {
    detector: Option<DetectorManifest>,
    reader: Option<ReaderManifest>,
}

impl Own<'_> {
    fn tables(&self) -> Result<Tables, Error> {
        let tables = self.manifest.map_or_else(|| Ok(Tables::default()), toml::from_str);
        tables.map_err(|e| Error::Manifest(format!("beside {}: {e}", self.file)))
    }

    /// Whether a manifest that names `file` is about this network.
    fn is(&self, file: &str) -> bool {
        Path::new(self.file).file_name().is_some_and(|name| name == file)
    }
}

impl Models {
    /// The built-in networks, but for those of one's own.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), with the name of the file that does not fit and
    /// what would.
    pub fn with_own(detector: Option<Own>, reader: Option<Own>) -> Result<Self, Error> {
        let mut manifest = Manifest::parse(MANIFEST)?;
        if let Some(own) = &detector {
            let told = own.tables()?.detector.filter(|table| own.is(&table.file));
            let sha256 = told.as_ref().map_or_else(|| sha256(own.onnx), |t| t.sha256.clone());
            let table = told.unwrap_or(manifest.detector);
            manifest.detector = DetectorManifest { file: own.file.to_owned(), sha256, ..table };
        }
        if let Some(own) = &reader {
            let told = own.tables()?.reader.filter(|table| own.is(&table.file));
            let sha256 = told.as_ref().map_or_else(|| sha256(own.onnx), |t| t.sha256.clone());
            let table = told.unwrap_or(manifest.reader);
            manifest.reader = ReaderManifest { file: own.file.to_owned(), sha256, ..table };
        }
        let detector = detector.map_or(DETECTOR, |own| own.onnx);
        let reader = reader.map_or(READER, |own| own.onnx);
        Self::from_parts(manifest.checked()?, detector, REFINER, reader)
    }
}
