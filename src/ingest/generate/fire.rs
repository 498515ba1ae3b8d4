//! Rows of fire safety: premises, inspections, violations, maintenance reports.

use super::building::{issued, permit_no};
use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::notable::Notable;
use super::owners::{self, Owner};
use super::people;
use super::premises::{self, Premises};
use super::site::{Place, Site};
use super::{Filler, Step};
use crate::store::bulk::{BulkError, Rows, Value};

/// Counters of numbers that go on through the city.
#[derive(Default)]
struct Counters {
    premises: u32,
    notices: u32,
}

/// One premises with what its rows need.
struct Controlled<'a> {
    no: String,
    district: &'a str,
    site: &'a Site,
    premises: &'a Premises,
    manager: Owner,
}

/// Makes the rows of the `fire` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    let (mut counters, mut filler) = (Counters::default(), Filler::default());
    for site in &city.sites {
        for premises in premises::premises(city, site) {
            counters.premises += 1;
            let mut dice = Dice::new(city.seed, Kind::Inspections, u64::from(counters.premises));
            let one = Controlled {
                no: format!("F{:07}", counters.premises),
                district: city.names.districts[usize::from(site.district)].code,
                site,
                premises: &premises,
                manager: manager(city, site, &premises, &mut dice),
            };
            premises_row(city, &one, &mut dice, rows, &mut filler)?;
            inspections(city, &one, &mut counters, &mut dice, rows)?;
            super::upkeep::fill(city, &one.no, one.district, site, &premises, &mut dice, rows)?;
        }
        step(1);
    }
    Ok(())
}

fn manager(city: &City, site: &Site, premises: &Premises, dice: &mut Dice) -> Owner {
    let whole = premises.unit.is_none() && premises.place.floor == 0;
    if whole && site.households > 0 {
        // The chair of the committee lives in the building.
        let number = site.first_household + dice.below(u32::from(site.households));
        let head = people::household(city, number).members.swap_remove(0);
        let id = people::national_id(&head, number);
        return Owner { name: head.name(), id, birth: Some(head.birth), ..owners::government(city, dice) };
    }
    if dice.chance(850) { owners::resident(city, dice) } else { owners::stranger(city, dice) }
}

fn premises_row(
    city: &City,
    one: &Controlled<'_>,
    dice: &mut Dice,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    let (site, names, usage) = (one.site, &city.names, one.premises.usage);
    let [key, plate, text, floors] = filler.texts();
    site.write_key(names, one.premises.place, key);
    site.write_plate_key(names, one.premises.place.plate, plate);
    site.write_text(names, one.premises.place, text);
    write_floors(site, one.premises.place, one.premises.unit, floors);
    let whole = one.premises.unit.is_none() && one.premises.place.floor == 0;
    let committee = match site.notable {
        Some(Notable::NoCommittee) => Some(false),
        _ if whole && site.building.has_homes() => Some(dice.chance(820)),
        _ => None,
    };
    let narrow = site.notable == Some(Notable::EldersAlone) || (site.alley > 0 && dice.chance(350));
    let grade = match narrow {
        true => Value::Int(if dice.chance(200) { 1 } else { 2 }),
        false => Value::Null,
    };
    let name = match usage.called {
        "日租套房" => "日租套房".to_owned(),
        called => format!("{}{}{called}", dice.pick(&names.firms), dice.pick(&names.women)),
    };
    let fire_manager = format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(&names.men), dice.pick(&names.men));
    let brigade = usize::from(site.district) / 3;
    let area = i64::from(site.plates) * i64::from(site.per_floor) * 9_200;
    let permit = site.permit.map(|permit| permit_no(permit, "使"));
    rows.row(
        "fire_premises",
        &[
            ("premises_no", Value::Text(&one.no)),
            ("name", Value::Text(&name)),
            ("address_key", Value::Text(key)),
            ("plate_key", Value::Text(plate)),
            ("address_text", Value::Text(text)),
            ("class_code", Value::Text(usage.class)),
            ("class_item", Value::Text(usage.item)),
            ("usage", Value::Text(usage.name)),
            ("floor_area_m2", Value::Decimal(if whole { area * i64::from(site.floors) } else { 4_000 + area / 3 }, 2)),
            ("floors", Value::Text(floors)),
            ("use_permit_no", permit.as_deref().map_or(Value::Null, Value::Text)),
            ("has_committee", committee.map_or(Value::Null, Value::Boolean)),
            ("manager_name", Value::Text(&one.manager.name)),
            ("manager_id", Value::text_or_null(&one.manager.id)),
            ("manager_phone", Value::Text(&format!("0900{:06}", one.premises.draw % 1_000_000))),
            ("fire_manager_name", Value::Text(&fire_manager)),
            (
                "brigade",
                Value::Text(["第一救災救護大隊", "第二救災救護大隊", "第三救災救護大隊", "第四救災救護大隊"][brigade]),
            ),
            (
                "station",
                Value::Text(&format!("{}分隊", names.villages[usize::from(site.village)].name.trim_end_matches('里'))),
            ),
            ("rescue_grade", grade),
            ("alley_width_m", if narrow { Value::Decimal(i64::from(dice.between(15, 38)), 1) } else { Value::Null }),
            ("status", Value::Text(dice.weighted(&[(94, "營業中"), (4, "停業"), (2, "歇業")]))),
            ("district_code", Value::Text(one.district)),
        ],
    )
}

