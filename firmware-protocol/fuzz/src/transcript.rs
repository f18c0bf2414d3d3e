//! What the crate makes of bytes, written down as `c/tests/fuzz.c` writes down what the C reference
//! makes of them: both must say the same.

use firmware_protocol::{
    barrier, charger,
    command::{Command, Hello, Verdict},
    frame::Decoder,
    session::{Arrival, Device},
};

/// Bytes of a step in a device's life.
const STEP: usize = 8;

/// The frames on a line, which requests they are, and then the answers of a device to commands.
pub fn of(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frames(data, &mut out);
    commands(data, &mut out);
    out
}

fn frames(data: &[u8], out: &mut Vec<u8>) {
    let mut decoder = Decoder::new();
    for &byte in data {
        let Some(frame) = decoder.push(byte) else { continue };
        let length = u8::try_from(frame.payload.len()).expect("a payload is short");
        out.extend([b'F', frame.address, frame.sequence, frame.kind, length]);
        out.extend_from_slice(&frame.payload);
        out.push(u8::from(barrier::Request::decode(frame.kind, &frame.payload).is_ok()));
        out.push(u8::from(charger::Request::decode(frame.kind, &frame.payload).is_ok()));
    }
}

/// Each eight bytes are a hello or a command, a little later than the one before.
fn commands(data: &[u8], out: &mut Vec<u8>) {
    let mut device = Device::<charger::Refusal>::new(1);
    let mut now_ms = 0;
    for step in data.chunks_exact(STEP) {
        let &[what, boot, session, id, expires, counter, later, how] = step else { continue };
        now_ms += u64::from(later) * 16;
        let (boot, session) = (u32::from(boot & 1), u32::from(session & 7));
        if what & 7 == 0 {
            let hello = Hello { boot, session, now_ms: u64::from(expires) * 64 };
            out.extend([b'H', u8::from(device.hello(&hello, now_ms))]);
            continue;
        }
        let counter = (how & 2 != 0).then_some(u64::from(counter));
        let arrival = Arrival { now_ms, counter, stale: how & 1 != 0 };
        let expires_at_ms = u64::from(expires) * 64;
        let command = Command { boot, session, id: [id; 16], expires_at_ms, action: () };
        let mut moved = false;
        let reply = device.command(&command, arrival, || {
            moved = true;
            if how & 4 != 0 { Err(charger::Refusal::Fault) } else { Ok(()) }
        });
        let (verdict, reason) = match reply.verdict {
            Verdict::Accepted => (0, 0),
            Verdict::Expired => (1, 0),
            Verdict::Refused(why) => (2, why as u8),
        };
        out.extend([b'C', u8::from(moved), u8::from(reply.duplicate), verdict, reason]);
    }
}
