//! Conditions as SQL: comparisons, and relations within a database (`EXISTS`) or across (keys first).

use sea_query::{Alias, Expr, ExprTrait, Func, SelectStatement};

use super::ask::{Filter, Operator, Quantifier};
use super::plan::{Link, Step, kind_of};
use super::planner::{Planner, internal};
use super::planner_join::key_kind;
use super::slot::Slot;
use super::sql::{self, Draft, Table};
use crate::access::decide::JoinColumns;
use crate::access::{Granted, Position, Refusal, RowScope, SqlColumn, Use};
use crate::catalog::{FieldId, FieldKind, Join};
use crate::store::bind::Bind;
use crate::store::layout::Place;
use crate::store::rows::Kind;
use crate::store::source::Dialect;

/// A condition on the rows of a table in a statement.
pub(super) fn condition(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    filter: &Filter,
    position: Option<Position>,
) -> Result<Expr, Refusal> {
    match filter {
        Filter::And(all) => fold(planner, draft, table, all, position, "1 = 1", Expr::and),
        Filter::Or(any) => fold(planner, draft, table, any, position, "1 = 0", Expr::or),
        Filter::Not(one) => Ok(condition(planner, draft, table, one, position)?.not()),
        Filter::IsNull { field, wanted } => {
            let (_, column, _) = column(planner, *field, false)?;
            let column = sql::col(table, &column);
            Ok(if *wanted { column.is_null() } else { column.is_not_null() })
        }
        Filter::Compare { field, operator, value } => {
            let slot = planner.ready(planner.read(*field, *operator, value, position))?;
            compare(planner, draft, table, *field, *operator, slot)
        }
        Filter::Related { field, quantifier, filter } => {
            let found = related(planner, draft, table, *field, *quantifier, filter, position)?;
            Ok(if *quantifier == Quantifier::Some { found } else { found.not() })
        }
    }
}

fn fold(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    filters: &[Filter],
    position: Option<Position>,
    of_none: &'static str,
    join: fn(Expr, Expr) -> Expr,
) -> Result<Expr, Refusal> {
    let mut folded: Option<Expr> = None;
    for filter in filters {
        let one = condition(planner, draft, table, filter, position)?;
        folded = Some(match folded {
            Some(before) => join(before, one),
            None => one,
        });
    }
    Ok(folded.unwrap_or_else(|| Expr::cust(of_none)))
}

fn column(planner: &mut Planner, field: FieldId, one_value: bool) -> Result<(Granted, SqlColumn, Kind), Refusal> {
    let granted = planner.granted_condition(field, one_value)?;
    match (granted.column(planner.catalog), &planner.catalog.field(field).kind) {
        (Some(name), FieldKind::Column(declared)) => {
            let kind = kind_of(declared.scalar, declared.scale);
            Ok((granted, name, kind))
        }
        _ => Err(internal("a compared field is a column")),
    }
}

fn compare(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    field: FieldId,
    operator: Operator,
    slot: Slot,
) -> Result<Expr, Refusal> {
    let (granted, name, kind) = column(planner, field, operator == Operator::Eq)?;
    let dialect = draft.place().dialect;
    let marker = draft.slots.marker(slot);
    // A condition knows no more than is shown: of a masked day, its year. Other masks leave nothing to compare.
    let by_year = granted.masked() && granted.used() == Use::Filter;
    let as_shown = |column| if by_year { sql::to_the_year(dialect, column) } else { column };
    let plain = as_shown(sql::col(table, &name));
    let sorted = || as_shown(sql::comparable(dialect, table, &name, kind));
    Ok(match operator {
        Operator::Eq => plain.eq(marker),
        Operator::Neq => plain.ne(marker),
        Operator::In => sql::any_of(dialect, plain, marker),
        Operator::Nin => sql::any_of(dialect, plain, marker).not(),
        Operator::Gt => sorted().gt(marker),
        Operator::Gte => sorted().gte(marker),
        Operator::Lt => sorted().lt(marker),
        Operator::Lte => sorted().lte(marker),
        Operator::Like | Operator::StartsWith => like(dialect, sorted(), marker),
        // Lower case of ASCII letters only, on every database: SQLite knows no other.
        Operator::Ilike => {
            let lower = |expr| Expr::from(Func::cust(Alias::new("lower")).arg(expr));
            like(dialect, lower(sorted()), lower(sql::by_code_point(dialect, marker)))
        }
    })
}

