//! From the findings to the head's notice: each entry is judged by somebody else than who acted, the report goes to the
//! agency's head and the ethics officers, and who inspects never takes notice of their own inspection.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use time::Duration;

use super::agency::agency_title;
use super::entity::{inspection, inspection_entry};
use super::fault::{conflict, forbidden, not_found, wrong};
use super::inspection::{Inspection, InspectionStatus, Verdict, entries_of, find, unknown};
use super::person::names_of;
use super::step::{Begun, News, Step, To};
use super::{Act, Fault, Procedure};
use crate::access::Role;
use crate::accounts::entity::agency;

/// Days in which the head takes notice of a report.
pub(crate) const DAYS_TO_ACKNOWLEDGE: i64 = 14;

/// Longest comment or summary.
const LONGEST_TEXT: usize = 10_000;

impl Procedure {
    /// Records what was found about an entry. Until the report, who found it may say it anew.
    pub async fn record_finding(
        &self,
        act: &Act,
        number: &str,
        record: &str,
        (verdict, comment): (Verdict, &str),
    ) -> Result<Inspection, Fault> {
        let comment = comment.trim();
        if comment.is_empty() && verdict != Verdict::Proper {
            return Err(wrong("comment", "expected what was found", "應載明查驗意見"));
        }
        check_length("comment", comment)?;
        let step = match self.begin(act, "recordFinding").await? {
            Begun::Before(id) => return self.inspection_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number).await?;
        let entry = inspection_entry::Entity::find()
            .filter(inspection_entry::Column::InspectionId.eq(whole.id))
            .filter(inspection_entry::Column::RecordId.eq(record))
            .one(step.tx())
            .await?
            .ok_or_else(|| not_found("entry of this inspection", "查驗項目", record))?;
        if names_of(step.tx(), &act.caller.account).await?.contains(&entry.account) {
            let (en, zh) = ("Nobody inspects their own operations.", "不得查驗本人之操作。");
            return Err(forbidden(en, zh, "8(3)"));
        }
        in_state(&whole, InspectionStatus::Drawn)?;
        if entry.found_by.as_deref().is_some_and(|by| *by != *act.caller.account) {
            let current = json!({
                "record": record, "verdict": entry.verdict, "comment": entry.comment, "foundBy": entry.found_by,
            });
            return Err(conflict("Somebody else has found about it already.", "他人已完成此項查驗。", current));
        }
        let row = inspection_entry::ActiveModel {
            id: Set(entry.id),
            verdict: Set(Some(verdict.word().to_owned())),
            comment: Set(Some(comment.to_owned())),
            found_by: Set(Some(act.caller.account.to_string())),
            found_at: Set(Some(self.now())),
            ..Default::default()
        };
        inspection_entry::Entity::update(row).exec(step.tx()).await?;
        let detail = json!({ "number": number, "record": record, "verdict": verdict.word() });
        step.finish("inspection", whole.id, detail).await?;
        self.inspection_by_id(whole.id).await
    }

    /// Reports an inspection whose entries all have findings.
    pub async fn report_inspection(&self, act: &Act, number: &str, summary: &str) -> Result<Inspection, Fault> {
        let summary = summary.trim();
        if summary.is_empty() {
            return Err(wrong("summary", "expected the report", "應載明查驗報告"));
        }
        check_length("summary", summary)?;
        let step = match self.begin(act, "reportInspection").await? {
            Begun::Before(id) => return self.inspection_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number).await?;
        in_state(&whole, InspectionStatus::Drawn)?;
        let entries = entries_of(step.tx(), whole.id).await?;
        let open: Vec<&str> =
            entries.iter().filter(|one| one.verdict.is_none()).map(|one| one.record_id.as_str()).collect();
        if !open.is_empty() {
            return Err(conflict(
                format!("{} entries have no finding yet.", open.len()),
                format!("尚有 {} 筆未完成查驗。", open.len()),
                json!({ "number": number, "withoutFinding": open }),
            ));
        }
        let improper = entries.iter().filter(|one| one.verdict.as_deref() == Some(Verdict::Improper.word())).count();
        let due = self.today() + Duration::days(DAYS_TO_ACKNOWLEDGE);
        let row = inspection::ActiveModel {
            id: Set(whole.id),
            status: Set(InspectionStatus::Reported.word().to_owned()),
            summary: Set(Some(summary.to_owned())),
            reported_by: Set(Some(act.caller.account.to_string())),
            reported_at: Set(Some(self.now())),
            acknowledge_by: Set(Some(due)),
            ..Default::default()
        };
        inspection::Entity::update(row).exec(step.tx()).await?;
        let agency = &act.caller.agency;
        let title = agency_title(step.tx(), agency).await?;
        let mut news = News {
            kind: "inspection",
            number,
            en: format!("{agency} has inspected its use: {} operations, {improper} improper.", entries.len()),
            zh: format!("{title}已完成使用查驗：共 {} 筆，不當 {improper} 筆。", entries.len()),
            due: None,
        };
        tell_ethics(&step, agency, &news).await?;
        news.due = Some(due);
        news.en += " Take notice of the report.";
        news.zh += "請核閱報告。";
        step.tell(To::Role(Role::AgencyHead, agency), &news).await?;
        step.finish("inspection", whole.id, json!({ "number": number, "improper": improper })).await?;
        self.inspection_by_id(whole.id).await
    }

