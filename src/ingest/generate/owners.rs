//! Who owns what: people of the city, people who are not in its registers, firms, the government. Shares of one
//! thing add up to all of it. Writing the register's rows is left to `land` and `register`.

use super::city::City;
use super::day;
use super::dice::{Dice, Kind};
use super::notable::Notable;
use super::people::{self, Member, NUMBERS, Resident, Status};
use super::site::{Building, Site};

/// An owner as a register has it.
#[derive(Clone, Debug)]
pub struct Owner {
    /// 自然人, 法人 or 政府機關
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// National id or number of a firm; empty for the government.
    pub id: String,
    /// Day of birth of a person.
    pub birth: Option<i32>,
    /// Address; empty if the register has none.
    pub address: String,
    /// Managing agency, for the government.
    pub manager: Option<&'static str>,
}

/// How the owners of one thing share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Each a fraction.
    Fractions,
    /// 公同共有: all together.
    Joint,
}

/// The owners of one unit or lot.
#[derive(Clone, Debug)]
pub struct Owners {
    /// The owners, at least one.
    pub owners: Vec<Owner>,
    /// How they share.
    pub sharing: Sharing,
    /// 登記原因
    pub reason: &'static str,
    /// Day of registration.
    pub registered: i32,
    /// A mortgage lies on it.
    pub mortgage: bool,
}

/// Owners of a unit; `home` is the first household of the home, if somebody lives there.
pub fn of_unit(city: &City, site: &Site, unit: u16, home: Option<&Resident>) -> Owners {
    let mut dice = Dice::new(city.seed, Kind::Unit, u64::from(site.first_unit) + u64::from(unit));
    let built = day::of(i32::from(site.year), 3, 1).min(day::TODAY - 90);
    let registered = dice.between(built + 60, day::TODAY);
    let known = home.is_some_and(|home| home.number == 0); // A123456789 owns the home he lives in, in every city
    let lives_in = dice.chance(if site.notable.is_some() { 800 } else { 640 }) || known;
    if let (Some(home), true) = (home, lives_in) {
        return of_residents(city, site, home, registered, &mut dice);
    }
    if site.building == Building::Public {
        let owners = vec![government(city, &mut dice)];
        return Owners { owners, sharing: Sharing::Fractions, reason: "第一次登記", registered, mortgage: false };
    }
    let firms = if site.building.has_homes() { 60 } else { 480 };
    let owner = match dice.below(1000) {
        n if n < firms => firm(city, &mut dice),
        n if n >= 940 => stranger(city, &mut dice),
        _ => resident(city, &mut dice),
    };
    let person = owner.kind == "自然人";
    let mut owners = vec![owner];
    let more = if person { dice.weighted(&[(80, 0), (12, 1), (5, 2), (3, 3)]) } else { 0 };
    for _ in 0..more {
        owners.push(resident(city, &mut dice));
    }
    let joint = more > 0 && dice.chance(250);
    let reason = match (more > 1, person) {
        (true, _) => "繼承",
        (false, true) => dice.weighted(&[(80, "買賣"), (12, "贈與"), (5, "拍賣"), (3, "信託")]),
        (false, false) => "買賣",
    };
    let mortgage = more == 0 && dice.chance(300);
    Owners { owners, sharing: if joint { Sharing::Joint } else { Sharing::Fractions }, reason, registered, mortgage }
}

fn of_residents(city: &City, site: &Site, home: &Resident, registered: i32, dice: &mut Dice) -> Owners {
    let members = &home.household.members;
    let mut address = String::with_capacity(64);
    site.write_text(&city.names, site.place(home.unit), &mut address);
    let member = |at: usize| natural(&members[at], home.national_id(at), address.clone());
    let dead = members.iter().position(|member| matches!(member.status, Status::Dead(_)));
    let spouse = members[0].spouse.map(usize::from);
    let (owners, reason) = match (dead, spouse) {
        _ if home.number == 0 => (vec![member(0)], "買賣"),
        (Some(dead), _) if site.notable == Some(Notable::DeadOwner) || dice.chance(400) => (vec![member(dead)], "買賣"),
        (_, Some(spouse)) if dice.chance(220) => (vec![member(0), member(spouse)], "買賣"),
        _ => (vec![member(0)], dice.weighted(&[(70, "買賣"), (15, "贈與"), (10, "第一次登記"), (5, "繼承")])),
    };
    let mortgage = owners.len() == 1 && dice.chance(330);
    Owners { owners, sharing: Sharing::Fractions, reason, registered, mortgage }
}

