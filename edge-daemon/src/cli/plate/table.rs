//! Reports as an aligned table, a line per plate and per vehicle.

use super::report::{Plate, Report, Vehicle};

const PLATE_WIDTH: usize = 12;
const MAX_FILE_WIDTH: usize = 60;

/// The layout of a table whose first column holds file names.
#[derive(Debug)]
pub struct Table {
    file_width: usize,
}

impl Table {
    /// A table for these file names.
    pub fn new<'a>(files: impl Iterator<Item = &'a str>) -> Self {
        let widest = files.map(width).max().unwrap_or(0);
        Self { file_width: widest.clamp(4, MAX_FILE_WIDTH) }
    }

    /// The columns' names.
    pub fn header(&self) -> String {
        self.row("file", "plate", "sure", "kind", "region", "ms", "box")
    }

    /// The report's lines.
    pub fn rows(&self, report: &Report) -> Vec<String> {
        match report {
            Report::Failure { file, error } => {
                vec![format!("{}  {error}", pad(file, self.file_width))]
            }
            Report::Picture { file, plates, vehicles, ms } => {
                let took = format!("{:.1}", ms.detect + ms.read);
                let mut rows: Vec<_> =
                    plates.iter().map(|plate| self.plate(file, plate, &took)).collect();
                if rows.is_empty() {
                    rows.push(self.row(file, "–", "", "", "", &took, ""));
                }
                let took = format!("{:.1}", ms.vehicles);
                rows.extend(vehicles.iter().map(|vehicle| self.vehicle(file, vehicle, &took)));
                rows
            }
        }
    }

    fn plate(&self, file: &str, plate: &Plate, ms: &str) -> String {
        let text = if plate.text.is_empty() { "?" } else { &plate.text };
        let sure = format!("{:.3}", plate.confidence);
        self.row(file, text, &sure, plate.kind, plate.region, ms, &place(plate.bounds))
    }

    fn vehicle(&self, file: &str, vehicle: &Vehicle, ms: &str) -> String {
        let sure = format!("{:.3}", vehicle.confidence);
        self.row(file, vehicle.class, &sure, "", "", ms, &place(vehicle.bounds))
    }

    #[expect(clippy::too_many_arguments, reason = "one per column")]
    fn row(
        &self,
        file: &str,
        plate: &str,
        sure: &str,
        kind: &str,
        region: &str,
        ms: &str,
        bounds: &str,
    ) -> String {
        let (file, plate) = (pad(file, self.file_width), pad(plate, PLATE_WIDTH));
        format!("{file}  {plate}  {sure:>5}  {kind:<6}  {region:<6}  {ms:>6}  {bounds}")
            .trim_end()
            .to_owned()
    }
}

fn place([x1, y1, x2, y2]: [f64; 4]) -> String {
    format!("{x1:.0},{y1:.0} {x2:.0},{y2:.0}")
}

fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The columns that `text` takes in a terminal.
fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// East Asian wide and full-width characters (UAX #11), as far as plates and file names have them.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::plate::report::Milliseconds;

    fn report(file: &str, text: &str) -> Report {
        let plate = Plate {
            text: text.to_owned(),
            confidence: 0.9876,
            characters: Vec::new(),
            bounds: [1.2, 3.4, 5.6, 7.8],
            corners: [[0.0; 2]; 4],
            kind: "blue",
            region: "cn",
        };
        let ms = Milliseconds { detect: 12.34, read: 2.5, ..Milliseconds::default() };
        Report::Picture { file: file.to_owned(), plates: vec![plate], vehicles: Vec::new(), ms }
    }

    #[test]
    fn columns_stand_under_each_other_with_chinese_characters_too() {
        let table = Table::new(["a.jpg", "门口.jpg"].into_iter());
        let latin = table.rows(&report("a.jpg", "AB123CD"));
        let chinese = table.rows(&report("门口.jpg", "京A12345"));
        assert_eq!(latin, ["a.jpg     AB123CD       0.988  blue    cn        14.8  1,3 6,8"]);
        assert_eq!(chinese, ["门口.jpg  京A12345      0.988  blue    cn        14.8  1,3 6,8"]);
        assert!(table.header().starts_with("file      plate         "));
    }

    #[test]
    fn a_vehicle_has_a_line_below_the_plates() {
        let bounds = [1.0, 2.0, 30.0, 40.0];
        let vehicles = vec![Vehicle { class: "motorcycle", confidence: 0.5, bounds }];
        let ms = Milliseconds { vehicles: 7.0, ..Milliseconds::default() };
        let file = "a.jpg".to_owned();
        let rows = Table::new(["a.jpg"].into_iter()).rows(&Report::Picture {
            file,
            plates: Vec::new(),
            vehicles,
            ms,
        });
        let columns: Vec<_> = rows[1].split_whitespace().collect();
        assert_eq!(columns, ["a.jpg", "motorcycle", "0.500", "7.0", "1,2", "30,40"]);
        assert!(rows[0].starts_with("a.jpg  –") && rows.len() == 2);
    }
}
