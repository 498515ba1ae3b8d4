//! Filling in an application: a draft of one's agency, changed as often as needed, with documents attached (`attachment`).
//! Items go to the annex of the custodian who decides on them.

use std::collections::BTreeMap;

use async_graphql::InputObject;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use time::Date;

use super::agency::{check_title, get_agency};
use super::application::{Application, Whole, unknown};
use super::application_list::find;
use super::decision::standing;
use super::entity::{annex, annex_item, application, step as steps};
use super::fault::{conflict, forbidden, wrong};
use super::item::{self, Asked, ItemInput, Purpose};
use super::master_form::find_form;
use super::person::names_of;
use super::step::{Begun, News, Step, To};
use super::wording::is_blank;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;

/// 申請內容: what an application asks for.
#[derive(Debug, Clone, InputObject)]
pub struct ApplicationInput {
    /// 名稱: title.
    pub title: String,
    /// 目的: purposes of use.
    pub purposes: Vec<Purpose>,
    /// 法律依據: legal basis.
    pub legal_basis: String,
    /// 起日: first day.
    pub from: Date,
    /// 迄日: last day, three years later at most.
    pub until: Date,
    /// 主表單: number of the master form that is to be changed; a new one is asked for without it.
    pub form: Option<String>,
    /// 申請項目: what is asked for; what stands earlier wins.
    pub items: Vec<ItemInput>,
}

impl Procedure {
    /// Drafts an application of the caller's agency.
    pub async fn create_application(&self, act: &Act, input: &ApplicationInput) -> Result<Application, Fault> {
        let asked = self.check_input(input)?;
        self.create_draft(act, "createApplication", input, &asked).await
    }

    /// Writes a draft. Those who hand it in are told of it, where somebody else has drafted it.
    pub(super) async fn create_draft(
        &self,
        act: &Act,
        operation: &'static str,
        input: &ApplicationInput,
        asked: &[Asked],
    ) -> Result<Application, Fault> {
        let step = match self.begin(act, operation).await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let agency = get_agency(step.tx(), &act.caller.agency).await?;
        let count = application::Entity::find().count(step.tx()).await?;
        let number = format!("A-{}-{:04}", self.today().year(), count + 1);
        let row = application::ActiveModel {
            number: Set(number.clone()),
            agency_id: Set(agency.id),
            form_id: Set(self.form_to_change(step.tx(), act, input).await?),
            status: Set("draft".to_owned()),
            revision: Set(1),
            drafted_by: Set(act.caller.account.to_string()),
            drafted_at: Set(self.now()),
            ..header(input)
        };
        let id = application::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
        for (custodian, items) in self.by_custodian(asked) {
            write_annex(&step, id, &custodian, &items).await?;
        }
        if !has_role(&act.caller, Role::BusinessAdministrator) {
            let (who, title) = (&act.caller.account, input.title.trim());
            let news = News {
                kind: "application",
                number: &number,
                en: format!("{who} has drafted the application {number}: {title}. Look it over and hand it in."),
                zh: format!("{who} 已擬具申請表 {number}：{title}，請檢視後送件。"),
                due: None,
            };
            step.tell(To::Role(Role::BusinessAdministrator, &act.caller.agency), &news).await?;
        }
        step.finish("application", id, json!({ "number": number })).await?;
        self.application_by_id(id).await
    }

    /// Changes a draft, or the annexes of an application that were returned.
    pub async fn change_application(
        &self,
        act: &Act,
        number: &str,
        revision: i32,
        input: &ApplicationInput,
    ) -> Result<Application, Fault> {
        let asked = self.check_input(input)?;
        let step = match self.begin(act, "changeApplication").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number, revision).await?;
        let returned = whole.annexes.iter().any(|(annex, _)| annex.status == "returned");
        if whole.header.status != "draft" && !(whole.header.status == "submitted" && returned) {
            return Err(conflict(
                "Only a draft, or what a custodian has returned, can be changed.",
                "僅草稿或經退回補正者得變更。",
                whole.current(),
            ));
        }
        self.rewrite_annexes(&step, &whole, &asked).await?;
        let form_id = self.form_to_change(step.tx(), act, input).await?;
        if !is_within(&whole.header, input, form_id) {
            self.call_back(&step, &whole).await?;
        }
        // What was returned may have been all that was open.
        let annexes = find(step.tx(), number).await?.annexes;
        let stands = match whole.header.status.as_str() {
            "draft" => "draft",
            _ => standing(annexes.iter().map(|(annex, _)| annex.status.as_str())),
        };
        let row = application::ActiveModel {
            id: Set(whole.header.id),
            form_id: Set(form_id),
            status: Set(stands.to_owned()),
            revision: Set(whole.header.revision + 1),
            ..header(input)
        };
        application::Entity::update(row).exec(step.tx()).await?;
        self.tell_settled(&step, number, &whole.agency, stands).await?;
        step.finish("application", whole.header.id, json!({ "number": number })).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Writes what is asked for now into the annexes that are open to change; the others stay as they were handed in.
    async fn rewrite_annexes(&self, step: &Step<'_>, whole: &Whole, asked: &[Asked]) -> Result<(), Fault> {
        let mut wanted = self.by_custodian(asked);
        for (annex, items) in &whole.annexes {
            let now = wanted.remove(annex.custodian.as_str());
            match (annex.status.as_str(), now) {
                ("draft" | "returned" | "dropped", Some(now)) => {
                    delete_items(step.tx(), annex.id).await?;
                    write_items(step.tx(), annex.id, &now).await?;
                    if annex.status == "dropped" {
                        set_status(step.tx(), annex.id, "draft").await?;
                    }
                }
                ("draft" | "returned", None) => self.drop_annex(step, whole, annex).await?,
                ("dropped", None) => {}
                (_, now) => {
                    let now: Vec<_> = now.unwrap_or_default().into_iter().map(|one| one.item.clone()).collect();
                    if now != Whole::items(items) {
                        return Err(conflict(
                            format!("{} has the annex already: its items can no longer change.", annex.custodian),
                            format!("附表已送 {}，其項目不得再變更。", annex.custodian),
                            whole.current(),
                        ));
                    }
                }
            }
        }
        for (custodian, items) in wanted {
            write_annex(step, whole.header.id, &custodian, &items).await?;
        }
        Ok(())
    }

