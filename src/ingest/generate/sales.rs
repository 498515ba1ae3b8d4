//! Rows of the published sales: addresses rounded to thirty numbers, nobody's name.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::{building, owners};
use crate::store::bulk::{BulkError, Rows, Value};

/// Sales of about three years in all of the city.
const SALES: u64 = 60_000;

/// Makes the rows of `real_price_sales`.
pub fn fill(city: &City, rows: &mut dyn Rows) -> Result<(), BulkError> {
    for number in 0..city.scale.of(SALES).max(20) {
        sale(city, number, rows)?;
    }
    Ok(())
}

fn sale(city: &City, number: u64, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let mut dice = Dice::new(city.seed, Kind::Sale, number);
    let site = &city.sites[dice.below(city.sites.len() as u32) as usize];
    let district = &city.names.districts[usize::from(site.district)];
    let place = site.place(dice.below(u32::from(site.units)) as u16);
    let low = (site.plate + 2 * place.plate - 1) / 30 * 30 + 1;
    let mut street = String::new();
    site.write_street_name(&city.names, &mut street);
    let lane = if site.lane > 0 { format!("{}巷", site.lane) } else { String::new() };
    let location = format!("臺北市{}{street}{lane}{low}~{}號", district.name, low + 29);
    let area = i64::from(dice.between(4_500, 16_000));
    let unit_price = i64::from(district.value) * i64::from(dice.between(40, 110)) / 100 / 2 + 60_000;
    let parking = site.basements > 0 && dice.chance(400);
    let parking_price = if parking { i64::from(dice.between(150, 350)) * 10_000 } else { 0 };
    let mut floor = String::new();
    building::write_layer(place.floor.max(1), &mut floor);
    let mut floors = String::new();
    building::write_layer(site.floors as i8, &mut floors);
    rows.row(
        "real_price_sales",
        &[
            ("serial_no", Value::Text(&format!("RPS{}{number:08}", owners::firm_id(number as u32)))),
            ("district_code", Value::Text(district.code)),
            ("transaction_target", Value::Text(if parking { "房地(土地+建物)+車位" } else { "房地(土地+建物)" })),
            ("location", Value::Text(&location)),
            ("street", Value::Text(&street)),
            ("land_area_m2", Value::Decimal(area / i64::from(site.floors.max(2)) * 2, 2)),
            (
                "urban_zone",
                Value::Text(match site.class.text() {
                    class @ ("住" | "商" | "工" | "農業") => class,
                    _ => "其他",
                }),
            ),
            ("rural_zone", Value::Null),
            ("rural_use", Value::Null),
            ("sold_on", Value::Day(day::TODAY - dice.between(10, 1100))),
            ("counts", Value::Text(if parking { "土地1建物1車位1" } else { "土地1建物1車位0" })),
            ("floors_sold", Value::Text(&floor)),
            ("total_floors", Value::Text(&floors)),
            (
                "building_type",
                Value::Text(match site.floors {
                    ..=5 => "公寓(5樓含以下無電梯)",
                    6..=10 => "華廈(10層含以下有電梯)",
                    _ => "住宅大樓(11層含以上有電梯)",
                }),
            ),
            ("main_use", Value::Text(if site.building.has_homes() { "住家用" } else { "商業用" })),
            ("main_material", Value::Text(building::material(site))),
            ("completed_on", Value::Day(building::completed(site))),
            ("building_area_m2", Value::Decimal(area, 2)),
            ("rooms", Value::Int(dice.between(1, 4))),
            ("halls", Value::Int(dice.between(1, 2))),
            ("bathrooms", Value::Int(dice.between(1, 3))),
            ("partitioned", Value::Boolean(true)),
            ("managed", Value::Boolean(site.floors > 5)),
            ("total_price", Value::Decimal(unit_price * area / 100 + parking_price, 0)),
            ("unit_price", Value::Decimal(unit_price, 0)),
            ("parking_type", if parking { Value::Text("坡道平面") } else { Value::Null }),
            ("parking_area_m2", Value::Decimal(if parking { 3_300 } else { 0 }, 2)),
            ("parking_price", Value::Decimal(parking_price, 0)),
            ("note", Value::Text("合成資料")),
        ],
    )
}