fn like(dialect: Dialect, what: Expr, pattern: Expr) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust_with_exprs("$1 LIKE $2 ESCAPE E'\\\\'", [what, pattern]),
        Dialect::Sqlite => Expr::cust_with_exprs("? LIKE ? ESCAPE '\\'", [what, pattern]),
    }
}

/// A relation in the making.
struct Relation<'r> {
    join: Join,
    columns: JoinColumns,
    scope: RowScope,
    filter: &'r Filter,
    /// Looks for a row that does not fulfil the condition, for `_every`.
    breaks: bool,
    coordinate: String,
    position: Option<Position>,
}

/// Whether there is a row at the far end that fulfils the condition (for `_every`: that does not).
fn related(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    field: FieldId,
    quantifier: Quantifier,
    filter: &Filter,
    position: Option<Position>,
) -> Result<Expr, Refusal> {
    let granted = planner.granted(field, Use::Filter)?;
    let declared = planner.catalog.field(field);
    let (Some(columns), FieldKind::Join(join)) = (granted.join(planner.catalog), &declared.kind) else {
        return Err(internal("a relation is a join"));
    };
    let here = super::uses::filtered_here(filter);
    let granted = here.into_iter().filter_map(|looked| planner.rights.decide_condition(looked.field, looked.one_value));
    let reach = planner.rights.reach(join.target);
    let scope = granted.fold(reach, |scope, granted| scope.and(granted.scope()));
    let relation = Relation {
        join: join.clone(),
        columns,
        scope,
        filter,
        breaks: quantifier == Quantifier::Every,
        coordinate: declared.coordinate.clone(),
        position,
    };
    let from = relation.columns.from.clone();
    let target = planner.place(relation.join.target)?.clone();
    let link = match &relation.join.through {
        Some(through) => Some(planner.dataset_place(through.dataset)?.clone()),
        None => None,
    };
    let here = draft.place().database;
    if target.database == here && link.as_ref().is_none_or(|link| link.database == here) {
        return within(planner, draft, table, &relation, link.as_ref());
    }
    let keys = match (&link, &relation.columns.through) {
        (None, _) | (_, None) => keys(planner, &target, &relation, None)?,
        (Some(link), Some(_)) if link.database == target.database => keys(planner, &target, &relation, Some(link))?,
        (Some(link), Some(through)) => {
            let keys = keys(planner, &target, &relation, None)?;
            if link.database == here {
                return linked_to_keys(draft, table, &relation, link, through, keys);
            }
            link_keys(planner, link, &relation, through, keys)?
        }
    };
    let marker = draft.slots.marker(Slot::Keys { step: keys, column: 0 });
    let found = sql::any_of(draft.place().dialect, sql::col(table, &from), marker);
    // A missing key finds nothing, and is not unknown: as EXISTS has it.
    Ok(sql::col(table, &from).is_not_null().and(found))
}

/// The condition at the far end, with its scope.
fn far_end(planner: &mut Planner, draft: &mut Draft, table: Table, relation: &Relation) -> Result<Expr, Refusal> {
    let inner = condition(planner, draft, table, relation.filter, relation.position)?;
    let inner = if relation.breaks { Expr::cust_with_exprs(not_true(draft.place().dialect), [inner]) } else { inner };
    let scope_column = Granted::scope_column(planner.catalog, relation.join.target);
    let dialect = draft.place().dialect;
    Ok(match sql::in_scope(dialect, &mut draft.slots, table, scope_column.as_ref(), &relation.scope) {
        Some(scope) => inner.and(scope),
        None => inner,
    })
}

fn not_true(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "($1) IS NOT TRUE",
        Dialect::Sqlite => "(?) IS NOT TRUE",
    }
}

