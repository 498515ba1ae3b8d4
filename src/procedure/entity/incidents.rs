//! Tables of incidents and outside channels as sea-orm entities.

/// Misuse or damage (clause 12), from its report to its closing.
pub mod incident {
    use sea_orm::entity::prelude::*;

    /// Misuse or damage (clause 12), from its report to its closing.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "incidents")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `E-2026-0001`
        pub number: String,
        /// The agency whose use it is about.
        pub agency_id: i64,
        /// Title.
        pub title: String,
        /// What happened.
        pub description: String,
        /// The account or client that it is about.
        pub account: Option<String>,
        /// The master form that it is about.
        pub form: Option<String>,
        /// `reported`, `remedied` or `closed`.
        pub status: String,
        /// Account.
        pub reported_by: String,
        /// When.
        pub reported_at: TimeDateTimeWithTimeZone,
        /// What was done about it.
        pub remedy: Option<String>,
        /// Account.
        pub remedied_by: Option<String>,
        /// When.
        pub remedied_at: Option<TimeDateTimeWithTimeZone>,
        /// How it was closed.
        pub conclusion: Option<String>,
        /// Account.
        pub closed_by: Option<String>,
        /// When.
        pub closed_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A query channel to a dataset outside of this system (clause 13).
pub mod channel {
    use sea_orm::entity::prelude::*;

    /// A query channel to a dataset outside of this system (clause 13).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "channels")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Code of the dataset.
        pub dataset: String,
        /// `counter-terminal`
        pub name: String,
        /// As people know it.
        pub title: String,
        /// Account that reviews its logs.
        pub reviewer: String,
        /// How often its log is to be imported.
        pub interval_days: i32,
        /// JSON: column of the file for each part of an entry.
        pub mapping: String,
        /// `open` or `closed`.
        pub status: String,
        /// Account.
        pub registered_by: String,
        /// When.
        pub registered_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A log of an outside channel that was imported.
pub mod channel_import {
    use sea_orm::entity::prelude::*;

    /// A log of an outside channel that was imported.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "channel_imports")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The channel.
        pub channel_id: i64,
        /// First day that it covers.
        pub first_day: TimeDate,
        /// Last day that it covers.
        pub last_day: TimeDate,
        /// Rows that became records.
        pub accepted: i32,
        /// JSON: line and reason of each row that did not.
        pub rejected: String,
        /// Digest of the file.
        pub sha256: String,
        /// Account.
        pub imported_by: String,
        /// When.
        pub imported_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
