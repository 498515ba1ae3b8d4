//! Checks the declarations against each other: duplicate names, names that clash with generated ones,
//! keys, scopes and the two ends of every join. What one field says for itself is left to `field`.

use std::collections::HashMap;

use super::draft::{Draft, DraftField, DraftType};
use super::fault::{Faults, Place};
use super::model::{Column, FieldKind};
use super::scalar::Scalar;
use super::words::hint;

/// What the schema adds to a type's name: `PersonFilter`.
const GENERATED: [&str; 6] = ["Connection", "Edge", "Filter", "ListFilter", "Order", "Aggregate"];

/// What the schema needs for itself besides.
const RESERVED: [&str; 9] =
    ["Query", "Mutation", "Subscription", "Float", "PageInfo", "OrderDirection", "Viewer", "Application", "MasterForm"];

/// Notes every fault that shows only when all is read.
pub(super) fn check(draft: &Draft, faults: &mut Faults) {
    check_type_names(draft, faults);
    check_roots(draft, faults);
    for draft_type in &draft.types {
        check_field_names(draft_type, faults);
        check_table(draft_type, faults);
        for field in &draft_type.fields {
            check_join(draft, draft_type, field, faults);
        }
    }
    let fields: usize = draft.types.iter().map(|draft_type| draft_type.fields.len() + 2).sum();
    if fields > usize::from(u16::MAX)
        && let Some(last) = draft.types.last()
    {
        faults.add(&last.place, "More than 65,535 fields in all.", "欄位總數超過 65,535。");
    }
}

fn check_type_names(draft: &Draft, faults: &mut Faults) {
    let mut taken: HashMap<String, String> = HashMap::new();
    for name in RESERVED.into_iter().chain(Scalar::ALL.iter().map(|scalar| scalar.graphql_name())) {
        taken.insert(name.to_owned(), "the schema itself".to_owned());
        let comparison = if name == "ID" { "Id" } else { name };
        taken.insert(format!("{comparison}Comparison"), "the schema itself".to_owned());
    }
    for draft_type in &draft.types {
        for suffix in GENERATED {
            taken.insert(format!("{}{suffix}", draft_type.name), draft_type.name.clone());
        }
    }
    for draft_type in &draft.types {
        let name = &draft_type.name;
        if let Some(by) = taken.get(name) {
            let by_zh = if by == "the schema itself" { "系統" } else { by };
            faults.add(
                &draft_type.place,
                format!("The name \"{name}\" is generated for {by}."),
                format!("名稱「{name}」已由 {by_zh} 產生使用。"),
            );
        }
    }
    let mut tables: HashMap<(u16, &str), &DraftType> = HashMap::new();
    for draft_type in draft.types.iter().filter(|draft_type| !draft_type.table.name.is_empty()) {
        if let Some(first) = tables.insert((draft_type.dataset.0, &draft_type.table.name), draft_type) {
            let (table, first) = (&draft_type.table.name, &first.name);
            faults.add(
                &draft_type.table.place,
                format!(
                    "The table \"{table}\" is already that of \"{first}\": its rows could be read under two rights."
                ),
                format!("資料表「{table}」已屬於「{first}」：同一資料列不可有兩套權限。"),
            );
        }
    }
}

fn check_roots(draft: &Draft, faults: &mut Faults) {
    let mut taken: HashMap<&str, &Place> = HashMap::new();
    for draft_type in &draft.types {
        let table = &draft_type.table;
        for (name, place) in table.list.iter().chain(table.one.iter()) {
            if let Some(first) = taken.insert(name, place) {
                let (file, line) = (&first.file, first.line);
                faults.add(
                    place,
                    format!("The root field \"{name}\" is already declared at {file}:{line}."),
                    format!("根欄位「{name}」已於 {file}:{line} 宣告。"),
                );
            }
        }
    }
}

fn check_field_names(draft_type: &DraftType, faults: &mut Faults) {
    let mut fields: HashMap<&str, &DraftField> = HashMap::new();
    let mut columns: HashMap<&str, &DraftField> = HashMap::new();
    for field in &draft_type.fields {
        let (owner, name) = (&draft_type.name, &field.name);
        if let Some(first) = fields.insert(name, field) {
            let (file, line) = (&first.place.file, first.place.line);
            let implied = if name == "id" { " Every type has \"id\" by itself." } else { "" };
            let implied_zh = if name == "id" { "每個型別自有 id。" } else { "" };
            faults.add(
                &field.place,
                format!("The field \"{owner}.{name}\" is already declared at {file}:{line}.{implied}"),
                format!("欄位「{owner}.{name}」已於 {file}:{line} 宣告。{implied_zh}"),
            );
            continue;
        }
        if let FieldKind::Column(column) = &field.kind
            && let Some(first) = columns.insert(&column.name, field)
        {
            let (column, first) = (&column.name, &first.name);
            faults.add(
                &field.place,
                format!("The column \"{column}\" is already that of \"{first}\": it could be read under two rights."),
                format!("資料欄「{column}」已屬於「{first}」：同一資料欄不可有兩套權限。"),
            );
        }
    }
}

