//! Appending, and what a start finds.

use std::sync::Arc;

use domain::{
    clock::ClockQuality,
    envelope::ChainHash,
    event::{Fact, Verdict},
    ids::{BootId, SessionId},
};
use uuid::Uuid;

use super::fixture::*;
use crate::journal::{Journal, JournalError, verify};

#[test]
fn sequences_run_from_one_without_gaps_over_restarts() {
    let site = Site::new();
    for _ in 0..3 {
        let mut journal = site.journal();
        journal.append(&facts(2)).unwrap();
        journal.append(&[started()]).unwrap();
    }
    let sequences: Vec<_> = site.events().iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=9).collect::<Vec<_>>());
    assert!(verify(&site.state()).unwrap().whole());
}

#[test]
fn what_is_returned_is_what_is_read_back() {
    let site = Site::new();
    let open = decision(Verdict::Open, "");
    let written = site.journal().append(&[started(), Fact::Decision(Box::new(open))]).unwrap();
    assert_eq!(site.events(), written);
    assert!(written.iter().all(|event| event.site.as_str() == "north"));
}

#[test]
fn order_is_kept_by_sequence_whatever_the_clock_says() {
    use ClockQuality::{Synchronised, Unsynchronised};
    let site = Site::new();
    let mut journal = site.journal();
    let walls = [
        ("1970-01-01T00:00:07Z", Unsynchronised),
        ("2026-11-20T12:00:00Z", Synchronised),
        ("2026-11-20T09:00:00Z", Synchronised),
        ("2028-11-20T09:00:00Z", Unsynchronised),
    ];
    for (wall, quality) in walls {
        site.clock.set(wall, quality);
        journal.append(&[started()]).unwrap();
    }
    let events = site.events();
    assert!(events.iter().map(|event| event.sequence).eq(1..=4));
    assert!(events.windows(2).all(|pair| pair[0].at.monotonic_ms < pair[1].at.monotonic_ms));
    let qualities: Vec<_> = events.iter().map(|event| event.at.quality).collect();
    assert_eq!(qualities, walls.map(|(_, quality)| quality));
}

#[test]
fn a_start_finds_what_was_unfinished() {
    let site = Site::new();
    let mut journal = site.journal();
    let (first, second) = (decision(Verdict::Open, ""), decision(Verdict::Open, ""));
    let (inside, gone) = (new_session(), new_session());
    let (done, open) = (new_command(), new_command());
    let paid = Fact::Paid {
        session: inside,
        amount_fen: 500,
        method: "cash".into(),
        by: "Li".into(),
        directive: None,
        paid_at: None,
    };
    let closed = Fact::SessionClosed {
        session: gone,
        exited_at: "2026-11-20T12:00:00Z".parse().unwrap(),
        lane: lane(),
        fee_fen: 0,
        decision: first.id,
    };
    let story = [
        Fact::Decision(Box::new(first.clone())),
        intent(&first, done),
        outcome(done),
        passage(&first),
        session_opened(inside, &first),
        session_opened(gone, &first),
        paid,
        closed,
        Fact::Decision(Box::new(decision(Verdict::Refuse, ""))),
        Fact::Decision(Box::new(second.clone())),
        intent(&second, open),
    ];
    for fact in story {
        journal.append(&[fact]).unwrap();
    }
    drop(journal);

    let recovered = site.open().1;
    assert_eq!(recovered.head, 11);
    let sessions: Vec<_> = recovered.open_sessions.iter().map(|open| open.session).collect();
    assert_eq!(sessions, [inside]);
    assert_eq!(recovered.open_sessions[0].plate, "皖A12345");
    assert_eq!(recovered.open_sessions[0].payments[0].amount_fen, 500);
    let commands: Vec<_> = recovered.unresolved_intents.iter().map(|open| open.command).collect();
    assert_eq!(commands, [open]);
    assert_eq!(recovered.unpassed_opens.len(), 1);
    assert_eq!(recovered.unpassed_opens[0].decision, second);
}

