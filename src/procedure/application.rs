//! Applications (查詢作業申請表): one header, one annex for each custodian (clause 7). Filling them in is left to `draft`,
//! handing them in to `submission`, deciding to `decision`, opening what was approved to `master_form`.

use async_graphql::{ComplexObject, Enum, ID, SimpleObject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use super::agency::agency_code;
use super::difference::{self, Difference};
use super::entity::{annex, annex_item, application, document};
use super::fault::not_found;
use super::item::{self, GrantedItem, Purpose};
use super::{Act, Fault, Procedure, has_role, letter};
use crate::access::{Item, Role};
use crate::accounts::entity::master_form;
use crate::accounts::rights_read;

/// 申請狀態: state of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ApplicationStatus {
    /// 草稿: being filled in.
    Draft,
    /// 審核中: handed in; custodians decide.
    Submitted,
    /// 已審定: every custodian has decided.
    Decided,
    /// 已開放: a master form was opened for it.
    Opened,
    /// 已撤回: taken back.
    Withdrawn,
}

/// 附表狀態: state of an annex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AnnexStatus {
    /// 草稿: being filled in.
    Draft,
    /// 審核中: the custodian has to decide.
    Submitted,
    /// 核准: approved.
    Approved,
    /// 退回補正: returned with comments, to be mended and handed in again.
    Returned,
    /// 不同意: refused.
    Refused,
}

/// 附件: an attached document, kept with its digest.
#[derive(Debug, Clone, SimpleObject)]
pub struct Document {
    /// 編號: number.
    pub id: ID,
    /// 檔名: name of the file.
    pub name: String,
    /// 格式: media type.
    pub media_type: String,
    /// 應備文件: which of the documents that a custodian demands it is.
    pub fulfils: Option<String>,
    /// 大小: size in bytes.
    pub bytes: i64,
    /// 摘要: SHA-256 in hexadecimal.
    pub sha256: String,
    /// 附加者: account that attached it.
    pub added_by: String,
    /// 附加時間: when.
    pub added_at: OffsetDateTime,
}

/// 附表: the part of an application that one custodian decides on.
#[derive(Debug, Clone, SimpleObject)]
pub struct Annex {
    /// 管理機關: code of the custodian.
    pub custodian: String,
    /// 狀態: where it stands.
    pub status: AnnexStatus,
    /// 申請項目: what is asked for.
    pub items: Vec<GrantedItem>,
    /// 附表版次: version of the custodian's offer that it was checked against.
    pub offer_version: Option<i32>,
    /// 審核者: account that decided.
    pub decided_by: Option<String>,
    /// 審核時間: when.
    pub decided_at: Option<OffsetDateTime>,
    /// 審核文號: number of the decision.
    pub decision_number: Option<String>,
    /// 審核意見: what the custodian said.
    pub comment: Option<String>,
}

/// 查詢作業申請表: an application.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Application {
    /// 申請編號: number, `A-2026-0001`.
    pub number: String,
    /// 版本: goes up with each change; named by whoever changes it, so that nobody overwrites what they have not seen.
    pub revision: i32,
    /// 狀態: where it stands.
    pub status: ApplicationStatus,
    /// 申請機關: code of the using agency.
    pub agency: String,
    /// 名稱: title.
    pub title: String,
    /// 目的: purposes.
    pub purposes: Vec<Purpose>,
    /// 法律依據: legal basis.
    pub legal_basis: String,
    /// 起日: first day.
    pub from: Date,
    /// 迄日: last day.
    pub until: Date,
    /// 主表單: number of the master form that it changes, or that was opened for it.
    pub form: Option<String>,
    /// 附表: one for each custodian.
    pub annexes: Vec<Annex>,
    /// 附件: attached documents.
    pub documents: Vec<Document>,
    /// 異動對照: what it changes of its master form.
    pub difference: Vec<Difference>,
    /// 擬稿者: account that drafted it.
    pub drafted_by: String,
    /// 擬稿時間: when.
    pub drafted_at: OffsetDateTime,
    /// 送件者: account that handed it in.
    pub submitted_by: Option<String>,
    /// 送件時間: when.
    pub submitted_at: Option<OffsetDateTime>,
}

