//! Accounts of a mosquitto: its password file, in its own format, and its access list. A line of
//! somebody else's stays as it is; a file is replaced whole or not at all, and is nobody's but the
//! broker's.

use std::{
    fs::{self, File},
    io,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    pbkdf2,
    rand::{SecureRandom, SystemRandom},
};

use crate::controller::keys::replace;

/// As mosquitto_passwd has it. More would not help: a password is 192 random bits.
const ROUNDS: NonZeroU32 = NonZeroU32::new(101).expect("101 is not 0");
const SALT_BYTES: usize = 12;
const HASH_BYTES: usize = 64;

/// Something of the broker's cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} {path}")]
pub struct AccountError {
    act: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The folder with the broker's configuration, `mosquitto.conf`, and the two files that this names:
/// `passwords` and `access`. Nobody else changes them meanwhile.
#[derive(Debug)]
pub struct Accounts {
    folder: PathBuf,
    _lock: File,
}

impl Accounts {
    /// The accounts in a folder that is there. It should belong to the broker's user, as the files
    /// that are made in it will.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(folder: PathBuf) -> Result<Self, AccountError> {
        let lock = File::open(&folder).and_then(|file| file.lock().map(|()| file));
        match lock {
            Ok(lock) => Ok(Self { folder, _lock: lock }),
            Err(source) => Err(AccountError { act: "open", path: folder, source }),
        }
    }

    /// Writes a configuration for the broker where there is none; one that is there stays.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn configure(&self, port: u16) -> Result<(), AccountError> {
        let path = self.folder.join("mosquitto.conf");
        if path.exists() {
            return Ok(());
        }
        let (passwords, access) = (self.passwords(), self.access());
        let text = format!(
            "# A mosquitto for the devices of a site. `edge-daemon device` writes the two files below.\n\
             listener {port} 127.0.0.1\n\
             allow_anonymous false\n\
             password_file {}\n\
             acl_file {}\n\
             # Without it a command may wait 40 ms in the broker.\n\
             set_tcp_nodelay true\n\
             # The host throws longer messages away; one beyond 1 MiB would end its connection.\n\
             message_size_limit 4096\n\
             # For devices elsewhere, with TLS, so that nobody overhears what is typed at a keypad:\n\
             # listener 8883\n\
             # certfile …\n\
             # keyfile …\n",
            passwords.display(),
            access.display()
        );
        write(&path, &text)
    }

    /// Makes an account, or gives it another password and these rights alone.
    ///
    /// # Errors
    /// Where a file cannot be read or written, and for a name that the files cannot hold.
    pub fn set(&self, user: &str, password: &str, rights: &[String]) -> Result<(), AccountError> {
        let fault = |why: &str| AccountError {
            act: "put an account into",
            path: self.passwords(),
            source: io::Error::other(why.to_owned()),
        };
        if user.is_empty() || user.contains([':', '\n', '\r']) || user.trim() != user {
            return Err(fault("its name is empty, has a colon, or space around it"));
        }
        let hash = hash(password).ok_or_else(|| fault("the system gives no random numbers"))?;
        let mut access = without_access(&read(&self.access())?, user);
        access.push(format!("user {user}"));
        access.extend_from_slice(rights);
        write(&self.access(), &lines(&access))?;
        let mut passwords = without_password(&read(&self.passwords())?, user);
        passwords.push(format!("{user}:{hash}"));
        write(&self.passwords(), &lines(&passwords))
    }

    /// Ends an account; says whether there was one.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub fn remove(&self, user: &str) -> Result<bool, AccountError> {
        let before = read(&self.passwords())?;
        let passwords = without_password(&before, user);
        let had = passwords.len() < before.lines().count();
        if had {
            write(&self.passwords(), &lines(&passwords))?;
            let access = without_access(&read(&self.access())?, user);
            write(&self.access(), &lines(&access))?;
        }
        Ok(had)
    }

    fn passwords(&self) -> PathBuf {
        self.folder.join("passwords")
    }

    fn access(&self) -> PathBuf {
        self.folder.join("access")
    }
}

/// PBKDF2 with SHA-512, as mosquitto writes it: `$7$rounds$salt$hash`.
fn hash(password: &str) -> Option<String> {
    let mut salt = [0; SALT_BYTES];
    SystemRandom::new().fill(&mut salt).ok()?;
    let mut hash = [0; HASH_BYTES];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, &salt, password.as_bytes(), &mut hash);
    Some(format!("$7${ROUNDS}${}${}", STANDARD.encode(salt), STANDARD.encode(hash)))
}

fn without_password(file: &str, user: &str) -> Vec<String> {
    let others = file.lines().filter(|line| line.split(':').next() != Some(user));
    others.map(str::to_owned).collect()
}

/// The access list without what follows on `user …`, up to the next user.
fn without_access(file: &str, user: &str) -> Vec<String> {
    let mut ours = false;
    let others = file.lines().filter(|line| {
        if let Some(name) = line.trim().strip_prefix("user ") {
            ours = name.trim() == user;
        }
        !ours
    });
    others.map(str::to_owned).collect()
}

fn lines(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

/// What a file holds; nothing where there is none.
fn read(path: &Path) -> Result<String, AccountError> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(|source| AccountError { act: "read", path: path.to_owned(), source }),
    }
}

fn write(path: &Path, text: &str) -> Result<(), AccountError> {
    replace(path, text).map_err(|source| AccountError {
        act: "write",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_account_is_replaced_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path().to_owned()).unwrap();
        fs::write(accounts.access(), "# mine\ntopic read $SYS/#\nuser other\ntopic read a\n")
            .unwrap();
        fs::write(accounts.passwords(), "other:$7$101$x$y\n").unwrap();
        accounts.set("hall", "first", &["topic read b".to_owned()]).unwrap();
        let first = fs::read_to_string(accounts.passwords()).unwrap();
        accounts.set("hall", "second", &["topic read c".to_owned()]).unwrap();
        let second = fs::read_to_string(accounts.passwords()).unwrap();
        assert_eq!((first.lines().count(), second.lines().count()), (2, 2));
        assert_ne!(first, second);
        let access = fs::read_to_string(accounts.access()).unwrap();
        let before = "# mine\ntopic read $SYS/#\nuser other\ntopic read a\n";
        assert_eq!(access, format!("{before}user hall\ntopic read c\n"));
        assert!(accounts.remove("hall").unwrap());
        assert_eq!(fs::read_to_string(accounts.access()).unwrap(), before);
        assert!(!accounts.remove("hall").unwrap());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Accounts::open(folder.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }

    #[test]
    fn a_name_that_would_be_another_line_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = Accounts::open(folder.path().to_owned()).unwrap();
        for name in ["", "a:b", "a\nuser edge", " a"] {
            assert!(accounts.set(name, "x", &[]).is_err(), "{name:?}");
        }
        assert!(!accounts.access().exists());
    }
}
