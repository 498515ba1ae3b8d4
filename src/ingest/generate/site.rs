//! A site: one building (or row of buildings) with its lots, its door plates and its units. Who lives there and
//! who owns it is left to `people` and `owners`.

use super::names::Names;
use super::notable::Notable;
use super::zone::Class;

/// What stands on a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Building {
    /// 透天: a house for one family.
    House,
    /// 公寓: four or five floors without a lift.
    Walkup,
    /// 華廈: six to ten floors.
    MidRise,
    /// 住宅大樓
    HighRise,
    /// A group of towers.
    Tower,
    /// 辦公大樓
    Office,
    /// Shops, hotels, restaurants.
    Commercial,
    /// 廠房
    Factory,
    /// Schools, hospitals, halls.
    Public,
}

impl Building {
    /// People live in it.
    pub fn has_homes(self) -> bool {
        matches!(self, Building::House | Building::Walkup | Building::MidRise | Building::HighRise | Building::Tower)
    }

    /// Use group of its upper floors.
    pub fn use_group(self) -> &'static str {
        match self {
            Building::Office => "G2",
            Building::Commercial => "B2",
            Building::Factory => "C2",
            Building::Public => "D3",
            _ => "H2",
        }
    }
}

/// A site. Numbers of its parts are offsets into the city's numbering, so that any site can be made alone.
#[derive(Clone, Debug)]
pub struct Site {
    /// Number of the site.
    pub number: u32,
    /// What stands on it.
    pub building: Building,
    /// District, number in [`Names::districts`].
    pub district: u8,
    /// Village, number in [`Names::villages`].
    pub village: u16,
    /// Neighbourhood.
    pub neighbourhood: u8,
    /// Section, number in [`Names::sections`].
    pub section: u16,
    /// Street, number in its district's streets.
    pub street: u16,
    /// 巷, 0 for none.
    pub lane: u16,
    /// 弄, 0 for none.
    pub alley: u16,
    /// First door number.
    pub plate: u16,
    /// Doors.
    pub plates: u16,
    /// Doors after the first are 之1, 之2 … of it.
    pub sub_plates: bool,
    /// Floors above ground.
    pub floors: u8,
    /// Floors below ground.
    pub basements: u8,
    /// Units on each floor of each door.
    pub per_floor: u8,
    /// Units in all; the last floor may be short.
    pub units: u16,
    /// Shops on the ground floor.
    pub shops: bool,
    /// First lot, number within the section.
    pub lot: u32,
    /// Lots.
    pub lots: u16,
    /// First building number within the section.
    pub building_no: u32,
    /// Year of completion.
    pub year: i16,
    /// Use permit: year and number.
    pub permit: Option<(i16, u16)>,
    /// Permit of a later extension: year and number.
    pub second_permit: Option<(i16, u16)>,
    /// Construction permit: year and number.
    pub construction: (i16, u16),
    /// First unit of the city's numbering.
    pub first_unit: u32,
    /// First household of the city's numbering; a head has the number of the household.
    pub first_household: u32,
    /// Households.
    pub households: u16,
    /// First person who is no head, of the city's numbering.
    pub first_other: u32,
    /// Zone that it stands in.
    pub class: Class,
    /// What it is there to show.
    pub notable: Option<Notable>,
}

/// Place of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Door, counted from 0.
    pub plate: u16,
    /// Floor: 0 the whole door, 1 the ground floor, negative below ground.
    pub floor: i8,
    /// Unit on the floor, counted from 0.
    pub unit: u8,
}

impl Site {
    /// Where a unit is.
    pub fn place(&self, unit: u16) -> Place {
        if self.building == Building::House {
            return Place { plate: unit, floor: 0, unit: 0 };
        }
        let per = self.plates * u16::from(self.per_floor);
        let rest = unit % per;
        Place {
            plate: rest / u16::from(self.per_floor),
            floor: (unit / per + 1) as i8, // at most 60 floors
            unit: (rest % u16::from(self.per_floor)) as u8,
        }
    }

