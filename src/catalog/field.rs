//! Reads one field of a declaration: a column or a join. Checks between fields are left to `check`.

use async_graphql_parser::types::{BaseType, FieldDefinition, Type};

use super::directive::{self, Arguments};
use super::draft::{DraftField, Surroundings};
use super::fault::{Faults, Place};
use super::model::{Class, Column, DatasetId, FieldKind, Join, Mask, Through};
use super::scalar::Scalar;
use super::words::{hint, is_graphql_name, snake_case};

const CLASSES: [(&str, Class); 4] = [
    ("OPEN", Class::Open),
    ("INTERNAL", Class::Internal),
    ("PERSONAL", Class::Personal),
    ("SENSITIVE", Class::Sensitive),
];

const MASKS: [(&str, Mask); 6] = [
    ("NAME", Mask::Name),
    ("NATIONAL_ID", Mask::NationalId),
    ("STREET", Mask::Street),
    ("YEAR", Mask::Year),
    ("INITIAL", Mask::Initial),
    ("HIDE", Mask::Hide),
];

/// Reads a field; `None` when its type is beyond guessing, and the fault is noted.
pub(super) fn read(around: &Surroundings<'_>, field: &FieldDefinition, faults: &mut Faults) -> Option<DraftField> {
    let name = field.name.node.as_str();
    let place = Place::new(around.file, field.name.pos);
    if !is_graphql_name(name) {
        faults.add(
            &place,
            format!("\"{name}\": names that begin with _ are kept for operators."),
            format!("「{name}」：底線開頭的名稱保留給運算子。"),
        );
    }
    if let Some(argument) = field.arguments.first() {
        faults.add(
            &Place::new(around.file, argument.pos),
            "Arguments are generated, a declaration has none.",
            "參數由系統產生，宣告中不可自訂。",
        );
    }
    let description = field.description.as_ref().map(|text| text.node.trim().to_owned()).unwrap_or_default();
    if description.is_empty() {
        faults.add(&place, format!("\"{name}\" has no description."), format!("「{name}」沒有說明。"));
    }
    let found = directive::find(around.file, &field.directives, &["column", "join"], faults);
    let column = found.iter().find(|directive| directive.is("column"));
    let join = found.iter().find(|directive| directive.is("join"));
    let (kind, class, mask) = match (column, join) {
        (Some(arguments), None) => read_column(around, name, &place, field, arguments, faults)?,
        (None, Some(arguments)) => {
            let class = read_class(arguments, faults);
            (FieldKind::Join(read_join(around, field, arguments, faults)?), class, None)
        }
        _ => {
            faults.add(
                &place,
                format!("\"{name}\" needs either @column or @join."),
                format!("「{name}」須有 @column 或 @join 其中之一。"),
            );
            return None;
        }
    };
    Some(DraftField { name: name.to_owned(), place, description, dataset: around.dataset, kind, class, mask })
}

fn read_class(arguments: &Arguments<'_>, faults: &mut Faults) -> Class {
    if !arguments.has("class") {
        faults.add(
            &arguments.place,
            "The data class is missing: OPEN, INTERNAL, PERSONAL or SENSITIVE.",
            "缺少資料類別：OPEN、INTERNAL、PERSONAL 或 SENSITIVE。",
        );
    }
    arguments.word("class", &CLASSES, faults).unwrap_or(Class::Open)
}

fn read_column(
    around: &Surroundings<'_>,
    name: &str,
    place: &Place,
    field: &FieldDefinition,
    arguments: &Arguments<'_>,
    faults: &mut Faults,
) -> Option<(FieldKind, Class, Option<Mask>)> {
    let class = read_class(arguments, faults);
    let mask = arguments.word("mask", &MASKS, faults);
    if class >= Class::Personal && mask.is_none() && !arguments.has("mask") {
        faults.add(
            place,
            format!("\"{name}\" is personal data and has no mask."),
            format!("「{name}」為個人資料，未宣告遮罩。"),
        );
    }
    if around.dataset != around.owner_dataset {
        faults.add(
            place,
            format!(
                "\"{name}\": a column belongs into the file of its table's dataset; other files can add joins only."
            ),
            format!("「{name}」：欄位應宣告於資料表所屬資料庫的檔案，其他檔案只能增加關聯。"),
        );
    }
    let ty = &field.ty.node;
    let type_place = Place::new(around.file, field.ty.pos);
    let scalar = match &ty.base {
        BaseType::Named(scalar) => Scalar::find(scalar.as_str()),
        BaseType::List(_) => None,
    };
    let Some(scalar) = scalar else {
        let named = innermost(ty);
        let (en, zh) = hint(named, Scalar::ALL.iter().map(|scalar| scalar.graphql_name()));
        faults.add(
            &type_place,
            format!("A column's type is a scalar, not \"{ty}\".{en}"),
            format!("欄位的型別須為純量，不能是「{ty}」。{zh}"),
        );
        return None;
    };
    if let Some(mask) = mask
        && !fits(mask, scalar)
    {
        let word = MASKS.iter().find(|(_, known)| *known == mask).map_or("", |(word, _)| *word);
        let ty = scalar.graphql_name();
        faults.add(
            &arguments.place_of("mask"),
            format!("The mask {word} does not fit {ty}."),
            format!("遮罩 {word} 不適用於 {ty}。"),
        );
    }
    let scale = arguments.number("scale", 18, faults);
    match (scalar, scale) {
        (Scalar::Decimal, None) if !arguments.has("scale") => faults.add(
            &arguments.place,
            "A Decimal column says how many digits stand after the point: scale.",
            "Decimal 欄位須以 scale 註明小數位數。",
        ),
        (Scalar::Decimal, _) | (_, None) => {}
        _ => faults.add(&arguments.place_of("scale"), "Only Decimal has a scale.", "只有 Decimal 才有 scale。"),
    }
    let column = match arguments.has("name") {
        true => arguments.sql_name("name", faults).map_or_else(|| snake_case(name), |name| name.value),
        false => snake_case(name),
    };
    let column = Column { name: column, scalar, scale: scale.unwrap_or(0), not_null: !ty.nullable };
    Some((FieldKind::Column(column), class, mask))
}

