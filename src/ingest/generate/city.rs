//! The layout of the city: which sites there are and where their lots, units, households and persons begin in the
//! city's numbering. It is small (a hundred bytes a building); everything else is made from it, one site at a time.

use super::Scale;
use super::dice::{Dice, Kind};
use super::names::Names;
use super::notable::{Notable, PLANS};
use super::site::Site;
use super::zone::Class;

/// A zoning polygon.
#[derive(Clone, Copy, Debug)]
pub struct Polygon {
    /// Number in [`Names::zones`].
    pub zone: u16,
}

/// The layout.
#[derive(Debug)]
pub struct City {
    /// Seed.
    pub seed: u64,
    /// Size.
    pub scale: Scale,
    /// Names and open counts.
    pub names: Names,
    /// Sites by number.
    pub sites: Vec<Site>,
    /// Lots of each section that belong to sites; those behind them are open land.
    pub site_lots: Vec<u32>,
    /// Lots of each section.
    pub section_lots: Vec<u32>,
    /// Share of public and mixed land among the lots without a site, by district, per thousand.
    pub open_land: Vec<[u32; 2]>,
    /// Zoning polygons.
    pub polygons: Vec<Polygon>,
    /// Households of the city; heads have the numbers below.
    pub households: u32,
    /// Persons of the city.
    pub persons: u32,
    /// Units of the city.
    pub units: u32,
    by_class: Vec<Vec<(Class, Vec<u32>)>>,
}

impl City {
    /// Lays out the city of a seed.
    pub fn lay_out(seed: u64, scale: Scale) -> City {
        let names = Names::read();
        let mut city = City {
            seed,
            scale,
            sites: Vec::new(),
            site_lots: vec![0; names.sections.len()],
            section_lots: Vec::new(),
            open_land: Vec::new(),
            polygons: Vec::new(),
            households: 0,
            persons: 0,
            units: 0,
            by_class: Vec::new(),
            names,
        };
        city.draw_polygons();
        super::layout::lay_out_sites(&mut city);
        city.draw_open_land();
        city
    }

    /// Polygons of each district's zones; every kind of zone that a district has in truth has at least one.
    fn draw_polygons(&mut self) {
        let mut seen = 0_u64;
        for district in &self.names.districts {
            let mut classes: Vec<(Class, Vec<u32>)> = Vec::new();
            for zone in &district.zones {
                let summary = &self.names.zones[usize::from(*zone)];
                let before = self.scale.of(seen);
                seen += u64::from(summary.polygons);
                let known = classes.iter().any(|(class, _)| *class == summary.class);
                let count = (self.scale.of(seen) - before).max(u64::from(!known));
                for _ in 0..count {
                    let number = self.polygons.len() as u32; // some ten thousands
                    self.polygons.push(Polygon { zone: *zone });
                    match classes.iter_mut().find(|(class, _)| *class == summary.class) {
                        Some((_, polygons)) => polygons.push(number),
                        None => classes.push((summary.class, vec![number])),
                    }
                }
            }
            self.by_class.push(classes);
        }
    }

    /// Lots without a site, so that each district has its parcels, public and private, as counted.
    fn draw_open_land(&mut self) {
        self.section_lots = self.site_lots.clone();
        for district in &self.names.districts {
            let built: u32 = district.sections.iter().map(|section| self.site_lots[usize::from(*section)]).sum();
            let wanted = district.parcels.map(|count| self.scale.of(u64::from(count)) as u32);
            let all: u32 = wanted.iter().sum();
            let sections = district.sections.len() as u32;
            let open = all.saturating_sub(built).max(sections);
            for (number, section) in district.sections.iter().enumerate() {
                let share = open / sections + u32::from((number as u32) < open % sections);
                self.section_lots[usize::from(*section)] += share;
            }
            let permille = |count: u32| (u64::from(count) * 1000 / u64::from(open)).min(950) as u32;
            let public = permille(wanted[0]);
            self.open_land.push([public, permille(wanted[2]).min(980 - public)]);
        }
    }

    /// Whether a district has zones of that kind.
    pub fn has_class(&self, district: u8, class: Class) -> bool {
        self.by_class[usize::from(district)].iter().any(|(known, _)| *known == class)
    }

    /// The polygon of a kind at a place of a district; neighbours have the same.
    pub fn polygon(&self, district: u8, class: Class, section: u16, lot: u32) -> u32 {
        let classes = &self.by_class[usize::from(district)];
        // A district without that kind of zone has its first instead; no district is without any.
        let polygons = classes.iter().find(|(known, _)| *known == class).map_or(&classes[0].1, |(_, list)| list);
        polygons[(usize::from(section) * 7 + lot as usize / 40) % polygons.len()]
    }

    /// Households in each home of a site.
    pub fn homes(&self, site: &Site) -> Vec<u8> {
        let mut dice = Dice::new(self.seed, Kind::Homes, u64::from(site.number));
        let homes = (0..site.homes()).map(|_| dice.weighted(&[(125, 0), (640, 1), (170, 2), (45, 3), (20, 4)]));
        let mut homes: Vec<u8> = homes.collect();
        if site.notable.is_some() {
            homes.iter_mut().for_each(|home| *home = (*home).max(1));
        }
        homes
    }

    /// The site of a household.
    pub fn site_of_household(&self, household: u32) -> &Site {
        // Sites without households share the number of the next one's first; the last with that number has it.
        let after = self.sites.partition_point(|site| site.first_household <= household);
        &self.sites[after - 1]
    }

    /// What the site of a household is there to show; only the first sites are notable.
    pub fn notable_of_household(&self, household: u32) -> Option<Notable> {
        let notable = &self.sites[..PLANS.len().min(self.sites.len())];
        let site = notable.iter().find(|site| {
            (site.first_household..site.first_household + u32::from(site.households)).contains(&household)
        })?;
        site.notable
    }

    /// The home, number of the unit, of a household of a site.
    pub fn unit_of_household(&self, site: &Site, household: u32) -> u16 {
        let mut left = household - site.first_household;
        for (home, count) in self.homes(site).into_iter().enumerate() {
            if left < u32::from(count) {
                return site.first_home() + home as u16;
            }
            left -= u32::from(count);
        }
        site.first_home() // not reached: the counts are those that the layout added up
    }
}
