//! Readers: a text in, a value with parts out. They are named after the scalars and use them; a mapping says
//! which one a value needs. Writing values into columns is left to `column`.

use regex::Regex;

use super::roads;
use super::unit::{Unit, one_number};
use crate::catalog::scalar::address::{self, Address};
use crate::catalog::scalar::district::{self, District};
use crate::catalog::scalar::{
    Expected, building_number, company_number, date, national_id, parcel_number, permit_number, writing,
};

/// A value: what it is as a whole, and its parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The whole.
    pub main: Option<String>,
    /// Parts by name.
    pub parts: Vec<(&'static str, String)>,
    /// Named groups of a pattern, and given columns of a lookup.
    pub named: Vec<Option<String>>,
}

impl Reading {
    /// A value without parts.
    pub fn plain(main: String) -> Reading {
        Reading { main: Some(main), ..Reading::default() }
    }

    /// A part by name.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(part, _)| *part == name).map(|(_, value)| value.as_str())
    }
}

/// A reader.
#[derive(Debug, Clone)]
pub enum Reader {
    /// As it is, without spaces around it.
    Text,
    /// Whole number; thousands may have commas.
    Int,
    /// Exact number, with or without a unit (`783㎡`, `49.56M`).
    Decimal,
    /// Day.
    Date,
    /// Month, `2021-03`.
    Month,
    /// National id.
    NationalId,
    /// National id or company number.
    OwnerId,
    /// Permit number; parts `year`, `word`, `number`.
    PermitNumber,
    /// Parcel number alone.
    ParcelNumber,
    /// Building number alone.
    BuildingNumber,
    /// Parcel with its section.
    Parcel,
    /// Building number with its section.
    Building,
    /// Exactly one door plate.
    Address,
    /// One or more door plates.
    Addresses,
    /// Street with its section, out of a place; empty for bare land. Its parts are empty unless all of the road lies in
    /// one district.
    Street,
    /// District by name, household code or land town code.
    District,
    /// `63000010-002` or `63000010002`.
    VillageCode,
    /// `地上3樓` → 3, `地下1樓` → -1; empty for what is neither.
    FloorNumber,
    /// Sum of whole numbers: `2+1`.
    Sum,
    /// Regular expression.
    Pattern(Box<Regex>),
}

const ADDRESS_PARTS: &[&str] = &[
    "plate_key",
    "level",
    "text",
    "street",
    "street_key",
    "floor",
    "unit",
    "district",
    "district_code",
    "village",
    "neighbourhood_no",
];
const SECTION_PARTS: &[&str] = &["district", "district_code", "section", "small_section", "number"];

const EXPECTED_DISTRICT: Expected = Expected {
    en: "a district of 臺北市 by name or code, such as \"大安區\" or \"63000030\"",
    zh: "臺北市行政區名稱或代碼，例如「大安區」或「63000030」",
};
const EXPECTED_VILLAGE: Expected = Expected {
    en: "a village code of eleven digits such as \"63000010002\"",
    zh: "十一碼村里代碼，例如「63000010002」",
};
const EXPECTED_PATTERN: Expected =
    Expected { en: "a text of the form that the mapping's pattern describes", zh: "符合對應檔樣式的文字" };
const EXPECTED_INT: Expected = Expected { en: "a whole number such as 14", zh: "整數，例如 14" };

impl Reader {
    /// The reader of that name in the mapping language.
    pub fn find(name: &str) -> Option<Reader> {
        Some(match name {
            "text" => Reader::Text,
            "int" => Reader::Int,
            "decimal" => Reader::Decimal,
            "date" => Reader::Date,
            "month" => Reader::Month,
            "national_id" => Reader::NationalId,
            "owner_id" => Reader::OwnerId,
            "permit_number" => Reader::PermitNumber,
            "parcel_number" => Reader::ParcelNumber,
            "building_number" => Reader::BuildingNumber,
            "parcel" => Reader::Parcel,
            "building" => Reader::Building,
            "address" => Reader::Address,
            "addresses" => Reader::Addresses,
            "street" => Reader::Street,
            "district" => Reader::District,
            "village_code" => Reader::VillageCode,
            "floor_number" => Reader::FloorNumber,
            "sum" => Reader::Sum,
            _ => return None,
        })
    }

    /// Every name that [`Reader::find`] knows.
    pub const NAMES: &[&str] = &[
        "text",
        "int",
        "decimal",
        "date",
        "month",
        "national_id",
        "owner_id",
        "permit_number",
        "parcel_number",
        "building_number",
        "parcel",
        "building",
        "address",
        "addresses",
        "street",
        "district",
        "village_code",
        "floor_number",
        "sum",
    ];

