//! `cityquery audit`: reads the audit log. Decoding and searching is left to `audit`.

use clap::{Args, Subcommand};

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery audit show --data-dir var/demo
  cityquery audit expand 01890a5d-ac96-774b-bcce-b302099a8057 --data-dir var/demo";

/// Arguments of `cityquery audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArguments {
    /// What to do with the log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// The ways to read the log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Prints records, one line each, the latest last
    #[command(after_help = EXAMPLES)]
    Show {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
    },
    /// Prints a record back, one line for each resolved field
    #[command(after_help = EXAMPLES)]
    Expand {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// Id of the record, as in `extensions.audit` of the answer
        record: String,
    },
}

/// Runs the command.
pub async fn run(arguments: AuditArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
