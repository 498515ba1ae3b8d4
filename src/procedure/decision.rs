//! Deciding on an annex (clause 7(2)): approved, returned to be mended, or refused, by the custodian's database
//! administrator or head, never on one's own application.

use async_graphql::Enum;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::agency::agency_title;
use super::application::{Application, unknown};
use super::application_list::find;
use super::draft::{check_not_own, check_revision};
use super::entity::{annex, application, decision as decisions, step};
use super::fault::{conflict, forbidden, wrong};
use super::group::uses_form;
use super::step::{Begun, News, Step, To};
use super::wording::is_blank;
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
        if is_blank(comment) && decision != Decision::Approve {
            return Err(wrong("comment", "expected the reason", "應敘明理由"));
        }
        let step = match self.begin(act, "decideAnnex").await? {
            Begun::Before(id) => return self.application_by_id(id).await,
            Begun::New(step) => step,
        };
        let whole = find(step.tx(), number).await?;
        let own = whole.annexes.iter().find(|(annex, _)| *annex.custodian == *act.caller.agency);
        let annex = match own {
            Some((annex, _)) if whole.is_handed_in() => annex.clone(),
            _ => return Err(unknown(number)),
        };
        check_not_own(step.tx(), &whole, act).await?;
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
        // Approved, it could be neither opened nor mended.
        if decision == Decision::Approve && whole.header.valid_until < self.today() {
            let until = whole.header.valid_until;
            let (en, zh) = (
                format!("Its period ended on {until}: return it, so that a later one can be asked for."),
                format!("申請期間已於 {until} 屆滿，請退回補正，俾改列期間。"),
            );
            return Err(conflict(en, zh, whole.current()));
        }
        let word = decision.word();
        let decision_number = self.write_decision(&step, &annex, decision, comment).await?;
        let others = whole.annexes.iter().filter(|(other, _)| other.id != annex.id);
        let stands = standing(others.map(|(other, _)| other.status.as_str()).chain([word]));
        let row = application::ActiveModel {
            id: Set(whole.header.id),
            status: Set(stands.to_owned()),
            revision: Set(whole.header.revision + 1),
            ..Default::default()
        };
        application::Entity::update(row).exec(step.tx()).await?;
        let custodian = &annex.custodian;
        let title = agency_title(step.tx(), custodian).await?;
        let news = News {
            kind: "application",
            number,
            en: format!("{custodian} has decided ({decision_number}): {word}. {comment}"),
            zh: format!("{title}審核結果（{decision_number}）：{}。{comment}", word_zh(decision)),
            due: None,
        };
        step.tell(To::Role(Role::BusinessAdministrator, &whole.agency), &news).await?;
        self.tell_settled(&step, number, &whole.agency, stands).await?;
        let detail = json!({ "number": number, "custodian": custodian, "decision": word, "letter": decision_number });
        step.finish("application", whole.header.id, detail).await?;
        self.application_by_id(whole.header.id).await
    }

    /// Writes a decision beside those before it, and as the one that stands.
    async fn write_decision(
        &self,
        step: &Step<'_>,
        annex: &annex::Model,
        decision: Decision,
        comment: &str,
    ) -> Result<String, Fault> {
        // Every decision ever taken is a step, so that no number is given twice.
        let decided = step::Entity::find().filter(step::Column::Operation.eq("decideAnnex")).count(step.tx()).await?;
        let number = format!("D-{}-{:04}", self.today().year(), decided + 1);
        let (by, comment) = (step.act.caller.account.to_string(), (!comment.is_empty()).then(|| comment.to_owned()));
        let row = decisions::ActiveModel {
            annex_id: Set(annex.id),
            number: Set(number.clone()),
            decision: Set(decision.word().to_owned()),
            decided_by: Set(by.clone()),
            decided_at: Set(self.now()),
            comment: Set(comment.clone()),
            ..Default::default()
        };
        decisions::Entity::insert(row).exec_without_returning(step.tx()).await?;
        let row = annex::ActiveModel {
            id: Set(annex.id),
            status: Set(decision.word().to_owned()),
            decided_by: Set(Some(by)),
            decided_at: Set(Some(self.now())),
            decision_number: Set(Some(number.clone())),
            comment: Set(comment),
            ..Default::default()
        };
        annex::Entity::update(row).exec(step.tx()).await?;
        Ok(number)
    }

    /// Tells those whose turn it is once every custodian has decided.
    pub(super) async fn tell_settled(
        &self,
        step: &Step<'_>,
        number: &str,
        agency: &str,
        stands: &str,
    ) -> Result<(), Fault> {
        let mut news = News { kind: "application", number, en: String::new(), zh: String::new(), due: None };
        match stands {
            "decided" => {
                news.en = "Every custodian has decided; what was approved can be opened.".to_owned();
                news.zh = "各管理機關均已審定，得就核准部分建立主表單。".to_owned();
                step.tell(To::Everywhere(Role::InformationOffice), &news).await
            }
            "refused" => {
                news.en = "No custodian has approved anything: the application has ended. Mend what was said against \
                           it in a new one."
                    .to_owned();
                news.zh = "各管理機關均不同意，本案已結束；如仍有需要，請依審核意見修正後另行申請。".to_owned();
                step.tell(To::Role(Role::BusinessAdministrator, agency), &news).await
            }
            _ => Ok(()),
        }
    }
}

impl Decision {
    /// As it is stored.
    fn word(self) -> &'static str {
        match self {
            Decision::Approve => "approved",
            Decision::Return => "returned",
            Decision::Refuse => "refused",
        }
    }

    /// From what is stored.
    pub(crate) fn of(word: &str) -> Decision {
        match word {
            "approved" => Decision::Approve,
            "refused" => Decision::Refuse,
            _ => Decision::Return,
        }
    }
}

/// Where an application that was handed in stands when its annexes stand so.
pub(super) fn standing<'a>(annexes: impl Iterator<Item = &'a str>) -> &'static str {
    let mut stands = "refused";
    for annex in annexes {
        match annex {
            "approved" => stands = "decided",
            "refused" | "dropped" => {}
            _ => return "submitted",
        }
    }
    stands
}

/// A decision in Chinese.
pub(crate) fn word_zh(decision: Decision) -> &'static str {
    match decision {
        Decision::Approve => "核准",
        Decision::Return => "退回補正",
        Decision::Refuse => "不同意",
    }
}
