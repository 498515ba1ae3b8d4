//! `cityquery import`: imports files by a mapping. Reading, checking and loading is left to `ingest`.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery import use-permits permits-2024.json --config cityquery.toml";

/// Arguments of `cityquery import`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Name of a shipped mapping, or the path of one's own
    pub mapping: String,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<std::path::PathBuf>,
}

/// Runs the command.
pub async fn run(arguments: ImportArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
