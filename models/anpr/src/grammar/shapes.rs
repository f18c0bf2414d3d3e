//! The formats themselves, one line each.

use super::{Region, twins};
use crate::Kind::{self, Black, Blue, Green, Other, White, Yellow};

/// One format. In `pattern`, `P` is a province, `L` a Chinese plate's letter (never I or O), `N` such
/// a letter or a digit, `V` the letter of a new-energy vehicle, `D` a digit, `d` one of a
/// Russian region, `R` a letter that Cyrillic and Latin share, `A` any Latin letter; everything else stands for itself.
pub(super) struct Shape {
    pub region: Region,
    pattern: &'static str,
    pub kinds: &'static [Kind],
    /// How likely it is among the formats, up to a factor.
    pub prior: f64,
}

/// Who mends more characters than this finds a plate in every text.
const MOST_MENDED: usize = 2;

const PROVINCES: &str = "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新";
const RUSSIAN: &str = "ABEKMHOPCTYX";

impl Shape {
    pub fn fits(&self, text: &[char]) -> bool {
        let fits = self.pattern.chars().zip(text).all(|(class, c)| allows(class, *c));
        self.pattern.chars().count() == text.len() && fits && self.fits_whole(text)
    }

    /// `text` with look-alikes where it does not fit, if it fits then.
    pub fn mend(&self, text: &[char]) -> Option<Vec<char>> {
        if self.pattern.chars().count() != text.len() {
            return None;
        }
        let mended = self.pattern.chars().zip(text).map(|(class, c)| {
            std::iter::once(*c).chain(twins(*c)).find(|twin| allows(class, *twin))
        });
        let mended: Vec<char> = mended.collect::<Option<_>>()?;
        let changed = mended.iter().zip(text).filter(|(a, b)| a != b).count();
        (changed <= MOST_MENDED && self.fits_whole(&mended)).then_some(mended)
    }

    /// What cannot be said place by place: Russian numbers start at 001, and regions exist.
    fn fits_whole(&self, text: &[char]) -> bool {
        let area = self.pattern.chars().filter(|class| *class == 'd').count();
        let (number, area) = text.split_at(text.len() - area);
        let is_zero = |part: &[char]| part.iter().all(|c| !c.is_ascii_digit() || *c == '0');
        match area {
            [] => true,
            [first, _, _] if !"12579".contains(*first) => false,
            _ => !is_zero(number) && !is_zero(area),
        }
    }
}

fn allows(class: char, c: char) -> bool {
    match class {
        'P' => PROVINCES.contains(c),
        'L' => c.is_ascii_uppercase() && c != 'I' && c != 'O',
        'N' => c.is_ascii_digit() || allows('L', c),
        'V' => "ABCDEFGHJK".contains(c),
        'D' | 'd' => c.is_ascii_digit(),
        'R' => RUSSIAN.contains(c),
        'A' => c.is_ascii_uppercase(),
        _ => class == c,
    }
}

const fn cn(pattern: &'static str, kinds: &'static [Kind], prior: f64) -> Shape {
    Shape { region: Region::Cn, pattern, kinds, prior }
}

const fn ru(pattern: &'static str, kinds: &'static [Kind], prior: f64) -> Shape {
    Shape { region: Region::Ru, pattern, kinds, prior }
}

const fn eu(pattern: &'static str) -> Shape {
    Shape { region: Region::Eu, pattern, kinds: &[White, Yellow, Black, Other], prior: 0.6 }
}

pub(super) const SHAPES: &[Shape] = &[
    // Ordinary; new energy, small and large; learner, trailer, police, consulate.
    cn("PLNNNNN", &[Blue, Yellow, Black], 1.0),
    cn("PLVNDDDD", &[Green], 1.0),
    cn("PLDDDDDV", &[Green], 1.0),
    cn("PLNNNN学", &[Yellow], 1.0),
    cn("PLNNNN挂", &[Yellow], 1.0),
    cn("PLNNNN警", &[White], 1.0),
    cn("PONNNN警", &[White], 1.0),
    cn("PLNNNN领", &[Black], 1.0),
    // Across the border; embassy; civil aviation; fire and rescue; army.
    cn("PLNNNN港", &[Black], 1.0),
    cn("PLNNNN澳", &[Black], 1.0),
    cn("使DDDDDD", &[Black], 1.0),
    cn("DDDDDD使", &[Black], 1.0),
    cn("民航LNNNN", &[White, Green], 1.0),
    cn("PXLDDD应急", &[White], 1.0),
    cn("LLNNNNN", &[White], 0.3),
    // Ordinary; taxi; trailer; police; army and motorcycle; transit.
    ru("RDDDRRdd", &[White], 1.0),
    ru("RDDDRRddd", &[White], 1.0),
    ru("RRDDDdd", &[Yellow], 1.0),
    ru("RRDDDddd", &[Yellow], 1.0),
    ru("RRDDDDdd", &[White], 0.5),
    ru("RDDDDdd", &[Blue], 1.0),
    ru("RDDDDddd", &[Blue], 1.0),
    ru("DDDDRRdd", &[Black, White], 0.8),
    ru("DDDDRRddd", &[Black, White], 0.8),
    ru("RRDDDRdd", &[White], 0.8),
    // Two letters, three digits, two letters: France, Italy, Slovakia and others; then Germany.
    eu("AADDDAA"),
    eu("AADDDD"),
    eu("AAADDD"),
    eu("AAADDDD"),
    eu("AAAADD"),
    eu("AAAADDD"),
    eu("AAAADDDD"),
    eu("AAAAADDD"),
    eu("AAADD"),
    eu("ADDDD"),
    eu("AADDDDD"),
    eu("AADDDDDD"),
    // Britain, Spain, Netherlands, Portugal, Czechia, Poland, Scandinavia, the Baltic and others.
    eu("AADDAAA"),
    eu("DDDDAAA"),
    eu("DDAAAD"),
    eu("DDDAAD"),
    eu("DAAADD"),
    eu("ADDDAA"),
    eu("AADDDA"),
    eu("AADDAA"),
    eu("DDAADD"),
    eu("DADDDDD"),
    eu("DAADDDD"),
    eu("AADDDDA"),
    eu("AAADDDA"),
    eu("AAADDA"),
    eu("ADDDDDA"),
    eu("ADDDDDD"),
    eu("DAAADDD"),
    eu("DDDAAA"),
    eu("DDDAA"),
    eu("ADDDAAA"),
    eu("ADDDDAA"),
    eu("AADDDAAA"),
    eu("AADDAAAA"),
    eu("AADDDDAA"),
    eu("DDAADDD"),
];
