//! The catalogue as checked data: what every dataset declares, resolved to numbers and names that cannot
//! be wrong. Reading and checking the declarations is left to `catalog::read`.

use std::collections::HashMap;

use super::fault::Place;
use super::scalar::Scalar;

/// Number of a field in [`Catalog::fields`]; stable for one set of declarations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);

/// Number of a type in [`Catalog::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u16);

/// Number of a dataset in [`Catalog::datasets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatasetId(pub u16);

/// All datasets, types and fields, checked once at start.
#[derive(Debug)]
pub struct Catalog {
    /// The datasets in file order.
    pub datasets: Vec<Dataset>,
    /// The table types in declaration order.
    pub types: Vec<TypeDef>,
    /// Every field of every type, and the root fields, in one numbering.
    pub fields: Vec<FieldDef>,
    /// SHA-256 over the declarations; part of every audit record.
    pub hash: [u8; 32],
    /// `Parcel` → type.
    pub types_by_name: HashMap<String, TypeId>,
    /// Schema coordinate (`Parcel.areaM2`, `Query.parcels`) → field.
    pub fields_by_coordinate: HashMap<String, FieldId>,
    /// Where each field is declared, by its number: for faults that show only against a database.
    pub places: Vec<Place>,
}

/// One dataset (資料庫) with its custodian (管理機關).
#[derive(Debug, Clone)]
pub struct Dataset {
    /// This dataset's number.
    pub id: DatasetId,
    /// `land`
    pub code: String,
    /// `地政`
    pub title: String,
    /// Code of the managing agency: `land-office`.
    pub custodian: String,
    /// Name of the managing agency: `臺北市政府地政局`.
    pub custodian_title: String,
    /// Dataset whose connection this one shares when the configuration names none of its own.
    pub lives_with: Option<String>,
}

/// How much a field tells about a person (`domain.md`: O, A, P, PS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Class {
    /// Open data, already published.
    Open,
    /// Administrative, not about a natural person.
    Internal,
    /// Personal data (個人資料, Personal Data Protection Act §2).
    Personal,
    /// Personal Data Protection Act §6 and the like.
    Sensitive,
}

/// How a field is shown to those who may see it only masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mask {
    /// `王小明` → `王○明`
    Name,
    /// `A123456789` → `A12****789`
    NationalId,
    /// `臺北市大安區復興南路一段36號3樓` → `臺北市大安區復興南路一段***`
    Street,
    /// `1986-03-02` → `1986-01-01`: the year only.
    Year,
    /// First character, then `***`.
    Initial,
    /// Nothing is shown: the value becomes null.
    Hide,
}

/// A table type.
#[derive(Debug, Clone)]
pub struct TypeDef {
    /// This type's number.
    pub id: TypeId,
    /// GraphQL name, `Parcel`.
    pub name: String,
    /// English and Chinese, as clients read it.
    pub description: String,
    /// The dataset whose database holds the table.
    pub dataset: DatasetId,
    /// Table name without schema, `parcels`.
    pub table: String,
    /// Column of the surrogate key (64-bit integer, unique), `id`.
    pub id_column: String,
    /// Column that holds the row's district code, if rows can be scoped by district.
    pub scope_column: Option<String>,
    /// All fields of this type, in declaration order, the implicit `id` first.
    pub fields: Vec<FieldId>,
    /// Root field for one row by a unique key (`Query.parcel`).
    pub one: Option<FieldId>,
    /// Root field for the connection (`Query.parcels`).
    pub list: Option<FieldId>,
    /// Fields that each identify one row, accepted as arguments of `one`.
    pub keys: Vec<FieldId>,
}

/// One field: a column, a join, or a root field.
#[derive(Debug, Clone)]
pub struct FieldDef {
    /// This field's number.
    pub id: FieldId,
    /// `areaM2`
    pub name: String,
    /// `Parcel.areaM2`, `Query.parcels`
    pub coordinate: String,
    /// English and Chinese, as clients read it.
    pub description: String,
    /// The dataset whose custodian decides about this field (the declaring file's dataset).
    pub dataset: DatasetId,
    /// The type this field belongs to; for a root field the type it leads to.
    pub owner: TypeId,
    /// What the field is.
    pub kind: FieldKind,
    /// Data class. A join has the class that walking it reveals.
    pub class: Class,
    /// How it is shown when granted masked; every personal column has one.
    pub mask: Option<Mask>,
}

/// What a field is.
#[derive(Debug, Clone)]
pub enum FieldKind {
    /// A column of the type's table.
    Column(Column),
    /// A walk to another type.
    Join(Join),
    /// `Query.parcel`
    One(TypeId),
    /// `Query.parcels`
    List(TypeId),
}

impl FieldKind {
    /// The type whose rows it leads to.
    pub fn target(&self) -> Option<TypeId> {
        match self {
            FieldKind::Column(_) => None,
            FieldKind::Join(join) => Some(join.target),
            FieldKind::One(of) | FieldKind::List(of) => Some(*of),
        }
    }
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Database name.
    pub name: String,
    /// Scalar, decides parsing, comparison and output.
    pub scalar: Scalar,
    /// Digits after the point, for `Decimal`.
    pub scale: u32,
    /// The database never holds null here.
    pub not_null: bool,
}

/// A join by one column on each side, straight or through a link table.
#[derive(Debug, Clone)]
pub struct Join {
    /// The type that it leads to.
    pub target: TypeId,
    /// Column of the owner's table.
    pub from: String,
    /// Column of the target's table.
    pub to: String,
    /// Link table in the dataset that declares the field's `through` table, for m:n.
    pub through: Option<Through>,
    /// A list (`true`) or at most one.
    pub many: bool,
    /// The declaration says that the far end always exists (`Zone!`).
    pub not_null: bool,
}

/// A link table.
#[derive(Debug, Clone)]
pub struct Through {
    /// Dataset whose database holds the link table.
    pub dataset: DatasetId,
    /// Table name without schema.
    pub table: String,
    /// Column equal to the owner's `from`.
    pub from: String,
    /// Column equal to the target's `to`.
    pub to: String,
}

impl Catalog {
    /// The field of that number.
    pub fn field(&self, id: FieldId) -> &FieldDef {
        &self.fields[id.0 as usize]
    }

    /// Where a field is declared.
    pub fn place(&self, id: FieldId) -> &Place {
        &self.places[id.0 as usize]
    }

    /// The type of that number.
    pub fn type_def(&self, id: TypeId) -> &TypeDef {
        &self.types[id.0 as usize]
    }

    /// The dataset of that number.
    pub fn dataset(&self, id: DatasetId) -> &Dataset {
        &self.datasets[id.0 as usize]
    }

    /// Finds a field of a type by its GraphQL name.
    pub fn find_field(&self, owner: TypeId, name: &str) -> Option<&FieldDef> {
        let fields = &self.type_def(owner).fields;
        fields.iter().map(|id| self.field(*id)).find(|field| field.name == name)
    }

    /// Finds a root field (`parcel`, `parcels`) by name.
    pub fn find_root(&self, name: &str) -> Option<&FieldDef> {
        self.fields_by_coordinate.get(&format!("Query.{name}")).map(|id| self.field(*id))
    }
}
