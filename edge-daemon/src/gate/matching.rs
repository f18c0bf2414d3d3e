//! Plates that are known, found again by a reading that may be wrong in what looks alike.
//!
//! The same text always wins. A reading that differs by look-alikes alone stands for a known plate
//! only where there is exactly one such plate; with two, nobody can say which it is.

use std::collections::HashMap;

use domain::{
    event::Candidate,
    plate::{look_alike_key, similarity},
};

/// Values by plate (normal form), several for one plate where need be.
#[derive(Debug, Clone)]
pub(super) struct Book<T> {
    by_key: HashMap<String, Vec<(String, T)>>,
}

impl<T> Default for Book<T> {
    fn default() -> Self {
        Self { by_key: HashMap::new() }
    }
}

impl<T> Book<T> {
    pub fn insert(&mut self, plate: String, value: T) {
        self.by_key.entry(look_alike_key(&plate)).or_default().push((plate, value));
    }

    pub fn remove(&mut self, plate: &str, is_it: impl Fn(&T) -> bool) {
        let key = look_alike_key(plate);
        if let Some(entries) = self.by_key.get_mut(&key) {
            entries.retain(|(known, value)| known != plate || !is_it(value));
            if entries.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// What is known of exactly this plate.
    pub fn of<'a>(&'a self, plate: &'a str) -> impl Iterator<Item = &'a T> {
        self.entries(plate).filter(move |(known, _)| known == plate).map(|(_, value)| value)
    }

    /// Known plates that look like this one, itself included.
    pub fn alike<'a>(&'a self, plate: &str) -> impl Iterator<Item = &'a str> + use<'a, T> {
        self.entries(plate).map(|(known, _)| known.as_str())
    }

    fn entries(&self, plate: &str) -> impl Iterator<Item = &(String, T)> + use<'_, T> {
        self.by_key.get(&look_alike_key(plate)).into_iter().flatten()
    }
}

impl<T> FromIterator<(String, T)> for Book<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        let mut book = Self::default();
        entries.into_iter().for_each(|(plate, value)| book.insert(plate, value));
        book
    }
}

/// What a reading stands for among the known plates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Identified {
    /// The plate it stands for: a known one, or the reading itself where none looks like it. None
    /// where several do.
    pub plate: Option<String>,
    /// The known plates that look like it, best first, each once.
    pub candidates: Vec<Candidate>,
}

impl Identified {
    /// As if nothing looked like anything: the reading stands for itself.
    pub fn exactly(self, text: &str) -> Self {
        let candidates = self.candidates.into_iter().filter(|known| known.plate == text);
        Self { plate: Some(text.to_owned()), candidates: candidates.collect() }
    }
}

/// Identifies the reading `text` (normal form) among `known` plates that look like it.
pub(super) fn identify<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Identified {
    let mut candidates: Vec<Candidate> = Vec::new();
    for plate in known {
        let score = similarity(text, plate);
        if let Some(score) = score.filter(|_| candidates.iter().all(|c| c.plate != plate)) {
            candidates.push(Candidate { plate: plate.to_owned(), score });
        }
    }
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.plate.cmp(&b.plate)));
    let plate = match candidates.as_slice() {
        [] => Some(text.to_owned()),
        [only] => Some(only.plate.clone()),
        [best, ..] => (best.plate == text).then(|| text.to_owned()),
    };
    Identified { plate, candidates }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn identified(text: &str, known: &[&str]) -> (Option<String>, Vec<String>) {
        let book: Book<()> = known.iter().map(|plate| (plate.to_string(), ())).collect();
        let found = identify(text, book.alike(text));
        (found.plate, found.candidates.into_iter().map(|c| c.plate).collect())
    }

    #[test]
    fn the_same_text_wins_over_every_look_alike() {
        let (plate, candidates) = identified("京A8888B", &["京A88888", "京A8888B", "京AB8888"]);
        assert_eq!(plate.unwrap(), "京A8888B");
        assert_eq!(candidates[0], "京A8888B");
        assert_eq!(candidates.len(), 3);
    }

    #[test]
    fn one_look_alike_is_taken_and_two_are_not() {
        assert_eq!(identified("京A0123D", &["京A01230"]).0.unwrap(), "京A01230");
        let (plate, candidates) = identified("京A0123D", &["京A01230", "京AO1230"]);
        assert_eq!(plate, None);
        assert_eq!(candidates, ["京A01230", "京AO1230"], "the one with fewer confusions first");
    }

    #[test]
    fn a_plate_on_two_lists_is_one_candidate() {
        assert_eq!(identified("京A0123D", &["京A01230", "京A01230"]).0.unwrap(), "京A01230");
    }

    #[test]
    fn an_unknown_reading_stands_for_itself() {
        assert_eq!(identified("京C12345", &["京A12345"]), (Some("京C12345".into()), vec![]));
    }

    #[test]
    fn what_is_removed_is_not_found() {
        let mut book: Book<u8> = [("A1".to_owned(), 1), ("A1".to_owned(), 2)].into_iter().collect();
        book.remove("A1", |value| *value == 1);
        assert_eq!(book.of("A1").collect::<Vec<_>>(), [&2]);
        book.remove("A1", |_| true);
        assert!(book.by_key.is_empty());
    }
}