#[ComplexObject]
impl Application {
    /// 申請表（列印）: the application as a page to be printed (HTML).
    async fn printable(&self) -> String {
        letter::application(self)
    }

    /// 審核決定書（列印）: the decisions as a page to be printed (HTML); none before a decision.
    async fn decision_letter(&self) -> Option<String> {
        letter::decisions(self)
    }
}

/// Applications that are shown at once.
const PAGE: u64 = 200;

/// An application with everything that belongs to it, as stored.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) header: application::Model,
    pub(crate) agency: String,
    pub(crate) annexes: Vec<(annex::Model, Vec<annex_item::Model>)>,
}

impl Procedure {
    /// The applications that the caller may see, newest first: those of one's agency, those to decide on, all for the
    /// information office, the ethics office and the commission.
    pub async fn applications(&self, act: &Act, status: Option<ApplicationStatus>) -> Result<Vec<Application>, Fault> {
        let mut all = application::Entity::find().order_by_desc(application::Column::Id);
        if let Some(status) = status {
            all = all.filter(application::Column::Status.eq(status_word(status)));
        }
        let mut shown = Vec::new();
        for header in all.limit(PAGE).all(self.db()).await? {
            let whole = load(self.db(), header).await?;
            if self.may_see(act, &whole) {
                shown.push(self.application_shown(whole).await?);
            }
        }
        Ok(shown)
    }

    /// One application.
    pub async fn application(&self, act: &Act, number: &str) -> Result<Application, Fault> {
        let whole = find(self.db(), number).await?;
        match self.may_see(act, &whole) {
            true => self.application_shown(whole).await,
            false => Err(unknown(number)),
        }
    }

    /// The content of an attached document, in base64.
    pub async fn document(&self, act: &Act, id: &ID) -> Result<String, Fault> {
        use base64::Engine as _;
        let missing = || not_found("document", "附件", id);
        let number: i64 = id.parse().map_err(|_| missing())?;
        let row = document::Entity::find_by_id(number).one(self.db()).await?.ok_or_else(missing)?;
        if row.subject_kind != "application" {
            return Err(missing());
        }
        let header = application::Entity::find_by_id(row.subject_id).one(self.db()).await?.ok_or_else(missing)?;
        match self.may_see(act, &load(self.db(), header).await?) {
            true => Ok(base64::engine::general_purpose::STANDARD.encode(row.content)),
            false => Err(missing()),
        }
    }

    /// A draft is its agency's own; what was handed in is seen by those who decide and by those who watch.
    pub(crate) fn may_see(&self, act: &Act, whole: &Whole) -> bool {
        let caller = &act.caller;
        if *caller.agency == *whole.agency {
            return true;
        }
        if whole.header.status == "draft" {
            return false;
        }
        let watches = [Role::InformationOffice, Role::EthicsOfficer, Role::CommissionOfficer];
        let decides = [Role::DatabaseAdministrator, Role::AgencyHead];
        watches.into_iter().any(|role| has_role(caller, role))
            || decides.into_iter().any(|role| has_role(caller, role))
                && whole.annexes.iter().any(|(annex, _)| *annex.custodian == *caller.agency)
    }

    pub(crate) async fn application_by_id(&self, id: i64) -> Result<Application, Fault> {
        let header = application::Entity::find_by_id(id).one(self.db()).await?;
        self.application_shown(load(self.db(), header.ok_or_else(|| unknown(&id.to_string()))?).await?).await
    }

    async fn application_shown(&self, whole: Whole) -> Result<Application, Fault> {
        let attached = document::Entity::find()
            .filter(document::Column::SubjectKind.eq("application"))
            .filter(document::Column::SubjectId.eq(whole.header.id))
            .order_by_asc(document::Column::Id)
            .all(self.db())
            .await?;
        let form = match whole.header.form_id {
            Some(id) => master_form::Entity::find_by_id(id).one(self.db()).await?.map(|form| form.number),
            None => None,
        };
        let difference = difference::of(self.db(), &whole).await?;
        let Whole { header, agency, annexes } = whole;
        Ok(Application {
            status: status(&header.status),
            number: header.number,
            revision: header.revision,
            agency,
            title: header.title,
            purposes: item::purposes_of(&header.purposes),
            legal_basis: header.legal_basis,
            from: header.valid_from,
            until: header.valid_until,
            form,
            annexes: annexes.into_iter().map(|(annex, items)| annex_shown(annex, &items)).collect(),
            documents: attached.into_iter().map(document_shown).collect(),
            difference,
            drafted_by: header.drafted_by,
            drafted_at: header.drafted_at,
            submitted_by: header.submitted_by,
            submitted_at: header.submitted_at,
        })
    }
}

