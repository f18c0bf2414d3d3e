//! The lines of a vector file: a word, then `key=value` without spaces.

use std::{fmt::Debug, str::FromStr};

#[derive(Debug)]
pub struct Line<'a> {
    pub what: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Line<'a> {
    pub fn all(file: &'a str) -> impl Iterator<Item = Self> {
        let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| {
            let mut words = line.split(' ');
            let what = words.next().unwrap();
            let fields = words.map(|word| word.split_once('=').unwrap()).collect();
            Self { what, fields }
        })
    }

    pub fn text(&self, key: &str) -> &'a str {
        let found = self.fields.iter().find(|(name, _)| *name == key);
        found.unwrap_or_else(|| panic!("{key} of {self:?}")).1
    }

    pub fn number<T: FromStr<Err: Debug>>(&self, key: &str) -> T {
        self.text(key).parse().unwrap()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.number::<u8>(key) != 0
    }

    pub fn bytes<const N: usize>(&self, key: &str) -> [u8; N] {
        from_hex(self.text(key)).try_into().unwrap()
    }

    pub fn three(&self, key: &str) -> [u32; 3] {
        let numbers: Vec<_> = self.text(key).split(',').map(|n| n.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }
}

pub fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
