//! `cityquery doctor`: checks an installation and says what to do about each fault. It changes nothing.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use clap::Args;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, PaginatorTrait, Statement};

use super::Installation;
use super::doctor_audit;
use super::installation::read_catalog;
use crate::accounts::{entity, keys};
use crate::audit::index;
use crate::catalog::Catalog;
use crate::config::{Clock, Config};
use crate::procedure::mail::Courier;
use crate::store::postgres_address::in_the_clear;
use crate::store::{columns, control, migrate};
use migrations::Kind;

const EXAMPLES: &str = "\
Example:
  cityquery doctor --config cityquery.toml

Exit code 1 when something must be mended; warnings alone leave it at 0.";

/// Free space below which a disk is worth a warning.
const LITTLE: u64 = 2 << 30;

/// Arguments of `cityquery doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
}

/// What was found; printed as it is found.
#[derive(Default)]
pub(super) struct Findings {
    faults: usize,
    warnings: usize,
}

impl Findings {
    pub(super) fn good(&self, what: &str, found: impl std::fmt::Display) {
        println!("ok    {what}: {found}");
    }

    pub(super) fn warn(&mut self, what: &str, found: impl std::fmt::Display, advice: &str) {
        self.warnings += 1;
        println!("warn  {what}: {found}\n        → {advice}");
    }

    pub(super) fn fault(&mut self, what: &str, found: impl std::fmt::Display, advice: &str) {
        self.faults += 1;
        println!("FAIL  {what}: {found}\n        → {advice}");
    }
}

/// Runs the command.
pub async fn run(arguments: DoctorArguments) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    let config = arguments.installation.load().context("nothing else can be checked before the settings hold")?;
    let named = |path: &Path| path.display().to_string();
    let from = match (&arguments.installation.config, &arguments.installation.data_dir) {
        (Some(file), _) => named(file),
        (_, Some(dir)) => named(dir),
        _ => "cityquery.toml or the defaults".to_owned(),
    };
    findings.good("settings", from);
    check_server(&config, &mut findings);
    let catalog = read_catalog(&config);
    match &catalog {
        Ok(catalog) => findings
            .good("declarations", format_args!("{} datasets, {} types", catalog.datasets.len(), catalog.types.len())),
        Err(error) => findings.fault("declarations", error, "mend the files named in [catalog] declarations"),
    }
    check_control(&config, &mut findings).await;
    if let Ok(catalog) = &catalog {
        check_datasets(&config, catalog, &mut findings).await;
    }
    check_keys(&config, &mut findings);
    check_mail(&config, &mut findings).await;
    doctor_audit::check_log(&config, &mut findings);
    check_disks(&config, &mut findings);
    println!();
    anyhow::ensure!(findings.faults == 0, "{} faults, {} warnings", findings.faults, findings.warnings);
    println!("no faults, {} warnings", findings.warnings);
    Ok(())
}

fn check_server(config: &Config, findings: &mut Findings) {
    let server = &config.server;
    let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| server.public_url.contains(name));
    if server.public_url.starts_with("http://") && !local {
        let advice = "put a proxy with TLS in front and name its https:// address";
        findings.warn(
            "server.public_url",
            format_args!("{} carries passwords in the clear", server.public_url),
            advice,
        );
    }
    if !server.listen.starts_with("127.")
        && !server.listen.starts_with("[::1]")
        && server.trusted_proxies == 0
        && !local
    {
        let advice = "set server.trusted_proxies to the number of proxies in front, or the log names the proxy";
        findings.warn("server.trusted_proxies", "is 0", advice);
    }
    match std::net::TcpListener::bind(&server.listen) {
        Ok(_) => findings.good("server.listen", format_args!("{} is free", server.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            findings.good("server.listen", format_args!("{} is in use, as by a running server", server.listen));
        }
        Err(error) => findings.fault("server.listen", error, "name an address of this machine and a port above 1023"),
    }
    if !config.audit.enabled {
        let advice = "remove audit.enabled = false; it is for measuring only";
        findings.fault("audit.enabled", "the log is off", advice);
    }
}