    /// Takes notice of a report as the agency's head.
    pub async fn acknowledge_inspection(&self, act: &Act, number: &str) -> Result<Inspection, Fault> {
        let step = match self.begin(act, "acknowledgeInspection").await? {
            Begun::Before(id) => return self.inspection_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = own(&step, act, number).await?;
        in_state(&whole, InspectionStatus::Reported)?;
        let entries = entries_of(step.tx(), whole.id).await?;
        let found_by = entries.iter().filter_map(|entry| entry.found_by.as_deref());
        let inspected: BTreeSet<&str> =
            found_by.chain(whole.reported_by.as_deref()).chain([whole.drawn_by.as_str()]).collect();
        if names_of(step.tx(), &act.caller.account).await?.iter().any(|name| inspected.contains(name.as_str())) {
            let (en, zh) = ("Who inspects does not take notice of it.", "查驗者不得核閱本人之查驗。");
            return Err(forbidden(en, zh, "8(3)"));
        }
        let row = inspection::ActiveModel {
            id: Set(whole.id),
            status: Set(InspectionStatus::Acknowledged.word().to_owned()),
            acknowledged_by: Set(Some(act.caller.account.to_string())),
            acknowledged_at: Set(Some(self.now())),
            ..Default::default()
        };
        inspection::Entity::update(row).exec(step.tx()).await?;
        let agency = &act.caller.agency;
        let title = agency_title(step.tx(), agency).await?;
        let news = News {
            kind: "inspection",
            number,
            en: format!("The head of {agency} has taken notice of the inspection."),
            zh: format!("{title}首長已核閱查驗報告。"),
            due: None,
        };
        step.tell(To::Role(Role::BusinessAdministrator, agency), &news).await?;
        tell_ethics(&step, agency, &news).await?;
        step.finish("inspection", whole.id, json!({ "number": number })).await?;
        self.inspection_by_id(whole.id).await
    }
}

/// Tells the ethics officers of an agency and those of the ethics office, each once.
pub(crate) async fn tell_ethics(step: &Step<'_>, of: &str, news: &News<'_>) -> Result<(), Fault> {
    let offices = agency::Entity::find().filter(agency::Column::Kind.eq("ethics-office")).all(step.tx()).await?;
    let told: BTreeSet<&str> = offices.iter().map(|office| office.code.as_str()).chain([of]).collect();
    for agency in told {
        step.tell(To::Role(Role::EthicsOfficer, agency), news).await?;
    }
    Ok(())
}

fn check_length(field: &str, text: &str) -> Result<(), Fault> {
    match text.chars().count() {
        ..=LONGEST_TEXT => Ok(()),
        count => Err(wrong(
            field,
            format!("expected at most {LONGEST_TEXT} characters, not {count}"),
            format!("至多 {LONGEST_TEXT} 字，目前 {count} 字"),
        )),
    }
}

/// The inspection, if it is one of the caller's agency.
async fn own(step: &Step<'_>, act: &Act, number: &str) -> Result<inspection::Model, Fault> {
    let whole = find(step.tx(), number).await?;
    let of = super::agency::get_agency(step.tx(), &act.caller.agency).await?;
    if whole.agency_id == of.id { Ok(whole) } else { Err(unknown(number)) }
}

fn in_state(whole: &inspection::Model, state: InspectionStatus) -> Result<(), Fault> {
    if whole.status == state.word() {
        return Ok(());
    }
    let (en, zh) = match state {
        InspectionStatus::Drawn => ("It is reported already.", "已陳報查驗報告。"),
        _ if whole.status == InspectionStatus::Drawn.word() => ("It is not reported yet.", "尚未陳報查驗報告。"),
        _ => ("The report is acknowledged already.", "已核閱查驗報告。"),
    };
    Err(conflict(en, zh, current(whole)))
}

fn current(whole: &inspection::Model) -> Value {
    json!({
        "number": whole.number, "status": whole.status, "reportedBy": whole.reported_by,
        "acknowledgedBy": whole.acknowledged_by,
    })
}
