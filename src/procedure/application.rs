//! Applications (查詢作業申請表): one header, one annex for each custodian (clause 7). Who may see
//! them is left to `application_list`, filling them in to `draft`, handing them in to `submission`, deciding to
//! `decision`, opening what was approved to `opening`.

use std::collections::HashMap;

use async_graphql::{ComplexObject, Enum, ID, SimpleObject};
use serde_json::{Value, json};
use time::{Date, OffsetDateTime};

use super::decision::Decision;
use super::difference::Difference;
use super::entity::{annex, annex_item, application, decision};
use super::fault::not_found;
use super::item::{self, GrantedItem, Purpose};
use super::{Fault, letter};
use crate::access::Item;
use crate::accounts::rights_read;

/// 申請狀態: state of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ApplicationStatus {
    /// 草稿: being filled in.
    Draft,
    /// 審核中: handed in; custodians decide.
    Submitted,
    /// 已審定: every custodian has decided; what was approved can be opened.
    Decided,
    /// 不同意: every custodian has decided, and none has approved anything; there is nothing to open.
    Refused,
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
    /// 已撤除: was handed in once, and is no longer asked for.
    Dropped,
}

/// 審核紀錄: one decision on an annex.
#[derive(Debug, Clone, SimpleObject)]
pub struct AnnexDecision {
    /// 審核文號: number of the decision.
    pub number: String,
    /// 審核結果: what was decided.
    pub decision: Decision,
    /// 審核者: account that decided.
    pub decided_by: String,
    /// 審核時間: when.
    pub decided_at: OffsetDateTime,
    /// 審核意見: what the custodian said.
    pub comment: Option<String>,
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
    /// 審核者: account that decided last.
    pub decided_by: Option<String>,
    /// 審核時間: when.
    pub decided_at: Option<OffsetDateTime>,
    /// 審核文號: number of the last decision.
    pub decision_number: Option<String>,
    /// 審核意見: what the custodian said last.
    pub comment: Option<String>,
    /// 歷次審核: every decision, oldest first.
    pub decisions: Vec<AnnexDecision>,
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

/// An application with everything that belongs to it, as stored.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    pub(crate) header: application::Model,
    pub(crate) agency: String,
    pub(crate) annexes: Vec<(annex::Model, Vec<annex_item::Model>)>,
    /// Every decision by its annex, oldest first.
    pub(crate) decisions: HashMap<i64, Vec<decision::Model>>,
}

impl Whole {
    /// The items of an annex.
    pub(crate) fn items(rows: &[annex_item::Model]) -> Vec<Item> {
        rows.iter().filter_map(item_of).collect()
    }

    /// As it is shown, with what was loaded besides.
    pub(crate) fn shown(
        self,
        form: Option<String>,
        difference: Vec<Difference>,
        documents: Vec<Document>,
    ) -> Application {
        let Whole { header, agency, annexes, mut decisions } = self;
        let mut show = |(annex, items): (annex::Model, Vec<annex_item::Model>)| {
            let decisions = decisions.remove(&annex.id).unwrap_or_default();
            annex_shown(annex, &items, decisions)
        };
        Application {
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
            annexes: annexes.into_iter().map(&mut show).collect(),
            documents,
            difference,
            drafted_by: header.drafted_by,
            drafted_at: header.drafted_at,
            submitted_by: header.submitted_by,
            submitted_at: header.submitted_at,
        }
    }

    /// Whether others than its agency may know of it: a draft is its agency's own, also once it is taken back.
    pub(crate) fn is_handed_in(&self) -> bool {
        self.header.submitted_at.is_some() && self.header.status != "draft"
    }

    /// Whether it turns to that custodian; what was dropped is no longer asked for.
    pub(crate) fn asks(&self, custodian: &str) -> bool {
        self.annexes.iter().any(|(annex, _)| annex.custodian == custodian && annex.status != "dropped")
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

/// An annex item as it is compiled.
pub(crate) fn item_of(row: &annex_item::Model) -> Option<Item> {
    rights_read::item(&row.coordinate, &row.uses, row.masked, row.districts.as_deref())
}

fn annex_shown(row: annex::Model, items: &[annex_item::Model], decisions: Vec<decision::Model>) -> Annex {
    let decided = |row: decision::Model| AnnexDecision {
        number: row.number,
        decision: Decision::of(&row.decision),
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        comment: row.comment,
    };
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
        decisions: decisions.into_iter().map(decided).collect(),
    }
}

fn status(word: &str) -> ApplicationStatus {
    match word {
        "draft" => ApplicationStatus::Draft,
        "submitted" => ApplicationStatus::Submitted,
        "decided" => ApplicationStatus::Decided,
        "refused" => ApplicationStatus::Refused,
        "opened" => ApplicationStatus::Opened,
        _ => ApplicationStatus::Withdrawn,
    }
}

pub(crate) fn status_word(status: ApplicationStatus) -> &'static str {
    match status {
        ApplicationStatus::Draft => "draft",
        ApplicationStatus::Submitted => "submitted",
        ApplicationStatus::Decided => "decided",
        ApplicationStatus::Refused => "refused",
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
        "dropped" => AnnexStatus::Dropped,
        _ => AnnexStatus::Refused,
    }
}
