//! Keeping what was seen: the pictures on disk, what was read in them in the database.

use cloud_core::{Cloud, NewRecognition, Operator};

use super::{Look, LookError};

/// A look that is to be kept.
#[derive(Debug)]
pub(crate) struct Keep<'a> {
    /// What was seen.
    pub(crate) look: Look,
    /// The name of the picture's file.
    pub(crate) filename: &'a str,
    /// The spot that it shows, where that is known.
    pub(crate) spot_id: Option<i64>,
}

impl Keep<'_> {
    /// Keeps it, and gives back what was read with its numbers.
    ///
    /// # Errors
    /// [`LookError::Core`].
    pub(crate) async fn keep(
        mut self,
        cloud: &Cloud,
        operator: &Operator,
    ) -> Result<(Look, cloud_core::Recognition), LookError> {
        let look = &mut self.look;
        let mut jpegs = vec![std::mem::take(&mut look.picture)];
        jpegs.extend(look.plates.iter_mut().map(|plate| std::mem::take(&mut plate.crop)));
        jpegs.extend(look.drawn.take());
        let mut names = cloud.pictures.keep(operator, jpegs).await?.into_iter();
        let picture = names.next().unwrap_or_default();
        let plates = look.plates.iter().map(|plate| plate.keep(names.next())).collect();
        let new = NewRecognition {
            filename: self.filename.to_owned(),
            processing_ms: look.took_ms,
            picture,
            drawn: names.next(),
            spot_id: self.spot_id,
            plates,
        };
        let kept = cloud.recognition.record(operator, new).await?;
        Ok((self.look, kept))
    }
}
