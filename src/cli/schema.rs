//! `cityquery schema`: writes or checks the generated schema. Making its text is left to `graphql`.

use anyhow::Context;
use clap::Args;

use super::Installation;
use super::installation::read_catalog;
use crate::graphql::Face;

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
    let catalog = read_catalog(&arguments.installation.load()?)?;
    let text = Face::new(catalog).sdl();
    let file = &arguments.file;
    if !arguments.check {
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("{} is written", file.display());
        return Ok(());
    }
    let found = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let differs = found.lines().zip(text.lines()).position(|(found, made)| found != made);
    match differs {
        Some(line) => anyhow::bail!("{} is stale from line {}; `cityquery schema` writes it", file.display(), line + 1),
        None if found != text => anyhow::bail!("{} is stale at its end; `cityquery schema` writes it", file.display()),
        None => println!("{} is what the declarations make", file.display()),
    }
    Ok(())
}
