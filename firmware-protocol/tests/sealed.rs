//! A session whose messages are sealed: what the host trusts, and what numbers are for.
#![allow(clippy::unwrap_used)]

use firmware_protocol::{
    command::{Command, Hello, Request, Verdict},
    locker::{Action, Refusal},
    session::{Arrival, Device, Host, Offer, Outcome, Pace, Run, Welcome},
};

const PACE: Pace =
    Pace { poll_every_ms: None, answer_within_ms: 500, silent_after_ms: 30_000, sealed: true };

fn run(device: &Device<Refusal>) -> Run {
    Run { boot: device.boot(), session: device.session() }
}

/// The hello that the host says when it hears of the device.
fn hello(host: &mut Host<Action>, device: &Device<Refusal>, now_ms: u64) -> Hello {
    host.heard(run(device), now_ms);
    match host.due(now_ms) {
        Some(Request::Hello(hello)) => hello,
        other => panic!("{other:?} is no hello"),
    }
}

fn welcome(device: &Device<Refusal>, hello: Hello) -> Welcome {
    Welcome { hello, counter: device.counter() }
}

/// Host and device in a session.
fn online(counter: u64) -> (Host<Action>, Device<Refusal>) {
    let (mut host, mut device) = (Host::new(PACE), Device::resumed(7, counter));
    let hello = hello(&mut host, &device, 1_000);
    assert!(device.hello(&hello, 50));
    host.welcomed(&welcome(&device, hello), 1_010);
    host.heard(run(&device), 1_011);
    assert!(host.is_online(1_011));
    (host, device)
}

fn command(host: &mut Host<Action>, id: u8, now_ms: u64) -> (Command<Action>, u64) {
    let offer =
        Offer { id: [id; 16], action: Action::Open { door: 1 }, expires_at_ms: now_ms + 3_000 };
    host.offer(offer).unwrap();
    match host.due(now_ms) {
        Some(Request::Command(command)) => (command, host.next_counter()),
        other => panic!("{other:?} is no command"),
    }
}

#[test]
fn numbers_go_on_where_the_device_is() {
    let (mut host, mut device) = online(1_041);
    let (order, counter) = command(&mut host, 1, 1_100);
    assert_eq!(counter, 1_042);
    let arrival = Arrival { now_ms: 150, counter: Some(counter), stale: false };
    let reply = device.command(&order, arrival, || Ok(()));
    assert_eq!(host.replied(&reply, 1_120).unwrap().outcome, Outcome::Judged(Verdict::Accepted));
    assert_eq!(device.counter(), 1_042);
    let (_, next) = command(&mut host, 2, 1_200);
    assert_eq!(next, 1_043);
}

#[test]
fn a_state_alone_starts_no_session() {
    let (mut host, mut device) = (Host::<Action>::new(PACE), Device::<Refusal>::new(7));
    let hello = hello(&mut host, &device, 1_000);
    assert!(device.hello(&hello, 50));
    host.heard(run(&device), 1_010);
    assert!(!host.is_online(1_010), "anybody may have said that");
    host.welcomed(&welcome(&device, hello), 1_020);
    assert!(host.is_online(1_020));
}

#[test]
fn a_hello_that_somebody_held_back_is_not_trusted() {
    let (mut host, mut device) = (Host::<Action>::new(PACE), Device::<Refusal>::new(7));
    let hello = hello(&mut host, &device, 1_000);
    assert!(device.hello(&hello, 50));
    host.welcomed(&welcome(&device, hello), 1_501);
    assert!(!host.is_online(1_501));
}

#[test]
fn a_welcome_for_another_hello_changes_nothing() {
    let (mut host, device) = (Host::<Action>::new(PACE), Device::<Refusal>::new(7));
    let hello = hello(&mut host, &device, 1_000);
    for other in [
        Hello { now_ms: 999, ..hello },
        Hello { boot: 8, ..hello },
        Hello { session: hello.session + 1, ..hello },
    ] {
        host.welcomed(&welcome(&device, other), 1_010);
        assert!(!host.is_online(1_010));
    }
}

#[test]
fn a_renewal_leaves_no_gap() {
    let (mut host, mut device) = online(0);
    host.heard(run(&device), 301_000);
    let Some(Request::Hello(hello)) = host.due(301_000) else { panic!("it is time") };
    assert!(device.hello(&hello, 300_050));
    host.heard(run(&device), 301_005);
    assert!(host.is_online(301_005), "the state was faster than the welcome");
    host.welcomed(&welcome(&device, hello), 301_010);
    assert!(host.is_online(301_010));
}

#[test]
fn a_recording_moves_nothing_where_the_boot_number_comes_again() {
    let (mut host, mut device) = online(0);
    let first_hello = Hello { boot: 7, session: 1, now_ms: 1_000 };
    let (order, counter) = command(&mut host, 1, 1_100);
    let arrival = |now_ms| Arrival { now_ms, counter: Some(counter), stale: false };
    let reply = device.command(&order, arrival(150), || Ok(()));
    assert_eq!(reply.verdict, Verdict::Accepted);
    // It starts anew, draws the same number, and hears the same once more.
    let mut device = Device::<Refusal>::resumed(7, device.counter());
    assert!(device.hello(&first_hello, 50));
    let reply = device.command(&order, arrival(150), || panic!("it must not move"));
    assert_eq!(reply.verdict, Verdict::Expired);
}
