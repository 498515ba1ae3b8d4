//! Rows of the household register: villages, households, persons, events.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::people::{self, Member, Resident, Status};
use super::site::Site;
use super::{Filler, Step};
use crate::store::bulk::{BulkError, Rows, Value};

/// Said in every household and person: nobody may take these rows for somebody's.
pub const SYNTHETIC: &str = "合成資料，非真實人物";

/// Makes the rows of the `household` dataset.
pub fn fill(city: &City, rows: &mut dyn Rows, step: Step<'_>) -> Result<(), BulkError> {
    villages(city, rows)?;
    let mut events = 0;
    let mut filler = Filler::default();
    for site in &city.sites {
        let residents = people::residents(city, site);
        for (at, resident) in residents.iter().enumerate() {
            household(city, site, resident, rows, &mut filler)?;
            // The household before may be the parents' (see `Household::descend_from`); it may live on another site.
            let parents =
                resident.household.father_next_door.then(|| at.checked_sub(1).map(|before| &residents[before]));
            let parents = match parents {
                Some(None) => Some(Resident {
                    number: resident.number - 1,
                    unit: 0,
                    first_other: 0,
                    household: people::household(city, resident.number - 1),
                }),
                Some(Some(known)) => Some(known.clone()),
                None => None,
            };
            for member in 0..resident.household.members.len() {
                person(city, site, resident, member, parents.as_ref(), rows)?;
            }
            register_events(city, site, resident, &mut events, rows, &mut filler)?;
        }
        step(1);
    }
    Ok(())
}

fn villages(city: &City, rows: &mut dyn Rows) -> Result<(), BulkError> {
    for village in &city.names.villages {
        let count = |at: usize| village.counts[at].map_or(Value::Null, Value::Int);
        rows.row(
            "villages",
            &[
                ("village_code", Value::Text(village.code)),
                ("name", Value::Text(village.name)),
                ("district_code", Value::Text(city.names.districts[usize::from(village.district)].code)),
                ("year_month", Value::Text("2021-03")),
                ("household_count", count(0)),
                ("person_count", count(1)),
                ("men", count(2)),
                ("women", count(3)),
                ("children", count(4)),
                ("working_age", count(5)),
                ("elders", count(6)),
                ("adults", count(7)),
                ("vital_year_month", Value::Text("2026-06")),
                ("births", count(8)),
                ("deaths", count(9)),
                ("marriages", count(10)),
                ("divorces", count(11)),
            ],
        )?;
    }
    Ok(())
}

fn household(
    city: &City,
    site: &Site,
    resident: &Resident,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    let district = city.names.districts[usize::from(site.district)].code;
    let place = site.place(resident.unit);
    let [key, plate, neighbourhood] = filler.texts();
    site.write_key(&city.names, place, key);
    site.write_plate_key(&city.names, place.plate, plate);
    push_number(neighbourhood, site.neighbourhood);
    rows.row(
        "households",
        &[
            ("household_no", Value::Text(&people::household_no(resident.number))),
            ("household_type", Value::Text(resident.household.kind)),
            ("registry_office_code", Value::Text(district)),
            ("district_code", Value::Text(district)),
            ("village_code", Value::Text(city.names.villages[usize::from(site.village)].code)),
            ("neighbourhood_no", Value::Text(neighbourhood)),
            ("address_key", Value::Text(key)),
            ("plate_key", Value::Text(plate)),
            ("head_person_id", Value::Text(&resident.national_id(0))),
            ("head_change_note", Value::Text(SYNTHETIC)),
            ("established_on", Value::Day(resident.household.opened)),
            ("closed_on", Value::Null),
            ("status", Value::Text("現戶")),
        ],
    )
}

fn push_number(out: &mut String, number: u8) {
    use std::fmt::Write;
    let _ = write!(out, "{number:03}"); // writing into a String cannot fail
}

