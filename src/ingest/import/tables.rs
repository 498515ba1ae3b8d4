//! The tables that a plan reads and writes, as the databases have them: looked at once for each file, before anything else.

use std::collections::{BTreeMap, BTreeSet};

use super::load::Sessions;
use super::plan::{Plan, TablePlan};
use crate::store::upsert::{TableColumn, UpsertError};

/// Columns by dataset and table.
pub struct Tables {
    known: BTreeMap<(String, String), Vec<TableColumn>>,
    /// What the plan needs and the databases lack.
    pub lacking: BTreeSet<String>,
}

impl Tables {
    /// Looks at every table of a plan.
    pub async fn read(plan: &Plan, sessions: &mut Sessions<'_>) -> Result<Tables, UpsertError> {
        let written = plan.records.iter().flat_map(|records| &records.tables).map(|table| {
            let columns = table.columns.iter().map(|column| &column.name).chain([&table.id_column]);
            (&table.dataset, &table.table, columns.collect::<Vec<_>>())
        });
        let looked_up = plan.lookups.iter().map(|lookup| {
            (&lookup.dataset, &lookup.table, lookup.matching.iter().chain(&lookup.give).collect::<Vec<_>>())
        });
        let mut tables = Tables { known: BTreeMap::new(), lacking: BTreeSet::new() };
        for (dataset, table, columns) in written.chain(looked_up) {
            let place = (dataset.clone(), table.clone());
            if !tables.known.contains_key(&place) {
                let (session, schema) = sessions.of(dataset)?;
                tables.known.insert(place.clone(), session.columns(schema, table).await?);
            }
            let known = &tables.known[&place];
            if known.is_empty() {
                tables.lacking.insert(format!("dataset {dataset}: table {table}"));
                continue;
            }
            let missing = columns.iter().filter(|column| !known.iter().any(|known| known.name == ***column));
            tables.lacking.extend(missing.map(|column| format!("dataset {dataset}: column {table}.{column}")));
        }
        Ok(tables)
    }

    /// Whether a column of a table is never empty.
    pub fn is_full(&self, table: &TablePlan, column: &str) -> bool {
        let known = self.known.get(&(table.dataset.clone(), table.table.clone()));
        known.is_some_and(|columns| columns.iter().any(|known| known.name == column && known.not_null))
    }
}
