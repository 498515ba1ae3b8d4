//! Closed-loop clients over keep-alive connections: each sends its next request when the last is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::city::Case;

/// How hard.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub time: Duration,
}

/// What a turn gave.
pub struct Turn {
    pub rate: f64,
    pub p99_ms: f64,
}

/// A server with the requests to send it.
pub struct Target {
    pub name: &'static str,
    address: String,
    requests: Arc<Vec<Vec<u8>>>,
}

impl Target {
    pub fn graphql(name: &'static str, address: &str, token: &str, case: &Case) -> Target {
        let request = |key: &String| {
            let body = json!({ "query": case.query, "variables": { "key": key } }).to_string();
            format!(
                "POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nX-Case-Number: BENCH-1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        Target::new(name, address, case, request)
    }

    pub fn plain(name: &'static str, address: &str, case: &Case) -> Target {
        let request = |key: &String| {
            let body = json!({ "query": case.query, "variables": { "key": key } }).to_string();
            format!(
                "POST /{} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                case.name,
                body.len()
            )
        };
        Target::new(name, address, case, request)
    }

    fn new(name: &'static str, address: &str, case: &Case, request: impl Fn(&String) -> String) -> Target {
        let requests = case.keys.iter().map(|key| request(key).into_bytes()).collect();
        Target { name, address: address.to_string(), requests: Arc::new(requests) }
    }
}

/// One turn.
pub async fn run(target: &Target, load: &Load) -> anyhow::Result<Turn> {
    let next = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + load.time;
    let mut clients = Vec::new();
    for _ in 0..load.clients {
        let (requests, next, address) = (target.requests.clone(), next.clone(), target.address.clone());
        clients.push(tokio::spawn(async move {
            let mut connection = Connection::open(&address).await?;
            let mut delays = Vec::new();
            while Instant::now() < end {
                let number = next.fetch_add(1, Ordering::Relaxed) as usize % requests.len();
                let sent = Instant::now();
                connection.ask(&requests[number]).await?;
                delays.push(sent.elapsed());
            }
            anyhow::Ok(delays)
        }));
    }
    let started = Instant::now();
    let mut delays = Vec::new();
    for client in clients {
        delays.extend(client.await??);
    }
    let rate = delays.len() as f64 / started.elapsed().as_secs_f64();
    delays.sort_unstable();
    let p99 = delays.get(delays.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Turn { rate, p99_ms: p99.as_secs_f64() * 1e3 })
}

/// Both servers give the same `data` for the first keys.
pub async fn same_answers(one: &Target, other: &Target, keys: usize) -> anyhow::Result<()> {
    let (mut first, mut second) = (Connection::open(&one.address).await?, Connection::open(&other.address).await?);
    for number in 0..keys {
        let left: Value = serde_json::from_slice(&first.ask(&one.requests[number]).await?)?;
        let right: Value = serde_json::from_slice(&second.ask(&other.requests[number]).await?)?;
        anyhow::ensure!(left["errors"].is_null(), "{}", left["errors"]);
        anyhow::ensure!(left["data"] == right["data"], "answers differ:\n{}\n{}", left["data"], right["data"]);
    }
    Ok(())
}

/// Size of the first answer's body.
pub async fn answer_bytes(target: &Target) -> anyhow::Result<usize> {
    Ok(Connection::open(&target.address).await?.ask(&target.requests[0]).await?.len())
}

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> anyhow::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(1 << 16) })
    }

    /// Sends a request and reads the whole answer; its body is returned.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, length) = loop {
            anyhow::ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = std::str::from_utf8(&self.buffer[..head])?.to_ascii_lowercase();
                anyhow::ensure!(text.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(&self.buffer));
                let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
                break (head + 4, length.ok_or_else(|| anyhow::anyhow!("no length"))?.trim().parse::<usize>()?);
            }
        };
        while self.buffer.len() < head + length {
            anyhow::ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
        }
        Ok(self.buffer[head..].to_vec())
    }
}
