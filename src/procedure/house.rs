//! Housekeeping: what happens by time alone, without anybody's asking. Who is unused for long stands in `idle`, who is told
//! of what will end in `reminder`, of what is late in `overdue`; here is when, as whom, and with which record.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::{Act, Fault, Procedure};
use crate::access::{Caller, Language};
use crate::accounts::AccountsError;
use crate::audit::{Kind, Outcome, Record, Right, Who, Why};

/// As whom the program itself acts; nobody's account has that name.
pub(crate) const ITSELF: &str = "cityquery";

/// How often it is looked after. All that is looked at goes by days.
const ROUND: Duration = Duration::from_secs(3600);

impl Procedure {
    /// Looks after the house at once and every hour, until the program ends. Servers beside this one do the same: each
    /// step is taken by the first of them.
    pub fn watch_house(self: &Arc<Self>) -> JoinHandle<()> {
        let procedure = Arc::clone(self);
        tokio::spawn(async move {
            let mut rounds = tokio::time::interval(ROUND);
            rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                rounds.tick().await;
                if let Err(error) = procedure.keep_house().await {
                    tracing::error!(%error, "the house was not kept; the next round tries again");
                }
            }
        })
    }

    /// Suspends and closes accounts that nobody uses, reminds of what will end soon, and tells of what is late. Twice does
    /// no more than once.
    pub async fn keep_house(&self) -> Result<(), Fault> {
        let retired = self.retire_idle_accounts().await;
        let reminded = self.remind().await;
        retired.and(reminded).and(self.tell_overdue().await)
    }

    /// The program's own act, with an id for its record.
    pub(crate) fn act_itself(&self) -> Act {
        let record = self.accounts.new_id();
        let caller = Caller {
            account_id: 0,
            account: ITSELF.into(),
            agency: "-".into(),
            roles: [].into(),
            session: Uuid::nil(),
            token_ends: self.now(),
            form: None,
            without_form: None,
            purpose: None,
            case_number: None,
            idempotency_key: None,
            client_address: None,
            request_id: record,
            language: Language::En,
            now: self.now(),
        };
        Act { caller, digest: String::new(), record }
    }

    /// Records what is about to be done, durably before it is: it may happen even if its end cannot be recorded.
    pub(crate) async fn record_itself(&self, act: &Act, note: String) -> Result<(), Fault> {
        let record = Record {
            id: act.record,
            started_us: i64::try_from(self.accounts.clock().now().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX),
            duration_us: 0,
            kind: Kind::Administration,
            who: Who { account: ITSELF.into(), agency: "-".into(), session: None, client_address: None },
            why: Why::default(),
            right: Right { epoch: self.accounts.rights().current().epoch, schema_hash: self.catalog.hash },
            asked: None,
            touched: Vec::new(),
            outcome: Outcome::default(),
            note: Some(note),
        };
        let unwritten = |error| AccountsError::Declaration(format!("no durable record, so it is not done: {error}"));
        self.audit.commit(record).await.map(drop).map_err(|error| Fault::Failed(unwritten(error)))
    }
}
