//! Rows of the building register: units and shared parts, who owns them, mortgages on them and on land.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::lot;
use super::owners::{self, Owner, Owners};
use super::site::{Building, Site};
use super::{Filler, building};
use crate::store::bulk::{BulkError, Rows, Value};

/// What the rows of a site's units have in common.
struct Common {
    district: &'static str,
    first_lot: String,
    second_lot: Option<String>,
    permit: Option<String>,
    shared: Option<String>,
    completed: i32,
}

/// Key of a registered building, `AD060900012000`.
fn write_key(city: &City, section: u16, number: u32, out: &mut String) {
    use std::fmt::Write;
    let _ = write!(out, "{}{number:05}000", city.names.sections[usize::from(section)].key);
}

/// Every registered part of a site with its owners.
pub fn buildings(
    city: &City,
    site: &Site,
    owners: &[Owners],
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    if !site.registered() {
        return Ok(());
    }
    let lot_key = |lot: u32| {
        let mut key = String::with_capacity(14);
        lot::write_key(city, site.section, lot, &mut key);
        key
    };
    let common = Common {
        district: city.names.districts[usize::from(site.district)].code,
        first_lot: lot_key(site.lot),
        second_lot: (site.lots > 1).then(|| lot_key(site.lot + 1)),
        permit: site.permit.map(|permit| building::permit_no(permit, "使")),
        shared: site.shared_part().map(|number| {
            let mut key = String::with_capacity(14);
            write_key(city, site.section, number, &mut key);
            key
        }),
        completed: building::completed(site),
    };
    let mut key = String::with_capacity(14);
    for (unit, owners) in owners.iter().enumerate() {
        let unit = unit as u16; // a site's units are u16
        key.clear();
        write_key(city, site.section, site.building_no + u32::from(unit), &mut key);
        unit_row(city, site, &common, unit, &key, rows, filler)?;
        link(&key, &common.first_lot, rows)?;
        if let Some(second) = &common.second_lot {
            link(&key, second, rows)?;
        }
        ownerships(city, &common, &key, owners, rows)?;
    }
    let Some(shared) = &common.shared else { return Ok(()) };
    shared_row(city, site, &common, shared, rows)?;
    (site.lot..site.lot + u32::from(site.lots)).try_for_each(|lot| link(shared, &lot_key(lot), rows))
}

fn link(building: &str, parcel: &str, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let values = [("building_key", Value::Text(building)), ("parcel_key", Value::Text(parcel))];
    rows.row("registered_building_parcels", &values)
}

fn unit_row(
    city: &City,
    site: &Site,
    common: &Common,
    unit: u16,
    key: &str,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    let mut dice = Dice::new(city.seed, Kind::Register, u64::from(site.first_unit) + u64::from(unit));
    let place = site.place(unit);
    let floor_area = i64::from(dice.between(4_500, 15_000));
    let attached = floor_area * i64::from(dice.between(0, 12)) / 100;
    let shared_area = if common.shared.is_some() { floor_area * i64::from(dice.between(8, 33)) / 100 } else { 0 };
    let [address, plate, floor, share] = filler.texts();
    site.write_key(&city.names, place, address);
    site.write_plate_key(&city.names, place.plate, plate);
    building::write_layer(place.floor.max(1), floor);
    if common.shared.is_some() {
        use std::fmt::Write;
        let _ = write!(share, "{}/10000", (10_000 / i32::from(site.units)).max(1)); // writing into a String cannot fail
    }
    rows.row(
        "registered_buildings",
        &[
            ("building_key", Value::Text(key)),
            ("section_key", Value::Text(&key[..6])),
            ("building_no", Value::Text(&key[6..])),
            ("district_code", Value::Text(common.district)),
            ("registered_on", Value::Day((common.completed + dice.between(30, 200)).min(day::TODAY))),
            ("reason", Value::Text("第一次登記")),
            ("address_key", Value::Text(address)),
            ("plate_key", Value::Text(plate)),
            ("main_use", Value::Text(main_use(site, unit))),
            ("main_material", Value::Text(building::material(site))),
            ("floors", Value::Int(i32::from(site.floors))),
            ("floor_label", Value::Text(floor)),
            ("floor_area_m2", Value::Decimal(floor_area, 2)),
            ("attached_uses", if attached > 0 { Value::Text("陽台、雨遮") } else { Value::Null }),
            ("attached_area_m2", Value::Decimal(attached, 2)),
            ("shared_building_key", common.shared.as_deref().map_or(Value::Null, Value::Text)),
            ("shared_share", Value::text_or_null(share)),
            ("shared_area_m2", Value::Decimal(shared_area, 2)),
            ("total_area_m2", Value::Decimal(floor_area + attached + shared_area, 2)),
            ("completed_on", Value::Day(common.completed)),
            ("use_permit_no", common.permit.as_deref().map_or(Value::Null, Value::Text)),
            ("shared_part", Value::Boolean(false)),
            ("notes", Value::Null),
        ],
    )
}

