//! A real mosquitto on a free loopback port, with its files in a directory that goes with it.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const READY_WITHIN: Duration = Duration::from_secs(10);

/// A broker; stopped and gone on drop.
#[derive(Debug)]
pub struct Mosquitto {
    directory: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts a broker that lets everybody in.
    ///
    /// # Errors
    /// When mosquitto is not installed or does not start within ten seconds.
    pub fn start() -> io::Result<Self> {
        Self::launch(|_| Ok("allow_anonymous true\n".to_owned()))
    }

    /// Starts a broker that lets in one user, who may use the topics that `access_list` names, in
    /// the syntax of mosquitto's `acl_file`.
    ///
    /// # Errors
    /// As [`Mosquitto::start`].
    pub fn start_closed(user: &str, password: &str, access_list: &str) -> io::Result<Self> {
        Self::launch(|directory| {
            let passwords = directory.path().join("passwords");
            let made = Command::new("mosquitto_passwd")
                .args(["-b", "-c"])
                .arg(&passwords)
                .args([user, password])
                .stderr(Stdio::null())
                .status()?;
            if !made.success() {
                return Err(io::Error::other("mosquitto_passwd failed"));
            }
            let list = directory.path().join("access");
            fs::write(&list, format!("user {user}\n{access_list}\n"))?;
            Ok(format!(
                "allow_anonymous false\npassword_file {}\nacl_file {}\n",
                passwords.display(),
                list.display()
            ))
        })
    }

    /// Starts a broker with the configuration that `device pair` made: `prepare` is given the folder
    /// to fill, and the port to name.
    ///
    /// # Errors
    /// As [`Mosquitto::start`], and those of `prepare`.
    pub fn start_paired(prepare: impl FnOnce(&Path, u16) -> io::Result<()>) -> io::Result<Self> {
        let directory = TempDir::new()?;
        let port = free_port()?;
        prepare(directory.path(), port)?;
        let settings = fs::read_to_string(directory.path().join("mosquitto.conf"))?;
        Self::begin(directory, port, &settings)
    }

    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// Has it read its accounts and its access list anew.
    ///
    /// # Errors
    /// When it does not run.
    pub fn reload(&self) -> io::Result<()> {
        let child = self.child.as_ref().ok_or_else(|| io::Error::other("it does not run"))?;
        let made = Command::new("kill").args(["-HUP", &child.id().to_string()]).status()?;
        made.success().then_some(()).ok_or_else(|| io::Error::other("kill failed"))
    }

    fn launch(access: impl FnOnce(&TempDir) -> io::Result<String>) -> io::Result<Self> {
        let directory = TempDir::new()?;
        let port = free_port()?;
        let access = access(&directory)?;
        let settings = format!("listener {port} 127.0.0.1\nset_tcp_nodelay true\n{access}");
        Self::begin(directory, port, &settings)
    }

    fn begin(directory: TempDir, port: u16, settings: &str) -> io::Result<Self> {
        // Started by root it would become a user who cannot read this directory.
        let settings = format!("{settings}\nuser root\npersistence false\n");
        fs::write(directory.path().join("mosquitto.conf"), settings)?;
        let mut broker = Self { directory, port, child: None };
        broker.resume()?;
        Ok(broker)
    }

    /// The broker's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A new file beside the broker's own, gone with it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.directory.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Kills the broker; it forgets everything.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on the same port.
    ///
    /// # Errors
    /// As [`Mosquitto::start`].
    pub fn resume(&mut self) -> io::Result<()> {
        self.stop();
        // Debian keeps it where only root looks.
        let child = self.spawn("mosquitto").or_else(|_| self.spawn("/usr/sbin/mosquitto"))?;
        self.child = Some(child);
        let deadline = Instant::now() + READY_WITHIN;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            if Instant::now() > deadline {
                return Err(io::Error::other("mosquitto does not listen within ten seconds"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Starts it again, as one that lets nobody in.
    ///
    /// # Errors
    /// As [`Mosquitto::start`].
    pub fn deny_everything(&mut self) -> io::Result<()> {
        self.become_one_that("allow_anonymous true", "allow_anonymous false")
    }

    /// Starts it again, as one that lets everybody in.
    ///
    /// # Errors
    /// As [`Mosquitto::start`].
    pub fn allow_everything(&mut self) -> io::Result<()> {
        self.become_one_that("allow_anonymous false", "allow_anonymous true")
    }

    fn become_one_that(&mut self, before: &str, after: &str) -> io::Result<()> {
        let path = self.directory.path().join("mosquitto.conf");
        let settings = fs::read_to_string(&path)?.replace(before, after);
        fs::write(&path, settings)?;
        self.resume()
    }

    fn spawn(&self, program: &str) -> io::Result<Child> {
        Command::new(program)
            .arg("-c")
            .arg(self.directory.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}
