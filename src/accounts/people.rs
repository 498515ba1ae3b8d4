//! Agencies and accounts as stored: opening, roles, status. Who may do so is left to the procedure.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionTrait};

use super::entity::{account, account_role, agency, client};
use super::epoch::{self, Epoch};
use super::{Accounts, AccountsError, secret};

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
    /// The person's number in their agency's files; without one nobody can tell that two accounts are one person's.
    pub staff_number: Option<&'a str>,
    /// Where notices are sent.
    pub email: Option<&'a str>,
    /// Keyed digest of the person's national id.
    pub holder: Option<&'a str>,
}

impl Accounts {
    /// Adds an agency, or gives it a new title, without any procedure; returns its number.
    pub async fn put_agency(&self, code: &str, title: &str) -> Result<i64, AccountsError> {
        let adding = self.db.begin().await?;
        epoch::raise(&adding, Epoch::Rights).await?;
        let id = self.write_agency(&adding, code, title, "using").await?;
        adding.commit().await?;
        Ok(id)
    }

    /// Writes an agency, or its new title and kind; returns its number.
    pub async fn write_agency(
        &self,
        db: &impl ConnectionTrait,
        code: &str,
        title: &str,
        kind: &str,
    ) -> Result<i64, AccountsError> {
        let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(db).await?;
        let row = agency::ActiveModel {
            code: Set(code.to_owned()),
            title: Set(title.to_owned()),
            kind: Set(kind.to_owned()),
            ..Default::default()
        };
        match known {
            Some(known) => {
                agency::Entity::update(agency::ActiveModel { id: Set(known.id), ..row }).exec(db).await?;
                Ok(known.id)
            }
            None => {
                let row = agency::ActiveModel { created_at: Set(self.now()), ..row };
                Ok(agency::Entity::insert(row).exec(db).await?.last_insert_id)
            }
        }
    }

    /// Opens the first account of an installation, in its information office: everybody else is opened by somebody.
    /// Refused where there are accounts.
    pub async fn found(&self, agency_title: &str, person: &NewPerson<'_>) -> Result<i64, AccountsError> {
        let hash = self.hash(person.password).await?;
        let founding = self.db.begin().await?;
        epoch::raise(&founding, Epoch::Rights).await?;
        if account::Entity::find().one(&founding).await?.is_some() {
            return Err(AccountsError::Declaration("there are accounts already: they open the others".to_owned()));
        }
        let agency_id = self.write_agency(&founding, person.agency, agency_title, "information-office").await?;
        let id = self.write_person(&founding, person, agency_id, hash).await?;
        founding.commit().await?;
        self.rights.reload(&self.db).await?;
        Ok(id)
    }

    /// Opens a person's account without any procedure; returns its number.
    pub async fn open_person(&self, person: &NewPerson<'_>) -> Result<i64, AccountsError> {
        let hash = self.hash(person.password).await?;
        let agency_id = self.agency_id(person.agency).await?;
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let id = self.write_person(&opening, person, agency_id, hash).await?;
        opening.commit().await?;
        Ok(id)
    }

    /// The hash of a password, made off the runtime: before a transaction begins.
    pub async fn hash(&self, password: &str) -> Result<String, AccountsError> {
        Ok(self.hasher.hash(password, self.entropy.bytes()).await?)
    }

    /// A first password that nobody chose: four groups of random letters and digits, 95 bits.
    pub fn first_password(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzACDEFGHJK";
        const DIGITS: &[u8; 8] = b"23456789";
        let bytes: [u8; 20] = self.entropy.bytes();
        let group = |four: &[u8]| -> String {
            let letter = |byte: &u8| char::from(LETTERS[usize::from(byte & 31)]);
            let digit = char::from(DIGITS[usize::from(four[4] & 7)]);
            four[..4].iter().map(letter).chain([digit]).collect()
        };
        bytes.chunks(5).map(group).collect::<Vec<_>>().join("-")
    }

    /// A client's first secret: 256 random bits in hexadecimal.
    pub fn client_secret(&self) -> String {
        secret::random_token(&self.entropy)
    }

