//! What a device does over time: how much it says, what it tells, and what it does when the
//! connection or the power goes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{
    Kind,
    bench::{Bench, HEARTBEAT, PATIENCE, Seal},
    commands::is,
    layout::greet,
};
use crate::conformance::{Found, Report};

/// The most that a device may say in a second.
const MOST_EACH_SECOND: usize = 50;
/// A device that was thrown out is back within this.
const BACK_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn check(bench: &mut Bench, report: &mut Report) {
    let promise = "at most 50 messages a second, and a state at least every 10 s";
    report.add("measure", promise, measure(bench).await);
    if bench.kind() != Kind::Barrier {
        let promise = "events are told once, numbered without a gap, and sealed";
        report.add("events", promise, events(bench).await);
    }
    let promise = "a will says that it is gone, and it comes back by itself";
    report.add("last-will", promise, last_will(bench).await);
    let promise = "a command that the broker kept does nothing";
    report.add("retained", promise, retained(bench).await);
    let restart = ("restart", "a start is a new run, in which no old command counts");
    let flash = ("flash", "the highest number survives a loss of power");
    if bench.subject.restart.is_none() {
        let why = "name a command that makes it lose power with --restart";
        report.skip(restart.0, restart.1, why);
        report.skip(flash.0, flash.1, why);
        return;
    }
    let used = bench.taken;
    report.add(restart.0, restart.1, restarted(bench).await);
    report.add(flash.0, flash.1, survived(bench, used).await);
}

async fn measure(bench: &mut Bench) -> Found {
    let from = bench.log.len();
    bench.listen(HEARTBEAT).await;
    let said = &bench.log[from..];
    let most = MOST_EACH_SECOND * usize::try_from(HEARTBEAT.as_secs()).unwrap_or(usize::MAX);
    if said.len() > most {
        let (count, time) = (said.len(), HEARTBEAT.as_secs());
        return Err(format!("it said {count} things in {time} s in which nothing happened"));
    }
    let told = said.iter().any(|heard| heard.leaf == "state");
    told.then_some(()).ok_or_else(|| "it said no state for 11 s".to_owned())
}

/// Makes something happen, then looks at every event so far.
async fn events(bench: &mut Bench) -> Found {
    let (verb, mut command) = bench.command();
    if bench.kind() == Kind::Charger {
        command["lease_s"] = json!(1);
    }
    let from = bench.log.len();
    is(&bench.ask(verb, &command, Seal::Right).await?, "ok", None)?;
    let expected = if bench.kind() == Kind::Charger { "fell_back" } else { "unlocked" };
    let leaf = format!("event/{expected}");
    let told = bench.wait(from, PATIENCE * 2, |heard| (heard.leaf == leaf).then_some(()));
    told.await.ok_or_else(|| format!("no {leaf} after `{verb}`"))?;
    bench.listen(Duration::from_millis(300)).await;
    sequence(bench)?;
    if bench.kind() == Kind::Locker { each_opening_once(bench) } else { Ok(()) }
}

fn sequence(bench: &Bench) -> Found {
    let mut last: Option<(u64, u64)> = None;
    let mut ids = Vec::new();
    for heard in bench.log.iter().filter(|heard| heard.leaf.starts_with("event/")) {
        let leaf = &heard.leaf;
        let message = heard.message.as_ref().ok_or_else(|| format!("{leaf} is no JSON object"))?;
        let number = |name: &str| {
            message
                .get(name)
                .and_then(Value::as_u64)
                .ok_or_else(|| format!("{leaf} has no `{name}`"))
        };
        let (boot, seq) = (number("boot_id")?, number("seq")?);
        number("uptime_ms")?;
        if !heard.sealed {
            return Err(format!("{leaf} is not sealed by the device's key"));
        }
        if heard.retained {
            return Err(format!("{leaf} is retained"));
        }
        let id = message.get("event_id").cloned();
        if ids.contains(&id) {
            return Err(format!("{leaf}: the event_id of number {seq} came before"));
        }
        if let Some((before, number)) = last
            && before == boot
            && seq != number + 1
        {
            return Err(format!("number {seq} follows on {number}"));
        }
        ids.push(id);
        last = Some((boot, seq));
    }
    Ok(())
}

