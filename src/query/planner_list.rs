//! Plans a root connection: its page, its count, its cursors.

use super::ask::{EdgeKind, EdgePart, Filter, Object, Operator, Part, PartKind, Root, Window};
use super::plan::{
    Connection, EdgeOut, EdgeOutKind, Expected, Link, PartOut, PartOutKind, RootOutKind, Step, View, prefix,
};
use super::planner::{Planner, internal, quoted};
use super::planner_object::{self, PlannedRows};
use super::slot::{Number, Slot};
use super::sql::{Draft, OrderBy, Table};
use super::{looked_for, page, uses};
use crate::access::{Granted, Refusal, RowScope, Use};
use crate::audit::shape::ColumnOutcome;
use crate::catalog::{FieldId, TypeId};
use crate::store::rows::{ALL_DIGITS, Kind};
use crate::store::source::Lane;

/// What the parts of a connection share.
struct Listing<'r> {
    root: &'r Root,
    of: TypeId,
    window: &'r Window,
    parts: &'r [Part],
    scope: RowScope,
    rectangle: u16,
}

/// Plans a connection.
pub(super) fn list(
    planner: &mut Planner,
    root: &Root,
    root_rectangle: u16,
    field: FieldId,
    of: TypeId,
    window: &Window,
    parts: &[Part],
) -> Result<RootOutKind, Refusal> {
    let path = vec![root.key.clone()];
    let position = Some(root.position);
    let listed = if uses::lists_rows(parts) { planner.select(field, &path, position) } else { None };
    let count_asked = parts.iter().find(|part| matches!(part.kind, PartKind::TotalCount));
    let counted = count_asked.and_then(|_| planner.granted(field, Use::Aggregate).ok());
    if listed.is_none() && counted.is_none() {
        if let Some(part) = count_asked.filter(|_| !uses::lists_rows(parts)) {
            planner.deny(field, Use::Aggregate, &[root.key.clone(), part.key.clone()], position);
        }
        planner.shape.join(root_rectangle, &root.key, field, ColumnOutcome::Denied);
        return Ok(RootOutKind::Null);
    }
    planner.shape.join(root_rectangle, &root.key, field, ColumnOutcome::Shown);
    let name = format!("{}Connection", planner.catalog.type_def(of).name);
    let rectangle = planner.shape.begin(&root.key, &name, None);
    let granted = [listed.as_ref(), counted.as_ref()];
    let base = granted.into_iter().flatten().fold(RowScope::WholeCity, |scope, granted| scope.and(granted.scope()));
    let scope = objects(parts).fold(base, |scope, object| scope.and(&planner.scope(object, &Window::default())));
    let scope = scope.and(&planner.scope(&Object { of, fields: Vec::new() }, window));
    let listing = Listing { root, of, window, parts, scope, rectangle };
    let count = match &counted {
        Some(_) => Some(count(planner, &listing)?),
        None => None,
    };
    if let (Some(part), None) = (count_asked, &counted) {
        planner.deny(field, Use::Aggregate, &[root.key.clone(), part.key.clone()], position);
    }
    let mut connection = match &listed {
        Some(granted) => rows(planner, &listing, granted)?,
        None => without_rows(planner, &listing, counted.as_ref())?,
    };
    connection.count = count;
    planner.shape.window(rectangle, window);
    if connection.step.is_none() || !all_come_out(window) {
        looked_for::plan(planner, of, window, &root.key)?;
    }
    Ok(RootOutKind::Connection(Box::new(connection)))
}

/// Whether the one comparison is all there is, so that whoever it names comes out.
fn all_come_out(window: &Window) -> bool {
    let one_by_one = matches!(&window.filter, Some(Filter::Compare { operator: Operator::Eq, .. }));
    let whole = window.first.is_none() && window.last.is_none() && window.offset.is_none();
    one_by_one && whole && window.after.is_none() && window.before.is_none()
}

fn objects(parts: &[Part]) -> impl Iterator<Item = &Object> {
    parts.iter().flat_map(|part| match &part.kind {
        PartKind::Nodes(object) => vec![object],
        PartKind::Edges(fields) => {
            let node = |field: &'_ EdgePart| matches!(field.kind, EdgeKind::Node(_));
            fields
                .iter()
                .filter(|field| node(field))
                .filter_map(|field| match &field.kind {
                    EdgeKind::Node(object) => Some(object),
                    _ => None,
                })
                .collect()
        }
        _ => vec![],
    })
}

fn count(planner: &mut Planner, listing: &Listing) -> Result<usize, Refusal> {
    let step = planner.reserve();
    let mut draft = Draft::new(planner.place(listing.of)?);
    start(planner, &mut draft, listing)?;
    let database = draft.place().database;
    let (statement, slots) = draft.finish_count();
    let path = listing.root.key.clone();
    planner.set(step, Step { database, statement, slots, link: Link::Loose { keys: false }, needs: vec![], path });
    Ok(step)
}

