//! Kinds of vehicles, as the hz document counts them.

/// A kind of vehicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VehicleType {
    /// 轿车
    Car,
    /// 货车
    Truck,
    /// SUV
    Suv,
    /// 摩托车
    Motorcycle,
    /// 客车
    Bus,
    /// 面包车
    Mpv,
}

impl VehicleType {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Car, Self::Truck, Self::Suv, Self::Motorcycle, Self::Bus, Self::Mpv];

    /// The word for it, as it is kept.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Truck => "truck",
            Self::Suv => "suv",
            Self::Motorcycle => "motorcycle",
            Self::Bus => "bus",
            Self::Mpv => "mpv",
        }
    }

    /// The kind by its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind that a word of people means, where it is one of those that are counted.
    pub fn meant(word: &str) -> Option<Self> {
        Some(match word.trim().to_lowercase().as_str() {
            "car" | "sedan" | "hatchback" | "coupe" | "轿车" | "小型汽车" | "小汽车"
            | "新能源汽车" => Self::Car,
            "truck" | "pickup" | "lorry" | "货车" | "大型汽车" => Self::Truck,
            "suv" | "jeep" | "越野车" => Self::Suv,
            "motorcycle" | "motorbike" | "bike" | "摩托车" => Self::Motorcycle,
            "bus" | "coach" | "客车" => Self::Bus,
            "mpv" | "van" | "minivan" | "面包车" => Self::Mpv,
            _ => return None,
        })
    }

    /// A kind as it is kept; a word of a later program is none.
    pub(crate) fn kept(word: Option<String>) -> Option<Self> {
        word.as_deref().and_then(Self::named)
    }
}
