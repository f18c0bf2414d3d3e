//! The cloud's list of who may enter, as the gate looks it up: packed into one piece of memory and
//! sorted by what a camera may confuse, so that a reading finds its plate and all its look-alikes in
//! some microseconds however long the list is. It is made aside and exchanged whole.
//!
//! An entry takes the length of its texts and some 30 bytes: 200,000 permits are about 13 MB.

use chrono::{DateTime, Utc};
use domain::{
    access::{Change, Denial, Permit},
    plate::{TypedPlate, look_alike_key, normal_form},
};

/// Times of an entry that has none.
const NO_TIME: i64 = i64::MIN;
const DENIED: u8 = 1;
const REVOKED: u8 = 2;

/// A whole list.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    version: u64,
    bytes: Vec<u8>,
    /// Where the entries begin in `bytes`, sorted by their keys.
    starts: Vec<u32>,
}

/// What stands in a list about one plate.
enum Entry {
    Permit(Permit),
    Denied(Denial),
}

impl Listed {
    /// The list of this version with these entries, of which no two have the same plate and kind.
    pub fn new(version: u64, entries: impl IntoIterator<Item = Change>) -> Self {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for entry in entries {
            // A million entries of the longest kind are less than 4 GiB.
            let start = u32::try_from(bytes.len()).expect("a list is shorter than 4 GiB");
            if pack(&entry, &mut bytes) {
                starts.push(start);
            }
        }
        bytes.shrink_to_fit();
        let mut listed = Self { version, bytes, starts: Vec::new() };
        starts.sort_by(|a, b| listed.key(*a).cmp(listed.key(*b)));
        listed.starts = starts;
        listed
    }

    /// Its version; none for the list of a site that has none.
    pub fn version(&self) -> Option<u64> {
        (self.version > 0).then_some(self.version)
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.bytes.capacity() + self.starts.capacity() * size_of::<u32>()
    }

    /// The permits of exactly this plate, in normal form.
    pub(super) fn permits<'a>(&'a self, plate: &'a str) -> impl Iterator<Item = Permit> + 'a {
        self.of(plate).filter_map(|entry| match entry {
            Entry::Permit(permit) => Some(permit),
            Entry::Denied(_) => None,
        })
    }

    /// Why exactly this plate, in normal form, may not enter.
    pub(super) fn denied(&self, plate: &str) -> Option<Denial> {
        self.of(plate).find_map(|entry| match entry {
            Entry::Denied(denial) => Some(denial),
            Entry::Permit(_) => None,
        })
    }

    /// Listed plates, in normal form, that look like this one, itself included.
    pub(super) fn alike(&self, plate: &str) -> impl Iterator<Item = String> + use<'_> {
        self.alike_to(plate).map(|start| normal_form(self.unpacker(start).text()))
    }

    /// Those of them that have a permit.
    pub(super) fn permitted_alike(&self, plate: &str) -> impl Iterator<Item = String> + use<'_> {
        self.alike_to(plate).filter_map(|start| match self.unpacker(start).entry()? {
            Entry::Permit(permit) => Some(permit.plate.normal().to_owned()),
            Entry::Denied(_) => None,
        })
    }

    fn of<'a>(&'a self, plate: &'a str) -> impl Iterator<Item = Entry> + 'a {
        let starts = self.alike_to(plate);
        starts
            .filter(move |start| normal_form(self.unpacker(*start).text()) == plate)
            .filter_map(|start| self.unpacker(start).entry())
    }

    /// Where the entries begin whose plates look like this one.
    fn alike_to(&self, plate: &str) -> impl Iterator<Item = u32> + use<'_> {
        let key = look_alike_key(plate);
        let first = self.starts.partition_point(|start| self.key(*start) < key.as_bytes());
        let from = self.starts[first..].iter().copied();
        from.take_while(move |start| self.key(*start) == key.as_bytes())
    }

    fn key(&self, start: u32) -> &[u8] {
        Unpacker(&self.bytes[start as usize..]).bytes()
    }

    /// Behind the key.
    fn unpacker(&self, start: u32) -> Unpacker<'_> {
        let mut unpacker = Unpacker(&self.bytes[start as usize..]);
        unpacker.bytes();
        unpacker
    }
}

