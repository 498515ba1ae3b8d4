//! Runs a plan's statements, breadth first: each as soon as the rows it needs are there, siblings at the same time.
//! One statement serves all parents; how rows hang together is worked out here, how they look is `write`'s.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::cost::Bounds;
use super::family::{self, Families};
use super::plan::{Link, Plan, Step};
use super::resolve::Variables;
use super::slot::{self, Slot};
use crate::access::{Code, Refusal};
use crate::store::bind::{Bind, Texts};
use crate::store::layout::Databases;
use crate::store::rows::{Cell, Kind, Rows};
use crate::store::share::{Share, Shares};
use crate::store::source::{Lane, SourceError};
use crate::store::sqlite::Worker;

/// The rows of a finished step.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The rows.
    pub rows: Rows,
    /// Which of them belong to which row of the parent's step.
    pub families: Families,
    /// How often each of them stands in the answer.
    times: Vec<u32>,
    /// A connection has more rows than its page.
    pub more: bool,
}

/// A plan on its way through the databases.
pub struct Load {
    plan: Arc<Plan>,
    variables: Arc<Variables>,
    bounds: Arc<Bounds>,
    loaded: Vec<Option<Loaded>>,
    started: Vec<bool>,
    rows: u64,
    /// Objects that the rows come to in the answer.
    objects: u64,
}

impl Load {
    /// Nothing loaded yet.
    pub fn new(plan: Arc<Plan>, variables: Arc<Variables>, bounds: Arc<Bounds>) -> Load {
        let steps = plan.steps.len();
        let loaded = std::iter::repeat_with(|| None).take(steps).collect();
        Load { plan, variables, bounds, loaded, started: vec![false; steps], rows: 0, objects: 0 }
    }

    /// The finished step's rows.
    pub fn step(&self, number: usize) -> Option<&Loaded> {
        self.loaded[number].as_ref()
    }

    /// Runs all steps, wherever their databases are.
    pub async fn run(mut self, databases: &Databases, account: i64, deadline: Instant) -> Result<Load, Refusal> {
        let plan = self.plan.clone();
        if let Some(group) = databases.sqlite_only() {
            // One thread runs them all, of those for long statements if one of them is.
            let long = plan.steps.iter().any(|step| step.statement.lane == Lane::Own);
            let lane = if long { Lane::Own } else { Lane::Shared };
            let work = move |worker: &mut Worker| self.run_on(worker);
            return group.run(lane, Some(account), deadline, work).await.map_err(source_refusal)?;
        }
        let share = async |step: &Step| match step.statement.lane {
            Lane::Shared => Ok(None),
            Lane::Own => share(databases.shares(step.database), account, deadline).await.map(Some),
        };
        let mut running = FuturesUnordered::new();
        loop {
            while let Some((number, binds)) = self.next()? {
                let step = &plan.steps[number];
                let source = databases.source(step.database);
                let share = share(step);
                running.push(async move {
                    let _share = share.await?;
                    let rows = source.query(&step.statement, binds, deadline).await.map_err(source_refusal)?;
                    Ok::<_, Refusal>((number, rows))
                });
            }
            match running.next().await.transpose()? {
                Some((number, rows)) => self.accept(number, rows)?,
                None => return Ok(self),
            }
        }
    }

    /// Runs all steps on one SQLite thread.
    fn run_on(mut self, worker: &Worker) -> Result<Load, Refusal> {
        let plan = self.plan.clone();
        let _as_of_now = worker.snapshot().map_err(source_refusal)?;
        while let Some((number, binds)) = self.next()? {
            let step = &plan.steps[number];
            let rows = worker.query(step.database, &step.statement, &binds).map_err(source_refusal)?;
            self.accept(number, rows)?;
        }
        Ok(self)
    }

    /// The next step that can start, with its parameters. Steps that no key leads to are done without a statement.
    fn next(&mut self) -> Result<Option<(usize, Vec<Bind>)>, Refusal> {
        let plan = self.plan.clone();
        let mut number = 0;
        while number < plan.steps.len() {
            let step = &plan.steps[number];
            let ready = !self.started[number] && step.needs.iter().all(|needed| self.loaded[*needed].is_some());
            if !ready {
                number += 1;
                continue;
            }
            self.started[number] = true;
            match self.binds(number)? {
                Some(binds) => return Ok(Some((number, binds))),
                None => {
                    self.accept(number, Rows::new(step.statement.columns.len()))?;
                    number = 0;
                }
            }
        }
        Ok(None)
    }

    /// A step's parameters; none if no row can be found because no parent has a key.
    fn binds(&self, number: usize) -> Result<Option<Vec<Bind>>, Refusal> {
        let step = &self.plan.steps[number];
        let mut binds = Vec::with_capacity(step.slots.len());
        for slot in &step.slots {
            let bind = match slot {
                Slot::Ready(bind) => bind.clone(),
                Slot::Texts(texts) => Bind::Texts(texts.clone()),
                Slot::Variable(read) => slot::read(read, &self.variables, &self.bounds)?,
                Slot::Number(number) => Bind::Int(number.read(&self.variables, &self.bounds)?.into()),
                Slot::Key { step, column } => match self.key(*step, *column) {
                    Some(key) => key,
                    None => return Ok(None),
                },
                Slot::Keys { step, column } => {
                    let keys = self.keys(*step, *column);
                    let of_filter = matches!(self.plan.steps[*step].link, Link::Loose { keys: true });
                    if keys.count() == 0 && !of_filter {
                        return Ok(None);
                    }
                    keys
                }
            };
            binds.push(bind);
        }
        Ok(Some(binds))
    }

