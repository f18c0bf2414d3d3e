//! What the names of somebody else's classes mean here.

use crate::VehicleClass;
use crate::detect::Kind;

/// Nobody tells more classes apart.
const MOST_CLASSES: usize = 1000;

/// What a class of plates says beside that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlateClass {
    pub kind: Option<Kind>,
    pub two_lines: bool,
}

impl PlateClass {
    /// A class of which nothing is known but that it is a plate.
    pub const PLAIN: Self = Self { kind: None, two_lines: false };

    /// The class of this name, where it is one of plates: its name holds `plate`, or is a colour,
    /// `single` or `double`.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let colours = [Kind::Blue, Kind::Green, Kind::Yellow, Kind::White, Kind::Black];
        let kind = colours.into_iter().find(|kind| name.contains(kind.as_str()));
        let two_lines = name.contains("double") || name.contains("two");
        let is_whole = kind.is_some_and(|kind| name == kind.as_str())
            || matches!(name.as_str(), "single" | "double");
        (name.contains("plate") || is_whole).then_some(Self { kind, two_lines })
    }
}

/// The class of vehicles that a name means, if any.
pub(crate) fn vehicle_class(name: &str) -> Option<VehicleClass> {
    Some(match name.to_lowercase().as_str() {
        "car" | "van" | "taxi" | "suv" | "pickup" => VehicleClass::Car,
        "motorcycle" | "motorbike" | "scooter" | "moped" => VehicleClass::Motorcycle,
        "bus" | "minibus" | "coach" => VehicleClass::Bus,
        "truck" | "lorry" => VehicleClass::Truck,
        _ => return None,
    })
}

/// The names of classes as exporters note them: `{0: 'car', 1: "driver's cab"}`, or a list. None
/// where it is neither.
pub(crate) fn class_names(note: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut rest = note.trim();
    while let Some(start) = rest.find(['\'', '"']) {
        let (before, quoted) = rest.split_at(start);
        let key: String = before.chars().filter(char::is_ascii_digit).collect();
        let is_next = key.is_empty() || key.parse() == Ok(names.len());
        if !is_next || names.len() == MOST_CLASSES {
            return None;
        }
        let quote = quoted.chars().next()?;
        let (name, after) = quoted[1..].split_once(quote)?;
        names.push(name.to_owned());
        rest = after;
    }
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_dictionaries_and_lists() {
        let of = |note| class_names(note).unwrap_or_default();
        assert_eq!(of("{0: 'person', 1: \"driver's cab\", 2: 'car'}")[1], "driver's cab");
        assert_eq!(of("[\"car\", 'bus']"), ["car", "bus"]);
        for bad in ["", "{}", "{1: 'car'}", "{0: 'car', 2: 'bus'}", "{0: 'car", "car, bus"] {
            assert_eq!(class_names(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_of_vehicles_and_plates_are_known_by_their_usual_words() {
        assert_eq!(vehicle_class("Motorbike"), Some(VehicleClass::Motorcycle));
        assert_eq!(vehicle_class("carrot"), None);
        let blue = PlateClass { kind: Some(Kind::Blue), two_lines: false };
        assert_eq!(PlateClass::named("Blue"), Some(blue));
        let yellow = PlateClass { kind: Some(Kind::Yellow), two_lines: true };
        assert_eq!(PlateClass::named("double_yellow_plate"), Some(yellow));
        assert_eq!(PlateClass::named("License_Plate"), Some(PlateClass::PLAIN));
        assert_eq!(PlateClass::named("white car"), None);
    }
}
