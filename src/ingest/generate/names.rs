//! The city's real names and open counts, embedded: districts, villages, sections, roads, zones; and the parts
//! of which people's and firms' made-up names are put together. `names/` holds the lists and says their source.

/// A district with its parcels.
#[derive(Debug)]
pub struct District {
    /// Eight digits.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// Code of the land system.
    pub town: &'static str,
    /// Older code.
    pub old_code: &'static str,
    /// Post code.
    pub post_code: &'static str,
    /// Parcels: public, private, mixed.
    pub parcels: [u32; 3],
    /// Mean announced value, NTD per m².
    pub value: u32,
    /// Villages, numbers in [`Names::villages`].
    pub villages: Vec<u16>,
    /// Sections, numbers in [`Names::sections`].
    pub sections: Vec<u16>,
    /// Zone summaries, numbers in [`Names::zones`].
    pub zones: Vec<u16>,
    /// Streets: road and its section (段), 0 for a road without.
    pub streets: Vec<(&'static str, u8)>,
}

/// A village with its open statistics.
#[derive(Debug)]
pub struct Village {
    /// Eleven digits.
    pub code: &'static str,
    /// Name.
    pub name: &'static str,
    /// District, number in [`Names::districts`].
    pub district: u8,
    /// Households, persons, men, women, under 15, 15–64, over 64, over 20, births, deaths, marriages, divorces.
    pub counts: [Option<i32>; 12],
}

/// A land section.
#[derive(Debug)]
pub struct Section {
    /// Land office and section, `AD0600`.
    pub key: String,
    /// Land office.
    pub office: &'static str,
    /// Section code.
    pub code: &'static str,
    /// 段
    pub section: &'static str,
    /// 小段, may be empty.
    pub small: &'static str,
    /// Code of the land system.
    pub town: &'static str,
    /// District, number in [`Names::districts`].
    pub district: u8,
}

/// The polygons of one zone in one district.
#[derive(Debug)]
pub struct Zone {
    /// District, number in [`Names::districts`].
    pub district: u8,
    /// Name.
    pub name: &'static str,
    /// Polygons in all of the city.
    pub polygons: u32,
    /// Building coverage, floor area ratio and area, in hundredths.
    pub numbers: [Option<i64>; 3],
    /// Kind of zone.
    pub class: super::zone::Class,
}

/// All lists.
#[derive(Debug)]
pub struct Names {
    /// Districts in the order of their codes.
    pub districts: Vec<District>,
    /// Villages.
    pub villages: Vec<Village>,
    /// Land sections.
    pub sections: Vec<Section>,
    /// Zones by district.
    pub zones: Vec<Zone>,
    /// Codes of the zoning map with their category.
    pub zone_codes: Vec<(&'static str, &'static str)>,
    /// Surnames by weight.
    pub surnames: Vec<(u32, &'static str)>,
    /// Characters of men's given names.
    pub men: Vec<&'static str>,
    /// Characters of women's given names.
    pub women: Vec<&'static str>,
    /// Tribes.
    pub tribes: Vec<&'static str>,
    /// Birth places, often ones several times.
    pub birthplaces: Vec<&'static str>,
    /// First parts of firms' names.
    pub firms: Vec<&'static str>,
    /// Second parts of firms' names.
    pub trades: Vec<&'static str>,
    /// Banks, made up.
    pub banks: Vec<&'static str>,
    /// Agencies that manage public land.
    pub agencies: Vec<&'static str>,
}

impl Names {
    /// Reads the embedded lists.
    pub fn read() -> Names {
        let people = |key: &str| people(key).collect::<Vec<&'static str>>();
        let weighted = |entry: &'static str| entry.split_once(':').unwrap_or((entry, "1"));
        let mut names = Names {
            districts: lines(include_str!("names/districts.csv")).map(district).collect(),
            villages: Vec::new(),
            sections: Vec::new(),
            zones: Vec::new(),
            zone_codes: lines(include_str!("names/zone_codes.csv")).map(|line| (line[0], line[1])).collect(),
            surnames: people("surnames")
                .into_iter()
                .map(weighted)
                .map(|(name, weight)| (number(weight).unwrap_or(1) as u32, name))
                .collect(),
            men: people("men"),
            women: people("women"),
            tribes: people("tribes"),
            birthplaces: people("birthplaces"),
            firms: people("firms"),
            trades: people("trades"),
            banks: people("banks"),
            agencies: people("agencies"),
        };
        names.read_places();
        names
    }

