//! The exact bytes of every message, by version. A version that was released keeps its bytes for
//! ever: new lines may be added, none may change. The frames were made by an independent
//! implementation of `docs/serial.md`.
#![allow(clippy::unwrap_used)]

use firmware_protocol::{
    barrier::{
        Action, Answer, Arm, Command, Hello, Power, Refusal, Reply, Request, Status, Verdict,
    },
    frame::{Decoder, Frame},
};

const ID: [u8; 16] = [
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
];

const COMMAND: Command =
    Command { boot: 0xdead_beef, session: 3, id: ID, expires_at_ms: 123_456, action: Action::Open };

const STATUS: Status = Status {
    boot: 0xdead_beef,
    session: 3,
    uptime_s: 3_600,
    arm: Arm::Open,
    power: Power::Battery,
    under_arm: true,
    in_front: false,
    fire: true,
    under_arm_count: 258,
    in_front_count: u16::MAX,
    press: 9,
};

const V1_REQUESTS: &[(&str, u8, u8, Request)] = &[
    ("00090101010199d326f600", 1, 1, Request::Poll),
    (
        "000a01010202efbeadde0301010d08070605040302018a8c26f500",
        1,
        2,
        Request::Hello(Hello { boot: 0xdead_beef, session: 3, now_ms: 0x0102_0304_0506_0708 }),
    ),
    (
        "000a01070303efbeadde03010114101112131415161718191a1b1c1d1e1f40e20101010101054005af4100",
        7,
        3,
        Request::Command(COMMAND),
    ),
    (
        "000a01f7ff04efbeadde03010114101112131415161718191a1b1c1d1e1f40e2010101010105ab480c8400",
        247,
        255,
        Request::Command(Command { action: Action::Close, ..COMMAND }),
    ),
];

const V1_ANSWERS: &[(&str, Answer)] = &[
    (
        "000a01010181efbeadde03010103100e01090201050201ffff090101052e3481e900",
        Answer::Status(STATUS),
    ),
    (
        "001501010382101112131415161718191a1b1c1d1e1f010105847aaba500",
        reply(false, Verdict::Accepted),
    ),
    (
        "001501010382101112131415161718191a1b1c1d1e1f020105c54bb0bc00",
        reply(false, Verdict::Expired),
    ),
    (
        "001601010382101112131415161718191a1b1c1d1e1f010105b31069a400",
        reply(true, Verdict::Accepted),
    ),
    (
        "001501010382101112131415161718191a1b1c1d1e1f02020506189d9700",
        reply(false, Verdict::Refused(Refusal::UnderArm)),
    ),
    (
        "001c01010382101112131415161718191a1b1c1d1e1f0102021d13517800",
        reply(true, Verdict::Refused(Refusal::Busy)),
    ),
];

const fn reply(duplicate: bool, verdict: Verdict) -> Answer {
    Answer::Reply(Reply { id: ID, duplicate, verdict })
}

#[test]
fn version_1_requests_keep_their_bytes() {
    for (hex, address, sequence, request) in V1_REQUESTS {
        let (kind, payload) = request.encode();
        let frame = Frame { address: *address, sequence: *sequence, kind, payload };
        assert_eq!(to_hex(&frame.encode()), *hex, "{request:?}");
        let read = decode(hex);
        assert_eq!(read, frame);
        assert_eq!(Request::decode(read.kind, &read.payload).unwrap(), *request);
    }
}

#[test]
fn version_1_answers_keep_their_bytes() {
    for (hex, answer) in V1_ANSWERS {
        let (kind, payload) = answer.encode();
        let sequence = if matches!(answer, Answer::Status(_)) { 1 } else { 3 };
        let frame = Frame { address: 1, sequence, kind, payload };
        assert_eq!(to_hex(&frame.encode()), *hex, "{answer:?}");
        let read = decode(hex);
        assert_eq!(Answer::decode(read.kind, &read.payload).unwrap(), *answer);
    }
}

#[test]
fn version_1_enums_keep_their_values() {
    use Arm::*;
    let arms = [Closed, Opening, Open, Closing, Stopped, Fault];
    assert!(arms.iter().enumerate().all(|(value, arm)| *arm as usize == value));
    let refusals = [Refusal::UnderArm, Refusal::Fault, Refusal::Busy, Refusal::TooLong];
    assert!(refusals.iter().enumerate().all(|(value, refusal)| *refusal as usize == value));
    assert_eq!([Power::Mains as u8, Power::Battery as u8], [0, 1]);
}

#[test]
fn fields_that_a_later_version_adds_at_the_end_are_skipped() {
    let (kind, mut payload) = Answer::Status(STATUS).encode();
    payload.extend_from_slice(&[1, 2, 3]).unwrap();
    assert_eq!(Answer::decode(kind, &payload).unwrap(), Answer::Status(STATUS));
}

fn decode(hex: &str) -> Frame {
    let mut decoder = Decoder::new();
    let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap());
    let frames: Vec<Frame> = bytes.filter_map(|byte| decoder.push(byte)).collect();
    assert_eq!(frames.len(), 1, "{hex}");
    frames.into_iter().next().unwrap()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
