//! Tables of agencies, accounts, roles, passwords and clients as sea-orm entities.

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
        /// `using`, `information-office`, `commission` or `ethics-office`.
        pub kind: String,
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
        /// Number of the person in their agency's files: one person, one account that is not closed.
        pub staff_number: Option<String>,
        /// Where notices are sent.
        pub email: Option<String>,
        /// Keyed digest of the holder's national id, where it is known.
        pub holder: Option<String>,
        /// Since when it is known: what was read before is not compared with it.
        pub holder_since: Option<TimeDateTimeWithTimeZone>,
        /// Why the status is what it is.
        pub status_why: Option<String>,
        /// Since when.
        pub status_at: Option<TimeDateTimeWithTimeZone>,
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
