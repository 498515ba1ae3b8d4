//! Tables of master forms, groups, sub-forms and dataset states as sea-orm entities.

/// A master form (主表單).
pub mod master_form {
    use sea_orm::entity::prelude::*;

    /// A master form (主表單).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "master_forms")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `FIRE-2026-001`
        pub number: String,
        /// As people know it.
        pub title: String,
        /// The using agency.
        pub agency_id: i64,
        /// `open`, `suspended` or `closed`.
        pub status: String,
        /// When it was first opened.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One version of a master form.
pub mod form_version {
    use sea_orm::entity::prelude::*;

    /// One version of a master form.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "form_versions")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The form.
        pub form_id: i64,
        /// From 1.
        pub version: i32,
        /// The law it rests on.
        pub legal_basis: String,
        /// Personal data needs a case number.
        pub case_required: bool,
        /// First day.
        pub valid_from: TimeDate,
        /// Last day.
        pub valid_until: TimeDate,
        /// `open`, `superseded` or `revoked`.
        pub status: String,
        /// When the information office opened it.
        pub opened_at: TimeDateTimeWithTimeZone,
        /// The application that it was opened for.
        pub application_id: Option<i64>,
        /// Account of the information office.
        pub opened_by: Option<String>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A purpose for which a form may be used.
pub mod form_purpose {
    use sea_orm::entity::prelude::*;

    /// A purpose for which a form may be used.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "form_purposes")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The version.
        pub form_version_id: i64,
        /// As `X-Purpose` names it.
        pub code: String,
        /// As people know it.
        pub title: String,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One granted item of a form version.
pub mod form_item {
    use sea_orm::entity::prelude::*;

    /// One granted item of a form version.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "form_items")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The version.
        pub form_version_id: i64,
        /// `Person.name`
        pub coordinate: String,
        /// `select,filter`
        pub uses: String,
        /// Shown masked only.
        pub masked: bool,
        /// District codes with commas; none is the whole city.
        pub districts: Option<String>,
        /// The item of an approved annex that it rests on.
        pub annex_item_id: Option<i64>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A directory group (目錄組): a named selection of a master form's items.
pub mod directory_group {
    use sea_orm::entity::prelude::*;

    /// A directory group (目錄組): a named selection of a master form's items.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "directory_groups")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The master form.
        pub form_id: i64,
        /// `permits`, unique within the form.
        pub name: String,
        /// As people know it.
        pub title: String,
        /// When it was made.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An item of a directory group; it narrows the master form's item of that coordinate.
pub mod directory_item {
    use sea_orm::entity::prelude::*;

    /// An item of a directory group; it narrows the master form's item of that coordinate.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "directory_items")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The directory group.
        pub group_id: i64,
        /// `Person.name`
        pub coordinate: String,
        /// `select,filter`
        pub uses: String,
        /// Shown masked only.
        pub masked: bool,
        /// District codes with commas; none is as far as the master form reaches.
        pub districts: Option<String>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A user group (使用群組) of an agency.
pub mod user_group {
    use sea_orm::entity::prelude::*;

    /// A user group (使用群組) of an agency.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_groups")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The using agency.
        pub agency_id: i64,
        /// `inspectors`, unique within the agency.
        pub name: String,
        /// As people know it.
        pub title: String,
        /// When it was made.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A member of a user group, now or formerly.
pub mod user_group_member {
    use sea_orm::entity::prelude::*;

    /// A member of a user group, now or formerly.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_group_members")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The user group.
        pub group_id: i64,
        /// The person or machine client.
        pub account_id: i64,
        /// Account that added it.
        pub added_by: String,
        /// When.
        pub added_at: TimeDateTimeWithTimeZone,
        /// Account that removed it.
        pub removed_by: Option<String>,
        /// When; none for members of today.
        pub removed_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A sub-form (次表單): a directory group handed to a user group.
pub mod sub_form {
    use sea_orm::entity::prelude::*;

    /// A sub-form (次表單): a directory group handed to a user group.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sub_forms")]
    pub struct Model {
        /// Number of the row.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The master form.
        pub form_id: i64,
        /// `FIRE-2026-001/1`
        pub number: String,
        /// As people know it.
        pub title: String,
        /// What.
        pub directory_group_id: i64,
        /// Who.
        pub user_group_id: i64,
        /// First day.
        pub valid_from: TimeDate,
        /// Last day.
        pub valid_until: TimeDate,
        /// `open`, `suspended` or `closed`.
        pub status: String,
        /// Account of the business administrator.
        pub opened_by: String,
        /// When.
        pub opened_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A dataset that was suspended or withdrawn; without a row it is in service.
pub mod dataset_state {
    use sea_orm::entity::prelude::*;

    /// A dataset that was suspended or withdrawn; without a row it is in service.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "dataset_states")]
    pub struct Model {
        /// `land`
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        /// `active`, `suspended` or `withdrawn`.
        pub status: String,
        /// Why, as it is told to callers.
        pub reason: String,
        /// Account.
        pub changed_by: String,
        /// When.
        pub changed_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