    /// An annex that is no longer asked for. Where its custodian has seen it, it stays, with what was said about it.
    async fn drop_annex(&self, step: &Step<'_>, whole: &Whole, annex: &annex::Model) -> Result<(), Fault> {
        delete_items(step.tx(), annex.id).await?;
        if annex.offer_version.is_none() {
            annex::Entity::delete_by_id(annex.id).exec(step.tx()).await?;
            return Ok(());
        }
        set_status(step.tx(), annex.id, "dropped").await?;
        let number = whole.header.number.as_str();
        let news = News {
            kind: "application",
            number,
            en: format!("{} no longer applies for data of {} in {number}.", whole.agency, annex.custodian),
            zh: format!("申請表 {number} 已撤除貴機關之附表，不再申請。"),
            due: None,
        };
        step.tell(To::Role(Role::DatabaseAdministrator, &annex.custodian), &news).await?;
        step.tell(To::Role(Role::AgencyHead, &annex.custodian), &news).await
    }

    /// Takes back what custodians hold, and what they have approved: they said yes to another title, other purposes, another
    /// basis or another time. It is handed in anew with the rest.
    async fn call_back(&self, step: &Step<'_>, whole: &Whole) -> Result<(), Fault> {
        let number = whole.header.number.as_str();
        let held = |annex: &annex::Model| matches!(annex.status.as_str(), "submitted" | "approved");
        for (annex, _) in whole.annexes.iter().filter(|(annex, _)| held(annex)) {
            set_status(step.tx(), annex.id, "draft").await?;
            let news = News {
                kind: "application",
                number,
                en: format!(
                    "{number} has another title, or asks for other purposes, another basis or time than before: it will be \
                     handed in anew."
                ),
                zh: format!("申請表 {number} 之名稱、目的、法律依據或期間已變更，將重新送件，原審核結果失效。"),
                due: None,
            };
            step.tell(To::Role(Role::DatabaseAdministrator, &annex.custodian), &news).await?;
            step.tell(To::Role(Role::AgencyHead, &annex.custodian), &news).await?;
        }
        Ok(())
    }

    pub(super) fn check_input(&self, input: &ApplicationInput) -> Result<Vec<Asked>, Fault> {
        check_title("title", &input.title)?;
        item::check_purposes(&input.purposes)?;
        if is_blank(&input.legal_basis) {
            return Err(wrong("legalBasis", "expected the law that it rests on", "應載明法律依據"));
        }
        if input.until < input.from {
            return Err(wrong("until", "expected a day not before `from`", "迄日不得早於起日"));
        }
        let asked = item::read(&self.catalog, &input.items)?;
        match asked.is_empty() {
            true => Err(wrong("items", "expected at least one", "至少須有一個項目")),
            false => Ok(asked),
        }
    }

    fn by_custodian<'a>(&self, asked: &'a [Asked]) -> BTreeMap<String, Vec<&'a Asked>> {
        let mut by: BTreeMap<String, Vec<&Asked>> = BTreeMap::new();
        for one in asked {
            // Every coordinate was found in the catalogue.
            let custodian = self.custodian_of(&one.item.coordinate).unwrap_or_default();
            by.entry(custodian.to_owned()).or_default().push(one);
        }
        by
    }

    async fn form_to_change(
        &self,
        db: &impl ConnectionTrait,
        act: &Act,
        input: &ApplicationInput,
    ) -> Result<Option<i64>, Fault> {
        let Some(number) = &input.form else { return Ok(None) };
        let form = find_form(db, number).await?;
        match *form.agency == *act.caller.agency {
            true => Ok(Some(form.row.id)),
            false => Err(super::master_form::unknown(number)),
        }
    }
}

