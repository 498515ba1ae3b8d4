//! What the declarations ask of the databases: which connection each dataset has, and which columns must be
//! there. Opening and asking them is left to `store`.

use std::collections::BTreeMap;

use super::model::{Catalog, FieldKind, TypeDef};
use super::scalar::Scalar;
use crate::config::Connection;
use crate::store::columns::{Declared, Holds};

impl Catalog {
    /// The connection of every dataset: its own, or that of the dataset it lives with. One without either is left
    /// out, and [`Catalog::declared_columns`] against the databases then says so.
    pub fn connections(&self, configured: &BTreeMap<String, Connection>) -> BTreeMap<String, Connection> {
        let find = |dataset: &super::model::Dataset| {
            let own = configured.get(&dataset.code);
            own.or_else(|| dataset.lives_with.as_ref().and_then(|other| configured.get(other)))
        };
        self.datasets
            .iter()
            .filter_map(|dataset| find(dataset).map(|connection| (dataset.code.clone(), connection.clone())))
            .collect()
    }

    /// Codes of configured datasets that nothing declares: a slip of the pen, beside which the default would be served.
    pub fn unknown_datasets<'c>(&self, configured: &'c BTreeMap<String, Connection>) -> Vec<&'c str> {
        let is_known = |code: &str| self.datasets.iter().any(|dataset| dataset.code == code);
        configured.keys().map(String::as_str).filter(|code| !is_known(code)).collect()
    }

    /// Every column that a field, a join, a key or a row scope needs.
    pub fn declared_columns(&self) -> Vec<Declared> {
        let mut all = Vec::new();
        for type_def in &self.types {
            let name = &type_def.name;
            let mut add = |table: (&TypeDef, &str), holds, coordinate: &str| {
                all.push(Declared {
                    dataset: self.dataset(table.0.dataset).code.clone(),
                    table: table.0.table.clone(),
                    column: table.1.to_owned(),
                    holds,
                    coordinate: coordinate.to_owned(),
                });
            };
            add((type_def, &type_def.id_column), Holds::Key, &format!("{name}.id"));
            if let Some(scope) = &type_def.scope_column {
                add((type_def, scope), Holds::Text, name);
            }
            for field in type_def.fields.iter().map(|id| self.field(*id)) {
                match &field.kind {
                    FieldKind::Column(column) => {
                        add((type_def, &column.name), holds(column.scalar), &field.coordinate);
                    }
                    FieldKind::Join(join) => {
                        let target = self.type_def(join.target);
                        add((type_def, &join.from), self.holds(type_def, &join.from), &field.coordinate);
                        add((target, &join.to), self.holds(target, &join.to), &field.coordinate);
                    }
                    FieldKind::One(_) | FieldKind::List(_) => {}
                }
            }
        }
        all.extend(self.link_columns());
        all
    }

    /// What a side of a join holds: as declared if it is a field, the number of a row, or else text.
    fn holds(&self, of: &TypeDef, column: &str) -> Holds {
        if of.id_column == column {
            return Holds::Key;
        }
        let declared = of.fields.iter().find_map(|id| match &self.field(*id).kind {
            FieldKind::Column(known) if known.name == column => Some(holds(known.scalar)),
            _ => None,
        });
        declared.unwrap_or(Holds::Text)
    }

    /// Both sides of every link table.
    fn link_columns(&self) -> Vec<Declared> {
        let mut all = Vec::new();
        for field in &self.fields {
            let FieldKind::Join(join) = &field.kind else { continue };
            let Some(through) = &join.through else { continue };
            let own = self.holds(self.type_def(field.owner), &join.from);
            let far = self.holds(self.type_def(join.target), &join.to);
            for (column, holds) in [(&through.from, own), (&through.to, far)] {
                all.push(Declared {
                    dataset: self.dataset(through.dataset).code.clone(),
                    table: through.table.clone(),
                    column: column.clone(),
                    holds,
                    coordinate: field.coordinate.clone(),
                });
            }
        }
        all
    }
}

fn holds(scalar: Scalar) -> Holds {
    match scalar {
        Scalar::Int => Holds::Int,
        Scalar::Id => Holds::Key,
        Scalar::Boolean => Holds::Boolean,
        Scalar::Date => Holds::Date,
        Scalar::Decimal => Holds::Decimal,
        Scalar::String
        | Scalar::NationalId
        | Scalar::ParcelNumber
        | Scalar::BuildingNumber
        | Scalar::PermitNumber
        | Scalar::AddressKey => Holds::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_without_a_connection_lives_with_another() {
        let catalog = crate::catalog::load_builtin().expect("the built-in declarations are sound");
        let connection = |url: &str| Connection { url: url.to_owned(), schema: None };
        let configured = BTreeMap::from([("household".to_owned(), connection("sqlite:h.db"))]);
        let resolved = catalog.connections(&configured);
        assert_eq!(resolved.len(), 2);
        assert_eq!(resolved["shared"], resolved["household"]);
    }
}
