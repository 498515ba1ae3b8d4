//! `cityquery audit`: reads the audit log, also while a server writes it. Decoding and searching is left to `audit`.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::Installation;
use super::audit_search::{self, SearchArguments};
use crate::accounts::Accounts;
use crate::audit::log::KEYS;
use crate::audit::loss::Loss;
use crate::audit::reader::{Entry, Listing, Reader, reading};
use crate::audit::recover::Reach;
use crate::audit::show::{self, heading, line};
use crate::audit::{
    AuditLog, COMMAND_LINE, Kind, OpenError, Options, Outcome, Record, Right, SERVER, Who, Why, expand, index,
};
use crate::config::{Clock, Config, Entropy};
use crate::store::control;

const EXAMPLES: &str = "\
Example:
  cityquery audit show --last 20 --data-dir var/demo
  cityquery audit show 01890a5d-ac96-774b-bcce-b302099a8057 --data-dir var/demo
  cityquery audit expand 01890a5d-ac96-774b-bcce-b302099a8057 --data-dir var/demo

Each reading is itself recorded, under the name of the system's user.";

/// Segments of the command line's own node: it writes one record per reading.
const SEGMENT_BYTES: u64 = 64 << 10;
/// How long to wait for another command that is reading at the same moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `cityquery audit`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AuditArguments {
    /// What to do with the log.
    #[command(subcommand)]
    pub command: AuditCommand,
}

/// The ways to read the log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Prints one record with all that it says, or the latest records, one line each, the latest last
    #[command(after_help = EXAMPLES)]
    Show {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// Id of the record, as in `extensions.audit` of the answer
        #[arg(conflicts_with = "last")]
        record: Option<Uuid>,
        /// How many of the latest records
        #[arg(long, value_name = "N", default_value_t = 10)]
        last: usize,
        /// One JSON object per record
        #[arg(long)]
        json: bool,
    },
    /// Prints a record back, one line for each resolved field
    #[command(after_help = EXAMPLES)]
    Expand {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
        /// Id of the record, as in `extensions.audit` of the answer
        record: Uuid,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Finds records; everything given must hold. Reads the index, and the segments where the index ends
    #[command(after_help = audit_search::EXAMPLES)]
    Search(Box<SearchArguments>),
    /// Proves that nothing was altered or taken out (not built yet)
    #[command(
        after_help = "Not built yet. `cityquery doctor --data-dir var/demo` tells what is missing between segments."
    )]
    Verify {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
    },
    /// Writes records for other systems (not built yet)
    #[command(
        after_help = "Not built yet. `cityquery audit show --last 20 --json --data-dir var/demo` prints records."
    )]
    Export {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
    },
    /// Fills the index again from the segments; the server must not run
    #[command(after_help = "Example:\n  cityquery audit reindex --data-dir var/demo")]
    Reindex {
        /// The installation.
        #[command(flatten)]
        installation: Installation,
    },
}

