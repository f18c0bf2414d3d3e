//! What was read in pictures, how the networks are set, and the budget of the second reader.

use std::{
    fs::File,
    time::{Duration, SystemTime},
};

use chrono::TimeDelta;
use cloud_core::{
    Better, Caller, Correction, Error, ModelSettings, NewPlate, NewRecognition, Operator,
    PlateFilter, ReadBy, Settings, SettingsChange, Window,
};

use crate::world::{World, on_each_engine};

on_each_engine! {
    a_picture_is_a_look_with_its_plates,
    a_surer_reading_replaces_a_weaker_one_and_never_a_persons,
    settings_last_and_bad_ones_change_nothing,
    the_second_reader_is_asked_so_often_in_a_day_however_many_ask_at_once,
    figures_count_what_can_be_seen_by_the_sites_days,
    a_picture_is_removed_when_it_is_too_old,
    without_a_limit_pictures_stay,
}

const ALL: Window = Window { skip: 0, limit: 100 };
const OWN: ModelSettings = ModelSettings {
    confidence_threshold: 0.35,
    iou_threshold: 0.45,
    max_detections: 32,
    tracking: true,
    tracking_threshold: 0.7,
    updated_at_ms: 0,
};

fn plate(text: &str, confidence: f64) -> NewPlate {
    NewPlate {
        text: text.into(),
        kind: "blue",
        confidence,
        alternatives: (!text.is_empty()).then(|| format!("{text}/京B88888")),
        bounds_px: [1, 2, 3, 4],
        crop: None,
        read_by: ReadBy::Local,
    }
}

async fn record(world: &World, operator: &Operator, plates: Vec<NewPlate>) -> Vec<i64> {
    let picture = world.cloud.pictures.keep(operator, vec![b"a JPEG".to_vec()]).await.unwrap();
    let new = NewRecognition {
        filename: "car.jpg".into(),
        processing_ms: 12.5,
        picture: picture[0].clone(),
        drawn: None,
        spot_id: None,
        plates,
    };
    let kept = world.cloud.recognition.record(operator, new).await.unwrap();
    kept.plates.iter().map(|plate| plate.id).collect()
}

fn better(text: &str, confidence: f64) -> Better {
    let (text, alternatives) = (text.into(), None);
    Better { text, kind: "blue", confidence, alternatives, read_by: ReadBy::Local }
}

async fn a_picture_is_a_look_with_its_plates(world: World) {
    let (operator, user) = (world.operator().await, world.visitor("anna").await);
    record(&world, &operator, vec![plate("京A12345", 0.9), plate("", 0.7)]).await;
    let looks = world.cloud.plates.recognitions(&user, ALL).await.unwrap();
    assert_eq!((looks.len(), looks[0].filename.as_str()), (1, "car.jpg"));
    let [read, unread] = &looks[0].plates[..] else { panic!("{looks:?}") };
    assert_eq!((read.bounds_px, read.processed_by.as_str()), ([1, 2, 3, 4], "local"));
    assert_eq!((unread.confidence, &unread.alternatives), (0.0, &None));
    let picture = read.picture.as_deref().unwrap();
    assert_eq!(world.cloud.pictures.get(&user, picture).await.unwrap(), b"a JPEG");
    let figures = world.cloud.plates.statistics(&user).await.unwrap();
    assert_eq!((figures.plates, figures.unread, figures.recognitions), (2, 1, 1));
    assert_eq!(figures.mean_confidence, Some(0.9));
}

async fn a_surer_reading_replaces_a_weaker_one_and_never_a_persons(world: World) {
    let operator = world.operator().await;
    let id = record(&world, &operator, vec![plate("京A12845", 0.6)]).await[0];
    let service = &world.cloud.recognition;
    let read = service.improve(&operator, id, better("京A12345", 0.9)).await.unwrap();
    assert_eq!((read.plate.as_str(), read.confidence), ("京A12345", 0.9));
    let right = Correction { plate: Some("京A12346".into()), ..Correction::default() };
    world.cloud.plates.correct(&operator, id, right).await.unwrap();
    let read = service.improve(&operator, id, better("京A12345", 0.99)).await.unwrap();
    assert_eq!((read.plate.as_str(), read.processed_by.as_str()), ("京A12346", "manual"));
    world.cloud.plates.delete(&operator, id).await.unwrap();
    let gone = service.improve(&operator, id, better("京A12345", 0.99)).await;
    assert!(matches!(gone, Err(Error::NotFound("plate"))), "{gone:?}");
}

async fn settings_last_and_bad_ones_change_nothing(mut world: World) {
    let admin = world.admin().await;
    assert_eq!(world.cloud.recognition.settings(OWN).await.unwrap(), OWN);
    let change = SettingsChange {
        confidence_threshold: Some(0.6),
        tracking: Some(false),
        ..SettingsChange::default()
    };
    let changed = world.cloud.recognition.change_settings(&admin, OWN, change).await.unwrap();
    assert_eq!((changed.confidence_threshold, changed.tracking), (0.6, false));
    assert_eq!((changed.iou_threshold, changed.max_detections), (0.45, 32));
    for bad in [
        SettingsChange { iou_threshold: Some(1.01), ..change },
        SettingsChange { confidence_threshold: Some(f64::NAN), ..change },
        SettingsChange { max_detections: Some(0), ..change },
        SettingsChange { max_detections: Some(101), ..change },
    ] {
        let answer = world.cloud.recognition.change_settings(&admin, OWN, bad).await;
        assert!(matches!(answer, Err(Error::Invalid { .. })), "{answer:?}");
    }
    world.restart();
    assert_eq!(world.cloud.recognition.settings(OWN).await.unwrap(), changed);
}

