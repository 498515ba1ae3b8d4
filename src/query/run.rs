//! Runs a planned operation: cost bounded, rows loaded, answer written. Finding or making the
//! plan, and recording what came out, is left to `graphql`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::cost::Bounds;
use super::load::{self, Load};
use super::page::{self, Sealer};
use super::plan::{Estimate, Expected, Plan, RootOutKind};
use super::resolve::Variables;
use super::slot::{self, Slot};
use super::unreadable;
use super::write::{self, Surroundings, Written};
use crate::access::Refusal;
use crate::store::layout::Databases;

/// A finished answer and what it cost.
#[derive(Debug)]
pub struct Answer {
    /// The value of `data`, and what was touched.
    pub written: Written,
    /// Cost estimated before it ran.
    pub cost: u64,
}

/// What running a plan needs besides the plan.
pub struct Run<'a> {
    /// The databases.
    pub databases: &'a Databases,
    /// The limits.
    pub bounds: &'a Arc<Bounds>,
    /// Seals cursors.
    pub sealer: &'a Sealer,
    /// Caller and state of the rights to which cursors are bound.
    pub bound_to: &'a str,
    /// Whose share of the places for long statements it takes from.
    pub account: i64,
    /// When it has to be finished.
    pub deadline: Instant,
}

/// Runs a plan. `others` are the roots answered elsewhere, as JSON.
pub async fn run(
    run: &Run<'_>,
    plan: &Arc<Plan>,
    variables: Variables,
    others: &HashMap<String, String>,
) -> Result<Answer, Refusal> {
    let variables = Arc::new(variables);
    let cost = cost(&plan.estimates, &variables, run.bounds)?;
    run.bounds.cost(cost)?;
    check_parameters(plan, &variables, run.bounds)?;
    let load = Load::new(plan.clone(), variables.clone(), run.bounds.clone());
    let loading = load.run(run.databases, run.account, run.deadline);
    let load = match tokio::time::timeout_at(run.deadline.into(), loading).await {
        Ok(load) => load?,
        Err(_) => return Err(load::timed_out()),
    };
    let passed_over = |connection: &super::plan::Connection| match &connection.offset {
        Some(offset) => offset.read(&variables, run.bounds).is_ok_and(|offset| offset > 0),
        None => false,
    };
    let filter_name = |connection: &super::plan::Connection| page::filter_name(connection.filter.as_ref(), &variables);
    let around = Surroundings {
        others,
        sealer: run.sealer,
        bound_to: run.bound_to,
        passed_over: &passed_over,
        filter_name: &filter_name,
    };
    let written = write::write(plan, &load, &around);
    if written.lost {
        return Err(unreadable::no_cursor());
    }
    Ok(Answer { written, cost })
}

/// What variables say is wrong before the first statement runs, not after.
fn check_parameters(plan: &Plan, variables: &Variables, bounds: &Bounds) -> Result<(), Refusal> {
    for slot in plan.steps.iter().flat_map(|step| &step.slots) {
        match slot {
            Slot::Variable(read) => drop(slot::read(read, variables, bounds)?),
            Slot::Number(number) => drop(number.read(variables, bounds)?),
            Slot::Ready(_) | Slot::Texts(_) | Slot::Keys { .. } | Slot::Key { .. } => {}
        }
    }
    // A page of which no row is asked for is in no statement.
    for root in &plan.roots {
        if let RootOutKind::Connection(connection) = &root.kind
            && connection.step.is_none()
        {
            connection.size.read(variables, bounds)?;
            connection.offset.as_ref().map(|offset| offset.read(variables, bounds)).transpose()?;
        }
    }
    Ok(())
}

/// Rows expected times the fields asked of each, over the whole operation.
pub fn cost(estimates: &[Estimate], variables: &Variables, bounds: &Bounds) -> Result<u64, Refusal> {
    let mut rows: Vec<u64> = Vec::with_capacity(estimates.len());
    let mut cost = 0u64;
    for estimate in estimates {
        let each = match &estimate.rows {
            Expected::Exactly(rows) => *rows,
            Expected::Page(number) => number.read(variables, bounds)?.into(),
        };
        // An estimate stands after the one above it.
        let above = estimate.parent.map_or(1, |parent| rows[parent]);
        let expected = above.saturating_mul(each);
        cost = cost.saturating_add(expected.saturating_mul(u64::from(estimate.fields) + 1));
        rows.push(expected);
    }
    Ok(cost)
}
