//! Tables of sessions, refresh tokens and epochs as sea-orm entities.

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
