//! Rows of the land register: sections, parcels, who owns them, mortgages; and published sales. Buildings are left
//! to `register`, which goes over the same sites.

use super::city::City;
use super::day;
use super::lot::{self, Lot};
use super::notable::Notable;
use super::owners::{self, Owner, Owners, Share};
use super::people::{self, Resident};
use super::register;
use super::site::Site;
use super::{Filler, Step};
use crate::store::bulk::{BulkError, Rows, Value};

/// A parcel with what its rows need.
struct Parcel<'a> {
    key: &'a str,
    district: &'a str,
    lot: &'a Lot,
}

/// Makes the rows of the `land` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    sections(city, rows)?;
    let mut filler = Filler::default();
    for site in &city.sites {
        let residents = people::residents(city, site);
        let owners = unit_owners(city, site, &residents);
        register::buildings(city, site, &owners, rows, &mut filler)?;
        for number in site.lot..site.lot + u32::from(site.lots) {
            let lot = lot::lot(city, site.section, number, Some(site));
            let key = parcel(city, site.section, number, &lot, rows, &mut filler)?;
            let parcel =
                Parcel { key: &key, district: city.names.districts[usize::from(site.district)].code, lot: &lot };
            if number == site.lot && lot.ownership == "私有" && site.registered() {
                ownerships_of_units(city, site, &parcel, &owners, rows)?;
            } else {
                let owners = owners::of_lot(city, site.section, number, lot.ownership);
                ownerships_of_lot(city, &parcel, &owners, rows)?;
            }
        }
        step(1);
    }
    for section in 0..city.names.sections.len() {
        for number in city.site_lots[section]..city.section_lots[section] {
            let section = section as u16; // 560 sections
            let lot = lot::lot(city, section, number, None);
            let key = parcel(city, section, number, &lot, rows, &mut filler)?;
            let district = usize::from(city.names.sections[usize::from(section)].district);
            let parcel = Parcel { key: &key, district: city.names.districts[district].code, lot: &lot };
            let owners = owners::of_lot(city, section, number, lot.ownership);
            ownerships_of_lot(city, &parcel, &owners, rows)?;
        }
    }
    super::sales::fill(city, rows)
}

/// Owners of every unit of a site.
fn unit_owners(city: &City, site: &Site, residents: &[Resident]) -> Vec<Owners> {
    let mut residents = residents.iter().peekable();
    let mut all = Vec::with_capacity(usize::from(site.units));
    for unit in 0..site.units {
        while residents.peek().is_some_and(|one| one.unit < unit) {
            residents.next();
        }
        let home = residents.peek().filter(|one| one.unit == unit).copied();
        all.push(owners::of_unit(city, site, unit, home));
    }
    all
}

fn sections(city: &City, rows: &mut dyn Rows) -> Result<(), BulkError> {
    for section in &city.names.sections {
        rows.row(
            "land_sections",
            &[
                ("section_key", Value::Text(&section.key)),
                ("office_code", Value::Text(section.office)),
                ("section_code", Value::Text(section.code)),
                ("name", Value::Text(&format!("{}{}", section.section, section.small))),
                ("section_name", Value::Text(section.section)),
                ("small_section_name", Value::text_or_null(section.small)),
                ("town_code", Value::Text(section.town)),
                ("district_code", Value::Text(city.names.districts[usize::from(section.district)].code)),
            ],
        )?;
    }
    Ok(())
}

