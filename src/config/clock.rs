//! The one place time comes from. Everything that needs it takes a [`Clock`], so that tests move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::{Date, Duration, OffsetDateTime};

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    /// Microseconds since 1970, shared by the clones.
    Moved(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it; its clones move with it.
    pub fn standing_at(start: OffsetDateTime) -> Self {
        Self(Source::Moved(Arc::new(AtomicI64::new(micros(start)))))
    }

    /// Now, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Source::System => OffsetDateTime::now_utc(),
            Source::Moved(at) => from_micros(at.load(Ordering::Relaxed)),
        }
    }

    /// Now, in whole seconds since 1970.
    pub fn seconds(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// Today in Taipei, the day by which forms begin and end.
    pub fn today(&self) -> Date {
        self.now().to_offset(time::macros::offset!(+8)).date()
    }

    /// Moves a standing clock; the system's clock cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Moved(at) = &self.0 {
            let by = i64::try_from(by.whole_microseconds()).unwrap_or(i64::MAX);
            at.fetch_add(by, Ordering::Relaxed);
        }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Clock({})", self.now())
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    // 64 bits of microseconds reach 292,000 years either way.
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

fn from_micros(at: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn clones_move_together() {
        let clock = Clock::standing_at(datetime!(2026-01-01 15:59 UTC));
        let other = clock.clone();
        assert_eq!(other.today(), time::macros::date!(2026 - 01 - 01));
        clock.advance(Duration::minutes(2));
        assert_eq!(other.now(), datetime!(2026-01-01 16:01 UTC));
        assert_eq!(other.today(), time::macros::date!(2026 - 01 - 02), "the day changes at midnight in Taipei");
    }
}
