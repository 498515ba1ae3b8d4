//! Whether an account read its own holder's record, or that of somebody who works in the same agency. National ids of
//! rows that were read are compared here, as keyed digests, and go nowhere else; what comes out is a flag.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;

use super::inspection_flags::{Facts, Row};
use super::{Fault, Procedure};
use crate::accounts::entity::account;
use crate::catalog::{Catalog, FieldKind, Mask, TypeDef};
use crate::store::bind::Bind;
use crate::store::layout::Place;
use crate::store::rows::{Cell, Kind, Rows};
use crate::store::source::{Dialect, Lane, SourceError, Statement};

/// Rows that are compared with one statement.
const AT_ONCE: usize = 1_000;

/// Longest time for one statement.
const PATIENCE: Duration = Duration::from_secs(10);

/// An account, and since when its holder is known.
type Known = (String, OffsetDateTime);

/// Accounts by the digest of their holder's national id.
type Holders = HashMap<String, Vec<Known>>;

impl Procedure {
    /// The accounts of an agency whose holders are known.
    pub(super) async fn holders(&self, agency_id: i64) -> Result<Holders, Fault> {
        let known = account::Entity::find()
            .filter(account::Column::AgencyId.eq(agency_id))
            .filter(account::Column::Status.ne("closed"))
            .filter(account::Column::Holder.is_not_null());
        let mut holders = Holders::new();
        for row in known.all(self.db()).await? {
            if let (Some(digest), Some(since)) = (row.holder, row.holder_since) {
                holders.entry(digest).or_default().push((row.name, since));
            }
        }
        Ok(holders)
    }

    /// Marks the operations in which an account read a row about its own holder or about a colleague. How many types of
    /// rows could not be compared, since their database did not answer.
    pub(super) async fn mark_acquaintances(&self, facts: &mut [Facts], holders: &Holders) -> usize {
        let mut touched: BTreeMap<Arc<str>, BTreeSet<i64>> = BTreeMap::new();
        for (type_name, row) in facts.iter().flat_map(|one| &one.about) {
            touched.entry(type_name.clone()).or_default().insert(*row);
        }
        let (mut about, mut uncompared) = (HashMap::<Row, &Vec<Known>>::new(), 0);
        for (type_name, rows) in touched {
            match self.about_holders(&type_name, &Vec::from_iter(rows), holders).await {
                Ok(found) => about.extend(found),
                Err(error) => {
                    tracing::error!(%error, %type_name, "rows could not be compared with the agency's accounts");
                    uncompared += 1;
                }
            }
        }
        for one in facts {
            // What was read before an account's holder was known is not compared: nobody tries numbers on old records.
            let known = one.about.iter().filter_map(|row| about.get(row)).copied().flatten();
            let accounts: Vec<&str> =
                known.filter(|(_, since)| *since <= one.at).map(|(account, _)| account.as_str()).collect();
            one.own = accounts.iter().any(|account| **account == *one.account);
            one.colleague = accounts.iter().any(|account| **account != *one.account);
        }
        uncompared
    }

    /// Those of these rows in which a holder's national id stands.
    async fn about_holders<'a>(
        &self,
        type_name: &Arc<str>,
        rows: &[i64],
        holders: &'a Holders,
    ) -> Result<Vec<(Row, &'a Vec<Known>)>, SourceError> {
        let none = || SourceError::Unavailable("no connection".to_owned());
        let of = self.catalog.types_by_name.get(&**type_name).map(|id| self.catalog.type_def(*id)).ok_or_else(none)?;
        let dataset = self.catalog.dataset(of.dataset);
        let lives = dataset.lives_with.as_deref().and_then(|other| self.databases.place(other));
        let place = self.databases.place(&dataset.code).or(lives).ok_or_else(none)?;
        let statement = statement(place, of, &identifying(&self.catalog, of));
        let mut found = Vec::new();
        for chunk in rows.chunks(AT_ONCE) {
            let deadline = Instant::now() + PATIENCE;
            let source = self.databases.source(place.database);
            let read = source.query(&statement, vec![Bind::Ints(chunk.to_vec())], deadline).await?;
            found.extend(self.compared(type_name, &read, holders));
        }
        Ok(found)
    }

    fn compared<'a>(&self, type_name: &Arc<str>, read: &Rows, holders: &'a Holders) -> Vec<(Row, &'a Vec<Known>)> {
        let mut found = Vec::new();
        let width = read.width();
        for row in 0..read.len() {
            for column in 1..width {
                let Cell::Text(start, length) = read.cell(row, column) else { continue };
                let digest = self.accounts.holder_key().digest(read.text(start, length));
                found.extend(holders.get(&digest).map(|names| ((type_name.clone(), read.int(row, 0)), names)));
            }
        }
        found
    }
}

/// Columns of a type that hold national ids.
pub(super) fn identifying<'a>(catalog: &'a Catalog, of: &TypeDef) -> Vec<&'a str> {
    let fields = of.fields.iter().map(|field| catalog.field(*field));
    let column = |kind: &'a FieldKind| match kind {
        FieldKind::Column(column) => Some(column.name.as_str()),
        _ => None,
    };
    fields.filter(|field| field.mask == Some(Mask::NationalId)).filter_map(|field| column(&field.kind)).collect()
}

/// Row number and identifying columns of rows by their numbers.
fn statement(place: &Place, of: &TypeDef, columns: &[&str]) -> Statement {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let table = match &place.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&of.table)),
        None => quoted(&of.table),
    };
    let id = quoted(&of.id_column);
    let listed: Vec<String> = std::iter::once(id.clone()).chain(columns.iter().map(|column| quoted(column))).collect();
    let any = match place.dialect {
        Dialect::Postgres => format!("{id} = ANY($1)"),
        Dialect::Sqlite => format!("{id} IN rarray(?1)"),
    };
    Statement {
        sql: format!("SELECT {} FROM {table} WHERE {any}", listed.join(", ")).into(),
        columns: std::iter::once(Kind::Int).chain(columns.iter().map(|_| Kind::Text)).collect(),
        lane: Lane::Own,
    }
}
