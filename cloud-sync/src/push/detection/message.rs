//! What is said over the channel, both ways.

use std::fmt::Display;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cloud_core::{Error, SpotStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    faces::hz::yolo::{PLATE_CLASSES, class_id},
    recognition::{Found, LookError, PoolError},
};

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// A picture, not decoded yet.
    Frame(String),
    /// How a spot is, is asked.
    GetSpot(Option<i64>),
    /// How a spot is, is told.
    SetSpot { spot_id: Option<i64>, status: SpotStatus, plate: Option<String> },
}

/// Why a message is not answered with what it asked for; the channel stays open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"type": "error", "code": self.code, "message": self.message})
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Self::new("NOT_FOUND", "资源不存在"),
            Error::Invalid { field, problem } => {
                Self::new("INVALID_PARAMETER", format!("{field}: {problem}"))
            }
            Error::Refused(reason) => {
                Self::new("REFUSED", format!("当前状态不允许该操作: {reason}"))
            }
            Error::Forbidden { .. } => Self::new("FORBIDDEN", "没有执行该操作的权限"),
            Error::Unauthenticated => Self::new("UNAUTHORIZED", "身份认证信息未提供或无效"),
            Error::Throttled { .. } => Self::new("RATE_LIMITED", "请求过于频繁"),
            Error::Store(_) | Error::File { .. } | Error::Outside(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a message failed");
                Self::new("UNAVAILABLE", "服务暂时不可用")
            }
        }
    }
}

impl From<LookError> for Refusal {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Picture(bad) => Self::new("INVALID_IMAGE", format!("图片无法识别: {bad}")),
            LookError::Pool(PoolError::Busy | PoolError::Failed) => {
                Self::new("UNAVAILABLE", "服务暂时不可用")
            }
            LookError::Core(error) => error.into(),
        }
    }
}

/// A message before its parts are judged.
#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: Option<String>,
    frame: Option<Value>,
    parking_spot_id: Option<Value>,
    status: Option<Value>,
    license_plate: Option<String>,
}

/// Reads a message.
pub(super) fn parse(text: &str) -> Result<Said, Refusal> {
    let raw: Raw = serde_json::from_str(text)
        .map_err(|_| Refusal::new("INVALID_MESSAGE", "消息应为 JSON 对象"))?;
    match raw.kind.as_deref() {
        Some("video_frame") => match raw.frame {
            Some(Value::String(frame)) => Ok(Said::Frame(frame)),
            _ => Err(Refusal::new("INVALID_FRAME", "frame 应为 base64 编码的图片")),
        },
        Some("get_spot_status") => Ok(Said::GetSpot(spot_id(raw.parking_spot_id)?)),
        Some("manual_update_status") => {
            let status = raw.status.as_ref().and_then(Value::as_str).unwrap_or_default();
            Ok(Said::SetSpot {
                spot_id: spot_id(raw.parking_spot_id)?,
                status: status.parse()?,
                plate: raw.license_plate,
            })
        }
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            Err(Refusal::new("UNKNOWN_TYPE", format!("未知的消息类型: {shown}")))
        }
        None => Err(Refusal::new("INVALID_MESSAGE", "消息缺少 type 字段")),
    }
}

/// A number, or the digits of one.
fn spot_id(value: Option<Value>) -> Result<Option<i64>, Refusal> {
    let bad = || Refusal::new("INVALID_PARAMETER", "parking_spot_id 应为整数");
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(bad),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| bad()),
        Some(_) => Err(bad()),
    }
}

/// The picture of a frame, with or without a `data:` prefix.
pub(super) fn picture(frame: &str) -> Result<Bytes, Refusal> {
    let coded = match frame.strip_prefix("data:") {
        Some(rest) => rest.split_once(',').map_or("", |(_, coded)| coded),
        None => frame,
    };
    let bytes = BASE64_STANDARD.decode(coded.trim().as_bytes());
    let bytes = bytes.map_err(|_| Refusal::new("INVALID_FRAME", "frame 不是有效的 base64"))?;
    Ok(bytes.into())
}

/// What is in a frame.
#[derive(Serialize)]
pub(super) struct DetectionResult<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    detections: Vec<DetectionView<'a>>,
    license_plates: Vec<&'a str>,
    frame_count: i64,
    session_id: String,
    parking_spot_id: Option<String>,
    spot_status: Option<&'static str>,
}

