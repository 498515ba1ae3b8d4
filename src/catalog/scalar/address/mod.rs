//! `AddressKey`: a door plate (門牌) in one writing, at three levels: plate (`…號`), floor (`…樓`), unit
//! (`…之k`). This file holds the address and its keys; `read` holds the grammar, `numbers` its numbers.
//!
//! Canonical: `大安區復興南路1段36巷5弄12之1號3樓之2`. The key of a plate is a prefix of the keys of its floors,
//! and a floor's of its units'. Village and neighbourhood (里, 鄰) are attributes, not part of the key: they
//! change while the plate stays.

mod numbers;
mod prefix;
mod read;
#[cfg(test)]
mod tests;

use super::{Expected, district::District};

pub use prefix::street_of;
pub use read::{read_all, read_all_in};

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing written.
    Empty,
    /// Another city's address.
    OtherCity,
    /// Neither the text nor its context names one of the twelve districts.
    NoDistrict,
    /// No street, place or lane before the number.
    NoStreet,
    /// A street or lane without a door number.
    NoNumber,
    /// A number or sign at a place where the grammar has none.
    Unread,
    /// A range from high to low, or of more than [`MOST`] doors.
    BadRange,
    /// A range from a basement to a floor that may be above or below ground.
    EitherSide,
    /// Several addresses where one is wanted.
    Several,
    /// A character that an older encoding lost (`?`, `□`).
    LostCharacter,
}

/// Most addresses that one text may stand for; the longest real list has a few dozen.
pub const MOST: usize = 500;

impl Fault {
    /// What was expected, in both languages.
    pub fn expected(self) -> Expected {
        let (en, zh) = match self {
            Fault::Empty => (
                "a door plate such as \"臺北市大安區復興南路一段36號3樓\", not an empty text",
                "門牌，例如「臺北市大安區復興南路一段36號3樓」，不可空白",
            ),
            Fault::OtherCity => ("a door plate in 臺北市", "臺北市的門牌"),
            Fault::NoDistrict => (
                "a door plate that names its district, such as \"大安區復興南路一段36號\"",
                "含行政區的門牌，例如「大安區復興南路一段36號」",
            ),
            Fault::NoStreet => (
                "a street or place before the door number, such as \"大安區復興南路一段36號\"",
                "門牌號前有路街名之地址，例如「大安區復興南路一段36號」",
            ),
            Fault::NoNumber => (
                "a door number (號) after the street, such as \"大安區復興南路一段36號\"",
                "路街名後有門牌號之地址，例如「大安區復興南路一段36號」",
            ),
            Fault::Unread => (
                "a door plate: district, street, 段, 巷, 弄, 號, 樓, 之, such as \"大安區復興南路一段36巷5弄12號3樓之2\"",
                "門牌：行政區、路街、段、巷、弄、號、樓、之，例如「大安區復興南路一段36巷5弄12號3樓之2」",
            ),
            Fault::BadRange => (
                "a range of doors or floors from low to high, at most 500, such as \"2至5樓\"",
                "由小到大且至多 500 個的門牌或樓層範圍，例如「2至5樓」",
            ),
            Fault::EitherSide => (
                "a range of floors whose end says that it is below ground or above, such as \"B1至B2樓\" or \"B1樓至2樓\"",
                "迄樓寫明地上或地下之樓層範圍，例如「B1至B2樓」或「B1樓至2樓」",
            ),
            Fault::Several => ("one door plate, not a list or a range", "單一門牌，而非多個或範圍"),
            Fault::LostCharacter => (
                "a door plate with all its characters; this one holds a character that was lost (? or □)",
                "字元完整的門牌；此值含有遺失的字元（? 或 □）",
            ),
        };
        Expected { en, zh }
    }
}

/// Level of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A door (號).
    Plate,
    /// A floor of it (樓).
    Floor,
    /// A unit on the floor (之).
    Unit,
}

impl Level {
    /// As stored: `plate`, `floor`, `unit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Plate => "plate",
            Level::Floor => "floor",
            Level::Unit => "unit",
        }
    }
}

