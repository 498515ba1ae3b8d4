//! The grammar of door plates as they are really written: prefixes, then a run of tokens (street, 段, 巷,
//! 弄, 號, 樓, 之) in which lists and ranges stand for several addresses and a later token goes back to its own
//! level. Numbers themselves are read in `numbers`.

use super::numbers::{self, Item, ItemList};
use super::prefix;
use super::{Address, Fault, Floor, MOST, Plate};
use crate::catalog::scalar::district::District;
use crate::catalog::scalar::writing;

/// Reads every address that a text stands for; the text must name the district.
pub fn read_all(text: &str) -> Result<Vec<Address>, Fault> {
    read_all_in(None, text)
}

/// The same, with the district known from elsewhere (another column); one that the text names wins.
pub fn read_all_in(known: Option<&'static District>, text: &str) -> Result<Vec<Address>, Fault> {
    let found = read(known, text)?;
    // A key must read to itself, or one door would have two keys. Odd texts that would not are refused.
    let stable = |address: &Address| {
        let key = address.key();
        matches!(read(None, &key).as_deref(), Ok([again]) if again.key() == key)
    };
    if found.iter().all(stable) { Ok(found) } else { Err(Fault::Unread) }
}

fn read(known: Option<&'static District>, text: &str) -> Result<Vec<Address>, Fault> {
    let folded = writing::fold(text);
    if folded.contains(['?', '□', '\u{fffd}']) || folded.chars().any(|c| ('\u{e000}'..='\u{f8ff}').contains(&c)) {
        return Err(Fault::LostCharacter);
    }
    let plain = prefix::without_remarks(&folded);
    let rest = plain.trim_start_matches(['-', ',', '、', '.', ':']);
    if rest.is_empty() {
        return Err(Fault::Empty);
    }
    let (district, rest) = prefix::strip_city_and_district(rest)?;
    let district = district.or(known).ok_or(Fault::NoDistrict)?;
    let chars: Vec<char> = rest.chars().collect();
    let (village, at) = prefix::read_village(&chars);
    let (neighbourhood, at) = prefix::read_neighbourhood(&chars, at);
    let mut reader = Reader {
        district,
        village,
        neighbourhood,
        chars,
        at,
        place: Place::default(),
        doors: Vec::new(),
        floors: Vec::new(),
        units: Vec::new(),
        found: Vec::new(),
    };
    reader.run()?;
    Ok(reader.found)
}

/// Street, section, lane and alley that hold until a later token changes them.
#[derive(Clone, Default)]
struct Place {
    street: String,
    section: Option<u32>,
    lane: Option<String>,
    alley: Option<String>,
}

struct Reader {
    district: &'static District,
    village: Option<String>,
    neighbourhood: Option<u32>,
    chars: Vec<char>,
    at: usize,
    place: Place,
    doors: Vec<Plate>,
    floors: Vec<Floor>,
    units: Vec<String>,
    found: Vec<Address>,
}

impl Reader {
    fn run(&mut self) -> Result<(), Fault> {
        while self.at < self.chars.len() {
            let c = self.chars[self.at];
            if prefix::is_separator(c) && !self.begins_street() {
                self.at += 1;
            } else if let Some(list) = numbers::items_at(&self.chars, self.at) {
                self.numbered(list)?;
            } else if self.is_tail() {
                break;
            } else {
                self.named()?;
            }
        }
        self.emit()?;
        if self.found.is_empty() { Err(Fault::NoNumber) } else { Ok(()) }
    }

    fn rest(&self) -> &[char] {
        &self.chars[self.at..]
    }

    fn eat(&mut self, words: &[&str]) -> bool {
        let found = words.iter().find(|word| word.chars().eq(self.rest().iter().take(word.chars().count()).copied()));
        if let Some(word) = found {
            self.at += word.chars().count();
        }
        found.is_some()
    }

    /// 和 is also how streets begin (和平東路, 和興路, 和豐街): before any street it cannot stand between two.
    fn begins_street(&self) -> bool {
        match self.rest() {
            ['和' | '與' | '及' | '暨', ..] if self.place.street.is_empty() && self.doors.is_empty() => true,
            ['和', '平' | '興' | '豐', ..] => true,
            _ => false,
        }
    }