#[derive(Serialize)]
struct DetectionView<'a> {
    class_name: &'static str,
    confidence: f64,
    bbox: BoxView,
    class_id: usize,
    license_number: Option<&'a str>,
    timestamp: f64,
    plate_type: &'static str,
}

#[derive(Serialize)]
struct BoxView {
    x1: f32,
    y1: f32,
    x2: f32,
    y2: f32,
}

/// The session and the spot that a message speaks of.
pub(super) struct About {
    pub(super) session_id: String,
    pub(super) spot: Option<(i64, SpotStatus)>,
}

impl<'a> DetectionResult<'a> {
    pub(super) fn new(plates: &'a [Found], frame_count: i64, at_ms: i64, about: About) -> Self {
        let read = plates.iter().map(|found| found.text.as_str());
        Self {
            kind: "detection_result",
            detections: plates.iter().map(|found| DetectionView::new(found, at_ms)).collect(),
            license_plates: read.filter(|text| !text.is_empty()).collect(),
            frame_count,
            session_id: about.session_id,
            parking_spot_id: about.spot.map(|(id, _)| id.to_string()),
            spot_status: about.spot.map(|(_, status)| status.as_str()),
        }
    }
}

impl<'a> DetectionView<'a> {
    fn new(found: &'a Found, at_ms: i64) -> Self {
        let class_id = class_id(found.kind);
        let [x1, y1, x2, y2] = found.bounds;
        Self {
            class_name: PLATE_CLASSES[class_id],
            confidence: (found.score * 1e3).round() / 1e3,
            bbox: BoxView { x1, y1, x2, y2 },
            class_id,
            license_number: Some(found.text.as_str()).filter(|text| !text.is_empty()),
            timestamp: at_ms as f64 / 1e3,
            plate_type: PLATE_CLASSES[class_id],
        }
    }
}

/// How a spot is: as an answer, or told because it has changed.
pub(super) fn spot(kind: &'static str, id: i64, status: SpotStatus) -> Value {
    let (id, status) = (id.to_string(), status.as_str());
    json!({"type": kind, "parking_spot_id": id, "spot_status": status, "status": status})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_are_read_as_documented() {
        assert_eq!(
            parse(r#"{"type": "video_frame", "frame": "/9j/"}"#),
            Ok(Said::Frame("/9j/".into()))
        );
        assert_eq!(parse(r#"{"type": "get_spot_status"}"#), Ok(Said::GetSpot(None)));
        for id in ["7", "\"7\"", "\" 7 \""] {
            let text = format!(
                r#"{{"type": "manual_update_status", "parking_spot_id": {id}, "status": "reserved"}}"#
            );
            let (spot_id, status) = (Some(7), SpotStatus::Reserved);
            assert_eq!(parse(&text), Ok(Said::SetSpot { spot_id, status, plate: None }));
        }
    }

    #[test]
    fn what_is_unknown_or_malformed_is_named() {
        for (text, code) in [
            ("no JSON", "INVALID_MESSAGE"),
            ("[]", "INVALID_MESSAGE"),
            ("{}", "INVALID_MESSAGE"),
            (r#"{"type": 7}"#, "INVALID_MESSAGE"),
            (r#"{"type": "no_such_type"}"#, "UNKNOWN_TYPE"),
            (r#"{"type": "video_frame", "frame": 7}"#, "INVALID_FRAME"),
            (r#"{"type": "video_frame"}"#, "INVALID_FRAME"),
            (r#"{"type": "manual_update_status", "status": "flying"}"#, "INVALID_PARAMETER"),
            (r#"{"type": "get_spot_status", "parking_spot_id": []}"#, "INVALID_PARAMETER"),
        ] {
            assert_eq!(parse(text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn frames_come_with_a_prefix_or_without() {
        for frame in ["data:image/jpeg;base64,bm8=", "bm8=", "data:;base64, bm8=\n"] {
            assert_eq!(picture(frame).unwrap(), "no");
        }
        for frame in ["data:image/jpeg;base64", "%%%"] {
            assert!(picture(frame).is_ok_and(|bytes| bytes.is_empty()) || picture(frame).is_err());
        }
    }
}