fn check_table(draft_type: &DraftType, faults: &mut Faults) {
    let table = &draft_type.table;
    if let Some((scope, place)) = &table.scope {
        match find_column(draft_type, scope) {
            Some(column) if column.scalar == Scalar::String => {}
            Some(_) => faults.add(
                place,
                format!("The scope column \"{scope}\" holds a district code and must be a String."),
                format!("範圍欄「{scope}」存放行政區代碼，型別須為 String。"),
            ),
            None => {
                let (en, zh) = hint(scope, columns(draft_type).map(|column| column.name.as_str()));
                faults.add(
                    place,
                    format!("The scope column \"{scope}\" is not declared.{en}"),
                    format!("範圍欄「{scope}」未經宣告。{zh}"),
                );
            }
        }
    }
    for (i, key) in table.keys.iter().enumerate() {
        check_key(draft_type, key, table.keys[..i].contains(key), faults);
    }
    if let Some((one, place)) = &table.one
        && table.keys.is_empty()
    {
        faults.add(
            place,
            format!("\"{one}\" finds one row by a key: name the key fields in \"keys\"."),
            format!("「{one}」以鍵查得一列，請於 keys 列出鍵欄位。"),
        );
    }
}

fn check_key(draft_type: &DraftType, key: &str, repeated: bool, faults: &mut Faults) {
    let place = &draft_type.table.keys_place;
    if repeated {
        faults.add(place, format!("The key \"{key}\" is given twice."), format!("鍵「{key}」重複。"));
        return;
    }
    match draft_type.fields.iter().find(|field| field.name == key).map(|field| &field.kind) {
        Some(FieldKind::Column(_)) => {}
        Some(_) => faults.add(
            place,
            format!("The key \"{key}\" is a join; a key is one column."),
            format!("鍵「{key}」是關聯，鍵須為單一欄位。"),
        ),
        None => {
            let (en, zh) = hint(key, draft_type.fields.iter().map(|field| field.name.as_str()));
            faults.add(
                place,
                format!("The key \"{key}\" is no field of \"{}\".{en}", draft_type.name),
                format!("鍵「{key}」不是「{}」的欄位。{zh}", draft_type.name),
            );
        }
    }
}

/// The two ends of a join must be comparable. A column that is no field is read as text; whether it is one is left to the
/// start-up check against the database.
fn check_join(draft: &Draft, owner: &DraftType, field: &DraftField, faults: &mut Faults) {
    let FieldKind::Join(join) = &field.kind else { return };
    let target = &draft.types[join.target.0 as usize];
    let (from, to) = (side(owner, &join.from), side(target, &join.to));
    if from.map_or("text", storage) != to.map_or("text", storage) {
        let name = |side: Option<Scalar>| side.map_or("no field, read as text", Scalar::graphql_name);
        let (left, right) = (name(from), name(to));
        let (a, b) = (&join.from, &join.to);
        faults.add(
            &field.place,
            format!("The join compares \"{a}\" ({left}) with \"{b}\" ({right})."),
            format!("關聯以「{a}」（{left}）比對「{b}」（{right}），型別不同。"),
        );
    }
}

/// What the databases keep; joins compare only like with like.
fn storage(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Int => "integer",
        Scalar::Id => "row number",
        Scalar::Boolean => "boolean",
        Scalar::Date => "date",
        Scalar::Decimal => "decimal",
        _ => "text",
    }
}

/// The scalar of a join's side; none where the column is no field.
fn side(of: &DraftType, column: &str) -> Option<Scalar> {
    if of.table.id == column { Some(Scalar::Id) } else { find_column(of, column).map(|known| known.scalar) }
}

fn columns(draft_type: &DraftType) -> impl Iterator<Item = &Column> {
    draft_type.fields.iter().filter_map(|field| match &field.kind {
        FieldKind::Column(column) => Some(column),
        _ => None,
    })
}

fn find_column<'a>(draft_type: &'a DraftType, name: &str) -> Option<&'a Column> {
    columns(draft_type).find(|column| column.name == name)
}
