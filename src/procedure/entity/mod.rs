//! The procedure's tables as sea-orm entities. What they mean stands in the modules that use them.

mod applications;
mod incidents;
mod inspections;
mod steps;

pub use applications::{annex, annex_item, application, decision, document, offer, offer_item};
pub use incidents::{channel, channel_import, incident};
pub use inspections::{inspection, inspection_entry, inspection_rule};
pub use steps::{audit_plan, notice, operating_rules, repeatable_step, rules_receipt, step};
