//! `cityquery token`: prints an access token for an account. Tokens are made by `accounts`.

use anyhow::Context;
use clap::Args;

use super::Installation;
use super::audit::{open_log, operator};
use super::installation::read_catalog;
use crate::accounts::{Accounts, AccountsError, Reason};
use crate::audit::{Kind, Outcome, Record, Right, Why};
use crate::config::{Clock, Entropy};
use crate::store::control;

const EXAMPLES: &str = "\
Example:
  TOKEN=$(cityquery token --data-dir var/demo --account fire.officer)
  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/auth/me

The token holds for fifteen minutes, and is recorded under the name of the system's user. It needs the keys of
the installation, so only those who may read them can make one.";

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
    /// Fails unless the account holds this master form
    #[arg(long, value_name = "F")]
    pub form: Option<String>,
}

/// Runs the command.
pub async fn run(arguments: TokenArguments) -> anyhow::Result<()> {
    let config = arguments.installation.load()?;
    let catalog = read_catalog(&config)?;
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let db = control::connect(&config.control).await?;
    let pending = control::pending(&db).await?;
    anyhow::ensure!(pending.is_empty(), "the control database is not migrated; run `cityquery migrate`");
    let accounts = Accounts::open(db, &config, catalog.clone(), clock.clone(), entropy.clone()).await?;
    let (account, form) = (arguments.account.as_str(), arguments.form.as_deref());
    let tokens = accounts.token_for(account, form).await.map_err(|error| match error {
        AccountsError::Refused(refused) if refused.reason == Reason::UnknownAccount => {
            anyhow::anyhow!("there is no account {account}")
        }
        AccountsError::Refused(refused) if refused.reason == Reason::FormNotHeld => {
            anyhow::anyhow!("{account} does not hold form {}", form.unwrap_or_default())
        }
        other => other.into(),
    })?;
    let log = open_log(&config, clock.clone(), entropy)?;
    let mut who = operator();
    who.session = tokens.actor.session;
    let record = Record {
        id: accounts.new_id(),
        started_us: i64::try_from(clock.now().unix_timestamp_nanos() / 1_000)?,
        duration_us: 0,
        kind: Kind::Administration,
        who,
        why: Why::default(),
        right: Right { epoch: accounts.rights().current().epoch, schema_hash: catalog.hash },
        asked: None,
        touched: Vec::new(),
        outcome: Outcome::default(),
        note: Some(format!("a token of {} was printed on the command line", tokens.actor.account)),
    };
    log.commit(record).await.context("a token must be recorded before it is printed")?;
    log.close();
    println!("{}", tokens.access_token);
    Ok(())
}
