//! The line before the threads for statements that may run long, fair among accounts: they take turns, and whoever asks
//! for many at once leaves one thread to the others. What is run is the group's.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::share::most_of;

/// Work that waits, for threads that take it.
pub(super) struct Line<J> {
    state: Mutex<State<J>>,
    came: Condvar,
    /// Pieces of one account that run at a time.
    most: usize,
}

struct State<J> {
    /// Who waits with what; the account whose turn is next comes first. Work of nobody in particular is bound by no share.
    waiting: VecDeque<(Option<i64>, VecDeque<J>)>,
    running: HashMap<i64, usize>,
    is_shut: bool,
}

/// What a thread was given.
pub(super) enum Next<J> {
    /// Work, and its turn, to be dropped when it is done; none where there are no turns.
    Work(J, Option<Turn<J>>),
    /// Nothing in that time.
    Nothing,
    /// Nothing any more.
    End,
}

/// A piece of work on its way: what the account has of the threads is given back with it, however the work ends.
pub(super) struct Turn<J> {
    line: Arc<Line<J>>,
    account: Option<i64>,
}

impl<J> Line<J> {
    /// Before so many threads.
    pub fn before(threads: usize) -> Arc<Line<J>> {
        let state = State { waiting: VecDeque::new(), running: HashMap::new(), is_shut: false };
        Arc::new(Line { state: Mutex::new(state), came: Condvar::new(), most: most_of(threads) })
    }

    /// Lines up.
    pub fn push(&self, account: Option<i64>, work: J) {
        let mut state = self.lock();
        match state.waiting.iter_mut().find(|(whose, _)| *whose == account) {
            Some((_, pieces)) => pieces.push_back(work),
            None => state.waiting.push_back((account, VecDeque::from([work]))),
        }
        drop(state);
        self.came.notify_one();
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        self.lock().waiting.iter().map(|(_, pieces)| pieces.len()).sum()
    }

    /// The next piece of work, waited for as long as told.
    pub fn take(self: &Arc<Self>, longest: Duration) -> Next<J> {
        let has_none = |state: &mut State<J>| !state.is_shut && state.next(self.most).is_none();
        let waited = self.came.wait_timeout_while(self.lock(), longest, has_none);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let Some((account, work)) = state.next(self.most).and_then(|at| state.take(at)) else {
            return if state.is_shut { Next::End } else { Next::Nothing };
        };
        Next::Work(work, Some(Turn { line: self.clone(), account }))
    }

    /// What waits is still given out; then the threads end.
    pub fn shut(&self) {
        self.lock().is_shut = true;
        self.came.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // nothing in here is left half done
    }
}

impl<J> State<J> {
    /// Where the first stands who may have another thread.
    fn next(&self, most: usize) -> Option<usize> {
        let running = |account: i64| self.running.get(&account).copied().unwrap_or(0);
        self.waiting.iter().position(|(account, _)| account.is_none_or(|account| running(account) < most))
    }

    fn take(&mut self, at: usize) -> Option<(Option<i64>, J)> {
        let (account, mut pieces) = self.waiting.remove(at)?;
        let work = pieces.pop_front()?;
        if !pieces.is_empty() {
            self.waiting.push_back((account, pieces));
        }
        if let Some(account) = account {
            *self.running.entry(account).or_default() += 1;
        }
        Some((account, work))
    }
}

impl<J> Drop for Turn<J> {
    fn drop(&mut self) {
        let Some(account) = self.account else { return };
        let mut state = self.line.lock();
        if let Some(running) = state.running.get_mut(&account) {
            *running -= 1;
            if *running == 0 {
                state.running.remove(&account);
            }
        }
        drop(state);
        // It may be this account's next piece that another thread could take now.
        self.line.came.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes what there is, at once.
    fn take(line: &Arc<Line<&'static str>>) -> Option<(&'static str, Turn<&'static str>)> {
        match line.take(Duration::ZERO) {
            Next::Work(work, turn) => Some((work, turn?)),
            Next::Nothing | Next::End => None,
        }
    }

    #[test]
    fn one_thread_is_left_to_others() {
        let line = Line::before(3);
        for work in ["a1", "a2", "a3", "a4"] {
            line.push(Some(1), work);
        }
        let (first, second) = (take(&line), take(&line));
        assert_eq!((first.as_ref().map(|one| one.0), second.as_ref().map(|one| one.0)), (Some("a1"), Some("a2")));
        assert!(take(&line).is_none(), "it has two threads of three");
        line.push(Some(2), "b1");
        let other = take(&line);
        assert_eq!(other.as_ref().map(|one| one.0), Some("b1"));
        drop(first);
        assert_eq!(take(&line).map(|one| one.0), Some("a3"), "what is given back is taken again");
        assert_eq!(line.len(), 1);
    }

    #[test]
    fn accounts_take_turns() {
        let line = Line::before(1);
        for (account, work) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2"), (3, "c1")] {
            line.push(Some(account), work);
        }
        let order: Vec<&str> = std::iter::from_fn(|| take(&line).map(|(work, _)| work)).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
    }

    #[test]
    fn work_of_nobody_in_particular_has_every_thread() {
        let line = Line::before(2);
        for work in ["one", "two", "three"] {
            line.push(None, work);
        }
        let held: Vec<_> = std::iter::from_fn(|| take(&line)).collect();
        assert_eq!(held.len(), 3);
    }

    #[test]
    fn what_waits_is_done_before_the_end_and_nothing_is_kept_of_accounts() {
        let line = Line::before(2);
        line.push(Some(1), "last");
        line.shut();
        assert_eq!(take(&line).map(|one| one.0), Some("last"));
        assert!(matches!(line.take(Duration::from_secs(60)), Next::End));
        let state = line.lock();
        assert!(state.running.is_empty() && state.waiting.is_empty());
    }

    #[test]
    fn a_thread_that_waits_is_woken() {
        let line = Line::before(2);
        let theirs = line.clone();
        line.push(Some(1), "work");
        line.push(Some(1), "work");
        let first = take(&line);
        let thread = std::thread::spawn(move || match theirs.take(Duration::from_secs(60)) {
            Next::Work(work, _) => work,
            Next::Nothing | Next::End => "nothing",
        });
        drop(first); // one of two threads is this account's: its second piece waits for the first
        assert_eq!(thread.join().expect("ends"), "work");
    }
}
