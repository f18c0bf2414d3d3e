//! A line may carry anything: no frame is made of noise, what is read is written alike, and a frame
//! is found after whatever came before.

use firmware_protocol::{
    barrier, charger,
    frame::{Decoder, Frame, Payload},
};

/// Gives the bytes to the line, and to every message as its payload.
///
/// # Panics
/// Where a promise is broken.
pub fn run(data: &[u8]) {
    let mut decoder = Decoder::new();
    for &byte in data {
        if let Some(frame) = decoder.push(byte) {
            understand(frame.kind, &frame.payload);
        }
    }
    let &[address, sequence, kind, ref payload @ ..] = data else { return };
    let Ok(payload) = Payload::from_slice(payload) else { return };
    understand(kind, &payload);
    let frame = Frame { address, sequence, kind, payload };
    let line = frame.encode();
    // The noise may be a frame that only lacked its end.
    let last = line.iter().filter_map(|&byte| decoder.push(byte)).last();
    assert_eq!(last, Some(frame), "a frame is found after noise");
}

fn understand(kind: u8, payload: &[u8]) {
    if let Ok(message) = barrier::Request::decode(kind, payload) {
        let (kind, payload) = message.encode();
        assert_eq!(barrier::Request::decode(kind, &payload), Ok(message));
    }
    if let Ok(message) = barrier::Answer::decode(kind, payload) {
        let (kind, payload) = message.encode();
        assert_eq!(barrier::Answer::decode(kind, &payload), Ok(message));
    }
    if let Ok(message) = charger::Request::decode(kind, payload) {
        let (kind, payload) = message.encode();
        assert_eq!(charger::Request::decode(kind, &payload), Ok(message));
    }
    if let Ok(message) = charger::Answer::decode(kind, payload) {
        let (kind, payload) = message.encode();
        assert_eq!(charger::Answer::decode(kind, &payload), Ok(message));
    }
}
