//! Datasets come and go (clause 4): suspended at once, resumed, withdrawn with every item that was granted of them. What
//! a dataset is, its declaration says.

use std::collections::BTreeSet;

use async_graphql::{Enum, SimpleObject};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use time::OffsetDateTime;

use super::agency::check_title;
use super::appointment::is_central;
use super::fault::{conflict, forbidden, not_found};
use super::master_form::find_form;
use super::opening::rested;
use super::step::{Begun, News, Step, To};
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::{dataset_state, master_form};
use crate::catalog::Dataset as Declared;

/// 資料庫狀態: state of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DatasetStatus {
    /// 提供中: in service.
    Active,
    /// 暫停提供: suspended; every query that touches it is refused with DATASET_SUSPENDED.
    Suspended,
    /// 終止提供: withdrawn; every form has lost its items.
    Withdrawn,
}

/// 資料庫: a dataset and its state.
#[derive(Debug, Clone, SimpleObject)]
pub struct Dataset {
    /// 代碼: code, `land`.
    pub code: String,
    /// 名稱: title.
    pub title: String,
    /// 管理機關: code of its custodian.
    pub custodian: String,
    /// 狀態: whether it may be asked.
    pub status: DatasetStatus,
    /// 原因: why the status is what it is.
    pub reason: Option<String>,
    /// 起始時間: since when.
    pub since: Option<OffsetDateTime>,
}

impl Procedure {
    /// All datasets that are declared, in their order.
    pub async fn datasets(&self) -> Result<Vec<Dataset>, Fault> {
        let states = dataset_state::Entity::find().all(self.db()).await?;
        let state = |code: &str| states.iter().find(|state| state.code == code).cloned();
        Ok(self.catalog.datasets.iter().map(|declared| shown(declared, state(&declared.code))).collect())
    }

    /// Suspends, resumes or withdraws a dataset, effective everywhere within a second.
    pub async fn set_dataset_status(
        &self,
        act: &Act,
        operation: &'static str,
        code: &str,
        to: DatasetStatus,
        reason: &str,
    ) -> Result<Dataset, Fault> {
        let reason = check_title("reason", reason)?;
        let declared = self.catalog.datasets.iter().find(|dataset| dataset.code == code);
        let declared = declared.ok_or_else(|| not_found("dataset", "資料庫", code))?;
        let own = *declared.custodian == *act.caller.agency;
        if !own && !has_role(&act.caller, Role::InformationOffice) {
            return Err(forbidden("This dataset is another agency's.", "此資料庫屬其他機關管理。", "4"));
        }
        let mut step = match self.begin(act, operation).await? {
            Begun::Before(_) => return self.dataset(declared).await,
            Begun::New(step) => step,
        };
        let state = dataset_state::Entity::find_by_id(code).one(step.tx()).await?;
        let from = status(state.as_ref().map_or("active", |state| state.status.as_str()));
        let allowed = match to {
            DatasetStatus::Active => from != DatasetStatus::Active,
            DatasetStatus::Suspended => from == DatasetStatus::Active,
            DatasetStatus::Withdrawn => from != DatasetStatus::Withdrawn,
        };
        if !allowed {
            let (en, zh) = ("The dataset is in that state already.", "資料庫已為該狀態。");
            return Err(conflict(en, zh, json!({ "code": code, "status": word(from) })));
        }
        // What the information office has stopped, it starts again.
        let by = state.as_ref().filter(|_| to == DatasetStatus::Active).map(|state| state.changed_by.as_str());
        if let Some(by) = by
            && !has_role(&act.caller, Role::InformationOffice)
            && is_central(step.tx(), by).await?
        {
            let (en, zh) = match from {
                DatasetStatus::Withdrawn => (
                    "The information office has withdrawn it, and is asked to offer it again.",
                    "由資訊局終止提供者，請洽資訊局恢復。",
                ),
                _ => ("The information office has suspended it and resumes it.", "由資訊局暫停者，由資訊局恢復。"),
            };
            return Err(forbidden(en, zh, "4"));
        }
        let row = dataset_state::ActiveModel {
            code: Set(code.to_owned()),
            status: Set(word(to).to_owned()),
            reason: Set(reason.to_owned()),
            changed_by: Set(act.caller.account.to_string()),
            changed_at: Set(self.now()),
        };
        let mut replace = OnConflict::column(dataset_state::Column::Code);
        replace.update_columns([
            dataset_state::Column::Status,
            dataset_state::Column::Reason,
            dataset_state::Column::ChangedBy,
            dataset_state::Column::ChangedAt,
        ]);
        dataset_state::Entity::insert(row).on_conflict(replace).exec_without_returning(step.tx()).await?;
        step.changes_rights();
        let lost = if to == DatasetStatus::Withdrawn {
            self.withdraw(&step, act, declared, reason).await?
        } else {
            Vec::new()
        };
        let news = News {
            kind: "dataset",
            number: code,
            en: format!("The dataset {code} is {} now: {reason}", word(to)),
            zh: format!("資料庫 {}（{code}）{}：{reason}", declared.title, word_zh(to)),
            due: None,
        };
        step.tell(To::Everywhere(Role::BusinessAdministrator), &news).await?;
        step.tell(To::Role(Role::DatabaseAdministrator, &declared.custodian), &news).await?;
        step.tell(To::Everywhere(Role::InformationOffice), &news).await?;
        step.finish("dataset", 0, json!({ "code": code, "status": word(to), "reason": reason, "forms": lost })).await?;
        self.dataset(declared).await
    }

