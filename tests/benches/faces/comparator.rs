//! The comparator: `tests/comparator`, a project as one writes it with Django REST framework,
//! behind gunicorn, in an environment of its own that is made once.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use system_tests::process::{Process, free_port};
use tokio::{process::Command, time::timeout};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/comparator");
const ENVIRONMENT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/comparator");
const REQUIREMENTS: &str = include_str!("../../comparator/requirements.txt");
/// Longest that one step of its installation may take.
const PATIENCE: Duration = Duration::from_secs(300);
const WORKERS: &str = "2";

/// The comparator; it ends with its owner.
pub struct Comparator {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    process: Process,
}

impl Comparator {
    /// Starts it on a file of its own with these rows.
    ///
    /// # Errors
    /// When a step of it fails.
    pub async fn start(folder: &Path, rows: &Value) -> Result<Self, Box<dyn Error>> {
        let (port, database) = (free_port()?, folder.join("comparator.db"));
        let rows_file = folder.join("rows.json");
        fs::write(&rows_file, serde_json::to_vec(rows)?)?;
        let manage = |verb: &str| {
            let mut command = command("python", &database);
            command.args(["manage.py", verb]);
            command
        };
        run(manage("migrate").args(["--run-syncdb", "--verbosity=0"])).await?;
        run(manage("fill").arg(&rows_file)).await?;
        let mut gunicorn = command("gunicorn", &database);
        gunicorn.args(["--workers", WORKERS, "--bind", &format!("127.0.0.1:{port}"), "wsgi"]);
        let mut process = Process::spawn("gunicorn", &mut gunicorn, folder)?;
        process.ready(&format!("http://127.0.0.1:{port}/api/cabinets/")).await?;
        Ok(Self { port, process })
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> io::Result<()> {
        self.process.stop().await
    }
}

/// Makes the environment, where it is not there yet.
///
/// # Errors
/// When Python or its packages are not to be had.
pub async fn install() -> io::Result<()> {
    let (folder, made_of) = (Path::new(ENVIRONMENT), Path::new(ENVIRONMENT).join("made-of"));
    if fs::read_to_string(&made_of).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    run(Command::new("python3").args(["-m", "venv", ENVIRONMENT])).await?;
    let mut pip = Command::new(program("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run(pip.arg(Path::new(PROJECT).join("requirements.txt"))).await?;
    fs::write(made_of, REQUIREMENTS)
}

fn program(name: &str) -> PathBuf {
    Path::new(ENVIRONMENT).join("bin").join(name)
}

fn command(name: &str, database: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.current_dir(PROJECT);
    command.env("COMPARATOR_DATABASE", database).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

async fn run(command: &mut Command) -> io::Result<()> {
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await??;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.trim().lines().last().unwrap_or("no word of why");
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    Err(io::Error::other(format!("{program} failed: {last}")))
}
