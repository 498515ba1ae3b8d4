//! `cityquery generate`: fills the datasets with a synthetic city. The city is made by `ingest`.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery generate --data-dir var/demo --scale 0.1 --seed 7";

/// Arguments of `cityquery generate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct GenerateArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Size of the city; 1.0 is all of Taipei (about 2.5 million persons)
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    pub scale: f64,
    /// The same seed makes the same city, on every database
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Runs the command.
pub async fn run(arguments: GenerateArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
