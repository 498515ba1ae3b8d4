//! `cityquery import`: imports files by a mapping. Reading, checking and loading is left to `ingest`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Installation;
use crate::catalog;
use crate::ingest::import::{self, FileReport, Mapping, Options, SHIPPED};

const EXAMPLES: &str = "\
Examples:
  cityquery import --list
  cityquery import land-sections land_sections_taipei_20180814.csv --config cityquery.toml
  cityquery import use-permits-json building_use_permits_115.json --data-dir var/demo
  cityquery import ./my-schools.toml schools.csv --dry-run

Every row is accepted, unchanged, or written with its line and reason to FILE.rejects.csv. Running the same
import again changes nothing; a file that breaks leaves the databases as they were. docs/import.md explains
how to write a mapping of one's own.";

/// Arguments of `cityquery import`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Lists the shipped mappings
    #[arg(long)]
    pub list: bool,
    /// Name of a shipped mapping, or the path of one's own
    #[arg(required_unless_present = "list")]
    pub mapping: Option<String>,
    /// The files
    #[arg(required_unless_present = "list", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Folder for reject files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub rejects: PathBuf,
    /// Imports nothing of a file in which a row is refused
    #[arg(long)]
    pub strict: bool,
    /// Does everything but keep the result
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
pub async fn run(arguments: ImportArguments) -> anyhow::Result<()> {
    let Some(mapping) = arguments.mapping.filter(|_| !arguments.list) else { return list() };
    let config = arguments.installation.load()?;
    let catalog = catalog::load_with(&config.catalog.texts()?).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the declarations cannot be used:\n  {}", lines.join("\n  "))
    })?;
    let options = Options { rejects: arguments.rejects, strict: arguments.strict, dry_run: arguments.dry_run };
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} rows, {per_sec}");
        ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
    });
    let mut progress = |progress: import::Progress| {
        if let Some(bar) = &bar {
            bar.set_message(progress.file.display().to_string());
            bar.set_position(progress.rows);
        }
    };
    let report = import::run(&config, &catalog, &mapping, &arguments.files, &options, &mut progress).await?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    report.files.iter().for_each(print);
    let (read, rejected) = report
        .files
        .iter()
        .map(FileReport::total)
        .fold((0, 0), |sum, counts| (sum.0 + counts.read, sum.1 + counts.rejected));
    let hint = match report.files.iter().find_map(|file| file.empty_lookups.first()) {
        Some(table) => format!("{table} has to be imported first"),
        None => format!("is `{mapping}` the right mapping?"),
    };
    anyhow::ensure!(read == 0 || rejected < read, "every row was refused; {hint}");
    if options.dry_run {
        println!("dry run: nothing was kept");
    }
    Ok(())
}

fn list() -> anyhow::Result<()> {
    for (name, text) in SHIPPED {
        println!("{name:<22} {}", Mapping::parse(name, text)?.title);
    }
    Ok(())
}

fn print(report: &FileReport) {
    println!("{}  ({:.1} s)", report.file.display(), report.seconds);
    for (name, counts) in &report.records {
        println!(
            "  {name}: {} read = {} accepted + {} rejected + {} unchanged; table rows: {} new, {} changed; fields left empty: {}",
            counts.read,
            counts.accepted,
            counts.rejected,
            counts.unchanged,
            counts.inserted,
            counts.updated,
            counts.left_empty
        );
    }
    for table in &report.empty_lookups {
        println!(
            "  {table}, which rows are looked up in, is empty: import it first (`cityquery import --list` says what needs what)"
        );
    }
    if let Some(rejects) = &report.rejects {
        println!("  reasons in {}", rejects.display());
    }
}
