//! Places for statements that may run long, shared out among accounts where they run one by one, as on PostgreSQL: whoever
//! asks for many at once leaves one to the others, and waits in a line of its own. The places themselves are `postgres`'s and
//! `sqlite`'s, which has a line of its own for whole plans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// What each account has of a database's places.
pub struct Shares {
    most: usize,
    /// Only accounts that have a place or wait for one are kept.
    accounts: Mutex<HashMap<i64, Weak<Semaphore>>>,
}

/// How many of these places one account may have at a time: all but one, which is left to others.
pub(super) fn most_of(places: usize) -> usize {
    places.saturating_sub(1).max(1)
}

/// A place of an account's share; given back when dropped.
pub struct Share {
    _permit: OwnedSemaphorePermit,
}

impl Shares {
    /// Shares of so many places.
    pub fn of(places: usize) -> Shares {
        Shares { most: most_of(places), accounts: Mutex::default() }
    }

    /// Waits until the account has less than its share. Those of one account are served in the order in which they came.
    pub async fn take(&self, account: i64) -> Result<Share, AcquireError> {
        let line = self.line(account);
        Ok(Share { _permit: line.acquire_owned().await? })
    }

    fn line(&self, account: i64) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = accounts.get(&account).and_then(Weak::upgrade) {
            return line;
        }
        accounts.retain(|_, line| line.strong_count() > 0);
        let line = Arc::new(Semaphore::new(self.most));
        accounts.insert(account, Arc::downgrade(&line));
        line
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn one_place_is_left_to_others() {
        let shares = Shares::of(3);
        let takes = |account| shares.take(account).now_or_never().map(|taken| taken.expect("a share"));
        let (first, second) = (takes(1), takes(1));
        assert!(first.is_some() && second.is_some() && takes(1).is_none());
        assert!(takes(2).is_some(), "another account has a share of its own");
        drop(first);
        assert!(takes(1).is_some(), "what is given back is taken again");
    }

    #[test]
    fn where_there_is_one_place_everybody_may_have_it() {
        let shares = Shares::of(1);
        let held = shares.take(1).now_or_never();
        assert!(held.is_some() && shares.take(1).now_or_never().is_none() && shares.take(2).now_or_never().is_some());
    }

    #[test]
    fn whoever_waits_keeps_the_line() {
        let shares = Shares::of(2);
        let held = shares.take(1).now_or_never();
        let mut waits = Box::pin(shares.take(1));
        assert!((&mut waits).now_or_never().is_none());
        drop(held);
        let _others: Vec<_> = (2..9).map(|account| shares.take(account).now_or_never()).collect();
        assert!(shares.take(1).now_or_never().is_none(), "it is the turn of the one that waits");
        assert!(waits.now_or_never().is_some());
    }

    #[test]
    fn accounts_that_have_nothing_are_forgotten() {
        let shares = Shares::of(2);
        (0..1_000).for_each(|account| drop(shares.take(account).now_or_never()));
        assert!(shares.accounts.lock().expect("unharmed").len() <= 1);
    }
}
