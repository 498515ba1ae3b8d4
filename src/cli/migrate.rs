//! `cityquery migrate`: creates or updates the tables. The migrations themselves stand in the `migrations` crate.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery migrate --config cityquery.toml";

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
    let _ = arguments;
    anyhow::bail!("not built yet")
}
