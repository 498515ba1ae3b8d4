//! What an operation asks, resolved against the catalogue: fragments expanded, aliases merged, arguments read into
//! named parts. It decides nothing; which uses it makes of which fields is listed by `query::uses`.

use async_graphql_value::{Name, Value};

use crate::access::Position;
use crate::catalog::{FieldId, TypeId};

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its roots in the order of the answer.
    pub roots: Vec<Root>,
    /// Values of variables stand in what is asked, so that its plan fits this request only.
    pub single_use: bool,
    /// Selected fields in all.
    pub fields: u32,
    /// Fields under an alias.
    pub aliases: u32,
    /// Deepest nesting of selections.
    pub depth: u32,
}

/// A root field.
#[derive(Debug, Clone)]
pub struct Root {
    /// Response key.
    pub key: String,
    /// Where it stands.
    pub position: Position,
    /// What it is.
    pub kind: RootKind,
}

/// What a root field is.
#[derive(Debug, Clone)]
pub enum RootKind {
    /// `__typename`
    Typename,
    /// `__schema`, `__type` and the procedure's roots: left to `graphql`.
    Other,
    /// One row by a unique key.
    One {
        /// The root field.
        field: FieldId,
        /// The key's field.
        key: FieldId,
        /// Its value.
        value: Value,
        /// What is asked of the row.
        object: Object,
    },
    /// A connection.
    List {
        /// The root field.
        field: FieldId,
        /// Type of its rows.
        of: TypeId,
        /// Which rows.
        window: Box<Window>,
        /// What is asked of the connection.
        parts: Vec<Part>,
    },
}

/// A field of a connection.
#[derive(Debug, Clone)]
pub struct Part {
    /// Response key.
    pub key: String,
    /// Which field.
    pub kind: PartKind,
}

/// The fields of a connection.
#[derive(Debug, Clone)]
pub enum PartKind {
    /// `nodes`
    Nodes(Object),
    /// `edges`
    Edges(Vec<EdgePart>),
    /// `pageInfo`, with response keys.
    PageInfo(Vec<(String, PageField)>),
    /// `totalCount`
    TotalCount,
    /// `__typename`
    Typename,
}

/// A field of an edge.
#[derive(Debug, Clone)]
pub struct EdgePart {
    /// Response key.
    pub key: String,
    /// Which field.
    pub kind: EdgeKind,
}

/// The fields of an edge.
#[derive(Debug, Clone)]
pub enum EdgeKind {
    /// `node`
    Node(Object),
    /// `cursor`
    Cursor,
    /// `__typename`
    Typename,
}

/// The fields of `PageInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageField {
    /// `hasNextPage`
    HasNext,
    /// `hasPreviousPage`
    HasPrevious,
    /// `startCursor`
    Start,
    /// `endCursor`
    End,
    /// `__typename`
    Typename,
}

/// What is asked of each row of a type.
#[derive(Debug, Clone)]
pub struct Object {
    /// The type.
    pub of: TypeId,
    /// The selected fields in the order of the answer.
    pub fields: Vec<Selected>,
}

/// One selected field.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Response key.
    pub key: String,
    /// Where it stands first.
    pub position: Position,
    /// What it is.
    pub kind: SelectedKind,
}

/// What a selected field is.
#[derive(Debug, Clone)]
pub enum SelectedKind {
    /// A column.
    Column(FieldId),
    /// `__typename`
    Typename,
    /// A walk to another type.
    Join {
        /// The join.
        field: FieldId,
        /// Which rows, for a to-many join.
        window: Box<Window>,
        /// What is asked there.
        object: Object,
    },
}

/// Which rows of a list, in which order.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// `where`
    pub filter: Option<Filter>,
    /// `orderBy`
    pub order: Vec<Ordering>,
    /// `first`
    pub first: Option<Value>,
    /// `last`
    pub last: Option<Value>,
    /// `after`
    pub after: Option<String>,
    /// `before`
    pub before: Option<String>,
    /// `offset`
    pub offset: Option<Value>,
    /// Where the field stands.
    pub position: Option<Position>,
}

/// One word of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordering {
    /// The column.
    pub field: FieldId,
    /// Descending.
    pub descending: bool,
}

/// A condition on rows of a type.
#[derive(Debug, Clone)]
pub enum Filter {
    /// All of them; none at all holds for every row.
    And(Vec<Filter>),
    /// Any of them; none at all holds for no row.
    Or(Vec<Filter>),
    /// Not so.
    Not(Box<Filter>),
    /// A column compared with a value.
    Compare {
        /// The column.
        field: FieldId,
        /// How.
        operator: Operator,
        /// With what: a constant or a variable, or a list of them.
        value: Value,
    },
    /// A column is null, or is not.
    IsNull {
        /// The column.
        field: FieldId,
        /// Null wanted.
        wanted: bool,
    },
    /// A condition on the rows at the far end of a join.
    Related {
        /// The join.
        field: FieldId,
        /// How many of them.
        quantifier: Quantifier,
        /// The condition.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Looks at further rows for each row, or through its text: keys alone do not say how long that takes.
    pub fn may_run_long(&self) -> bool {
        match self {
            Filter::And(all) | Filter::Or(all) => all.iter().any(Filter::may_run_long),
            Filter::Not(one) => one.may_run_long(),
            Filter::Compare { operator, .. } => matches!(operator, Operator::Like | Operator::Ilike),
            Filter::IsNull { .. } => false,
            Filter::Related { .. } => true,
        }
    }
}

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// One of a list.
    In,
    /// None of a list.
    Nin,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// SQL pattern.
    Like,
    /// SQL pattern, upper and lower case of ASCII letters alike.
    Ilike,
    /// Begins with.
    StartsWith,
}

impl Operator {
    /// Reads `_eq` and its like; `_isNull` is none of them.
    pub fn parse(name: &str) -> Option<Operator> {
        Some(match name {
            "_eq" => Operator::Eq,
            "_neq" => Operator::Neq,
            "_in" => Operator::In,
            "_nin" => Operator::Nin,
            "_gt" => Operator::Gt,
            "_gte" => Operator::Gte,
            "_lt" => Operator::Lt,
            "_lte" => Operator::Lte,
            "_like" => Operator::Like,
            "_ilike" => Operator::Ilike,
            "_startsWith" => Operator::StartsWith,
            _ => return None,
        })
    }

    /// Takes a list.
    pub fn takes_list(self) -> bool {
        matches!(self, Operator::In | Operator::Nin)
    }

    /// Takes part of a text, so that it is not read as a whole value.
    pub fn takes_pattern(self) -> bool {
        matches!(self, Operator::Like | Operator::Ilike | Operator::StartsWith)
    }
}

/// How many rows at the far end have to fulfil a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one; the only one for a to-one join.
    Some,
    /// Not a single one.
    None,
    /// Each one, also when there are none.
    Every,
}

/// The name inside a `$variable`.
pub fn variable(value: &Value) -> Option<&Name> {
    match value {
        Value::Variable(name) => Some(name),
        _ => None,
    }
}
