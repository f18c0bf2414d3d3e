//! `edge-daemon plate test`: reads pictures and says what is on them.

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anpr::{Detail, Image, Recognizer, VehicleDetector};
use clap::Args;

use super::files::{self, Entry};
use super::networks::NetworkOptions;
use super::report::{Milliseconds, Plate, Report, Vehicle, round};
use super::table::Table;
use super::{picture, pool};

/// What to read, and how to say it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Pictures (JPEG, PNG), or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a line of JSON per file instead of a table.
    #[arg(long)]
    json: bool,
    /// Pictures to read at a time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    #[command(flatten)]
    networks: NetworkOptions,
}

/// Reads what the arguments name; fails if anything could not be read.
pub fn run(arguments: &Arguments) -> ExitCode {
    let entries = files::collect(&arguments.paths);
    let threads = usize::from(arguments.threads).min(entries.len());
    let networks = match make_networks(&arguments.networks, threads) {
        Ok(networks) => networks,
        Err(error) => {
            return crate::cli::fail(error.as_ref());
        }
    };
    let mut printer = Printer::new(&entries, arguments.json);
    let workers: Vec<_> = networks
        .into_iter()
        .map(|mut networks| move |entry: &Entry| networks.examine(entry))
        .collect();
    pool::in_order(&entries, workers, |report| printer.take(&report));
    printer.finish()
}

/// What one thread looks with.
struct Networks {
    plates: Recognizer,
    vehicles: VehicleDetector,
}

fn make_networks(options: &NetworkOptions, count: usize) -> Result<Vec<Networks>, Box<dyn Error>> {
    let models = options.models()?;
    let (plates, vehicles) = (models.load()?, models.load_vehicles()?);
    let detail = models.detail(Detail::Medium);
    let one = |_| -> Result<_, anpr::Error> {
        Ok(Networks { plates: plates.recognizer(detail)?, vehicles: vehicles.detector()? })
    };
    Ok((0..count).map(one).collect::<Result<_, _>>()?)
}

impl Networks {
    /// Reads one file.
    fn examine(&mut self, entry: &Entry) -> Report {
        let file = entry.path.display().to_string();
        let report = match &entry.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => self.read(file.clone(), entry).map_err(|error| error.to_string()),
        };
        report.unwrap_or_else(|error| Report::Failure { file, error })
    }

    fn read(&mut self, file: String, entry: &Entry) -> Result<Report, Box<dyn Error>> {
        let start = Instant::now();
        let picture = picture::load(&entry.path)?;
        let decoded = start.elapsed();
        let image = Image::new(&picture, picture.width() as usize, picture.height() as usize)?;
        let (readings, spent) = self.plates.recognize_timed(image, &|| start.elapsed())?;
        let read = start.elapsed();
        let vehicles = self.vehicles.detect(image)?;
        let looked = start.elapsed();
        let ms = Milliseconds {
            decode: milliseconds(decoded),
            detect: milliseconds(spent.detect),
            read: milliseconds(spent.read),
            total: milliseconds(read),
            vehicles: milliseconds(looked - read),
        };
        let plates = readings.iter().map(Plate::from).collect();
        let vehicles = vehicles.iter().map(Vehicle::from).collect();
        Ok(Report::Picture { file, plates, vehicles, ms })
    }
}

fn milliseconds(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1e3, 2)
}

/// Writes reports as they come, and remembers whether one was bad.
struct Printer {
    table: Option<Table>,
    total: usize,
    done: usize,
    failures: usize,
    shows_progress: bool,
}

impl Printer {
    fn new(entries: &[Entry], json: bool) -> Self {
        let names: Vec<String> =
            entries.iter().map(|entry| entry.path.display().to_string()).collect();
        let table = (!json).then(|| Table::new(names.iter().map(String::as_str)));
        if let Some(table) = &table {
            // A reader that went away is noticed at the first report.
            let _ = writeln!(io::stdout(), "{}", table.header());
        }
        let shows_progress = entries.len() > 1 && io::stderr().is_terminal();
        Self { table, total: entries.len(), done: 0, failures: 0, shows_progress }
    }

    /// Prints a report; breaks when nobody reads standard output any more.
    fn take(&mut self, report: &Report) -> ControlFlow<()> {
        self.done += 1;
        self.failures += usize::from(matches!(report, Report::Failure { .. }));
        self.clear_progress();
        let lines = match &self.table {
            Some(table) => table.rows(report),
            None => vec![serde_json::to_string(report).expect("a report has only plain values")],
        };
        let mut out = io::stdout().lock();
        for line in lines {
            if writeln!(out, "{line}").is_err() {
                return ControlFlow::Break(());
            }
        }
        self.show_progress();
        ControlFlow::Continue(())
    }

    fn show_progress(&self) {
        if self.shows_progress && self.done < self.total {
            eprint!("{}/{}", self.done, self.total);
        }
    }

    fn clear_progress(&self) {
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
    }

    fn finish(self) -> ExitCode {
        if self.failures > 0 || self.done < self.total {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}