    /// Writes a person's account.
    pub async fn write_person(
        &self,
        db: &impl ConnectionTrait,
        person: &NewPerson<'_>,
        agency_id: i64,
        hash: String,
    ) -> Result<i64, AccountsError> {
        let now = self.now();
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
            staff_number: Set(person.staff_number.map(str::to_owned)),
            email: Set(person.email.map(str::to_owned)),
            holder: Set(person.holder.map(str::to_owned)),
            holder_since: Set(person.holder.map(|_| now)),
            created_at: Set(now),
            ..Default::default()
        };
        let id = account::Entity::insert(row).exec(db).await?.last_insert_id;
        self.write_roles(db, id, person.roles).await?;
        Ok(id)
    }

    /// Gives an account these roles and no others.
    pub async fn write_roles(&self, db: &impl ConnectionTrait, id: i64, roles: &[&str]) -> Result<(), AccountsError> {
        account_role::Entity::delete_many().filter(account_role::Column::AccountId.eq(id)).exec(db).await?;
        for role in roles {
            let row =
                account_role::ActiveModel { account_id: Set(id), role: Set((*role).to_owned()), ..Default::default() };
            account_role::Entity::insert(row).exec_without_returning(db).await?;
        }
        Ok(())
    }

    /// Opens a machine client's account without any procedure; returns its number.
    pub async fn open_client(&self, id: &str, key: &str, agency: &str, title: &str) -> Result<i64, AccountsError> {
        let agency_id = self.agency_id(agency).await?;
        let opening = self.db.begin().await?;
        epoch::raise(&opening, Epoch::Rights).await?;
        let account_id = self.write_client(&opening, id, key, agency_id, title).await?;
        opening.commit().await?;
        Ok(account_id)
    }

    /// Writes a machine client's account.
    pub async fn write_client(
        &self,
        db: &impl ConnectionTrait,
        id: &str,
        key: &str,
        agency_id: i64,
        title: &str,
    ) -> Result<i64, AccountsError> {
        let now = self.now();
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
        let account_id = account::Entity::insert(row).exec(db).await?.last_insert_id;
        let credentials = client::ActiveModel {
            client_id: Set(id.to_lowercase()),
            account_id: Set(account_id),
            secret_digest: Set(secret::digest(key)),
            created_at: Set(now),
            ..Default::default()
        };
        client::Entity::insert(credentials).exec_without_returning(db).await?;
        Ok(account_id)
    }

    /// Writes the status of an account, and why.
    pub async fn write_status(
        &self,
        db: &impl ConnectionTrait,
        id: i64,
        status: &str,
        why: &str,
    ) -> Result<(), AccountsError> {
        account::Entity::update_many()
            .col_expr(account::Column::Status, Expr::value(status))
            .col_expr(account::Column::StatusWhy, Expr::value(why))
            .col_expr(account::Column::StatusAt, Expr::value(self.now()))
            .filter(account::Column::Id.eq(id))
            .exec(db)
            .await?;
        Ok(())
    }

    /// Sets the status of an account without any procedure: `active`, `suspended` or `closed`. Any but active ends its
    /// sessions.
    pub async fn set_status(&self, name: &str, status: &str) -> Result<(), AccountsError> {
        let known = account::Entity::find().filter(account::Column::Name.eq(name)).one(&self.db).await?;
        let known = known.ok_or_else(|| AccountsError::Declaration(format!("there is no account {name}")))?;
        let changing = self.db.begin().await?;
        epoch::raise(&changing, Epoch::Rights).await?;
        self.write_status(&changing, known.id, status, "").await?;
        let ended = match status {
            "active" => Vec::new(),
            _ => self.end_sessions(&changing, known.id, "account not active").await?,
        };
        changing.commit().await?;
        self.forget(&ended);
        self.rights.reload(&self.db).await
    }

    /// The number of an agency.
    pub async fn agency_id(&self, code: &str) -> Result<i64, AccountsError> {
        let known = agency::Entity::find().filter(agency::Column::Code.eq(code)).one(&self.db).await?;
        known.map(|agency| agency.id).ok_or_else(|| AccountsError::Declaration(format!("there is no agency {code}")))
    }
}
