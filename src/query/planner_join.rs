//! Plans a walk to another type: riding on the parent's statement where it is a to-one join within a database,
//! otherwise one statement for all parents.

use sea_query::ExprTrait;

use super::ask::{Filter, Object, Window};
use super::looked_for;
use super::plan::{Expected, FieldOutKind, Link, Step, View, kind_of};
use super::planner::{Planner, internal};
use super::planner_object::{self, PlannedRows};
use super::slot::{Number, Slot};
use super::sql::{self, Draft, Table};
use crate::access::decide::JoinColumns;
use crate::access::{Granted, Refusal, RowScope, SqlColumn};
use crate::catalog::{FieldKind, Join, TypeDef, TypeId};
use crate::store::layout::Place;
use crate::store::rows::Kind;
use crate::store::source::Lane;

/// Rows that a to-many join without `first` is expected to lead to, for the cost.
const GUESS: u64 = 8;

/// Tables in one statement before further to-one joins get statements of their own: SQLite joins 64 at most, and
/// planners of databases try orders of joins.
const TABLES: u16 = 12;

/// A walk as it is asked.
pub(super) struct Way<'w> {
    /// The type that it starts from.
    pub of: TypeId,
    /// The decision about it.
    pub granted: &'w Granted,
    /// Which rows.
    pub window: &'w Window,
    /// What is asked of them.
    pub object: &'w Object,
    /// Where it stands in the operation.
    pub path: &'w [String],
}

/// A walk with all that its planning needs.
struct Walk<'w> {
    way: Way<'w>,
    join: Join,
    columns: JoinColumns,
    scope: RowScope,
    estimate: usize,
}

/// The parents' key: a column of an earlier step.
#[derive(Clone, Copy)]
struct ParentKey {
    step: usize,
    column: usize,
    kind: Kind,
}

/// Plans one join of an object.
pub(super) fn join(planner: &mut Planner, rows: &mut PlannedRows, way: Way) -> Result<FieldOutKind, Refusal> {
    let (Some(columns), FieldKind::Join(join)) =
        (way.granted.join(planner.catalog), &planner.catalog.field(way.granted.field()).kind)
    else {
        return Err(internal("a walk is a join"));
    };
    let expected = match (join.many, &way.window.first) {
        (false, _) => Expected::Exactly(1),
        (true, None) => Expected::Exactly(GUESS),
        (true, Some(_)) => Expected::Page(first(way.window)),
    };
    let estimate = planner.estimate(Some(rows.estimate), expected, way.object);
    let scope = planner.scope(way.object, way.window);
    let walk = Walk { way, join: join.clone(), columns, scope, estimate };
    if rides(planner, rows.draft, &walk)? {
        return ride(planner, rows, &walk);
    }
    looked_for::plan(planner, walk.join.target, walk.way.window, &walk.way.path.join("."))?;
    let kind = key_kind(planner, walk.way.of, walk.columns.from.name());
    let column = rows.draft.column(rows.table, &walk.columns.from, kind);
    let view = child(planner, ParentKey { step: rows.step, column, kind }, &walk)?;
    Ok(if walk.join.many { FieldOutKind::Many(view) } else { FieldOutKind::One(view) })
}

/// A to-one join within one database rides on its parent's statement, if at most one row can be found.
fn rides(planner: &Planner, draft: &Draft, walk: &Walk) -> Result<bool, Refusal> {
    let target = planner.catalog.type_def(walk.join.target);
    let unique = is_unique(planner, target, &walk.join.to);
    let together = planner.place(walk.join.target)?.database == draft.place().database;
    let small = draft.tables() < TABLES;
    Ok(!walk.join.many && walk.join.through.is_none() && together && unique && small)
}

fn is_unique(planner: &Planner, target: &TypeDef, column: &str) -> bool {
    let is_key = |field: &crate::catalog::FieldId| match &planner.catalog.field(*field).kind {
        FieldKind::Column(key) => key.name == column,
        _ => false,
    };
    target.id_column == column || target.keys.iter().any(is_key)
}

