//! Reads the arguments of a list: `where`, `orderBy` and the page.

use async_graphql::parser::types::Field;
use async_graphql_value::{Name, Value};
use indexmap::IndexMap;

use super::ask::{Filter, Operator, Ordering, Quantifier, Window};
use super::resolve::{Resolver, unexpected};
use crate::access::{Position, Refusal};
use crate::catalog::{FieldDef, FieldKind, TypeId};

/// Deepest nesting of one condition.
const DEEPEST: u32 = 12;

/// Reads the arguments of a field that leads to many rows of a type.
pub(super) fn read(resolver: &mut Resolver, of: TypeId, field: &Field, position: Position) -> Result<Window, Refusal> {
    let mut window = Window { position: Some(position), ..Window::default() };
    for (name, value) in &field.arguments {
        let value = &value.node;
        if resolver.is_absent(value)? {
            continue;
        }
        match name.node.as_str() {
            "where" => window.filter = Some(filter(resolver, of, value, 0).map_err(|refusal| refusal.at(position))?),
            "orderBy" => window.order = order(resolver, of, value).map_err(|refusal| refusal.at(position))?,
            "first" => window.first = Some(value.clone()),
            "last" => window.last = Some(value.clone()),
            "offset" => window.offset = Some(value.clone()),
            "after" => window.after = Some(cursor(resolver, value).map_err(|refusal| refusal.at(position))?),
            "before" => window.before = Some(cursor(resolver, value).map_err(|refusal| refusal.at(position))?),
            other => return Err(unexpected(other)),
        }
    }
    check_page(&window).map_err(|refusal| refusal.at(position))?;
    Ok(window)
}

fn check_page(window: &Window) -> Result<(), Refusal> {
    if window.first.is_some() && window.last.is_some() {
        return Err(Refusal::input("Give first or last, not both.", "first 與 last 只能擇一。"));
    }
    if window.after.is_some() && window.before.is_some() {
        return Err(Refusal::input("Give after or before, not both.", "after 與 before 只能擇一。"));
    }
    if window.offset.is_some() && (window.last.is_some() || window.before.is_some()) {
        return Err(Refusal::input("offset goes with first only.", "offset 只能與 first 併用。"));
    }
    if window.last.is_some() && window.after.is_some() || window.first.is_some() && window.before.is_some() {
        return Err(Refusal::input(
            "Page forward with first and after, backward with last and before.",
            "往後翻頁用 first 與 after，往前翻頁用 last 與 before。",
        ));
    }
    Ok(())
}

/// A cursor decides the statement's form, so its plan fits this request only.
fn cursor(resolver: &mut Resolver, value: &Value) -> Result<String, Refusal> {
    resolver.single_use = true;
    match resolver.structure(value)? {
        Value::String(text) => Ok(text),
        _ => {
            Err(Refusal::input("A cursor is the text that an earlier answer gave.", "游標必須是先前回應所提供的文字。"))
        }
    }
}

fn order(resolver: &mut Resolver, of: TypeId, value: &Value) -> Result<Vec<Ordering>, Refusal> {
    let words = match resolver.structure(value)? {
        Value::List(words) => words,
        one => vec![one],
    };
    let mut order = Vec::new();
    for word in words {
        resolver.bounds().order_words(order.len())?;
        let word = resolver.structure(&word)?;
        let Value::Object(entries) = &word else { return Err(unexpected("orderBy")) };
        for (name, direction) in entries {
            if resolver.is_absent(direction)? {
                continue;
            }
            let descending = match resolver.structure(direction)? {
                Value::Enum(name) => name == "DESC",
                Value::String(name) => name == "DESC",
                _ => return Err(unexpected("orderBy")),
            };
            order.push(Ordering { field: own_field(resolver, of, name)?.id, descending });
        }
    }
    resolver.bounds().order_words(order.len())?;
    Ok(order)
}

fn own_field<'a>(resolver: &Resolver<'a>, of: TypeId, name: &Name) -> Result<&'a FieldDef, Refusal> {
    resolver.catalog.find_field(of, name.as_str()).ok_or_else(|| unexpected(name))
}

