//! Reading the audit log for a step or a question of the procedure: whoever reads is recorded first.

use std::io;

use serde_json::Value;
use time::OffsetDateTime;

use super::{Act, Fault, Procedure};
use crate::access::{Code, Refusal};
use crate::audit::reader::{Reader, reading};
use crate::audit::{Who, Why};

impl Procedure {
    /// Leave to read the log, for the one whose reading is now on record: `what` is the question, `arguments` are sealed.
    pub(crate) async fn open_log(&self, act: &Act, what: &str, arguments: &Value) -> Result<Reader, Fault> {
        let caller = &act.caller;
        let who = Who {
            account: caller.account.clone(),
            agency: caller.agency.clone(),
            session: Some(caller.session),
            client_address: caller.client_address,
        };
        let why = Why { purpose: caller.purpose.clone(), case_number: caller.case_number.clone(), ..Why::default() };
        let record = reading(self.accounts.new_id(), micros(caller.now), who, why, what, arguments);
        let receipt = self.audit.commit(record).await.map_err(|reason| {
            tracing::error!(%reason, "a reading of the log could not be recorded");
            Refusal::new(Code::AuditUnavailable, "The log cannot be read now.", "目前無法讀取紀錄。")
        })?;
        Ok(Reader::new(&receipt, &self.audit_dir, self.audit.keys()))
    }
}

/// Reads files of the log without holding up other requests.
pub(crate) async fn read_log<T: Send + 'static>(
    read: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    let error = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => return Ok(found),
        Ok(Err(error)) => error,
        Err(stopped) => io::Error::other(stopped),
    };
    tracing::error!(%error, "the audit log cannot be read");
    Err(Refusal::new(Code::SourceUnavailable, "The log cannot be read now.", "目前無法讀取紀錄。").into())
}

/// Microseconds since 1970 as the log has them.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The moment of the log's microseconds since 1970.
pub(crate) fn moment(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
