//! RSA as another hand does it: keys, signatures and their checks are openssl's.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine, prelude::BASE64_STANDARD};

/// A pair of keys in files.
pub(super) struct Keys {
    pub(super) private: PathBuf,
    pub(super) public: PathBuf,
}

impl Keys {
    /// A new pair.
    pub(super) fn make(folder: &Path, name: &str) -> Self {
        let keys = Self {
            private: folder.join(format!("{name}.pem")),
            public: folder.join(format!("{name}.pub.pem")),
        };
        let (private, public) = (keys.private.to_str().unwrap(), keys.public.to_str().unwrap());
        let size = "rsa_keygen_bits:2048";
        openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", size, "-out", private], b"");
        openssl(&["pkey", "-in", private, "-pubout", "-out", public], b"");
        keys
    }

    /// The signature over a text, in base64.
    pub(super) fn sign(&self, text: &[u8]) -> String {
        let private = self.private.to_str().unwrap();
        BASE64_STANDARD.encode(openssl(&["dgst", "-sha256", "-sign", private], text))
    }

    /// Whether a signature in base64 is that of a text.
    pub(super) fn have_signed(&self, text: &[u8], signature: &str) -> bool {
        let Ok(bytes) = BASE64_STANDARD.decode(signature) else { return false };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let (public, file) = (self.public.to_str().unwrap(), file.path().to_str().unwrap());
        let said = openssl(&["dgst", "-sha256", "-verify", public, "-signature", file], text);
        said.starts_with(b"Verified OK")
    }
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().stdout
}
