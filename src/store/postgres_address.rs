//! The address of a PostgreSQL server and the way to it. Both drivers take `sslmode` and `sslrootcert` here, as libpq
//! understands them, so that one address cannot mean two things. What is asked there is left to others.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use sea_orm::ConnectOptions;
use sea_orm::sqlx::postgres::PgSslMode;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{CancelToken, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::postgres_tls::{self, Proof};

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// An address that cannot be used. The text repeats no part of it but the names of its settings.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(pub(super) String);

/// An address that was read, with what the way there needs.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Address {
    /// Reads an address; a certificate that it names is read, too.
    pub fn read(url: &str, application: &str) -> Result<Address, AddressError> {
        let (url, security) = Security::taken_out_of(url)?;
        let mut config: Config = url.parse().map_err(|error| AddressError(why(&error)))?;
        config.application_name(application).ssl_mode(security.mode.of_the_driver());
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        let tls = postgres_tls::connector(security.mode.proof(), security.root.as_deref())?;
        Ok(Address { config, tls })
    }

    /// The same address with options for the sessions, behind those that it has itself: of two alike the later one holds.
    pub fn with_options(&self, options: &str) -> Address {
        let mut config = self.config.clone();
        let own = config.get_options().map(|own| format!("{own} ")).unwrap_or_default();
        config.options(format!("{own}{options}"));
        Address { config, tls: self.tls.clone() }
    }

    /// Opens a connection, which is driven until the client is dropped.
    pub async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = why(&error), "connection to PostgreSQL closed");
            }
        });
        Ok(client)
    }

    /// Asks the server to cancel what runs on a connection.
    pub async fn cancel(&self, token: CancelToken) {
        if let Err(error) = token.cancel_query(self.tls.clone()).await {
            tracing::debug!(error = why(&error), "cancel request failed");
        }
    }
}

/// The host that an address leads to over a network without being bound to encrypt, for a warning.
pub fn in_the_clear(url: &str) -> Option<String> {
    let (rest, security) = Security::taken_out_of(url).ok()?;
    let config: Config = rest.parse().ok()?;
    let is_far = |host: &&Host| match host {
        Host::Tcp(host) => host != "localhost" && !host.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Unix(_) => false,
    };
    let far = config.get_hosts().iter().find(is_far)?;
    match far {
        Host::Tcp(host) if matches!(security.mode, Mode::Disable | Mode::Prefer) => Some(host.clone()),
        _ => None,
    }
}

/// The address for the driver of control tables and migrations.
pub fn for_sqlx(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.to_owned());
    // What cannot be read is told by the driver, which reads it once more.
    let mode = Security::taken_out_of(url).ok().map(|(_, security)| security.mode);
    options.map_sqlx_postgres_opts(move |options| {
        // It looks up an IPv6 address with its brackets, as if they were part of a name.
        let bare = options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
        let options = match bare {
            Some(host) => options.host(&host),
            None => options,
        };
        match mode {
            Some(mode) => options.ssl_mode(mode.of_sqlx()),
            None => options,
        }
    });
    options
}

/// What went wrong on the way, with its cause: the server's own words where it said some, which name users, databases and
/// settings, but no values.
pub fn why(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Whether an SQLSTATE says that the server is going down or up, is full, or lost the database: not the statement's fault.
pub fn is_away(code: &str) -> bool {
    code.len() == 5 && ["08", "53", "57P", "58", "3D"].iter().any(|class| code.starts_with(class))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn read(value: &str) -> Option<Mode> {
        match value {
            "disable" => Some(Mode::Disable),
            // "allow" would encrypt only where the server insists; what encrypts where it can serves it as well.
            "allow" | "prefer" => Some(Mode::Prefer),
            "require" => Some(Mode::Require),
            "verify-ca" => Some(Mode::VerifyCa),
            "verify-full" => Some(Mode::VerifyFull),
            _ => None,
        }
    }

    fn of_the_driver(self) -> SslMode {
        match self {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    fn of_sqlx(self) -> PgSslMode {
        match self {
            Mode::Disable => PgSslMode::Disable,
            Mode::Prefer => PgSslMode::Prefer,
            Mode::Require => PgSslMode::Require,
            Mode::VerifyCa => PgSslMode::VerifyCa,
            Mode::VerifyFull => PgSslMode::VerifyFull,
        }
    }

    fn proof(self) -> Proof {
        match self {
            Mode::Disable | Mode::Prefer | Mode::Require => Proof::Nothing,
            Mode::VerifyCa => Proof::Issuer,
            Mode::VerifyFull => Proof::IssuerAndName,
        }
    }
}

struct Security {
    mode: Mode,
    root: Option<String>,
}

impl Security {
    /// The settings of encryption, and the address without them. The rest stays as it was written.
    fn taken_out_of(url: &str) -> Result<(String, Security), AddressError> {
        let mut security = Security { mode: Mode::Prefer, root: None };
        let Some((front, settings)) = url.split_once('?') else { return Ok((url.to_owned(), security)) };
        let mut rest = Vec::new();
        for setting in settings.split('&') {
            let value = || form_urlencoded::parse(setting.as_bytes()).next().map(|(_, value)| value.into_owned());
            match setting.split('=').next() {
                Some("sslmode") => security.mode = value().as_deref().and_then(Mode::read).ok_or_else(unknown_mode)?,
                Some("sslrootcert") => security.root = value(),
                _ => rest.push(setting),
            }
        }
        // Whoever names the authority wants it to be asked; so does libpq.
        if security.mode == Mode::Require && security.root.is_some() {
            security.mode = Mode::VerifyCa;
        }
        let rest = if rest.is_empty() { front.to_owned() } else { format!("{front}?{}", rest.join("&")) };
        Ok((rest, security))
    }
}

fn unknown_mode() -> AddressError {
    refused("sslmode", "must be disable, prefer, require, verify-ca or verify-full")
}

/// A setting of the address that cannot be used.
pub(super) fn refused(setting: &str, what: impl Display) -> AddressError {
    AddressError(format!("{setting} in the url: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, Mode, Option<String>) {
        let (rest, security) = Security::taken_out_of(url).expect("readable");
        (rest, security.mode, security.root)
    }

    #[test]
    fn takes_out_what_encryption_is_set_by() {
        let url = "postgres://u:p@db.city/land";
        assert_eq!(read(url), (url.to_owned(), Mode::Prefer, None));
        let (rest, mode, root) =
            read(&format!("{url}?sslmode=verify-full&options=-c%20a%3D1&sslrootcert=%2Fetc%2Fca.pem"));
        assert_eq!((rest, mode), (format!("{url}?options=-c%20a%3D1"), Mode::VerifyFull));
        assert_eq!(root.as_deref(), Some("/etc/ca.pem"));
        assert_eq!(read(&format!("{url}?sslmode=require")).1, Mode::Require);
        assert_eq!(read(&format!("{url}?sslmode=require&sslrootcert=ca.pem")).1, Mode::VerifyCa);
        assert!(Security::taken_out_of(&format!("{url}?sslmode=verify")).is_err());
    }

    #[test]
    fn only_far_hosts_are_warned_of() {
        assert_eq!(in_the_clear("postgres://u@10.0.0.7/land").as_deref(), Some("10.0.0.7"));
        assert_eq!(in_the_clear("postgres://u@db.city/land?sslmode=prefer").as_deref(), Some("db.city"));
        for fine in ["db.city/land?sslmode=require", "127.0.0.1/land", "[::1]:5432/land", "localhost", "%2Frun/land"] {
            assert_eq!(in_the_clear(&format!("postgres://u@{fine}")), None, "{fine}");
        }
    }
}
