//! Pictures: registered with their decision, verified, removed in the right order.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use domain::{
    clock::{Clock, ClockQuality},
    event::{Fact, Verdict},
};

use super::fixture::*;
use crate::journal::{PictureState, Retention, sweep, verify};

fn keep(max_age: Duration, max_bytes: u64) -> Retention {
    Retention { max_age, max_bytes, journal_max_bytes: u64::MAX, min_free_bytes: 0 }
}

fn seen(picture: &str) -> Fact {
    Fact::Decision(Box::new(decision(Verdict::Refuse, picture)))
}

#[test]
fn a_changed_or_vanished_picture_is_named_by_the_event_that_names_it() {
    let site = Site::new();
    let pictures = [&b"one"[..], b"two", b"three"].map(|bytes| store_picture(&site.state(), bytes));
    site.journal().append(&pictures.each_ref().map(|picture| seen(picture))).unwrap();
    assert_eq!(verify(&site.state()).unwrap().pictures, 3);
    fs::write(site.state().picture(&pictures[1]).unwrap(), b"twO").unwrap();
    fs::remove_file(site.state().picture(&pictures[2]).unwrap()).unwrap();
    let findings = verify(&site.state()).unwrap().findings;
    let named: Vec<_> = findings.iter().map(|finding| (finding.about, finding.sequence)).collect();
    assert_eq!(named, [("picture", Some(2)), ("picture", Some(3))]);
}

#[tokio::test]
async fn too_many_pictures_go_from_the_oldest_and_what_the_cloud_has_goes_first() {
    let site = Site::new();
    let pictures = [1, 2, 3, 4].map(|fill| store_picture(&site.state(), &[fill; 1000]));
    let handle = site.running();
    handle.append(pictures.iter().map(|picture| seen(picture)).collect()).await.unwrap();
    handle.picture(pictures[2].clone(), PictureState::Uploaded).await.unwrap();
    let retention = keep(Duration::from_secs(86_400), 2000);
    let swept = sweep(&site.state(), &site.reader(), retention, site.clock.now()).unwrap();
    assert_eq!(swept.removed, [pictures[2].clone(), pictures[0].clone()]);
    assert_eq!(swept.bytes_left, 2000);
    for picture in swept.removed {
        handle.picture(picture, PictureState::Removed).await.unwrap();
    }
    assert!(verify(&site.state()).unwrap().whole());
}

#[test]
fn old_pictures_go_unless_the_clock_or_their_age_cannot_be_trusted() {
    let site = Site::new();
    let [old, timeless] = [&b"old"[..], b"timeless"].map(|b| store_picture(&site.state(), b));
    site.journal().append(&[seen(&old), seen(&timeless)]).unwrap();
    let date = |picture: &str, time: SystemTime| {
        let path = site.state().picture(picture).unwrap();
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    date(&old, SystemTime::from(site.clock.now().wall) - Duration::from_secs(40 * 86_400));
    date(&timeless, SystemTime::UNIX_EPOCH + Duration::from_secs(60));
    let retention = keep(Duration::from_secs(30 * 86_400), 1 << 30);
    let sweep = || sweep(&site.state(), &site.reader(), retention, site.clock.now()).unwrap();
    site.clock.set("2036-01-01T00:00:00Z", ClockQuality::Unsynchronised);
    assert!(sweep().removed.is_empty());
    site.clock.set("2026-11-20T00:00:00Z", ClockQuality::Synchronised);
    assert_eq!(sweep().removed, [old]);
}

#[test]
fn no_name_leads_out_of_the_picture_folder() {
    let state = Site::new().state();
    for name in ["", "../../etc/passwd", &"A".repeat(64), &"g".repeat(64), &"a".repeat(63)] {
        assert_eq!(state.picture(name), None, "{name}");
    }
}
