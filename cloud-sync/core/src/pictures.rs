//! Pictures by the SHA-256 of their bytes, as files beside the database. From a site only what an
//! event has named is taken; a file is whole and on disk before it can be seen. One that is here
//! already, from whichever site, is not sent again, and one whose sending broke off goes on where it
//! was.
//!
//! Several instances keep them in one folder that all of them reach (a file system of the network),
//! not in the database: they are by far the most of what is kept, are written once and never
//! changed, and a backup of facts should not drag them along. The folder carries a mark that is also
//! in the database, so that an instance with a folder of its own does not start: it would not have
//! what the others show.

mod parts;
mod sweep;

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use domain::envelope::{Channel, PictureReceipt, Refusal, picture_target, to_hex};
use ring::digest::{SHA256, digest};

use crate::{
    base::Base,
    caller::{Caller, Operator},
    error::{Error, Result},
    ingest::{IngestError, Sender, authenticate, spend},
    store::{Transaction, first, params},
};

/// Most bytes in a picture.
pub const MAX_PICTURE_BYTES: usize = 512 * 1024;

/// The file that tells the folder from others.
const MARK: &str = ".gatehouse-pictures";

/// A part of a picture that a site sends, as it came.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Who says that he sends.
    pub sender: Sender,
    /// The name under which an event named the picture: 64 hex digits.
    pub sha256: String,
    /// Where this part begins.
    pub offset: usize,
    /// Bytes of the whole picture, a JPEG.
    pub length: usize,
    /// The part.
    pub bytes: Vec<u8>,
}

/// The pictures.
pub struct Pictures {
    base: Base,
    folder: PathBuf,
}

impl Pictures {
    pub(crate) const fn new(base: Base, folder: PathBuf) -> Self {
        Self { base, folder }
    }

    /// Holds that all instances on one database keep their pictures in one folder.
    ///
    /// # Errors
    /// [`Error::Invalid`] where this one has another, and what the disk says.
    pub(crate) async fn share(&self) -> Result<()> {
        if !self.base.store.is_shared() {
            return Ok(());
        }
        let (path, named) = (self.folder.join(MARK), self.folder.display().to_string());
        let found = tokio::task::spawn_blocking(move || mark_of(&path)).await;
        let mark = found
            .expect("reading a file does not panic")
            .map_err(|source| Error::File { act: "mark the folder of the pictures", source })?;
        let known = self.base.store.write(move |tx| {
            let sql = "INSERT INTO shared_places (name, mark) VALUES ('pictures', $1)
                       ON CONFLICT (name) DO UPDATE SET mark = shared_places.mark RETURNING mark";
            let row = first(tx, sql, params![&mark])?.ok_or(Error::NotFound("mark"))?;
            Ok(row.get::<String>(0)? == mark)
        });
        if known.await? {
            return Ok(());
        }
        let problem = format!(
            "{named} is not where the other instances keep pictures: give all of them the same \
             folder, on a file system that they share; one that was copied needs its file {MARK} too"
        );
        Err(Error::invalid("pictures.folder", problem))
    }

    /// Takes a part of a picture, and keeps the picture once it is whole. What is here already is
    /// not wanted again: the answer says so, and where the next part begins.
    ///
    /// # Errors
    /// [`IngestError::Refused`] for a signature, a hash or bytes that are wrong,
    /// [`Error::NotFound`] where no event that is here has named it, and what the disk says.
    pub async fn put(&self, upload: Upload) -> Result<PictureReceipt, IngestError> {
        let Upload { sender, sha256, offset, length, bytes } = upload;
        let target = picture_target(&sha256, offset, length);
        authenticate(&self.base, &sender, "PUT", &target, &bytes).await?;
        check(&sha256, offset, length, &bytes)?;
        let (site, count) = (sender.site, sender.count);
        if self.is_here(site.clone(), sha256.clone(), count).await? {
            return Ok(PictureReceipt { kept: true, has: length });
        }
        let part = parts::Part { folder: self.folder.clone(), sha256, offset, length, bytes };
        let (part, receipt) = tokio::task::spawn_blocking(move || {
            let receipt = part.take();
            (part, receipt)
        })
        .await
        .expect("writing a file does not panic");
        let receipt = receipt?;
        if receipt.kept {
            self.received(site, part.sha256).await?;
        }
        Ok(receipt)
    }

