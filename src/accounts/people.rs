//! Opening agencies and accounts, setting passwords, suspending. Who may do so is left to the procedure.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};

use super::entity::{account, account_role, agency, client, password_history};
use super::epoch::{self, Epoch};
use super::password::{self, Weakness};
use super::{Accounts, AccountsError, Actor, Reason, Refused, secret};

/// Former passwords that may not be used again.
const HISTORY: u64 = 3;

/// A person to be given an account.
#[derive(Debug, Clone)]
pub struct NewPerson<'a> {
    /// `fire.officer`
    pub name: &'a str,
    /// Code of the agency.
    pub agency: &'a str,
    /// Function, not the person's name.
    pub title: &'a str,
    /// Roles in the procedure.
    pub roles: &'a [&'a str],
    /// First password.
    pub password: &'a str,
    /// Must be changed before anything else.
    pub one_time: bool,
}

impl Accounts {
    /// Adds an agency, or gives it a new title; returns its number.
    pub async fn put_agency(&self, code: &str, title: &str) -> Result<i64, AccountsError> {
        let adding = self.db.begin().await?;
        epoch::raise(&adding, Epoch::Rights).await?;
        let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(&adding).await?;
        let row =
            agency::ActiveModel { code: Set(code.to_owned()), title: Set(title.to_owned()), ..Default::default() };
        let id = match known {
            Some(known) => {
                agency::Entity::update(agency::ActiveModel { id: Set(known.id), ..row }).exec(&adding).await?;
                known.id
            }
            None => {
                let row = agency::ActiveModel { created_at: Set(self.now()), ..row };
                agency::Entity::insert(row).exec(&adding).await?.last_insert_id
            }
        };
        adding.commit().await?;
        Ok(id)
    }

    /// Opens a person's account; returns its number.
    pub async fn open_person(&self, person: &NewPerson<'_>) -> Result<i64, AccountsError> {
        let hash = self.hasher.hash(person.password, self.entropy.bytes()).await?;
        let (now, agency_id) = (self.now(), self.agency_id(person.agency).await?);
        let row = account::ActiveModel {
            name: Set(person.name.to_lowercase()),
            kind: Set("person".to_owned()),
            agency_id: Set(agency_id),
            title: Set(person.title.to_owned()),
            status: Set("active".to_owned()),
            password_hash: Set(Some(hash)),
            password_set_at: Set(Some(now)),
            password_one_time: Set(person.one_time),
            failures: Set(0),
            created_at: Set(now),
            ..Default::default()
        };
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let id = account::Entity::insert(row).exec(&opening).await?.last_insert_id;
        for role in person.roles {
            let row =
                account_role::ActiveModel { account_id: Set(id), role: Set((*role).to_owned()), ..Default::default() };
            account_role::Entity::insert(row).exec_without_returning(&opening).await?;
        }
        opening.commit().await?;
        Ok(id)
    }

    /// Opens a machine client's account; returns its number.
    pub async fn open_client(&self, id: &str, key: &str, agency: &str, title: &str) -> Result<i64, AccountsError> {
        let (now, agency_id) = (self.now(), self.agency_id(agency).await?);
        let row = account::ActiveModel {
            name: Set(id.to_lowercase()),
            kind: Set("client".to_owned()),
            agency_id: Set(agency_id),
            title: Set(title.to_owned()),
            status: Set("active".to_owned()),
            password_one_time: Set(false),
            failures: Set(0),
            created_at: Set(now),
            ..Default::default()
        };
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let account_id = account::Entity::insert(row).exec(&opening).await?.last_insert_id;
        let credentials = client::ActiveModel {
            client_id: Set(id.to_lowercase()),
            account_id: Set(account_id),
            secret_digest: Set(secret::digest(key)),
            created_at: Set(now),
            ..Default::default()
        };
        client::Entity::insert(credentials).exec_without_returning(&opening).await?;
        opening.commit().await?;
        Ok(account_id)
    }

    /// Changes a person's own password, also an expired one; ends all sessions of the account.
    pub async fn change_password(&self, name: &str, old: &str, new: &str) -> Result<Actor, AccountsError> {
        let name = name.trim().to_lowercase();
        let (account, actor) = self.check_password(&name, old).await?;
        let weak = |weakness| AccountsError::from(Refused { reason: Reason::Weak(weakness), actor: actor.clone() });
        password::check_strength(&name, new).map_err(weak)?;
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
        if let (Some(hash), Some(set)) = (account.password_hash, account.password_set_at) {
            let row = password_history::ActiveModel {
                account_id: Set(account.id),
                password_hash: Set(hash),
                set_at: Set(set),
                ..Default::default()
            };
            password_history::Entity::insert(row).exec_without_returning(&changing).await?;
        }
        let row = account::ActiveModel {
            id: Set(account.id),
            password_hash: Set(Some(hash)),
            password_set_at: Set(Some(self.now())),
            password_one_time: Set(false),
            ..Default::default()
        };
        account::Entity::update(row).exec(&changing).await?;
        changing.commit().await?;
        self.revoke_all(account.id, "password changed").await?;
        self.rights.reload(&self.db).await?;
        Ok(actor)
    }

    /// Sets the status of an account: `active`, `suspended` or `closed`. Any but active ends its sessions.
    pub async fn set_status(&self, name: &str, status: &str) -> Result<(), AccountsError> {
        let known = account::Entity::find().filter(account::Column::Name.eq(name)).one(&self.db).await?;
        let known = known.ok_or_else(|| AccountsError::Declaration(format!("there is no account {name}")))?;
        let changing = self.db.begin().await?;
        epoch::raise(&changing, Epoch::Rights).await?;
        let row = account::ActiveModel { id: Set(known.id), status: Set(status.to_owned()), ..Default::default() };
        account::Entity::update(row).exec(&changing).await?;
        changing.commit().await?;
        if status != "active" {
            self.revoke_all(known.id, "account not active").await?;
        }
        self.rights.reload(&self.db).await
    }

    pub(super) async fn agency_id(&self, code: &str) -> Result<i64, AccountsError> {
        let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(&self.db).await?;
        known.map(|agency| agency.id).ok_or_else(|| AccountsError::Declaration(format!("there is no agency {code}")))
    }
}
