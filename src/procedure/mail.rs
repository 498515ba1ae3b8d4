//! Notices by mail: what stands in an inbox and was not sent yet, to those who have an address. In a task of its own, so
//! that no step waits for a mail server; a notice that could not be sent stays to be sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::entity::notice;
use super::{Fault, Procedure};
use crate::accounts::entity::account;
use crate::config;

/// How often is looked, if nothing wakes: another server's notices, a mail server that is back.
const ROUND: Duration = Duration::from_secs(60);

/// A mail server that says nothing for so long is down.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that has claimed a notice for so long has died.
const CLAIM: time::Duration = time::Duration::minutes(10);

/// Notices that are looked up at once.
const PAGE: u64 = 100;

/// Older notices are not sent any more: whoever turns mail on does not flood the city with last year's, and mail that
/// nobody takes is given up, as mail servers do. It stands in the inbox.
const YOUNG: time::Duration = time::Duration::days(7);

/// The way to the mail server.
pub struct Courier {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Notices that the mail server did not take: how often, and when they are tried again.
    refused: Mutex<HashMap<i64, (u32, OffsetDateTime)>>,
}

/// The task that sends. Stopped, it sends to its end what it has begun.
pub struct MailWatch {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl MailWatch {
    /// Stops and waits for the mail on its way: it is claimed, and nobody else would send it.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the sending of mail ended early");
        }
    }
}

/// What became of one mail.
enum Sent {
    Taken,
    /// This one was not taken; others may be. The server's code, as its words may name the recipient.
    Refused(String),
    /// The server is not to be reached.
    Down(smtp::Error),
}

/// What became of one look at what waits.
enum Round {
    /// Nothing waited.
    Quiet,
    /// The server was there.
    Reached,
    /// The server is not to be reached.
    Down(smtp::Error),
}

impl Courier {
    /// By the settings, inside the runtime that keeps its connections; none where mail is off. The fault says what is
    /// wrong with them, without the password.
    pub fn open(settings: &config::Mail) -> Result<Option<Courier>, String> {
        if settings.url.is_empty() {
            return Ok(None);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.url)
            .map_err(|_| "mail.url: must be smtp://USER:PASSWORD@HOST:PORT or smtps://…".to_owned())?;
        let from = settings.from.parse().map_err(|error| format!("mail.from: {error}"))?;
        let transport = transport.timeout(Some(PATIENCE)).build();
        Ok(Some(Courier { transport, from, refused: Mutex::default() }))
    }

    /// Whether the mail server lets us in.
    pub async fn reaches(&self) -> Result<(), smtp::Error> {
        self.transport.test_connection().await.map(drop)
    }

    async fn send(&self, message: Message) -> Sent {
        match self.transport.send(message).await {
            Ok(_) => Sent::Taken,
            // The connection stood a moment ago, so an answer is about this mail; so is what the server cannot do for it.
            Err(error) if error.is_permanent() || error.is_transient() || error.is_client() => {
                Sent::Refused(error.status().map_or_else(|| "-".to_owned(), |code| code.to_string()))
            }
            Err(error) => Sent::Down(error),
        }
    }

    /// Not before then again: after two minutes, four, eight, … a day at most.
    fn put_off(&self, notice: i64, now: OffsetDateTime) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, (_, at)| *at + YOUNG > now);
        let (tries, at) = refused.entry(notice).or_insert((0, now));
        *tries += 1;
        *at = now + time::Duration::minutes(1 << (*tries).min(11)).min(time::Duration::days(1));
    }

    fn put_off_until_now(&self, now: OffsetDateTime) -> Vec<i64> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().filter(|(_, (_, at))| *at > now).map(|(notice, _)| *notice).collect()
    }
}

