//! Handing an application in, and taking it back: each annex is checked against what its custodian offers that day.

use std::collections::{BTreeSet, HashMap};

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::agency::agency_title;
use super::application::{Application, Whole};
use super::difference::in_force;
use super::draft::own;
use super::entity::{annex, annex_item, application, document, offer};
use super::fault::{conflict, wrong};
use super::offer::{LONGEST_DAYS, current};
use super::opening::{leaves_gap, purposes_in};
use super::step::{Begun, News, Step, To};
use super::wording::is_blank;
use super::{Act, Fault, Procedure, item};
use crate::access::attenuate::exceeds;
use crate::access::{Code, Item, Refusal, Role};
use crate::catalog::Class;

/// Days in which a custodian is expected to decide.
pub(super) const DAYS_TO_DECIDE: i64 = 14;

impl Procedure {
    /// Hands an application, or the annexes that were returned, to the custodians.
    pub async fn submit_application(&self, act: &Act, number: &str, revision: i32) -> Result<Application, Fault> {
        let step = match self.begin(act, "submitApplication").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number, revision).await?;
        if !matches!(whole.header.status.as_str(), "draft" | "submitted")
            || !whole.annexes.iter().any(|(annex, _)| is_open(annex))
        {
            return Err(conflict("There is nothing to hand in.", "沒有待送件之附表。", whole.current()));
        }
        let mut faults = self.period_faults(&whole);
        let attached = attachments(step.tx(), whole.header.id).await?;
        let mut versions = HashMap::new();
        for (annex, items) in whole.annexes.iter().filter(|(annex, _)| is_open(annex)) {
            match current(step.tx(), &annex.custodian).await? {
                None => faults.push(said(
                    format!("{} offers nothing to apply for yet", annex.custodian),
                    format!("{} 尚未訂定申請附表", annex.custodian),
                )),
                Some((offer, offered)) => {
                    versions.insert(annex.id, offer.version);
                    faults.extend(self.offer_faults(&whole, &offer, &offered, items, &attached));
                }
            }
        }
        faults.extend(self.withdrawn_faults(step.tx(), &whole).await?);
        faults.extend(self.form_faults(step.tx(), &whole).await?);
        if !faults.is_empty() {
            return Err(all_of(faults));
        }
        let agency = agency_title(step.tx(), &whole.agency).await?;
        for (annex, _) in whole.annexes.iter().filter(|(annex, _)| is_open(annex)) {
            let row = annex::ActiveModel {
                id: Set(annex.id),
                status: Set("submitted".to_owned()),
                offer_version: Set(versions.get(&annex.id).copied()),
                submitted_at: Set(Some(self.now())),
                ..Default::default()
            };
            annex::Entity::update(row).exec(step.tx()).await?;
            let custodian = agency_title(step.tx(), &annex.custodian).await?;
            let news = News {
                kind: "application",
                number,
                en: format!("{} applies for data of {}: {}", whole.agency, annex.custodian, whole.header.title),
                zh: format!("{agency}申請查詢{custodian}之資料：{}", whole.header.title),
                due: Some(self.today() + time::Duration::days(DAYS_TO_DECIDE)),
            };
            step.tell(To::Role(Role::DatabaseAdministrator, &annex.custodian), &news).await?;
            step.tell(To::Role(Role::AgencyHead, &annex.custodian), &news).await?;
        }
        let row = application::ActiveModel {
            id: Set(whole.header.id),
            status: Set("submitted".to_owned()),
            revision: Set(whole.header.revision + 1),
            submitted_by: Set(Some(act.caller.account.to_string())),
            submitted_at: Set(Some(self.now())),
            ..Default::default()
        };
        application::Entity::update(row).exec(step.tx()).await?;
        step.finish("application", whole.header.id, json!({ "number": number })).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Takes an application back that was not opened.
    pub async fn withdraw_application(&self, act: &Act, number: &str, revision: i32) -> Result<Application, Fault> {
        let step = match self.begin(act, "withdrawApplication").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number, revision).await?;
        if matches!(whole.header.status.as_str(), "opened" | "refused" | "withdrawn") {
            return Err(conflict("It can no longer be taken back.", "不得再撤回。", whole.current()));
        }
        application::Entity::update_many()
            .col_expr(application::Column::Status, Expr::value("withdrawn"))
            .col_expr(application::Column::Revision, Expr::value(whole.header.revision + 1))
            .filter(application::Column::Id.eq(whole.header.id))
            .exec(step.tx())
            .await?;
        self.tell_withdrawn(&step, &whole).await?;
        step.finish("application", whole.header.id, json!({ "number": number })).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Tells those who were handed an application that they need not go on with it: custodians that decide or have decided,
    /// and the information office where it was its turn.
    async fn tell_withdrawn(&self, step: &Step<'_>, whole: &Whole) -> Result<(), Fault> {
        let agency = agency_title(step.tx(), &whole.agency).await?;
        let (number, title) = (whole.header.number.as_str(), &whole.header.title);
        let news = News {
            kind: "application",
            number,
            en: format!("{} has taken back its application {number}: {title}", whole.agency),
            zh: format!("{agency}已撤回申請表 {number}：{title}"),
            due: None,
        };
        let handed_in = |annex: &annex::Model| {
            annex.offer_version.is_some() && !matches!(annex.status.as_str(), "refused" | "dropped")
        };
        for (annex, _) in whole.annexes.iter().filter(|(annex, _)| handed_in(annex)) {
            step.tell(To::Role(Role::DatabaseAdministrator, &annex.custodian), &news).await?;
            step.tell(To::Role(Role::AgencyHead, &annex.custodian), &news).await?;
        }
        if whole.header.status == "decided" {
            step.tell(To::Everywhere(Role::InformationOffice), &news).await?;
        }
        Ok(())
    }

