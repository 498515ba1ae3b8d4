//! Reads the declaration files into a [`Catalog`], all faults at once. The files reach it as texts: where
//! they lie is left to the caller; what a field and a directive may say is left to `field` and `directive`.

use std::collections::HashMap;

use async_graphql_parser::types::{ObjectType, TypeDefinition, TypeKind};
use sha2::{Digest, Sha256};

use super::directive::{self, Arguments};
use super::draft::{Draft, DraftField, DraftTable, DraftType, Surroundings};
use super::fault::{Fault, Faults, Place};
use super::model::{Catalog, Class, Column, Dataset, DatasetId, FieldKind, TypeId};
use super::scalar::Scalar;
use super::source::{self, Source};
use super::words::{hint, is_graphql_name};
use super::{check, number};

/// Reads and checks declarations: (file name, text) in the order in which datasets are numbered.
pub fn read(files: &[(String, String)]) -> Result<Catalog, Vec<Fault>> {
    let mut faults = Faults::default();
    let (mut sources, complete) = source::parse(files, &mut faults);
    // A file that could not be parsed leaves no gap in the numbers.
    for (number, source) in sources.iter_mut().enumerate() {
        source.dataset.id = DatasetId(u16::try_from(number).unwrap_or(u16::MAX));
    }
    let mut draft = Draft {
        datasets: sources.iter().map(|source| source.dataset.clone()).collect(),
        types: Vec::new(),
        names: HashMap::new(),
        complete,
    };
    let bodies = read_types(&sources, &mut draft, &mut faults);
    for (source, id, body) in bodies {
        read_fields(source, id, body, &mut draft, &mut faults);
    }
    read_extensions(&sources, &mut draft, &mut faults);
    check::check(&draft, &mut faults);
    faults.into_result(files)?;
    Ok(number::number(draft, hash(files)))
}

/// SHA-256 over names and texts, each preceded by its length so that no two sets of files look alike.
fn hash(files: &[(String, String)]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().into()
}

/// The types by name, each with its body: fields can be read only when every name is known.
fn read_types<'a>(
    sources: &'a [Source],
    draft: &mut Draft,
    faults: &mut Faults,
) -> Vec<(&'a Source, TypeId, &'a ObjectType)> {
    let mut bodies = Vec::new();
    for source in sources {
        for positioned in source.types.iter().filter(|definition| !definition.node.extend) {
            let definition = &positioned.node;
            let place = Place::new(&source.file, definition.name.pos);
            let Some(body) = object(definition, &place, faults) else { continue };
            let name = definition.name.node.as_str();
            if let Some(first) = draft.names.get(name) {
                let first = &draft.types[first.0 as usize].place;
                let (file, line) = (&first.file, first.line);
                faults.add(
                    &place,
                    format!("The type \"{name}\" is already declared at {file}:{line}."),
                    format!("型別「{name}」已於 {file}:{line} 宣告。"),
                );
                continue;
            }
            let id = TypeId(u16::try_from(draft.types.len()).unwrap_or(u16::MAX));
            let draft_type = read_type(source, definition, place, faults);
            draft.names.insert(name.to_owned(), id);
            draft.types.push(draft_type);
            bodies.push((source, id, body));
        }
    }
    bodies
}

/// The body of an object type; anything else has no place in a declaration.
fn object<'a>(definition: &'a TypeDefinition, place: &Place, faults: &mut Faults) -> Option<&'a ObjectType> {
    match &definition.kind {
        TypeKind::Object(object) if object.implements.is_empty() => Some(object),
        TypeKind::Object(object) => {
            faults.add(
                place,
                "Interfaces are not supported: guards are decided per type.",
                "不支援 interface：權限依型別逐一判定。",
            );
            Some(object)
        }
        _ => {
            faults.add(
                place,
                "Only \"type\" and \"extend type\" are declared; scalars, enums and inputs are generated.",
                "宣告只有 type 與 extend type；純量、列舉與輸入型別由系統產生。",
            );
            None
        }
    }
}

