//! `cityquery migrate`: creates or updates the tables. The migrations themselves stand in the `migrations` crate.

use anyhow::Context;
use clap::Args;

use super::Installation;
use super::installation::read_catalog;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::store::{control, migrate};

const EXAMPLES: &str = "\
Example:
  cityquery migrate --config cityquery.toml
  cityquery migrate --data-dir var/city

What is up to date stays as it is, so it may run before every start.";

/// Arguments of `cityquery migrate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct MigrateArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
}

/// Runs the command.
pub async fn run(arguments: MigrateArguments) -> anyhow::Result<()> {
    if let Some(dir) = &arguments.installation.data_dir {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    let config = arguments.installation.load()?;
    let catalog = read_catalog(&config)?;
    for (database, applied) in migrate_all(&config, &catalog).await? {
        match applied {
            0 => println!("{database}: up to date"),
            1 => println!("{database}: 1 migration applied"),
            some => println!("{database}: {some} migrations applied"),
        }
    }
    Ok(())
}

/// Migrates the control database and every dataset; returns how many migrations each needed.
pub(super) async fn migrate_all(config: &Config, catalog: &Catalog) -> anyhow::Result<Vec<(String, usize)>> {
    let db = control::connect(&config.control).await?;
    let applied = control::migrate(&config.control, &db).await?;
    db.close().await?;
    let mut done = vec![("control".to_owned(), applied.len())];
    let applied = migrate::migrate(&catalog.connections(&config.datasets)).await?;
    done.extend(applied.into_iter().map(|one| (one.dataset, one.migrations.len())));
    Ok(done)
}
