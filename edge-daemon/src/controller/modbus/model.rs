//! What the registers of a model mean, as data: a new model is a file. Those that come with the
//! program are in `models/`; another one is named by its path.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

/// The models that come with the program: their names in the configuration, and their files.
const KNOWN: [(&str, &str); 3] = [
    ("eastron-sdm630", include_str!("models/eastron-sdm630.toml")),
    ("heidelberg-energy-control", include_str!("models/heidelberg-energy-control.toml")),
    ("viridian-epc2-plus", include_str!("models/viridian-epc2-plus.toml")),
];
const MAX_FILE_BYTES: u64 = 64 << 10;

/// What a model can do, and by which registers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// For people.
    pub name: String,
    /// Where its registers are documented.
    pub sources: Vec<String>,
    /// How its line is set when it leaves the factory.
    pub line: Line,
    /// For one that charges.
    pub charger: Option<ChargerMap>,
    /// For one that measures.
    pub meter: Option<MeterMap>,
}

/// How a line is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// In bit/s.
    pub baud: u32,
    /// The parity bit.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// The parity bit of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// No such bit.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// One value in one or more registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Which table.
    pub table: Table,
    /// As on the wire, from 0.
    pub address: u16,
    /// How it is written.
    pub kind: Kind,
}

/// A table of registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Can be read alone.
    Input,
    /// Can be read and written.
    Holding,
}

/// How a value is written; two registers have the high word first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One register.
    U16,
    /// Two registers.
    U32,
    /// Two registers, IEEE 754.
    F32,
}

/// The registers of a charger.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargerMap {
    /// Whether a car is there.
    pub state: StateMap,
    /// What is wrong; without it, what its state says.
    pub error: Option<ErrorMap>,
    /// The most that a car may take.
    pub limit: CurrentMap,
    /// Whether a car may take anything, where a limit of 0 does not say so.
    pub enable: Option<Switch>,
    /// What it does by itself when it is told nothing; without it, nothing.
    pub fall_back: Option<FallBack>,
    /// What is written before all else.
    #[serde(default)]
    pub setup: Vec<Setup>,
}

/// The values of a charger's state.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateMap {
    /// Where it is.
    pub register: Register,
    /// No car.
    pub free: Vec<u16>,
    /// A car that takes nothing.
    pub plugged: Vec<u16>,
    /// A car that takes energy.
    pub charging: Vec<u16>,
    /// What is wrong, by value.
    #[serde(default)]
    pub fault: BTreeMap<String, String>,
}

/// A register that is 0 while nothing is wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorMap {
    /// Where it is.
    pub register: Register,
}

/// A current that can be set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrentMap {
    /// Where it is.
    pub register: Register,
    /// What one ampere is there.
    pub per_ampere: u32,
}

/// Something that is on or off.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Where it is.
    pub register: Register,
    /// Its value for on.
    pub on: u16,
    /// Its value for off.
    pub off: u16,
}

/// What a charger does by itself when it is told nothing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallBack {
    /// After how long.
    pub after: Register,
    /// What one second is there.
    pub per_second: u32,
    /// The most that it lets a car take then.
    pub current: Register,
    /// What one ampere is there.
    pub per_ampere: u32,
}

/// A value that is written before all else.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// Where.
    pub register: Register,
    /// What.
    pub value: u16,
}

/// The registers of a meter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterMap {
    /// Counts for ever.
    pub energy: Option<EnergyMap>,
    /// What flows.
    pub current: Option<PhasesMap>,
}

/// A register that counts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyMap {
    /// Where it is.
    pub register: Register,
    /// Watt-hours that one there is.
    pub unit_wh: f64,
}

/// The current of each phase, one behind the other.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhasesMap {
    /// Where the first is.
    pub register: Register,
    /// How many there are.
    pub phases: u16,
    /// Milliamperes that one there is.
    pub unit_ma: f64,
}

impl Kind {
    /// Registers that a value takes.
    pub const fn words(self) -> u16 {
        match self {
            Self::U16 => 1,
            Self::U32 | Self::F32 => 2,
        }
    }
}

impl Model {
    /// What it is for the rest of the site: a charger, also where it meters, else a meter.
    pub(in crate::controller) const fn kind(&self) -> crate::controller::Kind {
        match self.charger {
            Some(_) => crate::controller::Kind::Charger,
            None => crate::controller::Kind::Meter,
        }
    }

