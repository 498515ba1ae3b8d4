//! Which accounts somebody may see, and loading them with as few statements as one. What an account is stands in `account`.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::account::{Account, RoleName, status};
use super::agency::{agency_codes, get_agency};
use super::fault::{forbidden, not_found};
use super::page::Page;
use super::watch::watches;
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{account, account_role};

impl Procedure {
    /// The accounts of an agency, or of all, by name: its own for those who run an agency, any for those
    /// who watch.
    pub async fn list_accounts(&self, act: &Act, of: Option<&str>, page: &Page) -> Result<Vec<Account>, Fault> {
        let own = act.caller.agency.as_ref();
        let anywhere = watches(self.db(), act).await?;
        let of = if anywhere { of } else { Some(of.unwrap_or(own)) };
        if !anywhere && of != Some(own) {
            return Err(forbidden("Accounts of other agencies are not yours to see.", "不得查看其他機關之帳號。", "8"));
        }
        let mut all = account::Entity::find().order_by_asc(account::Column::Name).limit(page.limit()?);
        if let Some(of) = of {
            all = all.filter(account::Column::AgencyId.eq(get_agency(self.db(), of).await?.id));
        }
        if let Some(after) = &page.after {
            all = all.filter(account::Column::Name.gt(after));
        }
        let rows = all.all(self.db()).await?;
        self.accounts_shown(rows).await
    }

    pub(crate) async fn account_by_id(&self, id: i64) -> Result<Account, Fault> {
        let rows = account::Entity::find_by_id(id).all(self.db()).await?;
        self.accounts_shown(rows).await?.pop().ok_or_else(|| not_found("account", "帳號", &id.to_string()))
    }

    async fn accounts_shown(&self, rows: Vec<account::Model>) -> Result<Vec<Account>, Fault> {
        let agencies = agency_codes(self.db(), rows.iter().map(|row| row.agency_id)).await?;
        let held =
            account_role::Entity::find().filter(account_role::Column::AccountId.is_in(rows.iter().map(|row| row.id)));
        let mut roles: HashMap<i64, Vec<RoleName>> = HashMap::new();
        for row in held.order_by_asc(account_role::Column::Id).all(self.db()).await? {
            roles.entry(row.account_id).or_default().extend(Role::parse(&row.role).map(RoleName::from));
        }
        let show = |row: account::Model| Account {
            agency: agencies.get(&row.agency_id).cloned().unwrap_or_else(|| "-".to_owned()),
            machine: row.kind == "client",
            roles: roles.remove(&row.id).unwrap_or_default(),
            status: status(&row.status),
            account: row.name,
            title: row.title,
            email: row.email,
            identified: row.holder.is_some(),
            status_why: row.status_why,
            status_at: row.status_at,
            last_sign_in_at: row.last_sign_in_at,
            opened_at: row.created_at,
        };
        Ok(rows.into_iter().map(show).collect())
    }
}
