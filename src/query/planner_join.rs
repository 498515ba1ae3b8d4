//! Plans a walk to another type: riding on the parent's statement where it is a to-one join within a database,
//! otherwise one statement for all parents.

use sea_query::ExprTrait;

use super::ask::{Object, Window};
use super::plan::{Expected, FieldOutKind, Link, Step, kind_of};
use super::planner::{Planner, internal};
use super::slot::{Number, Slot};
use super::sql::{self, Draft, Table};
use crate::access::decide::JoinColumns;
use crate::access::{Granted, Refusal, RowScope, SqlColumn};
use crate::catalog::{FieldKind, Join, TypeDef, TypeId};
use crate::store::rows::Kind;
use crate::store::source::Lane;

/// Rows that a to-many join without `first` is expected to lead to, for the cost.
const GUESS: u64 = 8;

/// Tables in one statement before further to-one joins get statements of their own: SQLite joins 64 at most, and
/// planners of databases try orders of joins.
const TABLES: u16 = 12;

/// A walk with all that its planning needs.
struct Walk<'w> {
    granted: &'w Granted,
    join: Join,
    columns: JoinColumns,
    window: &'w Window,
    object: &'w Object,
    path: &'w [String],
    scope: RowScope,
    estimate: usize,
}

/// Plans one join of an object.
#[allow(clippy::too_many_arguments)] // the parent's surroundings and the walk itself
pub(super) fn join(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    step: usize,
    of: TypeId,
    granted: &Granted,
    window: &Window,
    object: &Object,
    path: &[String],
    parent_estimate: usize,
) -> Result<FieldOutKind, Refusal> {
    let (Some(columns), FieldKind::Join(join)) =
        (granted.join(planner.catalog), &planner.catalog.field(granted.field()).kind)
    else {
        return Err(internal("a walk is a join"));
    };
    let expected = match (join.many, &window.first) {
        (false, _) => Expected::Exactly(1),
        (true, None) => Expected::Exactly(GUESS),
        (true, Some(_)) => Expected::Page(first(window)),
    };
    let estimate = planner.estimate(Some(parent_estimate), expected, object);
    let scope = planner.scope(object, window);
    let walk = Walk { granted, join: join.clone(), columns, window, object, path, scope, estimate };
    if rides(planner, draft, &walk)? {
        return ride(planner, draft, table, step, &walk);
    }
    let from_kind = key_kind(planner, of, walk.columns.from.name());
    let column = draft.column(table, &walk.columns.from, from_kind);
    let view = child(planner, step, column, from_kind, &walk)?;
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

fn ride(
    planner: &mut Planner,
    draft: &mut Draft,
    table: Table,
    step: usize,
    walk: &Walk,
) -> Result<FieldOutKind, Refusal> {
    let target = planner.catalog.type_def(walk.join.target);
    let (dialect, scope_column) = (draft.place().dialect, Granted::scope_column(planner.catalog, target.id));
    let place = planner.place(target.id)?.clone();
    let joined = draft.left_join_in(&place, &target.table, |slots, joined| {
        let on = sql::col(joined, &walk.columns.to).eq(sql::col(table, &walk.columns.from));
        match sql::in_scope(dialect, slots, joined, scope_column.as_ref(), &walk.scope) {
            Some(scope) => on.and(scope),
            None => on,
        }
    });
    let number = walk.granted.row_number(planner.catalog).ok_or_else(|| internal("a join reaches rows"))?;
    let id = draft.column(joined, &number, Kind::Int);
    let view = planner.object(draft, joined, step, id, walk.object, walk.path, walk.estimate)?;
    Ok(FieldOutKind::Ride(view))
}

/// One statement for all parents' rows.
fn child(
    planner: &mut Planner,
    parent: usize,
    column: usize,
    from_kind: Kind,
    walk: &Walk,
) -> Result<super::plan::View, Refusal> {
    let target = planner.catalog.type_def(walk.join.target);
    let place = planner.place(target.id)?.clone();
    let step = planner.reserve();
    let mut draft = Draft::new(&place);
    let dialect = place.dialect;
    let table = draft.from(&target.table);
    let to_kind = key_kind(planner, target.id, walk.columns.to.name());
    let keys = Slot::Keys { step: parent, column };
    let mut through = None;
    let partition = match (&walk.join.through, &walk.columns.through) {
        (Some(link), Some((link_from, link_to))) => {
            let link_place = planner.dataset_place(link.dataset)?.clone();
            if link_place.database == place.database {
                let linked = draft.inner_join_in(&link_place, &link.table, |linked| {
                    sql::col(linked, link_to).eq(sql::col(table, &walk.columns.to))
                });
                let marker = draft.slots.marker(keys);
                draft.filter(sql::any_of(dialect, sql::col(linked, link_from), marker));
                (linked, link_from.clone(), from_kind)
            } else {
                let mut link_draft = Draft::new(&link_place);
                let linked = link_draft.from(&link.table);
                link_draft.column(linked, link_from, from_kind);
                link_draft.column(linked, link_to, to_kind);
                let marker = link_draft.slots.marker(keys);
                link_draft.filter(sql::any_of(link_place.dialect, sql::col(linked, link_from), marker));
                let links = planner.reserve();
                let (statement, slots) = link_draft.finish(planner.row_cap(), None, false, Lane::Shared);
                let link = Link::Loose { keys: false };
                let path = walk.path.join(".");
                planner.set(
                    links,
                    Step { database: link_place.database, statement, slots, link, needs: vec![parent], path },
                );
                through = Some(links);
                let marker = draft.slots.marker(Slot::Keys { step: links, column: 1 });
                draft.filter(sql::any_of(dialect, sql::col(table, &walk.columns.to), marker));
                (table, walk.columns.to.clone(), to_kind)
            }
        }
        _ => {
            let marker = draft.slots.marker(keys);
            draft.filter(sql::any_of(dialect, sql::col(table, &walk.columns.to), marker));
            (table, walk.columns.to.clone(), to_kind)
        }
    };
    finish(planner, draft, step, table, partition, parent, column, through, walk)
}

#[allow(clippy::too_many_arguments)] // the second half of `child`
fn finish(
    planner: &mut Planner,
    mut draft: Draft,
    step: usize,
    table: Table,
    partition: (Table, SqlColumn, Kind),
    parent: usize,
    column: usize,
    through: Option<usize>,
    walk: &Walk,
) -> Result<super::plan::View, Refusal> {
    let number = walk.granted.row_number(planner.catalog).ok_or_else(|| internal("a join reaches rows"))?;
    let own = draft.column(partition.0, &partition.1, partition.2);
    let id = draft.column(table, &number, Kind::Int);
    if let Some(filter) = &walk.window.filter {
        let condition = super::condition::condition(planner, &mut draft, table, filter, walk.window.position)?;
        draft.filter(condition);
    }
    planner.narrow(&mut draft, table, walk.join.target, &walk.scope);
    let order = planner.order(walk.window, table, &number)?;
    let view = planner.object(&mut draft, table, step, id, walk.object, walk.path, walk.estimate)?;
    planner.shape.window(view.rectangle, walk.window);
    draft.order_by(order);
    let database = draft.place().database;
    let paged = walk.window.first.is_some() || walk.window.offset.is_some();
    let (first, offset) = (first(walk.window), offset(walk.window));
    let ((statement, slots), link) = match through {
        Some(links) => {
            let page = paged.then_some((first, offset));
            let finished = draft.finish(planner.row_cap(), None, false, Lane::Shared);
            (finished, Link::Through { parent, column, links, own, page })
        }
        None if paged => {
            let until = Number { and: Some(Box::new(offset.clone())), ..first };
            let key = (partition.0, partition.1);
            let finished = draft.finish_per_parent(key, Slot::Number(until), Slot::Number(offset), planner.row_cap());
            (finished, Link::Keys { parent, column, own })
        }
        None => {
            let finished = draft.finish(planner.row_cap(), None, false, Lane::Shared);
            (finished, Link::Keys { parent, column, own })
        }
    };
    let mut needs = vec![parent];
    needs.extend(through);
    planner.set(step, Step { database, statement, slots, link, needs, path: walk.path.join(".") });
    Ok(view)
}

/// `first` of a nested list; without it, as many as an operation may load.
fn first(window: &Window) -> Number {
    Number { argument: "first", value: window.first.clone(), default: u32::MAX / 4, and: None, plus: 0 }
}

fn offset(window: &Window) -> Number {
    Number { argument: "offset", value: window.offset.clone(), default: 0, and: None, plus: 0 }
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
