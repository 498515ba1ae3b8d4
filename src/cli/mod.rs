//! One file per command; what a command does lives below, here are only arguments and output.

use std::future::Future;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::fs::Mode;

pub mod audit;
mod audit_search;
pub mod backup;
pub mod demo;
pub mod doctor;
mod doctor_audit;
pub mod found;
pub mod generate;
pub mod import;
pub mod installation;
pub mod migrate;
pub mod schema;
pub mod serve;
pub mod token;

pub use installation::Installation;

/// One guarded, recorded GraphQL API over a city's five core datasets.
///
/// Nobody reads a field that was not granted to them, and nobody reads any field without leaving a trace.
#[derive(Debug, Parser)]
#[command(name = "cityquery", version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Begin here:
  cityquery demo                            a synthetic city, demo accounts and the playground in one step
  cityquery serve --config cityquery.toml   the real thing
  cityquery COMMAND --help                  each command with an example

Exit codes: 0 done, 1 failed with a reason on standard error, 2 wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a synthetic city with demo accounts in one directory, and serves it
    Demo(demo::DemoArguments),
    /// Serves an installation
    Serve(serve::ServeArguments),
    /// Creates or updates the tables of every database
    Migrate(migrate::MigrateArguments),
    /// Opens the first account of an installation
    Found(found::FoundArguments),
    /// Fills the datasets with a synthetic city, the same for the same seed
    Generate(generate::GenerateArguments),
    /// Imports files by a mapping; every row is accepted or written to a reject file
    Import(import::ImportArguments),
    /// Writes or checks schema.graphql
    Schema(schema::SchemaArguments),
    /// Prints an access token for an account
    Token(token::TokenArguments),
    /// Reads the audit log
    Audit(audit::AuditArguments),
    /// Makes, checks and restores backups
    Backup(backup::BackupArguments),
    /// Checks configuration, databases, keys, disks and clock, and says what to do
    Doctor(doctor::DoctorArguments),
}

/// Parses the arguments and runs the command they name. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version arrive here, too; clap knows which of them are faults (2) and which are not (0).
            let code = error.exit_code();
            let _ = error.print(); // nothing to tell when even the terminal is gone
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    crate::telemetry::start();
    // Databases, keys and logs are nobody else's to read. What `schema` writes is for everybody.
    if !matches!(arguments.command, Command::Schema(_)) {
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
    // A server goes on when nobody reads its output any more; a command ends.
    if !matches!(arguments.command, Command::Serve(_) | Command::Demo(_)) {
        sigpipe::reset();
    }
    match dispatch(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cityquery: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Demo(arguments) => wait_for(demo::run(arguments)),
        Command::Serve(arguments) => wait_for(serve::run(arguments)),
        Command::Migrate(arguments) => wait_for(migrate::run(arguments)),
        Command::Found(arguments) => wait_for(found::run(arguments)),
        Command::Generate(arguments) => wait_for(generate::run(arguments)),
        Command::Import(arguments) => wait_for(import::run(arguments)),
        Command::Schema(arguments) => schema::run(arguments),
        Command::Token(arguments) => wait_for(token::run(arguments)),
        Command::Audit(arguments) => wait_for(audit::run(arguments)),
        Command::Backup(arguments) => backup::run(arguments),
        Command::Doctor(arguments) => wait_for(doctor::run(arguments)),
    }
}

fn wait_for<F: Future<Output = anyhow::Result<()>>>(work: F) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("cityquery "), "`{}` has no example in its help", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn an_installation_is_named_in_one_way_only() {
        let both = ["cityquery", "migrate", "--config", "a.toml", "--data-dir", "b"];
        let error = Arguments::try_parse_from(both).expect_err("two installations at once");
        assert_eq!(error.exit_code(), 2);
    }
}