    /// First unit that is a home, if any is.
    pub fn first_home(&self) -> u16 {
        match self.shops {
            true => (self.plates * u16::from(self.per_floor)).min(self.units),
            false => 0,
        }
    }

    /// Homes of the site.
    pub fn homes(&self) -> u16 {
        let lived_in = self.building.has_homes() || self.notable.is_some_and(Notable::lived_in_against_its_use);
        if lived_in { self.units - self.first_home() } else { 0 }
    }

    /// A unit with its own part of the register: not so on a site whose building is gone.
    pub fn registered(&self) -> bool {
        self.notable != Some(Notable::GhostPlate)
    }

    /// The building number of the part that the units share.
    pub fn shared_part(&self) -> Option<u32> {
        (self.units >= 4 && self.registered()).then_some(self.building_no + u32::from(self.units))
    }

    /// Writes street, section, lane and alley; `spoken` writes 一段 instead of 1段.
    fn write_street(&self, names: &Names, spoken: bool, out: &mut String) {
        use std::fmt::Write;
        let district = &names.districts[usize::from(self.district)];
        let (road, section) = district.streets[usize::from(self.street)];
        out.push_str(district.name);
        out.push_str(road);
        // Writing into a String cannot fail.
        if section > 0 && spoken {
            let _ =
                write!(out, "{}段", ["一", "二", "三", "四", "五", "六", "七", "八", "九"][usize::from(section) - 1]);
        } else if section > 0 {
            let _ = write!(out, "{section}段");
        }
        if self.lane > 0 {
            let _ = write!(out, "{}巷", self.lane);
        }
        if self.alley > 0 {
            let _ = write!(out, "{}弄", self.alley);
        }
    }

    /// Street with its section, `復興南路1段`.
    pub fn write_street_name(&self, names: &Names, out: &mut String) {
        use std::fmt::Write;
        let (road, section) = names.districts[usize::from(self.district)].streets[usize::from(self.street)];
        out.push_str(road);
        if section > 0 {
            let _ = write!(out, "{section}段");
        }
    }

    fn write_plate_number(&self, plate: u16, out: &mut String) {
        use std::fmt::Write;
        let _ = match (self.sub_plates, plate) {
            (true, 1..) => write!(out, "{}之{plate}號", self.plate),
            _ => write!(out, "{}號", self.plate + 2 * plate),
        };
    }

    /// Key of a door: `大安區復興南路1段36巷5弄12號`.
    pub fn write_plate_key(&self, names: &Names, plate: u16, out: &mut String) {
        self.write_street(names, false, out);
        self.write_plate_number(plate, out);
    }

    /// Key of a place: a ground floor that is all of its door has the door's key.
    pub fn write_key(&self, names: &Names, place: Place, out: &mut String) {
        self.write_plate_key(names, place.plate, out);
        write_floor(place, out);
    }

    /// The place as people write it: `臺北市大安區復興南路一段36巷5弄12號3樓`.
    pub fn write_text(&self, names: &Names, place: Place, out: &mut String) {
        out.push_str("臺北市");
        self.write_street(names, true, out);
        self.write_plate_number(place.plate, out);
        write_floor(place, out);
    }
}

fn write_floor(place: Place, out: &mut String) {
    use std::fmt::Write;
    let _ = match place {
        Place { floor: 0 | 1, unit: 0, .. } => Ok(()),
        Place { floor: i8::MIN..=-1, .. } => write!(out, "B{}樓", -place.floor),
        Place { unit: 0, .. } => write!(out, "{}樓", place.floor),
        Place { .. } => write!(out, "{}樓之{}", place.floor, place.unit),
    };
}

impl Place {
    /// `plate`, `floor` or `unit`.
    pub fn level(self) -> &'static str {
        match self {
            Place { floor: 0 | 1, unit: 0, .. } => "plate",
            Place { unit: 0, .. } => "floor",
            Place { .. } => "unit",
        }
    }
}
