//! What a sub-form (次表單) holds: what its master form grants and its directory group names, never more. Rights only
//! shrink on the way down.

use std::collections::HashMap;

use super::rights::Item;

/// The items of a directory group as far as the master form grants them. Uses are those that both name; masked if
/// either is; districts are those of both. An item of which nothing is left is left out.
pub fn attenuate(master: &[Item], group: &[Item]) -> Vec<Item> {
    let granted: HashMap<&str, &Item> = master.iter().map(|item| (item.coordinate.as_str(), item)).collect();
    group.iter().filter_map(|item| narrower(granted.get(item.coordinate.as_str())?, item)).collect()
}

/// Whether the narrower item asks for something that the wider one does not grant.
pub fn exceeds(wider: &Item, narrower: &Item) -> bool {
    let uses = narrower.uses.iter().any(|one| !wider.uses.has(one));
    let unmasked = wider.masked && !narrower.masked;
    let districts = match (&wider.districts, &narrower.districts) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(wider), Some(narrower)) => narrower.iter().any(|code| !wider.contains(code)),
    };
    uses || unmasked || districts
}

fn narrower(master: &Item, group: &Item) -> Option<Item> {
    let uses = master.uses.intersection(group.uses);
    let districts = match (&master.districts, &group.districts) {
        (None, any) | (any, None) => any.clone(),
        (Some(one), Some(other)) => Some(one.iter().filter(|code| other.contains(code)).cloned().collect()),
    };
    let nothing = uses.is_empty() || districts.as_ref().is_some_and(Vec::is_empty);
    (!nothing).then(|| Item {
        coordinate: group.coordinate.clone(),
        uses,
        masked: master.masked || group.masked,
        districts,
    })
}
