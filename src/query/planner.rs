//! Makes the plan: the roots and objects of an operation become statements over granted columns and a layout of the
//! answer. Joins are planned in `planner_join`, conditions in `condition`.

use super::ask::{Object, Operation, Root, RootKind, SelectedKind, Window};
use super::cost::Bounds;
use super::looked_for::LookedFor;
use super::plan::{Estimate, Expected, Link, Plan, RootOut, RootOutKind, Step, View, kind_of, prefix};
use super::planner_object::{self, PlannedRows};
use super::resolve::Variables;
use super::shape_of::ShapeBuilder;
use super::slot::{self, Number, Read, Slot};
use super::sql::{self, Draft, OrderBy, Table};
use super::uses;
use crate::access::{Code, Granted, Refusal, Rights, RowScope, SqlColumn, Use};
use crate::audit::shape::ColumnOutcome;
use crate::catalog::scalar::Scalar;
use crate::catalog::{Catalog, Class, FieldId, FieldKind, TypeId};
use crate::store::bind::Bind;
use crate::store::layout::{Databases, Place};
use crate::store::rows::Kind;
use crate::store::source::Lane;

/// Opens a cursor that the caller was given under an order.
pub type OpenCursor<'a> = &'a dyn Fn(&str, &str) -> Result<super::page::Mark, Refusal>;

/// Makes one plan.
pub struct Planner<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) databases: &'a Databases,
    pub(super) rights: &'a Rights,
    pub(super) bounds: &'a Bounds,
    pub(super) open_cursor: OpenCursor<'a>,
    pub(super) steps: Vec<Option<Step>>,
    /// Steps that give one row at most.
    pub(super) single: Vec<usize>,
    pub(super) estimates: Vec<Estimate>,
    pub(super) shape: ShapeBuilder<'a>,
    pub(super) looked_for: Vec<LookedFor>,
    denied: Vec<Refusal>,
    personal: bool,
}

/// Plans an operation under rights. A denied use refuses it; a denied selection becomes null and an error.
pub fn plan(
    catalog: &Catalog,
    databases: &Databases,
    rights: &Rights,
    bounds: &Bounds,
    open_cursor: OpenCursor,
    operation: &Operation,
) -> Result<Plan, Vec<Refusal>> {
    let all = uses::list(operation);
    let datasets = uses::datasets(catalog, &all);
    let personal = all.iter().any(|used| catalog.field(used.field).class >= Class::Personal);
    let refused: Vec<Refusal> = all
        .into_iter()
        .filter(|used| used.used != Use::Select && used.used != Use::Aggregate)
        .filter(|used| used.decide(rights).is_none())
        .map(|used| Refusal::denied(catalog, used.field, used.used).on(&used.path).at(used.position))
        .collect();
    if !refused.is_empty() {
        // A field that a condition names a thousand times is refused once.
        let mut once = Vec::new();
        refused.into_iter().for_each(|refusal| {
            if !once.contains(&refusal) {
                once.push(refusal)
            }
        });
        return Err(once);
    }
    let planner = Planner {
        catalog,
        databases,
        rights,
        bounds,
        open_cursor,
        steps: Vec::new(),
        single: Vec::new(),
        estimates: Vec::new(),
        shape: ShapeBuilder::new(catalog),
        looked_for: Vec::new(),
        denied: Vec::new(),
        personal,
    };
    let plan = planner.operation(operation).map_err(|refusal| vec![refusal])?;
    Ok(Plan { datasets, ..plan })
}