fn shared_row(city: &City, site: &Site, common: &Common, key: &str, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let mut plate = String::with_capacity(48);
    site.write_plate_key(&city.names, 0, &mut plate);
    let area = i64::from(site.units) * 2_100;
    rows.row(
        "registered_buildings",
        &[
            ("building_key", Value::Text(key)),
            ("section_key", Value::Text(&key[..6])),
            ("building_no", Value::Text(&key[6..])),
            ("district_code", Value::Text(common.district)),
            ("registered_on", Value::Day((common.completed + 30).min(day::TODAY))),
            ("reason", Value::Text("第一次登記")),
            ("address_key", Value::Text(&plate)),
            ("plate_key", Value::Text(&plate)),
            ("main_use", Value::Text("共有部分")),
            ("main_material", Value::Text(building::material(site))),
            ("floors", Value::Int(i32::from(site.floors))),
            ("floor_label", Value::Null),
            ("floor_area_m2", Value::Decimal(area, 2)),
            ("attached_uses", Value::Null),
            ("attached_area_m2", Value::Null),
            ("shared_building_key", Value::Null),
            ("shared_share", Value::Null),
            ("shared_area_m2", Value::Null),
            ("total_area_m2", Value::Decimal(area, 2)),
            ("completed_on", Value::Day(common.completed)),
            ("use_permit_no", common.permit.as_deref().map_or(Value::Null, Value::Text)),
            ("shared_part", Value::Boolean(true)),
            ("notes", Value::Text("共有部分")),
        ],
    )
}

fn main_use(site: &Site, unit: u16) -> &'static str {
    match site.building {
        Building::Office => "辦公室",
        Building::Commercial => "商業用",
        Building::Factory => "工業用",
        Building::Public => "公共設施用",
        _ if unit < site.first_home() => "商業用",
        _ => "住家用",
    }
}

