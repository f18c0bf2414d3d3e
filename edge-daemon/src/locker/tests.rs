//! Stories of a bank with three doors and one keypad, and of a door with a keypad of its own.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{
    clock::ClockQuality,
    event::Outcome,
    locker::{CodeHash, Held, SALT_BYTES, Trouble},
};

use super::*;

struct Site {
    lockers: Lockers,
    now: Stamp,
    next_id: u128,
    directive: u64,
}

fn bank() -> DeviceId {
    "bank".parse().unwrap()
}

fn banks() -> Vec<Bank> {
    let doors = ["A1", "A2", "", "A4"].map(str::to_owned).to_vec();
    vec![Bank { device: bank(), doors, calls: false }]
}

fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

fn stamp() -> Stamp {
    Stamp { wall: noon(), monotonic_ms: 1_000_000, quality: ClockQuality::Synchronised }
}

fn order(number: i64, code: &str, hours: i64) -> Held {
    Held {
        order: number,
        order_no: format!("O{number}"),
        code: CodeHash::new(code, [7; SALT_BYTES]),
        valid_until: noon() + TimeDelta::hours(hours),
    }
}

fn facts(commit: &Commit) -> Vec<LockerFact> {
    let of_locker = |fact: &Fact| match fact {
        Fact::Locker(fact) => Some(fact.clone()),
        _ => None,
    };
    commit.facts().iter().filter_map(of_locker).collect()
}

/// What a commit opens, by the door's number.
fn opens(commit: &Commit) -> Vec<u8> {
    let door = |command: Command| match command.action {
        Action::Open { door } => Some(door),
        Action::Deny(_) => None,
    };
    commit.clone().journaled().into_iter().filter_map(door).collect()
}

fn denies(commit: &Commit) -> Vec<Denial> {
    let why = |command: Command| match command.action {
        Action::Deny(why) => Some(why),
        Action::Open { .. } => None,
    };
    commit.clone().journaled().into_iter().filter_map(why).collect()
}

impl Site {
    /// Online, with an order of two hours for A2 whose code is 578674.
    fn open() -> Self {
        let (lockers, told) = Lockers::recovered(banks(), Vec::new(), stamp());
        assert!(matches!(facts(&told)[..], [LockerFact::Installed { .. }]));
        let mut site = Self { lockers, now: stamp(), next_id: 1, directive: 0 };
        let _ = site.step(Input::Online);
        let _ = site.tell("A2", Some(order(2, "578674", 2)));
        site
    }

    fn step(&mut self, input: Input) -> Commit {
        let next_id = &mut self.next_id;
        let mut ids = || {
            *next_id += 1;
            Uuid::from_u128(*next_id)
        };
        self.lockers.step(&bank(), input, self.now, &mut ids)
    }

    fn tell(&mut self, cabinet: &str, order: Option<Held>) -> Commit {
        self.directive += 1;
        let cabinet = Cabinet { cabinet: cabinet.into(), order };
        self.lockers.tell(self.directive, cabinet, self.now.wall, self.now)
    }

    fn code(&mut self, code: &str) -> Commit {
        self.step(Input::Code { source: Source::Keypad, code: code.into(), door: None })
    }

    fn code_at(&mut self, door: u8, code: &str) -> Commit {
        self.step(Input::Code { source: Source::Keypad, code: code.into(), door: Some(door) })
    }

    fn ended(&mut self, command: CommandId, outcome: Outcome) -> Commit {
        let refusal = (outcome == Outcome::Refused).then_some("jammed");
        self.step(Input::Result { command, outcome, refusal, elapsed_ms: Some(5) })
    }

    fn happens(&mut self, what: Happening, command: Option<CommandId>) -> Vec<LockerFact> {
        facts(&self.step(Input::Happened { door: 2, what, command }))
    }

    fn wait(&mut self, ms: u64) {
        self.now.monotonic_ms += ms;
        self.now.wall += TimeDelta::milliseconds(i64::try_from(ms).unwrap());
    }

    fn tick(&mut self) -> Vec<LockerFact> {
        facts(&self.lockers.tick(self.now))
    }
}

fn command_of(commit: &Commit) -> CommandId {
    commit.clone().journaled()[0].id
}

