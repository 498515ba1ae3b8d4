//! 同一人: which accounts one person has, or had before they were closed: those of an agency under one staff number, and those
//! of one national id anywhere. Who comes back under another name has asked, decided and used what they did before.

use std::collections::BTreeSet;

use sea_orm::sea_query::Condition;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter};

use super::Fault;
use super::entity::incident;
use super::fault::conflict;
use crate::accounts::entity::account;
use crate::catalog::scalar::writing;

/// A person, as accounts tell one from another.
pub(crate) struct Person<'a> {
    /// The agency that has given the staff number.
    pub(crate) agency_id: i64,
    /// The person's number in the agency's files.
    pub(crate) staff_number: Option<&'a str>,
    /// Digest of the national id.
    pub(crate) holder: Option<&'a str>,
}

impl Person<'_> {
    /// Whether a staff number is this person's, however it is written.
    pub(crate) fn has_number_of(&self, of: &account::Model) -> bool {
        let written = |number: &str| writing::fold(number).to_lowercase();
        let (own, other) = (self.staff_number.map(written), of.staff_number.as_deref().map(written));
        of.agency_id == self.agency_id && own.is_some() && own == other
    }

    fn is_holder_of(&self, of: &account::Model) -> bool {
        self.holder.is_some() && self.holder == of.holder.as_deref()
    }

    /// Every account of the person, closed ones among them.
    pub(crate) async fn accounts(&self, db: &impl ConnectionTrait) -> Result<Vec<account::Model>, Fault> {
        let numbered = account::Column::AgencyId.eq(self.agency_id).and(account::Column::StaffNumber.is_not_null());
        let mut theirs = Condition::any().add(numbered);
        if let Some(holder) = self.holder {
            theirs = theirs.add(account::Column::Holder.eq(holder));
        }
        let mut rows = account::Entity::find().filter(theirs).all(db).await?;
        rows.retain(|row| self.has_number_of(row) || self.is_holder_of(row));
        Ok(rows)
    }
}

/// The names under which whoever has this account acts, or has acted; this one at least.
pub(crate) async fn names_of(db: &impl ConnectionTrait, name: &str) -> Result<BTreeSet<String>, Fault> {
    let mut names = BTreeSet::from([name.to_owned()]);
    if let Some(own) = account::Entity::find().filter(account::Column::Name.eq(name)).one(db).await? {
        let staff_number = own.staff_number.as_deref();
        let person = Person { agency_id: own.agency_id, staff_number, holder: own.holder.as_deref() };
        names.extend(person.accounts(db).await?.into_iter().map(|account| account.name));
    }
    Ok(names)
}

/// Whose account was suspended for an incident is not let in by another one before it is closed.
pub(crate) async fn check_no_incident(db: &impl ConnectionTrait, person: &Person<'_>) -> Result<(), Fault> {
    let former = person.accounts(db).await?.into_iter().map(|account| account.name);
    let open = incident::Entity::find()
        .filter(incident::Column::Account.is_in(former))
        .filter(incident::Column::Status.ne("closed"));
    match open.one(db).await? {
        None => Ok(()),
        // Not which: it may be another agency's.
        Some(_) => Err(conflict(
            "An incident about an account that this person had is not closed: another one is opened after it.",
            "此人先前之帳號涉及未結案之事件，須俟結案，始得另行開立。",
            person.staff_number.into(),
        )),
    }
}