/// An application of the caller's agency, at the revision that the caller has seen.
pub(crate) async fn own(step: &Step<'_>, act: &Act, number: &str, revision: i32) -> Result<Whole, Fault> {
    let whole = find(step.tx(), number).await?;
    if *whole.agency != *act.caller.agency {
        return Err(unknown(number));
    }
    check_revision(&whole, revision)?;
    Ok(whole)
}

/// Whoever changes something has seen it as it is.
pub(crate) fn check_revision(whole: &Whole, revision: i32) -> Result<(), Fault> {
    if whole.header.revision == revision {
        return Ok(());
    }
    Err(conflict(
        format!("It has changed meanwhile: revision {} stands, not {revision}.", whole.header.revision),
        format!("內容已變更：目前為第 {} 版，非第 {revision} 版。", whole.header.revision),
        whole.current(),
    ))
}

/// Marks that an application has changed.
pub(crate) async fn raise_revision(db: &impl ConnectionTrait, whole: &Whole) -> Result<(), Fault> {
    application::Entity::update_many()
        .col_expr(application::Column::Revision, Expr::value(whole.header.revision + 1))
        .filter(application::Column::Id.eq(whole.header.id))
        .exec(db)
        .await?;
    Ok(())
}

/// Whether whoever has agreed to the one as it stands has agreed to this, too.
fn is_within(stands: &application::Model, input: &ApplicationInput, form_id: Option<i64>) -> bool {
    let agreed = item::purposes_of(&stands.purposes);
    input.title.trim() == stands.title
        && input.purposes.iter().all(|one| agreed.contains(one))
        && input.legal_basis.trim() == stands.legal_basis
        && input.from >= stands.valid_from
        && input.until <= stands.valid_until
        && form_id == stands.form_id
}

fn header(input: &ApplicationInput) -> application::ActiveModel {
    application::ActiveModel {
        title: Set(input.title.trim().to_owned()),
        purposes: Set(item::purposes_text(&input.purposes)),
        legal_basis: Set(input.legal_basis.trim().to_owned()),
        valid_from: Set(input.from),
        valid_until: Set(input.until),
        ..Default::default()
    }
}

async fn write_annex(step: &Step<'_>, id: i64, custodian: &str, items: &[&Asked]) -> Result<(), Fault> {
    let row = annex::ActiveModel {
        application_id: Set(id),
        custodian: Set(custodian.to_owned()),
        status: Set("draft".to_owned()),
        ..Default::default()
    };
    let annex_id = annex::Entity::insert(row).exec(step.tx()).await?.last_insert_id;
    write_items(step.tx(), annex_id, items).await
}

async fn write_items(db: &impl ConnectionTrait, annex_id: i64, items: &[&Asked]) -> Result<(), Fault> {
    let row = |one: &&Asked| annex_item::ActiveModel {
        annex_id: Set(annex_id),
        coordinate: Set(one.item.coordinate.clone()),
        uses: Set(one.item.uses.to_string()),
        masked: Set(one.item.masked),
        districts: Set(one.item.districts.as_ref().map(|codes| codes.join(","))),
        reason: Set(one.reason.clone()),
        ..Default::default()
    };
    let rows: Vec<annex_item::ActiveModel> = items.iter().map(row).collect();
    for some in rows.chunks(100) {
        annex_item::Entity::insert_many(some.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

async fn delete_items(db: &impl ConnectionTrait, annex_id: i64) -> Result<(), Fault> {
    annex_item::Entity::delete_many().filter(annex_item::Column::AnnexId.eq(annex_id)).exec(db).await?;
    Ok(())
}

async fn set_status(db: &impl ConnectionTrait, annex_id: i64, word: &str) -> Result<(), Fault> {
    annex::Entity::update_many()
        .col_expr(annex::Column::Status, Expr::value(word))
        .filter(annex::Column::Id.eq(annex_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Nobody decides on what they asked for themselves: neither who drafted it or handed it in, be it once among several
/// times, nor who changed it or attached something to it, under whatever name.
pub(crate) async fn check_not_own(db: &impl ConnectionTrait, whole: &Whole, act: &Act) -> Result<(), Fault> {
    let asking = ["createApplication", "draftApplication", "changeApplication", "attachDocument", "submitApplication"];
    let taken = steps::Entity::find()
        .filter(steps::Column::SubjectKind.eq("application"))
        .filter(steps::Column::SubjectId.eq(whole.header.id))
        .filter(steps::Column::Account.is_in(names_of(db, &act.caller.account).await?))
        .filter(steps::Column::Operation.is_in(asking));
    match taken.one(db).await? {
        None => Ok(()),
        Some(_) => Err(forbidden(
            "Nobody decides on an application that they have drafted, changed, added to or handed in.",
            "曾擬具、修正、檢附文件或送件者，不得審核該申請案。",
            "7",
        )),
    }
}
