//! `cityquery token`: prints an access token for an account. Tokens are made by `accounts`.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  TOKEN=$(cityquery token --data-dir var/demo --account fire.officer)
  curl -H \"Authorization: Bearer $TOKEN\" …";

/// Arguments of `cityquery token`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TokenArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// The account, such as fire.officer
    #[arg(long, value_name = "A")]
    pub account: String,
    /// Checks that the account holds this master form
    #[arg(long, value_name = "F")]
    pub form: Option<String>,
}

/// Runs the command.
pub async fn run(arguments: TokenArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