    /// Words after a door that say nothing more about it.
    fn is_tail(&self) -> bool {
        !self.doors.is_empty() && matches!(self.rest()[0], '等' | '號' | '內') && self.rest().len() <= 4
    }

    /// A list of numbers: the word after it says what they are.
    fn numbered(&mut self, list: ItemList) -> Result<(), Fault> {
        let single = match list.items.as_slice() {
            [item] if !item.below && !item.provisional && item.until.is_none() => Some(*item),
            _ => None,
        };
        let start = self.at;
        self.at = list.next;
        let next = self.chars.get(self.at).copied();
        match (next, single) {
            (Some('號'), _) => {
                self.at += 1;
                self.doors_read(&list.items)
            }
            (Some('樓' | '層'), _) => {
                self.at += 1;
                self.floors_read(&list.items)
            }
            (_, _) if list.is_floor() => self.floors_read(&list.items),
            (Some('段'), Some(Item { number, sub: None, .. })) => {
                self.at += 1;
                self.emit()?;
                self.place =
                    Place { street: std::mem::take(&mut self.place.street), section: Some(number), ..Place::default() };
                Ok(())
            }
            (Some('巷'), Some(item)) => {
                self.at += 1;
                self.emit()?;
                self.place.alley = None;
                self.place.lane = Some(item.text());
                Ok(())
            }
            (Some('弄'), Some(item)) => {
                self.at += 1;
                self.emit()?;
                self.place.alley = Some(item.text());
                Ok(())
            }
            // `民權東路六180巷`: the word 段 is missing between a Chinese and an Arabic number.
            (Some('0'..='9'), Some(Item { number, sub: None, .. }))
                if self.place.section.is_none() && self.doors.is_empty() && !self.place.street.is_empty() =>
            {
                self.place.section = Some(number);
                Ok(())
            }
            // `松高路9`: 號 is missing.
            (None, Some(_))
                if self.doors.is_empty() && !self.place.street.is_empty() && self.chars[start].is_ascii_digit() =>
            {
                self.doors_read(&list.items)
            }
            // `2樓4`: the word 之 is missing at the end.
            (None, Some(Item { number, sub: None, .. })) if !self.floors.is_empty() && self.units.is_empty() => {
                self.units.push(number.to_string());
                Ok(())
            }
            // `公館85巷` has no 路: the numeral belongs to a name that begins here, `三水87號`.
            (Some(c), _) if prefix::is_name(c) && self.doors.is_empty() => {
                self.at = start;
                self.named()
            }
            _ => Err(Fault::Unread),
        }
    }

    /// `6、8號`, `1~30號`, and `之1` behind the word.
    fn doors_read(&mut self, items: &[Item]) -> Result<(), Fault> {
        if !self.floors.is_empty() {
            self.emit()?;
        }
        if self.place.street.is_empty() && self.place.lane.is_none() {
            return Err(Fault::NoStreet);
        }
        self.doors.extend(numbers::plates(items)?);
        if self.doors.len() > MOST {
            return Err(Fault::BadRange);
        }
        self.sub_behind_door()
    }

    /// `12號之1` is `12之1號`; in `640號之110樓` (written without a gap) the first digit is the door's.
    fn sub_behind_door(&mut self) -> Result<(), Fault> {
        if !self.eat(&["之"]) {
            return Ok(());
        }
        let digits = self.rest().iter().take_while(|c| c.is_ascii_digit()).count();
        let is_floor = matches!(self.rest().get(digits), Some('樓' | 'F'));
        let taken = match (digits, is_floor) {
            (1, true) => return Ok(()),
            (2.., true) => 1,
            (digits, _) => digits,
        };
        let number = match taken {
            0 => numbers::number_at(&self.chars, self.at),
            taken => numbers::number_at(&self.chars[..self.at + taken], self.at),
        };
        if matches!(number, Some((_, next)) if digits == 0 && self.chars.get(next) == Some(&'樓')) {
            return Ok(());
        }
        let at_end = self.rest().is_empty();
        match (number, self.doors.last_mut()) {
            (Some((sub, next)), Some(door)) if door.sub.is_none() => {
                door.sub = Some(sub);
                self.at = next;
                Ok(())
            }
            (None, _) if at_end => Ok(()),
            _ => Err(Fault::Unread),
        }
    }

