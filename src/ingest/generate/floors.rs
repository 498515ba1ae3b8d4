//! Rows of a use permit's floors with their approved use, in the writings that permits have.

use super::city::City;
use super::site::{Building, Site};
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the rows of `use_permit_floors` of one permit.
pub fn fill(city: &City, site: &Site, permit_no: &str, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let district = city.names.districts[usize::from(site.district)].code;
    let area = i64::from(site.plates) * i64::from(site.per_floor) * 9_200;
    let below = (1..=i32::from(site.basements)).map(|floor| (format!("地下{floor}樓"), Some(-floor)));
    let above = (1..=i32::from(site.floors)).map(|floor| (format!("地上{floor}樓"), Some(floor)));
    let roof = (site.floors > 5).then(|| ("突出物1樓".to_owned(), None));
    for (seq, (label, floor)) in below.chain(above).chain(roof).enumerate() {
        let (text, group) = approved_use(site, floor);
        let area = if floor.is_none() { area / 8 } else { area };
        let height = if floor == Some(1) { 416 } else { 320 };
        rows.row(
            "use_permit_floors",
            &[
                ("permit_no", Value::Text(permit_no)),
                ("seq", Value::Int(seq as i32 + 1)), // a few dozen floors
                ("floor_label", Value::Text(&label)),
                ("floor_no", floor.map_or(Value::Null, Value::Int)),
                ("area_m2", Value::Decimal(area, 2)),
                ("height_m", Value::Decimal(height, 2)),
                ("use_text", Value::Text(text)),
                ("use_group", group.map_or(Value::Null, Value::Text)),
                ("district_code", Value::Text(district)),
            ],
        )?;
    }
    Ok(())
}

fn approved_use(site: &Site, floor: Option<i32>) -> (&'static str, Option<&'static str>) {
    match (floor, site.building) {
        (None, _) => ("樓梯間", None),
        (Some(..=0), _) => ("防空避難室兼停車空間", None),
        (Some(1), building) if site.shops && building != Building::Office => {
            ("(第十七組)日常用品零售業(G3)", Some("G3"))
        }
        (_, Building::Office) => ("(第二十八組)一般事務所(G-2)", Some("G2")),
        (_, Building::Commercial) => ("(第二十一組)飲食業(B3)、商場(B2)", Some("B2")),
        (_, Building::Factory) => ("廠房(C2)", Some("C2")),
        (_, Building::Public) => ("教室(D3)", Some("D3")),
        (_, Building::House) => ("(第一組)獨立、雙併住宅(H-2)", Some("H2")),
        _ => ("(第二組)多戶住宅(集合住宅),(H2)", Some("H2")),
    }
}
