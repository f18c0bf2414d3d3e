//! The keys of devices that seal their messages: one file for each, below the state directory,
//! that nobody but the service reads.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};

use domain::{envelope::to_hex, ids::DeviceId};
use firmware_protocol::seal::{KEY_BYTES, Key};

/// A key cannot be read, kept or forgotten.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} the key {path}")]
pub struct KeyError {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Where the keys lie: `<state>/devices/<kind>/<device>.key`, 64 hex digits each.
#[derive(Debug, Clone)]
pub struct Keys(PathBuf);

impl Keys {
    /// The keys below a state directory; nothing is created.
    pub fn new(state: &Path) -> Self {
        Self(state.join("devices"))
    }

    /// The key of a device; none for one that was not paired.
    ///
    /// # Errors
    /// Where there is one that cannot be read, or is none.
    pub fn get(&self, kind: &str, device: &DeviceId) -> Result<Option<Key>, KeyError> {
        let path = self.path(kind, device);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| KeyError { act: "read", path: path.clone(), source })?,
        };
        let bad = io::Error::new(io::ErrorKind::InvalidData, "it is not 64 hex digits");
        let key = Key::from_hex(text.trim_end());
        key.map(Some).ok_or(KeyError { act: "use", path, source: bad })
    }

    /// Keeps the key of a device, in the place of the one before. It is on disk afterwards.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep(
        &self,
        kind: &str,
        device: &DeviceId,
        key: &[u8; KEY_BYTES],
    ) -> Result<(), KeyError> {
        let path = self.path(kind, device);
        let error = |source| KeyError { act: "keep", path: path.clone(), source };
        for folder in [&self.0, &self.0.join(kind)] {
            make(folder).map_err(error)?;
        }
        replace(&path, format!("{}\n", to_hex(key))).map_err(error)
    }

    /// Forgets the key of a device; says whether there was one.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn forget(&self, kind: &str, device: &DeviceId) -> Result<bool, KeyError> {
        let path = self.path(kind, device);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(KeyError { act: "remove", path, source }),
        }
    }

    /// The devices of a kind that have a key, in order.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn devices(&self, kind: &str) -> Result<Vec<DeviceId>, KeyError> {
        let path = self.0.join(kind);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| KeyError { act: "list", path, source })?,
        };
        let names = entries.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            name.strip_suffix(".key")?.parse().ok()
        });
        let mut devices: Vec<_> = names.collect();
        devices.sort();
        Ok(devices)
    }

    /// A device's name leads out of no folder.
    fn path(&self, kind: &str, device: &DeviceId) -> PathBuf {
        self.0.join(kind).join(format!("{device}.key"))
    }
}

/// Makes a folder where it is not there, for whom the one above belongs to.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    give(folder, &fs::metadata(parent(folder))?)
}

/// Replaces a file of secrets, whole or not at all; it is on disk afterwards. It belongs to whom it
/// belonged, or else to whom its folder does, so that root may write it for a service.
pub(crate) fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = parent(path);
    let owner = fs::metadata(path).or_else(|_| fs::metadata(folder))?;
    let part = path.with_extension("part");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(bytes.as_ref())?;
    give(&part, &owner)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(folder)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn give(path: &Path, owner: &fs::Metadata) -> io::Result<()> {
    let own = fs::metadata(path)?;
    if (own.uid(), own.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    chown(path, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_kept_for_nobody_else_and_forgotten() {
        let state = tempfile::tempdir().unwrap();
        let keys = Keys::new(state.path());
        let device = "hall-1".parse().unwrap();
        assert_eq!(keys.get("locker", &device).unwrap(), None);
        assert_eq!(keys.devices("locker").unwrap(), []);
        keys.keep("locker", &device, &[7; KEY_BYTES]).unwrap();
        keys.keep("locker", &device, &[8; KEY_BYTES]).unwrap();
        assert_eq!(keys.get("locker", &device).unwrap(), Some(Key::new([8; KEY_BYTES])));
        assert_eq!(keys.get("charger", &device).unwrap(), None);
        assert_eq!(keys.devices("locker").unwrap(), std::slice::from_ref(&device));
        let path = state.path().join("devices/locker/hall-1.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(keys.forget("locker", &device).unwrap());
        assert!(!keys.forget("locker", &device).unwrap());
    }

    #[test]
    fn a_key_that_is_none_is_named() {
        let state = tempfile::tempdir().unwrap();
        let keys = Keys::new(state.path());
        let device = "hall-1".parse().unwrap();
        fs::create_dir_all(state.path().join("devices/locker")).unwrap();
        let path = state.path().join("devices/locker/hall-1.key");
        fs::write(&path, "7".repeat(63)).unwrap();
        let error = keys.get("locker", &device).unwrap_err();
        assert!(error.to_string().contains("hall-1.key"), "{error}");
    }
}
