//! The asking end against a real HTTP server on loopback that answers by script.
#![allow(clippy::unwrap_used)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    directive::{Ask, Directive},
    envelope::Head,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};
use warp::{
    Filter, Reply,
    http::StatusCode,
    reply::{Response, with_header, with_status},
};

use super::{Heard, Pauses, Told, follow};
use crate::{
    cloud::{Cloud, Patience},
    identity::{Identity, Key},
    journal::StateDir,
};

/// What a test waits for at most.
const SOON: Duration = Duration::from_secs(10);

/// Where the numbers of a site's first start begin.
const FIRST_EPOCH: u64 = 1 << 32;

/// A cloud that gives these answers one after the other, and then none.
struct Scripted {
    script: Mutex<VecDeque<(u16, String)>>,
    asked: mpsc::UnboundedSender<(Ask, u64)>,
    public_key: String,
}

impl Scripted {
    async fn answer(self: Arc<Self>, query: String, signature: String, count: u64) -> Response {
        let (after, list) = query.strip_prefix("after=").unwrap().split_once("&list=").unwrap();
        let ask = Ask { after: after.parse().unwrap(), list: Some(list.parse().unwrap()) };
        let target = ask.target();
        let head = Head { site: "north", method: "GET", target: &target, count };
        assert!(head.is_signed_by(&self.public_key, b"", &signature));
        self.asked.send((ask, count)).unwrap();
        let next = self.script.lock().unwrap().pop_front();
        let Some((status, body)) = next else { return std::future::pending().await };
        let reply = with_status(body, StatusCode::from_u16(status).unwrap());
        with_header(reply, "content-type", "application/json").into_response()
    }
}

struct Story {
    told: mpsc::Receiver<Told>,
    asked: mpsc::UnboundedReceiver<(Ask, u64)>,
    heard: watch::Receiver<Option<Heard>>,
    trouble: watch::Receiver<String>,
    _state: tempfile::TempDir,
}

impl Story {
    async fn begin(through: u64, script: &[(u16, &str)]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let folder = StateDir::new(state.path());
        let key = Key::load_or_make(&folder).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asks, asked) = mpsc::unbounded_channel();
        let script = script.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let scripted = Arc::new(Scripted {
            script: Mutex::new(script),
            asked: asks,
            public_key: key.public(),
        });
        let route = warp::path!("edge" / "v1" / "directives")
            .and(warp::get())
            .and(warp::query::raw())
            .and(warp::header::<String>("gatehouse-signature"))
            .and(warp::header::<u64>("gatehouse-count"))
            .then(move |query, signature, count| scripted.clone().answer(query, signature, count));
        tokio::spawn(warp::serve(route).incoming(listener).run());
        let identity = Identity::store(&folder, key, "north".parse().unwrap(), url).unwrap();
        let cloud = Arc::new(Cloud::new(identity, None, Patience::default()).unwrap());
        let (core, told) = mpsc::channel(1);
        let ms = Duration::from_millis;
        let pauses = Pauses { first: ms(1), longest: ms(5) };
        let (list, heard) = watch::channel(None);
        let (deaf, trouble) = watch::channel(String::new());
        tokio::spawn(follow(cloud, through, core, list, deaf, pauses));
        Self { told, asked, heard, trouble, _state: state }
    }

    async fn told(&mut self) -> Told {
        timeout(SOON, self.told.recv()).await.unwrap().unwrap()
    }

    async fn asked(&mut self) -> (u64, u64) {
        let (ask, count) = timeout(SOON, self.asked.recv()).await.unwrap().unwrap();
        (ask.after, if count >= FIRST_EPOCH { count - FIRST_EPOCH } else { count })
    }
}

