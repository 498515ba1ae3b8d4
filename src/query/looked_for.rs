//! Persons that conditions look for by what identifies them: recorded as touched whether or not a row of theirs comes out,
//! since a list that stays empty tells of them, too. What comes out is recorded by `write`.

use super::ask::{Filter, Object, Operator, Window};
use super::condition::condition;
use super::plan::{Link, Step};
use super::planner::Planner;
use super::slot::Slot;
use super::sql::Draft;
use super::uses;
use crate::access::Refusal;
use crate::catalog::{Catalog, Class, FieldKind, TypeId};
use crate::store::bind::Bind;
use crate::store::rows::Kind;
use crate::store::source::Lane;

/// The step that finds the rows, and the rectangle that they are recorded in. It has no columns: what the condition used
/// stands with its list.
pub type LookedFor = (usize, u16);

/// Plans a look-up for each type of which the window's conditions compare a personal key with given values.
pub(super) fn plan(planner: &mut Planner, of: TypeId, window: &Window, path: &str) -> Result<(), Refusal> {
    let Some(filter) = &window.filter else { return Ok(()) };
    let mut found = Vec::new();
    by_type(planner.catalog, of, filter, &mut found);
    for (of, compared) in found {
        let step = look_up(planner, of, compared, window, path)?;
        let target = planner.catalog.type_def(of);
        let rectangle = planner.shape.begin(&format!("{path}.where"), &target.name, Some(target.dataset));
        planner.looked_for.push((step, rectangle));
    }
    Ok(())
}

/// One row for each value at most, within the scope in which the condition finds any.
fn look_up(
    planner: &mut Planner,
    of: TypeId,
    compared: Vec<Filter>,
    window: &Window,
    path: &str,
) -> Result<usize, Refusal> {
    let step = planner.reserve();
    let mut draft = Draft::new(planner.place(of)?);
    let table = draft.from(&planner.catalog.type_def(of).table);
    let filter = Filter::Or(compared);
    if let Some(looked) = uses::filtered_here(&filter).first() {
        let id = planner.granted_condition(looked.field, looked.one_value)?.row_number_here(planner.catalog);
        draft.column(table, &id, Kind::Int);
    }
    let compared = condition(planner, &mut draft, table, &filter, window.position)?;
    draft.filter(compared);
    let window = Window { filter: Some(filter), ..Window::default() };
    let scope = planner.scope(&Object { of, fields: Vec::new() }, &window);
    planner.narrow(&mut draft, table, of, &scope);
    let database = draft.place().database;
    let cap = Slot::Ready(Bind::Int(i64::from(planner.bounds.limits().keys)));
    let (statement, slots) = draft.finish(cap, None, false, Lane::Shared);
    let link = Link::Loose { keys: true };
    planner.set(step, Step { database, statement, slots, link, needs: vec![], path: path.to_owned() });
    Ok(step)
}

/// The comparisons with a personal key, by the type whose rows they find; those at the far end of joins included.
fn by_type(catalog: &Catalog, of: TypeId, filter: &Filter, found: &mut Vec<(TypeId, Vec<Filter>)>) {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().for_each(|one| by_type(catalog, of, one, found)),
        Filter::Not(one) => by_type(catalog, of, one, found),
        Filter::Compare { field, operator, value } => {
            let is_key = catalog.type_def(of).keys.contains(field) && catalog.field(*field).class >= Class::Personal;
            let Some(operator) = naming(*operator).filter(|_| is_key) else { return };
            let compared = Filter::Compare { field: *field, operator, value: value.clone() };
            match found.iter_mut().find(|(known, _)| *known == of) {
                Some((_, known)) => known.push(compared),
                None => found.push((of, vec![compared])),
            }
        }
        Filter::IsNull { .. } => {}
        Filter::Related { field, filter, .. } => {
            if let FieldKind::Join(join) = &catalog.field(*field).kind {
                by_type(catalog, join.target, filter, found);
            }
        }
    }
}

/// How the rows are found that a comparison names, whether it wants them or all others. Ranges and patterns name none.
fn naming(operator: Operator) -> Option<Operator> {
    match operator {
        Operator::Eq | Operator::Neq => Some(Operator::Eq),
        Operator::In | Operator::Nin => Some(Operator::In),
        _ => None,
    }
}
