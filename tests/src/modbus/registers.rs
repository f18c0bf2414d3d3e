//! What stands in which register, by maker. Written from the makers' tables, apart from the program
//! that is tested with it.

use super::wallbox::State;

/// Whose registers they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Heidelberg Energy Control.
    Heidelberg,
    /// Viridian EPC 2.0 Plus, which has no meter.
    Viridian,
    /// Eastron SDM630, a meter.
    Eastron,
}

impl Maker {
    /// What an input register shows; none where there is none.
    pub(super) fn input(self, state: &State, address: u16) -> Option<u16> {
        match self {
            Self::Heidelberg => heidelberg_input(state, address),
            Self::Viridian => None,
            Self::Eastron => eastron_input(state, address),
        }
    }

    /// What a holding register shows.
    pub(super) fn holding(self, state: &State, address: u16) -> Option<u16> {
        match (self, address) {
            (Self::Heidelberg, 257) => Some((state.watchdog_s * 1_000.0) as u16),
            (Self::Heidelberg, 258) => Some(state.setup),
            (Self::Heidelberg, 261) => Some((state.limit_a * 10.0).round() as u16),
            (Self::Heidelberg, 262) => Some((state.fallback_a * 10.0).round() as u16),
            (Self::Viridian, 5) => Some(state.is_enabled.into()),
            (Self::Viridian, 6) => Some(state.limit_a as u16),
            (Self::Viridian, 8) => Some((state.flows_a() * 10.0) as u16),
            (Self::Viridian, 11) => Some(match (state.faults.broken, state.plugged) {
                (true, _) => 4,
                (false, false) => 0,
                (false, true) if state.flows_a() > 0.0 => 2,
                (false, true) => 1,
            }),
            (Self::Viridian, 14) => Some(if state.faults.broken { 2 } else { 0 }),
            (Self::Viridian, 28) => Some((state.watchdog_s * 1_000.0) as u16),
            (Self::Viridian, 30) => Some(state.fallback_a as u16),
            _ => None,
        }
    }

    /// Writes a holding register; whether it takes that.
    pub(super) fn write(self, state: &mut State, address: u16, value: u16) -> bool {
        let amperes = |per: f64| f64::from(value) / per;
        match (self, address, value) {
            (Self::Heidelberg, 257, _) | (Self::Viridian, 28, 0 | 1_000..=60_000) => {
                state.watchdog_s = f64::from(value) / 1_000.0;
            }
            (Self::Heidelberg, 258, 0 | 4) => state.setup = value,
            (Self::Heidelberg, 261, 0 | 60..=160) => state.limit_a = amperes(10.0),
            (Self::Heidelberg, 262, 0 | 60..=160) => state.fallback_a = amperes(10.0),
            (Self::Viridian, 5, 0 | 1) => state.is_enabled = value == 1,
            (Self::Viridian, 6, 0 | 6..=32) => state.limit_a = amperes(1.0),
            (Self::Viridian, 30, 0 | 6..=32) => state.fallback_a = amperes(1.0),
            _ => return false,
        }
        true
    }
}

fn heidelberg_input(state: &State, address: u16) -> Option<u16> {
    let energy_vah = state.energy_wh as u32;
    Some(match address {
        4 => 0x108,
        5 if state.faults.broken => 9,
        5 => match (state.plugged, state.flows_a() > 0.0, state.in_force_a() >= 6.0) {
            (false, _, false) => 2,
            (false, _, true) => 3,
            (true, true, _) => 7,
            (true, false, true) => 5,
            (true, false, false) if state.car_a > 0.0 => 6,
            (true, false, false) => 4,
        },
        6..=8 => (state.flows_a() * 10.0) as u16,
        10..=12 => 230,
        14 => (state.flows_a() * 690.0) as u16,
        17 => (energy_vah >> 16) as u16,
        18 => energy_vah as u16,
        _ => return None,
    })
}

/// Every value is a float of two registers, at even addresses.
fn eastron_input(state: &State, address: u16) -> Option<u16> {
    let value = match address & !1 {
        0x00 | 0x02 | 0x04 => 230.0,
        0x06 | 0x08 | 0x0a => state.flows_a(),
        0x34 => state.flows_a() * 690.0,
        0x48 => state.energy_wh / 1_000.0,
        _ => return None,
    };
    let bits = (value as f32).to_bits();
    Some(if address.is_multiple_of(2) { (bits >> 16) as u16 } else { bits as u16 })
}
