//! Who lives together: the members of a household by its shape. Numbers and addresses are left to `people`.

use super::city::City;
use super::day;
use super::dice::Dice;
use super::people::{Member, Status};

/// Shape of a household.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Alone.
    Alone,
    /// A couple without children at home.
    Couple,
    /// A couple with that many children.
    Family(i32),
    /// One parent with children.
    OneParent,
    /// A couple with children and parents.
    ThreeGenerations,
    /// Brothers and sisters.
    Siblings,
    /// 共同事業戶: a home or dormitory.
    Institution,
}

/// Shapes by weight.
pub const SHAPES: &[(u32, Shape)] = &[
    (370, Shape::Alone),
    (180, Shape::Couple),
    (130, Shape::Family(1)),
    (110, Shape::Family(2)),
    (24, Shape::Family(3)),
    (75, Shape::OneParent),
    (80, Shape::ThreeGenerations),
    (29, Shape::Siblings),
    (2, Shape::Institution),
];

/// Draws the members of a household, the head first, and says its 戶別.
pub fn make(city: &City, dice: &mut Dice, shape: Shape) -> (&'static str, Vec<Member>) {
    let mut maker = Maker { city, dice, members: Vec::with_capacity(5) };
    let kind = maker.make(shape);
    (kind, maker.members)
}

struct Maker<'a> {
    city: &'a City,
    dice: &'a mut Dice,
    members: Vec<Member>,
}

impl Maker<'_> {
    fn make(&mut self, shape: Shape) -> &'static str {
        let age = match shape {
            Shape::Alone => self.age_alone(),
            Shape::Couple => self.dice.between(26, 88),
            Shape::Family(_) | Shape::OneParent => self.dice.between(30, 62),
            Shape::ThreeGenerations => self.dice.between(34, 60),
            Shape::Siblings => self.dice.between(20, 70),
            Shape::Institution => self.dice.between(40, 65),
        };
        let woman = self.dice.chance(if matches!(shape, Shape::OneParent) { 780 } else { 430 });
        self.add("戶長", woman, age, None);
        match shape {
            Shape::Alone => {
                if age > 65 && self.dice.chance(350) {
                    self.members[0].marital = "喪偶";
                }
                return "單獨生活戶";
            }
            Shape::Couple => self.add_spouse(),
            Shape::Family(children) => {
                self.add_spouse();
                self.add_children(children);
            }
            Shape::OneParent => {
                self.members[0].marital = if self.dice.chance(700) { "離婚" } else { "喪偶" };
                let children = self.dice.between(1, 2);
                self.add_children(children);
            }
            Shape::ThreeGenerations => {
                self.add_spouse();
                let children = self.dice.between(1, 2);
                self.add_children(children);
                self.add_parents();
            }
            Shape::Siblings => {
                let woman = self.dice.chance(500);
                self.add(if woman { "妹" } else { "弟" }, woman, (age - 3).max(18), Some(0));
            }
            Shape::Institution => {
                for _ in 0..self.dice.between(4, 9) {
                    let (woman, age) = (self.dice.chance(500), self.dice.between(20, 90));
                    self.add("寄居", woman, age, None);
                }
                return "共同事業戶";
            }
        }
        "共同生活戶"
    }

    fn age_alone(&mut self) -> i32 {
        match self.dice.below(100) {
            0..35 => self.dice.between(20, 39),
            35..65 => self.dice.between(40, 64),
            65..88 => self.dice.between(65, 79),
            _ => self.dice.between(80, 101),
        }
    }

    /// Adds a member; `like` gives the surname.
    fn add(&mut self, relation: &'static str, female: bool, age: i32, like: Option<usize>) {
        let names = &self.city.names;
        let dice = &mut *self.dice;
        let foreign = like.is_none() && dice.chance(8);
        let surname = like.map_or_else(|| dice.weighted(&names.surnames), |like| self.members[like].surname);
        let from = if female { &names.women } else { &names.men };
        let first = *dice.pick(from);
        let second = if dice.chance(970) { *dice.pick(from) } else { "" };
        let birth = day::TODAY - age * 365 - age / 4 - dice.between(0, 364);
        let status = match (dice.below(1000), age) {
            (0..12, 20..) => Status::Abroad,
            (12..60, 75..) => Status::Dead(day::TODAY - dice.between(1, 3000)),
            _ => Status::Present,
        };
        let letter =
            dice.weighted(&[(620, b'A'), (150, b'F'), (60, b'E'), (50, b'B'), (40, b'D'), (30, b'H'), (50, b'U')]);
        let tribe = dice.chance(7).then(|| dice.below(names.tribes.len() as u32) as u8);
        self.members.push(Member {
            relation,
            female,
            birth,
            surname,
            given: [first, second],
            status: if relation == "戶長" { Status::Present } else { status },
            father: None,
            mother: None,
            spouse: None,
            marital: "未婚",
            letter,
            foreign,
            tribe: tribe.filter(|_| !foreign),
            birthplace: dice.below(names.birthplaces.len() as u32) as u8,
            rare: dice.below(10_000) as u16,
        });
    }

    fn add_spouse(&mut self) {
        let (woman, age) = (!self.members[0].female, self.members[0].age() + self.dice.between(-4, 3));
        self.add(if woman { "妻" } else { "夫" }, woman, age.max(20), None);
        self.members[0].spouse = Some(1);
        self.members[1].spouse = Some(0);
        for member in &mut self.members {
            member.marital = "有偶";
        }
    }

    fn add_children(&mut self, count: i32) {
        let head = &self.members[0];
        let married = head.spouse.is_some();
        let (father, mother) = match (head.female, married) {
            (false, true) => (Some(0), Some(1)),
            (true, true) => (Some(1), Some(0)),
            (false, false) => (Some(0), None),
            (true, false) => (None, Some(0)),
        };
        // Nobody is a parent before 18: the younger parent decides.
        let parents_age = self.members.iter().map(Member::age).min().unwrap_or(18);
        let mut eldest = (parents_age - self.dice.between(24, 34)).clamp(0, parents_age - 18);
        let mut born = [0_usize; 2];
        for _ in 0..count {
            let woman = self.dice.chance(482);
            let relations = if woman { ["長女", "次女", "三女"] } else { ["長子", "次子", "三子"] };
            let nth = born[usize::from(woman)].min(2);
            born[usize::from(woman)] += 1;
            self.add(relations[nth], woman, eldest.max(0), Some(usize::from(father.unwrap_or(0))));
            if let Some(child) = self.members.last_mut() {
                (child.father, child.mother) = (father, mother);
                (child.tribe, child.foreign) = (None, false);
            }
            eldest -= self.dice.between(1, 4);
        }
    }

    fn add_parents(&mut self) {
        let head_age = self.members[0].age();
        let father = self.members.len() as u8; // a household has a dozen members at most
        let age = head_age + self.dice.between(23, 34);
        self.add("父", false, age, Some(0));
        let age = age - self.dice.between(0, 5);
        self.add("母", true, age.max(head_age + 18), None);
        self.members[0].father = Some(father);
        self.members[0].mother = Some(father + 1);
        self.members[usize::from(father)].spouse = Some(father + 1);
        self.members[usize::from(father) + 1].spouse = Some(father);
        let dead = matches!(self.members[usize::from(father)].status, Status::Dead(_));
        self.members[usize::from(father)].marital = "有偶";
        self.members[usize::from(father) + 1].marital = if dead { "喪偶" } else { "有偶" };
    }
}