impl Procedure {
    /// Sends notices as they come, until it is stopped.
    pub fn watch_mail(self: &Arc<Self>, courier: Courier) -> MailWatch {
        let (procedure, stop) = (Arc::clone(self), CancellationToken::new());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut steps = procedure.accounts.watch_steps();
            let mut rounds = tokio::time::interval(ROUND);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut down = false;
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    _ = rounds.tick() => {}
                    // It cannot end: the sender lives in the accounts that this task holds.
                    _ = steps.changed() => {}
                }
                match procedure.send_mail(&courier, &stopped).await {
                    Ok(Round::Reached) if down => {
                        tracing::info!("the mail server is there again");
                        down = false;
                    }
                    Ok(Round::Down(error)) if !down => {
                        tracing::warn!(%error, "the mail server is not to be reached; notices wait");
                        down = true;
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "notices could not be looked up for mail"),
                }
            }
        });
        MailWatch { stop, task }
    }

    /// Sends what waits, until nothing does.
    async fn send_mail(&self, courier: &Courier, stop: &CancellationToken) -> Result<Round, Fault> {
        let mut round = Round::Quiet;
        loop {
            let waiting = self.unsent(courier).await?;
            if waiting.is_empty() {
                return Ok(round);
            }
            // Asked first, so that a server that is down costs one connection and not one for each notice.
            if let Err(error) = courier.reaches().await {
                return Ok(Round::Down(error));
            }
            round = Round::Reached;
            for (notice, address) in waiting {
                if stop.is_cancelled() {
                    return Ok(round);
                }
                if let Some(error) = self.send_one(courier, &notice, &address).await? {
                    return Ok(Round::Down(error));
                }
            }
        }
    }

    /// Notices that wait, with the address that each goes to.
    async fn unsent(&self, courier: &Courier) -> Result<Vec<(notice::Model, String)>, Fault> {
        let reachable = account::Entity::find()
            .select_only()
            .column(account::Column::Id)
            .filter(account::Column::Email.is_not_null())
            .into_query();
        let rows = notice::Entity::find()
            .filter(notice::Column::MailedAt.is_null())
            .filter(self.unclaimed())
            .filter(notice::Column::At.gte(self.now() - YOUNG))
            .filter(notice::Column::AccountId.in_subquery(reachable))
            .filter(notice::Column::Id.is_not_in(courier.put_off_until_now(self.now())))
            .order_by_asc(notice::Column::Id)
            .limit(PAGE)
            .all(self.db())
            .await?;
        let accounts = account::Entity::find()
            .filter(account::Column::Id.is_in(rows.iter().map(|row| row.account_id)))
            .all(self.db())
            .await?;
        let addresses: HashMap<i64, String> =
            accounts.into_iter().filter_map(|account| Some((account.id, account.email?))).collect();
        Ok(rows.into_iter().filter_map(|row| addresses.get(&row.account_id).cloned().map(|to| (row, to))).collect())
    }

    /// What no server is sending right now.
    fn unclaimed(&self) -> Condition {
        let claimed = notice::Column::MailClaimedAt;
        Condition::any().add(claimed.is_null()).add(claimed.lt(self.now() - CLAIM))
    }

    /// Sends one. The failure of a mail server that is not to be reached, if it is not.
    async fn send_one(
        &self,
        courier: &Courier,
        notice: &notice::Model,
        address: &str,
    ) -> Result<Option<smtp::Error>, Fault> {
        // Claimed first: of two servers one sends it. If that one dies right now, another does, with the same Message-ID.
        let claimed = notice::Entity::update_many()
            .col_expr(notice::Column::MailClaimedAt, Expr::value(self.now()))
            .filter(notice::Column::Id.eq(notice.id))
            .filter(notice::Column::MailedAt.is_null())
            .filter(self.unclaimed())
            .exec(self.db())
            .await?;
        if claimed.rows_affected == 0 {
            return Ok(None);
        }
        let sent = match self.letter(courier, notice, address) {
            Some(message) => courier.send(message).await,
            None => Sent::Refused("not an address".to_owned()),
        };
        let taken = matches!(sent, Sent::Taken).then(|| self.now());
        notice::Entity::update_many()
            .col_expr(notice::Column::MailedAt, Expr::value(taken))
            .col_expr(notice::Column::MailClaimedAt, Expr::value(None::<OffsetDateTime>))
            .filter(notice::Column::Id.eq(notice.id))
            .exec(self.db())
            .await?;
        if taken.is_some() {
            return Ok(None);
        }
        // Also where the connection broke: a mail at which the server always hangs up must not stand before the others.
        courier.put_off(notice.id, self.now());
        match sent {
            Sent::Taken => Ok(None),
            Sent::Refused(code) => {
                tracing::warn!(
                    notice = notice.id,
                    code,
                    "a notice was not taken by the mail server; it is tried later"
                );
                Ok(None)
            }
            Sent::Down(error) => Ok(Some(error)),
        }
    }

    /// The notice as a mail in both languages; none where the address is none.
    fn letter(&self, courier: &Courier, notice: &notice::Model, address: &str) -> Option<Message> {
        let (due_zh, due_en) = match notice.due_on {
            Some(day) => (format!("期限：{day}\n"), format!("Due: {day}\n")),
            None => Default::default(),
        };
        let url = self.accounts.issuer();
        let text = format!(
            "{}\n{due_zh}\n{}\n{due_en}\n-- \n市政資料庫查詢系統 {url}\n本信由系統自動寄發，請勿回覆。\n\
             Sent by the city's database query system; nobody reads replies.\n",
            notice.text_zh, notice.text_en
        );
        let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or("localhost");
        let mut message = Message::builder()
            .from(courier.from.clone())
            .to(Mailbox::new(None, address.parse().ok()?))
            .subject(format!("[cityquery] 通知 Notice: {} {}", notice.subject_kind, notice.subject_number))
            .date(notice.at.into())
            // The same whenever it is sent: a mail server or reader knows it again.
            .message_id(Some(format!("<notice-{}@{host}>", notice.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(Body::new_with_encoding(text, ContentTransferEncoding::Base64).ok()?)
            .ok()?;
        // No answers from those who are on leave.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        Some(message)
    }
}