/// Both ends in one database: `EXISTS`.
fn within(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    relation: &Relation,
    link: Option<&Place>,
) -> Result<Expr, Refusal> {
    let far = draft.name_table();
    let target = planner.catalog.type_def(relation.join.target);
    let place = planner.place(target.id)?.clone();
    let mut select = sql::select_one();
    select.from(sql::table_ref(&place, &target.table, far));
    match (&relation.join.through, &relation.columns.through, link) {
        (Some(through), Some((link_from, link_to)), Some(link)) => {
            let linked = draft.name_table();
            let on = sql::col(linked, link_to).eq(sql::col(far, &relation.columns.to));
            select.inner_join(sql::table_ref(link, &through.table, linked), on);
            select.and_where(sql::col(linked, link_from).eq(sql::col(table, &relation.columns.from)));
        }
        _ => {
            select.and_where(sql::col(far, &relation.columns.to).eq(sql::col(table, &relation.columns.from)));
        }
    }
    let condition = far_end(planner, draft, far, relation)?;
    select.and_where(condition);
    Ok(sql::exists(draft.place().dialect, &mut draft.slots, select))
}

/// The keys of the far end, found in its own database; with a link table there, the keys of the near end.
fn keys(planner: &mut Planner, place: &Place, relation: &Relation, link: Option<&Place>) -> Result<usize, Refusal> {
    let target = planner.catalog.type_def(relation.join.target);
    let mut draft = Draft::new(place);
    let far = draft.from(&target.table);
    let to_kind = key_kind(planner, target.id, relation.columns.to.name());
    match (&relation.join.through, &relation.columns.through, link) {
        (Some(through), Some((link_from, link_to)), Some(link)) => {
            let linked = draft.inner_join_in(link, &through.table, |linked| {
                sql::col(linked, link_to).eq(sql::col(far, &relation.columns.to))
            });
            draft.column(linked, link_from, to_kind);
            draft.filter(sql::col(linked, link_from).is_not_null());
        }
        _ => {
            draft.column(far, &relation.columns.to, to_kind);
            draft.filter(sql::col(far, &relation.columns.to).is_not_null());
        }
    }
    let condition = far_end(planner, &mut draft, far, relation)?;
    draft.filter(condition);
    Ok(set_keys(planner, draft, relation))
}

/// The near end's keys that a link table in a third database ties to keys of the far end.
fn link_keys(
    planner: &mut Planner,
    link: &Place,
    relation: &Relation,
    through: &(SqlColumn, SqlColumn),
    keys: usize,
) -> Result<usize, Refusal> {
    let table = relation.join.through.as_ref().map(|through| through.table.clone()).unwrap_or_default();
    let kind = key_kind(planner, relation.join.target, relation.columns.to.name());
    let mut draft = Draft::new(link);
    let linked = draft.from(&table);
    draft.column(linked, &through.0, kind);
    let marker = draft.slots.marker(Slot::Keys { step: keys, column: 0 });
    draft.filter(sql::any_of(link.dialect, sql::col(linked, &through.1), marker));
    Ok(set_keys(planner, draft, relation))
}

/// A step of its own, or one that asks the very same: the rows of a list and its count share their conditions.
fn set_keys(planner: &mut Planner, draft: Draft, relation: &Relation) -> usize {
    let database = draft.place().database;
    let cap = Slot::Ready(Bind::Int(i64::from(planner.bounds.limits().keys) + 1));
    let (statement, slots) = draft.finish_distinct(cap);
    let link = Link::Loose { keys: true };
    let same = |step: &Step| {
        step.database == database && step.link == link && step.statement == statement && step.slots == slots
    };
    if let Some(known) = planner.steps.iter().position(|step| step.as_ref().is_some_and(same)) {
        return known;
    }
    let step = planner.reserve();
    let path = relation.coordinate.clone();
    planner.set(step, Step { database, statement, slots, link, needs: vec![], path });
    step
}

/// The link table lives with the near end: `EXISTS` over it, for the far end's keys.
fn linked_to_keys(
    draft: &mut Draft,
    table: Table,
    relation: &Relation,
    link: &Place,
    through: &(SqlColumn, SqlColumn),
    keys: usize,
) -> Result<Expr, Refusal> {
    let name = relation.join.through.as_ref().map(|through| through.table.clone()).unwrap_or_default();
    let linked = draft.name_table();
    let mut select: SelectStatement = sql::select_one();
    select.from(sql::table_ref(link, &name, linked));
    select.and_where(sql::col(linked, &through.0).eq(sql::col(table, &relation.columns.from)));
    let marker = draft.slots.marker(Slot::Keys { step: keys, column: 0 });
    select.and_where(sql::any_of(link.dialect, sql::col(linked, &through.1), marker));
    Ok(sql::exists(link.dialect, &mut draft.slots, select))
}
