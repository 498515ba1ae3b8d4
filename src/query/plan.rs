//! The plan: a value that says which statements run, after which, and how their rows become the answer and the
//! record. Making it is `planner`'s, running it `load`'s and `write`'s.

use std::sync::Arc;

use super::ask::{Filter, PageField};
use super::looked_for::LookedFor;
use super::slot::{Number, Slot};
use crate::access::Refusal;
use crate::audit::shape::Blob;
use crate::catalog::scalar::Scalar;
use crate::catalog::{DatasetId, Mask};
use crate::store::rows::Kind;
use crate::store::source::Statement;

/// How one operation is answered under one set of rights.
#[derive(Debug)]
pub struct Plan {
    /// The statements.
    pub steps: Vec<Step>,
    /// The answer's roots in order.
    pub roots: Vec<RootOut>,
    /// Shape of the record.
    pub shape: Arc<Blob>,
    /// Number of its rectangles.
    pub rectangles: u16,
    /// One error for each denied selection.
    pub denied: Vec<Refusal>,
    /// For the cost, one for each list and row asked for.
    pub estimates: Vec<Estimate>,
    /// Look-ups for the record alone.
    pub looked_for: Vec<LookedFor>,
    /// Uses personal data.
    pub personal: bool,
    /// Every dataset that it reads or asks a custodian's leave of.
    pub datasets: Vec<DatasetId>,
}

impl Plan {
    /// Memory that it takes, in bytes, for the bound of all plans that are kept: by what most of it goes for.
    pub fn weight(&self) -> usize {
        /// Columns, slots, response keys and their names, for each field of an estimate.
        const FIELD: usize = 400;
        /// Texts in two languages and the extensions of a refusal.
        const REFUSAL: usize = 2_000;
        let statements: usize =
            self.steps.iter().map(|step| 2 * step.statement.sql.len() + 64 * step.slots.len()).sum();
        let fields: usize = self.estimates.iter().map(|one| one.fields as usize + 2).sum();
        1_000 + statements + FIELD * fields + REFUSAL * self.denied.len() + self.shape.bytes.len()
    }
}

/// One statement.
#[derive(Debug)]
pub struct Step {
    /// Number of the database.
    pub database: usize,
    /// The statement.
    pub statement: Statement,
    /// Its parameters in order.
    pub slots: Vec<Slot>,
    /// How its rows hang together with those before.
    pub link: Link,
    /// The steps whose rows it needs.
    pub needs: Vec<usize>,
    /// Where in the operation, for error texts.
    pub path: String,
}

/// How the rows of a step hang together with those of others.
#[derive(Debug, Clone, PartialEq)]
pub enum Link {
    /// Rows of a root; of a connection, one more than its page, and whether read from the end.
    Root {
        /// The page.
        page: Option<(Number, bool)>,
    },
    /// Rows whose `own` column equals the parent's `column`.
    Keys {
        /// The parent's step.
        parent: usize,
        /// Column of the parent's rows.
        column: usize,
        /// Column of the own rows.
        own: usize,
        /// Column of the row number, where the rows of a parent come in any order and belong in that of their numbers.
        by_number: Option<usize>,
    },
    /// Rows whose `own` column equals the second column of link rows whose first equals the parent's `column`.
    Through {
        /// The parent's step.
        parent: usize,
        /// Column of the parent's rows.
        column: usize,
        /// Step of the link rows.
        links: usize,
        /// Column of the own rows.
        own: usize,
        /// At most so many rows per parent, after an offset.
        page: Option<(Number, Number)>,
    },
    /// Link rows, a set of keys, or a count: read by other steps only.
    Loose {
        /// Bounded by the limit of keys instead of rows.
        keys: bool,
    },
}

/// One root of the answer.
#[derive(Debug)]
pub struct RootOut {
    /// `"key":`
    pub prefix: Box<[u8]>,
    /// Response key.
    pub key: String,
    /// What follows.
    pub kind: RootOutKind,
}

