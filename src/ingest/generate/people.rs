//! Households and the people in them, each made from its own number alone. All of them are made up: names are put
//! together from common characters, numbers are counted, and every row says so. Where they live is left to `city`.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::family::{self, SHAPES, Shape};
use super::notable::Notable;
use super::site::Site;

/// Everybody's numbers are below this: digits two to eight of a national id, the third from 0 to 5.
pub const NUMBERS: u64 = 6_000_000;

/// The number of household 0's head, so that A123456789 is in every city.
const FIRST_NUMBER: u64 = 2_345_678;

/// Steps through the numbers; shares no factor with [`NUMBERS`], so no number comes twice.
const STEP: u64 = 3_732_653;

/// Where a person stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 現住
    Present,
    /// 遷出國外
    Abroad,
    /// 死亡, on a day.
    Dead(i32),
}

/// A member of a household.
#[derive(Clone, Debug)]
pub struct Member {
    /// 稱謂
    pub relation: &'static str,
    /// A woman.
    pub female: bool,
    /// Day of birth.
    pub birth: i32,
    /// Surname.
    pub surname: &'static str,
    /// Given name.
    pub given: [&'static str; 2],
    /// Where the person stands.
    pub status: Status,
    /// Father, if in the household.
    pub father: Option<u8>,
    /// Mother, if in the household.
    pub mother: Option<u8>,
    /// Spouse, if in the household.
    pub spouse: Option<u8>,
    /// 婚姻狀況
    pub marital: &'static str,
    /// First letter of the national id, where the number was first given.
    pub letter: u8,
    /// A foreigner with a 統一證號.
    pub foreign: bool,
    /// Tribe, number in the list.
    pub tribe: Option<u8>,
    /// Birth place, number in the list.
    pub birthplace: u8,
    /// A bit for rare facts: protection mark, guardianship.
    pub rare: u16,
}

/// A household.
#[derive(Clone, Debug)]
pub struct Household {
    /// 戶別
    pub kind: &'static str,
    /// Members, the head first.
    pub members: Vec<Member>,
    /// Day it was opened.
    pub opened: i32,
    /// The head's father is the head of the household before this one.
    pub father_next_door: bool,
}

/// A household of a site with its place in the city.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Number of the household.
    pub number: u32,
    /// The unit where it lives.
    pub unit: u16,
    /// Number of its first member after the head.
    pub first_other: u32,
    /// The household.
    pub household: Household,
}

impl Resident {
    /// Number of a member.
    pub fn person(&self, member: usize) -> u32 {
        if member == 0 { self.number } else { self.first_other + member as u32 - 1 }
    }

    /// National id of a member.
    pub fn national_id(&self, member: usize) -> String {
        national_id(&self.household.members[member], self.person(member))
    }
}

/// The households of a site, home by home.
pub fn residents(city: &City, site: &Site) -> Vec<Resident> {
    let (mut number, mut first_other) = (site.first_household, site.first_other);
    let mut all = Vec::with_capacity(usize::from(site.households));
    for (home, count) in city.homes(site).into_iter().enumerate() {
        for _ in 0..count {
            let household = household(city, number);
            let others = household.members.len() as u32 - 1;
            all.push(Resident { number, unit: site.first_home() + home as u16, first_other, household });
            (number, first_other) = (number + 1, first_other + others);
        }
    }
    all
}

/// 戶號 of a household.
pub fn household_no(number: u32) -> String {
    let letter = b"FGHJKLMN"[number as usize / 1_000_000 % 8];
    // Spread, so that neighbours have no consecutive numbers; shares no factor with ten million.
    format!("{}{:07}", char::from(letter), (u64::from(number) * 7_368_787 + 1_234_567) % 10_000_000)
}

impl Member {
    /// Surname and given name.
    pub fn write_name(&self, out: &mut String) {
        out.push_str(self.surname);
        out.push_str(self.given[0]);
        out.push_str(self.given[1]);
    }

    /// The name as a text of its own.
    pub fn name(&self) -> String {
        let mut name = String::with_capacity(12);
        self.write_name(&mut name);
        name
    }

    /// Age today.
    pub fn age(&self) -> i32 {
        day::years_between(self.birth, day::TODAY)
    }
}

/// The national id of the person of that number: check digit right, number given to nobody else in the city.
pub fn national_id(member: &Member, person: u32) -> String {
    id_of_number(member.letter, member.foreign, member.female, person)
}

/// The national id of a number.
pub fn id_of_number(letter: u8, foreign: bool, female: bool, person: u32) -> String {
    const ORDER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVXYWZIO"; // 10, 11, … 35
    let number = (FIRST_NUMBER + u64::from(person) * STEP) % NUMBERS;
    let sex = if foreign { 8 } else { 1 } + u64::from(female);
    let value = 10 + ORDER.iter().position(|l| *l == letter).unwrap_or(0) as u64;
    let mut sum = value / 10 + (value % 10) * 9 + sex * 8;
    let mut power = 1_000_000;
    for weight in (1..=7).rev() {
        sum += number / power % 10 * weight;
        power /= 10;
    }
    let check = (10 - sum % 10) % 10;
    format!("{}{sex}{number:07}{check}", char::from(letter))
}

/// One household of the city.
pub fn household(city: &City, number: u32) -> Household {
    let mut dice = Dice::new(city.seed, Kind::Household, u64::from(number));
    let notable = city.notable_of_household(number);
    let shape = match notable {
        Some(Notable::EldersAlone) => Shape::Alone,
        Some(Notable::AtRisk) if number == 0 => Shape::ThreeGenerations,
        Some(Notable::AtRisk) => Shape::Family(2),
        Some(Notable::DeadOwner) => Shape::Couple,
        _ => dice.weighted(SHAPES),
    };
    let (kind, mut members) = family::make(city, &mut dice, shape);
    if number == 0 {
        (members[0].female, members[0].letter) = (false, b'A');
    }
    match notable {
        Some(Notable::EldersAlone) => members[0].birth = day::of(1930, 1, 1) + dice.between(0, 5000),
        Some(Notable::DeadOwner) => members[1].status = Status::Dead(day::TODAY - dice.between(400, 3000)),
        _ => {}
    }
    let grown = day::TODAY - members[0].birth - 20 * 365;
    let opened = day::TODAY - dice.between(30, grown.clamp(31, 14_000));
    let mut household = Household { kind, members, opened, father_next_door: false };
    if number % 7 == 3 && notable.is_none() {
        let before = self::household(city, number - 1);
        household.descend_from(&before.members[0]);
    }
    household
}

impl Household {
    /// Makes the head a child of somebody, where the ages allow it.
    fn descend_from(&mut self, parent: &Member) {
        let head = &mut self.members[0];
        if parent.female || parent.birth + 20 * 366 > head.birth || head.foreign || parent.foreign {
            return;
        }
        let old = head.surname;
        let married_in = |member: &Member| matches!(member.relation, "妻" | "夫");
        for member in self.members.iter_mut().filter(|member| member.surname == old && !married_in(member)) {
            member.surname = parent.surname;
        }
        self.father_next_door = true;
    }
}
