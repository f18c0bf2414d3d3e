//! Pictures in, what is in them out.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use cloud_core::{Operator, Recognition};
use schemars::JsonSchema;
use serde::Serialize;

use super::{PLATE_CLASSES, class_id};
use crate::{
    faces::images,
    http::{Answer, Call, Json, Local, Problem, Upload},
    recognition::{Found, Keep, Look, Wanted},
};

type Sent = Call<Local<Operator>, Upload>;

/// What was found, or that nothing was.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Outcome<T> {
    Found(T),
    Nothing { success: bool, message: &'static str },
}

impl<T> Outcome<T> {
    const fn nothing() -> Self {
        Self::Nothing { success: false, message: "未检测到车牌" }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Vehicles {
    success: bool,
    /// How surely each class was found, the surest of it.
    detections: BTreeMap<&'static str, f64>,
    /// The plate that was read most surely; null where none could be read.
    license_plate: Option<String>,
    result_image: String,
    message: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Plates {
    success: bool,
    message: String,
    results: Vec<PlateView>,
    detection_time: String,
}

#[derive(Serialize, JsonSchema)]
struct PlateView {
    /// Left, top, right and bottom edge, px.
    bbox: [i64; 4],
    yolo_confidence: f64,
    plate_text: String,
    /// The characters with their probabilities.
    char_details: Vec<(char, f64)>,
    avg_char_confidence: f64,
}

pub(super) async fn vehicles(call: Sent) -> Answer<Json<Outcome<Vehicles>>> {
    let spot_id = whole(&call.body, "parking_spot_id")?;
    let (look, kept) = recognise(&call, "file", spot_id).await?;
    if look.plates.is_empty() && look.vehicles.is_empty() {
        return Ok(Json(Outcome::nothing()));
    }
    let drawn = kept.drawn.as_deref().unwrap_or_default();
    Ok(Json(Outcome::Found(Vehicles::new(&look, drawn))))
}

pub(super) async fn plates(call: Sent) -> Answer<Json<Outcome<Plates>>> {
    let is_new_energy = match whole(&call.body, "plate_type")? {
        None => None,
        Some(kind @ 0..=1) => Some(kind == 1),
        Some(_) => return Err(bad("plate_type", "应为 0 或 1")),
    };
    let (mut look, _) = recognise(&call, "image", None).await?;
    look.plates.retain(|found| !found.text.is_empty());
    if look.plates.is_empty() {
        return Ok(Json(Outcome::nothing()));
    }
    // The type says which plates are wanted first; the others are in the picture all the same.
    let is_other = |found: &Found| {
        is_new_energy.is_some_and(|wanted| wanted != (found.kind == anpr::Kind::Green))
    };
    look.plates.sort_by_key(is_other);
    let now = call.app.cloud.clock().now().wall;
    Ok(Json(Outcome::Found(Plates {
        success: true,
        message: format!("成功检测到 {} 个车牌", look.plates.len()),
        results: look.plates.iter().map(PlateView::new).collect(),
        detection_time: now.to_rfc3339_opts(SecondsFormat::Secs, true),
    })))
}

async fn recognise(call: &Sent, part: &str, spot_id: Option<i64>) -> Answer<(Look, Recognition)> {
    let (file, app) = (call.body.file(part)?, &call.app);
    let look = app.recognition.look_twice(&app.cloud, file.content, Wanted::Drawn).await?;
    let keep = Keep { look, filename: &file.name, spot_id };
    Ok(keep.keep(&app.cloud, &call.who.0).await?)
}

fn whole(form: &Upload, name: &'static str) -> Answer<Option<i64>> {
    let parse = |text: &str| text.parse().map_err(|_| bad(name, "应为整数"));
    form.value(name).map(parse).transpose()
}

fn bad(name: &str, problem: &str) -> Problem {
    Problem::Field { field: name.to_owned(), problem: problem.to_owned() }
}

impl Vehicles {
    /// `drawn` is the kept name of the result picture.
    fn new(look: &Look, drawn: &str) -> Self {
        let vehicles = look.vehicles.iter();
        let vehicles = vehicles.map(|v| (v.class.as_str(), f64::from(v.confidence)));
        let plates = look.plates.iter();
        let plates = plates.map(|found| (PLATE_CLASSES[class_id(found.kind)], found.score));
        let mut detections = BTreeMap::new();
        for (class, score) in vehicles.chain(plates) {
            let surest = detections.entry(class).or_insert(0.0_f64);
            *surest = surest.max(rounded(score));
        }
        let read = look.plates.iter().filter(|found| !found.text.is_empty());
        let surest = read.max_by(|a, b| a.confidence.total_cmp(&b.confidence));
        Self {
            success: true,
            detections,
            license_plate: surest.map(|found| found.text.clone()),
            result_image: format!("images/{}", images::path(drawn)),
            message: match surest {
                Some(_) => "车辆检测和车牌识别完成",
                None if look.plates.is_empty() => "检测到车辆，但未检测到车牌",
                None => "检测到车牌，但未能识别字符",
            },
        }
    }
}

impl PlateView {
    fn new(found: &Found) -> Self {
        let char_details: Vec<_> =
            found.characters.iter().map(|(c, p)| (*c, rounded(*p))).collect();
        let sum: f64 = found.characters.iter().map(|(_, p)| p).sum();
        Self {
            bbox: found.bounds.map(|edge| edge.round() as i64),
            yolo_confidence: rounded(found.score),
            plate_text: found.text.clone(),
            avg_char_confidence: rounded(sum / char_details.len().max(1) as f64),
            char_details,
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use anpr::{Bounds, Vehicle, VehicleClass};

    use super::*;

    fn vehicle(class: VehicleClass, confidence: f32) -> Vehicle {
        Vehicle { class, confidence, bounds: Bounds::default() }
    }

    #[test]
    fn vehicles_without_a_plate_are_a_find_with_the_surest_of_each_class() {
        let vehicles = vec![
            vehicle(VehicleClass::Car, 0.95),
            vehicle(VehicleClass::Motorcycle, 0.87),
            vehicle(VehicleClass::Car, 0.6),
        ];
        let look = Look {
            plates: Vec::new(),
            vehicles,
            size_px: (640, 480),
            picture: Vec::new(),
            drawn: None,
            took_ms: 9.0,
        };
        let found = Vehicles::new(&look, "ab12");
        let classes: Vec<_> = found.detections.into_iter().collect();
        assert_eq!(classes, [("car", 0.95), ("motorcycle", 0.87)]);
        assert_eq!((found.success, found.license_plate), (true, None));
        assert_eq!(found.message, "检测到车辆，但未检测到车牌");
    }
}
