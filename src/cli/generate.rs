//! `cityquery generate`: fills the datasets with a synthetic city. The city is made by `ingest`.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Installation;
use super::installation::read_catalog;
use crate::ingest::generate::{self, Options, Progress, Quiet};
use crate::store::migrate;

const EXAMPLES: &str = "\
Example:
  cityquery migrate --data-dir var/city
  cityquery generate --data-dir var/city --scale 0.1 --seed 7

--replace empties datasets that hold rows; no server may run on them then.";

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
    /// Empty the datasets first, if they hold rows
    #[arg(long)]
    pub replace: bool,
}

/// Runs the command.
pub async fn run(arguments: GenerateArguments) -> anyhow::Result<()> {
    let config = arguments.installation.load()?;
    let catalog = read_catalog(&config)?;
    let connections = catalog.connections(&config.datasets);
    let pending: Vec<String> = migrate::pending(&connections)
        .await?
        .into_iter()
        .filter(|one| !one.migrations.is_empty())
        .map(|one| one.dataset)
        .collect();
    anyhow::ensure!(
        pending.is_empty(),
        "the tables of {} are missing or old; run `cityquery migrate` first",
        pending.join(", ")
    );
    let options = Options { scale: arguments.scale, seed: arguments.seed, replace: arguments.replace };
    let progress: Arc<dyn Progress> = match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::default()),
        false => Arc::new(Quiet),
    };
    let made = generate::run(&connections, options, progress).await?;
    println!(
        "A synthetic city of {} persons in {} households and {} buildings: {} rows. Nobody in it is real.",
        made.persons, made.households, made.sites, made.rows
    );
    Ok(())
}

/// A bar for each dataset, on a terminal.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn with(&self, dataset: &str, change: impl FnOnce(&ProgressBar)) {
        let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = bars.get(dataset) {
            change(bar);
        }
    }
}

impl Progress for Bars {
    fn began(&self, dataset: &str, steps: u64) {
        let bar = self.all.add(ProgressBar::new(steps)).with_prefix(dataset.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{prefix:>10} {bar:40} {percent:>3}% {msg}") {
            bar.set_style(style);
        }
        self.bars.lock().unwrap_or_else(PoisonError::into_inner).insert(dataset.to_owned(), bar);
    }

    fn advanced(&self, dataset: &str, steps: u64) {
        self.with(dataset, |bar| bar.inc(steps));
    }

    fn indexing(&self, dataset: &str) {
        self.with(dataset, |bar| bar.set_message("building indexes"));
    }

    fn ready(&self, dataset: &str) {
        self.with(dataset, |bar| bar.finish_with_message("ready"));
    }
}