/// Rows and passwords of a database over a network without encryption, or with one that falls back to none.
fn check_way(what: &str, url: &str, findings: &mut Findings) {
    if let Some(host) = in_the_clear(url) {
        let advice = "add ?sslmode=verify-full to its url (&sslrootcert=FILE where the city has its own authority)";
        findings.warn(what, format_args!("need not encrypt on the way to {host}"), advice);
    }
}

async fn check_control(config: &Config, findings: &mut Findings) {
    let what = "control database";
    check_way(what, &config.control.url, findings);
    // Connecting would make a SQLite file that is not there.
    if crate::store::layout::sqlite_file(&config.control.url).is_some_and(|file| !file.exists()) {
        return findings.fault(what, format_args!("{} is not there", config.control.url), "run `cityquery migrate`");
    }
    let db = match control::connect(&config.control).await {
        Ok(db) => db,
        Err(error) => return findings.fault(what, error, "start the database; check [control] url and its password"),
    };
    match control::pending(&db).await {
        Ok(pending) if pending.is_empty() => {}
        Ok(pending) => {
            let found = format_args!("{} migrations have not been applied", pending.len()).to_string();
            return findings.fault(what, found, "run `cityquery migrate`");
        }
        Err(error @ control::ControlError::Newer) => return findings.fault(what, error, "install that version"),
        Err(error) => return findings.fault(what, error, "check the rights of the database's user"),
    }
    match entity::account::Entity::find().count(&db).await {
        Ok(0) => findings.warn(what, "holds no account", "`cityquery found` opens the first one"),
        Ok(accounts) => findings.good(what, format_args!("{accounts} accounts")),
        Err(error) => findings.fault(what, error, "check the rights of the database's user"),
    }
    let known = index::log_id(&db, &config.audit.node).await;
    doctor_audit::check_number(config, known, findings);
    check_clock(&db, findings).await;
}

/// Tokens, locks and periods go by the clock; two machines that disagree refuse each other's tokens.
async fn check_clock(db: &DatabaseConnection, findings: &mut Findings) {
    let here = Clock::system().now();
    if here.year() < 2026 {
        return findings.fault("clock", here, "set the clock; run an NTP service");
    }
    if db.get_database_backend() != DbBackend::Postgres {
        return findings.good("clock", here);
    }
    let asked =
        Statement::from_string(DbBackend::Postgres, "SELECT extract(epoch FROM clock_timestamp())::float8 AS at");
    let there: Option<f64> = match db.query_one_raw(asked).await {
        Ok(row) => row.and_then(|row| row.try_get("", "at").ok()),
        Err(_) => None,
    };
    let apart = there.map(|there| (there - here.unix_timestamp_nanos() as f64 / 1e9).abs());
    match apart {
        Some(apart) if apart < 2.0 => findings.good("clock", format_args!("{apart:.1} s from the database's")),
        Some(apart) => {
            findings.fault(
                "clock",
                format_args!("{apart:.0} s from the database's"),
                "run an NTP service on both machines",
            );
        }
        None => findings.warn("clock", "the database does not tell its time", "compare the two clocks"),
    }
}

