//! Makes `c/gatehouse_protocol.h`. The fields of each struct are named once more here; that they are
//! all of the crate's, with its types, is for the compiler to see.

use std::fmt::Debug;

use firmware_protocol::{
    barrier::{self, Arm, Power},
    charger::{self, Fault, Meter, Pilot},
    command::{self, CommandId},
    frame, locker, seal, session, version,
};

/// A command whose action is told by its kind.
type Command = command::Command<()>;

const TOP: &str = "/* Made from the crate firmware-protocol by its tests; do not edit. */
#ifndef GATEHOUSE_PROTOCOL_H
#define GATEHOUSE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>
";

const BOTTOM: &str = "
#endif
";

/// A C struct with the fields of one of the crate's.
macro_rules! record {
    ($name:literal, $type:path { $($field:ident: $kind:ty),* $(,)? }) => {{
        #[allow(dead_code)]
        fn all_of_them(value: $type) {
            let $type { $($field,)* } = value;
            $(let _: $kind = $field;)*
        }
        let fields: &[(&str, &str)] = &[$((stringify!($field), stringify!($kind)),)*];
        record($name, fields)
    }};
}

pub fn text() -> String {
    let parts = [TOP.to_owned(), constants(), enums(), records(), BOTTOM.to_owned()];
    parts.concat()
}

fn constants() -> String {
    let numbers: &[(&str, u64)] = &[
        ("VERSION", version::CURRENT.into()),
        ("MAX_PAYLOAD", frame::MAX_PAYLOAD as u64),
        ("MAX_ON_LINE", frame::MAX_ON_LINE as u64),
        ("MAX_COMMAND_LIFE_MS", command::MAX_COMMAND_LIFE_MS),
        ("REMEMBERED", session::REMEMBERED as u64),
        ("KEY_BYTES", seal::KEY_BYTES as u64),
        ("ENDING_BYTES", seal::ENDING_BYTES as u64),
        ("MAX_DOORS", locker::MAX_DOORS.into()),
        ("MAX_CODE", locker::MAX_CODE as u64),
        ("MIN_OFFER_MA", charger::MIN_OFFER_MA.into()),
        ("MAX_LEASE_S", charger::MAX_LEASE_S.into()),
        ("KIND_POLL", command::POLL.into()),
        ("KIND_HELLO", command::HELLO.into()),
        ("BARRIER_KIND_OPEN", barrier::OPEN.into()),
        ("BARRIER_KIND_CLOSE", barrier::CLOSE.into()),
        ("BARRIER_KIND_STATUS", barrier::STATUS.into()),
        ("BARRIER_KIND_REPLY", barrier::REPLY.into()),
        ("CHARGER_KIND_ENABLE", charger::ENABLE.into()),
        ("CHARGER_KIND_DISABLE", charger::DISABLE.into()),
        ("CHARGER_KIND_LIMIT", charger::LIMIT.into()),
        ("CHARGER_KIND_STATUS", charger::STATUS.into()),
        ("CHARGER_KIND_REPLY", charger::REPLY.into()),
    ];
    let lines = numbers.iter().map(|(name, value)| format!("#define GH_{name} {value}u\n"));
    "\n".to_owned() + &lines.collect::<String>()
}

fn enums() -> String {
    [
        "\nenum { GH_VERDICT_ACCEPTED = 0, GH_VERDICT_EXPIRED = 1, GH_VERDICT_REFUSED = 2 };\n"
            .to_owned(),
        enumeration("BARRIER_ARM", Arm::ALL, |value| value as u8),
        enumeration("BARRIER_POWER", Power::ALL, |value| value as u8),
        enumeration("BARRIER_REFUSAL", barrier::Refusal::ALL, |value| value as u8),
        enumeration("CHARGER_PILOT", Pilot::ALL, |value| value as u8),
        enumeration("CHARGER_FAULT", Fault::ALL, |value| value as u8),
        enumeration("CHARGER_REFUSAL", charger::Refusal::ALL, |value| value as u8),
        enumeration("LOCKER_LOCK", locker::Lock::ALL, |value| value as u8),
        enumeration("LOCKER_DENIAL", locker::Denial::ALL, |value| value as u8),
        enumeration("LOCKER_EVENT", locker::Happening::ALL, |value| value as u8),
        enumeration("LOCKER_REFUSAL", locker::Refusal::ALL, |value| value as u8),
    ]
    .concat()
}

fn enumeration<T: Copy + Debug>(prefix: &str, all: &[T], value: fn(T) -> u8) -> String {
    let line = |&item: &T| {
        format!("    GH_{prefix}_{} = {},\n", screaming(&format!("{item:?}")), value(item))
    };
    format!("\nenum {{\n{}}};\n", all.iter().map(line).collect::<String>())
}

/// `UnderArm` as `UNDER_ARM`.
fn screaming(camel: &str) -> String {
    let mut name = String::new();
    for letter in camel.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn records() -> String {
    [
        record!("hello", command::Hello { boot: u32, session: u32, now_ms: u64 }),
        record!(
            "command",
            Command { boot: u32, session: u32, id: CommandId, expires_at_ms: u64, action: () }
        ),
        "\ntypedef struct {\n    uint8_t id[16];\n    bool duplicate;\n    uint8_t verdict;\n    \
         uint8_t reason;\n} gh_reply;\n"
            .to_owned(),
        record!("allowance", charger::Allowance { limit_ma: u32, lease_s: u16, fallback_ma: u32 }),
        record!(
            "barrier_status",
            barrier::Status {
                boot: u32,
                session: u32,
                uptime_s: u32,
                arm: Arm,
                power: Power,
                under_arm: bool,
                in_front: bool,
                fire: bool,
                under_arm_count: u16,
                in_front_count: u16,
                press: u32,
            }
        ),
        record!(
            "meter",
            Meter { energy_wh: u64, power_w: u32, current_ma: [u32; 3], voltage_mv: [u32; 3] }
        ),
        record!("charger_status", charger::Status {
            boot: u32, session: u32, uptime_ms: u64, pilot: Pilot, fault: Fault, enabled: bool,
            closed: bool, limit_ma: u32, lease_s: u16, plugged_count: u16, fault_count: u16,
            meter: Option<Meter>,
        }),
    ]
    .concat()
}

fn record(name: &str, fields: &[(&str, &str)]) -> String {
    let lines = fields.iter().map(|(field, kind)| match *kind {
        "()" => String::new(),
        "bool" => format!("    bool {field};\n"),
        "u16" => format!("    uint16_t {field};\n"),
        "u32" => format!("    uint32_t {field};\n"),
        "u64" => format!("    uint64_t {field};\n"),
        "[u32; 3]" => format!("    uint32_t {field}[3];\n"),
        "CommandId" => format!("    uint8_t {field}[16];\n"),
        "Option<Meter>" => format!("    bool has_{field};\n    gh_{field} {field};\n"),
        // The others are enums of one byte.
        _ => format!("    uint8_t {field};\n"),
    });
    format!("\ntypedef struct {{\n{}}} gh_{name};\n", lines.collect::<String>())
}
