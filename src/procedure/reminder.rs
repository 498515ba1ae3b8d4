//! Reminders of what will end: passwords, master forms, sub-forms. Each once, to those who can do something about it.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::{Date, Duration};

use super::agency::agency_code;
use super::entity::notice;
use super::step::{News, To, recipients};
use super::{Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::{account, form_version, master_form, sub_form};
use crate::accounts::password_life::WARNED_DAYS;

/// Those who run a form are told so many days before its last day: a renewal takes an application.
const FORM_DAYS: i64 = 30;

/// Somebody is to be told that something ends on a day.
struct Reminder {
    account_id: i64,
    kind: &'static str,
    number: String,
    ends: Date,
}

impl Reminder {
    fn news(&self) -> News<'_> {
        let (number, ends) = (self.number.as_str(), self.ends);
        let (en, zh) = match self.kind {
            "password" => (
                format!("Your password ends on {ends}. Change it before then."),
                format!("您的密碼將於 {ends} 逾期，請於期限前變更。"),
            ),
            "sub-form" => (
                format!("Sub-form {number} ends on {ends}. Open another where it is still needed."),
                format!("次表單 {number} 將於 {ends} 屆滿；如仍有需要，請另行開放。"),
            ),
            _ => (
                format!("Form {number} ends on {ends}. Apply for its renewal where it is still needed."),
                format!("主表單 {number} 將於 {ends} 屆滿；如仍有需要，請申請展期。"),
            ),
        };
        News { kind: self.kind, number, en, zh, due: Some(ends) }
    }
}

impl Procedure {
    /// Reminds of what will end soon, where it was not done yet.
    pub(crate) async fn remind(&self) -> Result<(), Fault> {
        if self.missing_reminders(self.db()).await?.is_empty() {
            return Ok(());
        }
        let act = self.act_itself();
        let step = self.begin_by_itself(&act, "remind").await?;
        // Again, now that no other server can do the same.
        let missing = self.missing_reminders(step.tx()).await?;
        if missing.is_empty() {
            return Ok(());
        }
        for reminder in &missing {
            step.tell_one(reminder.account_id, &reminder.news()).await?;
        }
        let count = missing.len();
        self.record_itself(&act, format!("begins: {count} reminders of what will end")).await?;
        step.finish("notices", i64::try_from(count).unwrap_or(i64::MAX), json!({ "reminders": count })).await
    }

    async fn missing_reminders(&self, db: &impl ConnectionTrait) -> Result<Vec<Reminder>, Fault> {
        let mut due = self.ending_passwords(db).await?;
        due.extend(self.ending_forms(db).await?);
        let mut missing = Vec::new();
        for reminder in due {
            let told = notice::Entity::find()
                .filter(notice::Column::AccountId.eq(reminder.account_id))
                .filter(notice::Column::SubjectKind.eq(reminder.kind))
                .filter(notice::Column::SubjectNumber.eq(reminder.number.as_str()))
                .filter(notice::Column::DueOn.eq(reminder.ends));
            if told.one(db).await?.is_none() {
                missing.push(reminder);
            }
        }
        Ok(missing)
    }

    /// Passwords of people who may sign in and whose password holds still.
    async fn ending_passwords(&self, db: &impl ConnectionTrait) -> Result<Vec<Reminder>, Fault> {
        let now = self.now();
        let people = account::Entity::find()
            .filter(account::Column::Kind.eq("person"))
            .filter(account::Column::Status.eq("active"))
            .filter(account::Column::PasswordOneTime.eq(false));
        let mut ending = Vec::new();
        for person in people.all(db).await? {
            let Some(at) = self.accounts.password_end(person.password_set_at) else { continue };
            if now < at && at <= now + Duration::days(WARNED_DAYS) {
                let ends = at.to_offset(time::macros::offset!(+8)).date();
                ending.push(Reminder { account_id: person.id, kind: "password", number: person.name, ends });
            }
        }
        Ok(ending)
    }

    /// Master forms and sub-forms in force, to the business administrators of their agency.
    async fn ending_forms(&self, db: &impl ConnectionTrait) -> Result<Vec<Reminder>, Fault> {
        let (today, last) = (self.today(), self.today() + Duration::days(FORM_DAYS));
        let versions = form_version::Entity::find()
            .filter(form_version::Column::Status.eq("open"))
            .filter(form_version::Column::ValidUntil.between(today, last))
            .order_by_asc(form_version::Column::Id);
        let mut due = Vec::new();
        for version in versions.all(db).await? {
            if let Some(form) = open_form(db, version.form_id).await? {
                let (number, ends) = (form.number, version.valid_until);
                due.push((form.agency_id, "master form", number, ends));
            }
        }
        let sub_forms = sub_form::Entity::find()
            .filter(sub_form::Column::Status.eq("open"))
            .filter(sub_form::Column::ValidUntil.between(today, last))
            .order_by_asc(sub_form::Column::Id);
        for row in sub_forms.all(db).await? {
            if let Some(form) = open_form(db, row.form_id).await? {
                due.push((form.agency_id, "sub-form", row.number, row.valid_until));
            }
        }
        let mut ending = Vec::new();
        for (agency_id, kind, number, ends) in due {
            let agency = agency_code(db, agency_id).await?;
            for account_id in recipients(db, To::Role(Role::BusinessAdministrator, &agency)).await? {
                ending.push(Reminder { account_id, kind, number: number.clone(), ends });
            }
        }
        Ok(ending)
    }
}

async fn open_form(db: &impl ConnectionTrait, id: i64) -> Result<Option<master_form::Model>, Fault> {
    let row = master_form::Entity::find_by_id(id).one(db).await?;
    Ok(row.filter(|form| form.status == "open"))
}
