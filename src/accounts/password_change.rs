//! Changing one's own password, also an expired or a first one. What a password must be is left to `password`.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};

use super::entity::{account, password_history};
use super::epoch::{self, Epoch};
use super::password::{About, Weakness};
use super::session::unchanged;
use super::{Accounts, AccountsError, Actor, Reason, Refused};
use crate::access::Refusal;

/// Former passwords that may not be used again.
const HISTORY: u64 = 3;

impl Accounts {
    /// Changes a person's own password, also an expired one; ends all sessions of the account. `record` is called before
    /// the change is kept, which it is only if that succeeds.
    pub async fn change_password(
        &self,
        name: &str,
        old: &str,
        new: &str,
        record: impl AsyncFnOnce(&Actor) -> Result<(), Refusal>,
    ) -> Result<(), AccountsError> {
        let name = name.trim().to_lowercase();
        let (account, actor) = self.check_password(&name, old).await?;
        let weak = |weakness| AccountsError::from(Refused { reason: Reason::Weak(weakness), actor: actor.clone() });
        let known = [Some(&*actor.agency), account.staff_number.as_deref(), account.email.as_deref()];
        let known = known.into_iter().flatten().map(str::to_owned).collect();
        let about = About { account: name.clone(), known };
        self.hasher.check(&about, new).await?.map_err(weak)?;
        let former = password_history::Entity::find()
            .filter(password_history::Column::AccountId.eq(account.id))
            .order_by_desc(password_history::Column::Id)
            .all(&self.db)
            .await?;
        // The present one is one of the last three.
        let recent = former.iter().take(HISTORY as usize - 1).map(|row| row.password_hash.as_str());
        for hash in account.password_hash.as_deref().into_iter().chain(recent) {
            if self.hasher.verify(new, Some(hash)).await? {
                return Err(weak(Weakness::Reused));
            }
        }
        let hash = self.hasher.hash(new, self.entropy.bytes()).await?;
        let changing = self.db.begin().await?;
        epoch::raise(&changing, Epoch::Rights).await?;
        let changed = account::Entity::update_many()
            .col_expr(account::Column::PasswordHash, Expr::value(hash))
            .col_expr(account::Column::PasswordSetAt, Expr::value(self.now()))
            .col_expr(account::Column::PasswordOneTime, Expr::value(false))
            .filter(unchanged(&account))
            .exec(&changing)
            .await?;
        if changed.rows_affected == 0 {
            // Somebody else was faster, whose password must not be written over with one that was given before.
            changing.rollback().await?;
            return Err(Refused { reason: Reason::WrongPassword, actor }.into());
        }
        if let (Some(hash), Some(set)) = (account.password_hash, account.password_set_at) {
            let row = password_history::ActiveModel {
                account_id: Set(account.id),
                password_hash: Set(hash),
                set_at: Set(set),
                ..Default::default()
            };
            password_history::Entity::insert(row).exec_without_returning(&changing).await?;
        }
        let ended = self.end_sessions(&changing, account.id, "password changed").await?;
        record(&actor).await?;
        changing.commit().await?;
        self.forget(&ended);
        self.rights.reload(&self.db).await
    }
}
