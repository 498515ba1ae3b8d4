//! Places the sites: village by village until its households have homes. What follows from a site is left to others.

use super::city::City;
use super::dice::{Dice, Kind};
use super::notable::{Notable, PLANS, Plan};
use super::people;
use super::site::{Building, Site};
use super::zone::Class;

/// Doors of a street's main part, and of one of its lanes.
const DOORS: [u16; 2] = [400, 28];

/// Years of the Republic with a counter of permits.
const YEARS: usize = 130;

struct Layout<'a> {
    city: &'a mut City,
    /// Next free building number of each section.
    buildings: Vec<u32>,
    /// By district and street: doors taken in the main part; lane that is being filled, doors taken in it.
    streets: Vec<Vec<(u16, u16, u16)>>,
    use_permits: [u16; YEARS],
    construction_permits: [u16; YEARS],
    dice: Dice,
}

/// Adds all sites to a city that has none.
pub fn lay_out_sites(city: &mut City) {
    let streets = city.names.districts.iter().map(|district| vec![(0, 0, 0); district.streets.len()]).collect();
    let mut layout = Layout {
        buildings: vec![1; city.names.sections.len()],
        streets,
        use_permits: [0; YEARS],
        construction_permits: [0; YEARS],
        dice: Dice::new(city.seed, Kind::Layout, 0),
        city,
    };
    for plan in PLANS {
        layout.add_notable(plan);
    }
    let mut homeless = 0.0; // the notable sites come on top
    for village in 0..layout.city.names.villages.len() {
        let counted = layout.city.names.villages[village].counts[0].unwrap_or(0);
        homeless += f64::from(counted) * layout.city.scale.factor();
        while homeless >= 1.0 {
            homeless -= f64::from(layout.add_homes(village as u16, homeless));
            if layout.dice.chance(85) {
                layout.add_workplace(village as u16);
            }
        }
    }
    number_others(layout.city);
}

/// Numbers everybody who is no head, behind the heads.
fn number_others(city: &mut City) {
    let mut next = city.households;
    for number in 0..city.sites.len() {
        let (first, count) = (city.sites[number].first_household, u32::from(city.sites[number].households));
        city.sites[number].first_other = next;
        next += (first..first + count).map(|one| people::household(city, one).members.len() as u32 - 1).sum::<u32>();
    }
    city.persons = next;
}

