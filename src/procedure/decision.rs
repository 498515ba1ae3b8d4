//! Deciding on an annex (clause 7(2)): approved, returned to be mended, or refused, by the custodian's database
//! administrator or head, never on one's own application.

use async_graphql::Enum;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::agency::agency_title;
use super::application::{Application, unknown};
use super::application_list::find;
use super::draft::{check_not_own, check_revision};
use super::entity::{annex, application};
use super::fault::{conflict, forbidden, wrong};
use super::group::uses_form;
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure};
use crate::access::Role;

/// 審核結果: what a custodian decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Decision {
    /// 核准: approved.
    Approve,
    /// 退回補正: returned; the applicant mends it and hands it in again.
    Return,
    /// 不同意: refused.
    Refuse,
}

impl Procedure {
    /// Decides on the annex of the caller's agency.
    pub async fn decide_annex(
        &self,
        act: &Act,
        number: &str,
        revision: i32,
        decision: Decision,
        comment: &str,
    ) -> Result<Application, Fault> {
        let comment = comment.trim();
        if comment.is_empty() && decision != Decision::Approve {
            return Err(wrong("comment", "expected the reason", "應敘明理由"));
        }
        let step = match self.begin(act, "decideAnnex").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = find(step.tx(), number).await?;
        let own = whole.annexes.iter().find(|(annex, _)| *annex.custodian == *act.caller.agency);
        let annex = match own {
            Some((annex, _)) if whole.header.status != "draft" => annex.clone(),
            _ => return Err(unknown(number)),
        };
        check_not_own(&whole, act)?;
        if let Some(form_id) = whole.header.form_id
            && uses_form(step.tx(), form_id, act.caller.account_id).await?
        {
            let (en, zh) = ("Nobody decides on a form that they use themselves.", "不得審核本人所使用之表單。");
            return Err(forbidden(en, zh, "7"));
        }
        if annex.status != "submitted" || whole.header.status != "submitted" {
            return Err(conflict("This annex is not waiting for a decision.", "此附表非待審狀態。", whole.current()));
        }
        check_revision(&whole, revision)?;
        let word = match decision {
            Decision::Approve => "approved",
            Decision::Return => "returned",
            Decision::Refuse => "refused",
        };
        let decided =
            annex::Entity::find().filter(annex::Column::DecisionNumber.is_not_null()).count(step.tx()).await?;
        let decision_number = format!("D-{}-{:04}", self.today().year(), decided + 1);
        let row = annex::ActiveModel {
            id: Set(annex.id),
            status: Set(word.to_owned()),
            decided_by: Set(Some(act.caller.account.to_string())),
            decided_at: Set(Some(self.now())),
            decision_number: Set(Some(decision_number.clone())),
            comment: Set((!comment.is_empty()).then(|| comment.to_owned())),
            ..Default::default()
        };
        annex::Entity::update(row).exec(step.tx()).await?;
        let others = whole.annexes.iter().filter(|(other, _)| other.id != annex.id);
        let all_decided = decision != Decision::Return
            && others.into_iter().all(|(other, _)| matches!(other.status.as_str(), "approved" | "refused"));
        let row = application::ActiveModel {
            id: Set(whole.header.id),
            status: Set(if all_decided { "decided" } else { "submitted" }.to_owned()),
            revision: Set(whole.header.revision + 1),
            ..Default::default()
        };
        application::Entity::update(row).exec(step.tx()).await?;
        let custodian = &annex.custodian;
        let title = agency_title(step.tx(), custodian).await?;
        let mut news = News {
            kind: "application",
            number,
            en: format!("{custodian} has decided ({decision_number}): {word}. {comment}"),
            zh: format!("{title}審核結果（{decision_number}）：{}。{comment}", word_zh(decision)),
            due: None,
        };
        step.tell(To::Role(Role::BusinessAdministrator, &whole.agency), &news).await?;
        if all_decided {
            news.en = "Every custodian has decided; what was approved can be opened.".to_owned();
            news.zh = "各管理機關均已審定，得就核准部分建立主表單。".to_owned();
            step.tell(To::Everywhere(Role::InformationOffice), &news).await?;
        }
        let detail = json!({ "number": number, "custodian": custodian, "decision": word, "letter": decision_number });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }
}

fn word_zh(decision: Decision) -> &'static str {
    match decision {
        Decision::Approve => "核准",
        Decision::Return => "退回補正",
        Decision::Refuse => "不同意",
    }
}
