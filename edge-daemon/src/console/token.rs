//! The operator's token: made at the first start, kept in a file that only the service reads,
//! compared in constant time.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

/// The file cannot be read or made.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} the operator's token {path}")]
pub struct TokenError {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The operator's token.
pub struct Token(String);

impl Token {
    /// Reads the token in `<state>/operator.token`, or makes it.
    ///
    /// # Errors
    /// Where the file cannot be read, or not be made.
    pub fn load_or_make(state: &Path) -> Result<Self, TokenError> {
        let path = state.join("operator.token");
        let error = |act, source| TokenError { act, path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().len() >= 32 => return Ok(Self(text.trim().to_owned())),
            Ok(_) => {
                let short = io::Error::new(io::ErrorKind::InvalidData, "it is too short");
                return Err(error("use", short));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(error("read", e)),
        }
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| error("make", io::Error::other("the system gives no random numbers")))?;
        let token = domain::envelope::to_hex(&bytes);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{token}"))
            .map_err(|e| error("make", e))?;
        Ok(Self(token))
    }

    /// Whether an `Authorization` header carries it.
    pub fn is_in(&self, header: &str) -> bool {
        let Some(given) = header.strip_prefix("Bearer ") else { return false };
        let (given, own) = (given.as_bytes(), self.0.as_bytes());
        given.len() == own.len() && given.iter().zip(own).fold(0, |d, (a, b)| d | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_token_is_made_once_and_only_its_bearer_gets_in() {
        let state = tempfile::tempdir().unwrap();
        let made = Token::load_or_make(state.path()).unwrap();
        let read = Token::load_or_make(state.path()).unwrap();
        assert_eq!(made.0, read.0);
        assert!(read.is_in(&format!("Bearer {}", made.0)));
        assert!(!read.is_in(&made.0) && !read.is_in("Bearer ") && !read.is_in("Bearer x"));
        let mode = fs::metadata(state.path().join("operator.token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_emptied_file_is_no_token() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("operator.token"), "\n").unwrap();
        assert!(Token::load_or_make(state.path()).is_err());
    }
}
