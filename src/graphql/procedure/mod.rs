//! The procedure's query, mutation and subscription roots: arguments in, answers out. Every field passes the table of
//! rules first; what a step does is left to `procedure`. An operation takes one step; sent again with the same
//! `Idempotency-Key` it does nothing twice.

use std::sync::Arc;

use async_graphql::{Context, MergedObject};

use crate::procedure::{Act, Procedure};

mod applications;
mod groups;
mod incidents;
mod inquiries;
mod inspections;
mod people;
mod subscription;

pub use subscription::SubscriptionRoot;

/// The procedure's questions; merged into `Query`.
#[derive(Default, MergedObject)]
pub struct Questions(
    people::PeopleQuestions,
    applications::ApplicationQuestions,
    groups::GroupQuestions,
    inquiries::InquiryQuestions,
    incidents::IncidentQuestions,
    inspections::InspectionQuestions,
);

/// 作業步驟: steps of the procedure. An operation takes one; sent again with the same `Idempotency-Key` it does nothing twice.
#[derive(Default, MergedObject)]
#[graphql(name = "Mutation")]
pub struct Steps(
    people::PeopleSteps,
    applications::ApplicationSteps,
    groups::GroupSteps,
    inquiries::InquirySteps,
    incidents::IncidentSteps,
    inspections::InspectionSteps,
);

/// The procedure and who acts: put into each request by the engine.
fn of<'a>(ctx: &Context<'a>) -> async_graphql::Result<(&'a Arc<Procedure>, &'a Act)> {
    Ok((ctx.data::<Arc<Procedure>>()?, ctx.data::<Act>()?))
}
