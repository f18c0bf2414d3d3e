//! What a conformance run found.

use std::fmt;

use serde::Serialize;

use super::Found;

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Passes,
    /// Not; and what was seen.
    Fails(String),
    /// It could not be tried; and why.
    NotTried(String),
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// The promise.
    pub promise: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// All checks, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The checks.
    pub lines: Vec<Line>,
}

impl Report {
    pub(super) fn add(&mut self, name: &'static str, promise: &'static str, found: Found) {
        let verdict = found.map_or_else(Verdict::Fails, |()| Verdict::Passes);
        self.lines.push(Line { name, promise, verdict });
    }

    pub(super) fn skip(&mut self, name: &'static str, promise: &'static str, why: &str) {
        self.lines.push(Line { name, promise, verdict: Verdict::NotTried(why.to_owned()) });
    }

    /// Whether nothing failed.
    pub fn passes(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The names of the checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &'static str> {
        let failed = self.lines.iter().filter(|line| matches!(line.verdict, Verdict::Fails(_)));
        failed.map(|line| line.name)
    }
}

/// A table for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { name, promise, verdict } in &self.lines {
            match verdict {
                Verdict::Passes => writeln!(f, "  ok    {name:<16} {promise}")?,
                Verdict::Fails(why) => {
                    writeln!(f, "  FAILS {name:<16} {promise}\n        {:16} {why}", "")?;
                }
                Verdict::NotTried(why) => {
                    writeln!(
                        f,
                        "  -     {name:<16} {promise}\n        {:16} not tried: {why}",
                        ""
                    )?;
                }
            }
        }
        let count = |wanted: fn(&Verdict) -> bool| {
            self.lines.iter().filter(|line| wanted(&line.verdict)).count()
        };
        let passed = count(|verdict| *verdict == Verdict::Passes);
        let failed = count(|verdict| matches!(verdict, Verdict::Fails(_)));
        writeln!(
            f,
            "{passed} pass, {failed} fail, {} not tried",
            self.lines.len() - passed - failed
        )
    }
}
