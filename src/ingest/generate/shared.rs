//! Rows of what the datasets share: districts and door plates.

use super::city::City;
use super::premises;
use super::site::{Place, Site};
use super::{Filler, Step};
use crate::store::bulk::{BulkError, Rows, Value};

/// Makes the rows of the `shared` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    for district in &city.names.districts {
        rows.row(
            "districts",
            &[
                ("district_code", Value::Text(district.code)),
                ("name", Value::Text(district.name)),
                ("land_town_code", Value::Text(district.town)),
                ("old_code", Value::Text(district.old_code)),
                ("post_code", Value::Text(district.post_code)),
            ],
        )?;
    }
    let mut filler = Filler::default();
    for site in &city.sites {
        for place in places(city, site) {
            address(city, site, place, rows, &mut filler)?;
        }
        step(1);
    }
    Ok(())
}

/// Every address of a site once: the doors, the units that have more than a door's, and basements in use.
pub fn places(city: &City, site: &Site) -> Vec<Place> {
    let mut all: Vec<Place> = (0..site.plates).map(|plate| Place { plate, floor: 0, unit: 0 }).collect();
    all.extend((0..site.units).map(|unit| site.place(unit)).filter(|place| place.level() != "plate"));
    all.extend(premises::basements(city, site));
    all
}

fn address(city: &City, site: &Site, place: Place, rows: &mut dyn Rows, filler: &mut Filler) -> Result<(), BulkError> {
    use std::fmt::Write;
    let names = &city.names;
    let [key, plate, text, street, unit, neighbourhood] = filler.texts();
    site.write_key(names, place, key);
    site.write_plate_key(names, place.plate, plate);
    site.write_text(names, place, text);
    site.write_street_name(names, street);
    // Writing into a String cannot fail.
    if place.unit > 0 {
        let _ = write!(unit, "{}", place.unit);
    }
    let _ = write!(neighbourhood, "{:03}", site.neighbourhood);
    rows.row(
        "addresses",
        &[
            ("address_key", Value::Text(key)),
            ("plate_key", Value::Text(plate)),
            ("level", Value::Text(place.level())),
            ("text", Value::Text(text)),
            ("street", Value::Text(street)),
            ("floor", if place.level() == "plate" { Value::Null } else { Value::Int(i32::from(place.floor)) }),
            ("unit", Value::text_or_null(unit)),
            ("district_code", Value::Text(names.districts[usize::from(site.district)].code)),
            ("village_code", Value::Text(names.villages[usize::from(site.village)].code)),
            ("neighbourhood_no", Value::Text(neighbourhood)),
        ],
    )
}