fn ride(planner: &mut Planner, rows: &mut PlannedRows, walk: &Walk) -> Result<FieldOutKind, Refusal> {
    let target = planner.catalog.type_def(walk.join.target);
    let (dialect, scope_column) = (rows.draft.place().dialect, Granted::scope_column(planner.catalog, target.id));
    let place = planner.place(target.id)?.clone();
    let joined = rows.draft.left_join_in(&place, &target.table, |slots, joined| {
        let on = sql::col(joined, &walk.columns.to).eq(sql::col(rows.table, &walk.columns.from));
        match sql::in_scope(dialect, slots, joined, scope_column.as_ref(), &walk.scope) {
            Some(scope) => on.and(scope),
            None => on,
        }
    });
    let number = walk.way.granted.row_number(planner.catalog).ok_or_else(|| internal("a join reaches rows"))?;
    let id = rows.draft.column(joined, &number, Kind::Int);
    let mut riding =
        PlannedRows { draft: &mut *rows.draft, table: joined, step: rows.step, id, estimate: walk.estimate };
    planner_object::object(planner, &mut riding, walk.way.object, walk.way.path).map(FieldOutKind::Ride)
}

/// A statement for all parents' rows, in the making.
struct Child {
    draft: Draft,
    step: usize,
    table: Table,
    /// Where the parent's key stands in its rows.
    own: (Table, SqlColumn, Kind),
    /// Step of link rows in another database.
    links: Option<usize>,
}

/// One statement for all parents' rows.
fn child(planner: &mut Planner, parent: ParentKey, walk: &Walk) -> Result<View, Refusal> {
    let target = planner.catalog.type_def(walk.join.target);
    let place = planner.place(target.id)?.clone();
    let step = planner.reserve();
    let mut draft = Draft::new(&place);
    let to = &walk.columns.to;
    let to_kind = key_kind(planner, target.id, to.name());
    // Below one row there is at most one row again.
    let to_one = !walk.join.many && walk.join.through.is_none() && is_unique(planner, target, &walk.join.to);
    if to_one && planner.single.contains(&parent.step) {
        planner.single.push(step);
    }
    let mut links = None;
    let (table, own) = match (&walk.join.through, &walk.columns.through) {
        (Some(link), Some((link_from, link_to))) => {
            let link_place = planner.dataset_place(link.dataset)?.clone();
            if link_place.database == place.database {
                let linked = below(planner, &mut draft, parent, (&link_place, &link.table, link_from));
                let table = draft
                    .inner_join_in(&place, &target.table, |table| sql::col(linked, link_to).eq(sql::col(table, to)));
                (table, (linked, link_from.clone(), parent.kind))
            } else {
                let columns = (link_from, link_to, to_kind);
                let link_step = link_rows(planner, &link_place, parent, (&link.table, columns), walk.way.path);
                links = Some(link_step);
                let table =
                    draft.begin_with_keys(&place, (&target.table, to), Slot::Keys { step: link_step, column: 1 });
                (table, (table, to.clone(), to_kind))
            }
        }
        _ => {
            let table = below(planner, &mut draft, parent, (&place, &target.table, to));
            (table, (table, to.clone(), to_kind))
        }
    };
    finish(planner, Child { draft, step, table, own, links }, parent, walk)
}

/// Begins a statement with the rows of a table whose column equals a key of the parent's rows. A parent that gives one row
/// at most has one key: then the database looks one value up, and need not sort what it finds.
fn below(
    planner: &Planner,
    draft: &mut Draft,
    parent: ParentKey,
    (place, table, own): (&Place, &str, &SqlColumn),
) -> Table {
    let ParentKey { step, column, .. } = parent;
    if !planner.single.contains(&step) {
        return draft.begin_with_keys(place, (table, own), Slot::Keys { step, column });
    }
    let table = draft.begin_in(place, table);
    let marker = draft.slots.marker(Slot::Key { step, column });
    draft.filter(sql::col(table, own).eq(marker));
    table
}

