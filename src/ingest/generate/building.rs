//! Rows of building management: permits with their parcels, addresses and floors, and what was found at buildings.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::lot;
use super::notable::Notable;
use super::owners;
use super::site::{Building, Site};
use super::{Filler, Step};
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the rows of the `building` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    let mut filler = Filler::default();
    for site in &city.sites {
        let mut dice = Dice::new(city.seed, Kind::Permit, u64::from(site.number));
        construction(city, site, &mut dice, rows)?;
        if let Some(permit) = site.permit {
            let no = permit_no(permit, "使");
            use_permit(city, site, &no, issued(site), false, &mut dice, rows)?;
            links(city, site, &no, false, rows, &mut filler)?;
            super::floors::fill(city, site, &no, rows)?;
        }
        if let Some(second) = site.second_permit {
            let no = permit_no(second, "使");
            let day = day::of(i32::from(second.0), 6, 1) + dice.between(0, 100);
            use_permit(city, site, &no, day, true, &mut dice, rows)?;
            links(city, site, &no, true, rows, &mut filler)?;
        }
        super::checks::fill(city, site, &mut dice, rows)?;
        step(1);
    }
    Ok(())
}

/// `115使字第0001號`
pub fn permit_no((year, number): (i16, u16), word: &str) -> String {
    format!("{:03}{word}字第{number:04}號", day::roc(i32::from(year)))
}

/// Day of the use permit.
pub fn issued(site: &Site) -> i32 {
    let days = if site.year >= 2026 { 120 } else { 350 };
    day::of(i32::from(site.year), 1, 3) + (site.number * 37 % days) as i32
}

/// Day of completion.
pub fn completed(site: &Site) -> i32 {
    issued(site) - 45 - (site.number * 11 % 90) as i32
}

/// Main material, as the building register has it.
pub fn material(site: &Site) -> &'static str {
    match (site.floors, site.year) {
        (..=3, ..1975) => "磚造",
        (..=5, ..1985) => "加強磚造",
        (16.., _) => "鋼骨鋼筋混凝土造",
        _ => "鋼筋混凝土造",
    }
}

/// Structure, as the permit has it.
fn structure(site: &Site) -> &'static str {
    match (site.floors, site.year, site.number % 10) {
        (..=5, ..1985, _) => "加強磚造(非供公眾使用建築物)",
        (16.., _, 0..=4) => "鋼骨RC造(供公眾使用建築物)",
        (16.., _, _) | (11.., _, 0..=2) => "鋼骨造(供公眾使用建築物)",
        (6.., _, _) => "RC造(供公眾使用建築物)",
        _ => "RC造(非供公眾使用建築物)",
    }
}

/// 層次: 三層, 十二層.
pub fn write_layer(floor: i8, out: &mut String) {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let (tens, ones) = (usize::from(floor.unsigned_abs()) / 10, usize::from(floor.unsigned_abs()) % 10);
    if tens > 1 {
        out.push_str(DIGITS[tens.min(9)]);
    }
    if tens > 0 {
        out.push('十');
    }
    out.push_str(DIGITS[ones]);
    out.push('層');
}

/// Zoning as people write it on a permit: never a code, seldom twice the same.
fn zoning_raw(city: &City, site: &Site, dice: &mut Dice) -> String {
    let polygon = city.polygon(site.district, site.class, site.section, site.lot);
    let name = city.names.zones[usize::from(city.polygons[polygon as usize].zone)].name;
    match (super::zone::code(name), dice.below(3)) {
        (Some((_, short)), 0) => short.to_owned(),
        (_, 1) => name.trim_end_matches('區').to_owned(),
        _ => name.to_owned(),
    }
}

/// Name and number of who had it built.
fn applicant(city: &City, site: &Site, dice: &mut Dice) -> (String, String) {
    let owner = match site.building {
        Building::House => owners::resident(city, dice),
        Building::Public => owners::government(city, dice),
        _ => owners::firm(city, dice),
    };
    (owner.name, owner.id)
}

