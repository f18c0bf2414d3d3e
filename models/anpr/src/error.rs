//! What can go wrong: the weights are not what the manifest says, or a picture is not a picture.

/// Why recognition could not be set up or a picture not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest cannot be understood.
    #[error("the manifest of the weights is not usable: {0}")]
    Manifest(String),
    /// A weights file is not the one that the manifest names.
    #[error("weights file {file} has sha256 {found}, the manifest wants {wanted}")]
    Hash {
        /// The file's name in the manifest.
        file: String,
        /// The hash in the manifest, hexadecimal.
        wanted: String,
        /// The hash of the bytes, hexadecimal.
        found: String,
    },
    /// A network has another shape than the pipeline needs.
    #[error("{file}: tensor `{tensor}` is {found}, wanted {wanted}")]
    Shape {
        /// The file's name in the manifest.
        file: String,
        /// The tensor's name in the network.
        tensor: String,
        /// The shape that is needed.
        wanted: String,
        /// The shape in the network, or that it is missing.
        found: String,
    },
    /// A network of one's own is of none of the shapes that are taken.
    #[error("{file} does not fit: {reason}")]
    Unfit {
        /// The file's name or path.
        file: String,
        /// What does not fit, and what would.
        reason: String,
    },
    /// The inference engine refused a network or failed while running it.
    #[error("{file}: could not {act}")]
    Network {
        /// The file's name in the manifest.
        file: String,
        /// What was being done.
        act: &'static str,
        /// The engine's own account.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Width, height and bytes of a picture do not belong together.
    #[error("{width} x {height} RGB pixels need {wanted} bytes, there are {found}")]
    Image {
        /// Width given, px.
        width: usize,
        /// Height given, px.
        height: usize,
        /// Bytes that such a picture has; 0 where the sides are 0 or too large.
        wanted: usize,
        /// Bytes given.
        found: usize,
    },
}