    fn read_places(&mut self) {
        for line in lines(include_str!("names/villages.csv")) {
            let at = self.districts.iter().position(|district| line[0].starts_with(district.code)).unwrap_or(0);
            let mut counts = [None; 12];
            for (count, text) in counts.iter_mut().zip(&line[2..]) {
                *count = number(text).map(|n| n as i32);
            }
            self.districts[at].villages.push(self.villages.len() as u16);
            self.villages.push(Village { code: line[0], name: line[1], district: at as u8, counts });
        }
        for line in lines(include_str!("names/sections.csv")) {
            let at = self.districts.iter().position(|district| district.town == line[4]).unwrap_or(0);
            self.districts[at].sections.push(self.sections.len() as u16);
            self.sections.push(Section {
                key: format!("{}{}", line[0], line[1]),
                office: line[0],
                code: line[1],
                section: line[2],
                small: line[3],
                town: line[4],
                district: at as u8,
            });
        }
        for line in lines(include_str!("names/zones.csv")) {
            let at = self.districts.iter().position(|district| district.name == line[0]).unwrap_or(0);
            self.districts[at].zones.push(self.zones.len() as u16);
            self.zones.push(Zone {
                district: at as u8,
                name: line[1],
                polygons: number(line[2]).unwrap_or(1) as u32,
                numbers: [hundredths(line[3]), hundredths(line[4]), hundredths(line[5])],
                class: super::zone::Class::of(line[1]),
            });
        }
        let long: Vec<(&str, u8)> = people("longroads")
            .filter_map(|entry| entry.split_once(':'))
            .map(|(road, sections)| (road, number(sections).unwrap_or(1) as u8))
            .collect();
        for line in lines(include_str!("names/roads.csv")) {
            let Some(district) = self.districts.iter_mut().find(|district| district.name == line[0]) else { continue };
            for road in &line[1..] {
                let sections = long.iter().find(|(name, _)| name == road).map_or(0, |(_, sections)| *sections);
                let sections = if sections < 2 { 0..=0 } else { 1..=sections };
                district.streets.extend(sections.map(|section| (*road, section)));
            }
        }
    }
}

fn district(line: Vec<&'static str>) -> District {
    let count = |at: usize| number(line[at]).unwrap_or(0) as u32;
    District {
        code: line[0],
        name: line[1],
        town: line[2],
        old_code: line[3],
        post_code: line[4],
        parcels: [count(6), count(7), count(8)],
        value: count(9),
        villages: Vec::new(),
        sections: Vec::new(),
        zones: Vec::new(),
        streets: Vec::new(),
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| line.split(',').collect())
}

fn people(key: &str) -> impl Iterator<Item = &'static str> {
    let found = lines(include_str!("names/people.csv")).find(|line| line[0] == key).unwrap_or_default();
    found.into_iter().skip(1)
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// `218334.6` → 21833460.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let part = format!("{part:0<2}");
    Some(number(whole)? * 100 + number(part.get(..2)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole() {
        let names = Names::read();
        assert_eq!(names.districts.len(), 12);
        assert_eq!(names.villages.len(), 456);
        assert_eq!(names.sections.len(), 560);
        assert_eq!(names.zones.iter().map(|zone| zone.polygons).sum::<u32>(), 15_646);
        assert_eq!(names.districts.iter().flat_map(|district| district.parcels).sum::<u32>(), 421_035);
        for district in &names.districts {
            assert!(!district.villages.is_empty() && !district.sections.is_empty() && district.streets.len() > 20);
        }
        assert_eq!(hundredths("218334.6"), Some(21_833_460));
    }

    /// Every street makes addresses that are read as they are written.
    #[test]
    fn every_street_is_read_back() {
        let mut wrong = Vec::new();
        for district in &Names::read().districts {
            for (road, section) in &district.streets {
                let section = if *section > 0 { format!("{section}段") } else { String::new() };
                for rest in ["12號", "5巷12之1號3樓之2", "5巷3弄7號B1樓"] {
                    let key = format!("{}{road}{section}{rest}", district.name);
                    let read = crate::catalog::scalar::Scalar::AddressKey.parse_text(&key);
                    if read.as_ref().ok() != Some(&key) {
                        wrong.push(format!("{key}: {:?}", read.ok()));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
