//! Every line of `v1.txt`: the crate writes these bytes, reads them back, and judges like this. The
//! C reference reads the same file (`c/tests/vectors.c`).
#![allow(clippy::unwrap_used)]

mod judge;
mod line;
mod messages;

use firmware_protocol::{
    barrier::{self, Arm, Power},
    charger,
    frame::{Decoder, Frame},
    seal::Key,
    topic::Topic,
};
use line::Line;

const V1: &str = include_str!("v1.txt");

/// The lines whose first word begins with `prefix`.
fn lines(prefix: &str) -> Vec<Line<'static>> {
    let found: Vec<_> = Line::all(V1).filter(|line| line.what.starts_with(prefix)).collect();
    assert!(!found.is_empty(), "{prefix}");
    found
}

/// Checks the frame on a line against a message's kind and payload, both ways.
fn check_frame(line: &Line<'_>, (kind, payload): (u8, firmware_protocol::frame::Payload)) -> Frame {
    let (address, sequence) = (line.number("address"), line.number("sequence"));
    let frame = Frame { address, sequence, kind, payload };
    assert_eq!(line::to_hex(&frame.encode()), line.text("line"), "{line:?}");
    let mut decoder = Decoder::new();
    let bytes = line::from_hex(line.text("line"));
    let frames: Vec<_> = bytes.into_iter().filter_map(|byte| decoder.push(byte)).collect();
    assert_eq!(frames, std::slice::from_ref(&frame), "{line:?}");
    frame
}

#[test]
fn version_1_of_barriers_keeps_its_bytes() {
    for line in lines("barrier.") {
        match messages::barrier(&line) {
            Ok(request) => {
                let frame = check_frame(&line, request.encode());
                assert_eq!(barrier::Request::decode(frame.kind, &frame.payload), Ok(request));
            }
            Err(answer) => {
                let frame = check_frame(&line, answer.encode());
                assert_eq!(barrier::Answer::decode(frame.kind, &frame.payload), Ok(answer));
            }
        }
    }
}

#[test]
fn version_1_of_chargers_keeps_its_bytes() {
    for line in lines("charger.") {
        match messages::charger(&line) {
            Ok(request) => {
                let frame = check_frame(&line, request.encode());
                assert_eq!(charger::Request::decode(frame.kind, &frame.payload), Ok(request));
            }
            Err(answer) => {
                let frame = check_frame(&line, answer.encode());
                assert_eq!(charger::Answer::decode(frame.kind, &frame.payload), Ok(answer));
            }
        }
    }
}

#[test]
fn version_1_keeps_its_seals() {
    for line in lines("seal") {
        let key = Key::from_hex(line.text("key")).unwrap();
        let topic = Topic::parse(line.text("topic")).unwrap();
        let (object, payload) = (line.text("object").as_bytes(), line.text("payload").as_bytes());
        assert_eq!([object, &key.ending(&topic, object)].concat(), payload, "{line:?}");
        assert!(key.sealed(&topic, payload));
        for at in 0..payload.len() {
            let mut other = payload.to_vec();
            other[at] ^= 1;
            assert!(!key.sealed(&topic, &other), "{at} of {line:?}");
            assert!(!key.sealed(&topic, &payload[..at]));
        }
        let elsewhere = Topic { id: "other", ..topic };
        assert!(!key.sealed(&elsewhere, payload));
        assert!(!Key::new([9; 32]).sealed(&topic, payload));
    }
}

#[test]
fn a_device_judges_as_version_1_says() {
    judge::run(lines("device").len(), Line::all(V1));
}

#[test]
fn version_1_enums_keep_their_values() {
    fn in_order<T: Copy>(all: &[T], value: fn(T) -> u8) -> bool {
        all.iter().enumerate().all(|(index, item)| usize::from(value(*item)) == index)
    }
    assert!(in_order(Arm::ALL, |arm| arm as u8) && Arm::Fault as u8 == 5);
    assert!(in_order(Power::ALL, |power| power as u8) && Power::Battery as u8 == 1);
    assert!(in_order(barrier::Refusal::ALL, |refusal| refusal as u8));
    assert_eq!(barrier::Refusal::TooLong as u8, 3);
    assert!(in_order(charger::Pilot::ALL, |pilot| pilot as u8));
    assert_eq!(charger::Pilot::Error as u8, 4);
    assert!(in_order(charger::Fault::ALL, |fault| fault as u8));
    assert_eq!(charger::Fault::Other as u8, 8);
    assert!(in_order(charger::Refusal::ALL, |refusal| refusal as u8));
    assert_eq!(charger::Refusal::OutOfRange as u8, 3);
}

#[test]
fn fields_that_a_later_version_adds_at_the_end_are_skipped() {
    for line in lines("charger.status") {
        let Err(answer) = messages::charger(&line) else { panic!("a status is an answer") };
        let (kind, mut payload) = answer.encode();
        payload.extend_from_slice(&[1, 2, 3]).unwrap();
        assert_eq!(charger::Answer::decode(kind, &payload), Ok(answer));
    }
}
