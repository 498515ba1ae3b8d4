//! Query channels to a dataset outside of this system (clause 13): registered with a named reviewer, who imports their logs.
//! Importing is left to `channel_import`.

use async_graphql::{InputObject, SimpleObject};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::agency::{check_text, check_title, get_agency};
use super::appointment::roles_of;
use super::entity::{channel, channel_import};
use super::fault::{conflict, not_found, wrong};
use super::step::{Begun, News, To};
use super::watch::watches;
use super::{Act, Fault, Procedure, has_role};
use crate::access::Role;
use crate::accounts::entity::account;

/// 欄位對應: which column of a channel's log holds what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject, InputObject)]
#[graphql(input_name = "ChannelMappingInput")]
pub struct ChannelMapping {
    /// 時間: when (`2026-03-02 09:30:00`, Taipei).
    pub at: String,
    /// 查詢者: who.
    pub who: String,
    /// 查詢內容: what was asked.
    pub what: String,
    /// 目的: purpose; none if the log has none.
    pub purpose: Option<String>,
    /// 案號: case number; none if the log has none.
    pub case_number: Option<String>,
}

/// 匯入紀錄: a log of a channel that was imported.
#[derive(Debug, Clone, SimpleObject)]
pub struct ChannelImport {
    /// 起日: first day that it covers.
    pub from: Date,
    /// 迄日: last day that it covers.
    pub until: Date,
    /// 筆數: rows that became records.
    pub accepted: i32,
    /// 退件: line and reason of each row that did not.
    pub rejected: Vec<String>,
    /// 摘要: SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// 匯入者: account.
    pub imported_by: String,
    /// 匯入時間: when.
    pub imported_at: OffsetDateTime,
}

/// 其他查詢管道: a channel to a dataset outside of this system.
#[derive(Debug, Clone, SimpleObject)]
pub struct Channel {
    /// 代碼: name.
    pub name: String,
    /// 名稱: title.
    pub title: String,
    /// 資料庫: code of the dataset.
    pub dataset: String,
    /// 檢視人員: account that reviews its logs.
    pub reviewer: String,
    /// 匯入週期: how often its log is to be imported, in days.
    pub interval_days: i32,
    /// 欄位對應: which column of its log holds what.
    pub mapping: ChannelMapping,
    /// 使用中: whether it is still open.
    pub open: bool,
    /// 逾期未匯入: days by which the next import is overdue; 0 if it is not.
    pub overdue_days: i64,
    /// 匯入紀錄: what was imported, newest first.
    pub imports: Vec<ChannelImport>,
}

/// 其他查詢管道: the channel to be registered.
#[derive(Debug, Clone, InputObject)]
pub struct ChannelInput {
    /// 代碼: name.
    pub name: String,
    /// 名稱: title.
    pub title: String,
    /// 資料庫: code of the dataset, one's agency's.
    pub dataset: String,
    /// 檢視人員: account of one's agency that reviews its logs.
    pub reviewer: String,
    /// 匯入週期: how often its log is to be imported, in days.
    pub interval_days: i32,
    /// 欄位對應: which column of its log holds what.
    pub mapping: ChannelMapping,
}

impl Procedure {
    /// The channels of the caller's agency, for a general user those that they review; all of them for those who watch.
    pub async fn channels(&self, act: &Act) -> Result<Vec<Channel>, Fault> {
        let watches = watches(self.db(), act).await?;
        let runs = [Role::DatabaseAdministrator, Role::AgencyHead].into_iter().any(|role| has_role(&act.caller, role));
        let mut shown = Vec::new();
        for row in channel::Entity::find().order_by_asc(channel::Column::Name).all(self.db()).await? {
            let own = self.custodian_of_dataset(&row.dataset) == Some(&*act.caller.agency);
            if watches || own && (runs || *row.reviewer == *act.caller.account) {
                shown.push(self.channel_shown(row).await?);
            }
        }
        Ok(shown)
    }

