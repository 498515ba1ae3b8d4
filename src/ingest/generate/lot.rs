//! A lot: its number, area, value, and the zones that it lies in. The same wherever it is asked for; who owns it is
//! left to `owners`.

use super::city::City;
use super::dice::{Dice, Kind};
use super::notable::Notable;
use super::site::Site;
use super::zone::Class;

/// A lot.
#[derive(Clone, Debug)]
pub struct Lot {
    /// Area in hundredths of m².
    pub area: i64,
    /// 公有, 私有 or 公私共有.
    pub ownership: &'static str,
    /// Announced current value and announced land value, NTD per m².
    pub values: [i64; 2],
    /// Polygons with their overlap in hundredths of m² and their ratio in hundredths of a percent.
    pub zones: Vec<(u32, i64, i64)>,
    /// A number for whatever else differs between lots.
    pub draw: u32,
}

/// The eight digits of a lot: mother number and child number. Every fifth lot is a child of the one before it.
pub fn number(lot: u32) -> (u32, u32) {
    (lot / 5 * 4 + (lot % 5).min(3) + 1, u32::from(lot % 5 == 4))
}

/// Writes a parcel key, `AD060900180001`.
pub fn write_key(city: &City, section: u16, lot: u32, out: &mut String) {
    use std::fmt::Write;
    let (mother, child) = number(lot);
    let _ = write!(out, "{}{mother:04}{child:04}", city.names.sections[usize::from(section)].key);
}

/// One lot; `site` is the site that it belongs to.
pub fn lot(city: &City, section: u16, number: u32, site: Option<&Site>) -> Lot {
    let mut dice = Dice::new(city.seed, Kind::Lot, (u64::from(section) << 32) + u64::from(number));
    let district = city.names.sections[usize::from(section)].district;
    let of = &city.names.districts[usize::from(district)];
    let area = match site {
        // A site's area follows from its building: a floor of a unit is about 90 m², and half the site is built on.
        Some(site) => {
            let doors = i64::from(site.plates) * i64::from(site.per_floor);
            let all = doors * 90 * 2 * (1 + i64::from(site.floors) / 8);
            all * i64::from(dice.between(70, 130)) / i64::from(site.lots) + i64::from(dice.between(800, 1500))
        }
        None => {
            i64::from(dice.weighted(&[(45, 3_500), (35, 16_000), (15, 90_000), (5, 700_000)]))
                * i64::from(dice.between(40, 220))
                / 100
        }
    };
    let area = area.max(120);
    let ownership = match site {
        Some(site) if site.class == Class::Public => "公有",
        Some(site) if site.notable.is_some() => "私有",
        Some(site) if number > site.lot && dice.chance(60) => "公有",
        Some(_) => "私有",
        None => {
            let [public, mixed] = city.open_land[usize::from(district)];
            match dice.below(1000) {
                n if n < public => "公有",
                n if n < public + mixed => "公私共有",
                _ => "私有",
            }
        }
    };
    let class = match site {
        Some(site) => site.class,
        None if ownership == "公有" => dice.weighted(&[
            (60, Class::Public),
            (15, Class::Protection),
            (10, Class::River),
            (10, Class::Education),
            (5, Class::Housing),
        ]),
        None => dice.weighted(&[
            (50, Class::Housing),
            (12, Class::Commerce),
            (20, Class::Protection),
            (8, Class::Farm),
            (6, Class::Public),
            (4, Class::Special),
        ]),
    };
    let factor = match class {
        Class::Commerce => 150,
        Class::Housing | Class::Special => 100,
        Class::Industry => 70,
        Class::Protection | Class::Farm | Class::River => 8,
        _ => 60,
    };
    let current = i64::from(of.value) * factor * i64::from(dice.between(70, 140)) / 10_000;
    let announced = current * i64::from(dice.between(23, 28)) / 100;
    let zones = zones(city, district, section, number, (area, class), site, &mut dice);
    Lot { area, ownership, values: [current, announced], zones, draw: dice.below(1 << 30) }
}

fn zones(
    city: &City,
    district: u8,
    section: u16,
    number: u32,
    (area, class): (i64, Class),
    site: Option<&Site>,
    dice: &mut Dice,
) -> Vec<(u32, i64, i64)> {
    let main = match site {
        // A site is in one polygon, wherever in its section it lies.
        Some(site) => city.polygon(district, class, section, site.lot),
        None => city.polygon(district, class, section, number),
    };
    let straddles = dice.chance(80) || site.is_some_and(|site| site.notable == Some(Notable::AtRisk));
    let other = city.polygon(district, Class::Public, section, number);
    if !straddles || other == main {
        return vec![(main, area, 10_000)];
    }
    let ratio = i64::from(dice.between(300, 4_000));
    let part = area * ratio / 10_000;
    vec![(main, area - part, 10_000 - ratio), (other, part, ratio)]
}
