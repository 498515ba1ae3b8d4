//! Rows of what was found at a site's building: illegal structures and safety declarations.

use super::building::{issued, permit_no};
use super::city::City;
use super::day;
use super::dice::Dice;
use super::notable::Notable;
use super::owners;
use super::people;
use super::site::{Building, Site};
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the rows of one site.
pub fn fill(city: &City, site: &Site, dice: &mut Dice, rows: &mut dyn Rows) -> Result<(), BulkError> {
    illegal_structure(city, site, dice, rows)?;
    let yearly = matches!(site.building, Building::Commercial | Building::Public | Building::Factory);
    let years = match site.floors {
        _ if yearly => 1,
        16.. => 2,
        6.. => 4,
        _ => return Ok(()),
    };
    for turn in 0..2 {
        declaration(city, site, turn, years, dice, rows)?;
    }
    Ok(())
}

fn illegal_structure(city: &City, site: &Site, dice: &mut Dice, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let likely = match site.building {
        Building::Walkup | Building::House => 210,
        _ => 60,
    };
    if !dice.chance(likely) && site.notable != Some(Notable::AtRisk) {
        return Ok(());
    }
    let names = &city.names;
    let top = site.place(site.units - 1);
    let (mut key, mut plate) = (String::with_capacity(48), String::with_capacity(48));
    site.write_key(names, top, &mut key);
    site.write_plate_key(names, top.plate, &mut plate);
    let kind = match site.building {
        Building::Walkup | Building::House => dice.weighted(&[(70, "頂樓加蓋"), (20, "防火巷違建"), (10, "陽台外推")]),
        _ => dice.weighted(&[(40, "夾層"), (40, "露台加蓋"), (20, "法定空地違建")]),
    };
    let violator = match site.households {
        0 => owners::firm(city, dice),
        _ => {
            let number = site.first_household + u32::from(site.households) - 1;
            let head = people::household(city, number).members.swap_remove(0);
            let id = people::national_id(&head, number);
            owners::Owner { name: head.name(), id, ..owners::firm(city, dice) }
        }
    };
    let permit = site.permit.map(|permit| permit_no(permit, "使"));
    rows.row(
        "illegal_structures",
        &[
            ("case_no", Value::Text(&format!("北市都建違字第{:08}號", 10_000_000 + site.number))),
            ("address_key", Value::Text(&key)),
            ("plate_key", Value::Text(&plate)),
            ("use_permit_no", permit.as_deref().map_or(Value::Null, Value::Text)),
            ("reported_on", Value::Day(dice.between(issued(site).min(day::TODAY - 60), day::TODAY - 5))),
            ("kind", Value::Text(kind)),
            ("area_m2", Value::Decimal(i64::from(dice.between(300, 9_500)), 2)),
            ("material", Value::Text(dice.weighted(&[(50, "鐵皮"), (30, "金屬、玻璃"), (20, "磚造")]))),
            ("handling", Value::Text(dice.weighted(&[(50, "列管"), (20, "限期拆除"), (30, "已拆除")]))),
            ("violator_name", Value::Text(&violator.name)),
            ("violator_id", Value::Text(&violator.id)),
            ("district_code", Value::Text(names.districts[usize::from(site.district)].code)),
        ],
    )
}

fn declaration(
    city: &City,
    site: &Site,
    turn: i32,
    years: i32,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let Some(permit) = site.permit else { return Ok(()) };
    let due = day::of(2026 - turn * years, 3, 31);
    if due < issued(site) {
        return Ok(());
    }
    let result = dice.weighted(&[(90, "合格"), (7, "限期改善"), (3, "未申報")]);
    let declared = (result != "未申報").then(|| due - dice.between(0, 80));
    let (name, _) = owners::firm_of_number(city, dice.below(30));
    let names = &city.names;
    let declarant = format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(&names.men), dice.pick(&names.women));
    rows.row(
        "safety_declarations",
        &[
            ("declaration_no", Value::Text(&format!("公安{:07}-{turn}", site.number))),
            ("use_permit_no", Value::Text(&permit_no(permit, "使"))),
            ("use_group", Value::Text(site.building.use_group())),
            ("due_on", Value::Day(due)),
            ("declared_on", Value::day(declared)),
            ("result", Value::Text(result)),
            ("inspector_firm", if declared.is_some() { Value::Text(&name) } else { Value::Null }),
            ("declarant_name", if declared.is_some() { Value::Text(&declarant) } else { Value::Null }),
            ("district_code", Value::Text(names.districts[usize::from(site.district)].code)),
        ],
    )
}