fn architect(city: &City, dice: &mut Dice) -> String {
    let names = &city.names;
    format!("{}{}{}建築師事務所", dice.weighted(&names.surnames), dice.pick(&names.men), dice.pick(&names.men))
}

fn use_permit(
    city: &City,
    site: &Site,
    no: &str,
    day: i32,
    extension: bool,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let (applicant_name, applicant_id) = applicant(city, site, dice);
    let designer = architect(city, dice);
    let doors = i64::from(site.plates) * i64::from(site.per_floor);
    let footprint = doors * i64::from(dice.between(7_000, 12_000));
    let site_area = footprint * i64::from(dice.between(170, 260)) / 100;
    let height = i64::from(site.floors) * i64::from(dice.between(300, 345));
    let tag = match (site.notable, site.year) {
        (Some(Notable::Renewal), _) => Value::Text("黃單"),
        (None, ..1999) if dice.chance(2) => Value::Text(if dice.chance(900) { "黃單" } else { "紅單" }),
        _ => Value::Null,
    };
    let counted = |count: i32| if extension { Value::Int(1) } else { Value::Int(count) };
    rows.row(
        "use_permits",
        &[
            ("permit_no", Value::Text(no)),
            ("permit_year", Value::Int(day::roc(day::year(day)))),
            ("issued_on", Value::Day(day)),
            ("original_permit_no", Value::Text(&permit_no(site.construction, "建"))),
            ("designer", Value::Text(&designer)),
            ("supervisor", Value::Text(&designer)),
            ("contractor", Value::Text(&owners::firm(city, dice).name)),
            ("applicant_name", Value::Text(&applicant_name)),
            ("applicant_id", Value::text_or_null(&applicant_id)),
            ("construction_type", Value::Text(if extension { "增建" } else { "新建" })),
            ("structure", Value::Text(structure(site))),
            ("zoning_raw", Value::Text(&zoning_raw(city, site, dice))),
            ("blocks", counted(i32::from(site.plates).div_euclid(4) + 1)),
            ("buildings", counted(i32::from(site.plates).div_euclid(2) + 1)),
            ("floors_above", counted(i32::from(site.floors))),
            ("floors_below", if extension { Value::Int(0) } else { Value::Int(i32::from(site.basements)) }),
            ("households", counted(i32::from(site.units))),
            ("arcade_site_m2", Value::Decimal(if site.shops { footprint / 8 } else { 0 }, 2)),
            ("other_site_m2", Value::Decimal(site_area, 2)),
            ("building_area_m2", Value::Decimal(footprint, 2)),
            ("legal_open_space_m2", Value::Decimal(site_area - footprint, 2)),
            ("shelter_above_m2", Value::Decimal(0, 2)),
            ("shelter_below_m2", Value::Decimal(if site.basements > 0 { footprint * 11 / 10 } else { 0 }, 2)),
            ("height_m", Value::Decimal(if extension { 350 } else { height }, 2)),
            ("cost", Value::Decimal(footprint * i64::from(site.floors) * i64::from(dice.between(90, 260)), 0)),
            ("started_on", Value::Day(day - dice.between(400, 1500))),
            ("completed_on", Value::Day(if extension { day - 60 } else { completed(site) })),
            ("district_code", Value::Text(city.names.districts[usize::from(site.district)].code)),
            ("misc_works", if dice.chance(300) { Value::Text("圍牆 長度17.25M 高度2.9M") } else { Value::Null }),
            (
                "parking",
                if site.basements > 0 {
                    Value::Text("設置類別:平面,車位分類:汽車,檢討類別:法定,室內,地下")
                } else {
                    Value::Null
                },
            ),
            ("laws", Value::Text("建築技術規則")),
            (
                "remarks",
                if dice.chance(500) {
                    Value::Text("不得違建，違者無條件拆除並負擔拆除費用。")
                } else {
                    Value::Null
                },
            ),
            ("changes", if dice.chance(30) { Value::Text("變使准：部分變更為辦公室(G2)") } else { Value::Null }),
            ("danger_tag", tag),
            ("status", Value::Text("使用中")),
        ],
    )
}

