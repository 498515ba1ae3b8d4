//! Taking items out of a master form: a custodian's own (撤銷附表), or those of a dataset that is withdrawn. The form's next
//! version holds what is left.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::agency::{agency_title, check_title};
use super::entity::{annex, application};
use super::fault::conflict;
use super::master_form::{Form, MasterForm, find_form, unknown};
use super::opening::{Rested, purposes_in, rested};
use super::step::{Begun, News, Step, To};
use super::submission::DAYS_TO_DECIDE;
use super::{Act, Fault, Procedure};
use crate::access::{Item, Role};
use crate::accounts::entity::form_version;
use crate::accounts::forms::{NewForm, Origin};

impl Procedure {
    /// Takes the items of the caller's agency out of a form, effective everywhere within a second.
    pub async fn revoke_annex(&self, act: &Act, number: &str, reason: &str) -> Result<MasterForm, Fault> {
        let reason = check_title("reason", reason)?;
        let mut step = match self.begin(act, "revokeAnnex").await? {
            Begun::Before(id) => return self.form_by_id(id).await,
            Begun::New(step) => step,
        };
        let form = find_form(step.tx(), number).await?;
        let own = &*act.caller.agency;
        let rows = [form.row.clone()];
        if self.with_items_of(step.tx(), own, &rows).await?.is_empty() {
            return Err(unknown(number));
        }
        let mine = |item: &Item| self.custodian_of(&item.coordinate) == Some(own);
        let in_force = rested(step.tx(), form.row.id).await?;
        let in_force = in_force.filter(|(_, items)| items.iter().any(|(item, _)| mine(item)));
        let Some((version, items)) = in_force else {
            let current = json!({ "number": number, "status": form.row.status });
            return Err(conflict("The form holds nothing of your agency.", "表單已無貴機關之項目。", current));
        };
        let kept: Vec<Rested> = items.into_iter().filter(|(item, _)| !mine(item)).collect();
        let title = agency_title(step.tx(), own).await?;
        self.without(&step, act, &form, version, kept).await?;
        self.decide_anew(&step, &form, own).await?;
        step.changes_rights();
        self.tell_holders(
            &step,
            &form,
            format!("has lost the items of {own}: {reason}"),
            format!("中屬{title}之項目已撤銷：{reason}"),
        )
        .await?;
        let detail = json!({ "number": number, "custodian": own, "reason": reason });
        step.finish("master form", form.row.id, detail).await?;
        // The custodian that has nothing in it any more is answered as well.
        self.form_by_id(form.row.id).await
    }

    /// What a custodian has approved of the form and was not opened yet would bring back what it takes out: it is the
    /// custodian's to decide again.
    async fn decide_anew(&self, step: &Step<'_>, form: &Form, own: &str) -> Result<(), Fault> {
        let (of, title) = (&form.row.number, agency_title(step.tx(), own).await?);
        let waiting = application::Entity::find()
            .filter(application::Column::FormId.eq(form.row.id))
            .filter(application::Column::Status.is_in(["submitted", "decided"]))
            .order_by_asc(application::Column::Id);
        for header in waiting.all(step.tx()).await? {
            let approved = annex::Entity::find()
                .filter(annex::Column::ApplicationId.eq(header.id))
                .filter(annex::Column::Custodian.eq(own))
                .filter(annex::Column::Status.eq("approved"));
            let Some(approved) = approved.one(step.tx()).await? else { continue };
            let row = annex::ActiveModel {
                id: Set(approved.id),
                status: Set("submitted".to_owned()),
                submitted_at: Set(Some(self.now())),
                ..Default::default()
            };
            annex::Entity::update(row).exec(step.tx()).await?;
            let row = application::ActiveModel {
                id: Set(header.id),
                status: Set("submitted".to_owned()),
                revision: Set(header.revision + 1),
                ..Default::default()
            };
            application::Entity::update(row).exec(step.tx()).await?;
            let number = header.number.as_str();
            let mut news = News {
                kind: "application",
                number,
                en: format!("{own} has taken its items out of the form {of}, and decides anew on {number}."),
                zh: format!("{title}已撤銷表單 {of} 中之項目，申請表 {number} 將重新審核。"),
                due: None,
            };
            step.tell(To::Role(Role::BusinessAdministrator, &form.agency), &news).await?;
            if header.status == "decided" {
                step.tell(To::Everywhere(Role::InformationOffice), &news).await?;
            }
            news.due = Some(self.today() + time::Duration::days(DAYS_TO_DECIDE));
            step.tell(To::Role(Role::DatabaseAdministrator, own), &news).await?;
            step.tell(To::Role(Role::AgencyHead, own), &news).await?;
        }
        Ok(())
    }

    /// Writes a version that holds these items of the one before, and nothing else.
    pub(crate) async fn without(
        &self,
        step: &Step<'_>,
        act: &Act,
        form: &Form,
        version: form_version::Model,
        kept: Vec<Rested>,
    ) -> Result<(), Fault> {
        let purposes = purposes_in(step.tx(), version.id).await?;
        let (items, annex_items): (Vec<Item>, Vec<Option<i64>>) = kept.into_iter().unzip();
        let next = NewForm {
            number: form.row.number.clone(),
            title: form.row.title.clone(),
            agency: form.agency.clone(),
            purposes: purposes.into_iter().map(|one| (one.code, one.title)).collect(),
            legal_basis: version.legal_basis,
            case_required: version.case_required,
            from: version.valid_from,
            until: version.valid_until,
            items,
            holders: Vec::new(),
        };
        let origin = Origin {
            application_id: version.application_id,
            opened_by: Some(act.caller.account.to_string()),
            annex_items,
        };
        self.accounts.write_version(step.tx(), &next, form.row.agency_id, &origin).await?;
        Ok(())
    }
}
