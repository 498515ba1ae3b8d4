//! Inspections (查驗, clauses 8(3) and 6(3)) of an agency's own use: what was drawn, what the records say. How often is
//! left to `inspection_rule`, drawing to `inspection_draw`, findings and the report to `inspection_report`.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::agency::{agency_code, agency_codes, get_agency};
use super::entity::{inspection, inspection_entry};
use super::fault::not_found;
use super::inspection_flags::InspectionFlag;
use super::log_reading::{micros, read_log};
use super::page::{Page, no_entry};
use super::watch::is_of_ethics_office;
use super::{Act, Fault, Procedure};
use crate::audit::reader::{Entry, Reader};

/// 查驗狀態: where an inspection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum InspectionStatus {
    /// 查驗中: drawn, findings are being made.
    Drawn,
    /// 已陳報: reported to the agency's head and the ethics officers.
    Reported,
    /// 已核閱: the head has taken notice.
    Acknowledged,
}

/// 查驗結果: what an operation was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Verdict {
    /// 正當: used for what the form was granted for.
    Proper,
    /// 不當: not so used.
    Improper,
    /// 待查: it cannot be told yet.
    Unclear,
}

impl InspectionStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            InspectionStatus::Drawn => "drawn",
            InspectionStatus::Reported => "reported",
            InspectionStatus::Acknowledged => "acknowledged",
        }
    }

    pub(super) fn parse(word: &str) -> InspectionStatus {
        match word {
            "reported" => InspectionStatus::Reported,
            "acknowledged" => InspectionStatus::Acknowledged,
            _ => InspectionStatus::Drawn,
        }
    }
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Proper => "proper",
            Verdict::Improper => "improper",
            Verdict::Unclear => "unclear",
        }
    }

    fn parse(word: &str) -> Verdict {
        match word {
            "proper" => Verdict::Proper,
            "improper" => Verdict::Improper,
            _ => Verdict::Unclear,
        }
    }
}

/// 查驗意見: what was found about an operation.
#[derive(Debug, Clone, SimpleObject)]
pub struct Finding {
    /// 結果: what it was found to be.
    pub verdict: Verdict,
    /// 說明: why.
    pub comment: String,
    /// 查驗者: account that found it.
    pub found_by: String,
    /// 查驗時間: when.
    pub found_at: OffsetDateTime,
}

/// 使用紀錄: what the audit record says of an operation.
#[derive(Debug, Clone, SimpleObject)]
pub struct RecordedOperation {
    /// 主表單: the form in use.
    pub form: String,
    /// 版次: its version.
    pub version: i32,
    /// 次表單: the sub-form.
    pub sub_form: Option<String>,
    /// 目的: purpose that was named.
    pub purpose: Option<String>,
    /// 案號: case number; none too where the log can no longer tell.
    pub case_number: Option<String>,
    /// 查詢內容: the operation as it was sent.
    pub operation: Option<String>,
    /// 變數: its variables as JSON.
    pub variables: Option<String>,
    /// 筆數: rows that were read.
    pub rows: i32,
}

/// 查驗項目: an operation that was drawn.
#[derive(Debug, Clone, SimpleObject)]
pub struct InspectionEntry {
    /// 紀錄編號: the audit record.
    pub record: String,
    /// 帳號: who acted.
    pub account: String,
    /// 時間: when.
    pub at: OffsetDateTime,
    /// 隨機抽出: drawn at random; otherwise for its flags alone.
    pub sampled: bool,
    /// 異常態樣: why it is conspicuous.
    pub flags: Vec<InspectionFlag>,
    /// 查驗意見: what was found; none yet.
    pub finding: Option<Finding>,
    /// 使用紀錄: what the audit record says. Told by `inspection` alone, for each look is itself recorded; none too where
    /// the log of this server does not hold the record.
    pub recorded: Option<RecordedOperation>,
}

