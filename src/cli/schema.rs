//! `cityquery schema`: writes or checks the generated schema. Making its text is left to `graphql`.

use clap::Args;

use super::Installation;

const EXAMPLES: &str = "\
Example:
  cityquery schema            writes schema.graphql
  cityquery schema --check    exit code 1 when the file is stale";

/// Arguments of `cityquery schema`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Compares instead of writing; a difference is a failure
    #[arg(long)]
    pub check: bool,
    /// The file
    #[arg(long, value_name = "FILE", default_value = "schema.graphql")]
    pub file: std::path::PathBuf,
}

/// Runs the command.
pub fn run(arguments: SchemaArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
