//! Filters, orderings and comparisons of every type, in Hasura's words, with their descriptions. What they
//! mean in SQL is left to `query`.

use std::collections::BTreeMap;

use super::shape::{Input, InputField, InputKind};
use crate::catalog::scalar::Scalar;
use crate::catalog::{Catalog, FieldDef, FieldKind, TypeDef};

/// Adds every input type of a catalogue.
pub(super) fn draw(catalog: &Catalog, inputs: &mut BTreeMap<String, Input>) {
    for scalar in Scalar::ALL {
        let description = describe_scalar(scalar).to_owned();
        inputs.insert(scalar.graphql_name().to_owned(), Input { description, kind: InputKind::Scalar(scalar) });
        inputs.insert(comparison_name(scalar), comparison(scalar));
    }
    inputs.insert("OrderDirection".to_owned(), direction());
    for of in &catalog.types {
        inputs.insert(format!("{}Filter", of.name), filter(catalog, of));
        inputs.insert(format!("{}ListFilter", of.name), list_filter(of));
        inputs.insert(format!("{}Order", of.name), order(catalog, of));
    }
}

/// `DateComparison`; the library's `ID` is written `Id` inside names.
fn comparison_name(scalar: Scalar) -> String {
    let name = scalar.graphql_name();
    format!("{}Comparison", if name == "ID" { "Id" } else { name })
}

fn describe_scalar(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String | Scalar::Int | Scalar::Id | Scalar::Boolean => "",
        Scalar::Date => {
            "日期: a calendar day. Answers have \"2015-04-22\"; also read are 民國104年4月22日, 104/04/22 and 1040422."
        }
        Scalar::Decimal => {
            "小數: an exact decimal number. Answers have it as text, \"614.94\"; text and numbers are read."
        }
        Scalar::NationalId => {
            "統一編號: 國民身分證統一編號 or 外來人口統一證號, ten characters with a check digit, \"A123456789\"."
        }
        Scalar::ParcelNumber => "地號: eight digits, mother number and child number, \"00180001\"; also read is 18-1.",
        Scalar::BuildingNumber => {
            "建號: eight digits, mother number and child number, \"01157000\"; also read is 1157-0."
        }
        Scalar::PermitNumber => "執照號碼: number of a permit, \"115使字第0001號\".",
        Scalar::AddressKey => {
            "地址鍵: normalised door plate of Taipei; any usual writing of an address is read and normalised."
        }
    }
}

fn comparison(scalar: Scalar) -> Input {
    let name = scalar.graphql_name();
    let list = format!("[{name}!]");
    let mut fields =
        vec![InputField::new("_eq", name, "等於: equal"), InputField::new("_neq", name, "不等於: not equal")];
    if scalar != Scalar::Boolean {
        fields.push(InputField::new("_in", &list, "在其中: one of these"));
        fields.push(InputField::new("_nin", &list, "不在其中: none of these"));
    }
    if !matches!(scalar, Scalar::Boolean | Scalar::Id) {
        fields.push(InputField::new("_gt", name, "大於: greater"));
        fields.push(InputField::new("_gte", name, "大於或等於: greater or equal"));
        fields.push(InputField::new("_lt", name, "小於: less"));
        fields.push(InputField::new("_lte", name, "小於或等於: less or equal"));
    }
    if scalar.is_text() {
        fields.push(InputField::new("_like", "String", "樣式: pattern, % any characters, _ one character"));
        fields.push(InputField::new("_ilike", "String", "樣式（不分大小寫）: the same, letter case ignored"));
        fields.push(InputField::new("_startsWith", "String", "開頭為: begins with"));
    }
    fields.push(InputField::new("_isNull", "Boolean", "無值: true for rows without a value, false for rows with one"));
    let description = format!("比較: conditions on a column of type {name}; all that are given must hold.");
    Input { description, kind: InputKind::Object(fields) }
}

fn direction() -> Input {
    let words = vec![
        ("ASC".to_owned(), "遞增: smallest first".to_owned()),
        ("DESC".to_owned(), "遞減: greatest first".to_owned()),
    ];
    Input { description: "排序方向: direction of an order.".to_owned(), kind: InputKind::Enum(words) }
}

fn columns<'a>(catalog: &'a Catalog, of: &'a TypeDef) -> impl Iterator<Item = (&'a FieldDef, Scalar)> {
    of.fields.iter().filter_map(|id| match &catalog.field(*id).kind {
        FieldKind::Column(column) => Some((catalog.field(*id), column.scalar)),
        _ => None,
    })
}

fn filter(catalog: &Catalog, of: &TypeDef) -> Input {
    let own = format!("{}Filter", of.name);
    let list = format!("[{own}!]");
    let mut fields = vec![
        InputField::new("_and", &list, "且: all of these"),
        InputField::new("_or", &list, "或: at least one of these"),
        InputField::new("_not", &own, "非: not this"),
    ];
    for field in of.fields.iter().map(|id| catalog.field(*id)) {
        let ty = match &field.kind {
            FieldKind::Column(column) => comparison_name(column.scalar),
            FieldKind::Join(join) => {
                let target = &catalog.type_def(join.target).name;
                if join.many { format!("{target}ListFilter") } else { format!("{target}Filter") }
            }
            FieldKind::One(_) | FieldKind::List(_) => continue,
        };
        fields.push(InputField::new(&field.name, &ty, first_line(&field.description)));
    }
    let description = format!("篩選: which {} rows; all conditions that are given must hold.", of.name);
    Input { description, kind: InputKind::Object(fields) }
}

fn list_filter(of: &TypeDef) -> Input {
    let own = format!("{}Filter", of.name);
    let fields = vec![
        InputField::new("_some", &own, "至少一筆: at least one row is so"),
        InputField::new("_none", &own, "沒有一筆: no row is so"),
        InputField::new("_every", &own, "每一筆: every row is so; also when there is none"),
    ];
    let description = format!("清單篩選: conditions on a list of {}.", of.name);
    Input { description, kind: InputKind::Object(fields) }
}

fn order(catalog: &Catalog, of: &TypeDef) -> Input {
    let fields = columns(catalog, of)
        .map(|(field, _)| InputField::new(&field.name, "OrderDirection", first_line(&field.description)))
        .collect();
    let description = format!(
        "排序: order of {} rows; earlier entries of the list, and earlier fields in an entry, weigh more.",
        of.name
    );
    Input { description, kind: InputKind::Object(fields) }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
