//! The messages that lines of a vector file name.

use firmware_protocol::{
    barrier::{self, Arm, Power},
    charger::{self, Allowance, Fault, Meter, Pilot},
    command::{Command, Hello, Reply, Request, Verdict},
};

use super::line::Line;

pub fn barrier(line: &Line<'_>) -> Result<barrier::Request, barrier::Answer> {
    Ok(match line.what {
        "barrier.poll" => Request::Poll,
        "barrier.hello" => Request::Hello(hello(line)),
        "barrier.open" => Request::Command(command(line, barrier::Action::Open)),
        "barrier.close" => Request::Command(command(line, barrier::Action::Close)),
        "barrier.reply" => {
            return Err(barrier::Answer::Reply(reply(line, barrier::Refusal::ALL)));
        }
        "barrier.status" => return Err(barrier::Answer::Status(barrier_status(line))),
        what => panic!("{what}"),
    })
}

pub fn charger(line: &Line<'_>) -> Result<charger::Request, charger::Answer> {
    use charger::Action::*;
    Ok(match line.what {
        "charger.poll" => Request::Poll,
        "charger.hello" => Request::Hello(hello(line)),
        "charger.enable" => Request::Command(command(line, Enable(allowance(line)))),
        "charger.limit" => Request::Command(command(line, Limit(allowance(line)))),
        "charger.disable" => Request::Command(command(line, Disable)),
        "charger.reply" => {
            return Err(charger::Answer::Reply(reply(line, charger::Refusal::ALL)));
        }
        "charger.status" => return Err(charger::Answer::Status(charger_status(line))),
        what => panic!("{what}"),
    })
}

fn hello(line: &Line<'_>) -> Hello {
    let (boot, session) = (line.number("boot"), line.number("session"));
    Hello { boot, session, now_ms: line.number("now_ms") }
}

fn command<A>(line: &Line<'_>, action: A) -> Command<A> {
    Command {
        boot: line.number("boot"),
        session: line.number("session"),
        id: line.bytes("id"),
        expires_at_ms: line.number("expires_at_ms"),
        action,
    }
}

fn allowance(line: &Line<'_>) -> Allowance {
    let (limit_ma, lease_s) = (line.number("limit_ma"), line.number("lease_s"));
    Allowance { limit_ma, lease_s, fallback_ma: line.number("fallback_ma") }
}

fn reply<R: Copy>(line: &Line<'_>, reasons: &[R]) -> Reply<R> {
    let verdict = match line.number::<u8>("verdict") {
        0 => Verdict::Accepted,
        1 => Verdict::Expired,
        _ => Verdict::Refused(reasons[line.number::<usize>("reason")]),
    };
    Reply { id: line.bytes("id"), duplicate: line.flag("duplicate"), verdict }
}

fn barrier_status(line: &Line<'_>) -> barrier::Status {
    barrier::Status {
        boot: line.number("boot"),
        session: line.number("session"),
        uptime_s: line.number("uptime_s"),
        arm: Arm::ALL[line.number::<usize>("arm")],
        power: Power::ALL[line.number::<usize>("power")],
        under_arm: line.flag("under_arm"),
        in_front: line.flag("in_front"),
        fire: line.flag("fire"),
        under_arm_count: line.number("under_arm_count"),
        in_front_count: line.number("in_front_count"),
        press: line.number("press"),
    }
}

fn charger_status(line: &Line<'_>) -> charger::Status {
    let meter = Meter {
        energy_wh: line.number("energy_wh"),
        power_w: line.number("power_w"),
        current_ma: line.three("current_ma"),
        voltage_mv: line.three("voltage_mv"),
    };
    charger::Status {
        boot: line.number("boot"),
        session: line.number("session"),
        uptime_ms: line.number("uptime_ms"),
        pilot: Pilot::ALL[line.number::<usize>("pilot")],
        fault: Fault::ALL[line.number::<usize>("fault")],
        enabled: line.flag("enabled"),
        closed: line.flag("closed"),
        limit_ma: line.number("limit_ma"),
        lease_s: line.number("lease_s"),
        plugged_count: line.number("plugged_count"),
        fault_count: line.number("fault_count"),
        meter: line.flag("has_meter").then_some(meter),
    }
}
