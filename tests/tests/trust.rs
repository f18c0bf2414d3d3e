//! Who a site is, by the real programs: its key is changed while it works, its rights are taken away
//! and given back, a copied card is named at both ends, and what the cloud keeps of it is checked.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command, time::Duration};

use domain::event::{Event, Fact};
use rusqlite::Connection;
use system_tests::{
    barrier::Timing,
    process::{self, PATIENCE},
    scenario::{SITE, Scenario, Setup},
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

const TIMING: Timing = Timing { travel_ms: 60, approach_ms: 20, passing_ms: 40 };
const LOOK: Duration = Duration::from_millis(50);

async fn start() -> Scenario {
    let (entry, more) = ("access = \"public\"", "[parking]\nplaces = 100\n");
    Scenario::start(Setup { timing: TIMING, entry, more, ..Setup::default() }).await.unwrap()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}

/// What `edge-daemon enroll` said, and whether that is success.
async fn enroll(state: &Path, words: &[&str]) -> (bool, String) {
    let state = state.to_string_lossy();
    let words = ["enroll", "--state", &state].into_iter().chain(words.iter().copied());
    let done = process::run("edge-daemon", words, "").await.unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    (done.status.success(), said)
}

/// Waits until somebody is told of the site's safety in these words.
async fn told(site: &Scenario, words: &str) {
    let told = async {
        while !site.cloud.alerts("site_security").unwrap().iter().any(|told| told.contains(words)) {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("nobody was told: {words}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_changed_while_the_site_works_and_the_old_one_is_void() {
    let site = start().await;
    let (state, old) = (site.edge.state(), TempDir::new().unwrap());
    copy(&state.path().join("identity"), &old.path().join("identity"));
    site.entry.pass("京A00001").await.unwrap();
    let (done, said) = enroll(state.path(), &["--rotate"]).await;
    assert!(done && said.contains("signs with a new key now"), "{said}");
    site.entry.pass("京A00002").await.unwrap();
    site.synced().await.unwrap();

    let (done, said) = enroll(old.path(), &["--rotate"]).await;
    assert!(!done && said.contains("did not take the new key"), "{said}");
    told(&site, "signature is not the site's").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_rights_works_on_and_sends_everything_once_it_has_them_again() {
    let mut site = start().await;
    site.entry.pass("京A00001").await.unwrap();
    let before = site.synced().await.unwrap();
    site.cloud.command(&["site", "revoke", "--site-id", SITE], "").await.unwrap();
    site.entry.pass("京A00002").await.unwrap();
    told(&site, "rights were taken away").await;
    let config = site.edge.state().path().with_file_name("edge.toml");
    let named = async {
        let words = ["status", "--config", &config.to_string_lossy()].map(str::to_owned);
        while !process::output("edge-daemon", words.clone(), "").await.unwrap().contains("revoked")
        {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, named).await.expect("the site does not say that it was revoked");
    assert_eq!(site.cloud.events(SITE).unwrap(), (before, before));

    let code = site.cloud.command(&["site", "code", "--site-id", SITE], "").await.unwrap();
    site.edge.stop().await.unwrap();
    let identity = site.edge.state().path().join("identity");
    let cloud = format!("http://{}", site.internet.address());
    let again = ["--cloud", &cloud, "--code", &code];
    let (done, said) = enroll(site.edge.state().path(), &again).await;
    assert!(!done && said.contains("move its identity folder away first"), "{said}");
    fs::rename(&identity, identity.with_extension("old")).unwrap();
    let (done, said) = enroll(site.edge.state().path(), &again).await;
    assert!(done, "{said}");
    site.edge.restart().await.unwrap();
    assert!(site.synced().await.unwrap() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_card_is_named_at_both_ends_and_changes_nothing() {
    let mut site = start().await;
    site.entry.pass("京A00001").await.unwrap();
    site.edge.stop().await.unwrap();
    let state = site.edge.state().path().to_owned();
    let (card, original) = (state.with_extension("copy"), state.with_extension("original"));
    copy(&state, &card);
    site.edge.restart().await.unwrap();
    site.entry.pass("京A00002").await.unwrap();
    let known = site.synced().await.unwrap();
    site.edge.stop().await.unwrap();

    fs::rename(&state, &original).unwrap();
    fs::rename(&card, &state).unwrap();
    site.edge.restart().await.unwrap();
    site.entry.pass("京A00003").await.unwrap();
    let shared = |events: &[Event]| {
        let detail = events.iter().find_map(|event| match &event.fact {
            Fact::KeyShared { detail } => Some(detail.clone()),
            _ => None,
        });
        detail.is_some_and(|detail| detail.contains("copied"))
    };
    site.until("the copy journals that it is one", shared).await.unwrap();
    told(&site, "two journals claim it").await;
    site.edge.stop().await.unwrap();
    let words = ["journal", "verify", "--site", SITE];
    let report = site.cloud.command(&words, "").await.unwrap();
    assert!(report.ends_with("whole") && site.cloud.events(SITE).unwrap().0 >= known, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_at_the_cloud_is_named_by_its_event() {
    let site = start().await;
    site.entry.pass("京A00001").await.unwrap();
    site.synced().await.unwrap();
    let words = ["journal", "verify", "--site", SITE];
    let report = site.cloud.command(&words, "").await.unwrap();
    assert!(report.ends_with("whole"), "{report}");
    let database = Connection::open(site.cloud.database()).unwrap();
    let forged = "UPDATE events SET body = replace(body, '京A00001', '京A00009')
                  WHERE kind = 'session_opened' RETURNING sequence";
    let sequence: i64 = database.query_row(forged, [], |row| row.get(0)).unwrap();
    let url = format!("sqlite:///{}", site.cloud.database().display());
    let words = words.into_iter().chain(["--database-url", &url]);
    let verified = process::run("cloud-sync", words, "").await.unwrap();
    let said = String::from_utf8(verified.stdout).unwrap();
    assert_eq!(verified.status.code(), Some(1), "{said}");
    assert!(said.starts_with(&format!("event {sequence} ")) && said.contains("1 wrong"), "{said}");
}
