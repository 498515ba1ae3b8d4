//! Which installation a command works on: `--config FILE` or `--data-dir DIR`. Reading the settings is left to `config`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::accounts::Accounts;
use crate::catalog::{self, Catalog};
use crate::config::{Clock, Config, Entropy};
use crate::store::control;

/// The file that is taken when neither option is given and it is there.
const USUAL_FILE: &str = "cityquery.toml";

/// The installation a command works on.
#[derive(Debug, Clone, Default, Args)]
pub struct Installation {
    /// Settings file; without it and --data-dir: cityquery.toml if it is here, else the defaults
    #[arg(long, value_name = "FILE", conflicts_with = "data_dir")]
    pub config: Option<PathBuf>,
    /// Directory of an embedded installation (SQLite), such as the demo's var/demo
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl Installation {
    /// Reads the settings of this installation.
    pub fn load(&self) -> anyhow::Result<Config> {
        match (&self.config, &self.data_dir) {
            (_, Some(dir)) => {
                anyhow::ensure!(
                    dir.is_dir(),
                    "{0} is not a directory; `cityquery demo --data-dir {0}` makes one with a demonstration, \
                     `cityquery migrate --data-dir {0}` an empty one",
                    dir.display()
                );
                Ok(Config::embedded(dir)?)
            }
            (Some(file), None) => Ok(Config::load(Some(file))?),
            (None, None) => {
                let usual = Path::new(USUAL_FILE);
                Ok(Config::load(usual.is_file().then_some(usual))?)
            }
        }
    }
}

/// Reads and checks the declarations: the built-in ones and those the settings name; every fault at once.
pub fn read_catalog(config: &Config) -> anyhow::Result<Arc<Catalog>> {
    let further = config.catalog.texts()?;
    let catalog = catalog::load_with(&further).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the declarations have {} faults:\n  {}", lines.len(), lines.join("\n  "))
    })?;
    let unknown = catalog.unknown_datasets(&config.datasets);
    let known: Vec<&str> = catalog.datasets.iter().map(|dataset| dataset.code.as_str()).collect();
    anyhow::ensure!(
        unknown.is_empty(),
        "no declaration names {}: the datasets are {}",
        unknown.iter().map(|code| format!("[datasets.{code}]")).collect::<Vec<_>>().join(", "),
        known.join(", ")
    );
    Ok(Arc::new(catalog))
}

/// The accounts of an installation that is migrated, for a command that works on them.
pub(super) async fn open_accounts(config: &Config, clock: &Clock, entropy: &Entropy) -> anyhow::Result<Arc<Accounts>> {
    let catalog = read_catalog(config)?;
    let db = control::connect(&config.control).await?;
    let pending = control::pending(&db).await?;
    anyhow::ensure!(pending.is_empty(), "the control database is not migrated; run `cityquery migrate`");
    Ok(Accounts::open(db, config, catalog, clock.clone(), entropy.clone()).await?)
}
