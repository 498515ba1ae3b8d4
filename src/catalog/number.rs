//! Gives every type and field its number, once the declarations are known to be free of faults.

use std::collections::HashMap;

use super::draft::{Draft, DraftField, DraftType};
use super::fault::Place;
use super::model::{Catalog, Class, FieldDef, FieldId, FieldKind, TypeDef, TypeId};

/// Builds the catalogue: first the fields of all types, then the root fields.
pub(super) fn number(draft: Draft, hash: [u8; 32]) -> Catalog {
    let mut catalog = Catalog {
        datasets: draft.datasets,
        types: Vec::with_capacity(draft.types.len()),
        fields: Vec::new(),
        hash,
        types_by_name: draft.names,
        fields_by_coordinate: HashMap::new(),
        places: Vec::new(),
    };
    let mut tables = Vec::with_capacity(draft.types.len());
    for (number, draft_type) in draft.types.into_iter().enumerate() {
        let id = TypeId(number as u16); // `check` refuses more than fit
        let DraftType { name, place: _, description, dataset, table, fields } = draft_type;
        let numbers: Vec<FieldId> =
            fields.into_iter().map(|field| push(&mut catalog, id, format!("{name}.{}", field.name), field)).collect();
        let by_name = |key: &String| numbers.iter().copied().find(|id| catalog.field(*id).name == *key);
        let keys = table.keys.iter().filter_map(by_name).collect();
        catalog.types.push(TypeDef {
            id,
            name,
            description,
            dataset,
            table: table.name.clone(),
            id_column: table.id.clone(),
            scope_column: table.scope.as_ref().map(|(column, _)| column.clone()),
            fields: numbers,
            one: None,
            list: None,
            keys,
        });
        tables.push(table);
    }
    for (number, table) in tables.into_iter().enumerate() {
        let id = TypeId(number as u16); // as above
        if let Some((name, place)) = table.one {
            catalog.types[number].one = Some(root(&mut catalog, id, name, place, FieldKind::One(id)));
        }
        if let Some((name, place)) = table.list {
            catalog.types[number].list = Some(root(&mut catalog, id, name, place, FieldKind::List(id)));
        }
    }
    catalog
}

fn root(catalog: &mut Catalog, owner: TypeId, name: String, place: Place, kind: FieldKind) -> FieldId {
    let target = catalog.type_def(owner);
    // Coming in by the root tells that a row is there: as public as the most public thing in the row.
    let class = target.fields.iter().skip(1).map(|id| catalog.field(*id));
    let class = class.filter(|field| matches!(field.kind, FieldKind::Column(_))).map(|field| field.class).min();
    let field = DraftField {
        description: target.description.clone(),
        dataset: target.dataset,
        class: class.unwrap_or(Class::Internal),
        mask: None,
        place,
        kind,
        name: name.clone(),
    };
    push(catalog, owner, format!("Query.{name}"), field)
}

fn push(catalog: &mut Catalog, owner: TypeId, coordinate: String, field: DraftField) -> FieldId {
    let id = FieldId(catalog.fields.len() as u16); // `check` refuses more than fit
    let DraftField { name, place, description, dataset, kind, class, mask } = field;
    catalog.fields_by_coordinate.insert(coordinate.clone(), id);
    catalog.places.push(place);
    catalog.fields.push(FieldDef { id, name, coordinate, description, dataset, owner, kind, class, mask });
    id
}