    fn period_faults(&self, whole: &Whole) -> Vec<Said> {
        let header = &whole.header;
        let days = (header.valid_until - header.valid_from).whole_days() + 1;
        let mut faults = Vec::new();
        if days > i64::from(LONGEST_DAYS) {
            faults.push(said("the period is longer than three years", "期間逾三年"));
        }
        if header.valid_until < self.today() {
            faults.push(said("the period is over already", "期間已屆滿"));
        }
        faults
    }

    /// What an annex asks beyond its custodian's offer.
    fn offer_faults(
        &self,
        whole: &Whole,
        offer: &offer::Model,
        offered: &[Item],
        items: &[annex_item::Model],
        attached: &[String],
    ) -> Vec<Said> {
        let (header, custodian) = (&whole.header, &offer.custodian);
        let mut faults = Vec::new();
        let purposes = item::purposes_of(&offer.purposes);
        for one in item::purposes_of(&header.purposes) {
            if !purposes.is_empty() && !purposes.iter().any(|known| known.code == one.code) {
                let code = &one.code;
                faults.push(said(
                    format!("{custodian} does not give data for \"{code}\""),
                    format!("{custodian} 不提供目的「{code}」之資料"),
                ));
            }
        }
        let bases = item::texts_of(&offer.legal_bases);
        if !bases.is_empty() && !bases.contains(&header.legal_basis) {
            faults.push(said(
                format!("{custodian} accepts these legal bases: {}", bases.join(", ")),
                format!("{custodian} 受理之法律依據為：{}", bases.join("、")),
            ));
        }
        let days = (header.valid_until - header.valid_from).whole_days() + 1;
        if days > i64::from(offer.longest_days) {
            let most = offer.longest_days;
            faults.push(said(
                format!("{custodian} grants {most} days at most"),
                format!("{custodian} 最長核准 {most} 日"),
            ));
        }
        for needed in item::texts_of(&offer.attachments) {
            if !attached.contains(&needed) {
                faults.push(said(
                    format!("{custodian} needs the document \"{needed}\" attached"),
                    format!("{custodian} 須檢附「{needed}」"),
                ));
            }
        }
        for row in items {
            let name = &row.coordinate;
            let wanted = super::application::item_of(row);
            let most = offered.iter().find(|offered| offered.coordinate == *name);
            let beyond = match (&wanted, most) {
                (Some(wanted), Some(most)) => exceeds(most, wanted),
                _ => true,
            };
            if beyond {
                faults.push(said(
                    format!("{name}: more than {custodian} offers"),
                    format!("「{name}」逾 {custodian} 可申請之範圍"),
                ));
            }
            if is_blank(&row.reason) && self.is_personal(name) {
                faults.push(said(
                    format!("{name}: personal data needs a reason"),
                    format!("「{name}」屬個人資料，應敘明理由"),
                ));
            }
        }
        faults
    }

