//! `cityquery found`: opens the first account of an installation, in its information office. Every other account is opened
//! by somebody who has one, through the procedure.

use anyhow::Context;
use clap::Args;

use super::Installation;
use super::audit::{administration, open_log, operator};
use super::installation::open_accounts;
use crate::access::Role;
use crate::accounts::people::NewPerson;
use crate::config::{Clock, Entropy};

const EXAMPLES: &str = "\
Example:
  cityquery migrate --config cityquery.toml
  cityquery found --config cityquery.toml --account it.admin --staff-number 10342 --agency-title 臺北市政府資訊局

It prints a first password, which opens nothing but its own change at /auth/password. It is refused where there are
accounts already.";

/// Arguments of `cityquery found`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FoundArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Name to sign in with, such as it.admin
    #[arg(long, value_name = "A")]
    pub account: String,
    /// Number of the person in their agency's files
    #[arg(long, value_name = "N")]
    pub staff_number: String,
    /// Function of the person
    #[arg(long, value_name = "T", default_value = "系統管理")]
    pub title: String,
    /// Code of the information office
    #[arg(long, value_name = "CODE", default_value = "information-office")]
    pub agency: String,
    /// Name of the information office
    #[arg(long, value_name = "NAME", default_value = "資訊局")]
    pub agency_title: String,
    /// Where notices are sent
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<lettre::Address>,
}

/// Runs the command.
pub async fn run(arguments: FoundArguments) -> anyhow::Result<()> {
    let config = arguments.installation.load()?;
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let accounts = open_accounts(&config, &clock, &entropy).await?;
    let name = arguments.account.trim().to_lowercase();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    anyhow::ensure!(
        (3..=40).contains(&name.len()) && name.chars().all(plain),
        "the account's name needs 3 to 40 letters, digits, dots, hyphens and underscores"
    );
    let first_password = accounts.first_password();
    let person = NewPerson {
        name: &name,
        agency: &arguments.agency,
        title: &arguments.title,
        roles: &[Role::InformationOffice.word()],
        password: &first_password,
        one_time: true,
        staff_number: Some(&arguments.staff_number),
        email: arguments.email.as_ref().map(lettre::Address::as_ref),
        holder: None,
    };
    let log = open_log(&config, clock.clone(), entropy).await?;
    let record = administration(
        &accounts,
        operator(),
        format!("the first account, {name} of {}, is opened on the command line", arguments.agency),
    );
    log.commit(record).await.context("it must be recorded before it is done")?;
    let founded = accounts.found(&arguments.agency_title, &person).await;
    log.close();
    founded?;
    println!("account         {name}");
    println!("first password  {first_password}");
    eprintln!("Change it at {}/auth/password before anything else; it is not shown again.", config.server.public_url);
    Ok(())
}
