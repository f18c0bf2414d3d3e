//! The real program: its verbs, its answers to wrong calls, its start and stop.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio},
};

use reqwest::StatusCode;
use tempfile::TempDir;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloud-sync"));
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a verb on the database of a folder.
fn verb(folder: &TempDir, arguments: &[&str], stdin: &str) -> Output {
    let mut command = program(folder.path());
    command.args(arguments).args(["--database-url", "sqlite:///./check.db"]);
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn verbs_print_what_they_made_alone() {
    let folder = tempfile::tempdir().unwrap();
    let user = ["user", "add", "--username", "wang", "--role", "admin", "--password-stdin"];
    assert_eq!(said(&verb(&folder, &user, "secret-1\n")), (0, String::new(), String::new()));
    for made in [
        &["token", "issue", "--username", "wang"][..],
        &["device", "add", "--device-id", "ESP32_1", "--station", "火车站"],
        &["site", "add", "--site-id", "north", "--name", "北门"],
    ] {
        let (status, printed, errors) = said(&verb(&folder, made, ""));
        assert_eq!((status, printed.split_whitespace().count()), (0, 1), "{made:?}: {errors}");
    }
}

#[test]
fn accounts_are_run_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let user = ["user", "add", "--username", "wang", "--role", "admin", "--password-stdin"];
    verb(&folder, &user, "secret-1\n");
    let role = |role| ["user", "role", "--username", "wang", "--role", role];
    let (status, _, errors) = said(&verb(&folder, &role("visitor"), ""));
    assert!(status == 1 && errors.contains("last admin"), "{errors}");
    let second = ["user", "add", "--username", "li", "--role", "admin", "--password-stdin"];
    verb(&folder, &second, "secret-1\n");
    let password = ["user", "password", "--username", "wang", "--password-stdin"];
    for (arguments, stdin) in
        [(&role("visitor")[..], ""), (&password, "secret-2\n"), (&["token", "rotate"], "")]
    {
        let outcome = said(&verb(&folder, arguments, stdin));
        assert_eq!(outcome, (0, String::new(), String::new()), "{arguments:?}");
    }
}

#[test]
fn failures_are_one_line_and_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let site = ["site", "add", "--site-id", "north", "--name", "北门"];
    verb(&folder, &site, "");
    for (arguments, told) in [
        (&site[..], "`north` is registered already"),
        (&["token", "issue", "--username", "nobody"], "account is not there"),
        (&["user", "add", "--username", "a", "--role", "admin", "--password-stdin"], "at least 6"),
    ] {
        let (status, _, errors) = said(&verb(&folder, arguments, "short\n"));
        assert_eq!((status, errors.lines().count()), (1, 1), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn wrong_calls_are_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["site", "add", "--site-id", "nor/th", "--name", "x"][..],
        &["user", "add", "--username", "a", "--role", "king", "--password-stdin"],
        &["user", "add", "--username", "a", "--role", "admin"],
        &["fly"],
    ] {
        let (status, _, errors) = said(&verb(&folder, arguments, ""));
        assert_eq!((status, errors.lines().count()), (2, 1), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_configuration_that_cannot_be_used_is_named_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cloud.toml"), "[auth]\nanonymous = \"always\"\n").unwrap();
    let serve = ["serve", "--port", "0", "--config", "cloud.toml"];
    let (status, _, errors) = said(&verb(&folder, &serve, ""));
    assert_eq!(status, 1, "{errors}");
    assert!(errors.contains("cloud.toml: line 2") && errors.contains("`never`"), "{errors}");
    assert!(!folder.path().join("check.db").exists());
}

/// A program that serves; ended with this.
struct Serving {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Serving {
    fn start(folder: &TempDir, options: &[&str]) -> Self {
        let mut command = program(folder.path());
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--workers", "2"]);
        command.args(options).args(["--database-url", "sqlite:///served.db"]);
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, log }
    }

    /// The next line of the log that holds `words`.
    fn told(&mut self, words: &str) -> String {
        let told = self.log.find(|line| line.as_ref().unwrap().contains(words));
        told.expect("the log ended").unwrap()
    }

    fn stop(mut self) -> ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap()
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&folder, &[]);
    assert!(serving.told("serving").contains("127.0.0.1"));
    assert!(folder.path().join("served.db").exists());
    assert!(serving.stop().success());
}

#[tokio::test]
async fn a_configuration_that_changes_is_followed_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("cloud.toml"), text).unwrap();
    write("[limits]\nother_per_minute = 1\n");
    let mut serving = Serving::start(&folder, &["--config", "cloud.toml", "--reload"]);
    let line = serving.told("serving");
    let address = line.split("address=").nth(1).unwrap().trim().to_owned();
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let page = format!("http://{address}/api/plates");
    let get = async || client.get(&page).send().await.unwrap().status();
    assert_eq!((get().await, get().await), (StatusCode::OK, StatusCode::TOO_MANY_REQUESTS));
    write("[limits]\nother_per_minute = 0\n");
    assert!(serving.told("stays as it was").contains("limits.other_per_minute"));
    write("[limits]\nenabled = false\n");
    serving.told("was read again");
    assert_eq!((get().await, get().await), (StatusCode::OK, StatusCode::OK));
    assert!(serving.stop().success());
}

#[cfg(feature = "test-clock")]
#[test]
fn the_clock_of_tests_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("now"), "2026-03-10T12:00:00+08:00").unwrap();
    let serve = ["serve", "--host", "0.0.0.0", "--port", "0", "--test-clock", "now"];
    let (status, _, errors) = said(&verb(&folder, &serve, ""));
    assert!(status == 1 && errors.contains("--host 127.0.0.1"), "{errors}");
}
