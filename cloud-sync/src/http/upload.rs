//! Forms with files (`multipart/form-data`): bounded in bytes, parts and uploads at a time. What
//! is too large is read to its end all the same, within reason, so that the sender hears why.

use bytes::Bytes;
use cloud_core::Error;
use futures_util::StreamExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use schemars::{SchemaGenerator, json_schema};
use tokio::sync::OwnedSemaphorePermit;

use super::{Body, Problem, Request, route::Content};
use crate::recognition::{LookError, PoolError};

/// Most bytes of a file.
pub(crate) const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;
/// Uploads that are taken at a time, so that their bytes fit into memory.
pub(crate) const MAX_UPLOADS: usize = 32;
/// Most bytes of a form around its file.
const MAX_REST_BYTES: usize = 64 * 1024;
/// Most bytes of a value that is no file.
const MAX_VALUE_BYTES: usize = 4 * 1024;
/// Most parts of a form.
const MAX_PARTS: usize = 16;
/// Most characters of a file's name that are kept.
const MAX_NAME_CHARS: usize = 200;
/// Bytes beyond the limit that are read and thrown away before the sender is told.
const MAX_WASTE_BYTES: usize = 4 * MAX_FILE_BYTES;
const FORM: &str = "multipart/form-data";

/// A form.
pub(crate) struct Upload {
    parts: Vec<Part>,
    /// What is held against [`MAX_UPLOADS`] for as long as the bytes are.
    _place: OwnedSemaphorePermit,
}

struct Part {
    name: String,
    filename: Option<String>,
    content: Bytes,
}

/// A file of a form.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its name as it was sent, without folders.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) content: Bytes,
}

impl Upload {
    /// The file of a part.
    pub(crate) fn file(&self, name: &str) -> Result<File, Problem> {
        let found = self.parts.iter().find(|part| part.name == name);
        let part = found.ok_or_else(|| Problem::Missing { field: name.to_owned() })?;
        let filename = part.filename.as_deref().unwrap_or(name);
        Ok(File { name: plain(filename), content: part.content.clone() })
    }

    /// The value of a part that is no file, where it is given and not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.parts.iter().find(|part| part.name == name)?;
        std::str::from_utf8(&found.content).ok().map(str::trim).filter(|text| !text.is_empty())
    }
}

/// The name of a file as it may be shown: no folders, nothing that cannot be seen.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
    if shown.trim().is_empty() { "picture".to_owned() } else { shown }
}

impl Body for Upload {
    async fn read(request: &mut Request) -> Result<Self, Problem> {
        let content_type = request.header("content-type").unwrap_or_default();
        let boundary = multer::parse_boundary(content_type)
            .map_err(|_| Problem::MediaType { wanted: FORM })?;
        let places = request.app.uploads.clone();
        let place = places.try_acquire_owned().map_err(|_| Problem::Busy { retry_after_s: 1 })?;
        let mut body = request.take_body();
        match read(&mut body, boundary).await {
            Ok(parts) => Ok(Self { parts, _place: place }),
            Err(problem) => {
                waste(body).await;
                Err(problem)
            }
        }
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        let schema = json_schema!({
            "type": "object",
            "description": "A JPEG or PNG of at most 10 MB, in the part that the document names",
            "additionalProperties": {"type": "string", "format": "binary"},
        });
        Some(Content { media_type: FORM, schema })
    }
}

async fn read(body: &mut super::request::Body, boundary: String) -> Result<Vec<Part>, Problem> {
    let most = (MAX_FILE_BYTES + MAX_REST_BYTES) as u64;
    let limits = SizeLimit::new().whole_stream(most).per_field(MAX_FILE_BYTES as u64);
    let limits = Constraints::new().size_limit(limits);
    let mut form = Multipart::with_constraints(body, boundary, limits);
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.map_err(problem)? {
        if parts.len() == MAX_PARTS {
            return Err(Problem::Malformed(format!("a form has at most {MAX_PARTS} parts")));
        }
        parts.push(part(field).await?);
    }
    Ok(parts)
}

async fn part(mut field: Field<'_>) -> Result<Part, Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    let filename = field.file_name().map(str::to_owned);
    let most = if filename.is_some() { MAX_FILE_BYTES } else { MAX_VALUE_BYTES };
    let mut content = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(problem)? {
        if content.len() + piece.len() > most {
            return Err(Problem::TooLarge { limit: most });
        }
        content.extend_from_slice(&piece);
    }
    Ok(Part { name, filename, content: content.into() })
}

impl From<LookError> for Problem {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Picture(bad) => Self::Core(Error::Refused(bad.code())),
            LookError::Pool(PoolError::Busy) => Self::Busy { retry_after_s: 1 },
            LookError::Pool(PoolError::Failed) => Self::Busy { retry_after_s: 30 },
            LookError::Core(error) => Self::Core(error),
        }
    }
}

fn problem(error: multer::Error) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            Problem::TooLarge { limit: MAX_FILE_BYTES }
        }
        other => Problem::Malformed(format!("the form cannot be read: {other}")),
    }
}

/// Reads what is left of a body, as far as that is reasonable: a sender that is cut off while it
/// sends does not hear the answer.
async fn waste(mut body: super::request::Body) {
    let mut wasted = 0;
    while let Some(Ok(piece)) = body.next().await {
        wasted += piece.len();
        if wasted > MAX_WASTE_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn names_of_files_are_names_and_no_paths() {
        for (sent, kept) in [
            ("car_image.jpg", "car_image.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\fotos\\машина.png", "машина.png"),
            ("a\r\nb\0.jpg", "ab.jpg"),
            ("", "picture"),
            ("/", "picture"),
        ] {
            assert_eq!(plain(sent), kept);
        }
        assert_eq!(plain(&"x".repeat(9999)).len(), 200);
    }
}
