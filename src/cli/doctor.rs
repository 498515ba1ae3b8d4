//! `cityquery doctor`: checks an installation and says what to do about each fault.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery doctor --config cityquery.toml";

/// Arguments of `cityquery doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
}

/// Runs the command.
pub async fn run(arguments: DoctorArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