fn page(sequences: std::ops::RangeInclusive<u64>) -> String {
    let paid = |sequence| {
        format!(
            r#"{{"sequence":{sequence},"directive":{{"kind":"paid","session":"00000000-0000-0000-0000-000000000005","amount_fen":{sequence}00,"method":"wechat","paid_at":"2026-11-20T08:15:00Z"}}}}"#
        )
    };
    let directives = sequences.map(paid).collect::<Vec<_>>().join(",");
    format!(r#"{{"now":"2026-11-20T08:15:30Z","directives":[{directives}]}}"#)
}

#[tokio::test]
async fn each_is_handed_over_in_order_and_asked_for_no_more_once_it_is_journaled() {
    let pages = [page(8..=9), page(10..=10)];
    let script = [
        (409, r#"{"error":"repeated","expected":4294967336}"#),
        (200, &pages[0]),
        (200, &pages[1]),
    ];
    let mut story = Story::begin(7, &script).await;
    for sequence in 8..=10 {
        let told = story.told().await;
        assert_eq!(told.sequence, sequence);
        let Ok(Directive::Paid { amount_fen, paid_at, .. }) = told.what else { panic!() };
        assert_eq!((amount_fen, (told.now - paid_at).num_seconds()), (sequence as i64 * 100, 30));
        told.done.send(true).unwrap();
    }
    let asked = [story.asked().await, story.asked().await, story.asked().await];
    assert_eq!(asked, [(7, 1), (7, 40), (9, 41)]);
    assert_eq!(story.asked().await, (10, 42));
}

#[tokio::test]
async fn what_could_not_be_journaled_is_handed_over_again() {
    let (both, second) = (page(1..=2), page(2..=2));
    let mut story = Story::begin(0, &[(200, &both), (200, &second)]).await;
    for (sequence, journaled) in [(1, true), (2, false), (2, true)] {
        let told = story.told().await;
        assert_eq!(told.sequence, sequence);
        told.done.send(journaled).unwrap();
    }
    let asked = [story.asked().await, story.asked().await, story.asked().await];
    assert_eq!(asked.map(|(after, _)| after), [0, 1, 2]);
}

#[tokio::test]
async fn nothing_but_the_cloud_s_own_words_tells_anything() {
    let good = page(1..=1);
    let script = [
        (200, "<html>Please log in</html>"),
        (200, "{}"),
        (302, ""),
        (401, r#"{"error":"unauthorised"}"#),
        (404, "not found"),
        (409, r#"{"error":"ahead","last":0}"#),
        (429, ""),
        (500, &good),
        (511, &good),
        (200, &good),
    ];
    let mut story = Story::begin(0, &script).await;
    let told = story.told().await;
    assert_eq!(told.sequence, 1);
    for count in 1..=script.len() as u64 {
        assert_eq!(story.asked().await, (0, count));
    }
}

#[tokio::test]
async fn why_nothing_is_heard_is_told_until_something_is() {
    let revoked = (403, r#"{"error":"revoked"}"#);
    let mut story = Story::begin(0, &[revoked]).await;
    let says_so = story.trouble.wait_for(|trouble| trouble.contains("revoked this site"));
    timeout(SOON, says_so).await.unwrap().unwrap();

    let good = page(1..=1);
    let mut story = Story::begin(0, &[revoked, (200, &good)]).await;
    story.told().await.done.send(true).unwrap();
    timeout(SOON, story.trouble.wait_for(String::is_empty)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_kind_of_a_later_cloud_is_handed_over_as_what_it_is() {
    let later = r#"{"now":"2026-11-20T08:15:30Z","directives":[
        {"sequence":1,"directive":{"kind":"sing","song":"x"}}]}"#;
    let mut story = Story::begin(0, &[(200, later)]).await;
    let told = story.told().await;
    assert_eq!(told.what.unwrap_err().kind, "sing");
}

#[tokio::test]
async fn what_is_heard_of_the_list_is_passed_on_and_asked_for_no_more() {
    let page = |list: &str| format!(r#"{{"now":"2026-11-20T08:15:30Z","directives":[]{list}}}"#);
    let [none, seven] = [page(""), page(r#","list":7"#)];
    let mut story = Story::begin(0, &[(200, &none), (200, &seven)]).await;
    let mut lists = Vec::new();
    for _ in 0..3 {
        lists.push(timeout(SOON, story.asked.recv()).await.unwrap().unwrap().0.list);
    }
    assert_eq!(lists, [Some(u64::MAX), Some(0), Some(7)]);
    let heard = story.heard.borrow_and_update().unwrap();
    assert_eq!((heard.list, heard.now.to_rfc3339().as_str()), (7, "2026-11-20T08:15:30+00:00"));
}

#[tokio::test]
async fn the_life_of_a_command_is_counted_from_when_it_was_heard() {
    let told = r#"{"now":"2026-11-20T08:15:30Z","directives":[
        {"sequence":1,"directive":{"kind":"open","lane":"entry","by":"Wang"},
         "expires_at":"2026-11-20T08:15:40Z"},
        {"sequence":2,"directive":{"kind":"open","lane":"entry","by":"Wang"},
         "expires_at":"2026-11-20T08:15:20Z"}]}"#;
    let before = tokio::time::Instant::now();
    let mut story = Story::begin(0, &[(200, told)]).await;
    let first = story.told().await;
    let left = first.expires.unwrap() - before;
    assert!(left >= Duration::from_secs(10) && left < Duration::from_secs(10) + SOON, "{left:?}");
    first.done.send(true).unwrap();
    assert!(story.told().await.expires.unwrap() <= tokio::time::Instant::now());
}
