//! The wire form of lists, byte by byte: never changed, only added to.
#![allow(clippy::unwrap_used)]

use domain::access::{Ask, Change, Denial, Digest, Header, Kind, Permit, read_part};

fn permit() -> Permit {
    Permit {
        plate: "京A·12345".to_owned().try_into().unwrap(),
        holder: "Chen Wei".into(),
        valid_from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        valid_until: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        lanes: vec!["entry".parse().unwrap()],
        revoked: true,
    }
}

#[test]
fn changes_are_written_in_exactly_these_bytes_and_read_again() {
    let plate = || "京A1".to_owned().try_into().unwrap();
    let bare = Permit {
        plate: plate(),
        valid_from: None,
        valid_until: None,
        lanes: vec![],
        revoked: false,
        ..permit()
    };
    let all = [
        (
            Change::Permit(permit()),
            r#"{"permit":{"plate":"京A·12345","holder":"Chen Wei","valid_from":"2026-01-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z","lanes":["entry"],"revoked":true}}"#,
        ),
        (Change::Permit(bare), r#"{"permit":{"plate":"京A1","holder":"Chen Wei"}}"#),
        (
            Change::Deny(Denial { plate: plate(), reason: "debts".into() }),
            r#"{"deny":{"plate":"京A1","reason":"debts"}}"#,
        ),
        (
            Change::Gone { kind: Kind::Deny, plate: plate() },
            r#"{"gone":{"kind":"deny","plate":"京A1"}}"#,
        ),
    ];
    for (change, bytes) in all {
        assert_eq!(serde_json::to_string(&change).unwrap(), bytes);
        assert_eq!(serde_json::from_str::<Change>(bytes).unwrap(), change);
    }
}

#[test]
fn a_part_is_read_with_the_texts_of_its_changes_and_a_bad_line_is_named() {
    let digest = Digest::default();
    let header = Header { version: 9, through: 7, entries: 2, digest };
    let line = r#"{"deny":{"plate":"京A1","reason":"debts"}}"#;
    let part = format!("{}\n{line}\n", serde_json::to_string(&header).unwrap());
    let (read, changes) = read_part(&part).unwrap();
    assert_eq!((read, changes.len(), changes[0].1), (header, 1, line));
    let bad = read_part(&format!("{part}[]\n")).unwrap_err().to_string();
    assert!(bad.starts_with("line 3 of a list cannot be read"), "{bad}");
    assert!(read_part("").is_err());
}

#[test]
fn a_permit_covers_the_time_between_its_dates_and_opens_its_lanes() {
    let at = |time: &str| permit().covers(time.parse().unwrap());
    assert!(at("2026-01-01T00:00:00Z") && at("2026-12-31T23:59:59Z"));
    assert!(!at("2025-12-31T23:59:59Z") && !at("2027-01-01T00:00:00Z"));
    let opens = |lane: &str| permit().opens(&lane.parse().unwrap());
    assert!(opens("entry") && !opens("staff"));
    assert!(Permit { lanes: vec![], ..permit() }.opens(&"staff".parse().unwrap()));
}

#[test]
fn a_request_names_the_change_that_is_there() {
    assert_eq!(Ask { after: 41 }.target(), "/edge/v1/access?after=41");
}