/// Appends an entry; whether there is one.
fn pack(change: &Change, bytes: &mut Vec<u8>) -> bool {
    let plate = change.plate();
    let ms = |time: Option<DateTime<Utc>>| time.map_or(NO_TIME, |time| time.timestamp_millis());
    let (flags, times, lanes, about) = match change {
        Change::Permit(permit) => {
            let lanes: Vec<_> = permit.lanes.iter().map(|lane| lane.as_str()).collect();
            let flags = if permit.revoked { REVOKED } else { 0 };
            (
                flags,
                [ms(permit.valid_from), ms(permit.valid_until)],
                lanes.join(" "),
                &permit.holder,
            )
        }
        Change::Deny(denial) => (DENIED, [NO_TIME; 2], String::new(), &denial.reason),
        Change::Gone { .. } => return false,
    };
    let mut text = |text: &str| {
        // What does not fit is longer than anything that travels.
        let length = u16::try_from(text.len()).unwrap_or(0);
        bytes.extend(length.to_le_bytes());
        bytes.extend(&text.as_bytes()[..length.into()]);
    };
    text(&look_alike_key(plate.normal()));
    text(plate.as_typed());
    text(about);
    text(&lanes);
    bytes.push(flags);
    times.iter().for_each(|time| bytes.extend(time.to_le_bytes()));
    true
}

/// Reads what [`pack`] has written.
struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = self.take(2).try_into().expect("two bytes");
        self.take(u16::from_le_bytes(length).into())
    }

    fn text(&mut self) -> &'a str {
        str::from_utf8(self.bytes()).expect("it was packed as text")
    }

    fn time(&mut self) -> Option<DateTime<Utc>> {
        let ms = i64::from_le_bytes(self.take(8).try_into().expect("eight bytes"));
        if ms == NO_TIME { None } else { DateTime::from_timestamp_millis(ms) }
    }

    /// The entry; none where its plate is none, which no packed one is.
    fn entry(mut self) -> Option<Entry> {
        let plate = TypedPlate::parse(self.text()).ok()?;
        let (about, lanes, flags) = (self.text().to_owned(), self.text(), self.take(1)[0]);
        if flags & DENIED != 0 {
            return Some(Entry::Denied(Denial { plate, reason: about }));
        }
        Some(Entry::Permit(Permit {
            plate,
            holder: about,
            valid_from: self.time(),
            valid_until: self.time(),
            lanes: lanes.split_whitespace().filter_map(|lane| lane.parse().ok()).collect(),
            revoked: flags & REVOKED != 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn plate(text: &str) -> TypedPlate {
        TypedPlate::parse(text).unwrap()
    }

    fn permit(text: &str) -> Permit {
        Permit {
            plate: plate(text),
            holder: "Chen".into(),
            valid_from: None,
            valid_until: Some("2026-11-20T06:00:00Z".parse().unwrap()),
            lanes: vec!["entry".parse().unwrap(), "staff".parse().unwrap()],
            revoked: true,
        }
    }

    #[test]
    fn what_was_packed_is_found_again_as_it_was() {
        let denial = Denial { plate: plate("京A·0000D"), reason: "debts".into() };
        let gone = Change::Gone { kind: domain::access::Kind::Deny, plate: plate("京C1") };
        let entries = [Change::Permit(permit("京A·00000")), Change::Deny(denial.clone()), gone];
        let listed = Listed::new(7, entries);
        assert_eq!((listed.version(), listed.len()), (Some(7), 2));
        assert_eq!(listed.permits("京A00000").collect::<Vec<_>>(), [permit("京A·00000")]);
        assert_eq!(listed.denied("京A0000D"), Some(denial));
        assert_eq!((listed.denied("京A00000"), listed.permits("京A0000D").count()), (None, 0));
        let mut alike: Vec<_> = listed.alike("京AOOOOO").collect();
        alike.sort();
        assert_eq!(alike, ["京A00000", "京A0000D"]);
        assert_eq!(listed.alike("京C1").count(), 0);
        assert_eq!(Listed::default().alike("京A00000").count(), 0);
    }

    proptest! {
        #[test]
        fn it_finds_what_looking_at_every_entry_finds(
            plates in proptest::collection::hash_set("[A0O8B]{1,3}", 0..40), text in "[A0O8B]{1,3}",
        ) {
            let plates: Vec<_> = plates.into_iter().collect();
            let listed = Listed::new(1, plates.iter().map(|text| Change::Permit(permit(text))));
            let mut found: Vec<_> = listed.alike(&text).collect();
            found.sort();
            let key = look_alike_key(&text);
            let mut all: Vec<_> =
                plates.iter().filter(|plate| look_alike_key(plate) == key).cloned().collect();
            all.sort();
            prop_assert_eq!(found, all);
            prop_assert_eq!(listed.permits(&text).count(), usize::from(plates.contains(&text)));
        }
    }
}