fn parcel(
    city: &City,
    section: u16,
    number: u32,
    lot: &Lot,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<String, BulkError> {
    let of = &city.names.sections[usize::from(section)];
    let [key] = filler.texts();
    lot::write_key(city, section, number, key);
    let registered = day::of(1956, 1, 1) + (lot.draw % 25_000) as i32; // at most in 2024
    rows.row(
        "parcels",
        &[
            ("parcel_key", Value::Text(key)),
            ("section_key", Value::Text(&of.key)),
            ("parcel_no", Value::Text(&key[6..])),
            ("district_code", Value::Text(city.names.districts[usize::from(of.district)].code)),
            ("registered_on", Value::Day(registered)),
            ("reason", Value::Text(["總登記", "分割", "合併", "地籍圖重測"][lot.draw as usize % 4])),
            ("area_m2", Value::Decimal(lot.area, 2)),
            ("zoning_ref", Value::Null),
            ("land_category", if lot.draw.is_multiple_of(5) { Value::Text("建") } else { Value::Null }),
            ("land_use_class", Value::Null),
            ("ownership_kind", Value::Text(lot.ownership)),
            ("announced_current_value", Value::Decimal(lot.values[0], 0)),
            ("announced_land_value", Value::Decimal(lot.values[1], 0)),
            ("other_notes", if lot.draw.is_multiple_of(400) { Value::Text("辦理公告徵收") } else { Value::Null }),
        ],
    )?;
    Ok(key.clone())
}

/// The first parcel of a site belongs to the owners of its units, each with a part.
fn ownerships_of_units(
    city: &City,
    site: &Site,
    parcel: &Parcel<'_>,
    owners: &[Owners],
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let units = owners.len() as i64;
    // Many registers count in ten thousandths or millionths, and some in what the old shares of heirs came to.
    let denominator = match (site.notable, site.number % 5) {
        (Some(Notable::ManyShares), _) => 8_618_400,
        (_, 0) if units < 400 => 10_000,
        (_, 1) => 1_000_000,
        _ => units,
    };
    let (mut order, mut rights) = (0, 0);
    for (unit, owners) in owners.iter().enumerate() {
        let unit = unit as i64;
        let part = (unit + 1) * denominator / units - unit * denominator / units;
        let shares = owners::divide(owners.owners.len(), owners.sharing, part, denominator);
        let first = order + 1;
        for (owner, share) in owners.owners.iter().zip(&shares) {
            order += 1;
            ownership(parcel, order, first, owner, share, owners, rows)?;
        }
        if owners.mortgage {
            rights += 1;
            let amount = 4_000_000 + i64::from(parcel.lot.draw % 97) * 240_000;
            register::right(
                city,
                parcel.key,
                parcel.district,
                (rights, first),
                (&owners.owners[0], owners.registered, amount),
                true,
                rows,
            )?;
        }
    }
    Ok(())
}

fn ownerships_of_lot(city: &City, parcel: &Parcel<'_>, owners: &Owners, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let denominator = if owners.owners.len() > 4 && parcel.lot.draw.is_multiple_of(3) { 58_320 } else { 1 };
    let shares = owners::divide(owners.owners.len(), owners.sharing, denominator, denominator);
    for (order, (owner, share)) in owners.owners.iter().zip(&shares).enumerate() {
        ownership(parcel, order as u32 + 1, 1, owner, share, owners, rows)?;
    }
    if owners.mortgage {
        let amount = 2_000_000 + i64::from(parcel.lot.draw % 191) * 120_000;
        register::right(
            city,
            parcel.key,
            parcel.district,
            (1, 1),
            (&owners.owners[0], owners.registered, amount),
            true,
            rows,
        )?;
    }
    Ok(())
}

/// One row of the ownership part; `first` is the order number of the first of the owners who registered together.
fn ownership(
    parcel: &Parcel<'_>,
    order: u32,
    first: u32,
    owner: &Owner,
    share: &Share,
    owners: &Owners,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let (year, month, _) = day::parts(owners.registered);
    let draw = parcel.lot.draw as usize + order as usize;
    let order_no = format!("{order:04}");
    let mut share_text = String::with_capacity(24);
    share.write(&mut share_text);
    // Declared between 80 and 120 % of the announced value, most often 80.
    let percent = [80, 80, 80, 80, 100, 100, 120][draw % 7];
    rows.row(
        "land_ownerships",
        &[
            ("ownership_key", Value::Text(&format!("{}-{order_no}", parcel.key))),
            ("parcel_key", Value::Text(parcel.key)),
            ("order_no", Value::Text(&order_no)),
            ("received_no", Value::Text(&register::received_no(owners.registered, parcel.key, first))),
            ("registered_on", Value::Day(owners.registered)),
            ("reason", Value::Text(owners.reason)),
            ("reason_date", Value::Day(owners.registered - (draw % 60) as i32)),
            ("owner_kind", Value::Text(owner.kind)),
            ("owner_name", Value::Text(&owner.name)),
            ("owner_id", Value::text_or_null(&owner.id)),
            ("owner_birth_date", Value::day(owner.birth)),
            ("owner_address", Value::text_or_null(&owner.address)),
            ("share_class", Value::text_or_null(share.class)),
            ("share_numerator", Value::Int(share.fraction.0)),
            ("share_denominator", Value::Int(share.fraction.1)),
            ("share", Value::Text(&share_text)),
            ("deed_no", Value::Text(&format!("{}北字第{:06}號", day::roc(year), draw % 1_000_000))),
            ("declared_value", Value::Decimal(parcel.lot.values[1] * percent / 100, 0)),
            ("declared_year_month", Value::Text("11301")),
            (
                "declared_note",
                Value::Text(match percent {
                    80 => "按公告地價80%申報者",
                    100 => "按公告地價100%申報者",
                    _ => "按公告地價120%申報者",
                }),
            ),
            ("previous_value", Value::Decimal(parcel.lot.values[0] * (20 + draw as i64 % 70) / 100, 0)),
            ("previous_year_month", Value::Text(&format!("{:03}{month:02}", day::roc(year)))),
            ("related_rights", if owners.mortgage { Value::Text("抵押權") } else { Value::Null }),
            ("manager_name", owner.manager.map_or(Value::Null, Value::Text)),
            ("manager_id", Value::Null),
            ("district_code", Value::Text(parcel.district)),
        ],
    )
}
