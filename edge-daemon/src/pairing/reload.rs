//! Has the broker read its accounts anew. A mosquitto that runs on this machine with the
//! configuration of the accounts' folder is found and told so itself; else the system's service is.

use std::{
    ffi::OsStr,
    fmt, fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// What was done, in words that say what is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reload {
    /// The mosquitto with this process id was told.
    Told(i32),
    /// It was found, and this user may not tell it.
    Refused(i32, Errno),
    /// The system's service `mosquitto` was told.
    Service,
    /// There is none; it would have this configuration.
    NotFound(PathBuf),
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(pid) => {
                write!(
                    f,
                    "The broker (mosquitto, process {pid}) was told to read its accounts anew."
                )
            }
            Self::Refused(pid, why) => write!(
                f,
                "The broker (mosquitto, process {pid}) could not be told to read its accounts anew \
                 ({why}). Type, as root:\n    kill -HUP {pid}"
            ),
            Self::Service => f.write_str(
                "The service mosquitto was told to read its accounts anew (systemctl reload).",
            ),
            Self::NotFound(configuration) => write!(
                f,
                "No mosquitto runs here with these accounts. Start it:\n    mosquitto -c {0}\n\
                 or, where it runs elsewhere with a copy of {0} and the files beside it, \
                 take them there and type:\n    systemctl reload mosquitto",
                configuration.display()
            ),
        }
    }
}

/// Has the broker read the accounts in `folder` anew, where it runs on this machine.
pub fn reload(folder: &Path) -> Reload {
    let configuration = folder.join("mosquitto.conf");
    let configuration = fs::canonicalize(&configuration).unwrap_or(configuration);
    match running_with(&configuration) {
        Some(pid) => match kill(Pid::from_raw(pid), Signal::SIGHUP) {
            Ok(()) => Reload::Told(pid),
            Err(why) => Reload::Refused(pid, why),
        },
        None if reload_service().is_ok_and(|done| done) => Reload::Service,
        None => Reload::NotFound(configuration),
    }
}

/// The mosquitto that was started with this configuration.
fn running_with(configuration: &Path) -> Option<i32> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid| runs_with(*pid, configuration))
}

fn runs_with(pid: i32, configuration: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    // One that ended meanwhile has no words.
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0).map(|word| Path::new(OsStr::from_bytes(word)));
    let is_mosquitto = words.next().and_then(Path::file_name).is_some_and(|n| n == "mosquitto");
    // A path that does not begin at the root counts from where it was started.
    let from = fs::read_link(process.join("cwd")).unwrap_or_default();
    let is_ours = |word: &Path| fs::canonicalize(from.join(word)).is_ok_and(|p| p == configuration);
    is_mosquitto && words.any(is_ours)
}

fn reload_service() -> io::Result<bool> {
    let mut command = Command::new("systemctl");
    command
        .args(["--no-ask-password", "reload", "mosquitto"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command.status()?.success())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn where_no_broker_runs_it_says_what_to_type() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mosquitto.conf"), "").unwrap();
        let configuration = fs::canonicalize(folder.path().join("mosquitto.conf")).unwrap();
        assert_eq!(running_with(&configuration), None);
        let said = Reload::NotFound(configuration.clone()).to_string();
        assert!(said.contains(&format!("mosquitto -c {}", configuration.display())), "{said}");
    }

    #[test]
    fn another_program_with_that_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("mosquitto.conf");
        fs::write(&configuration, "").unwrap();
        let mut reader = Command::new("tail").arg("-f").arg(&configuration).spawn().unwrap();
        let found = running_with(&fs::canonicalize(&configuration).unwrap());
        reader.kill().unwrap();
        reader.wait().unwrap();
        assert_eq!(found, None);
    }
}
