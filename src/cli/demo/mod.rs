//! `cityquery demo`: everything embedded in one directory, filled and served. The parts are left to `ingest`, to the
//! procedure (`walk`) and to `http`.

pub mod cast;
mod front_door;
pub mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::cast::password_of;
use super::installation::read_catalog;
use super::{Installation, generate, migrate, serve};
use crate::audit::SERVER;
use crate::audit::log::is_in_use;
use crate::config::{Clock, Config, Entropy};
use crate::http::{App, server};

const EXAMPLES: &str = "\
Example:
  cityquery demo
  cityquery demo --listen 127.0.0.1:9000 --data-dir var/big --scale 0.1 --seed 7

A second start in the same directory reuses its data. Everything in it is synthetic, and the passwords are known
to everybody: do not put it on a public address.";

/// What says that the datasets are filled, and with what.
const FILLED: &str = "filled.json";

/// What says that filling them has begun.
const FILLING: &str = "filling";

/// Size of the demo's audit segments: small, since a laptop's disk is.
const SEGMENT_BYTES: u64 = 16 << 20;

/// Arguments of `cityquery demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArguments {
    /// Address and port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Where the databases, keys and the audit log live
    #[arg(long, value_name = "DIR", default_value = "var/demo")]
    pub data_dir: PathBuf,
    /// Size of the city; 1.0 is all of Taipei (about 2.5 million persons)
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    pub scale: f64,
    /// The same seed makes the same city
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Filled {
    scale: f64,
    seed: u64,
}

/// Runs the command.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let begun = Instant::now();
    let dir = &arguments.data_dir;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    // Bound first: an address in use should not cost a filled database.
    let listener = serve::bind(&arguments.listen).await?;
    // Before anything of it is written over.
    anyhow::ensure!(
        !is_in_use(&dir.join("audit"), SERVER),
        "another process serves {}: stop it, or name another --data-dir",
        dir.display()
    );
    let filled = read_filled(dir)?;
    if filled.is_none() {
        make_room(dir, &Config::embedded(dir)?)?;
    }
    write_settings(dir, &arguments.listen, &format!("http://{}", listener.local_addr()?))?;
    let config = Config::embedded(dir)?;
    let catalog = read_catalog(&config)?;
    let wanted = Filled { scale: arguments.scale, seed: arguments.seed };
    migrate::migrate_all(&config, &catalog).await?;
    match filled {
        Some(there) if there == wanted => {}
        Some(there) => eprintln!(
            "{} holds a city of scale {} and seed {}: it is kept; name another --data-dir for another city",
            dir.display(),
            there.scale,
            there.seed
        ),
        None => {
            eprintln!("Making a synthetic city of scale {} (seed {})", wanted.scale, wanted.seed);
            let installation = Installation { config: None, data_dir: Some(dir.clone()) };
            let Filled { scale, seed } = wanted;
            generate::run(generate::GenerateArguments { installation, scale, seed, replace: false }).await?;
            write(&dir.join(FILLED), &serde_json::to_string(&wanted)?)?;
            let _ = std::fs::remove_file(dir.join(FILLING)); // it says nothing beside the other
        }
    }
    let (app, _) = App::open(config, catalog, Clock::system(), Entropy::system()).await?;
    let app = Arc::new(app);
    let accounts = walk::walk(&app).await.context("the demo's rights, by the procedure")?;
    let json = serde_json::to_string_pretty(&accounts)?;
    write(&dir.join("accounts.json"), &json)?;
    let _ = app.demo_accounts.set(json.into()); // nobody else sets it
    print_welcome(&app.config.server.public_url, dir, &accounts, begun);
    server::serve(app, listener).await
}

/// Keeps what this start chose, for the commands that work beside it: tokens name the address they are for.
fn write_settings(dir: &Path, listen: &str, url: &str) -> anyhow::Result<()> {
    let text = format!(
        "# Written by `cityquery demo` at each start.\n\n[server]\nlisten = \"{listen}\"\npublic_url = \"{url}\"\n\n\
         [audit]\nsegment_bytes = {SEGMENT_BYTES}\n\n\
         # A demo that is started again after a season shows the same people.\n\
         [accounts]\nidle_suspend_days = 0\nidle_close_days = 0\n"
    );
    write(&dir.join("cityquery.toml"), &text)
}

fn read_filled(dir: &Path) -> anyhow::Result<Option<Filled>> {
    let file = dir.join(FILLED);
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Makes sure that what is filled is empty and the demo's own. An earlier start that was stopped while it filled
/// the datasets left them half full: they begin anew. Accounts and the log stay.
fn make_room(dir: &Path, config: &Config) -> anyhow::Result<()> {
    let begun = dir.join(FILLING).exists();
    for connection in config.datasets.values() {
        let file = crate::store::layout::sqlite_file(&connection.url).filter(|file| file.starts_with(dir));
        let Some(file) = file.filter(|file| file.exists()) else { continue };
        anyhow::ensure!(
            begun,
            "{} is there already and was not made by the demo; name another --data-dir",
            file.display()
        );
        for end in ["", "-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(end);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", PathBuf::from(name).display()));
                }
                _ => {}
            }
        }
    }
    write(&dir.join(FILLING), "")
}

/// Writes a file whole or not at all.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let beside = file.with_extension("new");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn print_welcome(url: &str, dir: &Path, accounts: &Value, begun: Instant) {
    println!("The demo city is ready after {:.1} s. All of it is synthetic.\n", begun.elapsed().as_secs_f64());
    println!("  playground   {url}/playground");
    println!("  GraphQL      {url}/graphql");
    println!("  schema       {url}/schema.graphql");
    println!("  accounts     {}", dir.join("accounts.json").display());
    println!("  audit log    cityquery audit show --data-dir {}\n", dir.display());
    println!("  {:<20} {:<26} {:<18}", "account", "password", "form");
    for entry in accounts.as_array().into_iter().flatten() {
        let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
        let (name, word) = match entry.get("clientId") {
            Some(_) => (text("clientId"), text("clientSecret")),
            None => (text("account"), text("password")),
        };
        println!("  {name:<20} {word:<26} {:<18} {}", text("form"), text("says"));
    }
    println!("\nTry it:\n\n{}\n\nCtrl-C stops it.", curl_line(url));
}

/// One line that signs in and asks.
fn curl_line(url: &str) -> String {
    let password = password_of("fire.officer");
    let query = "{ usePermits(first: 3, where: { premises: { _some: {} } }) { nodes { permitNo issuedOn parcels { \
                 parcelNo ownerships(first: 2) { share owner { name nationalId } } } } } }";
    format!(
        "curl -s {url}/graphql -H \"Authorization: Bearer $(curl -s {url}/auth/sign-in \
         -d '{{\"account\":\"fire.officer\",\"password\":\"{password}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\" \
         -H 'X-Purpose: fire-safety' -H 'X-Case-Number: 115-FS-0001' -H 'Content-Type: application/json' \
         -d '{{\"query\":\"{query}\"}}'"
    )
}
