//! Frames on a serial line: found again after any noise, checked, addressed, and bounded.
//!
//! ```text
//! 00 | COBS( version address sequence kind payload… crc32 ) | 00
//! ```
//!
//! COBS keeps zero out of the frame's inside, so that a zero is always a border. The zero in front
//! ends whatever noise the line carried before, so that noise costs no frame.

use cobs::max_encoding_length;
use crc::{CRC_32_ISO_HDLC, Crc};
use heapless::Vec;

use crate::version;

/// Most bytes in the payload of a frame.
pub const MAX_PAYLOAD: usize = 96;
/// Most bytes that a frame takes on the line, with both delimiters.
pub const MAX_ON_LINE: usize = MAX_ENCODED + 2;
/// The border between frames.
pub const DELIMITER: u8 = 0;
/// Addresses that a device may have; the others are reserved.
pub const ADDRESSES: core::ops::RangeInclusive<u8> = 1..=247;

const HEADER: usize = 4;
const CHECK: usize = 4;
const MAX_DECODED: usize = HEADER + MAX_PAYLOAD + CHECK;
const MAX_ENCODED: usize = max_encoding_length(MAX_DECODED);

/// CRC-32/ISO-HDLC: the polynomial of Ethernet and zlib, reflected, check value `cbf43926`.
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// What a frame carries.
pub type Payload = Vec<u8, MAX_PAYLOAD>;
/// A frame as it goes onto the line.
pub type OnLine = Vec<u8, MAX_ON_LINE>;

/// One frame, either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The device that it goes to or comes from.
    pub address: u8,
    /// Chosen by the host for a request, repeated by the device in its answer.
    pub sequence: u8,
    /// What the payload is; the high bit is set on the way to the host.
    pub kind: u8,
    /// The message.
    pub payload: Payload,
}

impl Frame {
    /// The frame's bytes on the line, delimiters included.
    pub fn encode(&self) -> OnLine {
        let mut plain = Vec::<u8, MAX_DECODED>::new();
        let header = [version::CURRENT, self.address, self.sequence, self.kind];
        let fits = "a frame is no longer than its parts";
        plain.extend_from_slice(&header).expect(fits);
        plain.extend_from_slice(&self.payload).expect(fits);
        plain.extend_from_slice(&CRC.checksum(&plain).to_le_bytes()).expect(fits);

        let mut line = OnLine::new();
        line.resize(MAX_ON_LINE, DELIMITER).expect(fits);
        let length = cobs::try_encode(&plain, &mut line[1..]).expect(fits);
        line.truncate(length + 2);
        line[length + 1] = DELIMITER;
        line
    }
}

/// What a [`Decoder`] threw away, by reason. Counters stop at their maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Longer than any frame: noise without a delimiter.
    pub oversized: u32,
    /// Not COBS, or too short to be a frame.
    pub malformed: u32,
    /// The checksum does not match.
    pub checksum: u32,
    /// Whole, but of a version that cannot be read.
    pub version: u32,
}

impl Dropped {
    /// All of them together.
    pub fn total(&self) -> u32 {
        [self.oversized, self.malformed, self.checksum, self.version]
            .into_iter()
            .fold(0, u32::saturating_add)
    }
}

/// Finds frames in a stream of bytes, whatever they are. Its memory is one frame; after noise it
/// is in step again at the next delimiter.
#[derive(Debug, Default)]
pub struct Decoder {
    collected: Vec<u8, MAX_ENCODED>,
    overflowed: bool,
    dropped: Dropped,
}

impl Decoder {
    /// A decoder at the border of a frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was thrown away so far.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Takes one byte; returns the frame that it completes.
    pub fn push(&mut self, byte: u8) -> Option<Frame> {
        if byte != DELIMITER {
            self.overflowed |= self.collected.push(byte).is_err();
            return None;
        }
        let frame = self.complete();
        self.collected.clear();
        self.overflowed = false;
        match frame {
            Ok(frame) => frame,
            Err(reason) => {
                let counter = reason(&mut self.dropped);
                *counter = counter.saturating_add(1);
                None
            }
        }
    }

    /// The frame that was collected; none between two delimiters in a row.
    fn complete(&mut self) -> Result<Option<Frame>, fn(&mut Dropped) -> &mut u32> {
        if self.overflowed {
            return Err(|dropped| &mut dropped.oversized);
        }
        if self.collected.is_empty() {
            return Ok(None);
        }
        let length = cobs::decode_in_place(&mut self.collected)
            .map_err(|_| (|dropped| &mut dropped.malformed) as fn(&mut Dropped) -> &mut u32)?;
        let plain = &self.collected[..length];
        let Some((body, check)) = plain.split_last_chunk::<CHECK>() else {
            return Err(|dropped| &mut dropped.malformed);
        };
        let Some((&[version, address, sequence, kind], payload)) = body.split_first_chunk() else {
            return Err(|dropped| &mut dropped.malformed);
        };
        if CRC.checksum(body) != u32::from_le_bytes(*check) {
            return Err(|dropped| &mut dropped.checksum);
        }
        if !version::is_readable(version) {
            return Err(|dropped| &mut dropped.version);
        }
        let Ok(payload) = Payload::from_slice(payload) else {
            return Err(|dropped| &mut dropped.oversized);
        };
        Ok(Some(Frame { address, sequence, kind, payload }))
    }
}
