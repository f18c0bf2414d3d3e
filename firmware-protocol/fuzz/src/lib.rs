//! What the fuzz targets hold, whatever bytes come. The tests of `firmware-protocol` and of
//! `edge-daemon` include these modules and give them the corpus.

pub mod frames;
pub mod mqtt;
pub mod transcript;

/// The very source of the host, which itself is too large to be fuzzed.
#[path = "../../../edge-daemon/src/controller/mqtt/payload/mod.rs"]
#[allow(missing_docs, dead_code, unused)]
pub mod payload;