impl Layout<'_> {
    fn add_notable(&mut self, plan: &Plan) {
        let names = &self.city.names;
        let district = names.districts.iter().position(|one| one.name == plan.district).unwrap_or(0);
        let villages = &names.districts[district].villages;
        let village = villages[villages.len() / 2];
        let wanted =
            |section: &&u16| plan.section.is_some_and(|name| names.sections[usize::from(**section)].section == name);
        let section = names.districts[district].sections.iter().find(wanted).copied();
        let mut site = self.site(plan.building, village);
        site.section = section.unwrap_or(site.section);
        (site.plates, site.floors, site.basements, site.per_floor) = plan.size;
        site.units = plan.units.unwrap_or(site.plates * u16::from(site.floors) * u16::from(site.per_floor));
        (site.lots, site.shops, site.class, site.year) = (plan.lots, plan.shops, plan.class, plan.year);
        site.sub_plates = false;
        site.notable = Some(plan.notable);
        self.place(site, plan.notable != Notable::GhostPlate);
    }

    /// A building with homes; gives back its households.
    fn add_homes(&mut self, village: u16, homeless: f64) -> u32 {
        let kinds = [
            (250, Building::House),
            (570, Building::Walkup),
            (110, Building::MidRise),
            (64, Building::HighRise),
            (6, Building::Tower),
        ];
        let mut building = self.dice.weighted(&kinds);
        if homeless < 12.0 && !matches!(building, Building::House) {
            building = if homeless < 4.0 { Building::House } else { Building::Walkup };
        } else if homeless < 150.0 && building == Building::Tower {
            building = Building::MidRise;
        }
        let mut site = self.site(building, village);
        let dice = &mut self.dice;
        let (plates, floors, basements, per_floor, years) = match building {
            Building::House => (1, dice.between(2, 4), 0, 1, (1950, 2015)),
            Building::Walkup => {
                (dice.weighted(&[(15, 1), (50, 2), (20, 3), (15, 4)]), dice.between(4, 5), 0, 1, (1962, 1992))
            }
            Building::MidRise => (dice.between(2, 3), dice.between(6, 8), 1, dice.between(1, 2), (1978, 2018)),
            Building::HighRise => {
                (dice.between(1, 3), dice.between(9, 15), dice.between(2, 4), dice.between(1, 4), (1985, 2025))
            }
            _ => (dice.between(3, 9), dice.between(14, 29), dice.between(3, 5), dice.between(2, 4), (1994, 2025)),
        };
        site.plates = plates as u16;
        (site.floors, site.basements, site.per_floor) = (floors as u8, basements as u8, per_floor as u8);
        site.units = match building {
            Building::House => site.plates,
            _ => site.plates * u16::from(site.floors) * u16::from(site.per_floor),
        };
        site.year = dice.between(years.0, years.1) as i16;
        site.shops = match building {
            Building::House => false,
            Building::Walkup => dice.chance(180),
            _ => dice.chance(650),
        };
        site.lots = self.lots(building);
        if matches!(building, Building::HighRise | Building::Tower) && self.dice.chance(300) {
            site.class = Class::Commerce;
        }
        let permitted = self.dice.chance(970);
        self.place(site, permitted)
    }

    /// A building where people work.
    fn add_workplace(&mut self, village: u16) {
        let district = self.city.names.villages[usize::from(village)].district;
        let mut building = self.dice.weighted(&[
            (450, Building::Office),
            (350, Building::Commercial),
            (120, Building::Factory),
            (80, Building::Public),
        ]);
        if building == Building::Factory && !self.city.has_class(district, Class::Industry) {
            building = Building::Commercial;
        }
        let mut site = self.site(building, village);
        let dice = &mut self.dice;
        let (plates, floors, basements, per_floor, years) = match building {
            Building::Office => {
                (dice.between(1, 3), dice.between(7, 20), dice.between(1, 4), dice.between(1, 4), (1972, 2024))
            }
            Building::Commercial => (1, dice.between(2, 8), dice.between(0, 1), dice.between(1, 2), (1965, 2020)),
            Building::Factory => (dice.between(1, 2), dice.between(3, 8), 1, 1, (1975, 2015)),
            _ => (1, dice.between(2, 6), 1, 1, (1950, 2020)),
        };
        site.plates = plates as u16;
        (site.floors, site.basements, site.per_floor) = (floors as u8, basements as u8, per_floor as u8);
        site.units = match building {
            Building::Public => 1,
            _ => site.plates * u16::from(site.floors) * u16::from(site.per_floor),
        };
        site.year = dice.between(years.0, years.1) as i16;
        site.shops = matches!(building, Building::Office | Building::Commercial);
        site.class = match building {
            Building::Factory => Class::Industry,
            Building::Public => Class::Public,
            _ => Class::Commerce,
        };
        site.lots = self.lots(building);
        self.place(site, true);
    }

    fn lots(&mut self, building: Building) -> u16 {
        let dice = &mut self.dice;
        let lots = match building {
            Building::House => dice.between(1, 2),
            Building::Walkup | Building::Commercial => dice.weighted(&[(50, 1), (25, 2), (15, 3), (10, 5)]),
            Building::Tower => dice.between(6, 60),
            _ => match dice.below(100) {
                0..30 => 1,
                30..75 => dice.between(2, 5),
                75..97 => dice.between(5, 18),
                _ => dice.between(18, 90),
            },
        };
        lots as u16 // at most 90
    }

    /// A site in a village, on a street and in a section of its neighbourhood; its building is the caller's.
    fn site(&mut self, building: Building, village: u16) -> Site {
        let district = self.city.names.villages[usize::from(village)].district;
        let of = &self.city.names.districts[usize::from(district)];
        let at = of.villages.iter().position(|one| *one == village).unwrap_or(0);
        let near = |count: usize, spread: u32, dice: &mut Dice| {
            (at * count / of.villages.len() + dice.below(spread) as usize) % count
        };
        let section = of.sections[near(of.sections.len(), 2, &mut self.dice)];
        let street = near(of.streets.len(), 5, &mut self.dice) as u16;
        Site {
            number: self.city.sites.len() as u32,
            building,
            district,
            village,
            neighbourhood: self.dice.between(1, 24) as u8,
            section,
            street,
            lane: 0,
            alley: 0,
            plate: 0,
            plates: 1,
            sub_plates: self.dice.chance(50),
            floors: 1,
            basements: 0,
            per_floor: 1,
            units: 1,
            shops: false,
            lot: 0,
            lots: 1,
            building_no: 0,
            year: 0,
            permit: None,
            second_permit: None,
            construction: (0, 0),
            first_unit: self.city.units,
            first_household: self.city.households,
            households: 0,
            first_other: 0,
            class: Class::Housing,
            notable: None,
        }
    }

    /// Gives a site its doors, lots, numbers and permits and adds it; gives back its households.
    fn place(&mut self, mut site: Site, permitted: bool) -> u32 {
        self.take_doors(&mut site);
        let section = usize::from(site.section);
        site.lot = self.city.site_lots[section];
        self.city.site_lots[section] += u32::from(site.lots);
        site.building_no = self.buildings[section];
        self.buildings[section] += u32::from(site.units) + 1;
        let year = site.year;
        site.construction = (year - 2, count(&mut self.construction_permits, year - 2));
        if permitted {
            site.permit = Some((year, count(&mut self.use_permits, year)));
            let later = year + self.dice.between(3, 25) as i16;
            if self.dice.chance(80) && later <= 2025 && site.notable.is_none() {
                site.second_permit = Some((later, count(&mut self.use_permits, later)));
            }
        }
        let households: u32 = self.city.homes(&site).iter().map(|home| u32::from(*home)).sum();
        site.households = households as u16; // fewer than four for each of 1,459 homes
        self.city.households += households;
        self.city.units += u32::from(site.units);
        self.city.sites.push(site);
        households
    }

    /// Takes door numbers that nobody has: large buildings on the street itself, others in its lanes.
    fn take_doors(&mut self, site: &mut Site) {
        let (main, lane, in_lane) = &mut self.streets[usize::from(site.district)][usize::from(site.street)];
        let doors = if site.sub_plates { 1 } else { site.plates };
        let on_street = !matches!(site.building, Building::House | Building::Walkup) || self.dice.chance(150);
        let taken = if on_street && *main + doors <= DOORS[0] {
            let taken = *main;
            *main += doors;
            taken
        } else {
            if *lane == 0 || *in_lane + doors > DOORS[1] {
                (*lane, *in_lane) = (*lane + 1, 0);
            }
            let taken = *in_lane;
            *in_lane += doors;
            site.lane = (*lane - 1) / 4 * 6 + 5;
            site.alley = (*lane - 1) % 4 * 3;
            taken
        };
        // One side of the street: 1, 3, 5 … in odd lanes, 2, 4, 6 … in even ones.
        site.plate = 2 * taken + 1 + u16::from(site.lane % 4 == 1);
    }
}

fn count(counters: &mut [u16; YEARS], year: i16) -> u16 {
    let counter = &mut counters[usize::try_from(year - 1911).unwrap_or(0).min(YEARS - 1)];
    *counter += 1;
    *counter
}