impl Whole {
    /// The items of an annex.
    pub(crate) fn items(rows: &[annex_item::Model]) -> Vec<Item> {
        rows.iter().filter_map(item_of).collect()
    }

    /// Where it stands, for somebody who was too late.
    pub(crate) fn current(&self) -> Value {
        let annexes: Vec<Value> = self
            .annexes
            .iter()
            .map(|(annex, _)| json!({ "custodian": annex.custodian, "status": annex.status }))
            .collect();
        json!({
            "number": self.header.number,
            "status": self.header.status,
            "revision": self.header.revision,
            "annexes": annexes,
        })
    }
}

/// There is none, or none that the caller may know of.
pub(crate) fn unknown(number: &str) -> Fault {
    not_found("application", "申請表", number)
}

/// The application of that number.
pub(crate) async fn find(db: &impl ConnectionTrait, number: &str) -> Result<Whole, Fault> {
    let header = application::Entity::find().filter(application::Column::Number.eq(number)).one(db).await?;
    load(db, header.ok_or_else(|| unknown(number))?).await
}

/// Everything that belongs to a header.
pub(crate) async fn load(db: &impl ConnectionTrait, header: application::Model) -> Result<Whole, Fault> {
    let agency = agency_code(db, header.agency_id).await?;
    let rows = annex::Entity::find().filter(annex::Column::ApplicationId.eq(header.id));
    let mut annexes = Vec::new();
    for row in rows.order_by_asc(annex::Column::Custodian).all(db).await? {
        let items = annex_item::Entity::find().filter(annex_item::Column::AnnexId.eq(row.id));
        annexes.push((row, items.order_by_asc(annex_item::Column::Id).all(db).await?));
    }
    Ok(Whole { header, agency, annexes })
}

/// An annex item as it is compiled.
pub(crate) fn item_of(row: &annex_item::Model) -> Option<Item> {
    rights_read::item(&row.coordinate, &row.uses, row.masked, row.districts.as_deref())
}

fn annex_shown(row: annex::Model, items: &[annex_item::Model]) -> Annex {
    let shown = |row: &annex_item::Model| Some(item::shown(&item_of(row)?, Some(row.reason.clone())));
    Annex {
        custodian: row.custodian,
        status: annex_status(&row.status),
        items: items.iter().filter_map(shown).collect(),
        offer_version: row.offer_version,
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        decision_number: row.decision_number,
        comment: row.comment,
    }
}

fn document_shown(row: document::Model) -> Document {
    Document {
        id: row.id.into(),
        name: row.name,
        media_type: row.media_type,
        fulfils: row.fulfils,
        bytes: i64::try_from(row.content.len()).unwrap_or(i64::MAX),
        sha256: row.sha256,
        added_by: row.added_by,
        added_at: row.added_at,
    }
}

fn status(word: &str) -> ApplicationStatus {
    match word {
        "draft" => ApplicationStatus::Draft,
        "submitted" => ApplicationStatus::Submitted,
        "decided" => ApplicationStatus::Decided,
        "opened" => ApplicationStatus::Opened,
        _ => ApplicationStatus::Withdrawn,
    }
}

fn status_word(status: ApplicationStatus) -> &'static str {
    match status {
        ApplicationStatus::Draft => "draft",
        ApplicationStatus::Submitted => "submitted",
        ApplicationStatus::Decided => "decided",
        ApplicationStatus::Opened => "opened",
        ApplicationStatus::Withdrawn => "withdrawn",
    }
}

fn annex_status(word: &str) -> AnnexStatus {
    match word {
        "draft" => AnnexStatus::Draft,
        "submitted" => AnnexStatus::Submitted,
        "approved" => AnnexStatus::Approved,
        "returned" => AnnexStatus::Returned,
        _ => AnnexStatus::Refused,
    }
}