    /// The model of a name, or of a file where that is an absolute path.
    ///
    /// # Errors
    /// What is wrong with it, and which there are.
    pub fn find(name: &str) -> Result<Self, String> {
        if let Some((_, text)) = KNOWN.iter().find(|(known, _)| *known == name) {
            return Self::parse(text);
        }
        if !Path::new(name).is_absolute() {
            let known: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).collect();
            return Err(format!(
                "`{name}` is no model: use {}, or the absolute path of a file like those",
                known.join(", ")
            ));
        }
        let length = fs::metadata(name).map_err(|error| format!("cannot open {name}: {error}"))?;
        if length.len() > MAX_FILE_BYTES {
            return Err(format!("{name} is longer than {MAX_FILE_BYTES} bytes"));
        }
        let text =
            fs::read_to_string(name).map_err(|error| format!("cannot read {name}: {error}"))?;
        Self::parse(&text).map_err(|fault| format!("{name}: {fault}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let model: Self = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<(), String> {
        let wrong =
            |is_wrong: bool, what: &str| if is_wrong { Err(what.to_owned()) } else { Ok(()) };
        wrong(self.sources.is_empty(), "sources is empty: say where the registers are documented")?;
        wrong(!(1..=2).contains(&self.line.stop_bits), "line.stop_bits: use 1 or 2")?;
        wrong(self.charger.is_none() && self.meter.is_none(), "it has neither charger nor meter")?;
        if let Some(meter) = &self.meter {
            let unit = |unit: f64| unit.is_finite() && unit > 0.0;
            wrong(meter.energy.as_ref().is_some_and(|e| !unit(e.unit_wh)), "meter.energy.unit_wh")?;
            let bad = |c: &PhasesMap| !unit(c.unit_ma) || !(1..=3).contains(&c.phases);
            wrong(meter.current.as_ref().is_some_and(bad), "meter.current: use 1 to 3 phases")?;
        }
        self.charger.as_ref().map_or(Ok(()), ChargerMap::check)
    }
}

impl ChargerMap {
    fn check(&self) -> Result<(), String> {
        let fall_back = self.fall_back.iter();
        let scales =
            fall_back.clone().flat_map(|fall_back| [fall_back.per_second, fall_back.per_ampere]);
        if scales.chain([self.limit.per_ampere]).any(|scale| scale == 0) {
            return Err("per_ampere and per_second are more than 0".to_owned());
        }
        let written = fall_back.flat_map(|fall_back| [fall_back.after, fall_back.current]);
        let written = written.chain([self.limit.register]);
        let written = written.chain(self.enable.iter().map(|enable| enable.register));
        let mut written = written.chain(self.setup.iter().map(|setup| setup.register));
        if written.any(|register| register.table != Table::Holding || register.kind == Kind::F32) {
            return Err("what is written is a holding register of kind u16 or u32".to_owned());
        }
        let bad = self.state.fault.keys().find(|key| key.parse::<u16>().is_err());
        bad.map_or(Ok(()), |key| {
            Err(format!("charger.state.fault: `{key}` is no value of a register"))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn those_that_come_with_the_program_are_good() {
        for (name, _) in KNOWN {
            let model = Model::find(name).unwrap();
            assert!(model.sources.iter().all(|source| source.len() > 20), "{name}");
        }
    }

    #[test]
    fn another_one_is_a_file_and_what_is_wrong_with_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let name = path.to_str().unwrap();
        let good = KNOWN[1].1;
        fs::write(&path, good).unwrap();
        assert_eq!(Model::find(name), Model::find("heidelberg-energy-control"));
        for (from, to, named) in [
            ("kind = \"u16\"", "kind = \"u17\"", "unknown variant `u17`"),
            ("per_ampere = 10", "per_ampere = 0", "more than 0"),
            ("address = 261", "address = 65536", "65536"),
            (
                "table = \"holding\", address = 261",
                "table = \"input\", address = 261",
                "holding register",
            ),
            ("11 = ", "x = ", "`x` is no value"),
            ("sources = [", "sources = []\nothers = [", "others"),
        ] {
            assert!(good.contains(from), "{from}");
            fs::write(&path, good.replacen(from, to, 1)).unwrap();
            let fault = Model::find(name).unwrap_err();
            assert!(fault.contains(named) && fault.contains("mine.toml"), "{fault}");
        }
        let fault = Model::find("mine").unwrap_err();
        assert!(fault.contains("heidelberg-energy-control"), "{fault}");
    }
}
