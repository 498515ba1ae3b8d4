//! One SELECT in the making: tables, columns, parameters. Columns come as `SqlColumn`, which only `access` can make.

use std::sync::Arc;

use sea_query::{
    Alias, Expr, ExprTrait, IntoColumnRef, NullOrdering, Order, OrderedStatement, PostgresQueryBuilder, Query,
    SelectStatement, SqliteQueryBuilder, TableRef, Value, WindowStatement,
};

use super::slot::Slot;
use crate::access::{RowScope, SqlColumn};
use crate::store::bind::Bind;
use crate::store::layout::Place;
use crate::store::rows::Kind;
use crate::store::source::{Dialect, Lane, Statement};

/// Name of a table inside a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table(u16);

impl Table {
    fn alias(self) -> Alias {
        Alias::new(format!("t{}", self.0))
    }
}

/// One word of an ORDER BY.
#[derive(Clone, Debug)]
pub struct OrderBy {
    /// The table.
    pub table: Table,
    /// The column.
    pub column: SqlColumn,
    /// What it holds.
    pub kind: Kind,
    /// Descending.
    pub descending: bool,
    /// The column can be null; nulls come last unless the page is read backwards.
    pub nullable: bool,
}

/// The parameters of a statement, by the order in which they were asked for; SQL text refers to them by marker.
#[derive(Debug, Default)]
pub struct Slots(Vec<Slot>);

impl Slots {
    /// A parameter's marker.
    pub fn marker(&mut self, slot: Slot) -> Expr {
        Expr::val(self.number(slot))
    }

    fn number(&mut self, slot: Slot) -> u64 {
        self.0.push(slot);
        self.0.len() as u64 - 1
    }
}

/// A statement in the making.
#[derive(Debug)]
pub struct Draft {
    place: Place,
    select: SelectStatement,
    /// Parameters so far.
    pub slots: Slots,
    columns: Vec<(Table, SqlColumn, Kind)>,
    tables: u16,
    order: Vec<OrderBy>,
    known_limit: Option<i64>,
}

impl Draft {
    /// Starts a statement in that place.
    pub fn new(place: &Place) -> Draft {
        Draft {
            place: place.clone(),
            select: Query::select(),
            slots: Slots::default(),
            columns: Vec::new(),
            tables: 0,
            order: Vec::new(),
            known_limit: None,
        }
    }

    /// Where the statement runs.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Tables so far, those inside conditions included.
    pub fn tables(&self) -> u16 {
        self.tables
    }

    /// A fresh name for a table, also for one inside a condition.
    pub fn name_table(&mut self) -> Table {
        self.tables += 1;
        Table(self.tables - 1)
    }

    /// The first table.
    pub fn from(&mut self, table: &str) -> Table {
        self.begin_in(&self.place.clone(), table)
    }

    /// The first table, of another schema of the same database.
    pub fn begin_in(&mut self, place: &Place, table: &str) -> Table {
        let name = self.name_table();
        self.select.from(table_ref(place, table, name));
        name
    }

    /// The first table, with the rows whose column is one of distinct keys. SQLite goes through the keys themselves: an
    /// `IN` would first copy them into a table of its own.
    pub fn begin_with_keys(&mut self, place: &Place, (table, column): (&str, &SqlColumn), keys: Slot) -> Table {
        if self.place.dialect != Dialect::Sqlite {
            let name = self.begin_in(place, table);
            let marker = self.slots.marker(keys);
            self.filter(any_of(self.place.dialect, col(name, column), marker));
            return name;
        }
        let (name, list) = (self.name_table(), Alias::new("k"));
        let marker = self.slots.marker(keys);
        self.select.from_function(sea_query::Func::cust(Alias::new("rarray")).arg(marker), list.clone());
        let is_key = col(name, column).eq(Expr::col((list, Alias::new("value"))));
        // A cross join keeps its order.
        self.select.cross_join(table_ref(place, table, name)).and_where(is_key);
        name
    }

    /// Another table of the same database whose rows must exist.
    pub fn inner_join_in(&mut self, place: &Place, table: &str, on: impl FnOnce(Table) -> Expr) -> Table {
        let name = self.name_table();
        let table = table_ref(place, table, name);
        self.select.inner_join(table, on(name));
        name
    }

    /// Another table of the same database whose rows may exist.
    pub fn left_join_in(&mut self, place: &Place, table: &str, on: impl FnOnce(&mut Slots, Table) -> Expr) -> Table {
        let name = self.name_table();
        let reference = table_ref(place, table, name);
        let condition = on(&mut self.slots, name);
        self.select.left_join(reference, condition);
        name
    }

