//! Tables of offers, applications, annexes and documents as sea-orm entities.

/// What a custodian lets others apply for: its annex (附表) as it is to be filled in.
pub mod offer {
    use sea_orm::entity::prelude::*;

    /// What a custodian lets others apply for: its annex (附表) as it is to be filled in.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "offers")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Code of the managing agency.
        pub custodian: String,
        /// From 1.
        pub version: i32,
        /// `current` or `superseded`.
        pub status: String,
        /// JSON: `[[code, title], …]`.
        pub purposes: String,
        /// JSON: `[text, …]`; empty lets the applicant name any.
        pub legal_bases: String,
        /// Longest term in days.
        pub longest_days: i32,
        /// Personal data needs a case number with each request.
        pub case_required: bool,
        /// JSON: what must be attached.
        pub attachments: String,
        /// Account.
        pub defined_by: String,
        /// When.
        pub defined_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An item that may be applied for, with the most that may be asked of it.
pub mod offer_item {
    use sea_orm::entity::prelude::*;

    /// An item that may be applied for, with the most that may be asked of it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "offer_items")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The offer.
        pub offer_id: i64,
        /// `Person.name`
        pub coordinate: String,
        /// `select,filter`
        pub uses: String,
        /// Masked only.
        pub masked: bool,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An application (查詢作業申請表): the header.
pub mod application {
    use sea_orm::entity::prelude::*;

    /// An application (查詢作業申請表): the header.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "applications")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `A-2026-0001`
        pub number: String,
        /// The using agency.
        pub agency_id: i64,
        /// As people know it.
        pub title: String,
        /// JSON: `[[code, title], …]`.
        pub purposes: String,
        /// The law it rests on.
        pub legal_basis: String,
        /// First day asked for.
        pub valid_from: TimeDate,
        /// Last day asked for.
        pub valid_until: TimeDate,
        /// The master form that it changes, or that was opened for it.
        pub form_id: Option<i64>,
        /// `draft`, `submitted`, `decided`, `refused`, `opened` or `withdrawn`.
        pub status: String,
        /// Goes up with each change.
        pub revision: i32,
        /// Account.
        pub drafted_by: String,
        /// When.
        pub drafted_at: TimeDateTimeWithTimeZone,
        /// Account.
        pub submitted_by: Option<String>,
        /// When.
        pub submitted_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The part of an application that one custodian decides on.
pub mod annex {
    use sea_orm::entity::prelude::*;

    /// The part of an application that one custodian decides on.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "annexes")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The application.
        pub application_id: i64,
        /// Code of the managing agency.
        pub custodian: String,
        /// `draft`, `submitted`, `approved`, `returned`, `refused` or `dropped`.
        pub status: String,
        /// Version of the offer that it was checked against.
        pub offer_version: Option<i32>,
        /// When it was handed in to its custodian; none where an earlier release did so.
        pub submitted_at: Option<TimeDateTimeWithTimeZone>,
        /// Account.
        pub decided_by: Option<String>,
        /// When.
        pub decided_at: Option<TimeDateTimeWithTimeZone>,
        /// Number of the decision letter.
        pub decision_number: Option<String>,
        /// What the custodian said.
        pub comment: Option<String>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One decision on an annex; the last one stands in the annex, too.
pub mod decision {
    use sea_orm::entity::prelude::*;

    /// One decision on an annex.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decisions")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The annex.
        pub annex_id: i64,
        /// Number of the decision letter.
        pub number: String,
        /// `approved`, `returned` or `refused`.
        pub decision: String,
        /// Account.
        pub decided_by: String,
        /// When.
        pub decided_at: TimeDateTimeWithTimeZone,
        /// What the custodian said.
        pub comment: Option<String>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An item that is asked for.
pub mod annex_item {
    use sea_orm::entity::prelude::*;

    /// An item that is asked for.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "annex_items")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The annex.
        pub annex_id: i64,
        /// `Person.name`
        pub coordinate: String,
        /// `select,filter`
        pub uses: String,
        /// Masked only.
        pub masked: bool,
        /// District codes with commas; none is the whole city.
        pub districts: Option<String>,
        /// Why it is needed.
        pub reason: String,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A document attached to a step of the procedure, kept with its digest.
pub mod document {
    use sea_orm::entity::prelude::*;

    /// A document attached to a step of the procedure, kept with its digest.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "documents")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `application`, …
        pub subject_kind: String,
        /// Number of the row that it is attached to.
        pub subject_id: i64,
        /// Name of the file.
        pub name: String,
        /// `application/pdf`
        pub media_type: String,
        /// Which of the attachments that a custodian demands it is.
        pub fulfils: Option<String>,
        /// The file.
        pub content: Vec<u8>,
        /// Digest in hexadecimal.
        pub sha256: String,
        /// Account.
        pub added_by: String,
        /// When.
        pub added_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