/// A door number: `12`, `12之1`, `臨12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plate {
    /// 臨: a provisional number.
    pub provisional: bool,
    /// The number before 號.
    pub number: u32,
    /// The number after 之.
    pub sub: Option<u32>,
}

/// A floor: above ground positive, below negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Floor {
    /// 1 is the ground floor, -1 the first basement.
    pub number: i32,
    /// 夾層 above this floor.
    pub mezzanine: bool,
}

/// One address, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// 行政區
    pub district: &'static District,
    /// 里, `碧山里`.
    pub village: Option<String>,
    /// 鄰
    pub neighbourhood: Option<u32>,
    /// 路, 街, 大道 or place name, folded, its number in Chinese: `致遠一路`. Empty where only a lane is named.
    pub street: String,
    /// 段
    pub section: Option<u32>,
    /// 巷: digits, or a name (`銀光`).
    pub lane: Option<String>,
    /// 弄
    pub alley: Option<String>,
    /// 號
    pub plate: Plate,
    /// 樓
    pub floor: Option<Floor>,
    /// 之, 室
    pub unit: Option<String>,
}

impl Address {
    /// How deep the address goes.
    pub fn level(&self) -> Level {
        match (&self.floor, &self.unit) {
            (_, Some(_)) => Level::Unit,
            (Some(_), None) => Level::Floor,
            (None, None) => Level::Plate,
        }
    }

    /// Street with its section, `復興南路1段`; empty where only a lane is named.
    pub fn street_name(&self) -> String {
        let section = self.section.map(|n| format!("{n}段")).unwrap_or_default();
        format!("{}{section}", self.street)
    }

    /// Key of the street with section, lane and alley: everything before the door number.
    pub fn street_key(&self) -> String {
        let mut key = format!("{}{}", self.district.name, self.street);
        for (value, word) in [
            (self.section.map(|n| n.to_string()).as_ref(), "段"),
            (self.lane.as_ref(), "巷"),
            (self.alley.as_ref(), "弄"),
        ] {
            if let Some(value) = value {
                key.push_str(value);
                key.push_str(word);
            }
        }
        key
    }

    /// Key of the door, `大安區復興南路1段36號`.
    pub fn plate_key(&self) -> String {
        let sub = self.plate.sub.map(|k| format!("之{k}")).unwrap_or_default();
        let provisional = if self.plate.provisional { "臨" } else { "" };
        format!("{}{provisional}{}{sub}號", self.street_key(), self.plate.number)
    }

    /// Key of the floor; none for a plate.
    pub fn floor_key(&self) -> Option<String> {
        self.floor.map(|floor| format!("{}{}", self.plate_key(), floor.text()))
    }

    /// The canonical key at the address's own level.
    pub fn key(&self) -> String {
        let floor = self.floor.map(Floor::text).unwrap_or_default();
        let unit = self.unit.as_ref().map(|k| format!("之{k}")).unwrap_or_default();
        format!("{}{floor}{unit}", self.plate_key())
    }

    /// As people write it: `臺北市` and the key.
    pub fn text(&self) -> String {
        format!("臺北市{}", self.key())
    }
}

impl Floor {
    /// `3樓`, `B1樓`, `3樓夾層`
    pub fn text(self) -> String {
        let mezzanine = if self.mezzanine { "夾層" } else { "" };
        match self.number {
            n @ ..0 => format!("B{}樓{mezzanine}", -n),
            n => format!("{n}樓{mezzanine}"),
        }
    }
}

/// Reads exactly one address that names its district.
pub fn read_one(text: &str) -> Result<Address, Fault> {
    let mut all = read_all(text)?;
    match (all.pop(), all.is_empty()) {
        (Some(address), true) => Ok(address),
        _ => Err(Fault::Several),
    }
}

/// Reads exactly one address to its canonical key.
pub fn parse_key(text: &str) -> Result<String, Expected> {
    read_one(text).map(|address| address.key()).map_err(Fault::expected)
}
