//! A month without the cloud at five times the peak, and then all of it: everything once and in the
//! journal's order, what happens meanwhile within seconds, and no more than the line's limit.
//! Of the month's 4.7 million events the short form has one in a thousand, `SOAK=1` one in
//! fifty: what is promised does not depend on how long it takes.

use std::time::{Duration, Instant};

use domain::event::Fact;

use super::stories::Story;
use crate::{
    journal::tests::fixture::{
        decision, intent, new_command, new_session, outcome, session_opened,
    },
    replay::Timing,
};

/// Five times what a busy site has in its busiest hour: 5 x 120 vehicles, 11 events each.
const EVENTS_PER_HOUR: usize = 5 * 120 * 11;
const HOURS: usize = 30 * 24;
const KBIT_S: u32 = 1000;
/// How late what happens now may be.
const LATE: Duration = Duration::from_secs(2);

fn is_soak() -> bool {
    std::env::var_os("SOAK").is_some()
}

fn car() -> Vec<Fact> {
    let (open, command) = (decision(domain::event::Verdict::Open, ""), new_command());
    let opened = session_opened(new_session(), &open);
    vec![Fact::Decision(Box::new(open.clone())), intent(&open, command), outcome(command), opened]
}

#[tokio::test]
async fn a_month_drains_in_order_while_what_happens_now_goes_first() {
    let timing = Timing { max_upload_kbit_s: Some(KBIT_S), ..Timing::default() };
    let share = if is_soak() { 50 } else { 1000 };
    let mut story = Story::begin_with(vec![], vec![], timing).await;
    story.pause();
    for _ in 0..HOURS {
        story.site.clock.pass(Duration::from_secs(3600));
        for _ in 0..(EVENTS_PER_HOUR / share).div_ceil(4) {
            story.journal.append(car()).await.unwrap();
        }
    }
    let backlog = *story.journal.head().borrow();
    let held = std::sync::Arc::clone(&story.cloud.held);
    let bytes = || held.lock().unwrap().bytes;
    let before = bytes();
    let began = Instant::now();
    story.go_on();

    let mut late = Duration::ZERO;
    while *story.journal.acked().borrow() < backlog {
        let happened = Instant::now();
        let head = story.journal.append(car()).await.unwrap().last().unwrap().sequence;
        let there = || story.cloud.held.lock().unwrap().arrived.contains(&head);
        while !there() && *story.journal.acked().borrow() < head {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        late = late.max(happened.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (sent, took) = (bytes() - before, began.elapsed());
    let rate = sent as f64 * 8.0 / 1000.0 / took.as_secs_f64();
    println!("{backlog} events, {sent} bytes in {took:.1?}: {rate:.0} kbit/s; {late:.1?} late");
    assert!(late < LATE, "{late:?}");
    assert!(rate <= f64::from(KBIT_S) * 1.1, "{rate} kbit/s");
    story.until_synced().await;
    story.end();
}