/// 查驗: a check of an agency's own use against its purpose.
#[derive(Debug, Clone, SimpleObject)]
pub struct Inspection {
    /// 查驗編號: number.
    pub number: String,
    /// 使用機關: code of the agency.
    pub agency: String,
    /// 起日: first day of the use that was drawn from.
    pub from: Date,
    /// 迄日: last day.
    pub until: Date,
    /// 抽查比率: percentage that was drawn at random.
    pub percent: i32,
    /// 最低筆數: at least so many.
    pub at_least: i32,
    /// 隨機種子: seed of the drawing in hexadecimal. Ranked by SHA-256 over seed and record number (16 bytes), the
    /// lowest were drawn.
    pub seed: String,
    /// 母體筆數: operations that were drawn from.
    pub population: i32,
    /// 無法讀取處: places of the log that could not be read, and operations that stand in the logs of other servers;
    /// anything but 0 belongs in the report.
    pub unreadable: i32,
    /// 狀態: where it stands.
    pub status: InspectionStatus,
    /// 抽查者: account that drew it.
    pub drawn_by: String,
    /// 抽查時間: when.
    pub drawn_at: OffsetDateTime,
    /// 查驗報告: the report.
    pub summary: Option<String>,
    /// 陳報者: account that reported.
    pub reported_by: Option<String>,
    /// 陳報時間: when.
    pub reported_at: Option<OffsetDateTime>,
    /// 核閱期限: day by which the head takes notice.
    pub acknowledge_by: Option<Date>,
    /// 核閱者: account of the head.
    pub acknowledged_by: Option<String>,
    /// 核閱時間: when.
    pub acknowledged_at: Option<OffsetDateTime>,
    /// 查驗項目: what was drawn, in the order of time.
    pub entries: Vec<InspectionEntry>,
}

impl Procedure {
    /// Inspections that the caller may see, newest first: of one's own agency, for the ethics office of all. What was drawn
    /// is loaded where it is wanted.
    pub async fn inspections(
        &self,
        act: &Act,
        of: Option<&str>,
        page: &Page,
        with_entries: bool,
    ) -> Result<Vec<Inspection>, Fault> {
        let anywhere = is_of_ethics_office(self.db(), act).await?;
        let of = if anywhere { of } else { Some(of.unwrap_or(&act.caller.agency)) };
        let mut wanted = inspection::Entity::find();
        if let Some(of) = of {
            if !anywhere && *of != *act.caller.agency {
                return Err(not_found("agency", "機關", of));
            }
            wanted = wanted.filter(inspection::Column::AgencyId.eq(get_agency(self.db(), of).await?.id));
        }
        if let Some(after) = &page.after {
            let last = wanted.clone().filter(inspection::Column::Number.eq(after)).one(self.db()).await?;
            wanted = wanted.filter(inspection::Column::Id.lt(last.ok_or_else(|| no_entry(after))?.id));
        }
        let rows = wanted.order_by_desc(inspection::Column::Id).limit(page.limit()?).all(self.db()).await?;
        let agencies = agency_codes(self.db(), rows.iter().map(|row| row.agency_id)).await?;
        let ids = rows.iter().map(|row| row.id).filter(|_| with_entries);
        let drawn = inspection_entry::Entity::find().filter(inspection_entry::Column::InspectionId.is_in(ids));
        let mut entries: HashMap<i64, Vec<inspection_entry::Model>> = HashMap::new();
        for row in drawn.order_by_asc(inspection_entry::Column::Id).all(self.db()).await? {
            entries.entry(row.inspection_id).or_default().push(row);
        }
        let show = |row: inspection::Model| {
            let agency = agencies.get(&row.agency_id).cloned().unwrap_or_else(|| "-".to_owned());
            let entries = entries.remove(&row.id).unwrap_or_default();
            inspection_shown(row, agency, entries)
        };
        Ok(rows.into_iter().map(show).collect())
    }

    /// One inspection with what the records say. The look is recorded as a reading of the log.
    pub async fn inspection(&self, act: &Act, number: &str) -> Result<Inspection, Fault> {
        let row = find(self.db(), number).await?;
        let mut shown = self.whole(row).await?;
        if *shown.agency != *act.caller.agency && !is_of_ethics_office(self.db(), act).await? {
            return Err(unknown(number));
        }
        let reader = self.open_log(act, "inspection", &json!({ "number": number })).await?;
        let drawn: HashMap<String, i64> =
            shown.entries.iter().map(|entry| (entry.record.clone(), micros(entry.at))).collect();
        let agency = shown.agency.clone();
        let days = span_us((shown.from, shown.until));
        let mut said = read_log(move || {
            let mut said = HashMap::new();
            let wants = |record: &crate::audit::decode::StoredRecord| {
                *record.who.agency == *agency && drawn.contains_key(&record.id.to_string())
            };
            reader.within(days, wants, |entry| {
                said.insert(entry.record.id.to_string(), recorded(&reader, entry));
            })?;
            Ok(said)
        })
        .await?;
        shown.entries.iter_mut().for_each(|entry| entry.recorded = said.remove(&entry.record));
        Ok(shown)
    }

