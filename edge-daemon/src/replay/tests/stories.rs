//! What happens to events on their way to the cloud.

use std::time::Duration;

use domain::{
    envelope::Refusal,
    event::{Fact, Verdict},
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use warp::http::StatusCode;

use super::script::*;
use crate::{
    cloud::{Cloud, CloudError, enrol},
    identity::Identity,
    journal::{
        JournalHandle, PictureState,
        tests::fixture::{Site, decision, facts, store_picture},
        verify,
    },
    replay::{ReplayState, ReplayStatus, Timing, replay},
};

/// A site whose journal is replayed to a scripted cloud.
pub(super) struct Story {
    pub(super) site: Site,
    pub(super) journal: JournalHandle,
    pub(super) cloud: ScriptedCloud,
    status: watch::Receiver<ReplayStatus>,
    replay: JoinHandle<()>,
    timing: Timing,
}

impl Story {
    pub(super) async fn begin(script: Vec<Play>, before: Vec<Fact>) -> Self {
        Self::begin_with(script, before, quick()).await
    }

    /// As [`Story::begin`], in other times.
    pub(super) async fn begin_with(script: Vec<Play>, before: Vec<Fact>, timing: Timing) -> Self {
        let site = Site::new();
        let (identity, public) = identity(&site.state());
        let cloud = ScriptedCloud::start(public, script).await;
        let journal = site.running();
        if !before.is_empty() {
            journal.append(before).await.unwrap();
        }
        let there = Cloud::new(identity, Some(&cloud.url), patience()).unwrap().into();
        let (run, status) =
            replay(site.state(), journal.clone(), site.reader(), there, timing.clone());
        Self { site, journal, cloud, status, replay: tokio::spawn(run), timing }
    }

    /// The replay ends.
    pub(super) fn pause(&self) {
        self.replay.abort();
    }

    /// It begins again, as after a restart.
    pub(super) fn go_on(&mut self) {
        let identity = Identity::load(&self.site.state()).unwrap();
        let there = Cloud::new(identity, Some(&self.cloud.url), patience()).unwrap().into();
        let (state, reader) = (self.site.state(), self.site.reader());
        let timing = self.timing.clone();
        let (run, status) = replay(state, self.journal.clone(), reader, there, timing);
        (self.replay, self.status) = (tokio::spawn(run), status);
    }

    /// The replay ends, `meanwhile` happens, and it begins again as after a restart.
    async fn restart(&mut self, meanwhile: impl AsyncFnOnce(&Site, &JournalHandle)) {
        self.pause();
        meanwhile(&self.site, &self.journal).await;
        self.go_on();
    }

    pub(super) async fn until_synced(&mut self) {
        let mut acked = self.journal.acked();
        let head = self.journal.head();
        let all = async {
            while *acked.borrow_and_update() < *head.borrow() {
                acked.changed().await.unwrap();
            }
        };
        timeout(Duration::from_secs(10), all).await.unwrap();
        self.until(ReplayState::Synced).await;
    }

    pub(super) async fn until(&mut self, state: ReplayState) -> ReplayStatus {
        let reached = self.status.wait_for(|status| status.state == state);
        timeout(Duration::from_secs(10), reached).await.unwrap().unwrap().clone()
    }

    /// Everything is at the cloud, once, in order, and the journal is whole.
    pub(super) fn end(self) {
        self.replay.abort();
        let held = self.cloud.held.lock().unwrap();
        let head = *self.journal.head().borrow();
        assert!(held.sequences().into_iter().eq(1..=head));
        assert!(verify(&self.site.state()).unwrap().whole());
    }
}

fn say(status: StatusCode, body: &str) -> Play {
    Play::Say(status, "application/json", body.to_owned())
}

#[tokio::test]
async fn a_backlog_goes_in_batches_and_then_events_as_they_happen() {
    let mut story = Story::begin(vec![], facts(35)).await;
    story.until_synced().await;
    // The newest goes ahead once something has got through.
    assert_eq!(story.cloud.held.lock().unwrap().batches, [10, 1, 10, 10, 4]);
    story.journal.append(facts(2)).await.unwrap();
    story.until_synced().await;
    assert_eq!(story.site.reader().acked_through().unwrap(), 37);
    story.end();
}

#[tokio::test]
async fn a_captive_portal_is_no_acknowledgement_and_is_named() {
    let page = || "<html>Welcome! Please log in.</html>".to_owned();
    let script = vec![
        Play::Say(StatusCode::OK, "text/html", page()),
        Play::SayWith(StatusCode::FOUND, "location", "http://127.0.0.1:1/login"),
        say(StatusCode::OK, r#"{"status":"ok"}"#),
        say(StatusCode::OK, r#"{"acked_through":0}"#),
        say(StatusCode::OK, r#"{"acked_through":4}"#),
        say(StatusCode::OK, ""),
        Play::Say(StatusCode::NETWORK_AUTHENTICATION_REQUIRED, "text/html", page()),
        Play::Say(StatusCode::UNAUTHORIZED, "text/html", page()),
        say(StatusCode::CONFLICT, r#"{"error":"out_of_order","expected":0}"#),
    ];
    let strangers = script.len();
    let mut story = Story::begin(script, facts(3)).await;
    let status = story.until(ReplayState::NotTheCloud).await;
    assert!(status.detail.contains("captive portal"), "{}", status.detail);
    story.cloud.requests.wait_for(|&count| count == strangers).await.unwrap();
    assert_eq!(*story.journal.acked().borrow(), 0);
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn faults_and_requests_for_a_pause_are_waited_out() {
    let script = vec![
        say(StatusCode::INTERNAL_SERVER_ERROR, "oops"),
        say(StatusCode::BAD_GATEWAY, ""),
        Play::SayWith(StatusCode::TOO_MANY_REQUESTS, "retry-after", "3600"),
        Play::SayWith(StatusCode::SERVICE_UNAVAILABLE, "retry-after", "soon"),
    ];
    let mut story = Story::begin(script, facts(3)).await;
    let status = story.until(ReplayState::Busy).await;
    assert!(status.failures >= 1);
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn what_happened_when_the_line_came_back_goes_before_what_waited() {
    const TRIES: usize = 6;
    let down = || say(StatusCode::BAD_GATEWAY, "");
    let mut story = Story::begin((0..TRIES).map(|_| down()).collect(), facts(15)).await;
    story.cloud.requests.wait_for(|&count| count >= 2).await.unwrap();
    // The outage goes on, and much more waits at its end than at its beginning.
    story.journal.append(facts(100)).await.unwrap();
    story.until_synced().await;
    let arrived = story.cloud.held.lock().unwrap().arrived.clone();
    let place = |sequence: u64| arrived.iter().position(|there| *there == sequence).unwrap();
    assert!(place(115) < place(20) && place(20) < place(50), "{arrived:?}");
    story.end();
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_and_nothing_is_doubled() {
    let mut story = Story::begin(vec![Play::TakeAndHang], facts(7)).await;
    story.until(ReplayState::Unreachable).await;
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let endless = "x".repeat(10 << 20);
    let mut story = Story::begin(vec![say(StatusCode::OK, &endless)], facts(1)).await;
    let status = story.until(ReplayState::Unreachable).await;
    assert!(status.detail.contains("the answer has more than"), "{}", status.detail);
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved() {
    let script =
        vec![say(StatusCode::PAYLOAD_TOO_LARGE, ""), say(StatusCode::PAYLOAD_TOO_LARGE, "")];
    let mut story = Story::begin(script, facts(10)).await;
    story.until_synced().await;
    assert_eq!(story.cloud.held.lock().unwrap().batches, [2, 4, 4]);
    story.end();
}

#[tokio::test]
async fn one_event_that_is_too_large_is_set_aside_and_the_rest_goes_on() {
    let too_large = || say(StatusCode::PAYLOAD_TOO_LARGE, "");
    let mut story = Story::begin(vec![too_large()], facts(1)).await;
    story.until_synced().await;
    story.journal.append(facts(3)).await.unwrap();
    story.until_synced().await;
    let held = story.cloud.held.lock().unwrap();
    assert_eq!(held.events.len(), 5);
    assert_eq!(held.events.iter().position(Option::is_none), Some(0));
    assert!(held.reasons[0].contains("413"));
}

#[tokio::test]
async fn a_poisonous_event_is_set_aside_with_its_reason_and_the_rest_goes_on() {
    let mut story = Story::begin(vec![], vec![]).await;
    story.cloud.held.lock().unwrap().poison = Some("arsenic");
    let mut poisoned = facts(8);
    poisoned[4] = Fact::Started { version: "arsenic".into(), grace_minutes: None };
    story.journal.append(poisoned).await.unwrap();
    story.until_synced().await;

    let held = story.cloud.held.lock().unwrap();
    assert_eq!(held.sequences(), [1, 2, 3, 4, 6, 7, 8, 9]);
    assert_eq!(held.reasons, ["poison"]);
    let noted = Fact::Quarantined { sequence: 5, reason: "poison".into() };
    assert_eq!(held.events[8].as_ref().unwrap().fact, noted);
    let report = verify(&story.site.state()).unwrap();
    assert!(report.whole());
    assert_eq!(report.quarantined, 1);
}

#[tokio::test]
async fn a_cloud_that_refuses_everything_does_not_fill_the_journal() {
    let mut story = Story::begin(vec![], vec![]).await;
    story.cloud.held.lock().unwrap().poison = Some("sequence");
    story.journal.append(facts(2)).await.unwrap();
    let status = story.until(ReplayState::Refused).await;
    assert!(status.detail.contains("refuses even the place"), "{}", status.detail);
    assert!(*story.journal.head().borrow() <= 4);
}

#[tokio::test]
async fn an_event_whose_bytes_rotted_is_set_aside_and_the_rest_goes_on() {
    let mut story = Story::begin(vec![], vec![]).await;
    let rot = "UPDATE event SET body = replace(body, 'north', 'south') WHERE sequence = 3";
    story
        .restart(async |site, journal| {
            journal.append(facts(5)).await.unwrap();
            let db = rusqlite::Connection::open(site.state().journal()).unwrap();
            db.execute_batch(rot).unwrap();
        })
        .await;
    story.until_synced().await;
    let held = story.cloud.held.lock().unwrap();
    assert_eq!(held.sequences(), [1, 2, 4, 5, 6]);
    assert!(held.reasons[0].contains("damaged"));
}

#[tokio::test]
async fn a_cloud_that_lost_its_last_events_gets_them_again() {
    let mut story = Story::begin(vec![], facts(9)).await;
    story.until_synced().await;
    story.cloud.held.lock().unwrap().forget_after(4);
    story.journal.append(facts(1)).await.unwrap();
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn a_cloud_with_another_history_stops_the_replay_loudly() {
    for refused in
        [Refusal::Forked { sequence: 2, boot: None }, Refusal::OutOfOrder { expected: 1000 }]
    {
        let script = vec![refusal(StatusCode::CONFLICT, &refused)];
        let mut story = Story::begin(script, facts(3)).await;
        story.until(ReplayState::Forked).await;
        story.journal.append(facts(1)).await.unwrap();
        let events = story.site.events();
        assert!(matches!(events[3].fact, Fact::KeyShared { .. }), "{:?}", events[3]);
        assert_eq!(*story.cloud.requests.borrow(), 1);
        assert_eq!(*story.journal.acked().borrow(), 0);
    }
}

#[tokio::test]
async fn a_site_that_the_cloud_does_not_know_is_named_so() {
    let script = vec![refusal(StatusCode::UNAUTHORIZED, &Refusal::Unauthorised)];
    let mut story = Story::begin(script, facts(1)).await;
    story.until(ReplayState::Unauthorised).await;
    story.until_synced().await;
    story.end();
}

#[tokio::test]
async fn a_replay_that_starts_again_goes_on_where_it_was() {
    let mut story = Story::begin(vec![], facts(4)).await;
    story.until_synced().await;
    story
        .restart(async |_, journal| {
            journal.append(facts(3)).await.unwrap();
        })
        .await;
    story.until_synced().await;
    assert_eq!(story.cloud.held.lock().unwrap().batches, [4, 3]);
    story.end();
}

#[tokio::test]
async fn pictures_follow_their_events_and_a_refused_one_stops_no_other() {
    let mut story = Story::begin(vec![], vec![]).await;
    let state = story.site.state();
    let [first, refused, lost, last] =
        [&b"1"[..], b"2", b"3", b"4"].map(|b| store_picture(&state, b));
    std::fs::remove_file(state.picture(&lost).unwrap()).unwrap();
    story.cloud.held.lock().unwrap().picture_answers.extend([
        (StatusCode::OK, "<html>portal</html>"),
        (StatusCode::BAD_GATEWAY, ""),
        (StatusCode::OK, r#"{"kept":true}"#),
        (StatusCode::BAD_REQUEST, r#"{"error":"malformed","reason":"a picture is a JPEG"}"#),
    ]);
    let seen = |name: &String| Fact::Decision(Box::new(decision(Verdict::Refuse, name)));
    let decisions = [&first, &refused, &lost, &last].map(seen);
    story.journal.append(decisions.to_vec()).await.unwrap();
    story.until_synced().await;
    let sent = || story.cloud.held.lock().unwrap().pictures.clone();
    let arrived = async {
        while sent().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), arrived).await.unwrap();
    assert_eq!(sent(), [(last.clone(), b"4".to_vec())]);
    let becomes = [
        (&first, PictureState::Uploaded),
        (&refused, PictureState::Refused),
        (&lost, PictureState::Lost),
    ];
    for (name, state) in becomes {
        let became = story.site.reader().picture(name).unwrap().unwrap().1;
        assert_eq!(became, state.word());
    }
}

#[tokio::test]
async fn enrolment_says_what_went_wrong() {
    let refused = |error: CloudError| error.to_string();
    let code = |code: &str| code.to_owned();
    let url = enrolling(StatusCode::FORBIDDEN, r#"{"error":"expired"}"#).await;
    assert_eq!(enrol(&url, code("good"), code("00")).await.unwrap().as_str(), "north");
    let wrong = refused(enrol(&url, code("bad"), code("00")).await.unwrap_err());
    assert!(wrong.contains("refused the code (expired)"), "{wrong}");
    let url = enrolling(StatusCode::OK, "<html>").await;
    let stranger = refused(enrol(&url, code("bad"), code("00")).await.unwrap_err());
    assert!(stranger.contains("no Gatehouse cloud"), "{stranger}");
    let nobody = refused(enrol("http://127.0.0.1:9", code("x"), code("00")).await.unwrap_err());
    assert!(nobody.contains("cannot be reached"), "{nobody}");
    let unsafe_url =
        refused(enrol("http://cloud.example", code("x"), code("00")).await.unwrap_err());
    assert!(unsafe_url.contains("use https"), "{unsafe_url}");
}
