//! Texts that people type: bounded in length, free of what cannot be seen.

use domain::plate::TypedPlate;

use crate::error::{Error, Result};

/// A text of 1 to `most` printable characters, without blanks around it.
pub(crate) fn required(field: &'static str, text: &str, most: usize) -> Result<String> {
    let text = optional(field, text, most)?;
    if text.is_empty() {
        return Err(Error::invalid(field, format!("use 1 to {most} characters")));
    }
    Ok(text)
}

/// As [`required`], or nothing.
pub(crate) fn optional(field: &'static str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("use at most {most} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Error::invalid(field, "use printable characters"));
    }
    Ok(text.to_owned())
}

/// A plate as a person typed it.
pub(crate) fn plate(field: &'static str, text: &str) -> Result<TypedPlate> {
    TypedPlate::parse(text).map_err(|problem| Error::invalid(field, problem.to_string()))
}