/// A step of link rows that live in another database than the rows they lead to.
fn link_rows(
    planner: &mut Planner,
    place: &Place,
    parent: ParentKey,
    (table, (from, to, to_kind)): (&str, (&SqlColumn, &SqlColumn, Kind)),
    path: &[String],
) -> usize {
    let mut draft = Draft::new(place);
    let linked = below(planner, &mut draft, parent, (place, table, from));
    draft.column(linked, from, parent.kind);
    draft.column(linked, to, to_kind);
    let step = planner.reserve();
    let (statement, slots) = draft.finish(planner.row_cap(), None, false, Lane::Shared);
    let (link, path) = (Link::Loose { keys: false }, path.join("."));
    planner.set(step, Step { database: place.database, statement, slots, link, needs: vec![parent.step], path });
    step
}

/// The second half of `child`: what is asked of the rows, which of them, in which order.
fn finish(planner: &mut Planner, child: Child, parent: ParentKey, walk: &Walk) -> Result<View, Refusal> {
    let Child { mut draft, step, table, own: (own_table, own_column, own_kind), links } = child;
    let Way { granted, window, object, path, .. } = &walk.way;
    let number = granted.row_number(planner.catalog).ok_or_else(|| internal("a join reaches rows"))?;
    let own = draft.column(own_table, &own_column, own_kind);
    let id = draft.column(table, &number, Kind::Int);
    if let Some(filter) = &window.filter {
        let condition = super::condition::condition(planner, &mut draft, table, filter, window.position)?;
        draft.filter(condition);
    }
    planner.narrow(&mut draft, table, walk.join.target, &walk.scope);
    let order = planner.order(window, table, &number)?;
    let mut rows = PlannedRows { draft: &mut draft, table, step, id, estimate: walk.estimate };
    let view = planner_object::object(planner, &mut rows, object, path)?;
    planner.shape.window(view.rectangle, window);
    let paged = window.first.is_some() || window.offset.is_some();
    let lane = if window.filter.as_ref().is_some_and(Filter::may_run_long) { Lane::Own } else { Lane::Shared };
    // The few rows of each parent are sooner sorted here than all of them together there.
    let any_order = window.order.is_empty() && !paged && links.is_none();
    if !any_order {
        draft.order_by(order);
    }
    let database = draft.place().database;
    let (first, offset) = (first(window), offset(window));
    let (parent_step, column) = (parent.step, parent.column);
    let ((statement, slots), link) = match links {
        Some(links) => {
            let page = paged.then_some((first, offset));
            let finished = draft.finish(planner.row_cap(), None, false, lane);
            (finished, Link::Through { parent: parent_step, column, links, own, page })
        }
        None if paged => {
            let until = Number { and: Some(Box::new(offset.clone())), ..first };
            let key = (own_table, own_column);
            let finished =
                draft.finish_per_parent(key, Slot::Number(until), Slot::Number(offset), planner.row_cap(), lane);
            (finished, Link::Keys { parent: parent_step, column, own, by_number: None })
        }
        None => {
            let finished = draft.finish(planner.row_cap(), None, false, lane);
            (finished, Link::Keys { parent: parent_step, column, own, by_number: any_order.then_some(id) })
        }
    };
    let mut needs = vec![parent_step];
    needs.extend(links);
    planner.set(step, Step { database, statement, slots, link, needs, path: path.join(".") });
    Ok(view)
}

/// `first` of a nested list; without it, as many as an operation may load.
fn first(window: &Window) -> Number {
    Number::of(window, "first", window.first.clone(), u32::MAX / 4)
}

fn offset(window: &Window) -> Number {
    Number::of(window, "offset", window.offset.clone(), 0)
}

/// What a join column holds: as declared if it is a field; row numbers are integers; other keys are text.
pub(super) fn key_kind(planner: &Planner, of: TypeId, column: &str) -> Kind {
    let of = planner.catalog.type_def(of);
    if of.id_column == column {
        return Kind::Int;
    }
    let declared = of.fields.iter().find_map(|field| match &planner.catalog.field(*field).kind {
        FieldKind::Column(known) if known.name == column => Some(kind_of(known.scalar, known.scale)),
        _ => None,
    });
    declared.unwrap_or(Kind::Text)
}