async fn check_datasets(config: &Config, catalog: &Catalog, findings: &mut Findings) {
    let connections = catalog.connections(&config.datasets);
    let declared = catalog.declared_columns();
    for dataset in &catalog.datasets {
        let what = format!("dataset {}", dataset.code);
        let Some(connection) = connections.get(&dataset.code) else {
            let advice = format!("add [datasets.{}] with a url", dataset.code);
            findings.fault(&what, "no connection", &advice);
            continue;
        };
        check_way(&what, &connection.url, findings);
        if crate::store::layout::sqlite_file(&connection.url).is_some_and(|file| !file.exists()) {
            let advice = match Kind::of_dataset(&dataset.code) {
                Some(_) => "run `cityquery migrate`",
                None => "make the file and its tables: `cityquery migrate` makes those of the built-in datasets only",
            };
            findings.fault(&what, format_args!("{} is not there", connection.url), advice);
            continue;
        }
        let one = std::iter::once((dataset.code.clone(), connection.clone())).collect();
        let columns: Vec<_> = declared.iter().filter(|column| column.dataset == dataset.code).cloned().collect();
        let different: HashSet<_> = columns.iter().map(|column| (&column.table, &column.column)).collect();
        match migrate::pending(&one).await {
            Ok(pending) if pending.iter().all(|one| one.migrations.is_empty()) => {}
            Ok(_) => {
                findings.fault(&what, "migrations have not been applied", "run `cityquery migrate`");
                continue;
            }
            Err(error @ migrate::MigrateError::Newer(_)) => {
                findings.fault(&what, error, "install that version");
                continue;
            }
            Err(error) => {
                findings.fault(&what, error, "start the database; check its url, password and rights");
                continue;
            }
        }
        match columns::check(&one, &columns).await {
            Ok(faults) if faults.is_empty() => {
                findings.good(&what, format_args!("{} columns as declared", different.len()))
            }
            Ok(faults) => findings.fault(&what, faults.join("; "), "change the tables or the declaration"),
            Err(error) => findings.fault(&what, error, "check the rights of the database's user"),
        }
    }
}

fn check_keys(config: &Config, findings: &mut Findings) {
    let folder = &config.accounts.keys_dir;
    if !folder.exists() {
        let advice = "the first start makes it with a key; on several servers copy one folder to all";
        return findings.warn("keys", format_args!("{} is not there", folder.display()), advice);
    }
    doctor_audit::check_shared_keys(folder, findings);
    match keys::inspect(folder) {
        Ok(0) => findings.warn("keys", "no sign-*.pem", "the first start makes one"),
        Ok(count) => findings.good("keys", format_args!("{count} that sign or verify in {}", folder.display())),
        Err(error) => findings.fault("keys", error, "mend or remove that file; the last by name signs"),
    }
}

async fn check_mail(config: &Config, findings: &mut Findings) {
    match Courier::open(&config.mail) {
        Ok(None) => findings.good("mail", "off: notices stand in the inbox only"),
        Ok(Some(courier)) => match courier.reaches().await {
            Ok(()) => findings.good("mail", format_args!("the server lets us in; sent as {}", config.mail.from)),
            Err(error) => findings.warn("mail", error, "check [mail] url; until it answers, notices wait for a week"),
        },
        Err(fault) => findings.fault("mail", fault, "mend [mail]"),
    }
}

fn check_disks(config: &Config, findings: &mut Findings) {
    let folder = &config.audit.dir;
    let what = "audit log";
    let Some(there) =
        folder.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty()).or(Some(Path::new(".")))
    else {
        return;
    };
    match rustix::fs::access(there, rustix::fs::Access::WRITE_OK) {
        Ok(()) => {}
        Err(error) => {
            let advice = "give the program's user the right to write there";
            return findings.fault(what, format_args!("{}: {error}", there.display()), advice);
        }
    }
    match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let gib = free as f64 / f64::from(1 << 30);
            if free < config.audit.segment_bytes.saturating_mul(3) {
                let advice = "make room or name another disk in [audit] dir: without it nothing is answered";
                findings.fault(what, format_args!("{gib:.1} GiB free in {}", there.display()), advice);
            } else if free < LITTLE {
                findings.warn(what, format_args!("{gib:.1} GiB free in {}", there.display()), "make room soon");
            } else {
                findings.good(what, format_args!("{gib:.1} GiB free in {}", there.display()));
            }
        }
        Err(error) => findings.warn(what, error, "check the disk by hand"),
    }
    // A file from the future: the clock was set back since, and the order of records by time is broken.
    let newest = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max();
    if newest.is_some_and(|newest| {
        newest.duration_since(SystemTime::from(Clock::system().now())).is_ok_and(|ahead| ahead.as_secs() > 5)
    }) {
        findings.fault("clock", "the audit log holds files from the future", "set the clock; run an NTP service");
    }
}