#[test]
fn a_right_code_opens_its_door_and_the_door_is_followed() {
    let mut site = Site::open();
    let opening = site.code("578674");
    assert_eq!(opens(&opening), [2]);
    let [LockerFact::Opening { cabinet, order, by, .. }] = &facts(&opening)[..] else { panic!() };
    assert_eq!((cabinet.as_str(), *order, *by), ("A2", Some(2), By::Keypad));
    let command = command_of(&opening);
    let outcome = facts(&site.ended(command, Outcome::Accepted));
    assert!(matches!(outcome[..], [LockerFact::Outcome { outcome: Outcome::Accepted, .. }]));
    assert_eq!(site.happens(Happening::Unlocked, Some(command)), []);
    let door = |closed, command| LockerFact::Door { cabinet: "A2".into(), closed, command };
    let opened = site.happens(Happening::Opened, Some(command));
    assert_eq!(opened, [door(false, Some(command))]);
    assert_eq!(site.happens(Happening::Opened, Some(command)), [], "told twice");
    assert_eq!(site.happens(Happening::Closed, None), [door(true, None)]);
    site.wait(60_000);
    assert_eq!(site.tick(), []);
    assert_eq!(opens(&site.code("578674")), [2], "again, while it is paid for");
}

#[test]
fn a_scanned_code_may_name_its_door() {
    let mut site = Site::open();
    let _ = site.tell("A1", Some(order(1, "578674", 2)));
    assert_eq!(denies(&site.code("578674")), [Denial::Unavailable], "whose is it?");
    assert_eq!(opens(&site.code("A1:578674")), [1]);
    assert_eq!(opens(&site.code_at(2, "578674")), [2]);
    assert_eq!(denies(&site.code("A4:578674")), [Denial::WrongCode]);
    assert_eq!(denies(&site.code("elsewhere:578674")), [Denial::WrongCode]);
    assert_eq!(denies(&site.code(":")), [Denial::WrongCode]);
}

#[test]
fn a_code_opens_nothing_before_after_and_without_its_order() {
    let mut site = Site::open();
    assert_eq!(denies(&site.code("111111")), [Denial::WrongCode]);
    site.wait(2 * 3_600_000 - 1);
    assert_eq!(opens(&site.code("578674")), [2]);
    site.wait(5_000);
    let _ = site.tick();
    assert_eq!(denies(&site.code("578674")), [Denial::Over]);
    let _ = site.tell("A2", Some(order(2, "578674", 3)));
    assert_eq!(opens(&site.code("578674")), [2], "it was extended");
    site.wait(5_000);
    let _ = site.tick();
    let _ = site.tell("A2", None);
    assert_eq!(denies(&site.code("578674")), [Denial::WrongCode]);
}

#[test]
fn a_clock_that_jumps_does_not_end_an_order() {
    let mut site = Site::open();
    site.now.wall += TimeDelta::days(3_000);
    assert_eq!(opens(&site.code("578674")), [2]);
}

#[test]
fn five_wrong_codes_lock_out_for_ten_minutes_also_the_right_one() {
    let mut site = Site::open();
    let _ = site.tell("A1", Some(order(1, "222222", 2)));
    for _ in 0..4 {
        assert_eq!(denies(&site.code_at(2, "000000")), [Denial::WrongCode]);
        site.wait(1_000);
    }
    let fifth = site.code_at(2, "000000");
    let locked = |fact: &LockerFact| matches!(fact, LockerFact::LockedOut { seconds: 600, .. });
    assert!(facts(&fifth).iter().any(locked));
    assert_eq!(denies(&site.code_at(2, "578674")), [Denial::LockedOut]);
    assert_eq!(opens(&site.code_at(1, "222222")), [1], "another door");
    site.wait(600_000 - 1);
    assert_eq!(denies(&site.code_at(2, "578674")), [Denial::LockedOut]);
    site.wait(1);
    assert_eq!(opens(&site.code_at(2, "578674")), [2]);
}

#[test]
fn wrong_codes_of_long_ago_do_not_count() {
    let mut site = Site::open();
    for _ in 0..20 {
        assert_eq!(denies(&site.code("000000")), [Denial::WrongCode]);
        site.wait(150_001);
    }
}

