//! What is read of one type and one field before numbers are given out. Left to others: reading them
//! (`read`, `field`), checking them against each other (`check`).

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::Place;
use super::model::{Class, Dataset, DatasetId, FieldKind, Mask, TypeId};

/// Everything read so far.
pub(super) struct Draft {
    pub(super) datasets: Vec<Dataset>,
    pub(super) types: Vec<DraftType>,
    pub(super) names: HashMap<String, TypeId>,
    /// Every file could be parsed: only then is an unknown name a fault.
    pub(super) complete: bool,
}

/// A type as declared.
pub(super) struct DraftType {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) description: String,
    pub(super) dataset: DatasetId,
    pub(super) table: DraftTable,
    pub(super) fields: Vec<DraftField>,
}

/// `@table`
pub(super) struct DraftTable {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) scope: Option<(String, Place)>,
    pub(super) list: Option<(String, Place)>,
    pub(super) one: Option<(String, Place)>,
    pub(super) keys: Vec<String>,
    pub(super) keys_place: Place,
}

/// A field as declared.
pub(super) struct DraftField {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) description: String,
    pub(super) dataset: DatasetId,
    pub(super) kind: FieldKind,
    pub(super) class: Class,
    pub(super) mask: Option<Mask>,
}

/// What reading a field needs to know of its surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) file: &'a Arc<str>,
    /// The dataset of the file that declares the field.
    pub(super) dataset: DatasetId,
    /// The dataset of the type that the field belongs to.
    pub(super) owner_dataset: DatasetId,
    pub(super) datasets: &'a [Dataset],
    pub(super) names: &'a HashMap<String, TypeId>,
    pub(super) complete: bool,
}