fn read_type(source: &Source, definition: &TypeDefinition, place: Place, faults: &mut Faults) -> DraftType {
    let name = definition.name.node.to_string();
    if !is_graphql_name(&name) || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        faults.add(
            &place,
            format!("\"{name}\": a type's name begins with a capital letter."),
            format!("「{name}」：型別名稱以大寫英文字母開頭。"),
        );
    }
    let description = definition.description.as_ref().map(|text| text.node.trim().to_owned()).unwrap_or_default();
    if description.is_empty() {
        faults.add(&place, format!("\"{name}\" has no description."), format!("「{name}」沒有說明。"));
    }
    let found = directive::find(&source.file, &definition.directives, &["table"], faults);
    let table = found.first().map(|arguments| read_table(arguments, faults)).unwrap_or_else(|| {
        faults.add(&place, format!("The type \"{name}\" has no @table."), format!("型別「{name}」沒有 @table。"));
        DraftTable {
            place: place.clone(),
            name: String::new(),
            id: "id".to_owned(),
            scope: None,
            list: None,
            one: None,
            keys: Vec::new(),
            keys_place: place.clone(),
        }
    });
    let id = DraftField {
        name: "id".to_owned(),
        place: table.place.clone(),
        description: "Number of the row; it tells nothing about a person. 資料列代號，不含個人資料".to_owned(),
        dataset: source.dataset.id,
        kind: FieldKind::Column(Column { name: table.id.clone(), scalar: Scalar::Id, scale: 0, not_null: true }),
        class: Class::Internal,
        mask: None,
    };
    DraftType { name, place, description, dataset: source.dataset.id, table, fields: vec![id] }
}

fn read_table(arguments: &Arguments<'_>, faults: &mut Faults) -> DraftTable {
    let mut root = |name: &str| {
        let found = arguments.text(name, faults)?;
        if !is_graphql_name(&found.value) {
            let value = &found.value;
            faults.add(
                &found.place,
                format!("\"{value}\" cannot be the name of a root field."),
                format!("「{value}」不能作為根欄位名稱。"),
            );
            return None;
        }
        Some((found.value, found.place))
    };
    let (list, one) = (root("list"), root("one"));
    DraftTable {
        place: arguments.place.clone(),
        name: arguments.required_sql_name("name", faults).map(|name| name.value).unwrap_or_default(),
        id: arguments.sql_name("id", faults).map_or_else(|| "id".to_owned(), |name| name.value),
        scope: arguments.sql_name("scope", faults).map(|name| (name.value, name.place)),
        list,
        one,
        keys: arguments.texts("keys", faults),
        keys_place: arguments.place_of("keys"),
    }
}

fn read_extensions(sources: &[Source], draft: &mut Draft, faults: &mut Faults) {
    for source in sources {
        for positioned in source.types.iter().filter(|definition| definition.node.extend) {
            let definition = &positioned.node;
            let place = Place::new(&source.file, definition.name.pos);
            let Some(body) = object(definition, &place, faults) else { continue };
            directive::find(&source.file, &definition.directives, &[], faults);
            let name = definition.name.node.as_str();
            match draft.names.get(name).copied() {
                Some(id) => read_fields(source, id, body, draft, faults),
                None if draft.complete => {
                    let (en, zh) = hint(name, draft.names.keys().map(String::as_str));
                    faults.add(
                        &place,
                        format!("extend type \"{name}\": it is not declared.{en}"),
                        format!("extend type「{name}」：該型別未經宣告。{zh}"),
                    );
                }
                None => {}
            }
        }
    }
}

fn read_fields(source: &Source, id: TypeId, body: &ObjectType, draft: &mut Draft, faults: &mut Faults) {
    let owner_dataset = draft.types[id.0 as usize].dataset;
    let datasets: &[Dataset] = &draft.datasets;
    let around = Surroundings {
        file: &source.file,
        dataset: source.dataset.id,
        owner_dataset,
        datasets,
        names: &draft.names,
        complete: draft.complete,
    };
    let fields: Vec<DraftField> =
        body.fields.iter().filter_map(|field| super::field::read(&around, &field.node, faults)).collect();
    draft.types[id.0 as usize].fields.extend(fields);
}
