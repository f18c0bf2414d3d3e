//! `journal verify` names what is wrong; a torn log does not stop a start.

use domain::event::{Fact, Verdict};
use rusqlite::Connection;

use super::fixture::*;
use crate::journal::{Limits, Outbox, Report, verify};

/// A journal of ten events, with a hand at its database.
fn tampered(sql: &str) -> Report {
    let site = Site::new();
    let open = decision(Verdict::Open, "");
    let mut journal = site.journal();
    journal.append(&facts(6)).unwrap();
    let story = [
        Fact::Decision(Box::new(open.clone())),
        intent(&open, new_command()),
        session_opened(new_session(), &open),
        started(),
    ];
    journal.append(&story).unwrap();
    drop(journal);
    Connection::open(site.state().journal()).unwrap().execute_batch(sql).unwrap();
    verify(&site.state()).unwrap()
}

fn findings(sql: &str) -> Vec<(&'static str, Option<u64>)> {
    tampered(sql).findings.into_iter().map(|finding| (finding.about, finding.sequence)).collect()
}

#[test]
fn a_whole_journal_is_whole() {
    let report = tampered("");
    assert!(report.whole(), "{report:?}");
    assert_eq!((report.events, report.head), (10, 10));
}

#[test]
fn a_flipped_byte_is_named_by_its_event_alone() {
    let flip = "UPDATE event SET body = replace(body, '\"version\":\"3\"', '\"version\":\"4\"')
                WHERE sequence = 4";
    assert_eq!(findings(flip), [("event", Some(4))]);
}

#[test]
fn bytes_that_are_no_json_or_no_text_are_named() {
    let broken = findings("UPDATE event SET body = substr(body, 2) WHERE sequence = 2");
    assert_eq!(broken, [("event", Some(2)), ("event", Some(2))]);
    let no_text = findings("UPDATE event SET body = CAST(x'ff00fe' AS TEXT) WHERE sequence = 3");
    assert_eq!(no_text, [("event", Some(3)), ("event", Some(3))]);
}

#[test]
fn a_missing_event_is_named_and_so_is_one_that_does_not_follow() {
    let missing = findings("DELETE FROM event WHERE sequence IN (3, 4)");
    assert_eq!(missing, [("event", Some(3)), ("event", Some(5))]);
}

#[test]
fn bookkeeping_that_does_not_follow_from_the_facts_is_named() {
    assert_eq!(findings("DELETE FROM open_intent"), [("bookkeeping", Some(8))]);
    assert_eq!(findings("DELETE FROM open_session"), [("bookkeeping", Some(9))]);
    let invented = "INSERT INTO quarantine VALUES (5, 'so')";
    assert_eq!(findings(invented), [("bookkeeping", Some(5))]);
}

#[test]
fn an_outbox_ahead_of_the_journal_is_named() {
    assert_eq!(findings("UPDATE journal SET acked_through = 11"), [("outbox", Some(11))]);
}

#[test]
fn the_outbox_stops_before_a_damaged_event_and_says_so() {
    let site = Site::new();
    site.journal().append(&facts(5)).unwrap();
    let db = Connection::open(site.state().journal()).unwrap();
    db.execute_batch("UPDATE event SET body = replace(body, 'north', 'south') WHERE sequence = 3")
        .unwrap();
    let limits = Limits { events: 100, bytes: 1 << 20 };
    let reader = site.reader();
    let Outbox::Batch(batch) = reader.outbox(1, limits).unwrap() else { panic!("no batch") };
    assert_eq!(batch.last_sequence(), 2);
    assert!(matches!(reader.outbox(3, limits).unwrap(), Outbox::Damaged(3)));
    let Outbox::Batch(batch) = reader.outbox(4, limits).unwrap() else { panic!("no batch") };
    assert_eq!(batch.last_sequence(), 5);
}

/// The log as a power cut in the middle of a write leaves it, at every length of its last part.
#[test]
fn a_torn_log_loses_only_what_was_not_acknowledged() {
    let site = Site::new();
    let mut journal = site.journal();
    journal.append(&facts(3)).unwrap();
    let wal = |site: &Site| site.folder.path().join("journal.db-wal");
    let acknowledged = std::fs::metadata(wal(&site)).unwrap().len();
    journal.append(&facts(50)).unwrap();
    let (database, log) =
        (std::fs::read(site.state().journal()).unwrap(), std::fs::read(wal(&site)).unwrap());
    for cut in (acknowledged..log.len() as u64).step_by(1777) {
        let after = Site::new();
        std::fs::write(after.state().journal(), &database).unwrap();
        std::fs::write(wal(&after), &log[..usize::try_from(cut).unwrap()]).unwrap();
        let (mut journal, recovered) = after.open();
        assert_eq!(recovered.head, 3, "cut at {cut}");
        assert_eq!(journal.append(&[started()]).unwrap()[0].sequence, 4);
        assert!(verify(&after.state()).unwrap().whole());
    }
}

#[test]
fn a_journal_that_is_being_written_can_be_verified() {
    let site = Site::new();
    let mut journal = site.journal();
    for _ in 0..20 {
        journal.append(&facts(7)).unwrap();
        let report = verify(&site.state()).unwrap();
        assert!(report.whole(), "{report:?}");
    }
    assert_eq!(verify(&site.state()).unwrap().head, 140);
}