#[test]
fn a_start_finds_charges_under_way_and_cars_that_have_stayed() {
    let fact = |text: &str, session: u8, charger: &str| {
        let text =
            text.replace("SESSION", &format!("00000000-0000-0000-0000-00000000000{session}"));
        serde_json::from_str::<Fact>(&text.replace("CHARGER", charger)).unwrap()
    };
    let assigned = r#"{"type":"charge_assigned","session":"SESSION","charger":"CHARGER",
        "energy_wh":30000,"begin_within_s":900,"directive":5,"told_at":"2026-11-20T01:59:00Z"}"#;
    let started = r#"{"type":"charge_started","session":"SESSION","charger":"CHARGER",
        "at":"2026-11-20T01:59:30Z","meter_wh":7}"#;
    let ended = r#"{"type":"charge_ended","session":"SESSION","charger":"CHARGER",
        "at":"2026-11-20T02:30:00Z","energy_wh":12000,"cause":"reached"}"#;
    let site = Site::new();
    let mut journal = site.journal();
    for (text, session, charger) in [
        (assigned, 1, "east"),
        (started, 1, "east"),
        (ended, 1, "east"),
        (assigned, 2, "west"),
        (started, 2, "west"),
    ] {
        journal.append(&[fact(text, session, charger)]).unwrap();
    }
    drop(journal);

    let recovered = site.open().1;
    let open: Vec<_> =
        recovered.open_charges.iter().map(|o| o.assigned.0.charger.as_str()).collect();
    assert_eq!(open, ["west"]);
    assert!(recovered.open_charges[0].started.is_some());
    let left: Vec<_> = recovered.left_over.iter().map(|charger| charger.as_str()).collect();
    assert_eq!(left, ["east"]);
}

fn told(session: SessionId, directive: u64) -> Fact {
    Fact::Paid {
        session,
        amount_fen: 500,
        method: "wechat".into(),
        by: "cloud".into(),
        directive: Some(directive),
        paid_at: Some("2026-11-20T11:00:00Z".parse().unwrap()),
    }
}

#[test]
fn a_start_finds_what_the_cloud_has_told_and_when_it_was_paid() {
    let site = Site::new();
    let (inside, open) = (new_session(), decision(Verdict::Open, ""));
    let skipped = |directive| Fact::DirectiveSkipped {
        directive,
        kind: "sing".into(),
        reason: "unknown".into(),
    };
    let done = Fact::DirectiveDone { directive: 5, kind: "open".into() };
    let facts = [session_opened(inside, &open), told(inside, 3), skipped(4), done, skipped(2)];
    site.journal().append(&facts).unwrap();
    let recovered = site.open().1;
    assert_eq!(recovered.directives_through, 5);
    let paid_at = recovered.open_sessions[0].payments[0].paid_at;
    assert_eq!(paid_at.to_rfc3339(), "2026-11-20T11:00:00+00:00");
    assert!(verify(&site.state()).unwrap().whole());
    site.journal().database().execute("UPDATE directive SET through = 9", []).unwrap();
    assert_eq!(verify(&site.state()).unwrap().findings.len(), 2);
}

#[test]
fn a_journal_of_the_first_format_is_brought_up_to_date() {
    let site = Site::new();
    let first = "DROP TABLE directive; DROP TABLE open_charge; DROP TABLE locker;
                 DROP TABLE setting; DROP TABLE renamed;
                 ALTER TABLE journal DROP COLUMN thinned_through;
                 PRAGMA user_version = 1";
    site.journal().database().execute_batch(first).unwrap();
    site.journal().append(&[told(new_session(), 1)]).unwrap();
    assert_eq!(site.open().1.directives_through, 1);
    assert!(verify(&site.state()).unwrap().whole());
}