    /// Names of the fixed parts a value of this reader has.
    pub fn parts(&self) -> &'static [&'static str] {
        match self {
            Reader::Parcel | Reader::Building => SECTION_PARTS,
            Reader::Address | Reader::Addresses => ADDRESS_PARTS,
            Reader::PermitNumber => &["year", "word", "number"],
            Reader::District => &["name", "code", "land_town"],
            Reader::Street => &["district", "district_code"],
            _ => &[],
        }
    }

    /// Reads a text to one value, or to several.
    pub fn read(&self, text: &str, known: Option<&'static District>) -> Result<Vec<Reading>, Expected> {
        let one = |main: Result<String, Expected>| main.map(|main| vec![Reading::plain(main)]);
        match self {
            Reader::Text => one(Ok(text.trim().to_owned())),
            Reader::Int => one(int(text)),
            Reader::Decimal => one(Unit::Any.read(text)),
            Reader::Date => one(date::parse(text).map(date::iso)),
            Reader::Month => one(date::parse_month(text).map(|(year, month)| format!("{year:04}-{month:02}"))),
            Reader::NationalId => one(national_id::parse(text)),
            Reader::OwnerId => one(national_id::parse(text).or_else(|expected| {
                if company_number::is_valid(text.trim()) { Ok(text.trim().to_owned()) } else { Err(expected) }
            })),
            Reader::PermitNumber => permit(text).map(|reading| vec![reading]),
            Reader::ParcelNumber => one(parcel_number::parse(text)),
            Reader::BuildingNumber => one(building_number::parse(text)),
            Reader::Parcel => {
                let read = parcel_number::parse_whole(text)?;
                Ok(vec![sectioned(read.district, read.section, read.small_section, read.number)])
            }
            Reader::Building => {
                let read = building_number::parse_whole(text)?;
                Ok(vec![sectioned(read.district, read.section, read.small_section, read.number)])
            }
            Reader::Address | Reader::Addresses => {
                let all = address::read_all_in(known, text).map_err(address::Fault::expected)?;
                if matches!(self, Reader::Address) && all.len() > 1 {
                    return Err(address::Fault::Several.expected());
                }
                let written = (all.len() == 1).then(|| text.trim());
                Ok(all.iter().map(|address| address_reading(address, written)).collect())
            }
            Reader::Street => Ok(vec![street(text)]),
            Reader::District => find_district(text).ok_or(EXPECTED_DISTRICT).map(|found| {
                let parts = [("name", found.name), ("code", found.code), ("land_town", found.land_town)];
                let parts = parts.map(|(name, value)| (name, value.to_owned())).to_vec();
                vec![Reading { main: Some(found.code.to_owned()), parts, named: Vec::new() }]
            }),
            Reader::VillageCode => one(village_code(text)),
            Reader::FloorNumber => Ok(vec![Reading { main: floor_number(text), ..Reading::default() }]),
            Reader::Sum => {
                let sum =
                    text.split('+').map(|part| int(part).and_then(|n| n.parse::<i64>().map_err(|_| EXPECTED_INT)));
                let add = |sum: i64, n: i64| sum.checked_add(n).ok_or(EXPECTED_INT);
                one(sum.reduce(|a, b| add(a?, b?)).unwrap_or(Err(EXPECTED_INT)).map(|n| n.to_string()))
            }
            Reader::Pattern(pattern) => {
                let groups = pattern.captures(text).ok_or(EXPECTED_PATTERN)?;
                let named = pattern.capture_names().flatten();
                let named = named.map(|name| groups.name(name).map(|group| group.as_str().trim().to_owned())).collect();
                Ok(vec![Reading { main: Some(text.trim().to_owned()), parts: Vec::new(), named }])
            }
        }
    }
}

/// A district by name (at the beginning of a text), code or land town code.
pub fn find_district(text: &str) -> Option<&'static District> {
    let folded = writing::fold(text);
    let rest = folded.strip_prefix("臺北市").unwrap_or(&folded);
    district::strip_name(rest)
        .map(|(found, _)| found)
        .or_else(|| district::find_by_code(&folded))
        .or_else(|| district::find_by_land_town(&folded))
}

fn int(text: &str) -> Result<String, Expected> {
    one_number(text)?.parse::<i64>().map(|n| n.to_string()).map_err(|_| EXPECTED_INT)
}

fn street(text: &str) -> Reading {
    let main = address::street_of(text);
    let found = main.as_deref().and_then(roads::district_of);
    let parts = found.map(|found| [("district", found.name.to_owned()), ("district_code", found.code.to_owned())]);
    Reading { main, parts: parts.into_iter().flatten().collect(), named: Vec::new() }
}

