//! What everybody was told: the inbox (收件匣). Sending it by mail is left to `mail`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::futures_util::{Stream, stream};
use async_graphql::{ID, SimpleObject};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::{Date, OffsetDateTime};

use super::entity::notice;
use super::page::{Page, no_entry};
use super::step::Begun;
use super::{Act, Fault, Procedure};

/// 通知: something that somebody was told of, with the day by which something is to be done.
#[derive(Debug, Clone, SimpleObject)]
pub struct Notice {
    /// 編號: number of the notice.
    pub id: ID,
    /// 時間: when it was told.
    pub at: OffsetDateTime,
    /// 事項種類: `application`, `master form`, …
    pub about: String,
    /// 事項編號: number of what it is about.
    pub number: String,
    /// 內容（英文）: the text in English.
    pub text_en: String,
    /// 內容（中文）: the text in Traditional Chinese.
    pub text_zh: String,
    /// 期限: day by which something is to be done.
    pub due_on: Option<Date>,
    /// 閱讀時間: when it was marked as read.
    pub read_at: Option<OffsetDateTime>,
}

/// How often one who watches is looked up.
const LOOK_UP: Duration = Duration::from_millis(500);

/// Somebody who watches their inbox.
struct Watch {
    procedure: Arc<Procedure>,
    told: tokio::sync::watch::Receiver<u64>,
    last: i64,
    ready: VecDeque<Notice>,
}

/// Notices that are looked up at once.
const PAGE: u64 = 200;

impl Procedure {
    /// The caller's own notices, newest first.
    pub async fn inbox(&self, act: &Act, unread_only: bool, page: &Page) -> Result<Vec<Notice>, Fault> {
        let mut own = notice::Entity::find().filter(notice::Column::AccountId.eq(act.caller.account_id));
        if unread_only {
            own = own.filter(notice::Column::ReadAt.is_null());
        }
        if let Some(after) = &page.after {
            own = own.filter(notice::Column::Id.lt(after.parse::<i64>().map_err(|_| no_entry(after))?));
        }
        let rows = own.order_by_desc(notice::Column::Id).limit(page.limit()?).all(self.db()).await?;
        Ok(rows.into_iter().map(shown).collect())
    }

    /// The newest notice's number, and those of one account that are newer than a number.
    pub async fn told_since(&self, account_id: i64, last: i64) -> Result<Vec<(i64, Notice)>, Fault> {
        let newer = notice::Entity::find()
            .filter(notice::Column::AccountId.eq(account_id))
            .filter(notice::Column::Id.gt(last))
            .order_by_asc(notice::Column::Id)
            .limit(PAGE);
        Ok(newer.all(self.db()).await?.into_iter().map(|row| (row.id, shown(row))).collect())
    }

    /// Number of the newest notice of an account; 0 without any.
    pub async fn last_notice(&self, account_id: i64) -> Result<i64, Fault> {
        let own = notice::Entity::find().filter(notice::Column::AccountId.eq(account_id));
        Ok(own.order_by_desc(notice::Column::Id).one(self.db()).await?.map_or(0, |row| row.id))
    }

    /// What the caller is told from now on. The stream ends when the account, the session or the token
    /// does; a client then comes back with a new token.
    pub async fn notices(self: Arc<Self>, act: &Act) -> Result<impl Stream<Item = Notice> + use<>, Fault> {
        let caller = act.caller.clone();
        let last = self.last_notice(caller.account_id).await?;
        let watch = Watch { told: self.accounts.watch_steps(), last, ready: VecDeque::new(), procedure: self };
        Ok(stream::unfold((watch, caller), |(mut watch, caller)| async move {
            loop {
                let ended = watch.procedure.accounts.clock().now() >= caller.token_ends;
                if ended || !watch.procedure.accounts.stands(&caller.account, caller.session) {
                    return None;
                }
                if let Some(notice) = watch.ready.pop_front() {
                    return Some((notice, (watch, caller)));
                }
                // Looks up in between, so that an account that was closed elsewhere does not listen on.
                match tokio::time::timeout(LOOK_UP, watch.told.changed()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return None,
                    Err(_) => continue,
                }
                let told = watch.procedure.told_since(caller.account_id, watch.last).await.ok()?;
                watch.last = told.last().map_or(watch.last, |(number, _)| *number);
                watch.ready.extend(told.into_iter().map(|(_, notice)| notice));
            }
        }))
    }

    /// Marks notices of the caller as read; those of others are passed over.
    pub async fn mark_read(&self, act: &Act, notices: &[ID]) -> Result<i32, Fault> {
        let numbers: Vec<i64> = notices.iter().filter_map(|id| id.parse().ok()).collect();
        let step = match self.begin(act, "markNoticesRead").await? {
            Begun::New(step) => step,
            Begun::Before(count) => return Ok(i32::try_from(count).unwrap_or(0)),
        };
        let marked = notice::Entity::update_many()
            .col_expr(notice::Column::ReadAt, Expr::value(self.now()))
            .filter(notice::Column::AccountId.eq(act.caller.account_id))
            .filter(notice::Column::ReadAt.is_null())
            .filter(notice::Column::Id.is_in(numbers))
            .exec(step.tx())
            .await?;
        let count = i32::try_from(marked.rows_affected).unwrap_or(i32::MAX);
        step.finish("notices", count.into(), count.into()).await?;
        Ok(count)
    }
}

fn shown(row: notice::Model) -> Notice {
    Notice {
        id: row.id.into(),
        at: row.at,
        about: row.subject_kind,
        number: row.subject_number,
        text_en: row.text_en,
        text_zh: row.text_zh,
        due_on: row.due_on,
        read_at: row.read_at,
    }
}
