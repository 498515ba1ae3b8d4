//! Rows of zoning: polygons, which lots lie in them, rules and codes.

use super::Step;
use super::city::City;
use super::dice::{Dice, Kind};
use super::lot;
use super::notable::Notable;
use super::site::Site;
use super::zone;
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the rows of the `zoning` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    for (code, category) in &city.names.zone_codes {
        rows.row("zone_codes", &[("zone_code", Value::Text(code)), ("category", Value::Text(category))])?;
    }
    rules(city, rows)?;
    polygons(city, rows)?;
    for site in &city.sites {
        for number in site.lot..site.lot + u32::from(site.lots) {
            parcel_zones(city, site.section, number, Some(site), rows)?;
        }
        step(1);
    }
    for section in 0..city.names.sections.len() {
        for number in city.site_lots[section]..city.section_lots[section] {
            parcel_zones(city, section as u16, number, None, rows)?; // 560 sections
        }
    }
    Ok(())
}

/// Number of a polygon as its key.
fn zone_no(polygon: u32) -> String {
    (polygon + 1).to_string()
}

fn rule_key(city: &City, zone: u16) -> String {
    let of = &city.names.zones[usize::from(zone)];
    format!("{}-{}", city.names.districts[usize::from(of.district)].code, of.name)
}

fn number(value: Option<i64>) -> Value<'static> {
    value.map_or(Value::Null, |value| Value::Decimal(value, 2))
}

fn rules(city: &City, rows: &mut dyn Rows) -> Result<(), BulkError> {
    for (zone, of) in city.names.zones.iter().enumerate() {
        let key = rule_key(city, zone as u16); // some hundreds
        let district = city.names.districts[usize::from(of.district)].code;
        let uses = of.class.uses().iter().map(|(group, conditions)| (Some(*group), *conditions));
        for (group, conditions) in std::iter::once((None, false)).chain(uses) {
            let limits = group.is_none();
            let permission = match (group, conditions) {
                (None, _) => Value::Null,
                (Some(_), false) => Value::Text("允許使用"),
                (Some(_), true) => Value::Text("附條件允許使用"),
            };
            rows.row(
                "zone_rules",
                &[
                    ("rule_no", Value::Text(&format!("{key}-{:02}", group.unwrap_or(0)))),
                    ("rule_key", Value::Text(&key)),
                    ("district_code", Value::Text(district)),
                    ("zone_name", Value::Text(of.name)),
                    ("kind", Value::Text(if limits { "建蔽容積" } else { "使用組別" })),
                    ("use_group", group.map_or(Value::Null, Value::Int)),
                    ("permission", permission),
                    ("bcr_pct", if limits { number(of.numbers[0]) } else { Value::Null }),
                    ("far_pct", if limits { number(of.numbers[1]) } else { Value::Null }),
                    ("polygon_count", if limits { Value::Int(of.polygons as i32) } else { Value::Null }),
                    ("area_m2", if limits { number(of.numbers[2]) } else { Value::Null }),
                    ("note", Value::Null),
                ],
            )?;
        }
    }
    Ok(())
}

fn polygons(city: &City, rows: &mut dyn Rows) -> Result<(), BulkError> {
    // The first polygon of the renewal site bears the renewal unit that is in every city.
    let renewal = city.sites.iter().find(|site| site.notable == Some(Notable::Renewal));
    let renewal = renewal.map(|site| city.polygon(site.district, site.class, site.section, site.lot));
    for (polygon, of) in city.polygons.iter().enumerate() {
        let polygon = polygon as u32; // some ten thousands
        let mut dice = Dice::new(city.seed, Kind::Zone, u64::from(polygon));
        let zone = &city.names.zones[usize::from(of.zone)];
        let district = &city.names.districts[usize::from(zone.district)];
        let code = zone::code(zone.name);
        let area = zone.numbers[2]
            .map(|all| (all / i64::from(zone.polygons.max(1)) * i64::from(dice.between(40, 160)) / 100).max(1_000));
        let unit = match dice.below(1000) {
            _ if renewal == Some(polygon) => Some(format!("{}01", &district.name[..6])),
            0..12 => Some(format!("{}{:02}", &district.name[..6], dice.between(2, 60))),
            _ => None,
        };
        let special = zone.name.contains("(特)");
        rows.row(
            "zones",
            &[
                ("zone_no", Value::Text(&zone_no(polygon))),
                ("name", Value::Text(zone.name)),
                ("zone_code", code.map_or(Value::Null, |(code, _)| Value::Text(code))),
                ("short_name", code.map_or(Value::Null, |(_, short)| Value::Text(short))),
                ("zone_class", Value::Text(zone.class.text())),
                ("rule_key", Value::Text(&rule_key(city, of.zone))),
                ("layer", Value::Text("細部計畫")),
                ("color_code", Value::Int(zone.class as i32 + 1)),
                ("block_no", Value::Text(&format!("B{:04}", dice.below(10_000)))),
                ("note", Value::Null),
                ("previous_zone", if special { Value::Text("原屬住三") } else { Value::Null }),
                ("previous_code", if special { Value::Text("R3") } else { Value::Null }),
                ("previous_short_name", if special { Value::Text("住三") } else { Value::Null }),
                ("previous_name", if special { Value::Text("第三種住宅區") } else { Value::Null }),
                ("bcr_pct", number(zone.numbers[0])),
                ("far_pct", number(zone.numbers[1])),
                ("area_m2", number(area)),
                ("plan_no", Value::Text(&format!("P{:03}{:03}", dice.between(60, 115), dice.below(400)))),
                ("announcement_no", Value::Text(&format!("府都規字第{:08}00號", dice.below(100_000_000)))),
                ("renewal_unit", unit.as_deref().map_or(Value::Null, Value::Text)),
                ("overlays", if dice.chance(60) { Value::Text("都市設計審議地區") } else { Value::Null }),
                ("district_code", Value::Text(district.code)),
                ("geometry", Value::Null),
            ],
        )?;
    }
    Ok(())
}

fn parcel_zones(
    city: &City,
    section: u16,
    number: u32,
    site: Option<&Site>,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let lot = lot::lot(city, section, number, site);
    let mut key = String::with_capacity(14);
    lot::write_key(city, section, number, &mut key);
    let district = usize::from(city.names.sections[usize::from(section)].district);
    for (polygon, overlap, ratio) in &lot.zones {
        let zone_no = zone_no(*polygon);
        rows.row(
            "parcel_zones",
            &[
                ("parcel_zone_key", Value::Text(&format!("{key}-{zone_no}"))),
                ("parcel_key", Value::Text(&key)),
                ("zone_no", Value::Text(&zone_no)),
                ("overlap_m2", Value::Decimal(*overlap, 2)),
                ("ratio_pct", Value::Decimal(*ratio, 2)),
                ("district_code", Value::Text(city.names.districts[district].code)),
            ],
        )?;
    }
    Ok(())
}