    pub(crate) async fn inspection_by_id(&self, id: i64) -> Result<Inspection, Fault> {
        let row = inspection::Entity::find_by_id(id).one(self.db()).await?;
        self.whole(row.ok_or_else(|| unknown(&id.to_string()))?).await
    }

    async fn whole(&self, row: inspection::Model) -> Result<Inspection, Fault> {
        let entries = entries_of(self.db(), row.id).await?;
        Ok(inspection_shown(row.clone(), agency_code(self.db(), row.agency_id).await?, entries))
    }
}

fn inspection_shown(row: inspection::Model, agency: String, entries: Vec<inspection_entry::Model>) -> Inspection {
    Inspection {
        agency,
        number: row.number,
        from: row.first_day,
        until: row.last_day,
        percent: row.percent,
        at_least: row.at_least,
        seed: row.seed,
        population: row.population,
        unreadable: row.unreadable,
        status: InspectionStatus::parse(&row.status),
        drawn_by: row.drawn_by,
        drawn_at: row.drawn_at,
        summary: row.summary,
        reported_by: row.reported_by,
        reported_at: row.reported_at,
        acknowledge_by: row.acknowledge_by,
        acknowledged_by: row.acknowledged_by,
        acknowledged_at: row.acknowledged_at,
        entries: entries.into_iter().map(entry_shown).collect(),
    }
}

/// The inspection of that number.
pub(crate) async fn find(db: &impl ConnectionTrait, number: &str) -> Result<inspection::Model, Fault> {
    let row = inspection::Entity::find().filter(inspection::Column::Number.eq(number)).one(db).await?;
    row.ok_or_else(|| unknown(number))
}

/// What was drawn, in the order of time.
pub(crate) async fn entries_of(db: &impl ConnectionTrait, id: i64) -> Result<Vec<inspection_entry::Model>, Fault> {
    let of = inspection_entry::Entity::find().filter(inspection_entry::Column::InspectionId.eq(id));
    Ok(of.order_by_asc(inspection_entry::Column::Id).all(db).await?)
}

pub(crate) fn unknown(number: &str) -> Fault {
    not_found("inspection", "查驗", number)
}

/// These days in Taipei as the log counts time, the end exclusive.
pub(crate) fn span_us((first, last): (Date, Date)) -> (i64, i64) {
    let begin = |day: Date| micros(day.midnight().assume_offset(offset!(+8)));
    (begin(first), last.next_day().map_or(i64::MAX, begin))
}

fn entry_shown(row: inspection_entry::Model) -> InspectionEntry {
    let finding = match (row.verdict, row.found_by, row.found_at) {
        (Some(verdict), Some(found_by), Some(found_at)) => {
            let comment = row.comment.unwrap_or_default();
            Some(Finding { verdict: Verdict::parse(&verdict), comment, found_by, found_at })
        }
        _ => None,
    };
    InspectionEntry {
        record: row.record_id,
        account: row.account,
        at: row.at,
        sampled: row.sampled,
        flags: row.flags.split_whitespace().filter_map(InspectionFlag::parse).collect(),
        finding,
        recorded: None,
    }
}

fn recorded(reader: &Reader, entry: Entry) -> RecordedOperation {
    let secrets = reader.secrets(&entry).unwrap_or_default();
    let operation = entry.document.as_deref().map(|text| secrets.document(text));
    let why = &entry.record.why;
    RecordedOperation {
        form: why.form.as_deref().unwrap_or_default().to_owned(),
        version: i32::try_from(why.form_version).unwrap_or(0),
        sub_form: why.sub_form.as_deref().map(str::to_owned),
        purpose: why.purpose.as_deref().map(str::to_owned),
        case_number: secrets.case_number,
        operation,
        variables: secrets.variables.filter(|variables| !variables.is_empty()),
        rows: i32::try_from(entry.record.outcome.rows).unwrap_or(i32::MAX),
    }
}
