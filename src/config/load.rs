//! Reads settings: defaults, then a file or a directory's layout, then the environment; and says which key of which source is wrong.

use std::path::Path;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};

use super::{Audit, Config, Connection, PasswordPreset};

/// The shipped defaults, which are also the manual.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Prefix of every environment variable that overrides a key.
pub const ENV_PREFIX: &str = "CITYQUERY__";

/// Settings that cannot be used, each fault with its source and key.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n  {}", .faults.join("\n  "))]
pub struct ConfigError {
    /// One line per fault: source, key, what is wrong.
    pub faults: Vec<String>,
}

impl Config {
    /// The defaults, overridden by `file` and by `CITYQUERY__SECTION__KEY`.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut sources = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            // figment takes a missing file for an empty one; a mistyped path must not start a server on defaults.
            let text = std::fs::read_to_string(file)
                .map_err(|error| ConfigError { faults: vec![format!("{}: {error}", file.display())] })?;
            drop(text);
            sources = sources.merge(Toml::file_exact(file));
        }
        extract(sources)
    }

    /// An installation that is all in one directory: SQLite files, keys and the audit log. A `cityquery.toml` in it
    /// is read, too.
    pub fn embedded(dir: &Path) -> Result<Self, ConfigError> {
        let defaults = extract_from(Figment::from(Toml::string(DEFAULTS)))?;
        let sqlite = |name: &str| format!("sqlite:{}", dir.join(format!("{name}.db")).display());
        let mut sources = Figment::from(Toml::string(DEFAULTS))
            .merge(Serialized::default("control.url", sqlite("control")))
            .merge(Serialized::default("audit.dir", dir.join("audit")))
            .merge(Serialized::default("accounts.keys_dir", dir.join("keys")));
        for code in defaults.datasets.keys() {
            sources = sources.merge(Serialized::default(&format!("datasets.{code}.url"), sqlite(code)));
        }
        let file = dir.join("cityquery.toml");
        if file.is_file() {
            sources = sources.merge(Toml::file_exact(file));
        }
        extract(sources)
    }
}

fn extract(sources: Figment) -> Result<Config, ConfigError> {
    // Single underscores belong to the names of keys; two separate section from key.
    let config = extract_from(sources.merge(Env::prefixed(ENV_PREFIX).split("__")))?;
    let faults = faults_of(&config);
    if faults.is_empty() { Ok(config) } else { Err(ConfigError { faults }) }
}

fn extract_from(sources: Figment) -> Result<Config, ConfigError> {
    sources.extract().map_err(|error: figment::Error| ConfigError {
        faults: error.into_iter().map(|error| describe(&error)).collect(),
    })
}

fn describe(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let environment = error.metadata.as_ref().is_some_and(|source| source.name.contains("environment"));
    let what = match &error.kind {
        // What the value is, is not said: it may be a password.
        Kind::InvalidType(_, expected) if environment && expected == "a string" => {
            "text is expected; what looks like a number, a truth value or a list needs quotes of its own, as '\"12\"'"
                .to_owned()
        }
        Kind::UnknownField(field, known) => format!("unknown key `{field}`; known here: {}", known.join(", ")),
        Kind::MissingField(field) => format!("`{field}` is missing"),
        other => other.to_string(),
    };
    let source = match &error.metadata {
        Some(_) if environment => format!("{ENV_PREFIX}{}", error.path.join("__").to_uppercase()),
        Some(source) => source.source.as_ref().map_or_else(|| "defaults".to_owned(), ToString::to_string),
        None => "settings".to_owned(),
    };
    if key.is_empty() || environment { format!("{source}: {what}") } else { format!("{source}: {key}: {what}") }
}