/// Runs the command.
pub async fn run(arguments: AuditArguments) -> anyhow::Result<()> {
    let out = &mut BufWriter::new(io::stdout().lock());
    let done = match arguments.command {
        AuditCommand::Show { installation, record: Some(id), json, .. } => {
            let reader = open(&installation.load()?, "audit show", json!({ "record": id })).await?;
            print_record(&reader, &find(&reader, id)?, json, out)
        }
        AuditCommand::Show { installation, record: None, last, json } => {
            let reader = open(&installation.load()?, "audit show", json!({ "last": last })).await?;
            let listing = reader.last(last, |_, _| true).context("reading the audit log")?;
            print_listing(&reader, &listing, json, out)
        }
        AuditCommand::Expand { installation, record: id, json } => {
            let reader = open(&installation.load()?, "audit expand", json!({ "record": id })).await?;
            print_fields(&find(&reader, id)?, json, out)
        }
        AuditCommand::Search(arguments) => audit_search::run(*arguments, out).await,
        AuditCommand::Verify { .. } => anyhow::bail!(
            "`audit verify` is not built yet: nothing was done. `cityquery doctor` tells what is missing between segments"
        ),
        AuditCommand::Export { .. } => anyhow::bail!(
            "`audit export` is not built yet: nothing was done. `audit show --json` and `audit search --json` print records"
        ),
        AuditCommand::Reindex { installation } => reindex(&installation.load()?).await,
    };
    match done.and_then(|()| Ok(out.flush()?)) {
        // `cityquery audit expand … | head` is no failure.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

async fn reindex(config: &Config) -> anyhow::Result<()> {
    let mut options = Options::new(&config.audit, &config.audit.node, [0; 32], Clock::system(), Entropy::system());
    (options.segment_bytes, options.is_on) = (SEGMENT_BYTES, true);
    options.known = known_reach(config, &config.audit.node).await;
    // Holding the server's node keeps a server from indexing at the same time.
    let (log, _) = AuditLog::open(options).context("the index is made anew while no server runs")?;
    index::clear(&config.control).await?;
    let records = index::catch_up(config.audit.dir.clone(), log.keys(), &config.control).await?;
    println!("indexed {records} records");
    Ok(())
}

/// Records the reading on the command line's own node, and only then opens the log.
pub(super) async fn open(config: &Config, what: &str, arguments: serde_json::Value) -> anyhow::Result<Reader> {
    let dir = &config.audit.dir;
    anyhow::ensure!(dir.is_dir(), "there is no audit log in {}", dir.display());
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let now_us = i64::try_from(clock.now().unix_timestamp_nanos() / 1_000)?;
    let millis = u64::try_from(now_us / 1_000)?;
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid();
    let log = open_log(config, clock, entropy).await?;
    let record = reading(id, now_us, operator(), Why::default(), what, &arguments);
    let receipt = log.commit(record).await.context("a reading of the log must itself be recorded")?;
    let keys = log.keys();
    log.close();
    Ok(Reader::new(&receipt, dir, keys))
}

/// Opens the command line's own node of the log, which works beside a running server.
pub(super) async fn open_log(config: &Config, clock: Clock, entropy: Entropy) -> anyhow::Result<AuditLog> {
    refuse_root(&config.audit.dir)?;
    // The command line of a server with a name of its own has one, too: they share a control database.
    let node = match config.audit.node.as_str() {
        SERVER => COMMAND_LINE.to_owned(),
        name => format!("{name}-{COMMAND_LINE}"),
    };
    let mut options = Options::new(&config.audit, &node, [0; 32], clock, entropy);
    (options.segment_bytes, options.is_on) = (SEGMENT_BYTES, true);
    options.known = known_reach(config, &options.node).await;
    let asked = Instant::now();
    loop {
        match AuditLog::open(options.clone()) {
            Ok((log, _)) => return Ok(log),
            Err(OpenError::InUse(_)) if asked.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await
            }
            Err(error) => return Err(error).context("what the command line does must be recorded"),
        }
    }
}

/// What root writes, the user whose log it is could not read.
fn refuse_root(dir: &Path) -> anyhow::Result<()> {
    let owned = std::fs::metadata(dir.join(KEYS)).or_else(|_| std::fs::metadata(dir));
    let owner = owned.map_or(0, |found| found.uid());
    anyhow::ensure!(
        owner == 0 || !rustix::process::geteuid().is_root(),
        "the audit log in {} belongs to user {owner}, who could not read what root writes there; run the command as that \
         user: sudo -u '#{owner}' cityquery …",
        dir.display()
    );
    Ok(())
}

/// How far the index knows a node's log. The log can be read without a control database, and then nothing is known.
async fn known_reach(config: &Config, node: &str) -> Reach {
    if crate::store::layout::sqlite_file(&config.control.url).is_some_and(|file| !file.exists()) {
        return Reach::default(); // connecting would make it
    }
    let asked = async { index::reach(&control::connect(&config.control).await?, node).await };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(known)) => known,
        _ => Reach::default(),
    }
}

/// The system's user, by the number that the kernel knows: the environment says what one likes. Whoever works as somebody
/// else through sudo is named besides.
pub(super) fn operator() -> Who {
    let uid = rustix::process::getuid().as_raw();
    let name = uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned());
    let mut account = format!("system:{}({uid})", name.as_deref().unwrap_or("?"));
    if let Ok(by) = std::env::var("SUDO_USER") {
        account = format!("{account} sudo:{by}");
    }
    Who { account: account.into(), agency: "command-line".into(), session: None, client_address: None }
}

/// The record of what the system's user does to accounts, beside a running program or before it serves.
pub(super) fn administration(accounts: &Accounts, who: Who, note: String) -> Record {
    Record {
        id: accounts.new_id(),
        started_us: i64::try_from(accounts.clock().now().unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX),
        duration_us: 0,
        kind: Kind::Administration,
        who,
        why: Why::default(),
        right: Right { epoch: accounts.rights().current().epoch, schema_hash: accounts.rights().catalog().hash },
        asked: None,
        touched: Vec::new(),
        outcome: Outcome::default(),
        note: Some(note),
    }
}

fn find(reader: &Reader, id: Uuid) -> anyhow::Result<Entry> {
    let found = reader.find(id).context("reading the audit log")?;
    if found.is_none() {
        print_losses(&reader.losses()?);
    }
    found.with_context(|| format!("the log in {} holds no record {id}", reader.dir().display()))
}

fn print_record(reader: &Reader, entry: &Entry, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let secrets = reader.secrets(entry);
    match json {
        true => writeln!(out, "{}", show::to_json(entry, &secrets))?,
        false => write!(out, "{}", show::details(entry, &secrets))?,
    }
    Ok(())
}

pub(super) fn print_listing(
    reader: &Reader,
    listing: &Listing,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if !json {
        writeln!(out, "{}", heading())?;
    }
    for entry in &listing.entries {
        match json {
            true => print_record(reader, entry, true, out)?,
            false => writeln!(out, "{}", line(entry))?,
        }
    }
    print_losses(&listing.losses);
    Ok(())
}

fn print_losses(losses: &[Loss]) {
    for loss in losses {
        eprintln!("cityquery: {loss}");
    }
}

fn print_fields(entry: &Entry, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    let record = &entry.record;
    if record.asked.is_none() {
        anyhow::bail!("record {} is of kind {}: it resolved no fields", record.id, record.kind.name());
    }
    let shape = entry.shape.as_ref().context("the record's shape is not readable in its segment")?;
    match json {
        true => expand::write_json_lines(shape, &record.touched, out)?,
        false => expand::write_table(shape, &record.touched, out)?,
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(is_pipe)
            || matches!(cause.downcast_ref(), Some(expand::ExpandError::Output(error)) if is_pipe(error))
    })
}