    /// Selects a column, once, and tells its number.
    pub fn column(&mut self, table: Table, column: &SqlColumn, kind: Kind) -> usize {
        let known = self.columns.iter().position(|(t, c, k)| *t == table && c == column && *k == kind);
        known.unwrap_or_else(|| {
            self.select.column(reference(table, column));
            self.columns.push((table, column.clone(), kind));
            self.columns.len() - 1
        })
    }

    /// Narrows the rows.
    pub fn filter(&mut self, condition: Expr) {
        self.select.and_where(condition);
    }

    /// Sorts the rows.
    pub fn order_by(&mut self, order: Vec<OrderBy>) {
        self.order = order;
    }

    /// Ends the statement: sorted, at most that many rows, from that one on.
    pub fn finish(mut self, limit: Slot, offset: Option<Slot>, reversed: bool, lane: Lane) -> (Statement, Vec<Slot>) {
        for word in &self.order {
            order_word(&mut self.select, self.place.dialect, word, reversed);
        }
        self.limit(limit, offset.is_none());
        if let Some(offset) = offset {
            let offset = self.slots.number(offset);
            self.select.offset(offset);
        }
        self.build(lane)
    }

    /// A known limit stands in the text: a database that plans without seeing parameters takes an unknown one for a
    /// small one, and reads whole tables in the order asked for instead of looking keys up.
    fn limit(&mut self, limit: Slot, last: bool) {
        match limit {
            Slot::Ready(Bind::Int(rows)) if last => self.known_limit = Some(rows),
            limit => {
                let limit = self.slots.number(limit);
                self.select.limit(limit);
            }
        }
    }

    /// Ends the statement with at most so many rows per value of a key: `first` rows after `offset`.
    pub fn finish_per_parent(
        mut self,
        key: (Table, SqlColumn),
        first: Slot,
        offset: Slot,
        cap: Slot,
        lane: Lane,
    ) -> (Statement, Vec<Slot>) {
        let mut window = WindowStatement::partition_by(reference(key.0, &key.1));
        for word in &self.order {
            let expr = comparable(self.place.dialect, word.table, &word.column, word.kind);
            let order = if word.descending { Order::Desc } else { Order::Asc };
            match word.nullable {
                true => OrderedStatement::order_by_expr_with_nulls(&mut window, expr, order, NullOrdering::Last),
                false => OrderedStatement::order_by_expr(&mut window, expr, order),
            };
        }
        // Inside, every column gets a name of its own, since two tables may share names.
        let mut inner = self.select.take();
        inner.clear_selects();
        for (number, (table, column, _)) in self.columns.iter().enumerate() {
            inner.expr_as(Expr::col(reference(*table, column)), Alias::new(format!("c{number}")));
        }
        inner.expr_window_as(sea_query::Func::cust(Alias::new("row_number")), window, Alias::new("rn"));
        let mut outer = Query::select();
        for number in 0..self.columns.len() {
            outer.column(Alias::new(format!("c{number}")));
        }
        outer.from_subquery(inner, Alias::new("w"));
        let rn = || Expr::col(Alias::new("rn"));
        outer.and_where(rn().gt(self.slots.marker(offset)));
        outer.and_where(rn().lte(self.slots.marker(first)));
        outer.order_by(Alias::new("rn"), Order::Asc);
        self.select = outer;
        self.limit(cap, true);
        self.build(lane)
    }

    /// Ends the statement as a count of its rows.
    pub fn finish_count(mut self) -> (Statement, Vec<Slot>) {
        self.select.expr(Expr::cust("COUNT(*)"));
        self.columns = vec![];
        let (mut statement, slots) = self.build(Lane::Own);
        statement.columns = vec![Kind::Int];
        (statement, slots)
    }

    /// Ends the statement as a set of distinct values.
    pub fn finish_distinct(mut self, cap: Slot) -> (Statement, Vec<Slot>) {
        self.select.distinct();
        self.limit(cap, true);
        self.build(Lane::Own)
    }

