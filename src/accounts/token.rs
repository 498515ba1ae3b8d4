//! Access tokens: JWT signed with EdDSA, typed `at+jwt`. A verified token is kept by its digest, so that a request
//! costs no signature check; whether its session still stands is asked each time.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::rights::Person;
use super::{Accounts, AccountsError, secret};

/// Longest token that is looked at.
const LONGEST: usize = 4096;

/// How far the clocks of two servers may differ, in seconds.
const SKEW: i64 = 5;

/// What an access token says. Rights are not in it: they are looked up at each request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it: `server.public_url`.
    pub iss: String,
    /// For whom: the same.
    pub aud: String,
    /// The account.
    pub sub: String,
    /// Second from which it no longer holds.
    pub exp: i64,
    /// Second from which it holds.
    pub nbf: i64,
    /// When it was made.
    pub iat: i64,
    /// Its own id.
    pub jti: Uuid,
    /// The session.
    pub sid: Uuid,
}

/// A token whose signature and claims were checked.
#[derive(Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    /// The set of keys under which it was checked.
    generation: u64,
}

/// A token that does not hold, in words for the log and for `WWW-Authenticate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotValid(pub &'static str);

impl Accounts {
    /// Makes an access token of a session, which it does not outlive; and its life in seconds.
    pub(super) fn issue(
        &self,
        account: &str,
        session: Uuid,
        (now, session_ends): (OffsetDateTime, OffsetDateTime),
    ) -> Result<(String, u64), AccountsError> {
        let keys = self.keys.current();
        let (now, left) = (now.unix_timestamp(), (session_ends - now).whole_seconds());
        let life = self.token_life().min(left);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: account.to_owned(),
            exp: now + life,
            nbf: now,
            iat: now,
            jti: self.new_id(),
            sid: session,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(keys.signing.id.clone());
        Ok((encode(&header, &claims, &keys.signing.encoding)?, u64::try_from(life).unwrap_or(0)))
    }

    fn token_life(&self) -> i64 {
        i64::try_from(self.settings.access_token_seconds).unwrap_or(900)
    }

    /// A new id, in the order of time.
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.entropy.bytes()).into_uuid()
    }

    /// Whose token this is, if it holds now: signature, claims, time, session, account.
    pub fn verify(&self, token: &str) -> Result<(Arc<Verified>, Arc<Person>), NotValid> {
        if token.len() > LONGEST {
            return Err(NotValid("the token is too long"));
        }
        let digest = secret::token_key(token);
        let generation = self.keys.generation();
        let known = self.verified.get(&digest).filter(|verified| verified.generation == generation);
        let verified = match known {
            Some(verified) => verified,
            None => {
                let verified = Arc::new(Verified { claims: self.check(token)?, generation });
                self.verified.insert(digest, Arc::clone(&verified));
                verified
            }
        };
        let (claims, now) = (&verified.claims, self.clock.seconds());
        if now >= claims.exp {
            return Err(NotValid("the token has expired"));
        }
        if now + SKEW < claims.nbf {
            return Err(NotValid("the token does not hold yet"));
        }
        if self.is_revoked(claims.sid) {
            return Err(NotValid("the session has ended"));
        }
        let person = self.rights.current().person(&claims.sub).filter(|person| person.active);
        let person = person.ok_or(NotValid("the account is not active"))?;
        Ok((verified, person))
    }

    fn check(&self, token: &str) -> Result<Claims, NotValid> {
        let header = decode_header(token).map_err(|_| NotValid("this is not a token"))?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some("at+jwt") {
            return Err(NotValid("the token is of another kind"));
        }
        let key =
            header.kid.as_deref().and_then(|id| self.keys.find(id)).ok_or(NotValid("the token's key is unknown"))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        // Times are compared by `verify` at each use, with the clock that everything else goes by. Claims holds them
        // as numbers, so a time in a string does not pass.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let data = decode::<Claims>(token, &key.decoding, &validation);
        let mut claims = data.map_err(|_| NotValid("the token does not hold"))?.claims;
        // One that was made when tokens lived longer: which sessions have ended is known for as long as tokens live now.
        claims.exp = claims.exp.min(claims.iat.saturating_add(self.token_life()));
        Ok(claims)
    }
}
