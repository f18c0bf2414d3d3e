//! What a device says about itself, and how it takes a hello.

use std::time::Duration;

use rumqttc::QoS;
use serde_json::{Map, Value, json};

use super::bench::{Bench, FIRST_WORDS, PATIENCE, Seal, object};
use crate::conformance::{Found, Report};

/// A hello is answered within this.
const WELCOME_WITHIN: Duration = Duration::from_millis(500);

pub(super) async fn check(bench: &mut Bench, report: &mut Report) {
    let found = availability(bench).await;
    report.add("availability", "retained, says that the device is online", found);
    report.add("info", "retained, says what the device is", info(bench).await);
    report.add("state", "whole, sealed, and retained where it must be", state(bench).await);
    let promise = "a hello is answered within 500 ms, and starts a session";
    let found = greet(bench).await;
    let greeted = found.is_ok();
    report.add("hello", promise, found);
    let promise = "an old, foreign or unsealed hello changes nothing";
    if greeted {
        let found = void_hellos(bench).await;
        let moved = found.is_err();
        report.add("hello-void", promise, found);
        if moved && greet(bench).await.is_err() {
            bench.session = 0;
        }
    } else {
        report.skip("hello-void", promise, "there is no session");
    }
}

/// The first message of a leaf, as it stands for those who come later.
async fn retained(bench: &mut Bench, leaf: &str) -> Result<(bool, Map<String, Value>), String> {
    let found = bench.wait(0, FIRST_WORDS, |heard| {
        let says = heard.message.clone()?;
        (heard.leaf == leaf && heard.retained).then_some((heard.sealed, heard.qos, says))
    });
    let Some((sealed, qos, message)) = found.await else {
        return Err(format!("there is no retained {leaf} that is a JSON object"));
    };
    if qos != QoS::AtLeastOnce {
        return Err(format!("{leaf} must be published with QoS 1"));
    }
    Ok((sealed, message))
}

async fn availability(bench: &mut Bench) -> Found {
    let (sealed, message) = retained(bench, "availability").await?;
    needs(&message, &["status", "boot_id", "connection"], "availability")?;
    if message["status"] != "online" {
        return Err(format!("it says {}, while the device is there", message["status"]));
    }
    sealed.then_some(()).ok_or_else(|| unsealed("availability"))
}

async fn info(bench: &mut Bench) -> Found {
    let (sealed, message) = retained(bench, "info").await?;
    needs(&message, &["model", "firmware"], "info")?;
    needs(&message, bench.kind().info(), "info")?;
    sealed.then_some(()).ok_or_else(|| unsealed("info"))
}

async fn state(bench: &mut Bench) -> Found {
    let (sealed, message) = retained(bench, "state").await?;
    needs(&message, &["boot_id", "session"], "state")?;
    needs(&message, bench.kind().state(), "state")?;
    let boot = message["boot_id"].as_u64().filter(|boot| (1..1 << 32).contains(boot));
    bench.boot = boot.ok_or("its boot number is not 1 to 4294967295")?;
    sealed.then_some(()).ok_or_else(|| unsealed("state"))
}

/// Says hello and waits for the answer; the session stands afterwards.
pub(super) async fn greet(bench: &mut Bench) -> Found {
    let told = bench.wait(0, Duration::ZERO, |_| None::<()>);
    told.await;
    let states = bench.log.iter().filter(|heard| heard.leaf == "state");
    let last = states.filter_map(|heard| heard.message.as_ref()).next_back();
    let last = last.ok_or("it said no state, so that its boot number is not known")?;
    let (boot, before) = (last["boot_id"].as_u64(), last["session"].as_u64());
    bench.boot = boot.ok_or("the boot number is no number")?;
    let session = before.ok_or("the session is no number")? + 1;
    let hello = hello(bench, bench.boot, session);
    let from = bench.say("hello", &hello, Seal::Right, false).await;
    bench.counter = bench.counter.max(welcome(bench, from, &hello).await?);
    let named = bench.wait(from, PATIENCE, |heard| {
        let state = heard.message.as_ref().filter(|_| heard.leaf == "state")?;
        (state.get("session") == Some(&json!(session))).then_some(())
    });
    named.await.ok_or("no state names the new session after the hello")?;
    bench.session = session;
    Ok(())
}

fn hello(bench: &Bench, boot: u64, session: u64) -> Map<String, Value> {
    object(json!({"boot_id": boot, "session": session, "now_ms": bench.now_ms()}))
}

/// The counter that the device tells in its answer.
async fn welcome(
    bench: &mut Bench,
    from: usize,
    hello: &Map<String, Value>,
) -> Result<u64, String> {
    let said = std::time::Instant::now();
    let found = bench.wait(from, PATIENCE, |heard| {
        let message = heard.message.clone().filter(|_| heard.leaf == "result/hello")?;
        Some((message, heard.sealed, heard.at))
    });
    let Some((message, sealed, at)) = found.await else {
        return Err("there is no result/hello".to_owned());
    };
    if !sealed {
        return Err(unsealed("result/hello"));
    }
    for name in ["boot_id", "session", "now_ms"] {
        if message.get(name) != hello.get(name) {
            return Err(format!("its {name} does not repeat the hello's"));
        }
    }
    let late = at.saturating_duration_since(said);
    if late > WELCOME_WITHIN {
        return Err(format!("result/hello came after {} ms", late.as_millis()));
    }
    message.get("counter").and_then(Value::as_u64).ok_or_else(|| "it has no counter".to_owned())
}

/// None of these may start a session.
async fn void_hellos(bench: &mut Bench) -> Found {
    let (boot, session) = (bench.boot, bench.session);
    let tries = [
        ("of the session that holds", hello(bench, boot, session), Seal::Right),
        ("for another boot number", hello(bench, boot ^ 1, session + 1), Seal::Right),
        ("without a seal", hello(bench, boot, session + 1), Seal::Missing),
        ("with a wrong seal", hello(bench, boot, session + 1), Seal::Wrong),
    ];
    for (what, hello, seal) in tries {
        let from = bench.say("hello", &hello, seal, false).await;
        let taken = bench.wait(from, WELCOME_WITHIN, |heard| {
            let message = heard.message.as_ref()?;
            let other = heard.leaf == "state" && message.get("session") != Some(&json!(session));
            (other || heard.leaf == "result/hello").then_some(())
        });
        if taken.await.is_some() {
            return Err(format!("it took a hello {what}"));
        }
    }
    Ok(())
}

fn needs(message: &Map<String, Value>, names: &[&str], leaf: &str) -> Found {
    match names.iter().find(|name| !message.contains_key(**name)) {
        Some(name) => Err(format!("{leaf} has no `{name}`")),
        None => Ok(()),
    }
}

fn unsealed(leaf: &str) -> String {
    format!("{leaf} is not sealed by the device's key")
}