    async fn received(&self, site: String, sha256: String) -> Result<()> {
        let now_ms = self.base.now_ms();
        let sql = "UPDATE pictures SET received_at_ms = $1, removed_at_ms = NULL
                   WHERE site_id = $2 AND sha256 = $3";
        let keep = {
            let site = site.clone();
            move |tx: &mut dyn Transaction| {
                tx.execute(sql, params![now_ms, site, sha256])?;
                Ok::<_, Error>(())
            }
        };
        self.base.store.write_of(&site, keep).await?;
        self.base.changed();
        Ok(())
    }

    /// Keeps pictures that were made here, and returns their names: the SHA-256 of each in hex.
    ///
    /// # Errors
    /// [`Error::File`] where the disk does not take them.
    pub async fn keep(&self, _: &Operator, jpegs: Vec<Vec<u8>>) -> Result<Vec<String>> {
        let folder = self.folder.clone();
        let write = move || {
            let name = |jpeg: &Vec<u8>| {
                let sha256 = to_hex(digest(&SHA256, jpeg).as_ref());
                write_durably(&path(&folder, &sha256), jpeg).map(|()| sha256)
            };
            jpegs.iter().map(name).collect::<io::Result<Vec<_>>>()
        };
        tokio::task::spawn_blocking(write)
            .await
            .expect("writing a file does not panic")
            .map_err(|source| Error::File { act: "keep a picture", source })
    }

    /// Spends the request's number, and says whether the picture was received before.
    async fn is_here(&self, site: String, sha256: String, count: u64) -> Result<bool, IngestError> {
        let sql =
            "SELECT received_at_ms IS NOT NULL FROM pictures WHERE site_id = $1 AND sha256 = $2";
        let row = self.base.store.write_or(move |tx| {
            spend(tx, &site, Channel::Pictures, count)?;
            Ok::<_, IngestError>(first(tx, sql, params![site, sha256])?)
        });
        Ok(row.await?.ok_or(Error::NotFound("picture"))?.get(0)?)
    }

    /// The bytes of a picture.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is not here.
    pub async fn get(&self, _: &Caller, sha256: &str) -> Result<Vec<u8>> {
        if !is_hash(sha256) {
            return Err(Error::NotFound("picture"));
        }
        tokio::fs::read(path(&self.folder, sha256)).await.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound("picture"),
            _ => Error::File { act: "read a picture", source },
        })
    }
}

/// The mark in a file; a new one where there is none yet.
fn mark_of(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(mark) => return Ok(mark.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let new = path.with_extension(crate::secret::new_key());
    write_durably(&new, crate::secret::new_key().as_bytes())?;
    // Where two began at once, the first that stands there counts.
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    if let Err(error) = linked
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn check(sha256: &str, offset: usize, length: usize, part: &[u8]) -> Result<(), Refusal> {
    if length > MAX_PICTURE_BYTES {
        return Err(malformed("a picture has at most 512 KiB"));
    }
    if part.is_empty() || offset.checked_add(part.len()).is_none_or(|end| end > length) {
        return Err(malformed("a part has at least one byte and ends with its picture"));
    }
    if !is_hash(sha256) {
        return Err(malformed(MISNAMED));
    }
    if offset == 0 && !part.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Err(malformed("a picture is a JPEG"));
    }
    Ok(())
}

const MISNAMED: &str = "the name of a picture is the SHA-256 of its bytes in lower-case hex";

fn malformed(reason: &str) -> Refusal {
    Refusal::Malformed { reason: reason.to_owned() }
}

fn path(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(&sha256[..2]).join(format!("{sha256}.jpg"))
}

/// Writes beside the final name, then renames: the file is there whole or not at all.
fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let partial = path.with_extension(format!("{}.part", crate::secret::new_key()));
    let written = File::create(&partial)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first failure is the one to report; a leftover does no harm.
        let _ = fs::remove_file(&partial);
    }
    written?;
    File::open(folder)?.sync_all()
}