    fn build(self, lane: Lane) -> (Statement, Vec<Slot>) {
        let (mut sql, values) = match self.place.dialect {
            Dialect::Postgres => self.select.build(PostgresQueryBuilder),
            Dialect::Sqlite => self.select.build(SqliteQueryBuilder),
        };
        if let Some(rows) = self.known_limit {
            sql.push_str(&format!(" LIMIT {rows}"));
        }
        let slots = values.0.iter().map(|value| match value {
            Value::BigUnsigned(Some(number)) => self.slots.0[*number as usize].clone(),
            // Only markers are put into statements.
            other => unreachable!("a value that is no marker stands in a statement: {other:?}"),
        });
        let slots = slots.collect();
        let columns = self.columns.iter().map(|(_, _, kind)| *kind).collect();
        (Statement { sql: Arc::from(sql), columns, lane }, slots)
    }
}

fn order_word(select: &mut SelectStatement, dialect: Dialect, word: &OrderBy, reversed: bool) {
    let expr = comparable(dialect, word.table, &word.column, word.kind);
    let order = if word.descending != reversed { Order::Desc } else { Order::Asc };
    let nulls = if reversed { NullOrdering::First } else { NullOrdering::Last };
    match word.nullable {
        true => select.order_by_expr_with_nulls(expr, order, nulls),
        false => select.order_by_expr(expr, order),
    };
}

/// A table of a place under a name.
pub fn table_ref(place: &Place, table: &str, name: Table) -> TableRef {
    use sea_query::IntoTableRef;
    let table_name = Alias::new(table);
    match &place.schema {
        Some(schema) => (Alias::new(schema), table_name).into_table_ref().alias(name.alias()),
        None => table_name.into_table_ref().alias(name.alias()),
    }
}

fn reference(table: Table, column: &SqlColumn) -> sea_query::ColumnRef {
    (table.alias(), Alias::new(column.name())).into_column_ref()
}

/// A column as it stands in conditions.
pub fn col(table: Table, column: &SqlColumn) -> Expr {
    Expr::col(reference(table, column))
}

/// A column where order matters: by code point whatever the database's collation, so that every layout gives the
/// same answer.
pub fn comparable(dialect: Dialect, table: Table, column: &SqlColumn, kind: Kind) -> Expr {
    match kind {
        Kind::Text => by_code_point(dialect, col(table, column)),
        _ => col(table, column),
    }
}

/// A day as its mask shows it: the first of its year.
pub fn to_the_year(dialect: Dialect, day: Expr) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust_with_exprs("CAST(date_trunc('year', CAST($1 AS timestamp)) AS date)", [day]),
        // What is no day has no year, and must not be compared by its first letters instead.
        Dialect::Sqlite => Expr::cust_with_exprs(
            "CASE WHEN ? GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' THEN substr(?, 1, 4) || '-01-01' END",
            [day.clone(), day],
        ),
    }
}

/// A text that compares, and changes case, by code point whatever the database's collation.
pub fn by_code_point(dialect: Dialect, text: Expr) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust_with_exprs("$1 COLLATE \"C\"", [text]),
        Dialect::Sqlite => text,
    }
}

/// One of a list that is one parameter.
pub fn any_of(dialect: Dialect, what: Expr, list: Expr) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust_with_exprs("$1 = ANY($2)", [what, list]),
        Dialect::Sqlite => Expr::cust_with_exprs("? IN rarray(?)", [what, list]),
    }
}

/// The rows of a scope; none for the whole city.
pub fn in_scope(
    dialect: Dialect,
    slots: &mut Slots,
    table: Table,
    column: Option<&SqlColumn>,
    scope: &RowScope,
) -> Option<Expr> {
    match (scope, column) {
        (RowScope::WholeCity, _) => None,
        // Rights cannot be compiled to a scope on a type without district; if they were, nothing would be seen.
        (RowScope::Districts(_), None) => Some(Expr::cust("1 = 0")),
        (RowScope::Districts(districts), Some(column)) => {
            let list = slots.marker(Slot::Texts(districts.iter().cloned().collect()));
            Some(any_of(dialect, col(table, column), list))
        }
    }
}

/// A fresh `SELECT 1` for a condition.
pub fn select_one() -> SelectStatement {
    let mut select = Query::select();
    select.expr(Expr::cust("1"));
    select
}

/// Whether a `SELECT 1` finds a row. SQLite 3.51.0 and 3.51.1 turn an `EXISTS` into a join, and one inside another then
/// repeats rows; they leave alone one that has a limit, which changes nothing else.
pub fn exists(dialect: Dialect, slots: &mut Slots, mut select: SelectStatement) -> Expr {
    if dialect == Dialect::Sqlite {
        select.limit(slots.number(Slot::Ready(Bind::Int(1))));
    }
    Expr::exists(select)
}
