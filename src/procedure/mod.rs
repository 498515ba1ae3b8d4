//! The procedure (作業程序): from an application form to a granted field, and back. Who may take which step stands in
//! [`rules`]; how a step is taken, told and written down in [`step`]; the rest is one file for each thing of the
//! procedure. GraphQL is left to `graphql`, compiling rights to `accounts` and `access`.

use std::sync::Arc;

use sea_orm::DatabaseConnection;

use crate::access::Caller;
use crate::accounts::Accounts;
use crate::audit::AuditLog;
use crate::catalog::Catalog;
use crate::config::{self, Config};
use crate::store::layout::Databases;

pub mod account;
pub mod account_change;
mod account_list;
mod acquaintance;
pub mod agency;
pub mod amendment;
pub mod application;
mod application_list;
mod appointment;
pub mod attachment;
pub mod channel;
mod channel_import;
mod channel_log;
pub mod dataset;
pub mod decision;
pub mod difference;
pub mod draft;
pub mod entity;
pub mod fault;
pub mod filing;
pub mod group;
pub mod house;
mod idle;
pub mod inbox;
pub mod incident;
mod incident_closing;
pub mod inspection;
pub mod inspection_draw;
pub mod inspection_flags;
pub mod inspection_overdue;
pub mod inspection_report;
pub mod inspection_rule;
pub mod item;
mod leaving;
mod letter;
mod log_reading;
pub mod mail;
pub mod master_form;
mod master_form_list;
pub mod offer;
mod opening;
mod overdue;
pub mod page;
mod person;
pub mod provenance;
mod reminder;
mod revocation;
pub mod rules;
pub mod step;
pub mod sub_form;
mod submission;
mod watch;
mod wording;

pub use fault::Fault;
pub use step::Act;

/// The procedure of one installation.
pub struct Procedure {
    accounts: Arc<Accounts>,
    catalog: Arc<Catalog>,
    audit: Arc<AuditLog>,
    audit_dir: std::path::PathBuf,
    /// The datasets, to compare who was read with who reads; questions about them are the engine's.
    databases: Arc<Databases>,
    conspicuous: config::Inspection,
}

impl Procedure {
    /// The procedure over the accounts' control database.
    pub fn new(
        accounts: Arc<Accounts>,
        catalog: Arc<Catalog>,
        audit: Arc<AuditLog>,
        databases: Arc<Databases>,
        config: &Config,
    ) -> Arc<Procedure> {
        let audit_dir = config.audit.dir.clone();
        let conspicuous = config.inspection.clone();
        Arc::new(Procedure { accounts, catalog, audit, audit_dir, databases, conspicuous })
    }

    /// The accounts.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// The declarations.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.accounts.db()
    }

    /// Whether an agency manages a dataset (管理機關).
    pub fn is_custodian(&self, agency: &str) -> bool {
        self.catalog.datasets.iter().any(|dataset| dataset.custodian == agency)
    }
}

/// Whether the caller has that role.
pub(crate) fn has_role(caller: &Caller, role: crate::access::Role) -> bool {
    caller.roles.contains(&role)
}

/// The name of an account by its number; a dash if it is gone.
pub(crate) async fn account_name(db: &impl sea_orm::ConnectionTrait, id: i64) -> Result<String, Fault> {
    use sea_orm::EntityTrait as _;
    let row = crate::accounts::entity::account::Entity::find_by_id(id).one(db).await?;
    Ok(row.map_or_else(|| "-".to_owned(), |row| row.name))
}
