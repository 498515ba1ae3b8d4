//! The shape of an operation's selections, and the content-addressed blobs that records refer to. Computed
//! once per plan, stored once per segment, so that a record carries row numbers only.

use std::sync::{Arc, LazyLock};

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// Bytes known by their SHA-256: a document's text, or an encoded [`Shape`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of `bytes`.
    pub hash: [u8; 32],
    /// The content.
    pub bytes: Box<[u8]>,
}

impl Blob {
    /// Takes a document's text, or any bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Arc<Blob> {
        let bytes = bytes.into();
        Arc::new(Blob { hash: Sha256::digest(&bytes).into(), bytes })
    }

    /// The shape of what was never planned.
    pub fn none() -> Arc<Blob> {
        static NONE: LazyLock<Arc<Blob>> = LazyLock::new(|| Shape::default().to_blob());
        NONE.clone()
    }

    /// The blob of a document's text.
    pub fn text(text: &str) -> Arc<Blob> {
        Blob::new(text.as_bytes())
    }
}

/// What an operation's selections look like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Shape {
    /// One per selection set (and concrete type) of the operation; [`Touched`](super::Touched) counts them from 0.
    #[n(0)]
    pub rectangles: Vec<RectangleShape>,
}

/// The columns of one selection set.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RectangleShape {
    /// Response path without list indexes, `usePermit.parcels`; empty for the operation's root.
    #[n(0)]
    pub path: String,
    /// GraphQL type of the objects, `Parcel`, `ParcelConnection`, `Query`.
    #[n(1)]
    pub type_name: String,
    /// Code of the dataset that holds the rows; none for objects that are no rows.
    #[n(2)]
    pub dataset: Option<String>,
    /// The fields selected on each object, and the fields used in other ways by the operation.
    #[n(3)]
    pub columns: Vec<ShapeColumn>,
}

/// One field with the use that was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShapeColumn {
    /// Response key (alias or name); the argument's name for uses other than selections.
    #[n(0)]
    pub key: String,
    /// Name of the field.
    #[n(1)]
    pub field: String,
    /// Type that owns the field where it is not the rectangle's own: a filter through a relation.
    #[n(2)]
    pub of: Option<String>,
    /// What was done with it.
    #[n(3)]
    pub use_: Use,
    /// What the caller was shown of it.
    #[n(4)]
    pub outcome: ColumnOutcome,
}

impl ShapeColumn {
    /// A selected column of the rectangle's own type.
    pub fn select(key: impl Into<String>, field: impl Into<String>, outcome: ColumnOutcome) -> ShapeColumn {
        ShapeColumn { key: key.into(), field: field.into(), of: None, use_: Use::Select, outcome }
    }
}

/// What an operation does with a field. `Select` and `Join` hold for each row; the others once per operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Use {
    /// Shown in the answer.
    #[n(0)]
    Select,
    /// Walked to another type.
    #[n(1)]
    Join,
    /// Decided which rows.
    #[n(2)]
    Filter,
    /// Decided their order.
    #[n(3)]
    Order,
    /// Grouped by.
    #[n(4)]
    Group,
    /// Counted, summed, …
    #[n(5)]
    Aggregate,
    /// Told where a page begins.
    #[n(6)]
    Cursor,
    /// Identified one row (`person(nationalId:)`).
    #[n(7)]
    Key,
}

impl Use {
    /// All uses, in the order of their numbers.
    pub const ALL: [Use; 8] =
        [Use::Select, Use::Join, Use::Filter, Use::Order, Use::Group, Use::Aggregate, Use::Cursor, Use::Key];

    /// The use holds for each row of the rectangle, not once per operation.
    pub fn is_per_row(self) -> bool {
        matches!(self, Use::Select | Use::Join)
    }

    /// The number in the format.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// `filter`
    pub fn name(self) -> &'static str {
        match self {
            Use::Select => "select",
            Use::Join => "join",
            Use::Filter => "filter",
            Use::Order => "order",
            Use::Group => "group",
            Use::Aggregate => "aggregate",
            Use::Cursor => "cursor",
            Use::Key => "key",
        }
    }
}

/// What the caller was shown of a column, apart from exceptions of single rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ColumnOutcome {
    /// The value.
    #[n(0)]
    Shown,
    /// The value under its mask.
    #[n(1)]
    Masked,
    /// Nothing: null and an error.
    #[n(2)]
    Denied,
}

impl Shape {
    /// Encodes it for the log; do this once per plan and keep the result.
    pub fn to_blob(&self) -> Arc<Blob> {
        // Encoding plain structs into memory has no way to fail.
        Blob::new(minicbor::to_vec(self).unwrap_or_default())
    }

    /// Reads what [`Shape::to_blob`] wrote. Logs of the first release say with an empty blob that nothing was planned.
    pub fn from_bytes(bytes: &[u8]) -> Result<Shape, minicbor::decode::Error> {
        if bytes.is_empty() { Ok(Shape::default()) } else { minicbor::decode(bytes) }
    }
}
