//! Tables of inspections as sea-orm entities.

/// How often an agency inspects, and how much.
pub mod inspection_rule {
    use sea_orm::entity::prelude::*;

    /// How often an agency inspects, and how much. The newest holds.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inspection_rules")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The using agency.
        pub agency_id: i64,
        /// Days from one report to the next.
        pub interval_days: i32,
        /// Share of the operations that is drawn.
        pub percent: i32,
        /// At least so many.
        pub at_least: i32,
        /// Account.
        pub set_by: String,
        /// When.
        pub set_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An inspection (查驗).
pub mod inspection {
    use sea_orm::entity::prelude::*;

    /// An inspection (查驗).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inspections")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `I-2026-0001`
        pub number: String,
        /// The agency that inspects its own use.
        pub agency_id: i64,
        /// First day of the use that was drawn from.
        pub first_day: TimeDate,
        /// Last day.
        pub last_day: TimeDate,
        /// Share that was drawn.
        pub percent: i32,
        /// At least so many.
        pub at_least: i32,
        /// Seed of the drawing in hexadecimal.
        pub seed: String,
        /// Operations that were drawn from.
        pub population: i32,
        /// Places of the log that could not be read.
        pub unreadable: i32,
        /// `drawn`, `reported`, `acknowledged`
        pub status: String,
        /// Account.
        pub drawn_by: String,
        /// When.
        pub drawn_at: TimeDateTimeWithTimeZone,
        /// The report.
        pub summary: Option<String>,
        /// Account.
        pub reported_by: Option<String>,
        /// When.
        pub reported_at: Option<TimeDateTimeWithTimeZone>,
        /// Day by which the head takes notice.
        pub acknowledge_by: Option<TimeDate>,
        /// Account.
        pub acknowledged_by: Option<String>,
        /// When.
        pub acknowledged_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An operation that was drawn.
pub mod inspection_entry {
    use sea_orm::entity::prelude::*;

    /// An operation that was drawn.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inspection_entries")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The inspection.
        pub inspection_id: i64,
        /// The audit record.
        pub record_id: String,
        /// Who acted.
        pub account: String,
        /// When.
        pub at: TimeDateTimeWithTimeZone,
        /// Drawn at random, not only for its flags.
        pub sampled: bool,
        /// Words of its flags, with spaces between.
        pub flags: String,
        /// `proper`, `improper`, `unclear`
        pub verdict: Option<String>,
        /// What was found.
        pub comment: Option<String>,
        /// Account that found it.
        pub found_by: Option<String>,
        /// When.
        pub found_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
