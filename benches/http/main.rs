//! Throughput over HTTP, beside a hand-written handler that runs the statements an expert would write and returns
//! the same JSON with no guard and no audit. All servers run in one session and take turns; medians are printed.
//!
//!     cargo bench --bench http -- --database sqlite --folder var/bench --scale 0.1
//!     cargo bench --bench http -- --database postgres --url postgres://… --folder var/bench --scale 0.1

mod baseline;
mod baseline_postgres;
mod baseline_sqlite;
mod city;
mod client;
mod rows;
mod syncs;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Parser;

use client::{Load, Target};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The target that is measured beside syncs.
const BESIDE_SYNCS: usize = 3;

#[derive(Parser, Clone)]
struct Arguments {
    /// sqlite or postgres
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// An empty PostgreSQL database, or one that an earlier run filled
    #[arg(long)]
    url: Option<String>,
    /// Where SQLite files, keys and logs are kept between runs
    #[arg(long, default_value = "var/bench")]
    folder: std::path::PathBuf,
    #[arg(long, default_value_t = 0.1)]
    scale: f64,
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Seconds of each turn
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Turns of each server
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure, too, the server without audit while a thread that has nothing to do with it syncs a file so many times a
    /// second: what the disk's syncs alone take from everybody
    #[arg(long)]
    syncs: Option<u32>,
    /// Only this question: point or list
    #[arg(long)]
    case: Option<String>,
    /// Internal: this process is a server
    #[arg(long)]
    role: Option<String>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.role.is_some() {
        // Why an answer was refused or withheld.
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::ERROR).init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.role.as_deref() {
        None => runtime.block_on(measure(arguments)),
        Some("baseline") => runtime.block_on(baseline::serve(&arguments)),
        Some(role) => runtime.block_on(city::serve(&arguments, role == "unrecorded")),
    }
}

/// A server in a process of its own, ended with this value.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    fn start(arguments: &Arguments, role: &str) -> anyhow::Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--role", role, "--database", &arguments.database, "--folder"]).arg(&arguments.folder);
        if let Some(url) = &arguments.url {
            command.args(["--url", url]);
        }
        let mut process = command.env("CITYQUERY_BENCH", "1").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or_else(|| anyhow::anyhow!("no output"))?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        anyhow::ensure!(!line.trim().is_empty(), "the {role} server did not start");
        Ok(Server { process, address: line.trim().to_string() })
    }

    fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default().to_string();
        line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    }
}

async fn measure(arguments: Arguments) -> anyhow::Result<()> {
    let question = city::prepare(&arguments).await?;
    let guarded = Server::start(&arguments, "guarded")?;
    let unrecorded = Server::start(&arguments, "unrecorded")?;
    let baseline = Server::start(&arguments, "baseline")?;
    let token = city::sign_in(&guarded.address).await?;
    let unrecorded_token = city::sign_in(&unrecorded.address).await?;
    println!(
        "{} at scale {}, {} clients, {} turns of {} s",
        arguments.database, arguments.scale, arguments.clients, arguments.rounds, arguments.seconds
    );
    let is_wanted = |case: &city::Case| arguments.case.as_deref().is_none_or(|name| name == case.name);
    for case in question.cases().into_iter().filter(is_wanted) {
        let mut targets = vec![
            Target::graphql("cityquery", &guarded.address, &token, &case),
            Target::graphql("without audit", &unrecorded.address, &unrecorded_token, &case),
            Target::plain("hand-written", &baseline.address, &case),
        ];
        if arguments.syncs.is_some() {
            targets.push(Target::graphql("beside syncs", &unrecorded.address, &unrecorded_token, &case));
        }
        client::same_answers(&targets[0], &targets[2], case.keys.len().min(60)).await?;
        let load = Load { clients: arguments.clients, time: Duration::from_secs_f64(arguments.seconds) };
        let mut rates = vec![Vec::new(); targets.len()];
        let mut delays = vec![Vec::new(); targets.len()];
        let mut done = 0;
        for target in &targets {
            client::run(target, &Load { time: Duration::from_secs(1), ..load }).await?;
        }
        for _ in 0..arguments.rounds {
            for (number, target) in targets.iter().enumerate() {
                let syncs = match arguments.syncs {
                    Some(rate) if number == BESIDE_SYNCS => Some(syncs::Syncs::start(&arguments.folder, rate)?),
                    _ => None,
                };
                let result = client::run(target, &load).await?;
                done += syncs.map_or(0, syncs::Syncs::stop);
                rates[number].push(result.rate);
                delays[number].push(result.p99_ms);
            }
        }
        println!("\n{} ({} bytes an answer)", case.name, client::answer_bytes(&targets[0]).await?);
        for (number, target) in targets.iter().enumerate() {
            println!(
                "  {:<14} {:>8.0} requests/s   {:>5.2} of hand-written   p99 {:>6.1} ms",
                target.name,
                median(&rates[number]),
                ratio(&rates[number], &rates[2]),
                median(&delays[number])
            );
        }
        println!("  audit on / off {:>5.3}", ratio(&rates[0], &rates[1]));
        if arguments.syncs.is_some() {
            let rate = done as f64 / (arguments.rounds as f64 * arguments.seconds);
            println!("  beside {rate:.0} syncs a second / off {:>5.3}", ratio(&rates[BESIDE_SYNCS], &rates[1]));
        }
    }
    if arguments.case.is_some() {
        return Ok(());
    }
    let case = question.cases().pop().ok_or_else(|| anyhow::anyhow!("no case"))?;
    let target = Target::graphql("cityquery", &guarded.address, &token, &case);
    client::run(&target, &Load { clients: 64, time: Duration::from_secs_f64(arguments.seconds) }).await?;
    println!("\nresident memory after 64 clients on the list: {:.0} MB", guarded.memory_mb());
    drop((guarded, unrecorded, baseline));
    rows::measure(&arguments).await?;
    Ok(())
}

/// Median of the ratios turn by turn: the machine's own speed changes from one turn to a later one.
fn ratio(rates: &[f64], others: &[f64]) -> f64 {
    let ratios: Vec<f64> = rates.iter().zip(others).map(|(rate, other)| rate / other).collect();
    median(&ratios)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
