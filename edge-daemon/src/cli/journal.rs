//! `edge-daemon journal …`: looks at what the site remembers, also while it is being written, and
//! mends it where that is needed.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::{Args, Subcommand};
use domain::ids::{BootId, SiteId};
use uuid::Uuid;

use crate::{
    identity::Identity,
    journal::{Journal, JournalError, Line, Reader, Repair, Report, StateDir, summary, verify},
    system_clock::SystemClock,
};

/// Events that are read at once.
const PAGE: u32 = 500;
/// How often a followed journal is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Events shown before those that are followed.
const SHOWN_BEFORE: u64 = 10;

/// What can be done with a journal.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check every event, the bookkeeping and the pictures; exit 1 where something is wrong.
    Verify {
        #[command(flatten)]
        at: At,
        /// Report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Build the journal anew from what is left of it, while nothing runs. `run` mends by itself
    /// what keeps it from starting; this also takes damage in the middle out.
    Repair {
        #[command(flatten)]
        at: At,
        /// The site, where the journal no longer says it and this machine is not enrolled.
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Write every event as it was journaled, one line of JSON each, to stdout.
    Export {
        #[command(flatten)]
        at: At,
    },
    /// List events, one per line.
    Ls {
        #[command(flatten)]
        at: At,
        /// The first event to list. [default: 1, with --follow the last ten]
        #[arg(long, value_name = "SEQUENCE")]
        from: Option<u64>,
        /// Go on with events as they are journaled.
        #[arg(long)]
        follow: bool,
        /// Each event as it was journaled: one line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Which journal.
#[derive(Debug, Args)]
pub struct At {
    /// The state directory.
    #[arg(long, value_name = "DIR", env = "GATEHOUSE_STATE")]
    state: PathBuf,
}

/// Runs the verb.
pub fn run(verb: Verb) -> ExitCode {
    let done = match verb {
        Verb::Verify { at, json } => check(&StateDir::new(at.state), json),
        Verb::Repair { at, site } => mend(&StateDir::new(at.state), site),
        Verb::Export { at } => {
            list(&StateDir::new(at.state), Some(1), false, true).map(|()| ExitCode::SUCCESS)
        }
        Verb::Ls { at, from, follow, json } => {
            list(&StateDir::new(at.state), from, follow, json).map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        // The reader of a pipe may have seen enough.
        if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
        {
            return ExitCode::SUCCESS;
        }
        let code = super::fail(error.as_ref());
        if error.downcast_ref::<JournalError>().is_some_and(JournalError::is_damage) {
            eprintln!("  `run` mends it when it starts, `journal repair` does so now; the damaged files stay");
        }
        code
    })
}

type Done<T> = Result<T, Box<dyn std::error::Error>>;

fn check(state: &StateDir, json: bool) -> Done<ExitCode> {
    let report = verify(state)?;
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        tell(&report, &mut out)?;
    }
    Ok(if report.whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    writeln!(
        out,
        "site {}: {} events up to {}, {} acknowledged, {} set aside, {} gone, {} pictures: {}",
        report.site,
        report.events,
        report.head,
        report.acked_through,
        report.quarantined,
        report.without_body,
        report.pictures,
        match report.findings.len() {
            0 => "whole".to_owned(),
            1 => "1 thing is wrong".to_owned(),
            count => format!("{count} things are wrong"),
        }
    )
}

fn mend(state: &StateDir, site: Option<SiteId>) -> Done<ExitCode> {
    let site = match (site, verify(state)) {
        (Some(site), _) => site,
        (None, Ok(report)) if report.whole() => {
            println!("{} events, nothing is wrong: nothing was done.", report.events);
            return Ok(ExitCode::SUCCESS);
        }
        (None, Ok(report)) => report.site.parse()?,
        (None, Err(_)) => Identity::load(state)?.site,
    };
    let boot = BootId(Uuid::new_v4());
    let Repair { detail, .. } = Journal::repair(state, site, boot, Arc::new(SystemClock))?;
    println!("{detail}");
    println!("The damaged files are {} and beside it.", state.damaged().display());
    Ok(ExitCode::SUCCESS)
}

fn list(state: &StateDir, from: Option<u64>, follow: bool, json: bool) -> Done<()> {
    let reader = Reader::open(state)?;
    let mut next = match from {
        Some(from) => from,
        None if follow => (reader.head()? + 1).saturating_sub(SHOWN_BEFORE),
        None => 1,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    loop {
        let lines = reader.lines(next, PAGE)?;
        for line in &lines {
            write_line(&mut out, line, json)?;
            next = line.sequence + 1;
        }
        if lines.is_empty() {
            out.flush()?;
            if !follow {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
    }
}

fn write_line(out: &mut impl Write, line: &Line, json: bool) -> io::Result<()> {
    if line.body.is_empty() {
        // A place whose event is gone is no line of JSON; `verify` counts it.
        return if json { Ok(()) } else { writeln!(out, "{:>7}  (gone)", line.sequence) };
    }
    match line.event() {
        Some(event) if !json => writeln!(out, "{}", summary(&event)),
        _ => writeln!(out, "{}", line.body),
    }
}