/// What is well-formed but cannot work.
fn faults_of(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, key: &str, what: &str| {
        if !holds {
            faults.push(format!("{key}: {what}"));
        }
    };
    let server = &config.server;
    require(
        server.listen.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()),
        "server.listen",
        "must be ADDRESS:PORT, such as 127.0.0.1:8080",
    );
    let http = server.public_url.starts_with("http://") || server.public_url.starts_with("https://");
    require(
        http && !server.public_url.ends_with('/'),
        "server.public_url",
        "must begin with http:// or https:// and not end with /",
    );
    require(server.max_body_bytes >= 1024, "server.max_body_bytes", "must be at least 1024");
    let datasets = config.datasets.iter().map(|(code, Connection { url, .. })| (format!("datasets.{code}.url"), url));
    for (key, url) in datasets.chain([("control.url".to_owned(), &config.control.url)]) {
        require(known_scheme(url), &key, "must begin with sqlite: or postgres://");
        require(
            is_readable(url),
            &key,
            "cannot be read: in a password, write # / ? @ : and % as %23 %2F %3F %40 %3A and %25",
        );
    }
    let limits = &config.limits;
    let positive = [
        ("limits.depth", u64::from(limits.depth)),
        ("limits.aliases", u64::from(limits.aliases)),
        ("limits.fields", u64::from(limits.fields)),
        ("limits.cost", limits.cost),
        ("limits.page", u64::from(limits.page)),
        ("limits.keys", u64::from(limits.keys)),
        ("limits.document_bytes", limits.document_bytes as u64),
        ("limits.rows", u64::from(limits.rows)),
        ("limits.time_ms", limits.time_ms),
        ("control.connections", u64::from(config.control.connections)),
        ("postgres.shared_connections", u64::from(config.postgres.shared_connections)),
        ("postgres.own_connections", u64::from(config.postgres.own_connections)),
        ("audit.deadline_ms", config.audit.deadline_ms),
        ("accounts.access_token_seconds", config.accounts.access_token_seconds),
        ("accounts.refresh_token_seconds", config.accounts.refresh_token_seconds),
        ("accounts.lock_after_failures", u64::from(config.accounts.lock_after_failures)),
        ("accounts.lock_seconds", config.accounts.lock_seconds),
        ("accounts.password_days", u64::from(config.accounts.password_days)),
    ];
    for (key, value) in positive {
        require(value > 0, key, "must be greater than zero");
    }
    require(config.audit.segment_bytes >= 1 << 20, "audit.segment_bytes", "must be at least 1048576");
    require(
        config.accounts.access_token_seconds <= 3600,
        "accounts.access_token_seconds",
        "must be at most 3600: an access token is checked without asking the database",
    );
    require(
        config.accounts.password_preset == PasswordPreset::Asvs || config.accounts.password_days <= 90,
        "accounts.password_days",
        "must be at most 90: passwords change at least every three months (clause 11)",
    );
    let (suspend, close) = (config.accounts.idle_suspend_days, config.accounts.idle_close_days);
    require(
        suspend == 0 || close == 0 || close > suspend,
        "accounts.idle_close_days",
        "must be greater than accounts.idle_suspend_days, or 0",
    );
    let node = &config.audit.node;
    require(
        Audit::is_node(node) && node.len() <= 40 && !["keys", "command"].contains(&node.as_str()),
        "audit.node",
        "must be 1 to 40 small letters, digits and hyphens, and neither \"keys\" nor \"command\"",
    );
    let inspection = &config.inspection;
    let (begin, end) = inspection.office_hours;
    require(begin < end && end <= 24, "inspection.office_hours", "must be two hours of one day, such as [7, 20]");
    require(inspection.run >= 2 && inspection.accounts >= 2, "inspection.run, accounts", "must be at least 2");
    let mail = &config.mail.url;
    require(
        mail.is_empty() || ["smtp://", "smtps://"].iter().any(|scheme| mail.starts_with(scheme)),
        "mail.url",
        "must begin with smtp:// or smtps://, or be empty",
    );
    faults
}

fn known_scheme(url: &str) -> bool {
    ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme))
}

/// Whether a driver can read an address. Its own words would repeat it, with its password.
fn is_readable(url: &str) -> bool {
    url.starts_with("sqlite:") || url::Url::parse(url).is_ok()
}

#[cfg(test)]
mod tests {
    use figment::Jail;

    use super::*;

    fn faults(result: Result<Config, ConfigError>) -> String {
        result.expect_err("the settings are faulty").to_string()
    }

    #[test]
    fn the_defaults_are_complete_and_sound() {
        let config = Config::load(None).expect("the defaults load");
        assert_eq!(config.datasets.len(), 5);
        assert_eq!(config.accounts.lock_after_failures, 5);
    }

