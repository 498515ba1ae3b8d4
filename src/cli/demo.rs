//! `cityquery demo`: everything embedded in one directory, filled and served. The parts are left to `ingest`, `accounts` and `http`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Example:
  cityquery demo
  cityquery demo --listen 127.0.0.1:9000 --data-dir var/big --scale 0.1 --seed 7

A second start in the same directory reuses its data.";

/// Arguments of `cityquery demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArguments {
    /// Address and port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Where the databases, keys and the audit log live
    #[arg(long, value_name = "DIR", default_value = "var/demo")]
    pub data_dir: PathBuf,
    /// Size of the city; 1.0 is all of Taipei (about 2.5 million persons)
    #[arg(long, value_name = "S", default_value_t = 0.01)]
    pub scale: f64,
    /// The same seed makes the same city
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Runs the command.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let _ = arguments;
    anyhow::bail!("not built yet")
}
