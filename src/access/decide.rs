//! A decision in favour of one use of one field, and the columns it opens. Made by [`super::Rights::decide`] only.

use super::uses::Use;
use crate::catalog::{Catalog, FieldId, FieldKind, TypeId};

/// Which rows a granted item covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowScope {
    /// Every row.
    WholeCity,
    /// Rows of these districts (district codes, sorted); none at all if empty.
    Districts(Vec<String>),
}

impl RowScope {
    /// Rows that both cover: an operation sees only rows inside the scope of every field it uses there.
    #[must_use]
    pub fn and(&self, other: &RowScope) -> RowScope {
        match (self, other) {
            (RowScope::WholeCity, scope) | (scope, RowScope::WholeCity) => scope.clone(),
            (RowScope::Districts(a), RowScope::Districts(b)) => {
                RowScope::Districts(a.iter().filter(|code| b.contains(code)).cloned().collect())
            }
        }
    }
}

impl RowScope {
    /// Rows that either covers.
    #[must_use]
    pub fn or(&self, other: &RowScope) -> RowScope {
        match (self, other) {
            (RowScope::WholeCity, _) | (_, RowScope::WholeCity) => RowScope::WholeCity,
            (RowScope::Districts(a), RowScope::Districts(b)) => {
                let mut both: Vec<String> = a.iter().chain(b).cloned().collect();
                both.sort();
                both.dedup();
                RowScope::Districts(both)
            }
        }
    }
}

/// Proof that one use of one field was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    field: FieldId,
    used: Use,
    masked: bool,
    scope: RowScope,
}

/// A column name that may stand in a statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SqlColumn(String);

impl SqlColumn {
    /// The database name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// The columns of a granted join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinColumns {
    /// In the owner's table.
    pub from: SqlColumn,
    /// In the target's table.
    pub to: SqlColumn,
    /// In the link table, if there is one: equal to `from`, equal to `to`.
    pub through: Option<(SqlColumn, SqlColumn)>,
}

impl Granted {
    pub(in crate::access) fn new(field: FieldId, used: Use, masked: bool, scope: &RowScope) -> Granted {
        Granted { field, used, masked, scope: scope.clone() }
    }

    /// The field decided about.
    pub fn field(&self) -> FieldId {
        self.field
    }

    /// The use decided about.
    pub fn used(&self) -> Use {
        self.used
    }

    /// Shown masked only.
    pub fn masked(&self) -> bool {
        self.masked
    }

    /// Rows that the grant covers.
    pub fn scope(&self) -> &RowScope {
        &self.scope
    }

    /// The column, if the field is one.
    pub fn column(&self, catalog: &Catalog) -> Option<SqlColumn> {
        match &catalog.field(self.field).kind {
            FieldKind::Column(column) => Some(SqlColumn(column.name.clone())),
            _ => None,
        }
    }

    /// The columns of the join, if the field is one.
    pub fn join(&self, catalog: &Catalog) -> Option<JoinColumns> {
        match &catalog.field(self.field).kind {
            FieldKind::Join(join) => Some(JoinColumns {
                from: SqlColumn(join.from.clone()),
                to: SqlColumn(join.to.clone()),
                through: join.through.as_ref().map(|t| (SqlColumn(t.from.clone()), SqlColumn(t.to.clone()))),
            }),
            _ => None,
        }
    }

    /// The type whose rows this grant lets the operation reach: of a root field or a join.
    pub fn reaches(&self, catalog: &Catalog) -> Option<TypeId> {
        catalog.field(self.field).kind.target()
    }

    /// The surrogate key of the rows reached: never shown by this, but recorded, and the last word of every order.
    pub fn row_number(&self, catalog: &Catalog) -> Option<SqlColumn> {
        let target = self.reaches(catalog)?;
        Some(SqlColumn(catalog.type_def(target).id_column.clone()))
    }

    /// The surrogate key of the rows that the field itself stands on, recorded as above.
    pub fn row_number_here(&self, catalog: &Catalog) -> SqlColumn {
        SqlColumn(catalog.type_def(catalog.field(self.field).owner).id_column.clone())
    }

    /// The district column of a type, to narrow its rows to a scope.
    pub fn scope_column(catalog: &Catalog, of: TypeId) -> Option<SqlColumn> {
        catalog.type_def(of).scope_column.clone().map(SqlColumn)
    }
}
