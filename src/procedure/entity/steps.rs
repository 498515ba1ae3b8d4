//! Tables of filings, steps and notices as sea-orm entities.

/// An agency's operating rules (作業規定), as filed.
pub mod operating_rules {
    use sea_orm::entity::prelude::*;

    /// An agency's operating rules (作業規定), as filed.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "operating_rules")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The using agency.
        pub agency_id: i64,
        /// From 1.
        pub version: i32,
        /// Title.
        pub title: String,
        /// Text.
        pub content: String,
        /// Digest of the text in hexadecimal.
        pub sha256: String,
        /// Account.
        pub filed_by: String,
        /// When.
        pub filed_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// That an agency has received operating rules.
pub mod rules_receipt {
    use sea_orm::entity::prelude::*;

    /// That an agency has received operating rules.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rules_receipts")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The rules.
        pub rules_id: i64,
        /// Code of the agency that they were sent to.
        pub recipient: String,
        /// Account that acknowledged them.
        pub received_by: Option<String>,
        /// When.
        pub received_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A custodian's plan for checking use (稽核計畫), or its waiver.
pub mod audit_plan {
    use sea_orm::entity::prelude::*;

    /// A custodian's plan for checking use (稽核計畫), or its waiver.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_plans")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Code of the dataset.
        pub dataset: String,
        /// From 1.
        pub version: i32,
        /// There is none, since the data are public.
        pub waived: bool,
        /// Text, or the reason of the waiver.
        pub content: String,
        /// How often use is checked.
        pub interval_days: i32,
        /// Account.
        pub filed_by: String,
        /// When.
        pub filed_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A step of the procedure that somebody took.
pub mod step {
    use sea_orm::entity::prelude::*;

    /// A step of the procedure that somebody took.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "steps")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// When.
        pub at: TimeDateTimeWithTimeZone,
        /// The audit record of it.
        pub record_id: String,
        /// Who.
        pub account: String,
        /// Of which agency.
        pub agency: String,
        /// `submitApplication`
        pub operation: String,
        /// `application`, …
        pub subject_kind: String,
        /// Number of its row.
        pub subject_id: i64,
        /// JSON.
        pub detail: String,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A step that was sent with an idempotency key.
pub mod repeatable_step {
    use sea_orm::entity::prelude::*;

    /// A step that was sent with an idempotency key.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "repeatable_steps")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Who sent it.
        pub account_id: i64,
        /// The key.
        pub idempotency_key: String,
        /// Which operation.
        pub operation: String,
        /// Digest of document and variables in hexadecimal.
        pub request_digest: String,
        /// Row of what came out.
        pub subject_id: i64,
        /// When.
        pub at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody was told.
pub mod notice {
    use sea_orm::entity::prelude::*;

    /// What somebody was told.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notices")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// Whom.
        pub account_id: i64,
        /// When.
        pub at: TimeDateTimeWithTimeZone,
        /// `application`, …
        pub subject_kind: String,
        /// Number as people know it.
        pub subject_number: String,
        /// In English.
        pub text_en: String,
        /// In Traditional Chinese.
        pub text_zh: String,
        /// Day by which something is to be done.
        pub due_on: Option<TimeDate>,
        /// When it was read.
        pub read_at: Option<TimeDateTimeWithTimeZone>,
        /// When it was sent by mail.
        pub mailed_at: Option<TimeDateTimeWithTimeZone>,
        /// Since when a server has been sending it.
        pub mail_claimed_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
