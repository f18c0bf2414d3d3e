//! A picture that comes in parts: they gather in a file beside the pictures until it is whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::PathBuf,
};

use domain::envelope::{PictureReceipt, to_hex};
use ring::digest::{SHA256, digest};

use super::{MISNAMED, malformed, path, write_durably};
use crate::{error::Error, ingest::IngestError};

/// A part that was found to be in order.
pub(super) struct Part {
    pub(super) folder: PathBuf,
    pub(super) sha256: String,
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) bytes: Vec<u8>,
}

impl Part {
    /// Adds it to what is there.
    pub(super) fn take(&self) -> Result<PictureReceipt, IngestError> {
        let file = |source| Error::File { act: "keep a picture", source };
        // From another site, or from a request whose answer was lost.
        if path(&self.folder, &self.sha256).is_file() {
            return Ok(PictureReceipt { kept: true, has: self.length });
        }
        if self.offset == 0 && self.bytes.len() == self.length {
            return self.keep(&self.bytes);
        }
        let has = self.gather().map_err(file)?;
        if has < self.length {
            return Ok(PictureReceipt { kept: false, has });
        }
        let whole = fs::read(self.gathering()).map_err(file)?;
        // Whatever comes of it, nothing more is to be gathered.
        let _ = fs::remove_file(self.gathering());
        self.keep(&whole)
    }

    fn keep(&self, whole: &[u8]) -> Result<PictureReceipt, IngestError> {
        if to_hex(digest(&SHA256, whole).as_ref()) != self.sha256 {
            return Err(malformed(MISNAMED).into());
        }
        let target = path(&self.folder, &self.sha256);
        write_durably(&target, whole)
            .map_err(|source| Error::File { act: "keep a picture", source })?;
        Ok(PictureReceipt { kept: true, has: self.length })
    }

    /// Appends the part where it continues what was gathered; returns how much that is.
    fn gather(&self) -> io::Result<usize> {
        fs::create_dir_all(self.folder.join("parts"))?;
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(self.gathering())?;
        let has = gathered(&file)?;
        if self.offset > has {
            return Ok(has);
        }
        file.seek(SeekFrom::Start(self.offset as u64))?;
        file.write_all(&self.bytes)?;
        file.set_len((self.offset + self.bytes.len()) as u64)?;
        gathered(&file)
    }

    /// Parts of another length are parts of something else.
    fn gathering(&self) -> PathBuf {
        self.folder.join("parts").join(format!("{}-{}", self.sha256, self.length))
    }
}

fn gathered(file: &File) -> io::Result<usize> {
    Ok(usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX))
}
