//! Passwords that everybody knows: for the demo only, whose people nobody is. They are hashed cheaply, since there is
//! nothing to guess.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, TransactionTrait};

use super::entity::{account, client};
use super::epoch::{self, Epoch};
use super::password::HashError;
use super::{Accounts, AccountsError, secret};

impl Accounts {
    /// Gives these accounts passwords that need no change, and clients their secrets.
    pub async fn set_known_passwords(&self, known: &[(String, String)]) -> Result<(), AccountsError> {
        let unusable = |error: String| AccountsError::from(HashError::Unusable(error));
        let params = Params::new(8, 1, 1, None).map_err(|error| unusable(error.to_string()))?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let setting = self.db.begin().await?;
        epoch::raise(&setting, Epoch::Rights).await?;
        for (name, password) in known {
            let salt: [u8; 16] = self.entropy.bytes();
            let hash = hasher.hash_password_with_salt(password.as_bytes(), &salt);
            let hash = hash.map_err(|error| unusable(error.to_string()))?.to_string();
            account::Entity::update_many()
                .col_expr(account::Column::PasswordHash, Expr::value(hash))
                .col_expr(account::Column::PasswordSetAt, Expr::value(self.now()))
                .col_expr(account::Column::PasswordOneTime, Expr::value(false))
                .filter(account::Column::Name.eq(name.as_str()))
                .filter(account::Column::Kind.eq("person"))
                .exec(&setting)
                .await?;
            client::Entity::update_many()
                .col_expr(client::Column::SecretDigest, Expr::value(secret::digest(password)))
                .filter(client::Column::ClientId.eq(name.as_str()))
                .exec(&setting)
                .await?;
        }
        setting.commit().await?;
        self.rights.reload(&self.db).await
    }
}
