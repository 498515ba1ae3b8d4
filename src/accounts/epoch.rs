//! The counters by which every server learns of a change: `rights` (forms, accounts, agencies), `sessions`
//! (revocations) and `procedure` (its steps, and so what is in inboxes). Raise one in the transaction that makes the
//! change, as its first statement: on SQLite the writer's lock is then taken before anything is read.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::entity::epoch;

/// Which counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// Forms, accounts, agencies.
    Rights,
    /// Revoked sessions.
    Sessions,
    /// Steps of the procedure.
    Procedure,
}

impl Epoch {
    fn name(self) -> &'static str {
        match self {
            Epoch::Rights => "rights",
            Epoch::Sessions => "sessions",
            Epoch::Procedure => "procedure",
        }
    }
}

/// The values of the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// Of `rights`.
    pub rights: u64,
    /// Of `sessions`.
    pub sessions: u64,
    /// Of `procedure`.
    pub procedure: u64,
}

/// Raises a counter.
pub async fn raise(db: &impl ConnectionTrait, which: Epoch) -> Result<(), DbErr> {
    add(db, which, 1).await
}

/// Writes a counter as it is: the work of a small change, without one.
pub async fn write_again(db: &impl ConnectionTrait, which: Epoch) -> Result<(), DbErr> {
    add(db, which, 0).await
}

async fn add(db: &impl ConnectionTrait, which: Epoch, more: i64) -> Result<(), DbErr> {
    epoch::Entity::update_many()
        .col_expr(epoch::Column::Value, Expr::col(epoch::Column::Value).add(more))
        .filter(epoch::Column::Name.eq(which.name()))
        .exec(db)
        .await?;
    Ok(())
}

/// Reads the counters.
pub async fn read(db: &impl ConnectionTrait) -> Result<Epochs, DbErr> {
    let mut epochs = Epochs::default();
    for row in epoch::Entity::find().all(db).await? {
        let value = u64::try_from(row.value).unwrap_or(0);
        match row.name.as_str() {
            "rights" => epochs.rights = value,
            "sessions" => epochs.sessions = value,
            "procedure" => epochs.procedure = value,
            _ => {}
        }
    }
    Ok(epochs)
}
