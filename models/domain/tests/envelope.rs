//! The chain and the signature that events travel under.
#![allow(clippy::unwrap_used)]

use domain::envelope::{
    Acknowledgement, Batch, ChainHash, Enrolment, Head, Item, Refusal, Rotation, from_hex,
    picture_target, sign, to_hex, verify,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::value::RawValue;

/// Test 2 of RFC 8032, section 7.1.
const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&from_hex(SEED).unwrap()).unwrap()
}

#[test]
fn signatures_are_those_of_the_standard() {
    assert_eq!(to_hex(key().public_key().as_ref()), PUBLIC);
    assert_eq!(sign(&key(), &[0x72]), SIGNATURE);
    assert!(verify(PUBLIC, &[0x72], SIGNATURE));
}

#[test]
fn what_was_changed_on_the_way_is_not_believed() {
    let body = br#"{"site":"demo"}"#;
    let signature = sign(&key(), body);
    assert!(verify(PUBLIC, body, &signature));
    assert!(!verify(PUBLIC, br#"{"site":"dema"}"#, &signature));
    let mut other = from_hex(&signature).unwrap();
    other[0] ^= 1;
    assert!(!verify(PUBLIC, body, &to_hex(&other)));
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    assert!(!verify(PUBLIC, body, &sign(&stranger, body)));
    for no_signature in ["", "zz", "00", &signature[2..], &format!("{signature}00")] {
        assert!(!verify(PUBLIC, body, no_signature), "{no_signature}");
    }
    assert!(!verify("", body, &signature));
}

#[test]
fn each_hash_follows_from_all_events_before() {
    // sha256(32 zero bytes, "a") and sha256(that, "b"), by another implementation.
    let a = ChainHash::GENESIS.follow(b"a");
    let b = a.follow(b"b");
    assert_eq!(a.to_string(), "41a0370c3d9f42773a59e8e01651911cf43b1e3f66944cbb690029debc4eb647");
    assert_eq!(b.to_string(), "abccbe9b24d2bbd3aa1360d605147a841dd051130131c6929d6004e1ae4796e8");
    assert_ne!(ChainHash::GENESIS.follow(b"b").follow(b"a"), b, "order counts");
    assert_ne!(ChainHash::GENESIS.follow(b"ab"), b, "and so does where one event ends");
}

#[test]
fn a_batch_travels_in_exactly_these_bytes() {
    let event = r#"{"sequence": 8,  "kept":"to the byte"}"#;
    let batch = Batch {
        site: "demo".parse().unwrap(),
        first_sequence: 7,
        previous_hash: ChainHash([0xab; 32]),
        backlog: 0,
        room_days: None,
        ahead: false,
        items: vec![
            Item::Quarantined { hash: ChainHash([1; 32]), reason: "too new".into() },
            Item::Event(RawValue::from_string(event.into()).unwrap()),
        ],
    };
    let (ab, one) = ("ab".repeat(32), "01".repeat(32));
    let written = format!(
        r#"{{"site":"demo","first_sequence":7,"previous_hash":"{ab}","items":[{{"quarantined":{{"hash":"{one}","reason":"too new"}}}},{{"event":{event}}}]}}"#
    );
    assert_eq!(serde_json::to_string(&batch).unwrap(), written);
    let read: Batch = serde_json::from_str(&written).unwrap();
    let Item::Event(raw) = &read.items[1] else { panic!("an event") };
    assert_eq!(raw.get(), event, "the bytes that were hashed are the bytes that arrive");
}

#[test]
fn answers_travel_in_exactly_these_bytes() {
    let reason = || "why".to_owned();
    for (answer, written) in [
        (Refusal::OutOfOrder { expected: 5 }, r#"{"error":"out_of_order","expected":5}"#),
        (Refusal::Forked { sequence: 3, boot: None }, r#"{"error":"forked","sequence":3}"#),
        (Refusal::Revoked, r#"{"error":"revoked"}"#),
        (Refusal::Repeated { expected: 8 }, r#"{"error":"repeated","expected":8}"#),
        (Refusal::Ahead { last: 3 }, r#"{"error":"ahead","last":3}"#),
        (Refusal::NoRoomAhead, r#"{"error":"no_room_ahead"}"#),
        (
            Refusal::Unacceptable { sequence: 9, reason: reason() },
            r#"{"error":"unacceptable","sequence":9,"reason":"why"}"#,
        ),
        (Refusal::Unauthorised, r#"{"error":"unauthorised"}"#),
        (Refusal::Malformed { reason: reason() }, r#"{"error":"malformed","reason":"why"}"#),
    ] {
        assert_eq!(serde_json::to_string(&answer).unwrap(), written);
        assert_eq!(serde_json::from_str::<Refusal>(written).unwrap(), answer);
    }
    for (ahead_through, written) in [
        (None, r#"{"acked_through":12}"#),
        (Some(40), r#"{"acked_through":12,"ahead_through":40}"#),
    ] {
        let acknowledged = Acknowledgement { acked_through: 12, ahead_through };
        assert_eq!(serde_json::to_string(&acknowledged).unwrap(), written);
    }
}

#[test]
fn what_was_lost_and_what_goes_ahead_travels_in_exactly_these_bytes() {
    let one = "01".repeat(32);
    let written = format!(
        r#"{{"site":"demo","first_sequence":7,"previous_hash":"{one}","backlog":9,"ahead":true,"items":[{{"lost":{{"reason":"rot"}}}},{{"resumed":{{"hash":"{one}","event":{{"a":1}}}}}}]}}"#
    );
    let read: Batch = serde_json::from_str(&written).unwrap();
    assert!(read.ahead && read.backlog == 9);
    assert_eq!(serde_json::to_string(&read).unwrap(), written);
}

#[test]
fn a_request_is_signed_in_everything_that_decides_what_it_does() {
    let head = Head { site: "demo", method: "POST", target: "/edge/v1/events", count: 7 };
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let signed = format!("gatehouse 1\ndemo\nPOST /edge/v1/events\n7\n{empty}");
    assert_eq!(head.signed(b""), signed.as_bytes());
    let signature = head.sign(&key(), b"body");
    assert!(head.is_signed_by(PUBLIC, b"body", &signature));
    let others = [
        Head { site: "dema", ..head },
        Head { method: "PUT", ..head },
        Head { target: "/edge/v1/events?x=1", ..head },
        Head { count: 8, ..head },
    ];
    assert!(others.iter().all(|other| !other.is_signed_by(PUBLIC, b"body", &signature)));
    assert!(!head.is_signed_by(PUBLIC, b"bodY", &signature));
}

#[test]
fn targets_and_proofs_are_written_in_exactly_these_bytes() {
    assert_eq!(picture_target("ab", 5, 9), "/edge/v1/pictures/ab?offset=5&length=9");
    assert_eq!(Rotation::proof("demo", "00ff"), b"gatehouse 1 key\ndemo\n00ff");
}

#[test]
fn what_is_no_batch_is_refused() {
    let batch = |hash: &str| {
        format!(r#"{{"site":"demo","first_sequence":1,"previous_hash":"{hash}","items":[]}}"#)
    };
    assert!(serde_json::from_str::<Batch>(&batch(&"0".repeat(64))).is_ok());
    for hash in ["", "00", &"0".repeat(62), &"0".repeat(66), &"g".repeat(64), &"+0".repeat(32)] {
        let wrong = serde_json::from_str::<Batch>(&batch(hash)).unwrap_err().to_string();
        assert!(wrong.contains("64 hex digits"), "{wrong}");
    }
    let enrolment = r#"{"code":"a","public_key":"b","extra":1}"#;
    assert!(serde_json::from_str::<Enrolment>(enrolment).is_err());
}

#[test]
fn hex_is_strict() {
    assert_eq!(from_hex("00fF"), Some(vec![0, 255]));
    for no_hex in ["0", "+1", "0x", " 1", "é1", "--"] {
        assert_eq!(from_hex(no_hex), None, "{no_hex}");
    }
    assert_eq!(to_hex(&[0, 9, 10, 255]), "00090aff");
}
