//! The dataset types, their connections and the root fields, with descriptions that say class and custodian.
//! Resolving them is left to `query`.

use std::collections::BTreeMap;

use super::shape::{Field, InputField, Object};
use crate::catalog::{Catalog, Class, FieldDef, FieldKind, Mask, TypeDef};

/// Adds every object type of a catalogue.
pub(super) fn draw(catalog: &Catalog, objects: &mut BTreeMap<String, Object>) {
    let mut roots = Vec::new();
    for of in &catalog.types {
        objects.insert(of.name.clone(), table_type(catalog, of));
        if let Some(one) = of.one {
            roots.push(one_root(catalog, of, catalog.field(one)));
        }
        if let Some(list) = of.list {
            roots.push(list_root(catalog, of, catalog.field(list)));
            objects.insert(format!("{}Connection", of.name), connection(of));
            objects.insert(format!("{}Edge", of.name), edge(of));
        }
    }
    objects.insert("PageInfo".to_owned(), page_info());
    objects.insert(
        "Query".to_owned(),
        Object {
            description: "查詢: everything that can be asked. A field that is not granted is null and one error says \
                          whom to apply to. 未獲核准的欄位為 null，並有一則錯誤說明應向何機關申請。"
                .to_owned(),
            fields: roots,
        },
    );
}

fn table_type(catalog: &Catalog, of: &TypeDef) -> Object {
    let dataset = catalog.dataset(of.dataset);
    Object {
        description: format!(
            "{}\n\nDataset 資料庫: {} {}. Custodian 管理機關: {} {}.",
            of.description, dataset.code, dataset.title, dataset.custodian, dataset.custodian_title
        ),
        fields: of.fields.iter().filter_map(|id| member(catalog, catalog.field(*id))).collect(),
    }
}

fn member(catalog: &Catalog, field: &FieldDef) -> Option<Field> {
    let (ty, arguments, semantic_non_null) = match &field.kind {
        FieldKind::Column(column) => (column.scalar.graphql_name().to_owned(), Vec::new(), column.not_null),
        FieldKind::Join(join) if join.many => {
            let target = &catalog.type_def(join.target).name;
            (format!("[{target}!]"), list_arguments(target), true)
        }
        FieldKind::Join(join) => (catalog.type_def(join.target).name.clone(), Vec::new(), join.not_null),
        FieldKind::One(_) | FieldKind::List(_) => return None,
    };
    Some(Field {
        name: field.name.clone(),
        description: format!("{}\n\n{}", field.description, right(catalog, field)),
        arguments,
        ty,
        semantic_non_null,
        one_argument: false,
    })
}

/// What an applicant must know: class, mask, custodian.
fn right(catalog: &Catalog, field: &FieldDef) -> String {
    let class = match field.class {
        Class::Open => "OPEN 公開",
        Class::Internal => "INTERNAL 內部",
        Class::Personal => "PERSONAL 個人資料",
        Class::Sensitive => "SENSITIVE 特種個人資料",
    };
    let mask = match field.mask {
        None => "",
        Some(Mask::Name) => " Masked 遮罩: 王○明.",
        Some(Mask::NationalId) => " Masked 遮罩: A12****789.",
        Some(Mask::Street) => " Masked 遮罩: up to the street 至路段.",
        Some(Mask::Year) => " Masked 遮罩: the year only 僅年份.",
        Some(Mask::Initial) => " Masked 遮罩: first character only 僅首字.",
        Some(Mask::Hide) => " Masked 遮罩: nothing is shown 不顯示.",
    };
    let dataset = catalog.dataset(field.dataset);
    format!("Class 類別: {class}.{mask} Custodian 管理機關: {} {}.", dataset.custodian, dataset.custodian_title)
}

fn one_root(catalog: &Catalog, of: &TypeDef, root: &FieldDef) -> Field {
    let single = of.keys.len() == 1;
    let arguments = of
        .keys
        .iter()
        .map(|key| catalog.field(*key))
        .filter_map(|key| {
            let FieldKind::Column(column) = &key.kind else { return None };
            let name = column.scalar.graphql_name();
            let ty = if single { format!("{name}!") } else { name.to_owned() };
            Some(InputField::new(&key.name, &ty, key.description.lines().next().unwrap_or_default()))
        })
        .collect();
    let how = if single { "" } else { " Exactly one argument is given. 須恰好提供一個參數。" };
    Field {
        name: root.name.clone(),
        description: format!(
            "{}: one row by its key; null when there is none.{how}\n\n{}",
            first_line(of),
            right(catalog, root)
        ),
        arguments,
        ty: of.name.clone(),
        semantic_non_null: false,
        one_argument: !single,
    }
}

fn list_root(catalog: &Catalog, of: &TypeDef, root: &FieldDef) -> Field {
    let mut arguments = list_arguments(&of.name);
    arguments.insert(3, InputField::new("after", "String", "接在游標後: the rows after this cursor"));
    arguments.insert(4, InputField::new("last", "Int", "末幾筆: this many rows at the end"));
    arguments.insert(5, InputField::new("before", "String", "游標之前: the rows before this cursor"));
    Field {
        name: root.name.clone(),
        description: format!("{}: page by page.\n\n{}", first_line(of), right(catalog, root)),
        arguments,
        ty: format!("{}Connection", of.name),
        semantic_non_null: true,
        one_argument: false,
    }
}

fn list_arguments(target: &str) -> Vec<InputField> {
    vec![
        InputField::new("where", &format!("{target}Filter"), "篩選: which rows"),
        InputField::new("orderBy", &format!("[{target}Order!]"), "排序: in which order; by row number at last"),
        InputField::new("first", "Int", "前幾筆: this many rows at most"),
        InputField::new("offset", "Int", "略過筆數: leaves out this many rows first"),
    ]
}

fn connection(of: &TypeDef) -> Object {
    let name = &of.name;
    let field = |name: &str, ty: String, description: &str| plain(name, &ty, description);
    let mut total = field("totalCount", "Int".to_owned(), "總筆數: rows in all pages; counted only if asked for");
    total.semantic_non_null = true;
    Object {
        description: format!("分頁: one page of {name}."),
        fields: vec![
            field("nodes", format!("[{name}!]!"), "資料列: the rows"),
            field("edges", format!("[{name}Edge!]!"), "資料列與游標: the rows with their cursors"),
            field("pageInfo", "PageInfo!".to_owned(), "頁: where this page stands"),
            total,
        ],
    }
}

fn edge(of: &TypeDef) -> Object {
    Object {
        description: format!("資料列與游標: a {} row with its cursor.", of.name),
        fields: vec![
            plain("cursor", "String!", "游標: sealed place of the row; good for the same caller, right and order only"),
            plain("node", &format!("{}!", of.name), "資料列: the row"),
        ],
    }
}

fn page_info() -> Object {
    Object {
        description: "頁: where a page stands.".to_owned(),
        fields: vec![
            plain("hasNextPage", "Boolean!", "尚有後頁: more rows follow"),
            plain("hasPreviousPage", "Boolean!", "尚有前頁: more rows precede"),
            plain("startCursor", "String", "首筆游標: cursor of the first row"),
            plain("endCursor", "String", "末筆游標: cursor of the last row"),
        ],
    }
}

fn plain(name: &str, ty: &str, description: &str) -> Field {
    Field {
        name: name.to_owned(),
        description: description.to_owned(),
        arguments: Vec::new(),
        ty: ty.to_owned(),
        semantic_non_null: false,
        one_argument: false,
    }
}

fn first_line(of: &TypeDef) -> &str {
    of.description.lines().next().unwrap_or_default()
}
