//! The lines that tell how a device judges, one after the other.

use firmware_protocol::{
    command::{Command, Hello, Refusal, Reply, Verdict},
    session::{Arrival, Device},
};

use super::line::Line;

/// Why a device of no kind in particular refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Busy,
    TooLong,
    Unable,
}

impl Refusal for Why {
    const BUSY: Self = Self::Busy;
    const TOO_LONG: Self = Self::TooLong;
    const UNAUTHENTICATED: Self = Self::Unable;
}

/// Retells every story; `stories` is how many there must be.
pub fn run<'a>(stories: usize, lines: impl Iterator<Item = Line<'a>>) {
    let mut told = 0;
    let mut device = Device::<Why>::new(0);
    for line in lines {
        match line.what {
            "device" => {
                told += 1;
                device = Device::resumed(line.number("boot"), line.number("counter"));
            }
            "judge.hello" => {
                let (boot, session) = (line.number("boot"), line.number("session"));
                let hello = Hello { boot, session, now_ms: line.number("now_ms") };
                let taken = device.hello(&hello, line.number("at_ms"));
                assert_eq!(taken, line.flag("taken"), "{line:?}");
            }
            "judge.command" => {
                assert_eq!(command(&mut device, &line), line.text("says"), "{line:?}");
            }
            _ => {}
        }
    }
    assert_eq!(told, stories);
}

fn command(device: &mut Device<Why>, line: &Line<'_>) -> String {
    let command = Command {
        boot: line.number("boot"),
        session: line.number("session"),
        id: line.bytes("id"),
        expires_at_ms: line.number("expires_at_ms"),
        action: (),
    };
    let counter = line.number("counter");
    let (now_ms, stale) = (line.number("at_ms"), line.flag("stale"));
    let mut acted = false;
    let reply = device.command(&command, Arrival { now_ms, counter: Some(counter), stale }, || {
        acted = true;
        if line.flag("able") { Ok(()) } else { Err(Why::Unable) }
    });
    let says = said(&reply);
    assert_eq!(acted, says == "accepted" || says == "refused:unable", "{line:?}");
    assert!(!acted || device.counter() == counter, "{line:?}");
    says
}

fn said(reply: &Reply<Why>) -> String {
    let verdict = match reply.verdict {
        Verdict::Accepted => "accepted",
        Verdict::Expired => "expired",
        Verdict::Refused(Why::Busy) => "refused:busy",
        Verdict::Refused(Why::TooLong) => "refused:too_long",
        Verdict::Refused(Why::Unable) => "refused:unable",
    };
    if reply.duplicate { format!("duplicate:{verdict}") } else { verdict.to_owned() }
}
