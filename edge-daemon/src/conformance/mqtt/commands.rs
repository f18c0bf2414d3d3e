//! Commands as they should be, and as they must not count.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::bench::{Bench, Seal};
use crate::conformance::{Found, Report};

/// By how much a late command is late: the device's time may be behind by what the hello took.
const LATE_MS: u64 = 1_000;

pub(super) async fn check(bench: &mut Bench, report: &mut Report) {
    report.add("command", "a command is carried out, and answered", command(bench).await);
    report.add("duplicate", "the same once more does nothing", duplicate(bench).await);
    report.add("expired", "one that comes late does nothing", expired(bench).await);
    report.add(
        "too-long",
        "one that claims a life beyond 10 s does nothing",
        too_long(bench).await,
    );
    let found = other_session(bench).await;
    report.add("other-session", "one for another run or session does nothing", found);
    report.add("seal", "one whose seal is missing or wrong does nothing", seal(bench).await);
    report.add("counter", "one whose number was used does nothing", counter(bench).await);
    report.add("memory", "32 commands are remembered, one more is refused", memory(bench).await);
    report.add(
        "garbage",
        "what is no message does nothing and stops nothing",
        garbage(bench).await,
    );
}

/// Whether the answer is this outcome, with this reason where there is one to be given.
pub(super) fn is(answer: &Map<String, Value>, outcome: &str, reason: Option<&str>) -> Found {
    let said = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("nothing");
    if said("outcome") != outcome {
        return Err(format!("it was answered `{}`, not `{outcome}`", said("outcome")));
    }
    match reason.filter(|reason| said("reason") != *reason) {
        Some(reason) => Err(format!("its reason is `{}`, not `{reason}`", said("reason"))),
        None => Ok(()),
    }
}

async fn command(bench: &mut Bench) -> Found {
    let (verb, command) = bench.command();
    let answer = bench.ask(verb, &command, Seal::Right).await?;
    is(&answer, "ok", None)
}

async fn duplicate(bench: &mut Bench) -> Found {
    let (verb, command) = bench.command();
    is(&bench.ask(verb, &command, Seal::Right).await?, "ok", None)?;
    let answer = bench.ask(verb, &command, Seal::Right).await?;
    is(&answer, "duplicate", None)?;
    let first = answer.get("first").and_then(Value::as_str);
    (first == Some("ok")).then_some(()).ok_or_else(|| "`first` does not say `ok`".to_owned())
}

async fn expired(bench: &mut Bench) -> Found {
    for late_ms in [LATE_MS, 3_600_000] {
        let (verb, mut command) = bench.command();
        command["deadline_ms"] = json!(bench.now_ms().saturating_sub(late_ms));
        is(&bench.ask(verb, &command, Seal::Right).await?, "expired", None)?;
    }
    Ok(())
}

async fn too_long(bench: &mut Bench) -> Found {
    let (verb, mut command) = bench.command();
    command["deadline_ms"] = json!(bench.now_ms() + 60_000);
    is(&bench.ask(verb, &command, Seal::Right).await?, "error", Some("too_long"))
}

async fn other_session(bench: &mut Bench) -> Found {
    for (name, value) in [
        ("session", bench.session + 1),
        ("session", bench.session - 1),
        ("boot_id", bench.boot ^ 1),
    ] {
        let (verb, mut command) = bench.command();
        command[name] = json!(value);
        let answer = bench.ask(verb, &command, Seal::Right).await?;
        is(&answer, "expired", None).map_err(|why| format!("{name} {value}: {why}"))?;
    }
    Ok(())
}

async fn seal(bench: &mut Bench) -> Found {
    for seal in [Seal::Missing, Seal::Wrong, Seal::OfAnotherTopic] {
        let (verb, command) = bench.command();
        let answer = bench.ask(verb, &command, seal).await?;
        is(&answer, "error", Some("unauthenticated")).map_err(|why| format!("{seal:?}: {why}"))?;
    }
    Ok(())
}

async fn counter(bench: &mut Bench) -> Found {
    let (verb, command) = bench.command();
    is(&bench.ask(verb, &command, Seal::Right).await?, "ok", None)?;
    let used = bench.counter;
    for counter in [used, used - 1] {
        let (verb, mut command) = bench.command();
        command["counter"] = json!(counter);
        is(&bench.ask(verb, &command, Seal::Right).await?, "expired", None)?;
    }
    Ok(())
}

/// Fills the device's memory. What was sent before may still be in it, so that fewer fit.
async fn memory(bench: &mut Bench) -> Found {
    let mut first = None;
    for _ in 0..33 {
        let (verb, mut command) = bench.command();
        command["deadline_ms"] = json!(bench.now_ms() + 9_000);
        let answer = bench.ask(verb, &command, Seal::Right).await?;
        let (verb, kept) = first.get_or_insert((verb, command)).clone();
        if is(&answer, "error", Some("busy")).is_ok() {
            let again = bench.ask(verb, &kept, Seal::Right).await?;
            return is(&again, "duplicate", None);
        }
        is(&answer, "ok", None)?;
    }
    Err("33 commands that had not expired were taken: it forgets some".to_owned())
}

async fn garbage(bench: &mut Bench) -> Found {
    let (verb, _) = bench.kind().deed(bench.subject.door);
    let deep = [vec![b'['; 2_000], vec![b']'; 2_000]].concat();
    let half = format!(r#"{{"cmd_id":"{}","boot_id":"#, Uuid::new_v4()).into_bytes();
    let odd = br#"{"cmd_id":7,"boot_id":-1,"session":1e300,"counter":null,"mac":"00"}"#.to_vec();
    for bytes in [Vec::new(), vec![0xff; 300], deep, half, odd, vec![b'x'; 4_096]] {
        bench.say_bytes(verb, bytes.clone(), false).await;
        bench.say_bytes("hello", bytes.clone(), false).await;
        bench.say_bytes("no-such-verb", bytes, false).await;
    }
    // Its memory may be full; that it answers at all, and rightly, is what counts.
    let (verb, mut command) = bench.command();
    command["deadline_ms"] = json!(bench.now_ms() - LATE_MS);
    is(&bench.ask(verb, &command, Seal::Right).await?, "expired", None)
}