    /// The key in a column of a finished step that gave one row at most.
    fn key(&self, step: usize, column: usize) -> Option<Bind> {
        let rows = &self.loaded[step].as_ref()?.rows;
        if rows.is_empty() {
            return None;
        }
        match rows.cell(0, column) {
            Cell::Null | Cell::Unreadable => None,
            Cell::Int(value) => Some(Bind::Int(value)),
            Cell::Bool(value) => Some(Bind::Bool(value)),
            Cell::Text(start, length) => Some(Bind::Text(rows.text(start, length).to_owned())),
        }
    }

    /// The distinct keys in a column of a finished step.
    fn keys(&self, step: usize, column: usize) -> Bind {
        let kind = self.plan.steps[step].statement.columns[column];
        let empty = Rows::new(1);
        let rows = self.loaded[step].as_ref().map_or(&empty, |loaded| &loaded.rows);
        let distinct = family::distinct(rows, column);
        if kind == Kind::Int {
            return Bind::Ints(distinct.map(|row| rows.int(row, column)).collect());
        }
        let mut texts = Texts::default();
        for row in distinct {
            if let Cell::Text(start, length) = rows.cell(row, column) {
                texts.push(rows.text(start, length));
            }
        }
        Bind::Texts(texts)
    }

    fn accept(&mut self, number: usize, mut rows: Rows) -> Result<(), Refusal> {
        let plan = self.plan.clone();
        let step = &plan.steps[number];
        self.bound(&step.link, &step.path, rows.len())?;
        let mut more = false;
        let most = self.bounds.limits().rows as usize;
        let families = match &step.link {
            Link::Root { page: Some((size, backward)) } => {
                let size = size.read(&self.variables, &self.bounds)? as usize;
                more = rows.len() > size;
                rows.truncate(size);
                if *backward {
                    rows.reverse();
                }
                Some(Families::default())
            }
            Link::Root { page: None } | Link::Loose { .. } => Some(Families::default()),
            Link::Keys { parent, column, own, by_number } => match &self.loaded[*parent] {
                Some(parent) => family::by_key(&parent.rows, *column, &rows, *own, *by_number, most),
                None => Some(Families::default()),
            },
            Link::Through { parent, column, links, own, page } => {
                let page = match page {
                    Some((first, offset)) => {
                        let offset = offset.read(&self.variables, &self.bounds)? as usize;
                        Some((offset, first.read(&self.variables, &self.bounds)? as usize))
                    }
                    None => None,
                };
                match (&self.loaded[*parent], &self.loaded[*links]) {
                    (Some(parent), Some(links)) => {
                        family::through(&parent.rows, *column, &links.rows, &rows, *own, page, most)
                    }
                    _ => Some(Families::default()),
                }
            }
        };
        let families = families.ok_or_else(|| self.bounds.too_many_rows(&step.path))?;
        let times = self.times(&step.link, &families, rows.len());
        self.objects += times.iter().map(|often| u64::from(*often)).sum::<u64>();
        if self.objects > most as u64 {
            return Err(self.bounds.too_many_rows(&step.path));
        }
        self.loaded[number] = Some(Loaded { rows, families, times, more });
        Ok(())
    }

    /// How often each row of a step will be written. A walk there and back again leads from one row to all that share it and
    /// from each of these to all of them, so that few rows can make an answer that no memory holds.
    fn times(&self, link: &Link, families: &Families, rows: usize) -> Vec<u32> {
        match link {
            Link::Root { .. } => vec![1; rows],
            Link::Loose { .. } => Vec::new(),
            Link::Keys { parent, .. } | Link::Through { parent, .. } => {
                let parents = self.loaded[*parent].as_ref().map_or(&[][..], |parent| &parent.times);
                families.times(parents, rows)
            }
        }
    }

    fn bound(&mut self, link: &Link, path: &str, rows: usize) -> Result<(), Refusal> {
        if matches!(link, Link::Loose { keys: true }) {
            let over = rows > self.bounds.limits().keys as usize;
            return if over { Err(self.bounds.too_many_keys(path)) } else { Ok(()) };
        }
        self.rows += rows as u64;
        if self.rows > u64::from(self.bounds.limits().rows) { Err(self.bounds.too_many_rows(path)) } else { Ok(()) }
    }
}

/// A place of the account's share for a statement that may run long.
async fn share(shares: &Shares, account: i64, deadline: Instant) -> Result<Share, Refusal> {
    match tokio::time::timeout_at(deadline.into(), shares.take(account)).await {
        Ok(taken) => taken.map_err(|error| source_refusal(SourceError::Failed(error.to_string()))),
        Err(_) => Err(source_refusal(SourceError::Waited)),
    }
}

/// What a client is told when a database does not answer; the log has the rest.
fn source_refusal(error: SourceError) -> Refusal {
    tracing::error!(%error, "a statement gave no rows");
    match error {
        SourceError::Timeout => timed_out(),
        SourceError::Waited => Refusal::new(
            Code::Timeout,
            "The operation waited for others that take long, of the same account above all, until its time was over. Send \
             fewer of them at a time.",
            "本次查詢等候其他長時間查詢（尤以同一帳號者為先），已逾時限。請減少同時送出之查詢。",
        ),
        SourceError::Unavailable(_) => Refusal::new(
            Code::SourceUnavailable,
            "A dataset's database does not answer at the moment. Try again later.",
            "資料庫目前無法回應，請稍後再試。",
        ),
        SourceError::Failed(_) => Refusal::new(Code::Internal, "Internal error.", "系統內部錯誤。"),
    }
}

/// The refusal of an operation above the time limit, whether a database or the whole of it took too long.
pub(super) fn timed_out() -> Refusal {
    Refusal::new(
        Code::Timeout,
        "The operation took too long and was stopped. Narrow it, or ask for fewer rows.",
        "查詢逾時，已停止。請縮小範圍或減少筆數。",
    )
}