fn ownerships(city: &City, common: &Common, key: &str, owners: &Owners, rows: &mut dyn Rows) -> Result<(), BulkError> {
    let (year, _, _) = day::parts(owners.registered);
    let shares = owners::divide(owners.owners.len(), owners.sharing, 1, 1);
    let mut share_text = String::with_capacity(24);
    for (order, (owner, share)) in owners.owners.iter().zip(&shares).enumerate() {
        let order_no = format!("{:04}", order + 1);
        share_text.clear();
        share.write(&mut share_text);
        rows.row(
            "building_ownerships",
            &[
                ("ownership_key", Value::Text(&format!("{key}-{order_no}"))),
                ("building_key", Value::Text(key)),
                ("order_no", Value::Text(&order_no)),
                ("received_no", Value::Text(&received_no(owners.registered, key, 1))),
                ("registered_on", Value::Day(owners.registered)),
                ("reason", Value::Text(owners.reason)),
                ("reason_date", Value::Day(owners.registered - 20)),
                ("owner_kind", Value::Text(owner.kind)),
                ("owner_name", Value::Text(&owner.name)),
                ("owner_id", Value::text_or_null(&owner.id)),
                ("owner_birth_date", Value::day(owner.birth)),
                ("owner_address", Value::text_or_null(&owner.address)),
                ("share_class", Value::text_or_null(share.class)),
                ("share_numerator", Value::Int(share.fraction.0)),
                ("share_denominator", Value::Int(share.fraction.1)),
                ("share", Value::Text(&share_text)),
                ("deed_no", Value::Text(&format!("{}北建字第{}號", day::roc(year), &key[6..11]))),
                ("related_rights", if owners.mortgage { Value::Text("0001-000") } else { Value::Null }),
                ("manager_name", owner.manager.map_or(Value::Null, Value::Text)),
                ("manager_id", Value::Null),
                ("district_code", Value::Text(common.district)),
            ],
        )?;
    }
    if owners.mortgage {
        let amount = 5_000_000 + i64::from(owners.registered % 83) * 200_000;
        right(city, key, common.district, (1, 1), (&owners.owners[0], owners.registered, amount), false, rows)?;
    }
    Ok(())
}

/// 收件字號: those who registered together share it.
pub fn received_no(registered: i32, key: &str, first: u32) -> String {
    let (year, month, date) = day::parts(registered);
    // From what it is about, so that both parts of the register say the same.
    let number = key
        .bytes()
        .fold(first + (month * 31 + date) as u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("{}年收件字第{:06}號", day::roc(year), number % 1_000_000)
}

/// A mortgage on a parcel or a registered building: order numbers of the right and of its target, debtor, day and
/// amount.
pub fn right(
    city: &City,
    key: &str,
    district: &str,
    (order, target): (u32, u32),
    (debtor, registered, amount): (&Owner, i32, i64),
    land: bool,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let bank = (registered.unsigned_abs() as usize + amount as usize / 1_000) % city.names.banks.len();
    let order_no = format!("{order:04}-000");
    let term = registered + 30 * 365;
    let key_column = if land { "parcel_key" } else { "building_key" };
    rows.row(
        if land { "land_rights" } else { "building_rights" },
        &[
            ("right_key", Value::Text(&format!("{key}-{order_no}"))),
            (key_column, Value::Text(key)),
            ("order_no", Value::Text(&order_no)),
            ("right_type", Value::Text(if amount % 50 == 7 { "地上權" } else { "最高限額抵押權" })),
            ("received_no", Value::Text(&received_no(registered, key, target))),
            ("registered_on", Value::Day(registered)),
            ("reason", Value::Text("設定")),
            ("holder_name", Value::Text(city.names.banks[bank])),
            ("holder_id", Value::Text(&owners::firm_id(900_000 + bank as u32))),
            ("holder_address", Value::Null),
            ("claim_ratio", Value::Text("全部")),
            ("secured_amount", Value::Decimal(amount, 0)),
            ("period_from", Value::Day(registered)),
            ("period_to", Value::Day(term)),
            ("settle_date", Value::Day(term)),
            ("repayment", Value::Text("依照各個債務契約約定")),
            ("interest", Value::Text("依照各個債務契約約定")),
            ("default_interest", Value::Null),
            ("penalty", Value::Null),
            ("secured_scope", Value::Text("借款、透支、票據")),
            ("target", Value::Text("所有權")),
            ("target_orders", Value::Text(&format!("{target:04}"))),
            ("set_range", Value::Text("全部")),
            ("certificate_no", Value::Null),
            ("co_collateral", Value::Null),
            ("foreclosure_clause", Value::Null),
            ("debtor_name", Value::Text(&debtor.name)),
            ("debtor_id", Value::text_or_null(&debtor.id)),
            ("debt_ratio", Value::Text("1/1")),
            ("obligor_name", Value::Text(&debtor.name)),
            ("notes", Value::Null),
            ("district_code", Value::Text(district)),
        ],
    )
}
