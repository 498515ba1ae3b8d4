//! How long a password lives (clause 11): the one place that knows the preset. What a new one must be is left to
//! `password`.

use time::{Duration, OffsetDateTime};

use super::Accounts;
use crate::config::{self, PasswordPreset};

/// The owner is warned from so many days before the end.
pub const WARNED_DAYS: i64 = 14;

impl Accounts {
    /// When a password that was set then ends; never without one, or where passwords do not end by age.
    pub fn password_end(&self, set_at: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
        end(&self.settings, set_at)
    }

    /// Whether a password that was set then has ended.
    pub fn password_ended(&self, set_at: Option<OffsetDateTime>) -> bool {
        self.password_end(set_at).is_some_and(|at| at <= self.clock.now())
    }

    /// Whole days to the end, once they are few enough to be told.
    pub fn password_warning(&self, ends_at: Option<OffsetDateTime>) -> Option<i64> {
        let days = (ends_at? - self.clock.now()).whole_days();
        (days <= WARNED_DAYS).then_some(days)
    }

    /// What the record of a start says of passwords.
    pub fn password_rule(&self) -> String {
        let preset = self.settings.password_preset;
        match preset {
            PasswordPreset::Periodic => format!("passwords {}, {} days", preset.word(), self.settings.password_days),
            PasswordPreset::Asvs => format!("passwords {}, without end by age", preset.word()),
        }
    }
}

fn end(settings: &config::Accounts, set_at: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    match settings.password_preset {
        PasswordPreset::Periodic => set_at.map(|set| set + Duration::days(i64::from(settings.password_days))),
        PasswordPreset::Asvs => None,
    }
}
