//! The premises of a site that are under the fire department's control. Their rows are left to `fire`; their
//! basements are addresses, too.

use super::city::City;
use super::dice::{Dice, Kind};
use super::notable::Notable;
use super::site::{Building, Place, Site};

/// One premises.
#[derive(Clone, Copy, Debug)]
pub struct Premises {
    /// Where.
    pub place: Place,
    /// The unit, unless it is a whole building or a basement.
    pub unit: Option<u16>,
    /// Class (甲 to 己), item and use.
    pub usage: &'static Usage,
    /// A number for whatever else differs.
    pub draw: u32,
}

/// A use of premises (各類場所消防安全設備設置標準 §12).
#[derive(Debug)]
pub struct Usage {
    /// 甲 to 己.
    pub class: &'static str,
    /// Item within the class.
    pub item: &'static str,
    /// Use.
    pub name: &'static str,
    /// What such premises are called, after a made-up first part.
    pub called: &'static str,
    /// Inspections that fail, per thousand.
    pub fails: u32,
}

const fn usage(class: &'static str, item: &'static str, name: &'static str, called: &'static str, fails: u32) -> Usage {
    Usage { class, item, name, called, fails }
}

/// 集合住宅, the whole building.
pub static HOUSING: Usage = usage("乙", "乙-7", "集合住宅", "社區", 60);
static DAY_ROOMS: Usage = usage("甲", "甲-3", "旅館", "日租套房", 140);
static RESTAURANT: Usage = usage("甲", "甲-5", "飲食店", "小吃店", 110);
static OFFICE: Usage = usage("乙", "乙-6", "辦公室", "辦公室", 25);
static FACTORY: Usage = usage("丁", "丁-3", "低度危險工作場所", "工廠", 70);
static SCHOOL: Usage = usage("乙", "乙-3", "學校教室", "學校", 20);

static SHOPS: [(u32, &Usage); 12] = [
    (130, &RESTAURANT),
    (40, &usage("甲", "甲-5", "餐廳", "餐廳", 90)),
    (30, &usage("甲", "甲-5", "咖啡廳", "咖啡館", 60)),
    (35, &usage("甲", "甲-4", "超級市場", "超市", 40)),
    (15, &usage("甲", "甲-6", "長照機構", "長照中心", 30)),
    (12, &usage("甲", "甲-1", "指壓按摩場所", "養生館", 120)),
    (90, &usage("乙", "乙-6", "診所", "診所", 25)),
    (110, &usage("乙", "乙-3", "補習班", "文理補習班", 45)),
    (230, &OFFICE),
    (25, &usage("乙", "乙-5", "寺廟", "宮", 50)),
    (60, &usage("丙", "丙-3", "室內停車場", "停車場", 35)),
    (20, &usage("乙", "乙-12", "幼兒園", "幼兒園", 15)),
];

static NIGHT: [(u32, &Usage); 5] = [
    (40, &usage("甲", "甲-1", "酒店", "酒店", 130)),
    (50, &usage("甲", "甲-1", "視聽歌唱場所", "KTV", 100)),
    (30, &usage("甲", "甲-2", "健身休閒中心", "健身中心", 60)),
    (60, &RESTAURANT),
    (20, &usage("甲", "甲-1", "電影院", "影城", 30)),
];

static HOTELS: [(u32, &Usage); 3] = [
    (70, &usage("甲", "甲-3", "旅館", "旅館", 140)),
    (20, &usage("甲", "甲-3", "觀光旅館", "大飯店", 40)),
    (60, &usage("甲", "甲-4", "百貨商場", "商場", 50)),
];

/// The premises of a site.
pub fn premises(city: &City, site: &Site) -> Vec<Premises> {
    let mut dice = Dice::new(city.seed, Kind::Premises, u64::from(site.number));
    let mut all = Vec::new();
    if site.notable == Some(Notable::GhostPlate) {
        return all;
    }
    let door = Place { plate: 0, floor: 0, unit: 0 };
    let mut add = |place, unit, usage, dice: &mut Dice| {
        all.push(Premises { place, unit, usage, draw: dice.below(1 << 30) });
    };
    match site.building {
        Building::Office | Building::Commercial | Building::Factory | Building::Public => {
            let usage = match site.building {
                Building::Office => &OFFICE,
                Building::Commercial => dice.weighted(&HOTELS),
                Building::Factory => &FACTORY,
                _ => &SCHOOL,
            };
            add(door, None, usage, &mut dice);
        }
        _ if site.floors >= 6 => add(door, None, &HOUSING, &mut dice),
        _ => {}
    }
    if site.notable == Some(Notable::DayRooms) {
        let unit = site.first_home();
        add(site.place(unit), Some(unit), &DAY_ROOMS, &mut dice);
    }
    if site.shops {
        let mut one = site.notable == Some(Notable::AtRisk);
        for unit in 0..site.first_home() {
            if std::mem::take(&mut one) {
                add(site.place(unit), Some(unit), &RESTAURANT, &mut dice);
            } else if dice.chance(420) {
                let usage = dice.weighted(&SHOPS);
                add(site.place(unit), Some(unit), usage, &mut dice);
            }
        }
    }
    let offices = if site.building == Building::Office { site.units - site.first_home() } else { 0 };
    for unit in site.first_home()..site.first_home() + offices {
        if dice.chance(90) {
            add(site.place(unit), Some(unit), &OFFICE, &mut dice);
        }
    }
    if basement_in_use(city, site) {
        add(Place { plate: 0, floor: -1, unit: 0 }, None, dice.weighted(&NIGHT), &mut dice);
    }
    all
}

/// Basements that are addresses because somebody uses them.
pub fn basements(city: &City, site: &Site) -> Option<Place> {
    basement_in_use(city, site).then_some(Place { plate: 0, floor: -1, unit: 0 })
}

fn basement_in_use(city: &City, site: &Site) -> bool {
    let mut dice = Dice::new(city.seed, Kind::Premises, 1 << 40 | u64::from(site.number));
    site.basements > 0 && site.shops && dice.chance(180)
}
