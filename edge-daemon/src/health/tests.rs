//! The routes, asked over HTTP.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use domain::event::{Fact, Outcome, Verdict};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use super::{Health, HealthConfig, serve, systemd::Watchdog};
use crate::{
    journal::tests::fixture::{Site, decision, lane, new_command},
    replay::{ReplayState, ReplayStatus},
};

/// A daemon whose health is served.
struct Daemon {
    site: Site,
    health: Arc<Health>,
    url: String,
}

impl Daemon {
    async fn start() -> Self {
        crate::tls::install();
        let site = Site::new();
        let watchdog = Watchdog::new(None);
        let health = Health::new(site.clock.clone(), Duration::from_secs(10), watchdog);
        let health = Arc::new(health);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, Arc::clone(&health)));
        Self { site, health, url }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn readyz(&self) -> (u16, Value) {
        let (status, body) = self.get("/readyz").await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// A journal whose commits and events reach the health, as the wiring has it.
    async fn journal(&self, facts: Vec<Fact>) {
        let health = Arc::clone(&self.health);
        let (journal, _) = self.site.journal().spawn(move |commit| health.commit(commit)).unwrap();
        self.health.watch_journal(journal.clone());
        for event in journal.append(facts).await.unwrap() {
            self.health.event(&event);
        }
        journal.acknowledge(1).await.unwrap();
    }
}

#[tokio::test]
async fn only_a_control_loop_that_goes_round_is_alive() {
    let daemon = Daemon::start().await;
    assert_eq!(daemon.get("/livez").await, (200, "alive\n".into()));
    daemon.site.clock.pass(Duration::from_secs(12));
    assert_eq!(daemon.get("/livez").await.0, 503);
    daemon.health.beat();
    assert_eq!(daemon.get("/livez").await.0, 200);
}

#[tokio::test]
async fn ready_means_that_the_gate_decides_and_the_journal_remembers() {
    let daemon = Daemon::start().await;
    let (status, report) = daemon.readyz().await;
    assert_eq!(
        (status, &report["journal"], &report["gate"]),
        (503, &json!("not open"), &json!("not running"))
    );

    let offline =
        Fact::Device { device: "b1".parse().unwrap(), online: false, reason: "no answer".into() };
    let camera =
        Fact::Camera { camera: "c1".parse().unwrap(), online: true, reason: String::new() };
    let fault = Fact::LaneFault { lane: lane(), fault: "stuck".into() };
    daemon.journal(vec![offline, camera, fault]).await;
    daemon.health.gate_running(true);
    let detail = "the cloud cannot be reached".to_owned();
    let status = ReplayStatus { state: ReplayState::Unreachable, detail, failures: 3 };
    daemon.health.watch_replay(watch::channel(status).1);

    let (status, report) = daemon.readyz().await;
    assert_eq!(status, 200);
    let expected = json!({
        "ready": true, "control_loop": "alive", "journal": "writable", "gate": "running",
        "replay": "unreachable: the cloud cannot be reached", "backlog": 2,
        "controllers": {"b1": "offline: no answer"}, "cameras": {"c1": "online"},
        "faults": {"entry": "stuck"},
    });
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_site_that_has_sent_everything_still_says_that_it_was_revoked() {
    let daemon = Daemon::start().await;
    let status = |state| ReplayStatus { state, detail: String::new(), failures: 0 };
    let (replay, replayed) = watch::channel(status(ReplayState::Synced));
    let (deaf, trouble) = watch::channel(String::new());
    daemon.health.watch_replay(replayed);
    daemon.health.watch_directives(trouble);
    let told = async || daemon.readyz().await.1["replay"].as_str().unwrap().to_owned();
    assert_eq!(told().await, "synced");
    deaf.send_replace("the cloud has revoked this site: enrol it again".into());
    let says_so = "all was sent, and nothing is heard: the cloud has revoked this site";
    assert!(told().await.starts_with(says_so), "{}", told().await);
    replay.send_replace(status(ReplayState::Sending));
    assert_eq!(told().await, "sending");
}

#[tokio::test]
async fn figures_follow_from_what_is_journaled() {
    let daemon = Daemon::start().await;
    let open = Fact::Decision(Box::new(decision(Verdict::Open, "")));
    let outcome = Fact::CommandOutcome {
        command: new_command(),
        outcome: Outcome::Accepted,
        elapsed_ms: Some(40),
        vote_to_wire_ms: Some(7.5),
        capture_to_wire_ms: Some(61.0),
    };
    let online =
        Fact::Device { device: "b1".parse().unwrap(), online: true, reason: String::new() };
    daemon.journal(vec![open.clone(), open, outcome, online]).await;
    let (status, text) = daemon.get("/metrics").await;
    assert_eq!(status, 200);
    let expected = [
        r#"gatehouse_decisions_total{rule="permit",verdict="open"} 2"#,
        r#"gatehouse_commands_total{outcome="accepted"} 1"#,
        r#"gatehouse_vote_to_wire_seconds_bucket{le="0.005"} 0"#,
        r#"gatehouse_vote_to_wire_seconds_bucket{le="0.01"} 1"#,
        r#"gatehouse_controller_online{device="b1"} 1"#,
        "gatehouse_journal_head 4",
        "gatehouse_journal_acked 1",
        "gatehouse_journal_commit_seconds_count 2",
        r#"gatehouse_resident_bytes{process="core"} "#,
    ];
    for line in expected {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn health_is_not_told_to_the_outside() {
    let listen = |listen: &str| {
        HealthConfig { listen: listen.parse().unwrap(), ..HealthConfig::default() }.check()
    };
    assert!(HealthConfig::default().check().is_ok() && listen("[::1]:9464").is_ok());
    assert!(listen("0.0.0.0:9464").unwrap_err().starts_with("health.listen: "));
}
