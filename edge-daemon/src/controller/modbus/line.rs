//! Questions and answers on a line, in the values that a model's registers have. An answer that
//! comes too late could be taken for that of the next question, so that a line begins anew after a
//! question that was not answered.

use std::{io, time::Duration};

use tokio::time::timeout;
use tokio_modbus::{
    ExceptionCode,
    client::{Context, Reader, Writer, rtu},
    slave::{Slave, SlaveContext},
};
use tokio_serial::{ClearBuffer, DataBits, SerialPort, SerialStream};

use super::model::{self, Kind, Register, Table};

/// A device that has not answered by then does not.
const ANSWER_WITHIN: Duration = Duration::from_millis(500);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The device does not answer.
    #[error("it does not answer")]
    Silent,
    /// It answers that it cannot.
    #[error("register {address}: {answer}")]
    Refused { address: u16, answer: ExceptionCode },
    /// It answers what cannot be.
    #[error("register {address}: {reason}")]
    Nonsense { address: u16, reason: &'static str },
    /// The line is gone.
    #[error("the line was lost: {0}")]
    Line(io::Error),
}

/// An open line.
pub(super) struct Line {
    context: Context,
}

impl Line {
    pub fn open(path: &str, settings: model::Line) -> Result<Self, tokio_serial::Error> {
        let parity = match settings.parity {
            model::Parity::None => tokio_serial::Parity::None,
            model::Parity::Even => tokio_serial::Parity::Even,
            model::Parity::Odd => tokio_serial::Parity::Odd,
        };
        let stop_bits = match settings.stop_bits {
            2 => tokio_serial::StopBits::Two,
            _ => tokio_serial::StopBits::One,
        };
        let port = tokio_serial::new(path, settings.baud)
            .data_bits(DataBits::Eight)
            .parity(parity)
            .stop_bits(stop_bits);
        let stream = SerialStream::open(&port)?;
        // What came while the line was closed answers a question that nobody waits for any more.
        stream.clear(ClearBuffer::Input)?;
        Ok(Self { context: rtu::attach(stream) })
    }

    /// Reads so many values of a register, one behind the other.
    pub async fn read(
        &mut self,
        slave: u8,
        register: Register,
        count: u16,
    ) -> Result<Vec<f64>, Trouble> {
        let Register { table, address, kind } = register;
        let words = count * kind.words();
        self.context.set_slave(Slave(slave));
        let asked = async {
            match table {
                Table::Input => self.context.read_input_registers(address, words).await,
                Table::Holding => self.context.read_holding_registers(address, words).await,
            }
        };
        let answer = timeout(ANSWER_WITHIN, asked).await.map_err(|_| Trouble::Silent)?;
        let words = judged(address, answer)?;
        let values: Vec<f64> = words.chunks(kind.words().into()).map(|w| value(kind, w)).collect();
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(Trouble::Nonsense { address, reason: "it shows no number" }),
        }
    }

    /// Writes a value.
    pub async fn write(
        &mut self,
        slave: u8,
        register: Register,
        value: u32,
    ) -> Result<(), Trouble> {
        let Register { address, kind, .. } = register;
        self.context.set_slave(Slave(slave));
        let told = async {
            match (kind, u16::try_from(value)) {
                (Kind::U16, Ok(word)) => self.context.write_single_register(address, word).await,
                _ => {
                    let words = [(value >> 16) as u16, value as u16];
                    self.context.write_multiple_registers(address, &words).await
                }
            }
        };
        let answer = timeout(ANSWER_WITHIN, told).await.map_err(|_| Trouble::Silent)?;
        judged(address, answer)
    }
}

fn judged<T>(address: u16, answer: tokio_modbus::Result<T>) -> Result<T, Trouble> {
    match answer {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(answer)) => Err(Trouble::Refused { address, answer }),
        // Another device's words, or noise: as good as no answer.
        Err(tokio_modbus::Error::Protocol(_)) => Err(Trouble::Silent),
        Err(tokio_modbus::Error::Transport(error)) => Err(Trouble::Line(error)),
    }
}

fn value(kind: Kind, words: &[u16]) -> f64 {
    let both = words.iter().fold(0_u32, |value, word| value << 16 | u32::from(*word));
    match kind {
        Kind::U16 | Kind::U32 => both.into(),
        Kind::F32 => f32::from_bits(both).into(),
    }
}