fn write_floors(site: &Site, place: Place, unit: Option<u16>, out: &mut String) {
    use std::fmt::Write;
    // Writing into a String cannot fail.
    let _ = match (unit, place.floor) {
        (None, 0) => write!(out, "1-{}", site.floors),
        (_, ..0) => write!(out, "B{}", -place.floor),
        (_, floor) => write!(out, "{}", floor.max(1)),
    };
}

fn inspections(
    city: &City,
    one: &Controlled<'_>,
    counters: &mut Counters,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let usage = one.premises.usage;
    let yearly = usage.class == "甲" || one.site.notable.is_some();
    let opened = issued(one.site).max(day::TODAY - 3 * 365);
    let step = if yearly { 365 } else { 730 };
    let mut days: Vec<i32> = Vec::new();
    let mut at = day::TODAY - dice.between(3, if yearly { 200 } else { 500 });
    while at > opened && days.len() < 4 {
        days.push(at);
        at -= step + dice.between(-30, 30);
    }
    if days.is_empty() {
        days.push(day::TODAY - 3); // seen at least once, were it last week
    }
    days.reverse();
    let last = days.len() - 1;
    let mut number = 0;
    for (turn, inspected) in days.into_iter().enumerate() {
        let failed = match one.site.notable {
            Some(notable) if notable.fails_inspection() && turn == last => true,
            _ => dice.chance(usage.fails),
        };
        number += 1;
        let no = inspection(city, one, number, "第一種檢查", inspected, failed, dice, rows)?;
        if failed {
            counters.notices += 1;
            let again = violation(one, counters.notices, &no, inspected, dice, rows)?;
            if let Some((day, failed)) = again {
                number += 1;
                inspection(city, one, number, "複查", day, failed, dice, rows)?;
            }
        }
    }
    Ok(())
}

const EQUIPMENT: [&str; 8] = [
    "滅火器",
    "出口標示燈",
    "緊急照明設備",
    "火警自動警報設備",
    "室內消防栓",
    "自動撒水設備",
    "緊急廣播設備",
    "避難器具",
];

