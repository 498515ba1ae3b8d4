//! Importing a log of an outside channel: each row becomes an audit record of its own, all durable before the import is.
//! What a channel is stands in `channel`, how its log is read in `channel_log`.

use std::sync::Arc;

use async_graphql::futures_util::stream::{self, StreamExt};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use time::Date;

use super::channel::{Channel, mapping_of};
use super::channel_log::{Row, read};
use super::entity::{channel, channel_import};
use super::fault::{forbidden, wrong};
use super::step::Begun;
use super::{Act, Fault, Procedure, has_role};
use crate::access::{Code, Refusal, Role};
use crate::accounts::secret;
use crate::audit::{Asked, Blob, Kind, Outcome, Record, Right, Shape, Who, Why};

/// Rows that wait for their records at once.
const AT_ONCE: usize = 256;

/// Largest log that is imported at once, in bytes.
const LARGEST: usize = 8 << 20;

impl Procedure {
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
        if until > self.today() {
            // The next import is due from the last day that one covers: no log covers a day to come.
            let today = self.today();
            return Err(wrong(
                "until",
                format!("expected a day until today, {today}: a log holds what has happened"),
                format!("不得晚於今日（{today}）：紀錄僅及於已發生之查詢"),
            ));
        }
        if text.len() > LARGEST {
            return Err(wrong("csv", "expected at most 8 MiB", "不得逾 8 MiB"));
        }
        let sha256 = secret::hex(&Sha256::digest(text.as_bytes()));
        let row = self.channel_to_import(self.db(), act, name).await?;
        let (rows, rejected) = read(text, &mapping_of(&row)?, (from, until), self.now())?;
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
}

/// Whether that very file was imported.
async fn is_imported(db: &impl ConnectionTrait, channel_id: i64, sha256: &str) -> Result<bool, Fault> {
    let known = channel_import::Entity::find()
        .filter(channel_import::Column::ChannelId.eq(channel_id))
        .filter(channel_import::Column::Sha256.eq(sha256));
    Ok(known.one(db).await?.is_some())
}