/// Parcels and addresses of a permit; an extension names doors only.
fn links(
    city: &City,
    site: &Site,
    no: &str,
    extension: bool,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    for lot in site.lot..site.lot + u32::from(site.lots) {
        let [key] = filler.texts();
        lot::write_key(city, site.section, lot, key);
        rows.row("use_permit_parcels", &[("permit_no", Value::Text(no)), ("parcel_key", Value::Text(key))])?;
    }
    let units = (0..site.units).map(|unit| site.place(unit));
    for place in units.filter(|place| !extension || place.level() == "plate") {
        let [key] = filler.texts();
        site.write_key(&city.names, place, key);
        rows.row("use_permit_addresses", &[("permit_no", Value::Text(no)), ("address_key", Value::Text(key))])?;
    }
    Ok(())
}

/// The construction permit, and that of the demolition before it, if something stood there.
fn construction(city: &City, site: &Site, dice: &mut Dice, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let gone = site.notable == Some(Notable::GhostPlate);
    if gone {
        // What stood here was pulled down later; nothing followed.
        let values =
            Construction {
                no: "110拆字第9001號".to_owned(), kind: "拆除", day: day::of(2021, 4, 1), status: "已完工"
            };
        permit_row(city, site, values, dice, rows)?;
    } else if site.year >= 1985 && dice.chance(100) {
        let no = permit_no(site.construction, "拆");
        let values = Construction { no, kind: "拆除", day: issued(site) - 1_500, status: "已完工" };
        permit_row(city, site, values, dice, rows)?;
    }
    let day = day::of(i32::from(site.construction.0), 1, 10) + dice.between(0, 330);
    let no = permit_no(site.construction, "建");
    permit_row(city, site, Construction { no, kind: "建造", day, status: "已完工" }, dice, rows)
}

struct Construction {
    no: String,
    kind: &'static str,
    day: i32,
    status: &'static str,
}

fn permit_row(
    city: &City,
    site: &Site,
    permit: Construction,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let (applicant_name, applicant_id) = applicant(city, site, dice);
    let designer = architect(city, dice);
    let mut key = String::with_capacity(48);
    site.write_plate_key(&city.names, 0, &mut key);
    let footprint = i64::from(site.plates) * i64::from(site.per_floor) * i64::from(dice.between(7_000, 12_000));
    rows.row(
        "construction_permits",
        &[
            ("permit_no", Value::Text(&permit.no)),
            ("kind", Value::Text(permit.kind)),
            ("permit_year", Value::Int(day::roc(day::year(permit.day)))),
            ("issued_on", Value::Day(permit.day)),
            ("designer", Value::Text(&designer)),
            ("supervisor", Value::Text(&designer)),
            ("applicant_name", Value::Text(&applicant_name)),
            ("applicant_id", Value::text_or_null(&applicant_id)),
            ("construction_type", if permit.kind == "建造" { Value::Text("新建") } else { Value::Null }),
            ("structure", Value::Text(structure(site))),
            ("zoning_raw", Value::Text(&zoning_raw(city, site, dice))),
            ("floors_above", Value::Int(i32::from(site.floors))),
            ("floors_below", Value::Int(i32::from(site.basements))),
            ("households", Value::Int(i32::from(site.units))),
            ("building_area_m2", Value::Decimal(footprint, 2)),
            ("height_m", Value::Decimal(i64::from(site.floors) * 320, 2)),
            ("cost", Value::Decimal(footprint * i64::from(site.floors) * 150, 0)),
            ("address_key", Value::Text(&key)),
            ("status", Value::Text(permit.status)),
            ("district_code", Value::Text(city.names.districts[usize::from(site.district)].code)),
        ],
    )
}