#[test]
fn a_lockout_outlives_a_restart() {
    let mut site = Site::open();
    let mut journaled = Vec::new();
    for _ in 0..5 {
        let commit = site.code("000000");
        journaled.extend(facts(&commit).into_iter().map(|fact| (fact, site.now)));
    }
    site.wait(60_000);
    let (lockers, _) = Lockers::recovered(banks(), journaled.clone(), site.now);
    site.lockers = lockers;
    let _ = site.step(Input::Online);
    assert_eq!(denies(&site.code("578674")), [Denial::LockedOut]);
    site.wait(540_000);
    assert_eq!(denies(&site.code("578674")), [Denial::WrongCode], "nobody told of an order yet");
}

#[test]
fn a_door_that_is_told_to_open_is_not_told_again_before_it_has_answered() {
    let mut site = Site::open();
    let first = site.code("578674");
    assert_eq!(denies(&site.code("578674")), [Denial::Unavailable]);
    let _ = site.ended(command_of(&first), Outcome::Unanswered);
    assert_eq!(opens(&site.code("578674")), [2]);
}

#[test]
fn a_command_that_nobody_answers_ends_and_is_not_sent_again() {
    let mut site = Site::open();
    let opening = site.code("578674");
    let due = site.lockers.next_deadline().unwrap();
    assert_eq!(due, site.now.monotonic_ms + COMMAND_LIFE_MS + 500);
    site.wait(COMMAND_LIFE_MS + 500);
    let ended = site.tick();
    assert!(matches!(ended[..], [LockerFact::Outcome { outcome: Outcome::Unanswered, .. }]));
    assert_eq!(site.lockers.next_deadline(), None);
    assert_eq!(facts(&site.ended(command_of(&opening), Outcome::Accepted)), [], "too late");
}

#[test]
fn what_a_door_does_wrong_is_told_once_and_so_is_its_end() {
    let trouble = |trouble| LockerFact::Trouble { cabinet: "A2".into(), trouble };
    let recovered = || LockerFact::Recovered { cabinet: "A2".into() };
    let mut site = Site::open();
    let opening = site.code("578674");
    let refused = facts(&site.ended(command_of(&opening), Outcome::Refused));
    assert_eq!(refused[1..], [trouble(Trouble::Jammed)]);
    assert_eq!(site.happens(Happening::Jammed, None), []);
    let states = |jammed| vec![DoorState { door: 2, closed: true, jammed }];
    assert_eq!(facts(&site.step(Input::Doors(states(true)))), []);
    assert_eq!(facts(&site.step(Input::Doors(states(false)))), [recovered()]);

    let opening = site.code("578674");
    let _ = site.ended(command_of(&opening), Outcome::Accepted);
    site.wait(30_000);
    assert_eq!(site.tick(), [trouble(Trouble::NeverOpened)]);
    assert_eq!(site.happens(Happening::Relocked, None), []);
    let opened = site.happens(Happening::Forced, None);
    assert_eq!(opened[1..], [recovered(), trouble(Trouble::ForcedOpen)]);
    assert_eq!(site.happens(Happening::LeftOpen, None), [trouble(Trouble::LeftOpen)]);
    assert_eq!(site.happens(Happening::Closed, None)[1..], [recovered()]);
}

#[test]
fn a_state_that_comes_before_its_event_tells_the_same() {
    let mut site = Site::open();
    let opening = site.code("578674");
    let command = command_of(&opening);
    let _ = site.ended(command, Outcome::Accepted);
    let open = vec![DoorState { door: 2, closed: false, jammed: false }];
    let told = facts(&site.step(Input::Doors(open)));
    let door = LockerFact::Door { cabinet: "A2".into(), closed: false, command: Some(command) };
    assert_eq!(told, [door]);
    assert_eq!(site.happens(Happening::Opened, Some(command)), []);
}

