//! Serves the router until it is told to stop, and ends in order: no new connections, the open ones finished, the
//! log closed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;

use super::connections::{self, Bounds};
use super::state::App;
use crate::audit::index::Indexer;
use crate::audit::{Kind, Outcome, Record, Right, Who, Why};
use crate::procedure::mail::Courier;

/// How long open connections may go on after the signal.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until SIGINT or SIGTERM.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> anyhow::Result<()> {
    let courier = Courier::open(&app.config.mail).map_err(anyhow::Error::msg)?;
    record(&app, Kind::Start, Some(&app.accounts.password_rule()))
        .await
        .context("the start must be recorded before anything is answered")?;
    let watch = app.accounts.watch();
    let house = app.engine.procedure().watch_house();
    let mail = courier.map(|courier| app.engine.procedure().watch_mail(courier));
    let indexer = Indexer::start(&app.audit, app.config.audit.dir.clone(), app.config.control.clone())
        .context("the audit index cannot be given a thread")?;
    let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving =
        connections::serve(listener, super::router(Arc::clone(&app)), Bounds::of_this_process(), async move {
            signalled().await;
            tracing::info!("stopping: no new connections");
            let _ = stopping.send(()); // nobody waits when serving has failed already
        });
    tokio::select! {
        () = serving => {}
        () = async { if stopped.await.is_ok() { tokio::time::sleep(PATIENCE).await } else { std::future::pending().await } } => {
            tracing::warn!("connections were still open and are dropped");
        }
    }
    watch.abort();
    house.abort();
    if let Some(mail) = mail {
        mail.stop().await;
    }
    if let Err(error) = record(&app, Kind::Stop, None).await {
        tracing::error!(%error, "the stop could not be recorded");
    }
    // Both wait for threads of their own. The log goes first: it must be ended whatever holds up its index.
    let closing = tokio::task::spawn_blocking(move || {
        app.audit.close();
        drop(indexer);
    });
    closing.await.context("closing the audit log")
}

/// Waits for SIGINT or SIGTERM.
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process at once, which the log survives.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Records a start or a stop. What was chosen among the settings and somebody may ask for later stands beside it.
async fn record(app: &App, kind: Kind, chosen: Option<&str>) -> anyhow::Result<()> {
    let version = concat!("version ", env!("CARGO_PKG_VERSION"));
    let record = Record {
        id: app.accounts.new_id(),
        started_us: i64::try_from(app.clock.now().unix_timestamp_nanos() / 1_000)?,
        duration_us: 0,
        kind,
        who: Who { account: "cityquery".into(), agency: "-".into(), session: None, client_address: None },
        why: Why::default(),
        right: Right { epoch: app.accounts.rights().current().epoch, schema_hash: app.catalog.hash },
        asked: None,
        touched: Vec::new(),
        outcome: Outcome::default(),
        note: Some(chosen.map_or_else(|| version.to_owned(), |chosen| format!("{version}; {chosen}"))),
    };
    app.audit.commit(record).await?;
    Ok(())
}
