//! The city's twelve districts: name, household code (戶政 and everywhere here) and the land offices' town
//! code, as a crosswalk. Villages are rows of a table, not listed here.

/// A district (行政區).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct District {
    /// `大安區`
    pub name: &'static str,
    /// `63000030`; every table's `district_code`.
    pub code: &'static str,
    /// `A02`, as land registers have it.
    pub land_town: &'static str,
}

/// All districts, by code.
pub const DISTRICTS: [District; 12] = [
    District { name: "松山區", code: "63000010", land_town: "A01" },
    District { name: "信義區", code: "63000020", land_town: "A17" },
    District { name: "大安區", code: "63000030", land_town: "A02" },
    District { name: "中山區", code: "63000040", land_town: "A10" },
    District { name: "中正區", code: "63000050", land_town: "A03" },
    District { name: "大同區", code: "63000060", land_town: "A09" },
    District { name: "萬華區", code: "63000070", land_town: "A05" },
    District { name: "文山區", code: "63000080", land_town: "A11" },
    District { name: "南港區", code: "63000090", land_town: "A13" },
    District { name: "內湖區", code: "63000100", land_town: "A14" },
    District { name: "士林區", code: "63000110", land_town: "A15" },
    District { name: "北投區", code: "63000120", land_town: "A16" },
];

/// The district of that name, with or without the city before it; folded writing.
pub fn find_by_name(folded: &str) -> Option<&'static District> {
    let name = folded.strip_prefix("臺北市").unwrap_or(folded);
    DISTRICTS.iter().find(|d| d.name == name)
}

/// The district of that eight-digit code.
pub fn find_by_code(code: &str) -> Option<&'static District> {
    DISTRICTS.iter().find(|d| d.code == code)
}

/// The district of that land town code, `A02`.
pub fn find_by_land_town(code: &str) -> Option<&'static District> {
    DISTRICTS.iter().find(|d| d.land_town == code)
}

/// Takes a district's name off the front of folded text.
pub fn strip_name(folded: &str) -> Option<(&'static District, &str)> {
    DISTRICTS.iter().find_map(|d| folded.strip_prefix(d.name).map(|rest| (d, rest)))
}