#[test]
fn the_cloud_opens_in_time_and_hears_why_not() {
    let mut site = Site::open();
    let asked = |command: u128, cabinet: &str, expires_in_ms| Asked {
        directive: 9,
        command: CommandId(Uuid::from_u128(command)),
        cabinet: cabinet.into(),
        order: 2,
        expires_in_ms,
    };
    let why = |commit: &Commit| match &facts(commit)[..] {
        [LockerFact::Denied { why, command: Some(_), directive: Some(9), .. }] => *why,
        other => panic!("{other:?}"),
    };
    let now = site.now;
    let late = site.lockers.open_for_cloud(asked(1, "A2", 0), now);
    assert_eq!((why(&late), opens(&late)), (Denial::Expired, vec![]));
    let nowhere = site.lockers.open_for_cloud(asked(2, "Z9", 4_000), now);
    assert_eq!(why(&nowhere), Denial::UnknownCabinet);
    let opening = site.lockers.open_for_cloud(asked(3, "A2", 2_000), now);
    assert_eq!(opening.clone().journaled()[0].expires_in_ms, 2_000);
    assert_eq!(opens(&opening), [2]);
    let _ = site.ended(command_of(&opening), Outcome::Accepted);
    let _ = site.step(Input::Offline { reason: "gone".into() });
    let offline = site.lockers.open_for_cloud(asked(4, "A2", 4_000), now);
    assert_eq!(why(&offline), Denial::Unavailable);
}

#[test]
fn an_operator_opens_any_door_that_can_be_reached() {
    let mut site = Site::open();
    let now = site.now;
    let mut ids = || Uuid::from_u128(77);
    let opening = site.lockers.open_for_operator("A4", "Wang".into(), now, &mut ids).unwrap();
    assert_eq!(opens(&opening), [4]);
    let nowhere = site.lockers.open_for_operator("A3", "Wang".into(), now, &mut ids);
    assert_eq!(nowhere, Err(Denial::UnknownCabinet));
}

#[test]
fn after_a_crash_an_opening_is_unknown_and_nothing_moves() {
    let mut site = Site::open();
    let told = facts(&site.tell("A2", Some(order(2, "578674", 2))));
    let opening = site.code("578674");
    let all = told.into_iter().chain(facts(&opening)).map(|fact| (fact, site.now)).collect();
    let (lockers, commit) = Lockers::recovered(banks(), all, site.now);
    let unknown =
        |fact: &LockerFact| matches!(fact, LockerFact::Outcome { outcome: Outcome::Unknown, .. });
    assert_eq!(facts(&commit).iter().filter(|fact| unknown(fact)).count(), 1);
    assert!(opens(&commit).is_empty());
    site.lockers = lockers;
    let _ = site.step(Input::Online);
    assert_eq!(opens(&site.code("578674")), [2], "the order is known still");
}

#[test]
fn after_a_restart_the_end_is_judged_by_a_clock_that_is_set_alone() {
    let told = LockerFact::Told {
        directive: 1,
        cabinet: Cabinet { cabinet: "A2".into(), order: Some(order(2, "578674", 2)) },
    };
    let mut site = Site::open();
    let recovered = |now| Lockers::recovered(banks(), vec![(told.clone(), stamp())], now).0;
    site.now.wall += TimeDelta::hours(3);
    site.lockers = recovered(site.now);
    let _ = site.step(Input::Online);
    assert_eq!(denies(&site.code("578674")), [Denial::Over]);
    site.now.quality = ClockQuality::Unsynchronised;
    assert_eq!(opens(&site.code("578674")), [2]);
}

#[test]
fn what_is_wired_is_told_where_it_has_changed() {
    let known = LockerFact::Installed { device: bank(), doors: banks()[0].doors.clone() };
    let gone = LockerFact::Installed { device: "old".parse().unwrap(), doors: vec!["B1".into()] };
    let journaled = vec![(known, stamp()), (gone, stamp())];
    let (_, commit) = Lockers::recovered(banks(), journaled, stamp());
    let taken_away = LockerFact::Installed { device: "old".parse().unwrap(), doors: Vec::new() };
    assert_eq!(facts(&commit), [taken_away]);
}

#[test]
fn a_door_that_stood_open_over_a_restart_is_told_when_it_is_closed() {
    let open = LockerFact::Door { cabinet: "A2".into(), closed: false, command: None };
    let (lockers, _) = Lockers::recovered(banks(), vec![(open, stamp())], stamp());
    let mut site = Site { lockers, now: stamp(), next_id: 1, directive: 0 };
    let states = [1, 2, 4].map(|door| DoorState { door, closed: true, jammed: false }).to_vec();
    let told = facts(&site.step(Input::Doors(states)));
    let closed = LockerFact::Door { cabinet: "A2".into(), closed: true, command: None };
    assert_eq!(told, [closed]);
}
