//! Charging stations and a meter on a Modbus RTU line, by the register tables of their makers, at
//! the far end of a pty: with cars, and faults to switch on.

mod line;
mod registers;
mod wallbox;

pub use self::{
    line::ModbusLine,
    registers::Maker,
    wallbox::{Faults, Wallbox},
};
