//! How an incident ends (clause 12): it is remedied, by those whose use it is about, and closed by the head or an ethics
//! officer.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use time::macros::offset;

use super::entity::incident;
use super::fault::{conflict, forbidden, wrong};
use super::incident::Incident;
use super::person::names_of;
use super::step::{Begun, News};
use super::wording::is_blank;
use super::{Act, Fault, Procedure};

impl Procedure {
    /// Says what was done about an incident of the caller's agency.
    pub async fn remedy_incident(&self, act: &Act, number: &str, remedy: &str) -> Result<Incident, Fault> {
        if is_blank(remedy) {
            return Err(wrong("remedy", "expected what was done", "應敘明補救措施"));
        }
        let step = match self.begin(act, "remedyIncident").await? {
            Begun::Before(id) => return self.incident_by_id(id).await,
            Begun::New(step) => step,
        };
        let (row, agency) = self.find_incident(&step, act, number).await?;
        let own = names_of(step.tx(), &act.caller.account).await?;
        if row.account.as_ref().is_some_and(|about| own.contains(about)) {
            return Err(forbidden("The incident is about you.", "此事件與您有關，不得自行辦理。", "12"));
        }
        if row.status == "closed" {
            return Err(conflict("It is closed already.", "事件已結案。", json!({ "status": row.status })));
        }
        // What was done before stands, with who said so and when.
        let remedies = match (&row.remedy, &row.remedied_by, row.remedied_at) {
            (Some(before), Some(by), Some(at)) => {
                format!("{before}（{by}，{}）\n{}", at.to_offset(offset!(+8)).date(), remedy.trim())
            }
            _ => remedy.trim().to_owned(),
        };
        incident::Entity::update_many()
            .col_expr(incident::Column::Status, Expr::value("remedied"))
            .col_expr(incident::Column::Remedy, Expr::value(remedies))
            .col_expr(incident::Column::RemediedBy, Expr::value(&*act.caller.account))
            .col_expr(incident::Column::RemediedAt, Expr::value(self.now()))
            .filter(incident::Column::Id.eq(row.id))
            .exec(step.tx())
            .await?;
        let (en, zh) = (format!("Remedied: {}", row.title), format!("已採補救措施：{}", row.title));
        let news = News { kind: "incident", number, en, zh, due: None };
        self.tell_of_incident(&step, &agency, row.account.as_deref(), &news).await?;
        step.finish("incident", row.id, json!({ "number": number, "remedy": remedy.trim() })).await?;
        self.incident_by_id(row.id).await
    }

    /// Closes an incident that was remedied. What was suspended is resumed by those whose step that is.
    pub async fn close_incident(&self, act: &Act, number: &str, conclusion: &str) -> Result<Incident, Fault> {
        if is_blank(conclusion) {
            return Err(wrong("conclusion", "expected how it ends", "應敘明結案意見"));
        }
        let step = match self.begin(act, "closeIncident").await? {
            Begun::Before(id) => return self.incident_by_id(id).await,
            Begun::New(step) => step,
        };
        let (row, agency) = self.find_incident(&step, act, number).await?;
        if row.status != "remedied" {
            let (en, zh) = ("Only a remedied incident can be closed.", "僅已採補救措施之事件得結案。");
            return Err(conflict(en, zh, json!({ "status": row.status })));
        }
        incident::Entity::update_many()
            .col_expr(incident::Column::Status, Expr::value("closed"))
            .col_expr(incident::Column::Conclusion, Expr::value(conclusion.trim()))
            .col_expr(incident::Column::ClosedBy, Expr::value(&*act.caller.account))
            .col_expr(incident::Column::ClosedAt, Expr::value(self.now()))
            .filter(incident::Column::Id.eq(row.id))
            .exec(step.tx())
            .await?;
        let (en, zh) = (format!("Closed: {}", row.title), format!("已結案：{}", row.title));
        let news = News { kind: "incident", number, en, zh, due: None };
        self.tell_of_incident(&step, &agency, row.account.as_deref(), &news).await?;
        step.finish("incident", row.id, json!({ "number": number, "conclusion": conclusion.trim() })).await?;
        self.incident_by_id(row.id).await
    }
}
