//! Who this site is to the cloud: its name, its cloud, and the key that signs what it sends.
//!
//! The key is made here, never leaves, and is readable by nobody else.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use domain::{
    envelope::{sign, to_hex},
    ids::SiteId,
};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde::{Deserialize, Serialize};

use crate::journal::StateDir;

/// Why there is no usable identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// This site was never enrolled.
    #[error("this site is not enrolled: run `edge-daemon enroll --cloud URL --code CODE --state {}`", .0.display())]
    NotEnrolled(PathBuf),
    /// It was enrolled before.
    #[error("this is site `{0}` already; to enrol it anew, move its identity folder away first")]
    AlreadyEnrolled(SiteId),
    /// A file could not be read or written.
    #[error("could not {act} {}", path.display())]
    File {
        /// What was being done.
        act: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is there and is not what it should be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system has no randomness to make a key from.
    #[error("the system gave no randomness to make a key from")]
    NoRandomness,
}

/// The identity of an enrolled site.
pub struct Identity {
    /// The site.
    pub site: SiteId,
    /// The cloud at which it is enrolled.
    pub cloud: String,
    key: Key,
}

/// A site's key pair. It says nothing about itself but its public half.
pub struct Key(Ed25519KeyPair);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteFile {
    site: SiteId,
    cloud: String,
}

impl Identity {
    /// Reads the identity below `state`.
    pub fn load(state: &StateDir) -> Result<Self, IdentityError> {
        let path = site_path(state);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(IdentityError::NotEnrolled(state.path().to_owned()));
            }
            text => text.map_err(file("read", &path))?,
        };
        let SiteFile { site, cloud } = serde_json::from_str(&text)
            .map_err(|error| IdentityError::Damaged { path, what: error.to_string() })?;
        let key = Key::load(state)?;
        Ok(Self { site, cloud, key })
    }

    /// Writes down that `key`, which lies below `state`, is enrolled as `site` at `cloud`.
    pub fn store(
        state: &StateDir,
        key: Key,
        site: SiteId,
        cloud: String,
    ) -> Result<Self, IdentityError> {
        let text =
            serde_json::to_string_pretty(&SiteFile { site: site.clone(), cloud: cloud.clone() })
                .expect("two texts are JSON");
        write(&site_path(state), text.as_bytes())?;
        Ok(Self { site, cloud, key })
    }

    /// Signs a body, as the cloud checks it.
    pub fn sign(&self, body: &[u8]) -> String {
        sign(&self.key.0, body)
    }
}

impl Key {
    /// The key below `state`; a new one where there is none. An enrolment that was cut short so
    /// goes on with the key it began with.
    pub fn load_or_make(state: &StateDir) -> Result<Self, IdentityError> {
        if !key_path(state).exists() {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| IdentityError::NoRandomness)?;
            write(&key_path(state), key.as_ref())?;
        }
        Self::load(state)
    }

    /// The public half in hex.
    pub fn public(&self) -> String {
        to_hex(self.0.public_key().as_ref())
    }

    fn load(state: &StateDir) -> Result<Self, IdentityError> {
        let path = key_path(state);
        let bytes = fs::read(&path).map_err(file("read", &path))?;
        Ed25519KeyPair::from_pkcs8(&bytes)
            .map(Self)
            .map_err(|error| IdentityError::Damaged { path, what: error.to_string() })
    }
}

fn site_path(state: &StateDir) -> PathBuf {
    state.identity().join("site.json")
}

fn key_path(state: &StateDir) -> PathBuf {
    state.identity().join("key.pk8")
}

/// Writes a file that only we may read: there whole or not at all, also after a power cut.
fn write(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let folder = path.parent().unwrap_or(path);
    let partial = path.with_extension("new");
    let write = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(file("write", path))
}

fn file(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    let path = path.to_owned();
    move |source| IdentityError::File { act, path, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use domain::envelope::verify;

    use super::*;

    #[test]
    fn an_identity_is_read_back_and_signs_with_the_enrolled_key() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(folder.path());
        assert!(matches!(Identity::load(&state), Err(IdentityError::NotEnrolled(_))));
        let key = Key::load_or_make(&state).unwrap();
        let public = key.public();
        assert_eq!(Key::load_or_make(&state).unwrap().public(), public);
        Identity::store(&state, key, "north".parse().unwrap(), "https://x".into()).unwrap();
        let identity = Identity::load(&state).unwrap();
        assert_eq!((identity.site.as_str(), identity.cloud.as_str()), ("north", "https://x"));
        assert!(verify(&public, b"body", &identity.sign(b"body")));
    }

    #[test]
    fn nobody_else_can_read_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(folder.path());
        Key::load_or_make(&state).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&key_path(&state)), mode(&state.identity())), (0o600, 0o700));
    }
}
