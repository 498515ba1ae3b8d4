//! Filling in an application: a draft of one's agency, changed as often as needed, with documents attached. Items go to
//! the annex of the custodian who decides on them.

use std::collections::BTreeMap;

use async_graphql::InputObject;
use base64::Engine as _;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::Date;

use super::agency::{check_text, check_title, get_agency};
use super::application::{Application, Whole, unknown};
use super::application_list::find;
use super::entity::{annex, annex_item, application, document};
use super::fault::{conflict, forbidden, wrong};
use super::item::{self, Asked, ItemInput, Purpose};
use super::master_form::find_form;
use super::step::{Begun, News, Step, To};
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::secret;

/// Largest document in bytes.
const LARGEST: usize = 8 << 20;

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

/// 附件: a document to be attached.
#[derive(Debug, Clone, InputObject)]
pub struct DocumentInput {
    /// 檔名: name of the file.
    pub name: String,
    /// 格式: media type, `application/pdf`.
    pub media_type: String,
    /// 應備文件: which of the documents that a custodian demands it is.
    pub fulfils: Option<String>,
    /// 內容: the file in base64, 8 MiB at most and no more than one request may hold.
    pub content: String,
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
        let mut wanted = self.by_custodian(&asked);
        for (annex, items) in &whole.annexes {
            let now = wanted.remove(annex.custodian.as_str());
            if matches!(annex.status.as_str(), "draft" | "returned") {
                annex_item::Entity::delete_many()
                    .filter(annex_item::Column::AnnexId.eq(annex.id))
                    .exec(step.tx())
                    .await?;
                if let Some(now) = now {
                    write_items(step.tx(), annex.id, &now).await?;
                } else {
                    annex::Entity::delete_by_id(annex.id).exec(step.tx()).await?;
                }
                continue;
            }
            let now: Vec<_> = now.unwrap_or_default().into_iter().map(|one| one.item.clone()).collect();
            if now != Whole::items(items) {
                return Err(conflict(
                    format!("{} has the annex already: its items can no longer change.", annex.custodian),
                    format!("附表已送 {}，其項目不得再變更。", annex.custodian),
                    whole.current(),
                ));
            }
        }
        for (custodian, items) in wanted {
            write_annex(&step, whole.header.id, &custodian, &items).await?;
        }
        let form_id = self.form_to_change(step.tx(), act, input).await?;
        if !is_within(&whole.header, input, form_id) {
            self.call_back(&step, &whole).await?;
        }
        let row = application::ActiveModel {
            id: Set(whole.header.id),
            form_id: Set(form_id),
            revision: Set(whole.header.revision + 1),
            ..header(input)
        };
        application::Entity::update(row).exec(step.tx()).await?;
        step.finish("application", whole.header.id, json!({ "number": number })).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Takes back what custodians hold, and what they have approved: they said yes to other purposes, another basis or
    /// another time. It is handed in anew with the rest.
    async fn call_back(&self, step: &Step<'_>, whole: &Whole) -> Result<(), Fault> {
        let number = whole.header.number.as_str();
        let held = |annex: &annex::Model| matches!(annex.status.as_str(), "submitted" | "approved");
        for (annex, _) in whole.annexes.iter().filter(|(annex, _)| held(annex)) {
            annex::Entity::update_many()
                .col_expr(annex::Column::Status, Expr::value("draft"))
                .filter(annex::Column::Id.eq(annex.id))
                .exec(step.tx())
                .await?;
            let news = News {
                kind: "application",
                number,
                en: format!(
                    "{number} asks for other purposes, another basis or time than before: it will be handed in anew."
                ),
                zh: format!("申請表 {number} 之目的、法律依據或期間已變更，將重新送件，原審核結果失效。"),
                due: None,
            };
            step.tell(To::Role(Role::DatabaseAdministrator, &annex.custodian), &news).await?;
            step.tell(To::Role(Role::AgencyHead, &annex.custodian), &news).await?;
        }
        Ok(())
    }

    /// Attaches a document to an application of one's agency that is not decided yet.
    pub async fn attach_document(
        &self,
        act: &Act,
        number: &str,
        revision: i32,
        input: &DocumentInput,
    ) -> Result<Application, Fault> {
        let name = check_title("name", &input.name)?;
        let media_type = check_text("mediaType", &input.media_type, 100)?;
        let fulfils = input.fulfils.as_deref().filter(|of| !of.trim().is_empty());
        let fulfils = fulfils.map(|of| check_title("fulfils", of)).transpose()?;
        let content = base64::engine::general_purpose::STANDARD
            .decode(input.content.as_bytes())
            .map_err(|_| wrong("content", "expected base64", "應為 base64"))?;
        if content.is_empty() || content.len() > LARGEST {
            return Err(wrong("content", "expected 1 byte to 8 MiB", "應為 1 位元組至 8 MiB"));
        }
        let sha256 = secret::hex(&Sha256::digest(&content));
        let step = match self.begin(act, "attachDocument").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number, revision).await?;
        if !matches!(whole.header.status.as_str(), "draft" | "submitted") {
            return Err(conflict("It is decided already.", "已審定，不得再附加文件。", whole.current()));
        }
        let row = document::ActiveModel {
            subject_kind: Set("application".to_owned()),
            subject_id: Set(whole.header.id),
            name: Set(name.to_owned()),
            media_type: Set(media_type.to_owned()),
            fulfils: Set(fulfils.map(str::to_owned)),
            content: Set(content),
            sha256: Set(sha256.clone()),
            added_by: Set(act.caller.account.to_string()),
            added_at: Set(self.now()),
            ..Default::default()
        };
        document::Entity::insert(row).exec_without_returning(step.tx()).await?;
        raise_revision(step.tx(), &whole).await?;
        let detail = json!({ "number": number, "document": name, "sha256": sha256 });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }

    pub(super) fn check_input(&self, input: &ApplicationInput) -> Result<Vec<Asked>, Fault> {
        check_title("title", &input.title)?;
        item::check_purposes(&input.purposes)?;
        if input.legal_basis.trim().is_empty() {
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
    input.purposes.iter().all(|one| agreed.contains(one))
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

/// Nobody decides on what they asked for themselves.
pub(crate) fn check_not_own(whole: &Whole, act: &Act) -> Result<(), Fault> {
    let caller = &*act.caller.account;
    if whole.header.drafted_by == caller || whole.header.submitted_by.as_deref() == Some(caller) {
        return Err(forbidden("Nobody decides on their own application.", "不得審核自己的申請案。", "7"));
    }
    Ok(())
}
