//! The command line. Errors are one line on stderr: status 2 for a wrong call, 1 for a failure.

mod access;
mod log;
mod reload;
mod serve;
mod settings;
mod verbs;

use std::{error::Error, process::ExitCode};

use clap::{Args, Parser, Subcommand};

/// Takes in what parking sites report and serves it to people and programs.
#[derive(Debug, Parser)]
#[command(name = "cloud-sync", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the HTTP interfaces.
    Serve(serve::Serve),
    /// Accounts of people.
    #[command(subcommand)]
    User(verbs::User),
    /// Keys that stand for an account.
    #[command(subcommand)]
    Token(verbs::Token),
    /// Controllers that call by themselves.
    #[command(subcommand)]
    Device(verbs::Device),
    /// Sites.
    #[command(subcommand)]
    Site(verbs::Site),
    /// Journals of sites, as they are kept here.
    #[command(subcommand)]
    Journal(verbs::Journal),
    /// Plates that may always enter a site, and leave without paying.
    #[command(subcommand)]
    Permit(access::Permit),
    /// Plates that may not enter a site.
    #[command(subcommand)]
    Deny(access::Deny),
    /// What stays cost.
    #[command(subcommand)]
    Tariff(settings::TariffVerb),
}

/// Which database.
#[derive(Debug, Args)]
struct Database {
    /// `sqlite:///relative.db` or `sqlite:////absolute.db`; made where it does not exist.
    #[arg(long)]
    database_url: String,
}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Runs the program as it was called.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_call(&error),
    };
    let outcome = match cli.command {
        Command::Serve(serve) => serve.run(),
        Command::User(verb) => verb.run(),
        Command::Token(verb) => verb.run(),
        Command::Device(verb) => verb.run(),
        Command::Site(verb) => verb.run(),
        Command::Journal(verb) => verb.run(),
        Command::Permit(verb) => verb.run(),
        Command::Deny(verb) => verb.run(),
        Command::Tariff(verb) => verb.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn wrong_call(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        print!("{error}");
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let told = text.split("\n\nUsage").next().unwrap_or_default();
    let line: Vec<_> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    eprintln!("{}", line.join(" "));
    ExitCode::from(2)
}

/// An error and what caused it, in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text.replace('\n', " ")
}
