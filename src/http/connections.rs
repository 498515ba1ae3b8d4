//! Takes connections and serves the router over them, within bounds of number and time: whoever sends nothing, or half a
//! head, or does not read what was asked for, holds no place for long. When to stop is left to `server`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::Service as _;

/// How long the head of a request may take.
const HEAD_AT_MOST: Duration = Duration::from_secs(60);
/// How long a client may take none of an answer that waits for it.
const STALL_AT_MOST: Duration = Duration::from_secs(60);
/// Open files that are kept for databases, logs and keys.
const FILES_KEPT: u64 = 256;
/// Connections at once, where the system's limit of open files allows as many.
const MOST: u64 = 8192;
/// After a connection could not be taken, for want of files mostly.
const REST: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many at once.
    pub places: usize,
    /// How long the head of a request may take to come, and a client to say nothing between two of them.
    pub head: Duration,
    /// How long a client may take none of an answer that waits for it, and is held in memory for it.
    pub stall: Duration,
}

impl Bounds {
    /// A minute for a head, and as many connections as this process may open files. Raises its limit of open files to what
    /// the system allows, which is often far more than it sets.
    pub fn of_this_process() -> Bounds {
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
        let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let places = files.saturating_sub(FILES_KEPT).clamp(1, MOST);
        Bounds { places: usize::try_from(places).unwrap_or(usize::MAX), head: HEAD_AT_MOST, stall: STALL_AT_MOST }
    }
}

/// Serves until `stopped`, and then until the open connections are done.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stopped: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(bounds.places));
    // HTTP/2 has hundreds of requests on one connection, whose answers wait for windows that a client never opens, and finding
    // out who speaks it waits for a first byte without end: no bound here would hold. It is left to the proxy that speaks TLS.
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(bounds.head);
    // Closed once every connection has let go of its end.
    let (stopping, told) = watch::channel(());
    tokio::pin!(stopped);
    loop {
        // Whoever comes when all places are taken waits in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stopped => break,
        };
        let (stream, from) = tokio::select! {
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(REST).await;
                    continue;
                }
            },
            () = &mut stopped => break,
        };
        let (builder, router, mut told) = (builder.clone(), router.clone(), told.clone());
        tokio::spawn(async move {
            let connection = builder.serve_connection(io(stream, bounds.stall), respond(router, from)).with_upgrades();
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                _ = told.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
            drop((place, told));
        });
    }
    drop((listener, told));
    let _ = stopping.send(()); // nobody listens where nothing is open
    stopping.closed().await;
}

fn io(stream: TcpStream, stall: Duration) -> TokioIo<Pin<Box<TimeoutStream<TcpStream>>>> {
    // Small answers go out at once instead of waiting for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(stall));
    TokioIo::new(Box::pin(stream))
}

/// The router for one connection, told where that comes from.
fn respond(
    router: Router,
    from: SocketAddr,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().call(request.map(Body::new))
    })
}
