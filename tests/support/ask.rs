//! Operations made up at random over the whole catalogue, as values. How they are written as GraphQL is left to
//! `ask_text`, what their right answer is to whoever asks.

use std::collections::HashSet;

use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldDef, FieldId, FieldKind, TypeId};

use super::city::{Cell, City};
use super::dice::Dice;

/// An operation.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Its roots.
    pub roots: Vec<Root>,
    /// Columns that it narrows, sorts or finds rows by.
    pub searched: HashSet<FieldId>,
}

/// A root field.
#[derive(Clone, Debug)]
pub struct Root {
    /// Response key.
    pub key: String,
    /// The field.
    pub field: FieldId,
    /// What is asked of it.
    pub kind: RootKind,
}

/// What is asked of a root field.
#[derive(Clone, Debug)]
pub enum RootKind {
    /// A row by a key.
    One { by: FieldId, value: Cell, object: Object },
    /// A connection.
    List { window: Window, parts: Vec<Part> },
}

/// A field of a connection.
#[derive(Clone, Debug)]
pub struct Part {
    /// Response key.
    pub key: String,
    /// Which.
    pub kind: PartKind,
}

/// The fields of a connection.
#[derive(Clone, Debug)]
pub enum PartKind {
    Nodes(Object),
    Edges(Vec<(String, EdgeKind)>),
    PageInfo(Vec<(String, &'static str)>),
    TotalCount,
    Typename,
}

/// The fields of an edge.
#[derive(Clone, Debug)]
pub enum EdgeKind {
    Node(Object),
    Cursor,
    Typename,
}

/// What is asked of the rows of a type.
#[derive(Clone, Debug)]
pub struct Object {
    /// The type.
    pub of: TypeId,
    /// The fields.
    pub fields: Vec<Selected>,
}

/// A selected field.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Response key.
    pub key: String,
    /// Which.
    pub kind: SelectedKind,
}

/// What is selected.
#[derive(Clone, Debug)]
pub enum SelectedKind {
    Column(FieldId),
    Typename,
    Join { field: FieldId, window: Window, object: Object },
}

/// Which rows of a list.
#[derive(Clone, Debug, Default)]
pub struct Window {
    pub filter: Option<Filter>,
    pub order: Vec<(FieldId, bool)>,
    pub first: Option<u32>,
    pub last: Option<u32>,
    pub offset: Option<u32>,
    pub after: Option<String>,
    pub before: Option<String>,
}

/// A condition.
#[derive(Clone, Debug)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare {
        field: FieldId,
        operator: &'static str,
        values: Vec<Cell>,
    },
    IsNull {
        field: FieldId,
        wanted: bool,
    },
    /// `word` is `_some`, `_none`, `_every`, or empty for a to-one join.
    Related {
        field: FieldId,
        word: &'static str,
        filter: Box<Filter>,
    },
}

/// Makes operations up.
pub struct Asker<'a> {
    pub catalog: &'a Catalog,
    pub city: &'a City,
    pub dice: Dice,
    /// Selects `id` on every object, so that row numbers can be read from the answer.
    pub with_id: bool,
    /// Columns that the operation in the making narrows, sorts or finds rows by.
    pub searched: HashSet<FieldId>,
}

