//! What one who watches spots tells the others who do, whichever instance they are at. It is told
//! once and to those who are there; how the spot is stands in the database.

use uuid::Uuid;

use crate::{base::Base, parking::SpotStatus};

/// A spot that somebody has set by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotNews {
    /// Who did, so that nobody hears his own.
    pub from: Uuid,
    /// Its number.
    pub spot_id: i64,
    /// How it is now.
    pub status: SpotStatus,
}

impl SpotNews {
    fn to_text(self) -> String {
        format!("{} {} {}", self.from, self.spot_id, self.status.as_str())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut next = || words.next();
        Some(Self {
            from: next()?.parse().ok()?,
            spot_id: next()?.parse().ok()?,
            status: next()?.parse().ok()?,
        })
    }
}

impl Base {
    /// Tells everybody who watches spots.
    pub(crate) fn tell(&self, news: SpotNews) {
        // Nobody else listening is no failure.
        let _ = self.news.send(news);
        if let Some(instance) = self.instance.get() {
            instance.tell(news.to_text());
        }
    }

    /// Another instance has told something.
    pub(crate) fn heard(&self, text: &str) {
        match SpotNews::parse(text) {
            Some(news) => drop(self.news.send(news)),
            // Of what this version does not know, it knows that something is different.
            None => self.changed_elsewhere(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_arrive_as_they_were_told() {
        let news = SpotNews { from: Uuid::from_u128(7), spot_id: 12, status: SpotStatus::Reserved };
        assert_eq!(SpotNews::parse(&news.to_text()), Some(news));
        for text in ["", "x", "spot 1 2", "00000000-0000-0000-0000-000000000007 12"] {
            assert_eq!(SpotNews::parse(text), None, "{text}");
        }
    }
}
