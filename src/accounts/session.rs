//! Sessions of people: signing in, refreshing with rotation, signing out, and ending a session everywhere at once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait, TransactionTrait,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::entity::{account, agency, refresh_token, session};
use super::epoch::{self, Epoch};
use super::password::HashError;
use super::{Accounts, AccountsError, Actor, Reason, Refused, secret};
use crate::access::Refusal;

/// What a sign-in or a refresh gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// Its life in seconds.
    pub expires_in: u64,
    /// For the next refresh; none for machines.
    pub refresh_token: Option<String>,
    /// Whose and which session.
    pub actor: Actor,
    /// When the password must have been changed; none for machines, or where passwords do not end by age.
    pub password_expires_at: Option<OffsetDateTime>,
}

impl Accounts {
    /// Opens a session. All refusals about account and password look alike and take as long.
    pub async fn sign_in(&self, name: &str, password: &str, from: Option<IpAddr>) -> Result<Tokens, AccountsError> {
        let name = name.trim().to_lowercase();
        let (account, actor) = self.check_password(&name, password).await?;
        if account.password_one_time {
            return Err(Refused { reason: Reason::PasswordOneTime, actor }.into());
        }
        if self.password_ended(account.password_set_at) {
            return Err(Refused { reason: Reason::PasswordExpired, actor }.into());
        }
        self.open_session(&account, actor, from, true).await
    }

    /// Opens a session without a password, for the operator who holds the installation's keys anyhow.
    pub async fn token_for(&self, name: &str, form: Option<&str>) -> Result<Tokens, AccountsError> {
        let account = account::Entity::find().filter(account::Column::Name.eq(name)).one(&self.db).await?;
        let Some(account) = account else {
            return Err(Refused { reason: Reason::UnknownAccount, actor: Actor::unknown() }.into());
        };
        let actor = self.actor_of(&account).await?;
        if account.status != "active" {
            return Err(Refused { reason: Reason::NotActive, actor }.into());
        }
        let snapshot = self.rights.current();
        let held = snapshot.held_by(account.id);
        if form.is_some_and(|number| held.iter().all(|form| *form.rights.number != *number)) {
            return Err(Refused { reason: Reason::FormNotHeld, actor }.into());
        }
        drop(snapshot);
        self.open_session(&account, actor, None, false).await
    }

    /// The account of that name and password; counts failures and locks.
    pub(super) async fn check_password(
        &self,
        name: &str,
        password: &str,
    ) -> Result<(account::Model, Actor), AccountsError> {
        let door = &self.doors[usize::from(secret::fingerprint(name.as_bytes())[0]) % self.doors.len()];
        let _place = door.line.try_acquire().map_err(|_| HashError::Busy)?;
        let _one_at_a_time = door.turn.lock().await;
        let name = askable(name);
        let account = account::Entity::find().filter(account::Column::Name.eq(&*name)).one(&self.db).await?;
        let Some(account) = account else {
            agency::Entity::find_by_id(0).one(&self.db).await?;
            self.hasher.verify(password, None).await?;
            self.count_nobodys().await?;
            return Err(Refused { reason: Reason::UnknownAccount, actor: Actor::unknown() }.into());
        };
        let actor = self.actor_of(&account).await?;
        let refused = |reason| AccountsError::from(Refused { reason, actor: actor.clone() });
        let locked = account.locked_until.is_some_and(|until| until > self.now());
        let hash = account.password_hash.as_deref().filter(|_| !locked);
        let right = self.hasher.verify(password, hash).await?;
        if locked {
            self.count_nobodys().await?;
            return Err(refused(Reason::Locked));
        }
        if !right {
            self.count_failure(&account).await?;
            return Err(refused(Reason::WrongPassword));
        }
        if account.status != "active" {
            return Err(refused(Reason::NotActive));
        }
        if account.failures != 0 || account.locked_until.is_some() {
            let row = account::ActiveModel {
                id: Set(account.id),
                failures: Set(0),
                locked_until: Set(None),
                ..Default::default()
            };
            account::Entity::update(row).exec(&self.db).await?;
        }
        Ok((account, actor))
    }

