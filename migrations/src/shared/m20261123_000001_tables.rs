//! Creates the tables of door plates and districts, as `src/datasets/shared.graphql` declares them. Later changes are migrations of their own.

use crate::table::{Column, Table};

/// The tables, as this migration makes them; never edit them once released.
pub const TABLES: &[Table] = &[
    Table {
        name: "addresses",
        columns: &[
            Column::text("address_key").required(),
            Column::text("plate_key").required(),
            Column::text("level").required(),
            Column::text("text").required(),
            Column::text("street"),
            Column::int("floor"),
            Column::text("unit"),
            Column::text("district_code").required(),
            Column::text("village_code"),
            Column::text("neighbourhood_no"),
        ],
        unique: &["address_key"],
        joins: &["plate_key", "village_code"],
        indexes: &["district_code, street"],
    },
    Table {
        name: "districts",
        columns: &[
            Column::text("district_code").required(),
            Column::text("name").required(),
            Column::text("land_town_code"),
            Column::text("old_code"),
            Column::text("post_code"),
        ],
        unique: &["district_code"],
        joins: &[],
        indexes: &[],
    },
];