    /// Takes every item of a dataset out of every form in force.
    async fn withdraw(
        &self,
        step: &Step<'_>,
        act: &Act,
        dataset: &Declared,
        reason: &str,
    ) -> Result<Vec<String>, Fault> {
        let mut lost = Vec::new();
        let forms = master_form::Entity::find()
            .filter(master_form::Column::Status.ne("closed"))
            .order_by_asc(master_form::Column::Id)
            .all(step.tx())
            .await?;
        for row in forms {
            let form = find_form(step.tx(), &row.number).await?;
            let Some((version, items)) = rested(step.tx(), row.id).await? else { continue };
            let of_dataset = |coordinate: &str| {
                let field = self.catalog.fields_by_coordinate.get(coordinate).map(|id| self.catalog.field(*id));
                field.is_some_and(|field| field.dataset == dataset.id)
            };
            let before = items.len();
            let kept: Vec<_> = items.into_iter().filter(|(item, _)| !of_dataset(&item.coordinate)).collect();
            if kept.len() == before {
                continue;
            }
            self.without(step, act, &form, version, kept).await?;
            let (en, zh) = (
                format!("has lost the items of the dataset {}: {reason}", dataset.code),
                format!("中屬資料庫 {} 之項目已終止提供：{reason}", dataset.title),
            );
            self.tell_holders(step, &form, en, zh).await?;
            lost.push(row.number);
        }
        Ok(lost)
    }

    /// The dataset that a coordinate belongs to.
    pub(crate) fn dataset_of(&self, coordinate: &str) -> Option<&Declared> {
        let field = self.catalog.fields_by_coordinate.get(coordinate).map(|id| self.catalog.field(*id));
        field.map(|field| self.catalog.dataset(field.dataset))
    }

    /// Codes of the withdrawn datasets among those that these coordinates belong to.
    pub(crate) async fn withdrawn_of<'a>(
        &self,
        db: &impl ConnectionTrait,
        coordinates: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<String>, Fault> {
        let touched: BTreeSet<&str> =
            coordinates.filter_map(|name| self.dataset_of(name)).map(|dataset| dataset.code.as_str()).collect();
        let withdrawn = dataset_state::Entity::find()
            .filter(dataset_state::Column::Status.eq("withdrawn"))
            .filter(dataset_state::Column::Code.is_in(touched))
            .order_by_asc(dataset_state::Column::Code);
        Ok(withdrawn.all(db).await?.into_iter().map(|row| row.code).collect())
    }

    async fn dataset(&self, declared: &Declared) -> Result<Dataset, Fault> {
        let state = dataset_state::Entity::find_by_id(declared.code.as_str()).one(self.db()).await?;
        Ok(shown(declared, state))
    }
}

fn shown(declared: &Declared, state: Option<dataset_state::Model>) -> Dataset {
    Dataset {
        code: declared.code.clone(),
        title: declared.title.clone(),
        custodian: declared.custodian.clone(),
        status: status(state.as_ref().map_or("active", |state| state.status.as_str())),
        since: state.as_ref().map(|state| state.changed_at),
        reason: state.map(|state| state.reason),
    }
}

fn status(word: &str) -> DatasetStatus {
    match word {
        "suspended" => DatasetStatus::Suspended,
        "withdrawn" => DatasetStatus::Withdrawn,
        _ => DatasetStatus::Active,
    }
}

fn word(status: DatasetStatus) -> &'static str {
    match status {
        DatasetStatus::Active => "active",
        DatasetStatus::Suspended => "suspended",
        DatasetStatus::Withdrawn => "withdrawn",
    }
}

fn word_zh(status: DatasetStatus) -> &'static str {
    match status {
        DatasetStatus::Active => "恢復提供",
        DatasetStatus::Suspended => "暫停提供",
        DatasetStatus::Withdrawn => "終止提供",
    }
}
