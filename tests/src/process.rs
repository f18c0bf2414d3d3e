//! The real binaries as child processes: their output goes to a file, they end with their owner,
//! and a test that waits for one of them waits for an answer, not for a time.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// Longest that a start, a stop or a single command may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running binary of ours.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `name` with its output in `<folder>/<name>.log`.
    pub fn start<A: AsRef<OsStr>>(
        name: &str,
        args: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> io::Result<Self> {
        Self::start_in(&[], name, args, folder)
    }

    /// As [`Process::start`], with more in its environment.
    pub fn start_in<A: AsRef<OsStr>>(
        environment: &[(String, String)],
        name: &str,
        args: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> io::Result<Self> {
        let mut command = Command::new(binary(name));
        Self::spawn(name, command.args(args).envs(environment.iter().cloned()), folder)
    }

    /// As [`Process::start`], for a program that is not ours.
    pub fn spawn(name: &str, command: &mut Command, folder: &Path) -> io::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| io::Error::new(e.kind(), format!("cannot start {name}: {e}")))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// Waits until `url` answers with a status of success.
    pub async fn ready(&mut self, url: &str) -> io::Result<()> {
        let client = http_client();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.failure(&format!("ended with {status}")));
            }
            if let Ok(answer) = client.get(url).send().await
                && answer.status().is_success()
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(self.failure(&format!("{url} gave no good answer in {PATIENCE:?}")));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills it without warning, as a power cut would, and waits until it is gone.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(&mut self) -> io::Result<()> {
        if let Some(pid) = self.pid() {
            nix::sys::signal::kill(pid, Signal::SIGTERM)?;
        }
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => status.map(drop),
            Err(_) => Err(self.failure("did not stop when asked to")),
        }
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<Pid> {
        self.child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
    }

    /// The processes that it has started and that still run.
    ///
    /// # Errors
    /// Where the system does not say.
    pub fn children(&self) -> io::Result<Vec<Pid>> {
        let pid = self.pid().ok_or_else(|| self.failure("has ended"))?;
        let parent = format!("PPid:\t{pid}");
        let mut children = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            // One that ends meanwhile has no status any more.
            let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
            if status.lines().any(|line| line == parent) {
                let name = path.file_name().and_then(|name| name.to_str()?.parse().ok());
                children.extend(name.map(Pid::from_raw));
            }
        }
        Ok(children)
    }

    /// Time that it has computed, in all of its threads, to a hundredth of a second.
    pub fn computed(&self) -> io::Result<Duration> {
        let pid = self.pid().ok_or_else(|| self.failure("has ended"))?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // Behind the name, which may hold anything: the state, ten fields, and the two times.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).flat_map(str::parse::<u64>).sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        let pid = self.pid().ok_or_else(|| self.failure("has ended"))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
            .map(|kilobytes| kilobytes * 1024)
            .ok_or_else(|| self.failure("tells no resident memory"))
    }

    /// CPU time that it has used.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        let pid = self.pid().ok_or_else(|| self.failure("has ended"))?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // After the name in brackets; the 12th and 13th field from there are ticks in user and
        // system mode, of which there are a hundred a second everywhere.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
        Ok(Duration::from_millis(ticks.sum::<u64>() * 10))
    }

    fn failure(&self, what: &str) -> io::Error {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(20).collect();
        let tail: Vec<_> = tail.into_iter().rev().collect();
        io::Error::other(format!("{} {what}; its last words:\n{}", self.name, tail.join("\n")))
    }
}

/// Runs `name` to its end, with `input` on its standard input.
pub async fn run<A: AsRef<OsStr>>(
    name: &str,
    args: impl IntoIterator<Item = A>,
    input: &str,
) -> io::Result<Output> {
    use tokio::io::AsyncWriteExt;

    let mut child = Command::new(binary(name))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await?;
    }
    timeout(PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| io::Error::other(format!("{name} did not end in {PATIENCE:?}")))?
}

/// Runs `name` to its end and returns its standard output; an error where it fails.
pub async fn output<A: AsRef<OsStr>>(
    name: &str,
    args: impl IntoIterator<Item = A>,
    input: &str,
) -> io::Result<String> {
    let output = run(name, args, input).await?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("{name} failed: {}", error.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Where the binary `name` of this build lies: beside the running one, or one folder up from a
/// test.
pub fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(name))
}

/// A TCP port on loopback that nobody uses at the moment.
pub fn free_port() -> io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// An HTTP client for loopback.
pub fn http_client() -> reqwest::Client {
    // Installing twice is harmless: the first provider stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()
        .expect("a client without certificates of its own can be built")
}