/// Every command that was carried out released a lock once, and no other did.
fn each_opening_once(bench: &Bench) -> Found {
    let of = |leaf: &str, field: &str, value: Option<&str>| -> Vec<Value> {
        let said = bench.log.iter().filter(|heard| heard.leaf == leaf && !heard.retained);
        let messages = said.filter_map(|heard| heard.message.as_ref());
        let fitting =
            messages.filter(|m| value.is_none_or(|value| m.get(field) == Some(&json!(value))));
        fitting.filter_map(|message| message.get("cmd_id").cloned()).collect()
    };
    let (mut carried_out, mut released) =
        (of("result/open", "outcome", Some("ok")), of("event/unlocked", "", None));
    carried_out.sort_by_key(Value::to_string);
    released.sort_by_key(Value::to_string);
    if carried_out == released {
        return Ok(());
    }
    let (said, done) = (carried_out.len(), released.len());
    Err(format!("{said} commands were answered `ok`, and {done} `unlocked` were told for others"))
}

/// Throws the device out and waits until its will was told.
async fn thrown_out(bench: &mut Bench) -> Result<usize, String> {
    let from = bench.log.len();
    bench.take_its_place().await?;
    Ok(from)
}

fn says(message: &Map<String, Value>, status: &str) -> bool {
    message.get("status").and_then(Value::as_str) == Some(status)
}

async fn availability(bench: &mut Bench, from: usize, status: &str) -> Option<Option<u64>> {
    let found = bench.wait(from, BACK_WITHIN, |heard| {
        if heard.leaf != "availability" {
            return None;
        }
        let message = heard.message.as_ref().filter(|message| says(message, status))?;
        Some(message.get("connection").and_then(Value::as_u64))
    });
    found.await
}

async fn last_will(bench: &mut Bench) -> Found {
    let from = thrown_out(bench).await?;
    let gone = availability(bench, from, "offline").await;
    let back = availability(bench, from, "online").await;
    let client = format!("{}-{}", bench.subject.site, bench.subject.device);
    let Some(gone) = gone else {
        return Err(format!(
            "no will said `offline` when another client took its name `{client}` on the broker"
        ));
    };
    let back = back.ok_or("it did not come back within 20 s")?;
    if let (Some(gone), Some(back)) = (gone, back)
        && back <= gone
    {
        return Err(format!("connection {back} follows on {gone}"));
    }
    Ok(())
}

async fn retained(bench: &mut Bench) -> Found {
    bench.listen(Duration::from_millis(500)).await;
    greet(bench).await?;
    let (verb, command) = bench.command();
    thrown_out(bench).await?;
    let from = bench.say(verb, &command, Seal::Right, true).await;
    let answer = bench.wait(from, BACK_WITHIN, |heard| {
        let message = heard.message.as_ref()?;
        (message.get("cmd_id") == command.get("cmd_id") && heard.leaf.starts_with("result/"))
            .then(|| message.clone())
    });
    let answer = answer.await;
    bench.say_bytes(verb, Vec::new(), true).await;
    is(&answer.ok_or("a retained command was not answered")?, "expired", None)
}

async fn restarted(bench: &mut Bench) -> Found {
    let (verb, old) = bench.command();
    let (boot, from) = (bench.boot, bench.log.len());
    let restart = bench.subject.restart.as_ref().ok_or("there is no way to restart it")?;
    if !restart().await {
        return Err("what was to restart it failed".to_owned());
    }
    let state = bench.wait(from, BACK_WITHIN, |heard| {
        let state = heard.message.clone().filter(|_| heard.leaf == "state")?;
        let other = state.get("boot_id").and_then(Value::as_u64) != Some(boot);
        other.then_some(state)
    });
    let state = state.await.ok_or("no state names another boot number within 20 s")?;
    if state.get("session") != Some(&json!(0)) {
        return Err("it starts in a session".to_owned());
    }
    is(&bench.ask(verb, &old, Seal::Right).await?, "expired", None)
}

async fn survived(bench: &mut Bench, used: u64) -> Found {
    bench.counter = 0;
    let found = greet(bench).await;
    let told = bench.counter;
    bench.counter = bench.counter.max(used);
    found?;
    if told < used {
        return Err(format!("number {used} was used, and it would take {} again", told + 1));
    }
    Ok(())
}
