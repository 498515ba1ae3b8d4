//! Rows of maintenance reports (檢修申報): every half-year in class 甲, every year in the others.

use super::building::issued;
use super::city::City;
use super::day;
use super::dice::Dice;
use super::owners;
use super::premises::Premises;
use super::site::Site;
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the reports of one premises over three years.
pub fn fill(
    city: &City,
    premises_no: &str,
    district: &str,
    site: &Site,
    premises: &Premises,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let half_yearly = premises.usage.class == "甲";
    let mut dues: Vec<(String, i32)> = Vec::new();
    for year in 2023..=2026 {
        let roc = day::roc(year);
        if half_yearly {
            dues.push((format!("{roc}上"), day::of(year, 6, 30)));
            dues.push((format!("{roc}下"), day::of(year, 12, 31)));
        } else {
            dues.push((roc.to_string(), day::of(year, 9, 30)));
        }
    }
    dues.retain(|(_, due)| *due <= day::TODAY && *due > issued(site));
    let last = dues.len();
    for (turn, (period, due)) in dues.into_iter().enumerate() {
        let missing = site.notable.is_some_and(|notable| notable.misses_report()) && turn + 1 == last;
        report(city, (premises_no, district, &period, due), missing, dice, rows)?;
    }
    Ok(())
}

fn report(
    city: &City,
    (premises_no, district, period, due): (&str, &str, &str, i32),
    missing: bool,
    dice: &mut Dice,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let names = &city.names;
    let result = dice.weighted(&[(88, "備查"), (9, "補正"), (3, "未申報")]);
    let result = if missing { "未申報" } else { result };
    let reported = (result != "未申報").then(|| due - dice.between(1, 60));
    let (firm, _) = owners::firm_of_number(city, 31 + dice.below(9));
    let inspector = format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(&names.men), dice.pick(&names.women));
    let came = |value: Value<'static>| if reported.is_some() { value } else { Value::Null };
    let licence = format!("消士證字第{:05}號", dice.below(20_000));
    rows.row(
        "maintenance_reports",
        &[
            ("report_no", Value::Text(&format!("{premises_no}-{period}"))),
            ("premises_no", Value::Text(premises_no)),
            ("period", Value::Text(period)),
            ("firm", reported.map_or(Value::Null, |_| Value::Text(&firm))),
            ("inspector_name", reported.map_or(Value::Null, |_| Value::Text(&inspector))),
            ("licence_no", reported.map_or(Value::Null, |_| Value::Text(&licence))),
            ("maintained_from", Value::day(reported.map(|day| day - 20))),
            ("maintained_to", Value::day(reported.map(|day| day - 12))),
            ("due_on", Value::Day(due)),
            ("reported_on", Value::day(reported)),
            ("result", Value::Text(result)),
            ("defects", if result == "補正" { came(Value::Text("緊急照明燈蓄電池不足")) } else { Value::Null }),
            ("rechecked_on", if result == "補正" { Value::day(reported.map(|day| day + 15)) } else { Value::Null }),
            ("district_code", Value::Text(district)),
        ],
    )
}
