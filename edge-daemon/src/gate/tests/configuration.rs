//! A wrong configuration is refused with the key and what would be right.

use super::site::{SITE, config};
use crate::gate::{
    Config,
    config::{Access, Answer, Closing, Fail, LaneConfig},
};

#[test]
fn what_is_left_out_is_sensible() {
    let config = config(&[]);
    assert_eq!(config.check(), Ok(()));
    assert_eq!(config.parking.grace_minutes, 15);
    assert_eq!(config.parking.timezone, chrono_tz::Asia::Shanghai);
    let exit = &config.lanes[1];
    assert_eq!(
        (exit.access, exit.close, exit.fail),
        (Access::Permits, Closing::Command, Fail::Open)
    );
    assert_eq!((exit.button, exit.already_inside), (Answer::Refuse, Answer::Open));
}

#[test]
fn every_wrong_value_is_named_with_what_would_be_right() {
    for (old, new, wanted) in [
        ("places = 2", "places = 0", "parking.places is 0: use 1 to 1000000"),
        (
            "places = 2",
            "places = 2\ngrace_minutes = 9999",
            "parking.grace_minutes is 9999: use at most 1440",
        ),
        ("base_fee_fen = 500", "base_fee_fen = -1", "parking.tariff.base_fee_fen is -1: use 0 to"),
        ("id = \"exit\"", "id = \"entry\"", "lanes.id: `entry` stands twice"),
        ("barrier-2", "barrier-1", "lanes.device: `barrier-1` of lane `exit` belongs to another"),
        ("camera-2", "camera-1", "lanes.cameras: `camera-1` of lane `exit` stands twice"),
        (
            "id = \"exit\"",
            "id = \"exit\"\npass_timeout_s = 1",
            "lanes.pass_timeout_s of `exit` is 1: use 3 to 600",
        ),
        (
            "id = \"exit\"",
            "id = \"exit\"\nmin_confidence = 80",
            "lanes.min_confidence of `exit` is 80: use 0.0 to 1.0",
        ),
        (
            "holder = \"Chen Wei\"",
            "holder = \"Chen Wei\"\nvalid_from = \"2026-02-01T00:00:00Z\"\nvalid_until = \"2026-01-01T00:00:00Z\"",
            "permits.valid_until of `京A·88888` is 2026-01-01",
        ),
    ] {
        let message = config(&[(old, new)]).check().unwrap_err();
        assert!(message.starts_with(wanted), "{message}");
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for (old, new, wanted) in [
        ("places = 2", "places = 2\nplace = 3", "unknown field `place`"),
        ("places = 2", "places = 2\ntimezone = \"Beijing\"", "`Beijing` is no time zone"),
        ("free_minutes", "free_minuts", "unknown field `free_minuts` of the tariff"),
        ("base_seconds = 3600", "base_seconds = -1", "base_seconds"),
        ("京A·88888", "", "`` is not a plate"),
        ("direction = \"exit\"", "direction = \"out\"", "unknown variant `out`"),
    ] {
        let text = SITE.replace(old, new);
        let message = toml::from_str::<Config>(&text).unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn the_example_shows_what_is_usual() {
    let file = include_str!("../../../../config/edge.example.toml");
    let mut sections: toml::Table = file.parse().unwrap();
    sections.retain(|name, _| ["parking", "lanes", "permits", "deny"].contains(&name));
    let config: Config = sections.try_into().unwrap();
    assert_eq!(config.check(), Ok(()));
    let [full, short] = &config.lanes[..] else { panic!("two lanes") };
    let names = |lane: &LaneConfig| LaneConfig {
        id: short.id.clone(),
        direction: short.direction,
        cameras: short.cameras.clone(),
        device: short.device.clone(),
        access: short.access,
        ..lane.clone()
    };
    assert_eq!(names(full), *short, "what is shown is what holds where it is left out");
}