fn filter(resolver: &mut Resolver, of: TypeId, value: &Value, depth: u32) -> Result<Filter, Refusal> {
    if depth > DEEPEST {
        return Err(Refusal::new(
            crate::access::Code::QueryTooCostly,
            format!("where is nested deeper than {DEEPEST}."),
            format!("where 的巢狀超過 {DEEPEST} 層。"),
        )
        .with("limit", "where")
        .with("found", depth)
        .with("most", DEEPEST));
    }
    let entries = object(resolver, value)?;
    let mut all = Vec::new();
    resolver.count_condition()?;
    for (name, value) in &entries {
        if resolver.is_left_unset(value)? {
            continue;
        }
        match name.as_str() {
            "_and" => all.push(Filter::And(filters(resolver, of, value, depth)?)),
            "_or" => all.push(Filter::Or(filters(resolver, of, value, depth)?)),
            "_not" => all.push(Filter::Not(Box::new(filter(resolver, of, value, depth + 1)?))),
            _ => {
                let field = own_field(resolver, of, name)?;
                match &field.kind {
                    FieldKind::Column(_) => compare(resolver, field, value, &mut all)?,
                    FieldKind::Join(join) => {
                        let (target, many) = (join.target, join.many);
                        related(resolver, field, target, many, value, depth, &mut all)?;
                    }
                    _ => return Err(unexpected(name)),
                }
            }
        }
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
}

fn filters(resolver: &mut Resolver, of: TypeId, value: &Value, depth: u32) -> Result<Vec<Filter>, Refusal> {
    match resolver.structure(value)? {
        Value::List(items) => items.iter().map(|item| filter(resolver, of, item, depth + 1)).collect(),
        one => Ok(vec![filter(resolver, of, &one, depth + 1)?]),
    }
}

fn object(resolver: &mut Resolver, value: &Value) -> Result<IndexMap<Name, Value>, Refusal> {
    match resolver.structure(value)? {
        Value::Object(entries) => Ok(entries),
        _ => Err(Refusal::input(
            "null is no condition; leave the field out, or use _isNull.",
            "null 不是條件；請省略該欄位，或使用 _isNull。",
        )),
    }
}

fn compare(resolver: &mut Resolver, field: &FieldDef, value: &Value, all: &mut Vec<Filter>) -> Result<(), Refusal> {
    for (name, value) in object(resolver, value)? {
        if resolver.is_left_unset(&value)? {
            continue;
        }
        resolver.count_condition()?;
        if resolver.is_absent(&value)? {
            return Err(null_compared(field, &name));
        }
        if name == "_isNull" {
            let wanted = match resolver.structure(&value)? {
                Value::Boolean(wanted) => wanted,
                _ => return Err(unexpected("_isNull")),
            };
            all.push(Filter::IsNull { field: field.id, wanted });
            continue;
        }
        let operator = Operator::parse(&name).ok_or_else(|| unexpected(&name))?;
        if let Value::List(items) = &value {
            for item in items {
                if resolver.is_absent(item)? {
                    return Err(null_compared(field, &name));
                }
            }
        }
        all.push(Filter::Compare { field: field.id, operator, value });
    }
    Ok(())
}

fn null_compared(field: &FieldDef, operator: &str) -> Refusal {
    Refusal::input(
        format!("{operator} of {} cannot compare with null; use _isNull.", field.coordinate),
        format!("{} 的 {operator} 不能與 null 比較；請使用 _isNull。", field.coordinate),
    )
}

fn related(
    resolver: &mut Resolver,
    field: &FieldDef,
    target: TypeId,
    many: bool,
    value: &Value,
    depth: u32,
    all: &mut Vec<Filter>,
) -> Result<(), Refusal> {
    if !many {
        let filter = filter(resolver, target, value, depth + 1)?;
        all.push(Filter::Related { field: field.id, quantifier: Quantifier::Some, filter: Box::new(filter) });
        return Ok(());
    }
    for (name, value) in object(resolver, value)? {
        if resolver.is_left_unset(&value)? {
            continue;
        }
        let quantifier = match name.as_str() {
            "_some" => Quantifier::Some,
            "_none" => Quantifier::None,
            "_every" => Quantifier::Every,
            other => return Err(unexpected(other)),
        };
        let filter = filter(resolver, target, &value, depth + 1)?;
        all.push(Filter::Related { field: field.id, quantifier, filter: Box::new(filter) });
    }
    Ok(())
}
