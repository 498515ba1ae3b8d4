//! Which district a road lies in, by the city's open list of road names. It stays the same whatever was imported
//! before; the generator's cities are built on the same list.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalog::scalar::district::{self, District};
use crate::catalog::scalar::writing;

/// One district a line: its name, then its roads.
const LIST: &str = include_str!("../generate/names/roads.csv");

/// Road → its district; none where it runs through several.
static ROADS: LazyLock<HashMap<String, Option<&'static District>>> = LazyLock::new(|| {
    let mut roads = HashMap::new();
    for line in LIST.lines().filter(|line| !line.starts_with('#')) {
        let mut names = line.split(',').map(writing::fold);
        let Some(found) = names.next().and_then(|name| district::find_by_name(&name)) else { continue };
        for road in names {
            roads.entry(road).and_modify(|known| *known = None).or_insert(Some(found));
        }
    }
    roads
});

/// The one district of a street, `饒河街` or `八德路4段`; none where it is not known or lies in several.
pub fn district_of(street: &str) -> Option<&'static District> {
    let without_section = street.strip_suffix('段').map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_digit()));
    *ROADS.get(without_section.unwrap_or(street))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roads_of_one_district_tell_it() {
        let name = |street| district_of(street).map(|district| district.name);
        assert_eq!(name("饒河街"), Some("松山區"));
        assert_eq!(name("研究院路2段"), Some("南港區"));
        for unclear in ["羅斯福路5段", "八德路4段", "無此街", ""] {
            assert_eq!(name(unclear), None, "{unclear}");
        }
    }
}