fn permit(text: &str) -> Result<Reading, Expected> {
    let permit = permit_number::read(text)?;
    let parts =
        vec![("year", permit.year.to_string()), ("word", permit.word.clone()), ("number", permit.number.to_string())];
    Ok(Reading { main: Some(permit.to_string()), parts, named: Vec::new() })
}

fn sectioned(district: Option<String>, section: String, small: Option<String>, number: String) -> Reading {
    let code = district.as_deref().and_then(district::find_by_name).map(|found| found.code.to_owned());
    let parts = [
        ("district", district),
        ("district_code", code),
        ("section", Some(section)),
        ("small_section", small),
        ("number", Some(number.clone())),
    ];
    let parts = parts.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    Reading { main: Some(number), parts, named: Vec::new() }
}

fn address_reading(address: &Address, written: Option<&str>) -> Reading {
    let parts = [
        ("plate_key", Some(address.plate_key())),
        ("level", Some(address.level().as_str().to_owned())),
        ("text", Some(written.map_or_else(|| address.text(), str::to_owned))),
        ("street", Some(address.street_name()).filter(|street| !street.is_empty())),
        ("street_key", Some(address.street_key())),
        ("floor", address.floor.map(|floor| floor.number.to_string())),
        ("unit", address.unit.clone()),
        ("district", Some(address.district.name.to_owned())),
        ("district_code", Some(address.district.code.to_owned())),
        ("village", address.village.clone()),
        ("neighbourhood_no", address.neighbourhood.map(|n| format!("{n:03}"))),
    ];
    let parts = parts.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
    Reading { main: Some(address.key()), parts, named: Vec::new() }
}

fn village_code(text: &str) -> Result<String, Expected> {
    let code = writing::fold(text).replace('-', "");
    let known = code.get(..8).and_then(district::find_by_code).is_some();
    let digits = code.len() == 11 && code.bytes().all(|b| b.is_ascii_digit());
    if known && digits { Ok(code) } else { Err(EXPECTED_VILLAGE) }
}

fn floor_number(text: &str) -> Option<String> {
    let folded = writing::fold(text);
    let (sign, at) = match (folded.find("地上"), folded.find("地下")) {
        (Some(at), _) => ("", at),
        (None, Some(at)) => ("-", at),
        (None, None) => return None,
    };
    let rest = &folded[at + "地上".len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && !writing::is_chinese_numeral(c)).unwrap_or(rest.len());
    let number = writing::number(&rest[..end]).filter(|n| (1..=200).contains(n))?;
    Some(format!("{sign}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_of(name: &str, text: &str) -> Result<Option<String>, Expected> {
        Reader::find(name).map(|reader| reader.read(text, None).map(|all| all[0].main.clone())).unwrap_or(Ok(None))
    }

    #[test]
    fn every_name_is_a_reader() {
        for name in Reader::NAMES {
            assert!(Reader::find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn measures_and_codes() {
        for (reader, text, canonical) in [
            ("decimal", "783㎡", "783"),
            ("decimal", "49.56M", "49.56"),
            ("decimal", "1,234.50元", "1234.5"),
            ("decimal", "1.5公頃", "15000"),
            ("int", "2,053 ", "2053"),
            ("month", "11506", "2026-06"),
            ("village_code", "63000010-002", "63000010002"),
            ("district", "臺北市大安區復興南路", "63000030"),
            ("district", "A02", "63000030"),
            ("owner_id", "04595257", "04595257"),
            ("floor_number", "A-地上12樓", "12"),
            ("floor_number", "地下一樓", "-1"),
            ("street", "忠順街二段85巷1~30號", "忠順街2段"),
        ] {
            assert_eq!(main_of(reader, text), Ok(Some(canonical.to_owned())), "{text}");
        }
        assert_eq!(main_of("floor_number", "突出物1樓"), Ok(None));
        for (reader, text) in [("decimal", "約3㎡"), ("int", "3.5"), ("village_code", "1-002"), ("district", "新北市")]
        {
            assert!(main_of(reader, text).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_are_those_promised() {
        for (name, text) in [
            ("parcel", "臺北市松山區寶清段四小段0547-0000號"),
            ("addresses", "臺北市信義區忠孝東路5段71巷6、8號2樓之1"),
            ("address", "大安區仁慈里3鄰復興南路1段3號2樓之1"),
            ("permit_number", "82使字第12號"),
            ("district", "大安區"),
        ] {
            let reader = Reader::find(name).unwrap();
            for reading in reader.read(text, None).unwrap() {
                assert!(reading.parts.iter().all(|(part, _)| reader.parts().contains(part)), "{name}");
            }
        }
    }
}
