//! Where records wait for the committer, and when a batch of them is due. What becomes of a batch is left to `committer`.
//!
//! A write and a sync cost the same for one record as for thirty. Under load, records are therefore let gather: a batch
//! is due once as many records wait as answers are still being worked on whose records will come. Alone, a record
//! waits for nobody; and none waits longer than its maker's patience (see [`Queue::press`]).

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::committer::Message;

/// An answer that was begun this many batches ago is not waited for any more: it is a long one.
const REMEMBERED: usize = 8;

/// The number of a batch; of one that is still gathering, the number that it will have.
pub(super) type Batch = u64;

/// What waits.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    due: Condvar,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    records: usize,
    /// The batch that is gathering.
    batch: Batch,
    /// Answers being worked on whose records will come, by the batch that was gathering when they were begun.
    coming: [usize; REMEMBERED],
    /// Somebody waits no longer.
    is_pressed: bool,
    /// The committer sleeps.
    is_asleep: bool,
    is_shut: bool,
}

impl Queue {
    /// An answer is begun whose record will come. [`Queue::push`] or [`Queue::gone`] takes that back.
    pub fn expect(&self) -> Batch {
        let mut state = self.lock();
        let batch = state.batch;
        state.coming[slot(batch)] += 1;
        batch
    }

    /// The record of an answer begun in that batch will not come.
    pub fn gone(&self, begun: Batch) {
        let mut state = self.lock();
        state.forget(begun);
        self.wake(state);
    }

    /// Puts a record into the gathering batch, whose number is returned; gives it back when nobody takes records any more.
    pub fn push(&self, message: Message, begun: Option<Batch>) -> Result<Batch, Message> {
        let mut state = self.lock();
        if let Some(begun) = begun {
            state.forget(begun);
        }
        if state.is_shut {
            return Err(message);
        }
        match message {
            Message::Commit(_) => state.records += 1,
            Message::Unread { .. } | Message::Close => state.is_pressed = true,
        }
        state.messages.push_back(message);
        let batch = state.batch;
        self.wake(state);
        Ok(batch)
    }

    /// Whoever has a record in that batch has waited long enough, or waits no more: if it is still gathering, it is due now.
    pub fn press(&self, batch: Batch) {
        let mut state = self.lock();
        if state.batch == batch {
            state.is_pressed = true;
            self.wake(state);
        }
    }

    /// Waits until a batch is due, or as long as told; whatever waits then goes into `batch`, which must be empty.
    pub fn take(&self, batch: &mut VecDeque<Message>, longest: Duration) {
        let mut state = self.lock();
        if !longest.is_zero() {
            state.is_asleep = true;
            let woken = self.due.wait_timeout_while(state, longest, |state| !state.is_due());
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.is_asleep = false;
        }
        if !state.messages.is_empty() {
            std::mem::swap(&mut state.messages, batch);
            state.next();
        }
    }

    /// Takes no more; what still waits is given back.
    pub fn shut(&self) -> VecDeque<Message> {
        let mut state = self.lock();
        state.is_shut = true;
        state.records = 0;
        std::mem::take(&mut state.messages)
    }

    /// Whether a batch is due.
    #[cfg(test)]
    pub fn is_due(&self) -> bool {
        self.lock().is_due()
    }

    /// Whether the committer sleeps, and nobody has woken it yet.
    #[cfg(test)]
    pub fn is_asleep(&self) -> bool {
        self.lock().is_asleep
    }

    /// The committer is woken once, and only when there is something for it to do: each waking costs more than a record.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if state.is_asleep && state.is_due() {
            state.is_asleep = false;
            state.is_pressed = true; // what is due stays so, whoever begins before the committer has come
            drop(state);
            self.due.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // nothing in here is left half done
    }
}

impl State {
    fn is_due(&self) -> bool {
        !self.messages.is_empty() && (self.is_pressed || self.records >= self.coming.iter().sum())
    }

    fn forget(&mut self, begun: Batch) {
        if self.batch - begun < REMEMBERED as Batch {
            self.coming[slot(begun)] -= 1;
        }
    }

    /// Goes on to the next batch, and forgets who was begun too many batches ago.
    fn next(&mut self) {
        self.batch += 1;
        self.coming[slot(self.batch)] = 0;
        self.records = 0;
        self.is_pressed = false;
    }
}

fn slot(batch: Batch) -> usize {
    (batch % REMEMBERED as Batch) as usize
}