async fn the_second_reader_is_asked_so_often_in_a_day_however_many_ask_at_once(world: World) {
    let ask = |budget| {
        let cloud = world.cloud.clone();
        tokio::spawn(async move { cloud.recognition.take_second_reading(budget).await.unwrap() })
    };
    let mut asked = 0;
    for answer in (0..20).map(|_| ask(7)).collect::<Vec<_>>() {
        asked += usize::from(answer.await.unwrap());
    }
    assert_eq!(asked, 7);
    world.clock.advance(TimeDelta::days(1));
    assert!(ask(7).await.unwrap() && !ask(0).await.unwrap());
}

async fn figures_count_what_can_be_seen_by_the_sites_days(world: World) {
    let (operator, user) = (world.operator().await, world.visitor("anna").await);
    record(&world, &operator, vec![plate("京A00001", 0.8)]).await;
    world.clock.advance(TimeDelta::days(2));
    let yellow = NewPlate { kind: "yellow", ..plate("京A00002", 1.0) };
    let today = record(&world, &operator, vec![plate("京A00003", 0.6), yellow]).await;
    let service = &world.cloud.recognition;
    let realtime = service.realtime(&user).await.unwrap();
    assert_eq!((realtime.today, realtime.week, realtime.month), (2, 3, 3));
    // Noon in Shanghai.
    assert_eq!((realtime.hours[0].hour, realtime.hours[0].count), (12, 2));
    let vehicles: Vec<_> =
        realtime.vehicles.iter().map(|v| (v.vehicle_type.as_str(), v.count)).collect();
    assert_eq!(vehicles, [("car", 1), ("unknown", 1)]);
    let figures = service.detections(&user, 7).await.unwrap();
    assert_eq!((figures.total, figures.entered, figures.left), (3, 0, 0));
    assert!((figures.mean_confidence.unwrap() - 0.8).abs() < 1e-9);
    world.cloud.plates.delete(&operator, today[0]).await.unwrap();
    let performance = service.performance(&user).await.unwrap();
    let count =
        |figures: &[cloud_core::VehicleFigures]| figures.iter().map(|f| f.count).sum::<i64>();
    assert_eq!((count(&performance.overall), count(&performance.last_24h)), (2, 1));
    let cars = PlateFilter { vehicle: Some("car"), ..PlateFilter::default() };
    assert_eq!(world.cloud.plates.page(&user, cars, ALL).await.unwrap().1, 1);
}

/// Keeps a look at a picture whose file was written so many hours ago; the picture's name.
async fn pictured(world: &World, operator: &Operator, bytes: &[u8], hours: u64) -> String {
    let picture =
        world.cloud.pictures.keep(operator, vec![bytes.to_vec()]).await.unwrap().remove(0);
    let new = NewRecognition {
        filename: "car.jpg".into(),
        processing_ms: 12.5,
        picture: picture.clone(),
        drawn: None,
        spot_id: None,
        plates: vec![plate("京A12345", 0.9)],
    };
    world.cloud.recognition.record(operator, new).await.unwrap();
    let file = world.pictures().join(&picture[..2]).join(format!("{picture}.jpg"));
    let written = SystemTime::now() - Duration::from_secs(hours * 3600);
    File::options().write(true).open(file).unwrap().set_modified(written).unwrap();
    picture
}

async fn a_picture_is_removed_when_it_is_too_old(world: World) {
    let operator = world.operator().await;
    let anybody = Caller::local_operator();
    let old = pictured(&world, &operator, b"a JPEG", 2).await;
    let again = pictured(&world, &operator, b"a JPEG that is sent again", 2).await;
    let being_written = pictured(&world, &operator, b"a JPEG on its way", 0).await;
    world.clock.advance(TimeDelta::days(89));
    assert_eq!(world.cloud.pictures.sweep().await.unwrap(), 0);
    pictured(&world, &operator, b"a JPEG that is sent again", 2).await;
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(world.cloud.pictures.sweep().await.unwrap(), 1);
    assert_eq!(world.cloud.pictures.sweep().await.unwrap(), 0, "once");
    let gone = world.cloud.pictures.get(&anybody, &old).await;
    assert!(matches!(gone, Err(Error::NotFound("picture"))), "{gone:?}");
    for kept in [&again, &being_written] {
        world.cloud.pictures.get(&anybody, kept).await.unwrap();
    }
    let plates = world.cloud.plates.list(&anybody, PlateFilter::default(), ALL).await.unwrap();
    assert_eq!(plates.len(), 4, "what was read stays");
    pictured(&world, &operator, b"a JPEG", 2).await;
    world.cloud.pictures.get(&anybody, &old).await.unwrap();
    assert_eq!(world.cloud.pictures.sweep().await.unwrap(), 0, "it is new again");
}

async fn without_a_limit_pictures_stay(mut world: World) {
    world.set(Settings { keep_pictures_ms: None, ..Settings::default() });
    let operator = world.operator().await;
    pictured(&world, &operator, b"a JPEG", 2).await;
    world.clock.advance(TimeDelta::days(10_000));
    assert_eq!(world.cloud.pictures.sweep().await.unwrap(), 0);
}