impl Planner<'_> {
    fn operation(mut self, operation: &Operation) -> Result<Plan, Refusal> {
        let root_rectangle = self.shape.begin("", "Query", None);
        let mut roots = Vec::new();
        for (number, root) in operation.roots.iter().enumerate() {
            let kind = self.root(root, root_rectangle)?;
            roots.push(RootOut { prefix: prefix(number == 0, &root.key), key: root.key.clone(), kind });
        }
        let rectangles = self.shape.count();
        let steps =
            self.steps.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| internal("a step was left out"))?;
        Ok(Plan {
            steps,
            roots,
            shape: self.shape.finish(),
            rectangles,
            denied: self.denied,
            estimates: self.estimates,
            looked_for: self.looked_for,
            personal: self.personal,
            datasets: Vec::new(),
        })
    }

    fn root(&mut self, root: &Root, rectangle: u16) -> Result<RootOutKind, Refusal> {
        let path = vec![root.key.clone()];
        match &root.kind {
            RootKind::Typename => {
                self.shape.select(rectangle, &root.key, "__typename", ColumnOutcome::Shown);
                Ok(RootOutKind::Typename)
            }
            RootKind::Other => {
                self.shape.select(rectangle, &root.key, &root.key, ColumnOutcome::Shown);
                Ok(RootOutKind::Other)
            }
            RootKind::One { field, key, value, object } => {
                let Some(granted) = self.select(*field, &path, Some(root.position)) else {
                    self.shape.join(rectangle, &root.key, *field, ColumnOutcome::Denied);
                    return Ok(RootOutKind::Null);
                };
                self.shape.join(rectangle, &root.key, *field, ColumnOutcome::Shown);
                self.one(root, &granted, *key, value, object).map(RootOutKind::One)
            }
            RootKind::List { field, of, window, parts } => {
                super::planner_list::list(self, root, rectangle, *field, *of, window, parts)
            }
        }
    }

    fn one(
        &mut self,
        root: &Root,
        granted: &Granted,
        key: FieldId,
        value: &async_graphql_value::Value,
        object: &Object,
    ) -> Result<View, Refusal> {
        let key_granted = self.granted_condition(key, true)?;
        let scope = self.scope(object, &Window::default()).and(granted.scope()).and(key_granted.scope());
        let mut draft = Draft::new(self.place(object.of)?);
        let table = draft.from(&self.catalog.type_def(object.of).table);
        let column = key_granted.column(self.catalog).ok_or_else(|| internal("a key is a column"))?;
        let read = self.read(key, super::ask::Operator::Eq, value, Some(root.position));
        let marker = draft.slots.marker(self.ready(read)?);
        draft.filter(sea_query::ExprTrait::eq(sql::col(table, &column), marker));
        self.narrow(&mut draft, table, object.of, &scope);
        let step = self.reserve();
        self.single.push(step);
        let estimate = self.estimate(None, Expected::Exactly(1), object);
        let number = granted.row_number(self.catalog).ok_or_else(|| internal("a root reaches rows"))?;
        let id = draft.column(table, &number, Kind::Int);
        let path = vec![root.key.clone()];
        let mut rows = PlannedRows { draft: &mut draft, table, step, id, estimate };
        let view = planner_object::object(self, &mut rows, object, &path)?;
        self.shape.key(view.rectangle, key);
        let database = draft.place().database;
        let (statement, slots) = draft.finish(Slot::Ready(Bind::Int(1)), None, false, Lane::Shared);
        self.set(
            step,
            Step { database, statement, slots, link: Link::Root { page: None }, needs: vec![], path: root.key.clone() },
        );
        Ok(view)
    }

    /// Decides a selection; a denial becomes an error of the answer.
    pub(super) fn select(
        &mut self,
        field: FieldId,
        path: &[String],
        position: Option<crate::access::Position>,
    ) -> Option<Granted> {
        let granted = self.rights.decide(field, Use::Select);
        if granted.is_none() {
            self.deny(field, Use::Select, path, position);
        }
        granted
    }

    /// Adds the error of a denied selection.
    pub(super) fn deny(
        &mut self,
        field: FieldId,
        used: Use,
        path: &[String],
        position: Option<crate::access::Position>,
    ) {
        self.denied.push(Refusal::denied(self.catalog, field, used).on(path).at(position));
    }

    /// The decision about a use that was checked before planning began.
    pub(super) fn granted(&mut self, field: FieldId, used: Use) -> Result<Granted, Refusal> {
        self.rights.decide(field, used).ok_or_else(|| Refusal::denied(self.catalog, field, used))
    }

    /// The same for a condition.
    pub(super) fn granted_condition(&mut self, field: FieldId, one_value: bool) -> Result<Granted, Refusal> {
        let granted = self.rights.decide_condition(field, one_value);
        granted.ok_or_else(|| Refusal::denied(self.catalog, field, Use::Filter))
    }

    /// The rows inside the scope of every field that is used of them.
    pub(super) fn scope(&self, object: &Object, window: &Window) -> RowScope {
        let selected = object.fields.iter().filter_map(|selected| match &selected.kind {
            SelectedKind::Column(field) | SelectedKind::Join { field, .. } => Some((*field, Use::Select)),
            SelectedKind::Typename => None,
        });
        let filtered = window.filter.iter().flat_map(uses::filtered_here);
        let filtered = filtered.filter_map(|looked| self.rights.decide_condition(looked.field, looked.one_value));
        let ordered = window.order.iter().map(|word| (word.field, Use::Order));
        let granted =
            selected.chain(ordered).filter_map(|(field, used)| self.rights.decide(field, used)).chain(filtered);
        // Rows of which nothing is asked but that they are there: no further than any field of them reaches.
        granted.fold(self.rights.reach(object.of), |scope, granted| scope.and(granted.scope()))
    }

    /// Narrows a statement to a scope.
    pub(super) fn narrow(&self, draft: &mut Draft, table: Table, of: TypeId, scope: &RowScope) {
        let column = Granted::scope_column(self.catalog, of);
        let dialect = draft.place().dialect;
        if let Some(condition) = sql::in_scope(dialect, &mut draft.slots, table, column.as_ref(), scope) {
            draft.filter(condition);
        }
    }

    /// The order of a list: as asked, then by row number, so that it is the same everywhere.
    pub(super) fn order(&mut self, window: &Window, table: Table, number: &SqlColumn) -> Result<Vec<OrderBy>, Refusal> {
        let mut words = Vec::new();
        for word in &window.order {
            let granted = self.granted(word.field, Use::Order)?;
            let (Some(column), FieldKind::Column(declared)) =
                (granted.column(self.catalog), &self.catalog.field(word.field).kind)
            else {
                return Err(internal("only columns order rows"));
            };
            let kind = kind_of(declared.scalar, declared.scale);
            words.push(OrderBy { table, column, kind, descending: word.descending, nullable: !declared.not_null });
        }
        words.push(OrderBy { table, column: number.clone(), kind: Kind::Int, descending: false, nullable: false });
        Ok(words)
    }

    /// How a value is read for a comparison with a column.
    pub(super) fn read(
        &self,
        field: FieldId,
        operator: super::ask::Operator,
        value: &async_graphql_value::Value,
        position: Option<crate::access::Position>,
    ) -> Read {
        let field = self.catalog.field(field);
        let scalar = match &field.kind {
            FieldKind::Column(column) => column.scalar,
            _ => Scalar::String,
        };
        Read { value: value.clone(), scalar, operator, coordinate: field.coordinate.clone(), position }
    }

    /// Reads constants now, so that a wrong one is refused before any SQL; variables when the plan runs.
    pub(super) fn ready(&self, read: Read) -> Result<Slot, Refusal> {
        if slot::has_variable(&read.value) {
            return Ok(Slot::Variable(read));
        }
        slot::read(&read, &Variables::default(), self.bounds).map(Slot::Ready)
    }

    /// A page's number, known now unless a variable says it.
    pub(super) fn number(&self, number: Number) -> Result<Slot, Refusal> {
        Ok(match number.known(self.bounds)? {
            Some(known) => Slot::Ready(Bind::Int(known.into())),
            None => Slot::Number(number),
        })
    }

    /// Where the rows of a type live.
    pub(super) fn place(&self, of: TypeId) -> Result<&Place, Refusal> {
        self.dataset_place(self.catalog.type_def(of).dataset)
    }

    /// Where the tables of a dataset are.
    pub(super) fn dataset_place(&self, dataset: crate::catalog::DatasetId) -> Result<&Place, Refusal> {
        let dataset = self.catalog.dataset(dataset);
        let place = self.databases.place(&dataset.code);
        let shared = || dataset.lives_with.as_deref().and_then(|other| self.databases.place(other));
        place.or_else(shared).ok_or_else(|| {
            Refusal::new(
                Code::SourceUnavailable,
                format!("Dataset {} has no connection.", dataset.code),
                format!("資料庫「{}」未設定連線。", dataset.title),
            )
        })
    }

    /// A number for a step that is still being planned.
    pub(super) fn reserve(&mut self) -> usize {
        self.steps.push(None);
        self.steps.len() - 1
    }

    /// Puts a step in its place, with the steps that its parameters need.
    pub(super) fn set(&mut self, number: usize, mut step: Step) {
        step.needs.extend(step.slots.iter().filter_map(|slot| match slot {
            Slot::Keys { step, .. } | Slot::Key { step, .. } => Some(*step),
            _ => None,
        }));
        step.needs.sort_unstable();
        step.needs.dedup();
        self.steps[number] = Some(step);
    }

    /// One row more than an operation may load.
    pub(super) fn row_cap(&self) -> Slot {
        Slot::Ready(Bind::Int(i64::from(self.bounds.limits().rows) + 1))
    }

    /// Notes what an object is expected to cost.
    pub(super) fn estimate(&mut self, parent: Option<usize>, rows: Expected, object: &Object) -> usize {
        let fields = object.fields.len() as u32;
        self.estimates.push(Estimate { parent, rows, fields });
        self.estimates.len() - 1
    }
}

/// A type's name between quotes.
pub(super) fn quoted(name: &str) -> Box<[u8]> {
    format!("\"{name}\"").into_bytes().into()
}

/// Something that cannot be, by the way the plan is made.
pub(super) fn internal(what: &str) -> Refusal {
    tracing::error!(what, "the planner met what it excludes");
    Refusal::new(Code::Internal, "Internal error.", "系統內部錯誤。")
}