fn person(
    city: &City,
    site: &Site,
    resident: &Resident,
    number: usize,
    parents: Option<&Resident>,
    rows: &mut dyn Rows,
) -> Result<(), BulkError> {
    let members = &resident.household.members;
    let member = &members[number];
    let names = &city.names;
    let relative = |at: Option<u8>| at.map(usize::from).map(|at| (members[at].name(), resident.national_id(at)));
    let mut father = relative(member.father);
    let mut mother = relative(member.mother);
    let spouse = relative(member.spouse);
    if let (0, Some(parents)) = (number, parents) {
        father = Some((parents.household.members[0].name(), parents.national_id(0)));
        // Only those numbered within the same site are known by number.
        mother = parents.household.members[0].spouse.map(usize::from).map(|at| {
            let id = if parents.first_other > 0 { parents.national_id(at) } else { String::new() };
            (parents.household.members[at].name(), id)
        });
    }
    let mut dice = Dice::new(city.seed, Kind::Events, 1 << 40 | u64::from(resident.person(number)));
    let father_name = father
        .as_ref()
        .map(|(name, _)| name.clone())
        .unwrap_or_else(|| format!("{}{}{}", member.surname, dice.pick(&names.men), dice.pick(&names.men)));
    let mother_name = mother.as_ref().map(|(name, _)| name.clone()).unwrap_or_else(|| {
        format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(&names.women), dice.pick(&names.women))
    });
    let text = |relative: &'_ Option<(String, String)>| relative.as_ref().map(|(_, id)| id.clone()).unwrap_or_default();
    let (father_id, mother_id, spouse_id) = (text(&father), text(&mother), text(&spouse));
    let age = member.age();
    let tribe = member.tribe.map(|at| names.tribes[usize::from(at)]);
    let died = match member.status {
        Status::Dead(day) => Some(day),
        _ => None,
    };
    rows.row(
        "persons",
        &[
            ("national_id", Value::Text(&resident.national_id(number))),
            ("id_kind", Value::Text(if member.foreign { "新式統一證號" } else { "國民" })),
            ("name", Value::Text(&member.name())),
            (
                "indigenous_name",
                tribe.filter(|_| member.rare < 3_000).map_or(Value::Null, |_| Value::Text("Kacaw Mayaw")),
            ),
            ("sex", Value::Text(if member.female { "女" } else { "男" })),
            ("birth_date", Value::Day(member.birth)),
            (
                "birth_place",
                Value::Text(if member.foreign { "國外" } else { names.birthplaces[usize::from(member.birthplace)] }),
            ),
            ("birth_order", Value::Text(birth_order(member))),
            ("household_no", Value::Text(&people::household_no(resident.number))),
            ("relation_to_head", Value::Text(member.relation)),
            ("father_name", Value::Text(&father_name)),
            ("mother_name", Value::Text(&mother_name)),
            ("spouse_name", spouse.as_ref().map_or(Value::Null, |(name, _)| Value::Text(name))),
            ("father_id", Value::text_or_null(&father_id)),
            ("mother_id", Value::text_or_null(&mother_id)),
            ("spouse_id", Value::text_or_null(&spouse_id)),
            ("military_status", military(member, age).map_or(Value::Null, Value::Text)),
            (
                "indigenous_status",
                tribe.map_or(Value::Null, |_| {
                    Value::Text(if member.rare.is_multiple_of(2) { "山地原住民" } else { "平地原住民" })
                }),
            ),
            ("tribe", tribe.map_or(Value::Null, Value::Text)),
            ("marital_status", Value::Text(member.marital)),
            ("notes", Value::Text(SYNTHETIC)),
            ("custody_note", custody(member, age).map_or(Value::Null, Value::Text)),
            ("guardianship", guardianship(member, age).map_or(Value::Null, Value::Text)),
            ("protection_mark", Value::Boolean(member.rare % 1_000 == 7)),
            ("status", Value::Text(status(member.status))),
            ("died_on", Value::day(died)),
            ("district_code", Value::Text(names.districts[usize::from(site.district)].code)),
            ("village_code", Value::Text(names.villages[usize::from(site.village)].code)),
        ],
    )
}

