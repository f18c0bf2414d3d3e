//! Who this site is to the cloud: its name, its cloud, and the key that signs what it sends.
//!
//! - The key is made here, never leaves, and is readable by nobody else.
//! - Requests are numbered in epochs, one for each start of a program that sends. The epoch is on
//!   disk before it is used, so that no number is used twice, whatever the clock says and whenever
//!   the power goes. A copy of the card counts the same epochs, which is how it is found out.
//! - A new key lies beside the old one until the cloud is known to have it; whichever of the two the
//!   cloud takes then is the site's.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use domain::{
    envelope::{Head, Rotation, sign, to_hex},
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
    state: StateDir,
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
        let key = Key::load(&key_path(state))?;
        Ok(Self { site, cloud, key, state: state.clone() })
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
        Ok(Self { site, cloud, key, state: state.clone() })
    }

    /// Signs a request, as the cloud checks it.
    pub fn sign(&self, head: &Head<'_>, body: &[u8]) -> String {
        head.sign(&self.key.0, body)
    }

    /// The public half of its key in hex.
    pub fn public(&self) -> String {
        self.key.public()
    }

    /// Begins the next epoch of numbers and returns it. Where the disk does not take it, it is used
    /// all the same: the worst that can follow is that the cloud asks for higher numbers.
    pub fn begin_epoch(&self) -> u64 {
        let path = self.state.identity().join("epoch");
        let last = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let next = last.unwrap_or(0).saturating_add(1).min(u64::from(u32::MAX >> 1));
        self.note_epoch(next);
        next
    }

    /// Notes that epochs up to this one are used.
    pub fn note_epoch(&self, epoch: u64) {
        let path = self.state.identity().join("epoch");
        if let Err(error) = write(&path, format!("{epoch}\n").as_bytes()) {
            tracing::warn!(%error, "the number of this start could not be noted");
        }
    }

    /// The site as it is known by the key that was made to follow this one, or by that which lies on
    /// the disk by now; none where there is no other key.
    pub fn by_another_key(&self) -> Option<Self> {
        let keys = [next_path(&self.state), key_path(&self.state)];
        let key = keys.iter().find_map(|path| {
            Key::load(path).ok().filter(|key| key.public() != self.key.public())
        })?;
        let (site, cloud, state) = (self.site.clone(), self.cloud.clone(), self.state.clone());
        Some(Self { site, cloud, key, state })
    }

    /// Makes the key that is to follow, where that was not done yet, and what asks the cloud for it.
    pub fn make_next(&self) -> Result<(Self, Rotation), IdentityError> {
        let key = Key::load_or_make_at(&next_path(&self.state))?;
        let (site, cloud, state) = (self.site.clone(), self.cloud.clone(), self.state.clone());
        let public_key = key.public();
        let proof = sign(&key.0, &Rotation::proof(site.as_str(), &public_key));
        Ok((Self { site, cloud, key, state }, Rotation { public_key, proof }))
    }

    /// This key is the site's from now on: the cloud has taken it.
    pub fn is_taken(&self) -> Result<(), IdentityError> {
        let (next, path) = (next_path(&self.state), key_path(&self.state));
        let is_next = Key::load(&next).is_ok_and(|key| key.public() == self.key.public());
        let settle = || {
            fs::rename(&next, &path)?;
            File::open(self.state.identity())?.sync_all()
        };
        if is_next { settle().map_err(file("write", &path)) } else { Ok(()) }
    }
}

impl Key {
    /// The key below `state`; a new one where there is none. An enrolment that was cut short so
    /// goes on with the key it began with.
    pub fn load_or_make(state: &StateDir) -> Result<Self, IdentityError> {
        Self::load_or_make_at(&key_path(state))
    }

    fn load_or_make_at(path: &Path) -> Result<Self, IdentityError> {
        if !path.exists() {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| IdentityError::NoRandomness)?;
            write(path, key.as_ref())?;
        }
        Self::load(path)
    }

    /// The public half in hex.
    pub fn public(&self) -> String {
        to_hex(self.0.public_key().as_ref())
    }

    fn load(path: &Path) -> Result<Self, IdentityError> {
        let bytes = fs::read(path).map_err(file("read", path))?;
        Ed25519KeyPair::from_pkcs8(&bytes).map(Self).map_err(|error| IdentityError::Damaged {
            path: path.to_owned(),
            what: error.to_string(),
        })
    }
}

fn site_path(state: &StateDir) -> PathBuf {
    state.identity().join("site.json")
}

fn key_path(state: &StateDir) -> PathBuf {
    state.identity().join("key.pk8")
}

fn next_path(state: &StateDir) -> PathBuf {
    state.identity().join("next.pk8")
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

    const HEAD: Head<'_> = Head { site: "north", method: "POST", target: "/x", count: 1 };

    fn enrolled(folder: &tempfile::TempDir) -> Identity {
        let state = StateDir::new(folder.path());
        let key = Key::load_or_make(&state).unwrap();
        Identity::store(&state, key, "north".parse().unwrap(), "https://x".into()).unwrap()
    }

    #[test]
    fn epochs_are_on_disk_before_they_are_used() {
        let folder = tempfile::tempdir().unwrap();
        let identity = enrolled(&folder);
        assert_eq!([identity.begin_epoch(), identity.begin_epoch()], [1, 2]);
        identity.note_epoch(40);
        let state = StateDir::new(folder.path());
        assert_eq!(Identity::load(&state).unwrap().begin_epoch(), 41);
    }

    #[test]
    fn a_key_that_was_made_to_follow_is_the_site_s_once_it_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::new(folder.path());
        let old = enrolled(&folder);
        assert!(old.by_another_key().is_none());
        let (next, rotation) = old.make_next().unwrap();
        // As after a power cut in between: it is the same key.
        assert_eq!(old.make_next().unwrap().1.public_key, rotation.public_key);
        let proof = Rotation::proof("north", &rotation.public_key);
        assert!(verify(&rotation.public_key, &proof, &rotation.proof));
        assert_eq!(Identity::load(&state).unwrap().public(), old.public());
        assert_eq!(old.by_another_key().unwrap().public(), next.public());
        next.is_taken().unwrap();
        assert_eq!(Identity::load(&state).unwrap().public(), next.public());
        // A program that still runs with the old one finds it.
        assert_eq!(old.by_another_key().unwrap().public(), next.public());
    }

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
        assert!(HEAD.is_signed_by(&public, b"body", &identity.sign(&HEAD, b"body")));
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