    #[test]
    fn every_key_of_the_defaults_is_explained() {
        let mut previous = "";
        for line in DEFAULTS.lines() {
            if line.contains(" = ") && !line.trim_start().starts_with('#') {
                assert!(previous.starts_with('#') || line.contains(" # "), "no comment above `{line}`");
            }
            previous = line;
        }
    }

    #[test]
    fn an_embedded_installation_lives_in_one_directory() {
        let config = Config::embedded(Path::new("somewhere")).expect("loads");
        assert_eq!(config.control.url, "sqlite:somewhere/control.db");
        assert!(config.datasets.iter().all(|(code, to)| to.url == format!("sqlite:somewhere/{code}.db")));
        assert_eq!(config.accounts.keys_dir, Path::new("somewhere/keys"));
    }

    // Jail's error type is figment's own, and large.
    #[allow(clippy::result_large_err)]
    #[test]
    fn faults_name_their_file_and_key() {
        Jail::expect_with(|jail| {
            jail.create_file("typo.toml", "[server]\nlistn = \"127.0.0.1:1\"\n")?;
            let text = faults(Config::load(Some(Path::new("typo.toml"))));
            assert!(text.contains("typo.toml") && text.contains("unknown key `listn`"), "{text}");

            jail.create_file("type.toml", "[limits]\ndepth = \"deep\"\n")?;
            let text = faults(Config::load(Some(Path::new("type.toml"))));
            assert!(text.contains("type.toml") && text.contains("limits.depth"), "{text}");

            // The usual slip: a password as it is, which ends the address before its host. It is not repeated.
            jail.create_file("url.toml", "[datasets.land]\nurl = \"postgres://u:top#secret/x@db.city:5432/land\"\n")?;
            let text = faults(Config::load(Some(Path::new("url.toml"))));
            assert!(text.contains("datasets.land.url") && text.contains("%23") && !text.contains("secret"), "{text}");

            let text = faults(Config::load(Some(Path::new("missing.toml"))));
            assert!(text.contains("missing.toml"), "{text}");

            jail.create_file("days.toml", "[inspection]\nholidays = [\"2026-13-01\"]\n")?;
            let text = faults(Config::load(Some(Path::new("days.toml"))));
            assert!(text.contains("days.toml") && text.contains("inspection.holidays"), "{text}");
            assert!(text.contains("2026-10-09"), "{text}");

            jail.create_file("values.toml", "[limits]\ndepth = 0\n[server]\npublic_url = \"city\"\n")?;
            let text = faults(Config::load(Some(Path::new("values.toml"))));
            assert!(text.contains("limits.depth") && text.contains("server.public_url"), "{text}");
            Ok(())
        });
    }

    #[allow(clippy::result_large_err)]
    #[test]
    fn the_environment_overrides_files() {
        Jail::expect_with(|jail| {
            jail.create_file("city.toml", "[datasets.land]\nurl = \"sqlite:a.db\"\n")?;
            jail.set_env("CITYQUERY__DATASETS__LAND__URL", "postgres://land@db/land");
            jail.set_env("CITYQUERY__LIMITS__TIME_MS", "1234");
            let config = Config::load(Some(Path::new("city.toml"))).expect("loads");
            assert_eq!(config.datasets["land"].url, "postgres://land@db/land");
            assert_eq!(config.limits.time_ms, 1234);
            jail.set_env("CITYQUERY__LIMITS__TIME_MS", "soon");
            let text = faults(Config::load(Some(Path::new("city.toml"))));
            assert!(text.contains("CITYQUERY__LIMITS__TIME_MS"), "{text}");
            jail.set_env("CITYQUERY__LIMITS__TIME_MS", "1234");
            jail.set_env("CITYQUERY__AUDIT__NODE", "471147");
            let text = faults(Config::load(None));
            assert!(text.contains("CITYQUERY__AUDIT__NODE: text is expected"), "{text}");
            assert!(!text.contains("471147"), "it could be a password: {text}");
            jail.set_env("CITYQUERY__AUDIT__NODE", "\"471147\"");
            assert_eq!(Config::load(None).expect("loads").audit.node, "471147");
            Ok(())
        });
    }
}