/// The table, narrowed to condition and scope.
fn start(planner: &mut Planner, draft: &mut Draft, listing: &Listing) -> Result<Table, Refusal> {
    let table = draft.from(&planner.catalog.type_def(listing.of).table);
    if let Some(filter) = &listing.window.filter {
        let condition = super::condition::condition(planner, draft, table, filter, listing.window.position)?;
        draft.filter(condition);
    }
    planner.narrow(draft, table, listing.of, &listing.scope);
    Ok(table)
}

/// A connection without rows. Its page must hold all the same.
fn without_rows(planner: &mut Planner, listing: &Listing, granted: Option<&Granted>) -> Result<Connection, Refusal> {
    let mut draft = Draft::new(planner.place(listing.of)?);
    let table = draft.from(&planner.catalog.type_def(listing.of).table);
    if let Some(number) = granted.and_then(|granted| granted.row_number(planner.catalog)) {
        let order = planner.order(listing.window, table, &number)?;
        open_cursor(planner, listing.window, &page::signature(listing.of, &order))?;
    }
    Ok(Connection { parts: bare_parts(planner, listing), ..page_of(planner, listing) })
}

/// The row that the page begins or ends at, if a cursor names one.
fn open_cursor(planner: &Planner, window: &Window, order: &str) -> Result<Option<page::Mark>, Refusal> {
    let Some(cursor) = window.after.as_ref().or(window.before.as_ref()) else { return Ok(None) };
    (planner.open_cursor)(order, cursor).map(Some).map_err(|refusal| refusal.at(window.position))
}

/// Size and direction of the page; nothing stands in it yet.
fn page_of(planner: &Planner, listing: &Listing) -> Connection {
    let window = listing.window;
    let backward = window.last.is_some() || window.before.is_some();
    let bounds = planner.bounds.limits();
    let argument = if backward { "last" } else { "first" };
    let value = if backward { window.last.clone() } else { window.first.clone() };
    let size = Number::of(window, argument, value, bounds.page_default);
    let offset = window.offset.clone().map(|value| Number::of(window, "offset", Some(value), 0));
    Connection {
        rectangle: listing.rectangle,
        step: None,
        count: None,
        size,
        backward,
        begun: None,
        filter: window.filter.clone(),
        offset,
        cursor: Vec::new(),
        cursor_order: String::new(),
        parts: Vec::new(),
    }
}

/// The rows of the page, and the connection over them.
fn rows(planner: &mut Planner, listing: &Listing, granted: &Granted) -> Result<Connection, Refusal> {
    let window = listing.window;
    let mut connection = page_of(planner, listing);
    let backward = connection.backward;
    let step = planner.reserve();
    let mut draft = Draft::new(planner.place(listing.of)?);
    let table = start(planner, &mut draft, listing)?;
    let number = granted.row_number(planner.catalog).ok_or_else(|| internal("a list reaches rows"))?;
    let id = draft.column(table, &number, Kind::Int);
    let order = planner.order(window, table, &number)?;
    connection.cursor_order = page::signature(listing.of, &order);
    if let Some(mark) = open_cursor(planner, window, &connection.cursor_order)? {
        let condition = page::beyond(&mut draft, &order, &mark, backward)?;
        draft.filter(condition);
        connection.begun = Some(mark.filter());
    }
    if wants_cursor(listing.parts) {
        let kept = |kind| if let Kind::Decimal(_) = kind { Kind::Decimal(ALL_DIGITS) } else { kind };
        connection.cursor = order.iter().map(|word| draft.column(word.table, &word.column, kept(word.kind))).collect();
    }
    let mut rows = PlannedRows { draft: &mut draft, table, step, id, estimate: 0 };
    connection.parts = parts(planner, listing, &mut rows, &connection)?;
    connection.step = Some(step);
    let plain = window.filter.is_none() && window.order.is_empty() && window.offset.is_none();
    draft.order_by(order);
    let database = draft.place().database;
    let limit = planner.number(Number { plus: 1, ..connection.size.clone() })?;
    let lane = if plain { Lane::Shared } else { Lane::Own };
    let (statement, slots) = draft.finish(limit, connection.offset.clone().map(Slot::Number), backward, lane);
    let path = listing.root.key.clone();
    let link = Link::Root { page: Some((connection.size.clone(), backward)) };
    planner.set(step, Step { database, statement, slots, link, needs: vec![], path });
    Ok(connection)
}

fn wants_cursor(parts: &[Part]) -> bool {
    use super::ask::PageField::{End, Start};
    parts.iter().any(|part| match &part.kind {
        PartKind::Edges(fields) => fields.iter().any(|field| matches!(field.kind, EdgeKind::Cursor)),
        PartKind::PageInfo(fields) => fields.iter().any(|(_, field)| matches!(field, Start | End)),
        _ => false,
    })
}

