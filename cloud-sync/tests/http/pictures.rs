//! Pictures to send: of cars, drawn by models/training/footage.py, and hostile ones; and the forms
//! that carry them.

use reqwest::RequestBuilder;

/// A car with the plate 京A12345.
pub(crate) const JING: &[u8] = include_bytes!("../pictures/jing-a12345.jpg");
/// The same car half a second later.
pub(crate) const JING_NEARER: &[u8] = include_bytes!("../pictures/jing-a12345-nearer.jpg");
/// A car with the plate 粤BD12345.
pub(crate) const YUE: &[u8] = include_bytes!("../pictures/yue-bd12345.jpg");
/// The lane without a car.
pub(crate) const EMPTY: &[u8] = include_bytes!("../pictures/empty-lane.jpg");

const BOUNDARY: &str = "------------------------a1b2c3";

/// A form that is put together part by part.
#[derive(Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn file(mut self, part: &str, filename: &str, content: &[u8]) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{part}\"; \
             filename=\"{filename}\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        self.0.extend([head.as_bytes(), content, b"\r\n"].concat());
        self
    }

    pub(crate) fn value(mut self, part: &str, value: &str) -> Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{part}\"\r\n\r\n{value}\r\n"
        );
        self.0.extend(head.as_bytes());
        self
    }

    /// The form in a request; not closed where `whole` is false.
    pub(crate) fn sent(mut self, request: RequestBuilder, whole: bool) -> RequestBuilder {
        if whole {
            self.0.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        }
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        request.header("content-type", content_type).body(self.0)
    }
}

/// A PNG that says it has so many pixels, and has a few bytes that inflate to what they may.
pub(crate) fn bomb(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [&sides[..], &[8, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78, 0x9c, 3, 0]), chunk(b"IEND", b"")]
        .concat()
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&kind[..], content].concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], &named, &crc(&named).to_be_bytes()].concat()
}

/// CRC-32 (ISO 3309), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1))
        })
    })
}