#[test]
fn cars_that_stayed_under_an_earlier_format_are_noted_and_missed_by_nobody() {
    let site = Site::new();
    let mut journal = site.journal();
    for (charger, cause) in
        [("east", "reached"), ("west", "full"), ("west", "unplugged"), ("east", "no_car")]
    {
        let text = format!(
            r#"{{"type":"charge_ended","session":"{}","charger":"{charger}",
                "at":"2026-11-20T02:30:00Z","energy_wh":12000,"cause":"{cause}"}}"#,
            Uuid::new_v4()
        );
        journal.append(&[serde_json::from_str(&text).unwrap()]).unwrap();
    }
    journal.append(&[told(new_session(), 1)]).unwrap();
    let earlier = "DELETE FROM open_charge; PRAGMA user_version = 6";
    journal.database().execute_batch(earlier).unwrap();
    drop(journal);
    assert!(verify(&site.state()).unwrap().whole(), "what is old is not damaged");
    assert_eq!(site.open().1.left_over, ["east".parse().unwrap()]);
    assert!(verify(&site.state()).unwrap().whole());
    site.journal().database().execute("DELETE FROM open_charge", []).unwrap();
    let findings = verify(&site.state()).unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].sequence, Some(4));
}

#[test]
fn only_the_newest_openings_of_a_lane_wait_for_their_passage() {
    let site = Site::new();
    let opens: Vec<_> = (0..20).map(|_| decision(Verdict::Open, "")).collect();
    let mut journal = site.journal();
    for open in &opens {
        journal.append(&[Fact::Decision(Box::new(open.clone()))]).unwrap();
    }
    drop(journal);
    let waiting: Vec<_> = site.open().1.unpassed_opens.into_iter().map(|o| o.decision.id).collect();
    assert!(waiting.iter().eq(opens[12..].iter().map(|open| &open.id)));
}

#[test]
fn a_fact_that_could_not_be_read_again_is_refused_and_harms_no_other() {
    let site = Site::new();
    let mut journal = site.journal();
    let mut open = decision(Verdict::Open, "");
    open.plate.as_mut().unwrap().confidence = f32::NAN;
    let refused = journal.append(&[started(), Fact::Decision(Box::new(open))]);
    assert!(matches!(refused, Err(JournalError::Unrepresentable(_))), "{refused:?}");
    assert_eq!(journal.append(&[started()]).unwrap()[0].sequence, 1);
    assert!(verify(&site.state()).unwrap().whole());
}

#[test]
fn a_journal_is_written_by_one_process_and_for_one_site() {
    let site = Site::new();
    let held = site.journal();
    let open = |name: &str| {
        let boot = BootId(Uuid::new_v4());
        Journal::open(&site.state(), name.parse().unwrap(), boot, Arc::clone(&site.clock) as _)
            .map(drop)
    };
    assert!(matches!(open("north"), Err(JournalError::InUse(_))));
    drop(held);
    assert!(matches!(open("south"), Err(JournalError::OtherSite { .. })));
    open("north").unwrap();
}

#[test]
fn a_journal_of_a_newer_program_is_left_alone() {
    let site = Site::new();
    site.journal().database().pragma_update(None, "user_version", 99).unwrap();
    let boot = BootId(Uuid::new_v4());
    let opened = Journal::open(&site.state(), "north".parse().unwrap(), boot, site.clock.clone());
    assert!(matches!(opened.err(), Some(JournalError::TooNew { found: 99, .. })));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_trace() {
    let site = Site::new();
    let mut journal = site.journal();
    journal.append(&[started()]).unwrap();
    let limit = |journal: &Journal, pages: i64| {
        journal
            .database()
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .unwrap();
    };
    limit(&journal, 1);
    let full = journal.append(&facts(500));
    assert!(matches!(full, Err(JournalError::Database { .. })), "{full:?}");
    limit(&journal, 1 << 30);
    assert_eq!(journal.append(&[started()]).unwrap()[0].sequence, 2);
    assert!(verify(&site.state()).unwrap().whole());
}

#[test]
fn the_hash_of_an_event_covers_its_exact_bytes_and_all_before() {
    let site = Site::new();
    site.journal().append(&facts(3)).unwrap();
    let reader = site.reader();
    let mut chain = ChainHash::GENESIS;
    for line in reader.lines(1, 10).unwrap() {
        chain = chain.follow(line.body.as_bytes());
        assert_eq!(reader.hash(line.sequence).unwrap(), Some(chain));
    }
}