/// Parts of a connection whose rows are denied: a count may still be answered.
fn bare_parts(planner: &mut Planner, listing: &Listing) -> Vec<PartOut> {
    let mut out = Vec::new();
    for (number, part) in listing.parts.iter().enumerate() {
        let (kind, field, outcome) = match &part.kind {
            PartKind::TotalCount => (PartOutKind::TotalCount, "totalCount", ColumnOutcome::Shown),
            PartKind::Typename => (typename(planner, listing, "Connection"), "__typename", ColumnOutcome::Shown),
            PartKind::Nodes(_) => (PartOutKind::Null, "nodes", ColumnOutcome::Denied),
            PartKind::Edges(_) => (PartOutKind::Null, "edges", ColumnOutcome::Denied),
            PartKind::PageInfo(_) => (PartOutKind::Null, "pageInfo", ColumnOutcome::Denied),
        };
        planner.shape.select(listing.rectangle, &part.key, field, outcome);
        out.push(PartOut { prefix: prefix(number == 0, &part.key), kind });
    }
    out
}

fn typename(planner: &Planner, listing: &Listing, suffix: &str) -> PartOutKind {
    PartOutKind::Typename(quoted(&format!("{}{suffix}", planner.catalog.type_def(listing.of).name)))
}

fn parts(
    planner: &mut Planner,
    listing: &Listing,
    rows: &mut PlannedRows,
    connection: &Connection,
) -> Result<Vec<PartOut>, Refusal> {
    let path = [listing.root.key.clone()];
    let mut out = Vec::new();
    for (number, part) in listing.parts.iter().enumerate() {
        let path: Vec<String> = path.iter().cloned().chain([part.key.clone()]).collect();
        let select = |planner: &mut Planner, field: &str, outcome| {
            planner.shape.select(listing.rectangle, &part.key, field, outcome);
        };
        let kind = match &part.kind {
            PartKind::Nodes(object) => {
                select(planner, "nodes", ColumnOutcome::Shown);
                PartOutKind::Nodes(object_of_page(planner, rows, connection, object, &path)?)
            }
            PartKind::Edges(fields) => {
                select(planner, "edges", ColumnOutcome::Shown);
                let name = format!("{}Edge", planner.catalog.type_def(listing.of).name);
                let rectangle = planner.shape.begin(&path.join("."), &name, None);
                let mut edge_fields = Vec::new();
                for (number, field) in fields.iter().enumerate() {
                    let path: Vec<String> = path.iter().cloned().chain([field.key.clone()]).collect();
                    let (kind, name) = match &field.kind {
                        EdgeKind::Cursor => (EdgeOutKind::Cursor, "cursor"),
                        EdgeKind::Typename => (EdgeOutKind::Typename(quoted(&name)), "__typename"),
                        EdgeKind::Node(object) => {
                            (EdgeOutKind::Node(object_of_page(planner, rows, connection, object, &path)?), "node")
                        }
                    };
                    planner.shape.select(rectangle, &field.key, name, ColumnOutcome::Shown);
                    edge_fields.push(EdgeOut { prefix: prefix(number == 0, &field.key), kind });
                }
                PartOutKind::Edges { rectangle, fields: edge_fields }
            }
            PartKind::PageInfo(fields) => {
                select(planner, "pageInfo", ColumnOutcome::Shown);
                let rectangle = planner.shape.begin(&path.join("."), "PageInfo", None);
                let mut page_fields = Vec::new();
                for (number, (key, field)) in fields.iter().enumerate() {
                    planner.shape.select(rectangle, key, page::field_name(*field), ColumnOutcome::Shown);
                    page_fields.push((prefix(number == 0, key), *field));
                }
                PartOutKind::PageInfo { rectangle, fields: page_fields }
            }
            PartKind::TotalCount => {
                let field = planner.catalog.type_def(listing.of).list;
                let granted = field.and_then(|field| planner.rights.decide(field, Use::Aggregate)).is_some();
                let outcome = if granted { ColumnOutcome::Shown } else { ColumnOutcome::Denied };
                select(planner, "totalCount", outcome);
                if granted { PartOutKind::TotalCount } else { PartOutKind::Null }
            }
            PartKind::Typename => {
                select(planner, "__typename", ColumnOutcome::Shown);
                typename(planner, listing, "Connection")
            }
        };
        out.push(PartOut { prefix: prefix(number == 0, &part.key), kind });
    }
    Ok(out)
}

/// One of the objects that are asked of each row of a page, with its own part of the cost.
fn object_of_page(
    planner: &mut Planner,
    rows: &mut PlannedRows,
    connection: &Connection,
    object: &Object,
    path: &[String],
) -> Result<View, Refusal> {
    rows.estimate = planner.estimate(None, Expected::Page(connection.size.clone()), object);
    planner_object::object(planner, rows, object, path)
}

/// The order of a list as its cursor names it.
pub(super) fn order_word(word: &OrderBy) -> String {
    format!("{}{}", if word.descending { "-" } else { "+" }, word.column.name())
}
