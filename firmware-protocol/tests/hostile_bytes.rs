//! Whatever a line carries, nothing panics, memory stays bounded, and the next frame is found.
#![allow(clippy::unwrap_used)]

use firmware_protocol::{
    barrier::{Answer, Request},
    charger,
    frame::{Decoder, Frame, MAX_PAYLOAD, Payload},
    seal::Key,
    topic::{Leaf, Topic},
};
use proptest::{collection::vec, prelude::*};

fn frame() -> impl Strategy<Value = Frame> {
    (any::<u8>(), any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..=MAX_PAYLOAD)).prop_map(
        |(address, sequence, kind, payload)| Frame {
            address,
            sequence,
            kind,
            payload: Payload::from_slice(&payload).unwrap(),
        },
    )
}

fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Frame> {
    bytes.iter().filter_map(|&byte| decoder.push(byte)).collect()
}

proptest! {
    #[test]
    fn a_frame_survives_its_way(frame in frame()) {
        let line = frame.encode();
        prop_assert!(line[1..line.len() - 1].iter().all(|&byte| byte != 0));
        prop_assert_eq!(decode(&mut Decoder::new(), &line), [frame]);
    }

    #[test]
    fn the_frame_after_noise_is_found(noise in vec(any::<u8>(), 0..2_000), frame in frame()) {
        let mut decoder = Decoder::new();
        decode(&mut decoder, &noise);
        prop_assert_eq!(decode(&mut decoder, &frame.encode()), [frame]);
    }

    #[test]
    fn a_frame_that_was_cut_costs_itself_alone(first in frame(), second in frame(), cut in 0..100usize) {
        let mut decoder = Decoder::new();
        let half = first.encode();
        decode(&mut decoder, &half[..cut.min(half.len() - 2)]);
        prop_assert_eq!(decode(&mut decoder, &second.encode()), [second]);
    }

    #[test]
    fn a_flipped_bit_is_never_taken(frame in frame(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut line = frame.encode();
        let inside = 1 + at.index(line.len() - 2);
        line[inside] ^= 1 << bit;
        let mut decoder = Decoder::new();
        prop_assert_eq!(decode(&mut decoder, &line), []);
        prop_assert!(decoder.dropped().total() >= 1);
    }

    #[test]
    fn no_payload_is_fatal(kind: u8, payload in vec(any::<u8>(), 0..=MAX_PAYLOAD)) {
        if let Ok(request) = Request::decode(kind, &payload) {
            let (kind, payload) = request.encode();
            prop_assert_eq!(Request::decode(kind, &payload), Ok(request));
        }
        if let Ok(answer) = Answer::decode(kind, &payload) {
            let (kind, payload) = answer.encode();
            prop_assert_eq!(Answer::decode(kind, &payload), Ok(answer));
        }
        if let Ok(request) = charger::Request::decode(kind, &payload) {
            let (kind, payload) = request.encode();
            prop_assert_eq!(charger::Request::decode(kind, &payload), Ok(request));
        }
        if let Ok(answer) = charger::Answer::decode(kind, &payload) {
            let (kind, payload) = answer.encode();
            prop_assert_eq!(charger::Answer::decode(kind, &payload), Ok(answer));
        }
    }

    #[test]
    fn no_payload_bears_a_seal_by_chance(payload in vec(any::<u8>(), 0..400), ending: bool) {
        let topic = Topic { site: "a", kind: "locker", id: "b", leaf: Leaf::State };
        let mut payload = payload;
        if ending {
            payload.extend_from_slice(format!(",\"mac\":\"{}\"}}", "0".repeat(64)).as_bytes());
        }
        prop_assert!(!Key::new([1; 32]).sealed(&topic, &payload));
    }

    #[test]
    fn a_topic_that_is_taken_apart_is_put_together_again(topic in "(site/v1/)?([a-z+#/$é-]{0,6}/){0,5}(state|cmd/open|event/x)?") {
        if let Some(parts) = Topic::parse(&topic) {
            prop_assert_eq!(parts.to_string(), topic);
        }
    }
}

#[test]
fn a_line_without_a_delimiter_takes_no_memory_and_ends_at_the_next_frame() {
    let mut decoder = Decoder::new();
    for _ in 0..10 << 20 {
        assert_eq!(decoder.push(0x55), None);
    }
    assert!(size_of::<Decoder>() < 256);
    let frame = Frame { address: 1, sequence: 2, kind: 3, payload: Payload::new() };
    assert_eq!(decode(&mut decoder, &frame.encode()), [frame]);
    assert_eq!(decoder.dropped().oversized, 1);
}

#[test]
fn a_frame_of_another_version_is_counted_as_such() {
    // As in `vectors.rs`, with 2 for the version and the checksum of that.
    let mut body = vec![2, 1, 1, 1];
    let check = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&body);
    body.extend_from_slice(&check.to_le_bytes());
    let mut line = vec![0; 32];
    let length = cobs::encode(&body, &mut line);
    let mut decoder = Decoder::new();
    assert_eq!(decode(&mut decoder, &line[..=length]), []);
    assert_eq!(decoder.dropped().version, 1);
}