    async fn count_failure(&self, account: &account::Model) -> Result<(), AccountsError> {
        // Counted in the database, so that servers beside this one count together.
        account::Entity::update_many()
            .col_expr(account::Column::Failures, Expr::col(account::Column::Failures).add(1))
            .filter(account::Column::Id.eq(account.id))
            .exec(&self.db)
            .await?;
        self.lock_if_due(account.id).await
    }

    /// The statements of a counted failure, where there is nothing to count: how long an answer takes does not tell which
    /// accounts there are, or are locked.
    async fn count_nobodys(&self) -> Result<(), AccountsError> {
        epoch::write_again(&self.db, Epoch::Sessions).await?;
        self.lock_if_due(0).await
    }

    async fn lock_if_due(&self, account: i64) -> Result<(), AccountsError> {
        let most = i32::try_from(self.settings.lock_after_failures).unwrap_or(i32::MAX);
        let until = self.now() + seconds(self.settings.lock_seconds);
        account::Entity::update_many()
            .col_expr(account::Column::LockedUntil, Expr::value(until))
            .col_expr(account::Column::Failures, Expr::value(0))
            .filter(account::Column::Id.eq(account))
            .filter(account::Column::Failures.gte(most))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    pub(super) async fn open_session(
        &self,
        account: &account::Model,
        mut actor: Actor,
        from: Option<IpAddr>,
        refreshable: bool,
    ) -> Result<Tokens, AccountsError> {
        let (id, now) = (self.new_id(), self.now());
        let life = if refreshable { self.settings.refresh_token_seconds } else { self.settings.access_token_seconds };
        let row = session::ActiveModel {
            id: Set(id.to_string()),
            account_id: Set(account.id),
            client_address: Set(from.map(|address| address.to_string())),
            started_at: Set(now),
            expires_at: Set(now + seconds(life)),
            revoked_at: Set(None),
            revoked_why: Set(None),
        };
        let opened = self.db.begin().await?;
        // Checking a password takes a while: it may have been changed meanwhile, and the sessions of the former one ended.
        let seen = account::Entity::update_many()
            .col_expr(account::Column::LastSignInAt, Expr::value(now))
            .filter(unchanged(account))
            .exec(&opened)
            .await?;
        if seen.rows_affected == 0 {
            opened.rollback().await?;
            return Err(Refused { reason: Reason::WrongPassword, actor }.into());
        }
        session::Entity::insert(row).exec_without_returning(&opened).await?;
        let refresh_token = if refreshable { Some(self.new_refresh_token(&opened, id).await?) } else { None };
        opened.commit().await?;
        actor.session = Some(id);
        let (access_token, expires_in) = self.issue(&account.name, id, (now, now + seconds(life)))?;
        Ok(Tokens {
            access_token,
            expires_in,
            refresh_token,
            actor,
            password_expires_at: self.password_end(account.password_set_at),
        })
    }

    async fn new_refresh_token(&self, db: &impl ConnectionTrait, session: Uuid) -> Result<String, AccountsError> {
        let token = secret::random_token(&self.entropy);
        let row = refresh_token::ActiveModel {
            token_digest: Set(secret::digest(&token)),
            session_id: Set(session.to_string()),
            issued_at: Set(self.now()),
            ..Default::default()
        };
        refresh_token::Entity::insert(row).exec_without_returning(db).await?;
        Ok(token)
    }

    /// Exchanges a refresh token for new tokens. A token that comes a second time ends its session. `record` is called
    /// before the exchange is kept, which it is only if that succeeds: a token that was refused can be tried again.
    pub async fn refresh(
        &self,
        token: &str,
        record: impl AsyncFnOnce(&Actor) -> Result<(), Refusal>,
    ) -> Result<Tokens, AccountsError> {
        let ended = |actor| AccountsError::from(Refused { reason: Reason::SessionEnded, actor });
        let (known, session, account) =
            self.find_by_refresh_token(token).await?.ok_or_else(|| ended(Actor::unknown()))?;
        let mut actor = self.actor_of(&account).await?;
        let id = Uuid::parse_str(&session.id).ok();
        actor.session = id;
        let (Some(id), now) = (id, self.now()) else { return Err(ended(actor)) };
        if session.revoked_at.is_some() || session.expires_at <= now || account.status != "active" {
            return Err(ended(actor));
        }
        if self.password_ended(account.password_set_at) {
            return Err(Refused { reason: Reason::PasswordExpired, actor }.into());
        }
        let exchange = self.db.begin().await?;
        let used = refresh_token::Entity::update_many()
            .col_expr(refresh_token::Column::UsedAt, Expr::value(now))
            .filter(refresh_token::Column::Id.eq(known.id))
            .filter(refresh_token::Column::UsedAt.is_null())
            .exec(&exchange)
            .await?;
        if used.rows_affected == 0 {
            exchange.rollback().await?;
            self.revoke(id, "refresh token used twice").await?;
            return Err(Refused { reason: Reason::TokenReused, actor }.into());
        }
        let refresh_token = Some(self.new_refresh_token(&exchange, id).await?);
        record(&actor).await?;
        exchange.commit().await?;
        let (access_token, expires_in) = self.issue(&account.name, id, (now, session.expires_at))?;
        Ok(Tokens {
            access_token,
            expires_in,
            refresh_token,
            actor,
            password_expires_at: self.password_end(account.password_set_at),
        })
    }

    /// The session that a refresh token belongs to.
    pub async fn find_session(&self, refresh_token: &str) -> Result<Option<Actor>, AccountsError> {
        let Some((_, session, account)) = self.find_by_refresh_token(refresh_token).await? else { return Ok(None) };
        let mut actor = self.actor_of(&account).await?;
        actor.session = Uuid::parse_str(&session.id).ok();
        Ok(Some(actor))
    }

    async fn find_by_refresh_token(
        &self,
        token: &str,
    ) -> Result<Option<(refresh_token::Model, session::Model, account::Model)>, AccountsError> {
        let digest = secret::digest(token);
        let by_digest = refresh_token::Entity::find().filter(refresh_token::Column::TokenDigest.eq(digest));
        let Some(known) = by_digest.one(&self.db).await? else { return Ok(None) };
        let Some(session) = session::Entity::find_by_id(known.session_id.clone()).one(&self.db).await? else {
            return Ok(None);
        };
        let account = account::Entity::find_by_id(session.account_id).one(&self.db).await?;
        Ok(account.map(|account| (known, session, account)))
    }

    /// Ends a session: here at once, on other servers within a second.
    pub async fn revoke(&self, id: Uuid, why: &str) -> Result<(), AccountsError> {
        self.forget(&[id]);
        let ending = self.db.begin().await?;
        epoch::raise(&ending, Epoch::Sessions).await?;
        session::Entity::update_many()
            .col_expr(session::Column::RevokedAt, Expr::value(self.now()))
            .col_expr(session::Column::RevokedWhy, Expr::value(why))
            .filter(session::Column::Id.eq(id.to_string()))
            .filter(session::Column::RevokedAt.is_null())
            .exec(&ending)
            .await?;
        ending.commit().await?;
        Ok(())
    }

    /// Ends every session of an account in the transaction of what they end for, so that neither happens without the other:
    /// after the account's row was written, for which a sign-in waits, and after [`Epoch::Rights`] is raised. Once it is
    /// committed, [`Accounts::forget`] them.
    pub async fn end_sessions(
        &self,
        db: &impl ConnectionTrait,
        account_id: i64,
        why: &str,
    ) -> Result<Vec<Uuid>, DbErr> {
        epoch::raise(db, Epoch::Sessions).await?;
        let open = Condition::all()
            .add(session::Column::AccountId.eq(account_id))
            .add(session::Column::RevokedAt.is_null())
            .add(session::Column::ExpiresAt.gt(self.now()));
        let ended = session::Entity::find().filter(open.clone()).all(db).await?;
        session::Entity::update_many()
            .col_expr(session::Column::RevokedAt, Expr::value(self.now()))
            .col_expr(session::Column::RevokedWhy, Expr::value(why))
            .filter(open)
            .exec(db)
            .await?;
        Ok(ended.iter().filter_map(|session| Uuid::parse_str(&session.id).ok()).collect())
    }

    /// Removes what nobody can use any more: refresh tokens a day after their session, sessions after ninety days.
    pub async fn sweep(&self) -> Result<(), AccountsError> {
        let ended = |before| {
            session::Entity::find()
                .select_only()
                .column(session::Column::Id)
                .filter(session::Column::ExpiresAt.lt(before))
                .into_query()
        };
        let (tokens, sessions) = (self.now() - Duration::days(1), self.now() - Duration::days(90));
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::SessionId.in_subquery(ended(tokens)))
            .exec(&self.db)
            .await?;
        session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(sessions)).exec(&self.db).await?;
        Ok(())
    }

    pub(super) fn is_revoked(&self, session: Uuid) -> bool {
        self.revoked.load().contains(&session)
    }

    /// Lets nobody in by these sessions any more, on this server.
    pub fn forget(&self, sessions: &[Uuid]) {
        self.revoked.rcu(|known| {
            let mut known = HashSet::clone(known);
            known.extend(sessions);
            Arc::new(known)
        });
    }

    /// Reads the sessions whose access tokens might still be about. What was revoked longer ago has expired.
    pub(super) async fn reload_revoked(&self) -> Result<(), AccountsError> {
        let since = self.now() - seconds(self.settings.access_token_seconds) - Duration::minutes(1);
        let rows = session::Entity::find().filter(session::Column::RevokedAt.gte(since)).all(&self.db).await?;
        let read: HashSet<Uuid> = rows.iter().filter_map(|row| Uuid::parse_str(&row.id).ok()).collect();
        // One that was ended here and is still being written must not come alive for a moment; ids carry their
        // time, and old ones are let go.
        let oldest =
            u64::try_from((since - seconds(self.settings.refresh_token_seconds)).unix_timestamp()).unwrap_or(0);
        let young = |id: &Uuid| id.get_timestamp().is_none_or(|at| at.to_unix().0 >= oldest);
        self.revoked.rcu(|known| {
            Arc::new(read.iter().chain(known.iter().filter(|id| young(id))).copied().collect::<HashSet<_>>())
        });
        Ok(())
    }

    pub(super) async fn actor_of(&self, account: &account::Model) -> Result<Actor, AccountsError> {
        let agency = agency::Entity::find_by_id(account.agency_id).one(&self.db).await?;
        let agency = agency.map_or_else(|| "-".into(), |agency| agency.code.into());
        Ok(Actor { account: account.name.as_str().into(), agency, session: None })
    }

    /// Now, in whole seconds: SQLite compares times as texts, and fractions of different length would not compare.
    pub fn now(&self) -> OffsetDateTime {
        let now = self.clock.now();
        now.replace_nanosecond(0).unwrap_or(now)
    }
}

/// A name that a database can be asked for. PostgreSQL takes no text with U+0000; no name has it, nor what stands for it.
pub(super) fn askable(name: &str) -> Cow<'_, str> {
    match name.contains('\0') {
        true => Cow::Owned(name.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(name),
    }
}

/// That an account still has the password that was checked, and may still be used.
pub(super) fn unchanged(account: &account::Model) -> Condition {
    let password = match &account.password_hash {
        Some(hash) => account::Column::PasswordHash.eq(hash),
        None => account::Column::PasswordHash.is_null(),
    };
    Condition::all()
        .add(account::Column::Id.eq(account.id))
        .add(account::Column::Status.eq(&*account.status))
        .add(password)
}

fn seconds(of: u64) -> Duration {
    Duration::seconds(i64::try_from(of).unwrap_or(i64::MAX / 2_000_000_000))
}