    /// Registers a channel, or changes what is known of it.
    pub async fn register_channel(&self, act: &Act, input: &ChannelInput) -> Result<Channel, Fault> {
        let (name, title) = (check_text("name", &input.name, 64)?, check_title("title", &input.title)?);
        if self.custodian_of_dataset(&input.dataset) != Some(&*act.caller.agency) {
            return Err(not_found("dataset of this agency", "本機關管理之資料庫", &input.dataset));
        }
        if !(1..=366).contains(&input.interval_days) {
            return Err(wrong("intervalDays", "expected 1 to 366 days", "應為 1 至 366 日"));
        }
        let step = match self.begin(act, "registerChannel").await? {
            Begun::Before(id) => return self.channel_by_id(id).await,
            Begun::New(step) => step,
        };
        let own = get_agency(step.tx(), &act.caller.agency).await?;
        let reviewer = account::Entity::find().filter(account::Column::Name.eq(input.reviewer.as_str()));
        let reviewer = reviewer.one(step.tx()).await?.filter(|one| one.agency_id == own.id && one.status == "active");
        let reviewer = reviewer.ok_or_else(|| not_found("account of this agency", "本機關帳號", &input.reviewer))?;
        let imports = |role: &Role| matches!(role, Role::DatabaseAdministrator | Role::GeneralUser);
        if !roles_of(step.tx(), reviewer.id).await?.iter().any(imports) {
            let (en, zh) =
                ("expected a database administrator or a general user", "應為資料庫系統管理者或一般操作使用者");
            return Err(wrong("reviewer", en, zh));
        }
        let known = channel::Entity::find().filter(channel::Column::Name.eq(name)).one(step.tx()).await?;
        let row = channel::ActiveModel {
            dataset: Set(input.dataset.clone()),
            name: Set(name.to_owned()),
            title: Set(title.to_owned()),
            reviewer: Set(reviewer.name.clone()),
            interval_days: Set(input.interval_days),
            mapping: Set(serde_json::to_string(&input.mapping).unwrap_or_default()), // texts always become JSON
            status: Set("open".to_owned()),
            ..Default::default()
        };
        let id = match known {
            Some(known) if known.dataset != input.dataset => {
                return Err(conflict(
                    format!("The name {name} is taken."),
                    format!("代碼 {name} 已使用。"),
                    name.into(),
                ));
            }
            Some(known) => {
                channel::Entity::update(channel::ActiveModel { id: Set(known.id), ..row }).exec(step.tx()).await?.id
            }
            None => {
                let row = channel::ActiveModel {
                    registered_by: Set(act.caller.account.to_string()),
                    registered_at: Set(self.now()),
                    ..row
                };
                channel::Entity::insert(row).exec(step.tx()).await?.last_insert_id
            }
        };
        let news = News {
            kind: "channel",
            number: name,
            en: format!("You review the logs of the channel {title}, every {} days.", input.interval_days),
            zh: format!("您負責檢視查詢管道「{title}」之紀錄，週期 {} 日。", input.interval_days),
            due: Some(self.today() + time::Duration::days(i64::from(input.interval_days))),
        };
        step.tell(To::Account(&reviewer.name), &news).await?;
        step.finish("channel", id, json!({ "name": name, "reviewer": reviewer.name })).await?;
        self.channel_by_id(id).await
    }

    /// Closes a channel that is no longer there; what was imported stays.
    pub async fn close_channel(&self, act: &Act, name: &str) -> Result<Channel, Fault> {
        let step = match self.begin(act, "closeChannel").await? {
            Begun::Before(id) => return self.channel_by_id(id).await,
            Begun::New(step) => step,
        };
        let row = self.own_channel(step.tx(), act, name).await?;
        channel::Entity::update_many()
            .col_expr(channel::Column::Status, Expr::value("closed"))
            .filter(channel::Column::Id.eq(row.id))
            .exec(step.tx())
            .await?;
        step.finish("channel", row.id, json!({ "name": name })).await?;
        self.channel_by_id(row.id).await
    }

    pub(crate) fn custodian_of_dataset(&self, code: &str) -> Option<&str> {
        let known = self.catalog.datasets.iter().find(|dataset| dataset.code == code);
        known.map(|dataset| dataset.custodian.as_str())
    }

    pub(super) async fn own_channel(
        &self,
        db: &impl ConnectionTrait,
        act: &Act,
        name: &str,
    ) -> Result<channel::Model, Fault> {
        let row = channel::Entity::find().filter(channel::Column::Name.eq(name)).one(db).await?;
        let own = row.filter(|row| self.custodian_of_dataset(&row.dataset) == Some(&*act.caller.agency));
        own.filter(|row| row.status == "open").ok_or_else(|| not_found("channel", "查詢管道", name))
    }

    pub(super) async fn channel_by_id(&self, id: i64) -> Result<Channel, Fault> {
        let row = channel::Entity::find_by_id(id).one(self.db()).await?;
        self.channel_shown(row.ok_or_else(|| not_found("channel", "查詢管道", &id.to_string()))?).await
    }

    /// Day by which the next log of a channel is to be imported.
    pub(crate) async fn import_due(&self, db: &impl ConnectionTrait, of: &channel::Model) -> Result<Date, Fault> {
        let imports = channel_import::Entity::find().filter(channel_import::Column::ChannelId.eq(of.id));
        let day = |at: OffsetDateTime| at.to_offset(offset!(+8)).date();
        // Earlier releases took logs of days to come: none covers more than had happened.
        let covered = imports.all(db).await?.into_iter().map(|one| one.last_day.min(day(one.imported_at))).max();
        Ok(covered.unwrap_or(day(of.registered_at)) + time::Duration::days(i64::from(of.interval_days)))
    }

    async fn channel_shown(&self, row: channel::Model) -> Result<Channel, Fault> {
        let imports = channel_import::Entity::find().filter(channel_import::Column::ChannelId.eq(row.id));
        let imports = imports.order_by_desc(channel_import::Column::LastDay).all(self.db()).await?;
        let due = self.import_due(self.db(), &row).await?;
        let open = row.status == "open";
        Ok(Channel {
            mapping: mapping_of(&row)?,
            overdue_days: if open { (self.today() - due).whole_days().max(0) } else { 0 },
            name: row.name,
            title: row.title,
            dataset: row.dataset,
            reviewer: row.reviewer,
            interval_days: row.interval_days,
            open,
            imports: imports.into_iter().map(import_shown).collect(),
        })
    }
}

fn import_shown(row: channel_import::Model) -> ChannelImport {
    ChannelImport {
        from: row.first_day,
        until: row.last_day,
        accepted: row.accepted,
        rejected: super::item::texts_of(&row.rejected),
        sha256: row.sha256,
        imported_by: row.imported_by,
        imported_at: row.imported_at,
    }
}

pub(super) fn mapping_of(row: &channel::Model) -> Result<ChannelMapping, Fault> {
    let mapping = serde_json::from_str(&row.mapping);
    mapping
        .map_err(|_| conflict("The channel's mapping cannot be read.", "無法讀取欄位對應。", row.name.as_str().into()))
}
