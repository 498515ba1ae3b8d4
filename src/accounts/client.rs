//! Machine clients (partners): OAuth 2 client credentials. Their secrets are random, so no slow hash guards them.

use std::net::IpAddr;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::entity::{account, client};
use super::session::askable;
use super::{Accounts, AccountsError, Actor, Reason, Refused, Tokens, secret};

impl Accounts {
    /// An access token for a machine; it has no refresh token, since it can ask again.
    pub async fn client_token(&self, id: &str, key: &str, from: Option<IpAddr>) -> Result<Tokens, AccountsError> {
        let (account, actor) = self.check_client(id, key).await?;
        self.open_session(&account, actor, from, false).await
    }

    /// The account of a client by its credentials.
    pub async fn check_client(&self, id: &str, key: &str) -> Result<(account::Model, Actor), AccountsError> {
        let refused = |reason, actor| AccountsError::from(Refused { reason, actor });
        let known = client::Entity::find().filter(client::Column::ClientId.eq(&*askable(id))).one(&self.db).await?;
        let Some(known) = known else { return Err(refused(Reason::UnknownAccount, Actor::unknown())) };
        let account = account::Entity::find_by_id(known.account_id).one(&self.db).await?;
        let Some(account) = account else { return Err(refused(Reason::UnknownAccount, Actor::unknown())) };
        let actor = self.actor_of(&account).await?;
        // Digests of random secrets: where two of them differ first tells nothing about either secret.
        if known.secret_digest != secret::digest(key) {
            return Err(refused(Reason::WrongPassword, actor));
        }
        if account.status != "active" {
            return Err(refused(Reason::NotActive, actor));
        }
        Ok((account, actor))
    }

    /// The session of one of a client's own access tokens; no other can be revoked by it (RFC 7009).
    pub fn session_of(&self, client: &account::Model, token: &str) -> Option<Uuid> {
        let (verified, person) = self.verify(token).ok()?;
        (person.id == client.id).then_some(verified.claims.sid)
    }
}