/// What stands under a root.
#[derive(Debug)]
pub enum RootOutKind {
    /// A denied root.
    Null,
    /// `"Query"`
    Typename,
    /// Answered by `graphql`.
    Other,
    /// One row or null.
    One(View),
    /// A connection.
    Connection(Box<Connection>),
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    /// Its rectangle.
    pub rectangle: u16,
    /// Step of its rows, if any are asked for.
    pub step: Option<usize>,
    /// Step of its count, if asked for.
    pub count: Option<usize>,
    /// Rows asked for.
    pub size: Number,
    /// Read from the end.
    pub backward: bool,
    /// A cursor was given: its row is before the first (forward) or after the last (backward) if the filter of this name
    /// is that of the list.
    pub begun: Option<u64>,
    /// `where`
    pub filter: Option<Filter>,
    /// `offset`, if given: then rows were passed over.
    pub offset: Option<Number>,
    /// Columns that a cursor carries, then the row number.
    pub cursor: Vec<usize>,
    /// Says under which order a cursor holds.
    pub cursor_order: String,
    /// Its fields.
    pub parts: Vec<PartOut>,
}

/// One field of a connection.
#[derive(Debug)]
pub struct PartOut {
    /// `"key":`, with a comma before all but the first.
    pub prefix: Box<[u8]>,
    /// What follows.
    pub kind: PartOutKind,
}

/// What stands under a connection's field.
#[derive(Debug)]
pub enum PartOutKind {
    /// Denied.
    Null,
    /// `[…]` of rows.
    Nodes(View),
    /// `[{…}]` of edges.
    Edges {
        /// Rectangle of the edges.
        rectangle: u16,
        /// Fields of an edge.
        fields: Vec<EdgeOut>,
    },
    /// `{…}` of the page.
    PageInfo {
        /// Its rectangle.
        rectangle: u16,
        /// Its fields with their prefix.
        fields: Vec<(Box<[u8]>, PageField)>,
    },
    /// A number.
    TotalCount,
    /// A type's name, quoted.
    Typename(Box<[u8]>),
}

/// One field of an edge.
#[derive(Debug)]
pub struct EdgeOut {
    /// `"key":`
    pub prefix: Box<[u8]>,
    /// What follows.
    pub kind: EdgeOutKind,
}

/// What stands under an edge's field.
#[derive(Debug)]
pub enum EdgeOutKind {
    /// The row.
    Node(View),
    /// Its cursor.
    Cursor,
    /// A type's name, quoted.
    Typename(Box<[u8]>),
}

/// How rows of a step become objects.
#[derive(Debug)]
pub struct View {
    /// The step whose rows.
    pub step: usize,
    /// Column of the row number; null where a to-one join found nothing.
    pub id: usize,
    /// The rectangle of the record.
    pub rectangle: u16,
    /// Its fields in order.
    pub fields: Vec<FieldOut>,
}

/// One field of an object. Its place in the list is its column in the rectangle.
#[derive(Debug)]
pub struct FieldOut {
    /// `"key":`, with a comma before all but the first.
    pub prefix: Box<[u8]>,
    /// What follows.
    pub kind: FieldOutKind,
}

/// What stands under a field.
#[derive(Debug)]
pub enum FieldOutKind {
    /// Denied: always null, and not an exception of the record.
    Null,
    /// A value.
    Column {
        /// Column of the step's rows.
        column: usize,
        /// Written between quotes.
        quoted: bool,
        /// Shown under a mask.
        mask: Option<Mask>,
    },
    /// A type's name, quoted.
    Typename(Box<[u8]>),
    /// A row that rides on its parent's.
    Ride(View),
    /// At most one row of another step.
    One(View),
    /// Rows of another step.
    Many(View),
}

/// Rows expected for each row above, for the cost.
#[derive(Debug)]
pub struct Estimate {
    /// The estimate above.
    pub parent: Option<usize>,
    /// Rows for each of its rows.
    pub rows: Expected,
    /// Fields asked of each.
    pub fields: u32,
}

/// Rows expected.
#[derive(Debug)]
pub enum Expected {
    /// So many.
    Exactly(u64),
    /// As an argument says.
    Page(Number),
}

/// What a column of a scalar holds.
pub fn kind_of(scalar: Scalar, scale: u32) -> Kind {
    match scalar {
        Scalar::Int | Scalar::Id => Kind::Int,
        Scalar::Boolean => Kind::Bool,
        Scalar::Date => Kind::Date,
        Scalar::Decimal => Kind::Decimal(scale.min(28) as u8),
        _ => Kind::Text,
    }
}

/// `"key":` with a comma before all but the first.
pub fn prefix(first: bool, key: &str) -> Box<[u8]> {
    // GraphQL names need no escaping in JSON.
    format!("{}\"{key}\":", if first { "" } else { "," }).into_bytes().into()
}