/// Owners of a lot that units do not carry with them.
pub fn of_lot(city: &City, section: u16, lot: u32, ownership: &str) -> Owners {
    let mut dice = Dice::new(city.seed, Kind::LotOwners, (u64::from(section) << 32) + u64::from(lot));
    let registered = dice.between(day::of(1955, 1, 1), day::TODAY - 30);
    let mut owners = Vec::new();
    if ownership != "私有" {
        owners.push(government(city, &mut dice));
    }
    let mut sharing = Sharing::Fractions;
    if ownership != "公有" {
        let count = dice.weighted(&[(58, 1), (16, 2), (10, 3), (8, 4), (6, 6), (2, 12)]);
        for _ in 0..count {
            owners.push(match dice.below(100) {
                0..12 => firm(city, &mut dice),
                12..20 => stranger(city, &mut dice),
                _ => resident(city, &mut dice),
            });
        }
        if ownership == "私有" && count > 2 && dice.chance(300) {
            sharing = Sharing::Joint;
        }
    }
    let private = ownership == "私有";
    let reason = if private { dice.weighted(&[(60, "買賣"), (30, "繼承"), (10, "贈與")]) } else { "總登記" };
    let mortgage = private && owners.len() == 1 && dice.chance(200);
    Owners { owners, sharing, reason, registered, mortgage }
}

fn natural(member: &Member, id: String, address: String) -> Owner {
    Owner { kind: "自然人", name: member.name(), id, birth: Some(member.birth), address, manager: None }
}

/// The head of some household of the city.
pub fn resident(city: &City, dice: &mut Dice) -> Owner {
    let number = dice.below(city.households.max(1));
    let head = people::household(city, number).members.swap_remove(0);
    let id = people::national_id(&head, number);
    let site = city.site_of_household(number);
    let mut address = String::with_capacity(64);
    site.write_text(&city.names, site.place(city.unit_of_household(site, number)), &mut address);
    natural(&head, id, address)
}

/// Somebody who is not in the city's household registers; the number is nobody's there.
pub fn stranger(city: &City, dice: &mut Dice) -> Owner {
    let names = &city.names;
    let female = dice.chance(450);
    let from = if female { &names.women } else { &names.men };
    let name = format!("{}{}{}", dice.weighted(&names.surnames), dice.pick(from), dice.pick(from));
    let free = (NUMBERS - u64::from(city.persons)).min(900_000) as u32;
    let id = people::id_of_number(b'F', false, female, city.persons + dice.below(free));
    let birth = day::TODAY - dice.between(25 * 365, 95 * 365);
    let abroad = dice.chance(150);
    let address = if abroad {
        "美國加州"
    } else {
        *dice.pick(&["新北市板橋區", "桃園市中壢區", "臺中市西屯區", "高雄市三民區"])
    };
    Owner { kind: "自然人", name, id, birth: Some(birth), address: address.to_owned(), manager: None }
}

/// One of the city's firms; a firm of the same number has the same name.
pub fn firm(city: &City, dice: &mut Dice) -> Owner {
    let firms = city.scale.of(30_000).max(40) as u32;
    let number = dice.below(firms);
    let (name, id) = firm_of_number(city, number);
    Owner { kind: "法人", name, id, birth: None, address: String::new(), manager: None }
}

/// Name and number of a firm.
pub fn firm_of_number(city: &City, number: u32) -> (String, String) {
    let names = &city.names;
    let mut dice = Dice::new(city.seed, Kind::Layout, 1 << 40 | u64::from(number));
    let form = dice.weighted(&[(7, "股份有限公司"), (3, "有限公司")]);
    let name = format!("{}{}{}{form}", dice.pick(&names.firms), dice.pick(&names.men), dice.pick(&names.trades));
    (name, firm_id(number))
}