fn fits(mask: Mask, scalar: Scalar) -> bool {
    match mask {
        Mask::Name => scalar == Scalar::String,
        Mask::NationalId => matches!(scalar, Scalar::NationalId | Scalar::String),
        Mask::Street => matches!(scalar, Scalar::AddressKey | Scalar::String),
        Mask::Year => scalar == Scalar::Date,
        Mask::Initial => scalar.is_text(),
        Mask::Hide => true,
    }
}

fn read_join(
    around: &Surroundings<'_>,
    field: &FieldDefinition,
    arguments: &Arguments<'_>,
    faults: &mut Faults,
) -> Option<Join> {
    let ty = &field.ty.node;
    let type_place = Place::new(around.file, field.ty.pos);
    let many = matches!(ty.base, BaseType::List(_));
    if let BaseType::List(item) = &ty.base
        && (ty.nullable || item.nullable || matches!(item.base, BaseType::List(_)))
    {
        let named = innermost(ty);
        faults.add(
            &type_place,
            format!("A join to many is written [{named}!]!."),
            format!("一對多關聯的型別寫作 [{named}!]!。"),
        );
    }
    let from = arguments.required_sql_name("from", faults);
    let to = arguments.required_sql_name("to", faults);
    let through = read_through(around, many, arguments, faults);
    let named = innermost(ty);
    let target = around.names.get(named).copied();
    if target.is_none() && Scalar::find(named).is_some() {
        faults.add(
            &type_place,
            format!("A join leads to a type, not to the scalar {named}."),
            format!("關聯須通往型別，不能是純量 {named}。"),
        );
    } else if target.is_none() && around.complete {
        let (en, zh) = hint(named, around.names.keys().map(String::as_str));
        faults.add(
            &type_place,
            format!("The type \"{named}\" is not declared.{en}"),
            format!("型別「{named}」未經宣告。{zh}"),
        );
    }
    Some(Join { target: target?, from: from?.value, to: to?.value, through, many, not_null: !ty.nullable })
}

fn read_through(
    around: &Surroundings<'_>,
    many: bool,
    arguments: &Arguments<'_>,
    faults: &mut Faults,
) -> Option<Through> {
    if !arguments.has("through") {
        for argument in ["throughFrom", "throughTo", "throughDataset"] {
            if arguments.has(argument) {
                faults.add(
                    &arguments.place_of(argument),
                    format!("{argument} without through: which link table?"),
                    format!("有 {argument} 而無 through：未指明關聯表。"),
                );
            }
        }
        return None;
    }
    if !many {
        faults.add(
            &arguments.place_of("through"),
            "A join through a link table leads to a list.",
            "經由關聯表的關聯須為清單。",
        );
    }
    let table = arguments.sql_name("through", faults);
    let from = arguments.required_sql_name("throughFrom", faults);
    let to = arguments.required_sql_name("throughTo", faults);
    let dataset = read_through_dataset(around, arguments, faults);
    Some(Through { dataset, table: table?.value, from: from?.value, to: to?.value })
}

fn read_through_dataset(around: &Surroundings<'_>, arguments: &Arguments<'_>, faults: &mut Faults) -> DatasetId {
    let Some(code) = arguments.text("throughDataset", faults) else { return around.dataset };
    let found = around.datasets.iter().find(|dataset| dataset.code == code.value);
    if found.is_none() && around.complete {
        let value = &code.value;
        let (en, zh) = hint(value, around.datasets.iter().map(|dataset| dataset.code.as_str()));
        faults.add(
            &code.place,
            format!("throughDataset names the dataset \"{value}\", which is not declared.{en}"),
            format!("throughDataset 所指資料庫「{value}」未經宣告。{zh}"),
        );
    }
    found.map_or(around.dataset, |dataset| dataset.id)
}

fn innermost(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => innermost(item),
    }
}
