//! `cityquery token`: prints an access token for an account. Tokens are made by `accounts`.

use anyhow::Context;
use clap::Args;

use super::Installation;
use super::audit::{administration, open_log, operator};
use super::installation::open_accounts;
use crate::accounts::{AccountsError, Reason};
use crate::config::{Clock, Entropy};

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
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let accounts = open_accounts(&config, &clock, &entropy).await?;
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
    let log = open_log(&config, clock.clone(), entropy).await?;
    let mut who = operator();
    who.session = tokens.actor.session;
    let record =
        administration(&accounts, who, format!("a token of {} was printed on the command line", tokens.actor.account));
    log.commit(record).await.context("a token must be recorded before it is printed")?;
    log.close();
    println!("{}", tokens.access_token);
    Ok(())
}