    /// `2至5樓`, then units.
    fn floors_read(&mut self, items: &[Item]) -> Result<(), Fault> {
        if self.doors.is_empty() {
            return Err(Fault::NoNumber);
        }
        if !self.units.is_empty() {
            return Err(Fault::Unread);
        }
        self.floors.extend(numbers::floors(items)?);
        while self.eat(&["樓", "層"]) {}
        if self.eat(&["夾層"]) {
            self.floors.iter_mut().for_each(|floor| floor.mezzanine = true);
        }
        self.units_read()
    }

    /// `之2`, `之1、之2`, `-2`, `之A室`, `201室`; a dangling 之 is dropped.
    fn units_read(&mut self) -> Result<(), Fault> {
        loop {
            let marked = self.eat(&["之", "-"]);
            let length = self.rest().iter().take_while(|c| c.is_ascii_alphanumeric()).count();
            let room = self.rest().get(length) == Some(&'室');
            if length > 0 && (marked || room) {
                let unit: String = self.rest()[..length].iter().collect();
                self.at += length + usize::from(room);
                self.unit(unit.to_ascii_uppercase());
            } else if let (true, Some((number, next))) = (marked, numbers::number_at(&self.chars, self.at)) {
                self.at = next;
                self.eat(&["室"]);
                self.unit(number.to_string());
            } else if marked && self.rest().iter().all(|c| matches!(c, '室' | '等')) {
                self.at = self.chars.len();
            } else if marked {
                return Err(Fault::Unread);
            }
            let more = matches!(self.rest(), [c, '之', ..] if prefix::is_separator(*c));
            if !more {
                return Ok(());
            }
            self.at += 1;
        }
    }

    /// `之0` was met for the unit that has no number of its own: that is the floor.
    fn unit(&mut self, unit: String) {
        let number = unit.trim_start_matches('0');
        if !number.is_empty() {
            self.units.push(number.to_owned());
        }
    }

    /// Basement words, a street, or a lane that has a name.
    fn named(&mut self) -> Result<(), Fault> {
        if self.eat(&["地下室", "地下樓", "地下層"]) {
            return self.floors_read(&[Item::basement()]);
        }
        let (name, next, kind) = numbers::name_at(&self.chars, self.at, self.place.street.is_empty()).ok_or(
            if self.doors.is_empty() && self.place.street.is_empty() { Fault::NoStreet } else { Fault::Unread },
        )?;
        self.emit()?;
        self.at = next;
        match kind {
            numbers::NameKind::Lane => {
                self.place.lane = Some(name);
                self.place.alley = None;
            }
            numbers::NameKind::Street => self.place = Place { street: name, ..Place::default() },
        }
        Ok(())
    }

    /// Writes out the doors read so far, with their floors and units.
    fn emit(&mut self) -> Result<(), Fault> {
        let floors: Vec<_> =
            if self.floors.is_empty() { vec![None] } else { self.floors.drain(..).map(Some).collect() };
        let units: Vec<_> = if self.units.is_empty() { vec![None] } else { self.units.drain(..).map(Some).collect() };
        let doors = std::mem::take(&mut self.doors);
        if self.found.len() + doors.len() * floors.len() * units.len() > MOST {
            return Err(Fault::BadRange);
        }
        for plate in doors {
            for floor in &floors {
                for unit in &units {
                    let address = Address {
                        district: self.district,
                        village: self.village.clone(),
                        neighbourhood: self.neighbourhood,
                        street: self.place.street.clone(),
                        section: self.place.section,
                        lane: self.place.lane.clone(),
                        alley: self.place.alley.clone(),
                        plate,
                        floor: *floor,
                        unit: unit.clone(),
                    };
                    if !self.found.contains(&address) {
                        self.found.push(address);
                    }
                }
            }
        }
        Ok(())
    }
}
