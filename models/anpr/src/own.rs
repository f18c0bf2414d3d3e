//! Networks of one's own in place of the built-in ones.
//!
//! Whether a network is of the built-in one's shape or of somebody else's is told from its tensors.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::Error;
use crate::models::MANIFEST;
use crate::network::{Parsed, sha256};

/// The numbers of networks of somebody else, where no manifest tells them.
const DEFAULTS: &str = r#"
[detector]
strides = []
threshold = 0.25
overlap = 0.45

[reader]
charset = ""
temperature = 1.0
margin = 0.07
split_upper = 0.46
split_lower = 0.38

[vehicles]
strides = []
classes = []
threshold = 0.25
overlap = 0.45
"#;

/// A network of one's own.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    /// The file's name or path, for messages.
    pub file: &'a str,
    /// The network (ONNX).
    pub onnx: &'a [u8],
    /// The manifest beside it (TOML). What it does not tell of this network, or where it is about
    /// another file, holds as in the built-in one, or as is usual for networks of other shapes.
    pub manifest: Option<&'a str>,
}

/// A network of one's own and what its manifest tells of it.
pub(crate) struct Opened<'a> {
    pub parsed: Parsed,
    own: Own<'a>,
    /// The name of its table.
    name: &'static str,
    told: toml::Table,
}

impl<'a> Own<'a> {
    /// Parses the network, whose table in the manifest has this name.
    pub(crate) fn open(self, name: &'static str) -> Result<Opened<'a>, Error> {
        let mut tables: toml::Table = self.parse(self.manifest.unwrap_or_default())?;
        let told = match tables.remove(name) {
            Some(toml::Value::Table(table)) if self.is(&table) => table,
            _ => toml::Table::new(),
        };
        let hash = told.get("sha256").and_then(toml::Value::as_str);
        let hash = hash.map_or_else(|| sha256(self.onnx), str::to_owned);
        let parsed = Parsed::load(self.onnx, self.file, &hash)?;
        Ok(Opened { parsed, own: self, name, told })
    }

    fn parse<T: DeserializeOwned>(&self, toml: &str) -> Result<T, Error> {
        toml::from_str(toml).map_err(|e| Error::Manifest(format!("beside {}: {e}", self.file)))
    }

    /// Whether a table of the manifest is about this network.
    fn is(&self, table: &toml::Table) -> bool {
        let named = table.get("file").and_then(toml::Value::as_str);
        let name = Path::new(self.file).file_name().and_then(|name| name.to_str());
        named.is_none() || named == name
    }
}

impl Opened<'_> {
    /// Whether it has the tensors of the built-in network.
    pub fn is_ours(&self) -> bool {
        let (inputs, outputs) = (self.parsed.inputs(), self.parsed.outputs());
        let is_map = |name: &String| {
            name.strip_prefix('p').is_some_and(|stride| stride.parse::<usize>().is_ok())
        };
        match self.name {
            "reader" => inputs == ["plate"] && outputs == ["logits"],
            _ => inputs == ["image"] && outputs.iter().all(is_map),
        }
    }

    /// Its table: what the manifest tells, and else what holds for networks of its shape.
    pub fn table<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let otherwise = if self.is_ours() { MANIFEST } else { DEFAULTS };
        let mut tables: toml::Table = self.own.parse(otherwise)?;
        let mut table = match tables.remove(self.name) {
            Some(toml::Value::Table(table)) => table,
            _ => toml::Table::new(),
        };
        table.insert("sha256".to_owned(), sha256(self.own.onnx).into());
        table.extend(self.told.clone());
        table.insert("file".to_owned(), self.own.file.into());
        let of = |e| Error::Manifest(format!("beside {}: {}: {e}", self.own.file, self.name));
        table.try_into().map_err(of)
    }
}
