//! The line: takes frames apart, answers for whom they are meant, and nothing else.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use crc::{CRC_16_MODBUS, Crc};
use tokio::{io::AsyncWriteExt, task::JoinSet, time::sleep};
use tokio_serial::{SerialPort, SerialStream};

use super::{registers::Maker, wallbox::Wallbox};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
/// How often it looks at the line.
const LOOK: Duration = Duration::from_millis(1);
const LATE: Duration = Duration::from_millis(700);
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const ILLEGAL_VALUE: u8 = 3;

/// Devices on a line; gone on drop.
#[derive(Debug)]
pub struct ModbusLine {
    link: PathBuf,
    _task: JoinSet<()>,
}

impl ModbusLine {
    /// Plugs in devices, each with its address and its maker. `link` becomes a symbolic link to
    /// the line.
    ///
    /// # Errors
    /// When the system has no pty left or the link cannot be made.
    pub fn new(link: &Path, devices: Vec<(u8, Maker, Wallbox)>) -> io::Result<Self> {
        let (near, far) = SerialStream::pair()?;
        let path = far.name().ok_or(io::ErrorKind::NotFound)?;
        let _ = fs::remove_file(link);
        symlink(path, link)?;
        let mut task = JoinSet::new();
        task.spawn(run(near, devices));
        Ok(Self { link: link.to_owned(), _task: task })
    }
}

impl Drop for ModbusLine {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.link);
    }
}

async fn run(mut port: SerialStream, devices: Vec<(u8, Maker, Wallbox)>) {
    let (mut collected, mut buffer) = (Vec::new(), [0; 256]);
    loop {
        match port.try_read(&mut buffer) {
            Ok(count @ 1..) => collected.extend_from_slice(&buffer[..count]),
            // Nobody has it open, or nothing was said. A pause ends a frame.
            Ok(0) | Err(_) => {
                sleep(LOOK).await;
                continue;
            }
        }
        while let Some(frame) = frame(&mut collected) {
            let Some((_, maker, wallbox)) = devices.iter().find(|d| d.0 == frame[0]) else {
                continue;
            };
            let faults = wallbox.state().faults;
            if faults.silent {
                continue;
            }
            let answer = answer(*maker, wallbox, &frame);
            if faults.late {
                sleep(LATE).await;
            }
            if faults.noisy {
                let _ = port.write_all(&[0xff, 0x00, 0x55]).await;
            }
            let _ = port.write_all(&answer).await;
        }
    }
}

/// The first whole frame; bytes that belong to none are thrown away.
fn frame(collected: &mut Vec<u8>) -> Option<Vec<u8>> {
    while collected.len() >= 8 {
        let length = match collected[1] {
            3 | 4 | 6 => 8,
            16 => 9 + usize::from(collected[6]),
            _ => 8,
        };
        if collected.len() < length {
            return None;
        }
        let (body, check) = collected[..length].split_at(length - 2);
        if CRC.checksum(body).to_le_bytes() == check {
            return Some(collected.drain(..length).take(length - 2).collect());
        }
        collected.remove(0);
    }
    None
}

fn answer(maker: Maker, wallbox: &Wallbox, frame: &[u8]) -> Vec<u8> {
    let (slave, function) = (frame[0], frame[1]);
    let word = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let (address, second) = (word(2), word(4));
    let mut state = wallbox.state();
    state.hears();
    let done = match function {
        3 | 4 if !(1..=125).contains(&second) => Err(ILLEGAL_VALUE),
        3 | 4 => {
            let read = |at| match function {
                3 => maker.holding(&state, at),
                _ => maker.input(&state, at),
            };
            let words: Option<Vec<u16>> =
                (address..=address.saturating_add(second - 1)).map(read).collect();
            words.ok_or(ILLEGAL_ADDRESS).map(|words| {
                let bytes = words.iter().flat_map(|word| word.to_be_bytes());
                std::iter::once(words.len() as u8 * 2).chain(bytes).collect()
            })
        }
        6 if maker.write(&mut state, address, second) => Ok(frame[2..6].to_vec()),
        6 => Err(ILLEGAL_VALUE),
        16 => {
            let words = frame[7..].chunks_exact(2).map(|w| u16::from_be_bytes([w[0], w[1]]));
            let all = (address..).zip(words).all(|(at, word)| maker.write(&mut state, at, word));
            if all { Ok(frame[2..6].to_vec()) } else { Err(ILLEGAL_VALUE) }
        }
        _ => Err(ILLEGAL_FUNCTION),
    };
    let body: Vec<u8> = match done {
        Ok(data) => [vec![slave, function], data].concat(),
        Err(code) => vec![slave, function | 0x80, code],
    };
    let check = CRC.checksum(&body).to_le_bytes();
    [body, check.to_vec()].concat()
}
