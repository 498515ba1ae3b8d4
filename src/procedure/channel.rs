//! Query channels to a dataset outside of this system (clause 13): registered with a named reviewer, their logs imported by
//! mapping. Each row of such a log becomes an audit record of its own, so that it is searched and inspected like ours.

use std::sync::Arc;

use async_graphql::futures_util::stream::{self, StreamExt};
use async_graphql::{InputObject, SimpleObject};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::agency::{check_text, check_title, get_agency};
use super::appointment::roles_of;
use super::channel_log::{Row, read};
use super::entity::{channel, channel_import};
use super::fault::{conflict, forbidden, not_found, wrong};
use super::step::{Begun, News, To};
use super::{Act, Fault, Procedure, has_role};
use crate::access::{Code, Refusal, Role};
use crate::accounts::entity::account;
use crate::accounts::secret;
use crate::audit::{Asked, Blob, Kind, Outcome, Record, Right, Shape, Who, Why};

/// Rows that wait for their records at once.
const AT_ONCE: usize = 256;

/// Largest log that is imported at once, in bytes.
const LARGEST: usize = 8 << 20;

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
    /// The channels of the caller's agency; all of them for ethics and the information office.
    pub async fn channels(&self, act: &Act) -> Result<Vec<Channel>, Fault> {
        let watches =
            [Role::EthicsOfficer, Role::InformationOffice].into_iter().any(|role| has_role(&act.caller, role));
        let mut shown = Vec::new();
        for row in channel::Entity::find().order_by_asc(channel::Column::Name).all(self.db()).await? {
            if watches || self.custodian_of_dataset(&row.dataset) == Some(&*act.caller.agency) {
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

    /// Imports a log of a channel, a CSV file with a header, for the days that it covers. Each row is accepted and becomes
    /// a record, or is rejected with its line and a reason; the same file again changes nothing.
    pub async fn import_channel_log(
        &self,
        act: &Act,
        name: &str,
        from: Date,
        until: Date,
        text: &str,
    ) -> Result<Channel, Fault> {
        if until < from {
            return Err(wrong("until", "expected a day not before `from`", "迄日不得早於起日"));
        }
        if text.len() > LARGEST {
            return Err(wrong("csv", "expected at most 8 MiB", "不得逾 8 MiB"));
        }
        let sha256 = secret::hex(&Sha256::digest(text.as_bytes()));
        let row = self.channel_to_import(self.db(), act, name).await?;
        let (rows, rejected) = read(text, &mapping_of(&row)?, from, until)?;
        if !is_imported(self.db(), row.id, &sha256).await? {
            // Before the step begins, for it keeps every other step waiting: a log may have thousands of rows.
            self.record_outside(act, &row, &rows, &sha256).await?;
        }
        let step = match self.begin(act, "importChannelLog").await? {
            Begun::Before(id) => return self.channel_by_id(id).await,
            Begun::New(step) => step,
        };
        let row = self.channel_to_import(step.tx(), act, name).await?;
        if is_imported(step.tx(), row.id, &sha256).await? {
            step.finish("channel", row.id, json!({ "name": name, "again": sha256 })).await?;
            return self.channel_by_id(row.id).await;
        }
        let written = channel_import::ActiveModel {
            channel_id: Set(row.id),
            first_day: Set(from),
            last_day: Set(until),
            accepted: Set(i32::try_from(rows.len()).unwrap_or(i32::MAX)),
            rejected: Set(super::item::texts(&rejected)),
            sha256: Set(sha256.clone()),
            imported_by: Set(act.caller.account.to_string()),
            imported_at: Set(self.now()),
            ..Default::default()
        };
        channel_import::Entity::insert(written).exec_without_returning(step.tx()).await?;
        let detail = json!({ "name": name, "accepted": rows.len(), "rejected": rejected.len(), "sha256": sha256 });
        step.finish("channel", row.id, detail).await?;
        self.channel_by_id(row.id).await
    }

    /// The rows of an outside log become records of ours, all durable before the import is. They stand in the log where
    /// they were written; when somebody asked, and what, may name a person and stands sealed, where variables stand.
    async fn record_outside(
        &self,
        act: &Act,
        channel: &channel::Model,
        rows: &[Row],
        sha256: &str,
    ) -> Result<(), Fault> {
        let now_us = i64::try_from(self.accounts.clock().now().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
        let record = |(number, row): (usize, &Row)| Record {
            id: self.accounts.new_id(),
            started_us: now_us,
            duration_us: 0,
            kind: Kind::Outside,
            who: Who {
                account: Arc::from(format!("{}/{}", channel.name, row.who)),
                agency: act.caller.agency.clone(),
                session: None,
                client_address: None,
            },
            why: Why {
                purpose: row.purpose.as_deref().map(Arc::from),
                case_number: row.case_number.as_deref().map(Arc::from),
                ..Why::default()
            },
            right: Right { epoch: 0, schema_hash: self.catalog.hash },
            asked: Some(Asked {
                document: Blob::text("outside channel"),
                strings: Arc::default(),
                shape: Shape::default().to_blob(),
                operation_name: Some(Arc::from(channel.name.as_str())),
                variables: json!({ "at": row.at.unix_timestamp(), "what": row.what }).to_string().into(),
            }),
            touched: Vec::new(),
            outcome: Outcome::default(),
            note: Some(format!("row {} of {sha256}", number + 1)),
        };
        let mut durable = stream::iter(rows.iter().enumerate().map(record).map(|record| self.audit.commit(record)))
            .buffer_unordered(AT_ONCE);
        while let Some(committed) = durable.next().await {
            committed.map_err(|reason| {
                tracing::error!(%reason, "a row of an outside log could not be recorded");
                let (en, zh) =
                    ("The rows cannot be recorded now; import them again.", "目前無法寫入紀錄，請再次匯入。");
                Fault::from(Refusal::new(Code::AuditUnavailable, en, zh))
            })?;
        }
        Ok(())
    }

    /// The channel, if the caller may import its logs.
    async fn channel_to_import(
        &self,
        db: &impl ConnectionTrait,
        act: &Act,
        name: &str,
    ) -> Result<channel::Model, Fault> {
        let row = self.own_channel(db, act, name).await?;
        match *row.reviewer == *act.caller.account || has_role(&act.caller, Role::DatabaseAdministrator) {
            true => Ok(row),
            false => {
                let (en, zh) = ("The channel's reviewer imports its logs.", "管道紀錄由指定之檢視人員匯入。");
                Err(forbidden(en, zh, "13"))
            }
        }
    }

    pub(crate) fn custodian_of_dataset(&self, code: &str) -> Option<&str> {
        let known = self.catalog.datasets.iter().find(|dataset| dataset.code == code);
        known.map(|dataset| dataset.custodian.as_str())
    }

    async fn own_channel(&self, db: &impl ConnectionTrait, act: &Act, name: &str) -> Result<channel::Model, Fault> {
        let row = channel::Entity::find().filter(channel::Column::Name.eq(name)).one(db).await?;
        let own = row.filter(|row| self.custodian_of_dataset(&row.dataset) == Some(&*act.caller.agency));
        own.filter(|row| row.status == "open").ok_or_else(|| not_found("channel", "查詢管道", name))
    }

    async fn channel_by_id(&self, id: i64) -> Result<Channel, Fault> {
        let row = channel::Entity::find_by_id(id).one(self.db()).await?;
        self.channel_shown(row.ok_or_else(|| not_found("channel", "查詢管道", &id.to_string()))?).await
    }

    /// Day by which the next log of a channel is to be imported.
    pub(crate) async fn import_due(&self, db: &impl ConnectionTrait, of: &channel::Model) -> Result<Date, Fault> {
        let imports = channel_import::Entity::find().filter(channel_import::Column::ChannelId.eq(of.id));
        let newest = imports.order_by_desc(channel_import::Column::LastDay).one(db).await?;
        let registered = of.registered_at.to_offset(offset!(+8)).date();
        Ok(newest
            .map_or(registered, |newest| newest.last_day)
            .saturating_add(time::Duration::days(i64::from(of.interval_days))))
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

/// Whether that very file was imported.
async fn is_imported(db: &impl ConnectionTrait, channel_id: i64, sha256: &str) -> Result<bool, Fault> {
    let known = channel_import::Entity::find()
        .filter(channel_import::Column::ChannelId.eq(channel_id))
        .filter(channel_import::Column::Sha256.eq(sha256));
    Ok(known.one(db).await?.is_some())
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

fn mapping_of(row: &channel::Model) -> Result<ChannelMapping, Fault> {
    let mapping = serde_json::from_str(&row.mapping);
    mapping
        .map_err(|_| conflict("The channel's mapping cannot be read.", "無法讀取欄位對應。", row.name.as_str().into()))
}