impl Asker<'_> {
    /// A random operation.
    pub fn operation(&mut self) -> Asked {
        let roots = if self.dice.once_in(5) { 2 } else { 1 };
        let roots = (0..roots).map(|number| self.root(number)).collect();
        Asked { roots, searched: std::mem::take(&mut self.searched) }
    }

    /// Every column and every join of a type, on its first rows, with nothing narrowed.
    pub fn everything_of(&mut self, list: FieldId, of: TypeId) -> Asked {
        let mut object = Object { of, fields: Vec::new() };
        for field in self.fields(of) {
            let kind = match &field.kind {
                FieldKind::Join(join) => {
                    let columns = self.fields(join.target).into_iter().filter(is_column).take(4);
                    let fields = columns.map(|f| selected(&f.name, SelectedKind::Column(f.id)));
                    let object = Object { of: join.target, fields: fields.collect() };
                    SelectedKind::Join { field: field.id, window: Window::default(), object }
                }
                _ => SelectedKind::Column(field.id),
            };
            object.fields.push(selected(&field.name, kind));
        }
        let parts = vec![Part { key: "nodes".into(), kind: PartKind::Nodes(object) }];
        let kind = RootKind::List { window: Window::default(), parts };
        Asked { roots: vec![Root { key: "all".into(), field: list, kind }], ..Asked::default() }
    }

    fn fields(&self, of: TypeId) -> Vec<FieldDef> {
        self.catalog.type_def(of).fields.iter().map(|id| self.catalog.field(*id).clone()).collect()
    }

    fn root(&mut self, number: usize) -> Root {
        let types: Vec<TypeId> = self.catalog.types.iter().filter(|of| of.list.is_some()).map(|of| of.id).collect();
        let of = self.catalog.type_def(*self.dice.pick(&types)).clone();
        if let Some(one) = of.one.filter(|_| self.dice.once_in(5)) {
            let by = *self.dice.pick(&of.keys);
            self.searched.insert(by);
            let values = self.values(by);
            let mut value = self.dice.pick(&values).clone();
            if self.dice.once_in(8) && self.scalar(by) == Scalar::String {
                value = Cell::Text("nobody's".into());
            }
            let object = self.object(of.id, 0);
            return Root { key: format!("one{number}"), field: one, kind: RootKind::One { by, value, object } };
        }
        let list = of.list.expect("only such types were picked");
        let mut window = self.window(of.id);
        if window.first.is_some() && window.offset.is_none() && self.dice.once_in(3) {
            window.last = window.first.take();
        }
        let mut parts = vec![Part { key: "nodes".into(), kind: PartKind::Nodes(self.object(of.id, 0)) }];
        if self.dice.once_in(3) {
            parts.push(Part { key: "totalCount".into(), kind: PartKind::TotalCount });
        }
        if self.dice.once_in(4) {
            let node = ("node".to_owned(), EdgeKind::Node(self.object(of.id, 2)));
            let mut edge = vec![("cursor".to_owned(), EdgeKind::Cursor), node];
            if self.dice.once_in(2) {
                edge.push(("t".to_owned(), EdgeKind::Typename));
                edge.swap(0, 2);
            }
            parts.push(Part { key: "around".into(), kind: PartKind::Edges(edge) });
        }
        if self.dice.once_in(3) {
            let words = ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"];
            let fields = words.into_iter().map(|word| (format!("p{}", word.trim_matches('_')), word));
            parts.push(Part { key: "info".into(), kind: PartKind::PageInfo(fields.collect()) });
        }
        if self.dice.once_in(6) {
            parts.push(Part { key: "type".into(), kind: PartKind::Typename });
        }
        self.dice.shuffle(&mut parts);
        Root { key: format!("list{number}"), field: list, kind: RootKind::List { window, parts } }
    }

    /// What is asked of rows at that depth.
    pub fn object(&mut self, of: TypeId, depth: u32) -> Object {
        let all = self.fields(of);
        let (columns, joins): (Vec<_>, Vec<_>) = all.into_iter().partition(is_column);
        let mut fields = Vec::new();
        for number in 0..1 + self.dice.below(4) {
            let column = self.dice.pick(&columns);
            let aliased = self.dice.once_in(4);
            let key = if aliased { format!("c{number}") } else { column.name.clone() };
            fields.push(selected(&key, SelectedKind::Column(column.id)));
        }
        if self.dice.once_in(8) {
            fields.push(selected("__typename", SelectedKind::Typename));
        }
        let walks = if joins.is_empty() || depth > 3 { 0 } else { self.dice.below(if depth == 0 { 4 } else { 3 }) };
        for number in 0..walks {
            let join = self.dice.pick(&joins).clone();
            let FieldKind::Join(declared) = &join.kind else { unreachable!("partitioned above") };
            let window = if declared.many { self.window(declared.target) } else { Window::default() };
            let object = self.object(declared.target, depth + 1);
            let key = if self.dice.once_in(3) { format!("j{number}") } else { join.name.clone() };
            fields.push(selected(&key, SelectedKind::Join { field: join.id, window, object }));
        }
        if self.with_id {
            fields.push(selected("id", SelectedKind::Column(self.catalog.type_def(of).fields[0])));
        }
        self.dice.shuffle(&mut fields);
        let mut seen = std::collections::HashSet::new();
        fields.retain(|field| seen.insert(field.key.clone()));
        Object { of, fields }
    }

    fn window(&mut self, of: TypeId) -> Window {
        let mut window = Window::default();
        if self.dice.once_in(2) {
            window.filter = Some(self.filter(of, 0));
        }
        if self.dice.once_in(2) {
            window.order = self.order(of);
        }
        if self.dice.once_in(2) {
            window.first = Some(self.dice.below(6) as u32);
        }
        if self.dice.once_in(4) {
            window.offset = Some(self.dice.below(4) as u32);
        }
        window
    }

    /// Up to three words, each column once.
    pub fn order(&mut self, of: TypeId) -> Vec<(FieldId, bool)> {
        let columns: Vec<FieldDef> = self.fields(of).into_iter().filter(is_column).collect();
        let words = 1 + self.dice.below(3);
        let mut order: Vec<(FieldId, bool)> = Vec::new();
        for _ in 0..words {
            let field = self.dice.pick(&columns).id;
            self.searched.insert(field);
            if order.iter().all(|(known, _)| *known != field) {
                order.push((field, self.dice.once_in(2)));
            }
        }
        order
    }

    /// A condition at that depth of nesting.
    pub fn filter(&mut self, of: TypeId, depth: u32) -> Filter {
        let joins: Vec<FieldDef> = self.fields(of).into_iter().filter(|field| !is_column(field)).collect();
        match self.dice.below(if depth > 2 { 5 } else { 11 }) {
            0..=4 => self.leaf(of),
            5 => Filter::And((0..self.dice.below(4)).map(|_| self.filter(of, depth + 1)).collect()),
            6 => Filter::Or((0..self.dice.below(4)).map(|_| self.filter(of, depth + 1)).collect()),
            7 => Filter::Not(Box::new(self.filter(of, depth + 1))),
            _ if joins.is_empty() => self.leaf(of),
            _ => {
                let join = self.dice.pick(&joins).clone();
                let FieldKind::Join(declared) = &join.kind else { unreachable!("no column") };
                let words = if declared.many { &["_some", "_none", "_every"][..] } else { &[""][..] };
                let word = *self.dice.pick(words);
                let filter = self.filter(declared.target, depth + 1);
                Filter::Related { field: join.id, word, filter: Box::new(filter) }
            }
        }
    }

    fn scalar(&self, field: FieldId) -> Scalar {
        match &self.catalog.field(field).kind {
            FieldKind::Column(column) => column.scalar,
            _ => panic!("a column"),
        }
    }

    /// The values that stand in a column.
    fn values(&self, field: FieldId) -> Vec<Cell> {
        let declared = self.catalog.field(field);
        let FieldKind::Column(column) = &declared.kind else { panic!("a column") };
        let table = self.city.table(&self.catalog.type_def(declared.owner).table);
        let place = table.column(&column.name);
        table.rows.iter().map(|row| row[place].clone()).filter(|cell| *cell != Cell::Null).collect()
    }

    fn leaf(&mut self, of: TypeId) -> Filter {
        let columns: Vec<FieldDef> = self.fields(of).into_iter().filter(is_column).collect();
        let field = self.dice.pick(&columns).id;
        self.searched.insert(field);
        let (scalar, values) = (self.scalar(field), self.values(field));
        if values.is_empty() || self.dice.once_in(7) {
            return Filter::IsNull { field, wanted: self.dice.once_in(2) };
        }
        let mut operators = vec!["_eq", "_neq"];
        if scalar != Scalar::Boolean {
            operators.extend(["_in", "_nin"]);
        }
        if !matches!(scalar, Scalar::Boolean | Scalar::Id) {
            operators.extend(["_gt", "_gte", "_lt", "_lte"]);
        }
        if scalar.is_text() {
            operators.extend(["_like", "_ilike", "_startsWith"]);
        }
        let operator = *self.dice.pick(&operators);
        let count = if matches!(operator, "_in" | "_nin") { self.dice.below(4) } else { 1 };
        let mut picked = Vec::new();
        for _ in 0..count {
            let value = self.dice.pick(&values).clone();
            picked.push(self.bend(operator, value));
        }
        Filter::Compare { field, operator, values: picked }
    }

    /// A pattern made of a value, for the operators that take one.
    fn bend(&mut self, operator: &str, value: Cell) -> Cell {
        let Cell::Text(text) = &value else { return value };
        if !matches!(operator, "_like" | "_ilike" | "_startsWith") {
            return value;
        }
        let mut letters: Vec<char> = text.chars().collect();
        if operator == "_ilike" {
            for letter in letters.iter_mut().filter(|_| self.dice.once_in(2)) {
                *letter =
                    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            }
        }
        // A pattern must not end in an escape that escapes nothing.
        letters.retain(|letter| *letter != '\\' || operator == "_startsWith");
        letters.truncate(1 + self.dice.below(letters.len().max(1)));
        let whole: String = letters.iter().collect();
        Cell::Text(match self.dice.below(6) {
            _ if operator == "_startsWith" => whole,
            0 => whole,
            1 => format!("%{}%", letters.last().copied().unwrap_or('a')),
            2 => format!("_{}", letters.iter().skip(1).collect::<String>()),
            3 => format!("{}%", whole.replace('%', "\\%").replace('_', "\\_")),
            4 if text.contains('\\') => "%\\\\%".to_owned(),
            4 => format!("%{whole}"),
            _ => format!("{whole}%"),
        })
    }
}

fn is_column(field: &FieldDef) -> bool {
    matches!(field.kind, FieldKind::Column(_))
}

fn selected(key: &str, kind: SelectedKind) -> Selected {
    Selected { key: key.to_owned(), kind }
}
