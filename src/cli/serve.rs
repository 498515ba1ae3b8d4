//! `cityquery serve`: serves an installation until it is told to stop. The router is left to `http`.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;

use super::Installation;
use super::installation::read_catalog;
use crate::catalog::Catalog;
use crate::config::{Clock, Config, Entropy};
use crate::http::{App, server};
use crate::store::{columns, control, migrate};

const EXAMPLES: &str = "\
Example:
  cityquery serve --config cityquery.toml
  CITYQUERY__SERVER__LISTEN=0.0.0.0:8080 cityquery serve --config cityquery.toml

Databases must be migrated before (`cityquery migrate`). SIGTERM stops it in order.";

/// Arguments of `cityquery serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
}

/// Runs the command.
pub async fn run(arguments: ServeArguments) -> anyhow::Result<()> {
    let config = arguments.installation.load()?;
    let catalog = read_catalog(&config)?;
    check_databases(&config, &catalog).await?;
    let listener = bind(&config.server.listen).await?;
    let public_url = config.server.public_url.clone();
    let (app, _) = App::open(config, catalog, Clock::system(), Entropy::system()).await?;
    println!("cityquery serves {public_url} on {}", listener.local_addr()?);
    server::serve(Arc::new(app), listener).await
}

/// Listens, with the address in the error.
pub(super) async fn bind(address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Everything that is declared must be there before the first question.
pub(super) async fn check_databases(config: &Config, catalog: &Catalog) -> anyhow::Result<()> {
    let db = control::connect(&config.control).await?;
    let mut pending = control::pending(&db).await?;
    db.close().await?;
    let connections = catalog.connections(&config.datasets);
    pending.extend(migrate::pending(&connections).await?.into_iter().flat_map(|one| one.migrations));
    anyhow::ensure!(
        pending.is_empty(),
        "{} migrations have not been applied; run `cityquery migrate` with the same --config or --data-dir",
        pending.len()
    );
    let faults = columns::check(&connections, &catalog.declared_columns()).await?;
    anyhow::ensure!(
        faults.is_empty(),
        "the databases are not as declared:\n  {}\nchange the tables or the declaration; `cityquery doctor` checks again",
        faults.join("\n  ")
    );
    Ok(())
}
