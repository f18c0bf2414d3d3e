//! Room: what goes first, what never goes, and that ninety days fit.

use std::time::Duration;

use domain::event::{Fact, Verdict};

use super::fixture::*;
use crate::journal::{Journal, Line, room, verify};

fn telemetry() -> Fact {
    let reason = "no frame for 3 s".to_owned();
    Fact::Camera { camera: "cam-1".parse().unwrap(), online: false, reason }
}

/// A vehicle that comes and leaves.
fn stay() -> Vec<Fact> {
    let (inside, session) = (decision(Verdict::Open, &"a".repeat(64)), new_session());
    let (out, opening, closing) = (decision(Verdict::Open, ""), new_command(), new_command());
    vec![
        Fact::Decision(Box::new(inside.clone())),
        intent(&inside, opening),
        outcome(opening),
        session_opened(session, &inside),
        passage(&inside),
        Fact::Decision(Box::new(out.clone())),
        intent(&out, closing),
        outcome(closing),
        Fact::Paid {
            session,
            amount_fen: 500,
            method: "cash".into(),
            by: "Li".into(),
            directive: None,
            paid_at: None,
        },
        Fact::SessionClosed {
            session,
            exited_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            lane: lane(),
            fee_fen: 500,
            decision: out.id,
        },
        passage(&out),
    ]
}

fn append(journal: &mut Journal, facts: &[Fact]) {
    journal.append(facts).unwrap();
}

#[tokio::test]
async fn telemetry_goes_from_the_oldest_on_and_money_and_access_stay() {
    let site = Site::new();
    let mut journal = site.journal();
    for _ in 0..5 {
        append(&mut journal, &stay());
        append(&mut journal, &[telemetry(), telemetry()]);
    }
    let (handle, _thread) = journal.spawn(|_| ()).unwrap();
    let before = site.events();
    let said = handle.thin(3).await.unwrap();
    assert!(matches!(said[0].fact, Fact::Thinned { events: 3.., .. }), "{said:?}");
    while !handle.thin(3).await.unwrap().is_empty() {}
    let lines = site.reader().lines(1, u32::MAX).unwrap();
    for (event, line) in before.iter().zip(&lines) {
        let kept = Line::event(line).is_some_and(|kept| kept == *event);
        assert_eq!(kept, !event.fact.is_telemetry(), "{event:?}");
    }
    let report = verify(&site.state()).unwrap();
    assert!(report.whole(), "{report:?}");
    assert_eq!(report.without_body, 10);
}

/// The arithmetic that the configuration and the documentation give.
#[test]
fn ninety_days_of_a_busy_site_fit_into_the_room_that_is_usual() {
    const STAYS: u64 = 300;
    let site = Site::new();
    let mut journal = site.journal();
    (0..STAYS).for_each(|_| append(&mut journal, &stay()));
    journal.checkpoint();
    let found = room(&site.state(), &site.reader(), 1 << 30).unwrap();
    let bytes_per_event = found.journal_bytes / (STAYS * 11);
    println!("{bytes_per_event} bytes an event");
    assert!(bytes_per_event <= 700, "{bytes_per_event} bytes an event");
    assert!(90 * 1000 * 11 * bytes_per_event < 1 << 30);
    assert!(!found.is_measured);
    assert!(found.days_left >= 90 || found.disk_free_bytes < 1 << 30, "{found:?}");
}

#[test]
fn the_rate_is_measured_where_the_clock_can_be_trusted() {
    let site = Site::new();
    let mut journal = site.journal();
    for _ in 0..48 {
        append(&mut journal, &stay());
        site.clock.pass(Duration::from_secs(1800));
    }
    append(&mut journal, &[started()]);
    let found = room(&site.state(), &site.reader(), 1 << 30).unwrap();
    assert!(found.is_measured);
    assert!((100_000..500_000).contains(&found.bytes_per_day), "{found:?}");
}
