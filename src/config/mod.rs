//! Settings: `config/default.toml` is default and manual in one; a file and `CITYQUERY__SECTION__KEY` override it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use time::Date;
use time::macros::format_description;

pub mod clock;
pub mod declarations;
pub mod entropy;
pub mod load;

pub use clock::Clock;
pub use entropy::Entropy;
pub use load::ConfigError;

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where and how to listen.
    pub server: Server,
    /// The program's own database.
    pub control: Control,
    /// Dataset code → connection.
    pub datasets: BTreeMap<String, Connection>,
    /// How SQLite files are read.
    pub sqlite: Sqlite,
    /// How PostgreSQL databases of datasets are read.
    pub postgres: Postgres,
    /// Declarations besides the built-in ones.
    pub catalog: Declarations,
    /// The audit log.
    pub audit: Audit,
    /// What one operation may cost.
    pub limits: Limits,
    /// Accounts, passwords and tokens.
    pub accounts: Accounts,
    /// Notices by mail.
    pub mail: Mail,
    /// What is conspicuous about an agency's use.
    pub inspection: Inspection,
}

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: String,
    /// URL by which clients reach the server; issuer and audience of tokens.
    pub public_url: String,
    /// Largest request body in bytes.
    pub max_body_bytes: usize,
    /// Proxies in front whose `X-Forwarded-For` is believed.
    pub trusted_proxies: usize,
    /// Serves the playground.
    pub playground: bool,
    /// Shows the schema to everybody; otherwise to signed-in callers.
    pub public_schema: bool,
}

/// `[control]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// `sqlite:PATH` or `postgres://…`
    pub url: String,
    /// Schema inside a PostgreSQL database.
    pub schema: Option<String>,
    /// Connections to a PostgreSQL database at most.
    pub connections: u16,
}

/// `[datasets.CODE]`
#[derive(Debug, Clone, Deserialize, PartialEq, Eq, Hash)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// `sqlite:PATH` or `postgres://…`
    pub url: String,
    /// Schema inside a PostgreSQL database.
    pub schema: Option<String>,
}

/// `[sqlite]`: for each SQLite file on each thread that reads it, four on two cores and ten at most.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sqlite {
    /// As much of the file is mapped into memory.
    pub map_bytes: u64,
    /// Pages kept beside the map.
    pub cache_bytes: u64,
}

/// `[postgres]`: for each PostgreSQL database of datasets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Postgres {
    /// Connections that short statements share.
    pub shared_connections: u16,
    /// Connections for statements that may run long, one at a time.
    pub own_connections: u16,
}

/// `[catalog]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declarations {
    /// Files of further datasets.
    pub declarations: Vec<PathBuf>,
}

/// `[audit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Folder of the segments and their keys.
    pub dir: PathBuf,
    /// Name of this server's own log in it; servers that share a control database have different ones.
    pub node: String,
    /// Size of a pre-allocated segment.
    pub segment_bytes: u64,
    /// A record that is not durable by then refuses its answer.
    pub deadline_ms: u64,
    /// Off only for measuring the cost of audit; refused unless `CITYQUERY_BENCH=1`.
    pub enabled: bool,
}

impl Audit {
    /// Whether that may be the name of a node, which is also that of its folder.
    pub fn is_node(name: &str) -> bool {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        !name.is_empty() && name.chars().all(plain)
    }
}

/// `[limits]`: each is checked before any SQL runs, but the last two, which bound what is already running.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Nesting of selections.
    pub depth: u32,
    /// Fields selected under an alias.
    pub aliases: u32,
    /// Selected fields after fragments are expanded.
    pub fields: u32,
    /// Estimated cost: rows times fields.
    pub cost: u64,
    /// Rows in one page of a root connection.
    pub page: u32,
    /// Rows of a page that asks for no number.
    pub page_default: u32,
    /// Keys carried from one database to another for a filter.
    pub keys: u32,
    /// Size of the document in bytes.
    pub document_bytes: usize,
    /// Rows that one operation may load in all.
    pub rows: u32,
    /// Time for one operation, in milliseconds.
    pub time_ms: u64,
}

/// `[accounts]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// Folder of the signing and sealing keys.
    pub keys_dir: PathBuf,
    /// Life of an access token in seconds.
    pub access_token_seconds: u64,
    /// Life of a refresh token in seconds.
    pub refresh_token_seconds: u64,
    /// Failed sign-ins before the account is locked.
    pub lock_after_failures: u32,
    /// Length of the lock in seconds.
    pub lock_seconds: u64,
    /// Whether passwords end by age.
    pub password_preset: PasswordPreset,
    /// Life of a password in days, where it ends by age.
    pub password_days: u32,
    /// An account that nobody used for so many days is suspended; 0 suspends none.
    pub idle_suspend_days: u32,
    /// An account that nobody used for so many days is closed; 0 closes none.
    pub idle_close_days: u32,
}

/// `[inspection]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// First hour of the office, and the one at which it ends.
    pub office_hours: (u8, u8),
    /// Days off besides Saturdays and Sundays.
    #[serde(deserialize_with = "days")]
    pub holidays: BTreeSet<Date>,
    /// Saturdays and Sundays that are worked.
    #[serde(deserialize_with = "days")]
    pub workdays: BTreeSet<Date>,
    /// Operations with one case number, more than which are many.
    pub same_case: usize,
    /// Accounts that read one person.
    pub accounts: usize,
    /// Rows looked up one after another.
    pub run: usize,
    /// Multiple of an account's median number of rows.
    pub times_median: u32,
    /// So many rows are never unusual.
    pub usual_rows: u32,
    /// Operations below which an account has no habit.
    pub habit: usize,
}

/// Days as the settings name them, `2026-10-09`.
fn days<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeSet<Date>, D::Error> {
    let day = |text: &String| {
        let read = Date::parse(text, format_description!("[year]-[month]-[day]"));
        read.map_err(|_| serde::de::Error::custom(format!("\"{text}\" is no date such as \"2026-10-09\"")))
    };
    Vec::<String>::deserialize(from)?.iter().map(day).collect()
}

/// `[mail]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtp://…` or `smtps://…`; empty is off.
    pub url: String,
    /// Sender.
    pub from: String,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        formatter.debug_struct("Mail").field("on", &!self.url.is_empty()).field("from", &self.from).finish()
    }
}

/// Which of two schools the passwords follow; the first change, the history, the length and the lock are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordPreset {
    /// 定期變更: changed at least every three months, by the letter of clause 11.
    Periodic,
    /// 不定期變更: as OWASP ASVS has it, changed when there is a reason, not by age.
    Asvs,
}

impl PasswordPreset {
    /// As the settings name it.
    pub fn word(self) -> &'static str {
        match self {
            PasswordPreset::Periodic => "periodic",
            PasswordPreset::Asvs => "asvs",
        }
    }
}