/// A company number (統一編號) whose check digit is right under the older, stricter rule, too.
pub fn firm_id(number: u32) -> String {
    const WEIGHTS: [u32; 8] = [1, 2, 1, 2, 1, 2, 4, 1];
    let mut digits = [0_u32; 8];
    let mut rest = 9_000_000 + number % 999_999; // above the numbers given to real firms
    for digit in digits[..7].iter_mut().rev() {
        (*digit, rest) = (rest % 10, rest / 10);
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight / 10 + digit * weight % 10).sum();
    digits[7] = (10 - sum % 10) % 10;
    digits.iter().map(|digit| char::from(b'0' + *digit as u8)).collect()
}

/// The government, with the agency that manages the property.
pub fn government(city: &City, dice: &mut Dice) -> Owner {
    let state = dice.chance(350);
    Owner {
        kind: "政府機關",
        name: if state { "中華民國" } else { "臺北市" }.to_owned(),
        id: String::new(),
        birth: None,
        address: String::new(),
        manager: Some(*dice.pick(&city.names.agencies)),
    }
}

/// A share as a register has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// 權利範圍類別: A, B or empty.
    pub class: &'static str,
    /// Numerator and denominator; joint owners have those of all of them together.
    pub fraction: (i32, i32),
}

impl Share {
    /// `1/4`, `全部 1/1`, `公同共有 1/2`
    pub fn write(&self, out: &mut String) {
        use std::fmt::Write;
        if self.class == "B" {
            out.push_str("公同共有 ");
        }
        let _ = write!(out, "{}/{}", self.fraction.0, self.fraction.1); // writing into a String cannot fail
    }
}

/// Shares of owners in a part `numerator / denominator` of a thing; they add up to that part.
pub fn divide(owners: usize, sharing: Sharing, numerator: i64, denominator: i64) -> Vec<Share> {
    let owners = owners.max(1) as i64;
    if sharing == Sharing::Joint {
        let all = Share { class: "B", fraction: reduced(numerator, denominator) };
        return vec![all; owners as usize];
    }
    if owners == 1 && numerator == denominator {
        return vec![Share { class: "A", fraction: (1, 1) }];
    }
    // Large denominators are kept as they are and split in whole parts, as registers do; small ones are made finer.
    let (numerator, denominator, whole) = match denominator >= 1000 && numerator >= owners {
        true => (numerator, denominator, true),
        false => (numerator * owners, denominator * owners, false),
    };
    (0..owners)
        .map(|at| {
            let part = numerator * (at + 1) / owners - numerator * at / owners;
            let fraction = if whole { (part as i32, denominator as i32) } else { reduced(part, denominator) };
            Share { class: "", fraction }
        })
        .collect()
}

fn reduced(numerator: i64, denominator: i64) -> (i32, i32) {
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    // Numerator and denominator are below 10⁷ in everything that this city divides.
    ((numerator / a) as i32, (denominator / a) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        for (owners, part) in [(1, (1, 1)), (3, (1, 1)), (2, (1, 29)), (7, (21_757, 8_618_400)), (4, (3, 10_000))] {
            let shares = divide(owners, Sharing::Fractions, part.0, part.1);
            let sum: f64 = shares.iter().map(|share| f64::from(share.fraction.0) / f64::from(share.fraction.1)).sum();
            assert!((sum - part.0 as f64 / part.1 as f64).abs() < 1e-12, "{owners} {part:?} {shares:?}");
            assert!(shares.iter().all(|share| share.fraction.0 > 0));
        }
        assert_eq!(divide(2, Sharing::Joint, 1, 1)[0].fraction, (1, 1));
    }

    #[test]
    fn known_firm_number() {
        // 04595257 is a real number's check: the digits before it give 7.
        assert!(firm_id(0).starts_with("9000000"));
        assert_eq!(firm_id(5).len(), 8);
    }
}
