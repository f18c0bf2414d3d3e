//! Reading and writing the fields of a payload: little-endian, in order, without padding.

use crate::frame::Payload;

/// Why a payload is no message of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// It ends before its last field.
    Truncated,
    /// The frame's kind is not one that this end receives.
    UnknownKind(u8),
    /// A field has a value that this version does not know.
    UnknownValue {
        /// The field.
        field: &'static str,
        /// What it said.
        value: u8,
    },
}

/// Takes fields off the front of a payload; what is left at the end belongs to a later version.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (field, rest) = self.0.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(*field)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.bytes().map(u64::from_le_bytes)
    }
}

/// Appends fields to a payload.
#[derive(Default)]
pub(crate) struct Writer(pub Payload);

impl Writer {
    pub fn bytes(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(field).expect("every message fits into a payload");
        self
    }

    pub fn u8(self, field: u8) -> Self {
        self.bytes(&[field])
    }

    pub fn u16(self, field: u16) -> Self {
        self.bytes(&field.to_le_bytes())
    }

    pub fn u32(self, field: u32) -> Self {
        self.bytes(&field.to_le_bytes())
    }

    pub fn u64(self, field: u64) -> Self {
        self.bytes(&field.to_le_bytes())
    }
}

/// An enum whose values are one byte on the wire.
macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident as $field:literal { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$vdoc])* $variant = $value,)*
        }

        impl $name {
            /// All of them, in the order of their values.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The one of this value.
            ///
            /// # Errors
            /// When this version knows no such value.
            pub fn from_wire(value: u8) -> Result<Self, Malformed> {
                match value {
                    $($value => Ok(Self::$variant),)*
                    value => Err(Malformed::UnknownValue { field: $field, value }),
                }
            }
        }
    };
}
pub(crate) use wire_enum;
