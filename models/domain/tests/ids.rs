//! Names and identifiers as they are written in configuration files and events.
#![allow(clippy::unwrap_used)]

use domain::ids::{DecisionId, LaneId};
use uuid::Uuid;

#[test]
fn names_are_checked_wherever_they_come_from() {
    for name in ["a", "Entry-1_b", &"x".repeat(64)] {
        assert_eq!(name.parse::<LaneId>().unwrap().as_str(), name);
        assert_eq!(
            serde_json::to_string(&name.parse::<LaneId>().unwrap()).unwrap(),
            format!("\"{name}\"")
        );
    }
    for name in ["", "a b", "a/b", "入口", "../x", &"x".repeat(65)] {
        assert!(name.parse::<LaneId>().is_err(), "{name}");
        let quoted = serde_json::to_string(name).unwrap();
        let wrong = serde_json::from_str::<LaneId>(&quoted).unwrap_err().to_string();
        assert!(wrong.contains("use 1 to 64 of a-z"), "{wrong}");
    }
}

#[test]
fn a_name_that_is_far_too_long_is_not_repeated_whole() {
    let wrong = "x".repeat(10_000).parse::<LaneId>().unwrap_err();
    assert!(wrong.to_string().len() < 200);
}

#[test]
fn identifiers_are_bare_uuids() {
    let id = DecisionId(Uuid::from_u128(0xd));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
    assert_eq!(id.to_string(), "00000000-0000-0000-0000-00000000000d");
}
