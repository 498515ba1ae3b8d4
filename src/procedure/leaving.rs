//! What is left behind by an account that is closed: its places in user groups end, and where it reviewed the logs of an
//! outside channel, the custodian is told to name somebody else. Closing itself is left to `account` and `idle`.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::channel;
use super::step::{News, Step, To};
use super::{Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{account, user_group_member};

impl Procedure {
    /// Ends what an account has part in, as it is closed.
    pub(crate) async fn leave(&self, step: &Step<'_>, who: &account::Model) -> Result<(), Fault> {
        user_group_member::Entity::update_many()
            .col_expr(user_group_member::Column::RemovedBy, Expr::value(&*step.act.caller.account))
            .col_expr(user_group_member::Column::RemovedAt, Expr::value(self.now()))
            .filter(user_group_member::Column::AccountId.eq(who.id))
            .filter(user_group_member::Column::RemovedAt.is_null())
            .exec(step.tx())
            .await?;
        let reviewed = channel::Entity::find()
            .filter(channel::Column::Reviewer.eq(who.name.as_str()))
            .filter(channel::Column::Status.eq("open"))
            .order_by_asc(channel::Column::Name);
        for row in reviewed.all(step.tx()).await? {
            let Some(custodian) = self.custodian_of_dataset(&row.dataset) else { continue };
            let (name, title) = (&who.name, &row.title);
            let news = News {
                kind: "channel",
                number: &row.name,
                en: format!("The account {name}, which reviews the channel {title}, is closed: name another reviewer."),
                zh: format!("查詢管道「{title}」之檢視人員 {name} 帳號已關閉，請另行指定。"),
                due: None,
            };
            for role in [Role::DatabaseAdministrator, Role::AgencyHead] {
                step.tell(To::Role(role, custodian), &news).await?;
            }
        }
        Ok(())
    }
}
