//! What facts change in what people see.

use domain::{
    event::{Direction, Fact, Rule, Verdict},
    ids::{DecisionId, SessionId},
};
use uuid::Uuid;

use super::site::{Scene, acked, car, decision, noon, picture_bytes, picture_name, scene_at};
use crate::{
    Alert, AlertFilter, AlertKind, Correction, Error, IngestError, Movement, PlateFilter,
    PlateRead, Window,
    store::tests::{Place, on_each_engine},
};

on_each_engine! {
    a_stay_is_seen_from_its_entry_to_its_payment,
    one_car_is_one_plate_however_often_it_is_decided_on,
    an_alert_lasts_until_the_lane_works_again,
    a_correction_reaches_the_session_too_and_a_deleted_plate_is_nowhere,
    only_pictures_that_an_event_named_are_kept,
}

async fn tell(scene: &mut Scene, from: usize, facts: Vec<Fact>) -> usize {
    scene.site.tell(facts.clone());
    let through = from + facts.len() - 1;
    acked(&scene.cloud, scene.site.batch(from, through)).await;
    through + 1
}

async fn plates(scene: &Scene, text: &str) -> Vec<PlateRead> {
    let filter = PlateFilter { text: Some(text.into()), ..PlateFilter::default() };
    let window = Window { skip: 0, limit: 100 };
    scene.cloud.plates.list(&scene.caller, filter, window).await.unwrap()
}

async fn a_stay_is_seen_from_its_entry_to_its_payment(place: Place) {
    let mut scene = scene_at(place).await;
    let next = tell(&mut scene, 1, car(1)).await;
    let inside = scene.cloud.parking.active(&scene.caller, 10).await.unwrap();
    assert_eq!((inside.len(), inside[0].plate.as_str()), (1, "京A00001"));

    let session = SessionId(Uuid::from_u128(1));
    let mut exit = decision(9, Rule::Paid, "京A00001");
    exit.direction = Direction::Exit;
    let paid = Fact::Paid {
        session,
        amount_fen: 1250,
        method: "cash".into(),
        by: "operator".into(),
        directive: None,
        paid_at: None,
    };
    let closed = Fact::SessionClosed {
        session,
        exited_at: noon(),
        lane: "exit".parse().unwrap(),
        fee_fen: 1250,
        decision: exit.id,
    };
    tell(&mut scene, next, vec![paid, Fact::Decision(Box::new(exit)), closed]).await;
    let dashboard = scene.cloud.parking.dashboard(&scene.caller).await.unwrap();
    let today = dashboard.days.last().unwrap();
    assert_eq!((dashboard.active_sessions, dashboard.areas[0].occupied_spots), (0, 0));
    assert_eq!((today.entries, today.exits, today.detections, today.revenue_fen), (1, 1, 2, 1250));
    let seen = plates(&scene, "京A00001").await;
    let movements: Vec<_> = seen.iter().map(|read| read.movement).collect();
    assert_eq!(movements, [Movement::Left, Movement::Entered]);
}

async fn one_car_is_one_plate_however_often_it_is_decided_on(place: Place) {
    let mut scene = scene_at(place).await;
    let refused = decision(1, Rule::Unreadable, "京A00001");
    let mut again = refused.clone();
    (again.id, again.rule) = (DecisionId(Uuid::from_u128(77)), Rule::Cooldown);
    again.plate.as_mut().unwrap().picture = picture_name(77);
    let mut operator = refused.clone();
    operator.id = DecisionId(Uuid::from_u128(78));
    (operator.rule, operator.verdict) = (Rule::Operator, Verdict::Open);
    operator.requested_by = Some("li".into());
    let facts = [refused, again, operator].map(|decision| Fact::Decision(Box::new(decision)));
    tell(&mut scene, 1, facts.into()).await;
    let seen = plates(&scene, "").await;
    assert_eq!((seen.len(), seen[0].movement), (1, Movement::Entered));
}

async fn alerts(scene: &Scene) -> Vec<Alert> {
    let active = AlertFilter { active: Some(true), ..AlertFilter::default() };
    let window = Window { skip: 0, limit: 10 };
    scene.cloud.parking.alerts(&scene.caller, active, window).await.unwrap().0
}

async fn an_alert_lasts_until_the_lane_works_again(place: Place) {
    let mut scene = scene_at(place).await;
    let lane = || "entry".parse().unwrap();
    let fault = Fact::LaneFault { lane: lane(), fault: "stuck".into() };
    let next = tell(&mut scene, 1, vec![fault.clone(), fault]).await;
    let raised = alerts(&scene).await;
    assert_eq!((raised.len(), raised[0].kind), (1, AlertKind::GateFault));
    tell(&mut scene, next, vec![Fact::LaneRecovered { lane: lane() }]).await;
    assert!(alerts(&scene).await.is_empty());
}

async fn a_correction_reaches_the_session_too_and_a_deleted_plate_is_nowhere(place: Place) {
    let mut scene = scene_at(place).await;
    tell(&mut scene, 1, car(1)).await;
    let operator = scene.caller.operator().unwrap();
    let id = plates(&scene, "A00001").await[0].id;
    let correct = |plate: &str| {
        let correction = Correction { plate: Some(plate.into()), ..Correction::default() };
        scene.cloud.plates.correct(&operator, id, correction)
    };
    assert!(matches!(correct("\u{202e}").await, Err(Error::Invalid { .. })));
    let read = correct("京A·0000A").await.unwrap();
    assert_eq!((read.plate.as_str(), read.processed_by.as_str()), ("京A·0000A", "manual"));
    let inside = scene.cloud.parking.active(&scene.caller, 10).await.unwrap();
    assert_eq!(inside[0].plate, "京A·0000A");
    assert_eq!(plates(&scene, "а0000а").await.len(), 1, "Cyrillic finds Latin, without the dot");

    scene.cloud.plates.delete(&operator, id).await.unwrap();
    assert!(plates(&scene, "").await.is_empty());
    assert!(matches!(scene.cloud.plates.get(&scene.caller, id).await, Err(Error::NotFound(_))));
    let sessions = scene.cloud.plates.recognitions(&scene.caller, Window { skip: 0, limit: 9 });
    assert!(sessions.await.unwrap()[0].plates.is_empty());
}

async fn only_pictures_that_an_event_named_are_kept(place: Place) {
    let mut scene = scene_at(place).await;
    tell(&mut scene, 1, car(1)).await;
    assert_eq!(plates(&scene, "").await[0].picture, None, "not here yet");
    let put = |bytes, name| scene.cloud.pictures.put(scene.picture(bytes, name));

    let unnamed = put(picture_bytes(2), picture_name(2)).await;
    assert!(matches!(unnamed, Err(IngestError::Failed(Error::NotFound(_)))), "{unnamed:?}");
    let other = put(picture_bytes(2), picture_name(1)).await;
    assert!(matches!(other, Err(IngestError::Refused(_))), "{other:?}");
    let text = put(b"no JPEG".to_vec(), picture_name(1)).await;
    assert!(matches!(text, Err(IngestError::Refused(_))), "{text:?}");

    for _ in 0..2 {
        put(picture_bytes(1), picture_name(1)).await.unwrap();
    }
    assert_eq!(plates(&scene, "").await[0].picture, Some(picture_name(1)));
    let kept = scene.cloud.pictures.get(&scene.caller, &picture_name(1)).await.unwrap();
    assert_eq!(kept, picture_bytes(1));
    for name in ["../cloud", &"0".repeat(64), "é".repeat(32).as_str()] {
        assert!(scene.cloud.pictures.get(&scene.caller, name).await.is_err(), "{name}");
    }
}