fn birth_order(member: &Member) -> &'static str {
    let nth = usize::from(member.rare) % 3;
    if member.female { ["長女", "次女", "三女"][nth] } else { ["長男", "次男", "三男"][nth] }
}

fn military(member: &Member, age: i32) -> Option<&'static str> {
    match (member.female || member.foreign, age) {
        (true, _) | (_, ..18) => None,
        (_, 18..25) => Some("役男"),
        _ => Some(if member.rare.is_multiple_of(20) { "免役" } else { "除役" }),
    }
}

fn custody(member: &Member, age: i32) -> Option<&'static str> {
    let one_parent = member.father.is_some() != member.mother.is_some();
    (age < 18 && one_parent).then_some(if member.mother.is_some() { "由母任之" } else { "由父任之" })
}

fn guardianship(member: &Member, age: i32) -> Option<&'static str> {
    (age > 70 && member.rare < 120).then_some(if member.rare.is_multiple_of(2) {
        "監護宣告"
    } else {
        "輔助宣告"
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Present => "現住",
        Status::Abroad => "遷出國外",
        Status::Dead(_) => "死亡",
    }
}

fn register_events(
    city: &City,
    site: &Site,
    resident: &Resident,
    count: &mut u32,
    rows: &mut dyn Rows,
    filler: &mut Filler,
) -> Result<(), BulkError> {
    let mut dice = Dice::new(city.seed, Kind::Events, u64::from(resident.number));
    let members = &resident.household.members;
    let mut events: Vec<(usize, &'static str, i32)> = Vec::new();
    if dice.chance(350) {
        events.push((0, dice.weighted(&[(6, "遷入"), (3, "住址變更"), (1, "分(合)戶")]), resident.household.opened));
    }
    for (number, member) in members.iter().enumerate() {
        match member.status {
            Status::Dead(day) => events.push((number, "死亡/死亡宣告", day)),
            Status::Abroad => events.push((number, "遷出", day::TODAY - dice.between(100, 4000))),
            Status::Present if member.age() < 20 => events.push((number, "出生", member.birth)),
            Status::Present => {}
        }
        if member.mother.is_some() && member.rare < 30 {
            events.push((number, "收養/終止收養", (member.birth + 900).min(day::TODAY)));
        }
    }
    if members[0].spouse == Some(1) && dice.chance(400) {
        let grown = members[0].birth.max(members[1].birth) + 20 * 366;
        events.push((0, "結婚/離婚", (grown + dice.between(0, 3000)).min(day::TODAY)));
    }
    let [to, number] = filler.texts();
    site.write_text(&city.names, site.place(resident.unit), to);
    let district = city.names.districts[usize::from(site.district)].code;
    for (member, event_type, day) in events {
        use std::fmt::Write;
        *count += 1;
        number.clear();
        let _ = write!(number, "{}{:08}", &district[6..], *count);
        let moved = matches!(event_type, "遷入" | "住址變更");
        rows.row(
            "household_events",
            &[
                ("event_no", Value::Text(number)),
                ("person_id", Value::Text(&resident.national_id(member))),
                ("event_type", Value::Text(event_type)),
                ("event_date", Value::Day(day)),
                ("registered_on", Value::Day((day + dice.between(0, 25)).min(day::TODAY))),
                ("applicant_name", Value::Text(&members[0].name())),
                ("applicant_id", Value::Text(&resident.national_id(0))),
                ("office_code", Value::Text(district)),
                ("from_address", if moved { Value::Text("新北市板橋區文化路一段1號") } else { Value::Null }),
                ("to_address", if moved { Value::Text(to) } else { Value::Null }),
                ("district_code", Value::Text(district)),
            ],
        )?;
    }
    Ok(())
}
