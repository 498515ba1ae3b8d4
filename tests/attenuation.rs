//! Rights only shrink on the way down: over random trees of a master form, directory groups and groups of those, what a
//! sub-form holds is what both its master form and its directory group hold. Ten thousand trees; more with
//! `CITYQUERY_CASES=1000000 cargo nextest run --release attenuation::`.

use std::sync::OnceLock;

use cityquery::access::attenuate::{attenuate, exceeds};
use cityquery::access::{Granted, Item, Rights, RowScope, Use, Uses};
use cityquery::catalog::{Catalog, load_builtin};
use proptest::prelude::*;

/// Fields of every kind: roots, joins, columns with masks and without, with districts and without.
const COORDINATES: [&str; 8] = [
    "Query.persons",
    "Person.name",
    "Person.birthDate",
    "Person.household",
    "FirePremises.name",
    "FirePremises.usage",
    "UsePermit.permitNo",
    "Parcel.areaM2",
];

const DISTRICTS: [&str; 3] = ["63000010", "63000020", "63000030"];

fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| load_builtin().expect("sound declarations"))
}

/// An item that the catalogue allows; its uses are the bits of a number.
fn item(coordinate: &str, bits: u8, masked: bool, districts: u8) -> Item {
    let catalog = catalog();
    let field = catalog.field(catalog.fields_by_coordinate[coordinate]);
    let uses: Uses =
        Use::ALL.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).map(|(_, one)| one).collect();
    let scoped = catalog.type_def(field.owner).scope_column.is_some() && districts != 0;
    let named = || {
        DISTRICTS.iter().enumerate().filter(|(bit, _)| districts >> bit & 1 == 1).map(|(_, code)| (*code).to_owned())
    };
    Item {
        coordinate: coordinate.to_owned(),
        uses,
        masked: masked && field.mask.is_some(),
        districts: scoped.then(|| named().collect()),
    }
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let one = (any::<bool>(), 1u8..64, any::<bool>(), 0u8..8);
    prop::collection::vec(one, COORDINATES.len()).prop_map(|drawn| {
        let drawn = drawn.into_iter().zip(COORDINATES);
        drawn
            .filter(|((there, ..), _)| *there)
            .map(|((_, bits, masked, districts), coordinate)| item(coordinate, bits, masked, districts))
            .collect()
    })
}

/// What compiled rights say of one use: masked or not, and in which districts.
fn decided(rights: &Rights, coordinate: &str, one: Use) -> Option<(bool, Vec<&'static str>)> {
    let granted: Granted = rights.decide(catalog().fields_by_coordinate[coordinate], one)?;
    let within = |code: &&&str| match granted.scope() {
        RowScope::WholeCity => true,
        RowScope::Districts(codes) => codes.iter().any(|known| known == **code),
    };
    Some((granted.masked(), DISTRICTS.iter().filter(within).copied().collect()))
}

fn compiled(items: &[Item]) -> Rights {
    let (rights, problems) = Rights::compile(catalog(), items);
    assert!(problems.is_empty(), "{problems:?}");
    rights
}

fn cases() -> u32 {
    std::env::var("CITYQUERY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(10_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sub_form_holds_what_both_hold_and_nothing_else(
        master in items(),
        tree in prop::collection::vec(items(), 1..4),
    ) {
        let mut held = master.clone();
        for group in &tree {
            let sub_form = attenuate(&held, group);
            let (wide, named, narrow) = (compiled(&held), compiled(group), compiled(&sub_form));
            for coordinate in COORDINATES {
                for one in Use::ALL {
                    let (above, below) = (decided(&wide, coordinate, one), decided(&named, coordinate, one));
                    let expected = match (above, below) {
                        (Some((masked, above)), Some((narrower, named))) => {
                            let both: Vec<_> = above.into_iter().filter(|code| named.contains(code)).collect();
                            (!both.is_empty()).then_some((masked || narrower, both))
                        }
                        _ => None,
                    };
                    prop_assert_eq!(decided(&narrow, coordinate, one), expected, "{:?} of {}", one, coordinate);
                }
            }
            for item in &sub_form {
                let wider = held.iter().find(|wider| wider.coordinate == item.coordinate);
                prop_assert!(wider.is_some_and(|wider| !exceeds(wider, item)), "{:?} exceeds {:?}", item, wider);
            }
            // Handed on again, it shrinks again: a tree of any depth holds no more than its root.
            held = sub_form;
        }
        let beyond = attenuate(&master, &held);
        prop_assert_eq!(beyond, held, "what was handed on is within the master form");
    }
}
