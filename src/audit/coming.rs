//! What the one who acts holds: first the promise that a record will come, then the wait for its acknowledgement. What
//! becomes of both is left to `queue` and `committer`.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::committer::Message;
use super::log::AuditLog;
use super::queue::{Batch, Queue};
use super::record::Record;
use super::state::{Receipt, Unavailable};

/// How long a record waits for others that are on their way, so that they are synced together: two or three syncs. Only where
/// long answers are being worked on does it come to that; all others' records are there sooner.
const PATIENCE: Duration = Duration::from_millis(2);

/// An answer that is being worked on, whose record will come. Dropped, it will not.
pub struct Coming<'a> {
    log: &'a AuditLog,
    begun: Option<Batch>,
}

impl<'a> Coming<'a> {
    pub(super) fn new(log: &'a AuditLog, begun: Option<Batch>) -> Coming<'a> {
        Coming { log, begun }
    }

    /// The record is here: see [`AuditLog::commit`].
    pub fn commit(mut self, record: Record) -> impl Future<Output = Result<Receipt, Unavailable>> + Send + use<> {
        self.log.commit_begun(&record, &mut self.begun)
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        if let Some(begun) = self.begun {
            self.log.gone(begun);
        }
    }
}

/// The committer's word on a record.
pub(super) type Acknowledgement = oneshot::Receiver<Result<Receipt, Unavailable>>;

/// An acknowledgement on its way to whoever will release the answer.
pub(super) struct Awaited {
    done: Acknowledgement,
    submitted: Instant,
    batch: Batch,
    queue: Arc<Queue>,
}

impl Awaited {
    pub fn new(done: Acknowledgement, submitted: Instant, batch: Batch, queue: Arc<Queue>) -> Awaited {
        Awaited { done, submitted, batch, queue }
    }

    pub async fn receipt(mut self, deadline: Duration) -> Result<Receipt, Unavailable> {
        let patience = PATIENCE.min(deadline);
        if let Ok(answer) = tokio::time::timeout(patience, &mut self.done).await {
            return answer.unwrap_or(Err(Unavailable::Closed));
        }
        self.queue.press(self.batch);
        if let Ok(answer) = tokio::time::timeout(deadline - patience, &mut self.done).await {
            return answer.unwrap_or(Err(Unavailable::Closed));
        }
        // The one moment that decides: either the acknowledgement is here already, or it can no longer come.
        self.done.close();
        match self.done.try_recv() {
            Ok(answer) => answer,
            Err(_) => Err(Unavailable::Late(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX))),
        }
    }
}

impl Drop for Awaited {
    /// An acknowledgement that came and was never looked at released no answer: the request had ended just before. One that
    /// is still to come is waited for by nobody, so that its record must not wait for others.
    fn drop(&mut self) {
        if self.done.is_terminated() {
            return;
        }
        self.done.close();
        match self.done.try_recv() {
            Ok(Ok(Receipt { id, seq, .. })) => {
                let unread = Message::Unread { id, seq, submitted: self.submitted };
                let _ = self.queue.push(unread, None); // closed: it stays unmarked
            }
            Ok(Err(_)) => {}
            Err(_) => self.queue.press(self.batch),
        }
    }
}
