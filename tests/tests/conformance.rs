//! The conformance run: our simulators keep every promise, and of each that breaks one the line
//! that says so fails.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use edge_daemon::conformance::{
    Report, Verdict,
    mqtt::{self, Broker, Kind, Subject},
    serial,
};
use firmware_protocol::seal::Key;
use futures_util::future::join_all;
use system_tests::{
    barrier::{Barrier, Boom, Timing},
    charger::{Pile, SerialCharger},
    device::{Account, Faults, Hardware, MqttDevice, Simulated},
    locker::{Cabinet, Timing as DoorTiming},
    mosquitto::Mosquitto,
    serial::SerialLine,
};
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];

fn account(broker: &Mosquitto) -> Account {
    Account { host: "127.0.0.1".to_owned(), port: broker.port(), login: None }
}

fn subject(broker: &Mosquitto, device: &str, kind: Kind) -> Subject {
    Subject {
        broker: Broker { host: "127.0.0.1".to_owned(), port: broker.port(), login: None },
        site: "site".to_owned(),
        device: device.to_owned(),
        kind,
        key: Key::new(KEY),
        door: 1,
        restart: None,
    }
}

/// Tries a simulated device that can be made to lose power.
async fn try_device<H: Hardware>(
    broker: &Mosquitto,
    name: &str,
    kind: Kind,
    hardware: H,
    faults: Faults,
) -> Report {
    let device = Simulated::new(hardware);
    device.set_faults(faults);
    let (account, id) = (account(broker), name.to_owned());
    let connect = move |device: &Simulated<H>| {
        MqttDevice::new(account.clone(), "site", &id, Some(Key::new(KEY)), device.clone())
    };
    let link = Arc::new(Mutex::new(Some(connect(&device))));
    let mut subject = subject(broker, name, kind);
    subject.restart = Some(Box::new(move || {
        link.lock().unwrap().take();
        device.board().restart();
        *link.lock().unwrap() = Some(connect(&device));
        Box::pin(async { true })
    }));
    mqtt::run(subject).await.unwrap()
}

fn cabinet() -> Cabinet {
    Cabinet::new(4, DoorTiming::default())
}

fn failures(report: &Report) -> Vec<&'static str> {
    report.failures().collect()
}

#[tokio::test]
async fn our_devices_keep_every_promise() {
    let broker = Mosquitto::start().unwrap();
    let good = Faults::default();
    let locker = try_device(&broker, "hall", Kind::Locker, cabinet(), good);
    let pile = Pile::new(32_000, 3, 0);
    let charger = try_device(&broker, "bay", Kind::Charger, pile, good);
    let boom = Boom::new(Timing::default());
    let barrier = try_device(&broker, "exit", Kind::Barrier, boom, good);
    let (locker, charger, barrier) = tokio::join!(locker, charger, barrier);
    // A barrier tells no events.
    for (report, lines) in [(locker, 20), (charger, 20), (barrier, 19)] {
        let passed = report.lines.iter().all(|line| line.verdict == Verdict::Passes);
        assert!(passed && report.lines.len() == lines, "{report}");
    }
}

#[tokio::test]
async fn of_a_broken_device_the_right_line_fails() {
    let broker = Mosquitto::start().unwrap();
    let cases: [(&str, &[&str]); 15] = [
        ("ignores-seal", &["hello-void", "seal"]),
        ("unsealed", &["availability", "info", "state", "hello"]),
        ("ignores-expiry", &["expired", "too-long", "garbage"]),
        ("ignores-session", &["other-session"]),
        ("ignores-counter", &["counter"]),
        ("ignores-duplicates", &["duplicate", "memory"]),
        ("ignores-retained", &["retained"]),
        ("forgets-counter", &["flash"]),
        ("unwelcoming", &["hello"]),
        ("no-will", &["last-will"]),
        ("forgettable-state", &["state"]),
        ("repeats-events", &["events"]),
        ("skips-events", &["events"]),
        ("no-info", &["info"]),
        ("slow", &["hello"]),
    ];
    let runs = cases.iter().map(|(fault, _)| {
        try_device(&broker, fault, Kind::Locker, cabinet(), Faults::named(fault).unwrap())
    });
    for ((fault, expected), report) in cases.iter().zip(join_all(runs).await) {
        assert_eq!(failures(&report), *expected, "{fault}:\n{report}");
    }
}

#[tokio::test]
async fn one_that_babbles_is_found_out() {
    let broker = Mosquitto::start().unwrap();
    let babbling = Faults { babbling: true, ..Faults::default() };
    let report = try_device(&broker, "hall", Kind::Locker, cabinet(), babbling).await;
    assert!(failures(&report).contains(&"measure"), "{report}");
}

#[tokio::test]
async fn a_device_that_is_not_there_fails() {
    let broker = Mosquitto::start().unwrap();
    let report = mqtt::run(subject(&broker, "nobody", Kind::Locker)).await.unwrap();
    assert_eq!(failures(&report), ["availability", "info", "state", "hello"], "{report}");
}

#[tokio::test]
async fn a_serial_line_is_tried() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("line");
    let charger = Simulated::new(Pile::new(32_000, 3, 0));
    let station = SerialCharger(charger.clone());
    let _line = SerialLine::new(&path, vec![(9, station)]).unwrap();
    let subject = serial::Subject { path, baud: 115_200, address: 9, kind: serial::Kind::Charger };
    let report = serial::run(&subject).await.unwrap();
    assert!(report.passes() && report.lines.len() == 12, "{report}");
    for (fault, line) in [
        ("ignores-expiry", "expired"),
        ("ignores-session", "other-session"),
        ("ignores-duplicates", "duplicate"),
        ("babbling", "quiet"),
        ("silent", "poll"),
    ] {
        charger.set_faults(Faults::named(fault).unwrap());
        let report = serial::run(&subject).await.unwrap();
        assert!(failures(&report).contains(&line), "{fault}: {report}");
        charger.set_faults(Faults::default());
    }
    let barrier = Barrier::new(Timing::default());
    let path = folder.path().join("other");
    let _other = SerialLine::new(&path, vec![(1, barrier)]).unwrap();
    let subject = serial::Subject { path, baud: 115_200, address: 1, kind: serial::Kind::Barrier };
    let report = serial::run(&subject).await.unwrap();
    assert!(report.passes(), "{report}");
}
