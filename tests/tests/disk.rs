//! A disk that is full, and one whose flushes fail: the gate decides on, everybody is told, nothing
//! is acknowledged that is not on it, and what happened meanwhile is journaled when it works again.
#![allow(clippy::unwrap_used)]

use domain::event::{Event, Fact};
use system_tests::{
    barrier::Timing,
    disk::{Fault, FaultyDisk},
    process::{self, http_client},
    scenario::{SITE, Scenario, Setup},
};
use tempfile::TempDir;

const TIMING: Timing = Timing { travel_ms: 60, approach_ms: 20, passing_ms: 40 };

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_or_fails_to_flush_stops_no_car_and_hides_nothing() {
    let folder = TempDir::new().unwrap();
    let disk = FaultyDisk::new(folder.path()).unwrap();
    let setup = Setup {
        timing: TIMING,
        entry: "access = \"public\"",
        more: "[parking]\nplaces = 100\n",
        disk: Some(disk.clone()),
        ..Setup::default()
    };
    let site = Scenario::start(setup).await.unwrap();
    site.entry.pass("京A00000").await.unwrap();
    for (car, fault) in [(1, Fault::Full), (2, Fault::Flush)] {
        let before = site.synced().await.unwrap();
        disk.fails(fault).unwrap();
        let plate = format!("京A0000{car}");
        site.entry.pass(&plate).await.unwrap();
        assert_eq!(get(&site, "/readyz").await.0, 503, "{fault:?} is told");
        let waiting = get(&site, "/metrics").await.1;
        assert!(!waiting.contains("gatehouse_journal_unwritten_facts 0\n"), "{fault:?}: {waiting}");
        assert_eq!(site.cloud.events(SITE).unwrap(), (before, before), "nothing is acknowledged");

        disk.fails(Fault::None).unwrap();
        let inside = |events: &[Event]| {
            events.iter().any(|event| {
                matches!(&event.fact, Fact::SessionOpened { plate: inside, .. } if *inside == plate)
            })
        };
        site.until("the car that passed is journaled", inside).await.unwrap();
        let told = |events: &[Event]| {
            let told = |event: &&Event| matches!(event.fact, Fact::JournalUnwritable { .. });
            events.iter().filter(told).count() == car
        };
        site.until("the journal says what was", told).await.unwrap();
        site.synced().await.unwrap();
        assert_eq!(get(&site, "/readyz").await.0, 200);
    }
    let state = site.edge.state();
    let verify = ["journal", "verify", "--state", state.path().to_str().unwrap()];
    println!("{}", process::output("edge-daemon", verify, "").await.unwrap());
    assert!(site.cloud.bodies(SITE).unwrap() == site.edge.bodies().unwrap());
}

async fn get(site: &Scenario, path: &str) -> (u16, String) {
    let answer = http_client().get(site.edge.health_url() + path).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