    /// Nothing of a withdrawn dataset is asked for. What was approved before is left out when it is opened.
    async fn withdrawn_faults(&self, db: &impl ConnectionTrait, whole: &Whole) -> Result<Vec<Said>, Fault> {
        let open = whole.annexes.iter().filter(|(annex, _)| is_open(annex));
        let items = open.flat_map(|(_, items)| items);
        let withdrawn = self.withdrawn_of(db, items.map(|item| item.coordinate.as_str())).await?;
        let fault = |dataset: &String| {
            said(
                format!("the dataset {dataset} was withdrawn: leave its items out"),
                format!("資料庫 {dataset} 已終止提供，請刪除其項目"),
            )
        };
        Ok(withdrawn.iter().map(fault).collect())
    }

    /// What a change of a form in force cannot be.
    async fn form_faults(&self, db: &impl ConnectionTrait, whole: &Whole) -> Result<Vec<Said>, Fault> {
        let Some(form_id) = whole.header.form_id else { return Ok(Vec::new()) };
        let Some((version, items)) = in_force(db, form_id).await? else {
            return Err(wrong("form", "is no longer in force: apply for a new one", "已失效：請另行申請"));
        };
        let mut faults = Vec::new();
        if leaves_gap(&version, whole.header.valid_from, self.today()) {
            let until = version.valid_until;
            faults.push(said(
                format!(
                    "the form is in use until {until}, and its next version takes its place when it is opened: ask for it \
                     from today on, with a last day as late as you need"
                ),
                format!("主表單使用至 {until}，新版於建立時即取代舊版：起日請填今日，迄日填至所需期間"),
            ));
        }
        let holders: BTreeSet<&str> = items.iter().filter_map(|item| self.custodian_of(&item.coordinate)).collect();
        let left_out: Vec<&str> = holders.into_iter().filter(|custodian| !whole.asks(custodian)).collect();
        if left_out.is_empty() {
            return Ok(faults);
        }
        let list = left_out.join(", ");
        if version.valid_until < self.today() {
            faults.push(said(
                format!("the form has ended: apply for the items of {list} again, too, or for a form of its own"),
                format!("主表單已屆滿：{list} 之項目應一併申請，或另行申請新表單"),
            ));
        }
        // Purposes change for all custodians or for none: what one granted for a purpose is not to be read for another.
        let before = purposes_in(db, version.id).await?;
        if !item::purposes_of(&whole.header.purposes).iter().all(|one| before.contains(one)) {
            faults.push(said(
                format!("other purposes need the items of {list} applied for again"),
                format!("變更目的時，{list} 之項目應一併申請"),
            ));
        }
        Ok(faults)
    }

    fn is_personal(&self, coordinate: &str) -> bool {
        let field = self.catalog.fields_by_coordinate.get(coordinate).map(|id| self.catalog.field(*id));
        field.is_some_and(|field| field.class >= Class::Personal)
    }
}

/// One thing that is wrong, in English and in Chinese.
type Said = (String, String);

fn said(en: impl Into<String>, zh: impl Into<String>) -> Said {
    (en.into(), zh.into())
}

/// Whether an annex is still to be handed in, or handed in again.
fn is_open(annex: &annex::Model) -> bool {
    matches!(annex.status.as_str(), "draft" | "returned")
}

/// All that is wrong, at once.
fn all_of(faults: Vec<Said>) -> Fault {
    let list: Vec<&str> = faults.iter().map(|(en, _)| en.as_str()).collect();
    let refusal = Refusal::new(
        Code::BadUserInput,
        format!("The application cannot be handed in: {}.", list.join("; ")),
        format!("申請表無法送件：{}。", faults.iter().map(|(_, zh)| zh.as_str()).collect::<Vec<_>>().join("；")),
    );
    refusal.with("faults", list).into()
}

/// Which demanded documents are attached.
async fn attachments(db: &impl ConnectionTrait, id: i64) -> Result<Vec<String>, Fault> {
    let rows: Vec<Option<String>> = document::Entity::find()
        .select_only()
        .column(document::Column::Fulfils)
        .filter(document::Column::SubjectKind.eq("application"))
        .filter(document::Column::SubjectId.eq(id))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().flatten().collect())
}
