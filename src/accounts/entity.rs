//! The control tables as sea-orm entities. What they mean stands in the modules that use them.

/// An agency (機關), managing or using.
pub mod agency {
    use sea_orm::entity::prelude::*;

    /// An agency (機關), managing or using.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "agencies")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `fire-department`
        pub code: String,
        /// Name as people know it.
        pub title: String,
        /// When it was added.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A person's or a machine client's account.
pub mod account {
    use sea_orm::entity::prelude::*;

    /// A person's or a machine client's account.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// `fire.officer`, lower case.
        pub name: String,
        /// `person` or `client`.
        pub kind: String,
        /// The agency that answers for it.
        pub agency_id: i64,
        /// Function, not the person's name.
        pub title: String,
        /// `active`, `suspended` or `closed`.
        pub status: String,
        /// PHC string (argon2id); none for clients.
        pub password_hash: Option<String>,
        /// When the password was set; its life counts from here.
        pub password_set_at: Option<TimeDateTimeWithTimeZone>,
        /// Must be changed before anything else.
        pub password_one_time: bool,
        /// Failed sign-ins since the last good one.
        pub failures: i32,
        /// End of the lock after too many failures.
        pub locked_until: Option<TimeDateTimeWithTimeZone>,
        /// Last good sign-in.
        pub last_sign_in_at: Option<TimeDateTimeWithTimeZone>,
        /// When it was opened.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A role of an account in the procedure.
pub mod account_role {
    use sea_orm::entity::prelude::*;

    /// A role of an account in the procedure.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account_roles")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The account.
        pub account_id: i64,
        /// `general-user`, `information-office`, …
        pub role: String,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A former password, so that it is not used again.
pub mod password_history {
    use sea_orm::entity::prelude::*;

    /// A former password, so that it is not used again.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "password_history")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The account.
        pub account_id: i64,
        /// PHC string.
        pub password_hash: String,
        /// When it had been set.
        pub set_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A machine client's credentials.
pub mod client {
    use sea_orm::entity::prelude::*;

    /// A machine client's credentials.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "clients")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// As OAuth knows it.
        pub client_id: String,
        /// Its account.
        pub account_id: i64,
        /// SHA-256 of the secret, in hexadecimal.
        pub secret_digest: String,
        /// When it was made.
        pub created_at: TimeDateTimeWithTimeZone,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A session: from a sign-in to its end.
pub mod session {
    use sea_orm::entity::prelude::*;

    /// A session: from a sign-in to its end.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// UUID; `sid` in access tokens.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Whose.
        pub account_id: i64,
        /// Where it was opened from.
        pub client_address: Option<String>,
        /// When.
        pub started_at: TimeDateTimeWithTimeZone,
        /// It cannot be prolonged beyond.
        pub expires_at: TimeDateTimeWithTimeZone,
        /// When it was ended before its time.
        pub revoked_at: Option<TimeDateTimeWithTimeZone>,
        /// Why it was ended.
        pub revoked_why: Option<String>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A refresh token; each is used once.
pub mod refresh_token {
    use sea_orm::entity::prelude::*;

    /// A refresh token; each is used once.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// SHA-256 of the token, in hexadecimal.
        pub token_digest: String,
        /// Its session.
        pub session_id: String,
        /// When it was made.
        pub issued_at: TimeDateTimeWithTimeZone,
        /// When it was exchanged.
        pub used_at: Option<TimeDateTimeWithTimeZone>,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A counter by which every server learns of a change.
pub mod epoch {
    use sea_orm::entity::prelude::*;

    /// A counter by which every server learns of a change.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "epochs")]
    pub struct Model {
        /// `rights` or `sessions`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        /// Goes up by one with each change.
        pub value: i64,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

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
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who holds a form.
pub mod form_holder {
    use sea_orm::entity::prelude::*;

    /// Who holds a form.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "form_holders")]
    pub struct Model {
        /// Number.
        #[sea_orm(primary_key)]
        pub id: i64,
        /// The form.
        pub form_id: i64,
        /// The account.
        pub account_id: i64,
    }

    /// None: rows are loaded by their numbers.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
