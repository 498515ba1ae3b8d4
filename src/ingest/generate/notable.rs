//! Sites that are in every city, whatever seed and scale, because somebody asks for just that: the cross queries
//! of the demo find their answer here. Their permits have the same numbers in every city.

use super::site::Building;
use super::zone::Class;

/// What a site is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notable {
    /// Permit 115使字第0001號: a building at risk, with everything: shops, homes, parcels in two zones, an inspection
    /// that failed. The head of its first household is A123456789.
    AtRisk,
    /// 098使字第0001號: an urban renewal of 471 parcels.
    ManyParcels,
    /// 102使字第0001號: 1,459 addresses.
    ManyAddresses,
    /// 082使字第0001號: a factory in an industrial zone, lived in, its inspection failed.
    FactoryHomes,
    /// 097使字第0001號: a commercial building in the section 金泰段 (大彎北段), where nobody may live, lived in.
    CommercialHomes,
    /// 079使字第0001號: no management committee, maintenance report missing, every owner answerable.
    NoCommittee,
    /// 075使字第0001號: rooms let by the day in a building for housing, maintenance report missing.
    DayRooms,
    /// 070使字第0001號: people above 80 living alone, fire inspection failed, a narrow alley in front.
    EldersAlone,
    /// Plates whose building was pulled down (permit 110拆字第9001號), with households still registered.
    GhostPlate,
    /// 064使字第0001號 in renewal unit 大同01: five floors, older than thirty years, yellow tag, private land.
    Renewal,
    /// 085使字第0001號: an owner who has died.
    DeadOwner,
    /// 093使字第0001號: a house owned in eight-million-and-some shares.
    ManyShares,
}

/// How a notable site is laid out.
#[derive(Debug)]
pub struct Plan {
    /// What it shows.
    pub notable: Notable,
    /// What stands there.
    pub building: Building,
    /// District by name.
    pub district: &'static str,
    /// Section by name, where it matters.
    pub section: Option<&'static str>,
    /// Zone.
    pub class: Class,
    /// Year of completion.
    pub year: i16,
    /// Doors, floors above and below ground, units per floor.
    pub size: (u16, u8, u8, u8),
    /// Units, if the last floor is not full.
    pub units: Option<u16>,
    /// Lots.
    pub lots: u16,
    /// Shops on the ground floor.
    pub shops: bool,
}

impl Notable {
    /// Homes where the permit has none.
    pub fn lived_in_against_its_use(self) -> bool {
        matches!(self, Notable::FactoryHomes | Notable::CommercialHomes)
    }

    /// Its premises fail their last inspection.
    pub fn fails_inspection(self) -> bool {
        matches!(self, Notable::AtRisk | Notable::FactoryHomes | Notable::EldersAlone | Notable::NoCommittee)
    }

    /// A maintenance report never came.
    pub fn misses_report(self) -> bool {
        matches!(self, Notable::NoCommittee | Notable::DayRooms | Notable::FactoryHomes)
    }
}

/// The notable sites, in the order of their numbers.
pub const PLANS: &[Plan] = &[
    plan(Notable::AtRisk, Building::HighRise, "大安區", Class::Housing, 2026, (3, 8, 2, 1), 3),
    plan(Notable::ManyParcels, Building::HighRise, "信義區", Class::Housing, 2009, (4, 12, 3, 2), 471),
    Plan {
        units: Some(1459),
        ..plan(Notable::ManyAddresses, Building::Tower, "內湖區", Class::Housing, 2013, (11, 19, 4, 7), 12)
    },
    Plan {
        shops: false,
        ..plan(Notable::FactoryHomes, Building::Factory, "內湖區", Class::Industry, 1993, (2, 5, 1, 1), 2)
    },
    Plan {
        section: Some("金泰段"),
        shops: false,
        ..plan(Notable::CommercialHomes, Building::Office, "中山區", Class::Commerce, 2008, (2, 10, 2, 2), 4)
    },
    Plan {
        units: Some(29),
        ..plan(Notable::NoCommittee, Building::MidRise, "中山區", Class::Housing, 1990, (2, 8, 1, 2), 2)
    },
    plan(Notable::DayRooms, Building::MidRise, "大同區", Class::Housing, 1986, (1, 6, 1, 2), 1),
    plan(Notable::EldersAlone, Building::MidRise, "萬華區", Class::Housing, 1981, (1, 6, 1, 1), 1),
    Plan {
        shops: false,
        ..plan(Notable::GhostPlate, Building::Walkup, "士林區", Class::Housing, 1968, (2, 3, 0, 1), 2)
    },
    Plan {
        shops: false, ..plan(Notable::Renewal, Building::Walkup, "大同區", Class::Housing, 1975, (4, 4, 0, 1), 6)
    },
    Plan {
        shops: false,
        ..plan(Notable::DeadOwner, Building::Walkup, "文山區", Class::Housing, 1996, (2, 5, 0, 1), 1)
    },
    Plan {
        shops: false,
        ..plan(Notable::ManyShares, Building::Walkup, "北投區", Class::Housing, 2004, (4, 5, 1, 1), 2)
    },
];

const fn plan(
    notable: Notable,
    building: Building,
    district: &'static str,
    class: Class,
    year: i16,
    size: (u16, u8, u8, u8),
    lots: u16,
) -> Plan {
    Plan { notable, building, district, section: None, class, year, size, units: None, lots, shops: true }
}
