//! `cityquery serve`: serves an installation until it is told to stop. The router is left to `http`.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery serve --config cityquery.toml
  CITYQUERY__SERVER__LISTEN=0.0.0.0:8443 cityquery serve --config cityquery.toml";

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
    let _ = arguments;
    anyhow::bail!("not built yet")
}