#[expect(clippy::too_many_arguments, reason = "one row's facts; a struct would only repeat the columns")]
fn inspection(
    city: &City,
    one: &Controlled<'_>,
    number: u32,
    kind: &str,
    inspected: i32,
    failed: bool,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<String, BulkError> {
    let no = format!("{}-{number:02}", one.no);
    let mut defects: Vec<&str> = Vec::new();
    if failed {
        for _ in 0..dice.between(1, 3) {
            let equipment = dice.weighted(&[(19, 0), (17, 1), (12, 2), (10, 3), (6, 4), (4, 5), (4, 6), (4, 7)]);
            if !defects.contains(&EQUIPMENT[equipment]) {
                defects.push(EQUIPMENT[equipment]);
            }
        }
    }
    let names = &city.names;
    let inspectors = format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(&names.men), dice.pick(&names.men));
    let results: Vec<String> = EQUIPMENT[..4]
        .iter()
        .map(|equipment| format!("{equipment}:{}", if defects.contains(equipment) { "不合格" } else { "合格" }))
        .collect();
    rows.row(
        "fire_inspections",
        &[
            ("inspection_no", Value::Text(&no)),
            ("premises_no", Value::Text(&one.no)),
            ("kind", Value::Text(kind)),
            ("inspected_on", Value::Day(inspected)),
            ("inspectors", Value::Text(&inspectors)),
            ("items_checked", Value::Text("消防安全設備、檢修申報、防焰物品、防火管理")),
            ("equipment_results", Value::Text(&results.join(";"))),
            ("result", Value::Text(if failed { "不合格" } else { "合格" })),
            ("defects", Value::text_or_null(&defects.join("、"))),
            ("district_code", Value::Text(one.district)),
        ],
    )?;
    Ok(no)
}

/// A notice; gives back the day of the second look and whether it failed, if that day has come.
fn violation(
    one: &Controlled<'_>,
    notice: u32,
    inspection_no: &str,
    inspected: i32,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<Option<(i32, bool)>, BulkError> {
    let (item, article) = dice.weighted(&[
        (60, ("消防設備", "消防法第6條第1項")),
        (20, ("檢修申報", "消防法第9條第1項")),
        (8, ("防焰物品", "消防法第11條第1項")),
        (12, ("防火管理", "消防法第13條第1項")),
    ]);
    let served = (inspected + dice.between(0, 5)).min(day::TODAY);
    let due = served + 30;
    let again = due + dice.between(1, 20);
    let failed = dice.chance(220);
    let looked = (again < day::TODAY).then_some((again, failed));
    let fined = looked.filter(|(day, failed)| *failed && *day + 20 < day::TODAY).map(|(day, _)| day + 20);
    let penalty_no = fined.map(|day| format!("北市消預字第{}{:07}號", day::roc(day::year(day)), 3_000_000 + notice));
    let amount = i64::from(dice.weighted(&[(50, 20_000), (30, 26_000), (20, 40_000)]));
    let paid = dice.chance(800);
    rows.row(
        "fire_violations",
        &[
            ("notice_no", Value::Text(&format!("BB{notice:06}"))),
            ("premises_no", Value::Text(&one.no)),
            ("inspection_no", Value::Text(inspection_no)),
            ("item", Value::Text(item)),
            ("served_on", Value::Day(served)),
            ("due_on", Value::Day(due)),
            ("law_article", Value::Text(article)),
            ("reinspected_on", Value::day(looked.map(|(day, _)| day))),
            (
                "reinspect_result",
                looked.map_or(Value::Null, |(_, failed)| Value::Text(if failed { "不合格" } else { "合格" })),
            ),
            ("penalty_no", penalty_no.as_deref().map_or(Value::Null, Value::Text)),
            ("penalty_on", Value::day(fined)),
            ("amount", fined.map_or(Value::Null, |_| Value::Decimal(amount, 0))),
            ("party_name", Value::Text(&one.manager.name)),
            ("party_id", Value::text_or_null(&one.manager.id)),
            ("paid", fined.map_or(Value::Null, |_| Value::Boolean(paid))),
            ("suspended", Value::Boolean(fined.is_some() && dice.chance(30))),
            ("district_code", Value::Text(one.district)),
        ],
    )?;
    Ok(looked)
}
