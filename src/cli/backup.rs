//! `cityquery backup`: its names are settled, what it does comes with a later release; until then it says so and fails.

use clap::{Args, Subcommand};

use super::Installation;

const EXAMPLES: &str = "\
Not built yet: this release makes no backups; use the tools of your databases, and copy the audit directory.

The commands will be:
  cityquery backup create --to /mnt/backup --config cityquery.toml
  cityquery backup verify --from /mnt/backup/2026-01-31 --config cityquery.toml";

/// Arguments of `cityquery backup`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BackupArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: BackupCommand,
}

/// The parts of backup.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Makes a backup (not built yet)
    #[command(after_help = EXAMPLES)]
    Create {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// Where to write it
        #[arg(long, value_name = "WHERE")]
        to: String,
    },
    /// Restores a backup beside the installation and compares (not built yet)
    #[command(after_help = EXAMPLES)]
    Verify {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// The backup
        #[arg(long, value_name = "WHERE")]
        from: String,
    },
    /// Restores a backup (not built yet)
    #[command(after_help = EXAMPLES)]
    Restore {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// The backup
        #[arg(long, value_name = "WHERE")]
        from: String,
    },
    /// Lists backups (not built yet)
    #[command(after_help = EXAMPLES)]
    List {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
    },
}

/// Runs the command.
pub fn run(arguments: BackupArguments) -> anyhow::Result<()> {
    let name = match arguments.command {
        BackupCommand::Create { .. } => "create",
        BackupCommand::Verify { .. } => "verify",
        BackupCommand::Restore { .. } => "restore",
        BackupCommand::List { .. } => "list",
    };
    anyhow::bail!(
        "`backup {name}` is not built yet: nothing was done. Until it is, back up with the tools of your databases and copy the audit directory"
    )
}
