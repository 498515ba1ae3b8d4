//! Reads a validated document into what it asks. Validation against the schema came before, so that what cannot
//! happen here is answered with `INTERNAL` rather than believed.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, Field, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql_value::{ConstValue, Name, Value};
use indexmap::IndexMap;

use super::ask::{
    EdgeKind, EdgePart, Object, Operation, PageField, Part, PartKind, Root, RootKind, Selected, SelectedKind, Window,
};
use super::cost::Bounds;
use super::window;
use crate::access::{Code, Position, Refusal};
use crate::catalog::{Catalog, FieldKind, TypeId};

/// The variables of a request, coerced: checked, canonical, with their defaults.
pub type Variables = async_graphql::Variables;

/// Reads documents; one for each request.
pub struct Resolver<'a> {
    pub(super) catalog: &'a Catalog,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    sent: &'a Variables,
    bounds: &'a Bounds,
    pub(super) single_use: bool,
    fields: u32,
    aliases: u32,
    spreads: u32,
    conditions: u32,
    deepest: u32,
}

/// Fields of one response key, in the order found.
type Collected<'a> = IndexMap<String, Vec<&'a Positioned<Field>>>;

/// Resolves an operation of a validated document.
pub fn resolve(
    catalog: &Catalog,
    operation: &OperationDefinition,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    sent: &Variables,
    bounds: &Bounds,
) -> Result<Operation, Refusal> {
    let mut resolver = Resolver {
        catalog,
        fragments,
        sent,
        bounds,
        single_use: false,
        fields: 0,
        aliases: 0,
        spreads: 0,
        conditions: 0,
        deepest: 0,
    };
    let roots = match operation.ty {
        OperationType::Query => resolver.roots(&operation.selection_set)?,
        _ => Vec::new(),
    };
    Ok(Operation {
        roots,
        single_use: resolver.single_use,
        fields: resolver.fields,
        aliases: resolver.aliases,
        depth: resolver.deepest,
    })
}

/// A parser's position as ours.
pub fn position(pos: async_graphql::Pos) -> Position {
    Position { line: pos.line, column: pos.column }
}

/// Something that validation had excluded.
pub(super) fn unexpected(what: &str) -> Refusal {
    Refusal::new(
        Code::ValidationFailed,
        format!("The document does not fit the schema: {what}."),
        format!("文件不符合綱要：{what}。"),
    )
}

impl<'a> Resolver<'a> {
    fn roots(&mut self, set: &'a Positioned<SelectionSet>) -> Result<Vec<Root>, Refusal> {
        let collected = self.collect([set], 1)?;
        collected.into_iter().map(|(key, fields)| self.root(key, &fields)).collect()
    }

    fn root(&mut self, key: String, fields: &[&'a Positioned<Field>]) -> Result<Root, Refusal> {
        let field = &fields[0].node;
        let position = position(fields[0].pos);
        let name = field.name.node.as_str();
        let kind = match (name, self.catalog.find_root(name)) {
            ("__typename", _) => RootKind::Typename,
            (_, None) => RootKind::Other,
            (_, Some(root)) => match root.kind {
                FieldKind::One(of) => {
                    let (key, value) = self.key_argument(of, field)?;
                    RootKind::One { field: root.id, key, value, object: self.object(of, fields, 2)? }
                }
                FieldKind::List(of) => RootKind::List {
                    field: root.id,
                    of,
                    window: Box::new(window::read(self, of, field, position)?),
                    parts: self.parts(of, fields)?,
                },
                _ => return Err(unexpected(name)),
            },
        };
        Ok(Root { key, position, kind })
    }

    fn key_argument(&mut self, of: TypeId, field: &'a Field) -> Result<(crate::catalog::FieldId, Value), Refusal> {
        let mut given = Vec::new();
        for (name, value) in &field.arguments {
            if self.is_absent(&value.node)? {
                continue;
            }
            let key = self.catalog.find_field(of, name.node.as_str()).ok_or_else(|| unexpected(name.node.as_str()))?;
            given.push((key.id, value.node.clone()));
        }
        let keys = &self.catalog.type_def(of).keys;
        let names: Vec<_> = keys.iter().map(|key| self.catalog.field(*key).name.as_str()).collect();
        match given.len() {
            1 => Ok(given.remove(0)),
            _ => Err(Refusal::input(
                format!("Give exactly one of the keys: {}.", names.join(", ")),
                format!("請恰好指定一個鍵：{}。", names.join("、")),
            )),
        }
    }

    fn parts(&mut self, of: TypeId, fields: &[&'a Positioned<Field>]) -> Result<Vec<Part>, Refusal> {
        let collected = self.collect(fields.iter().map(|field| &field.node.selection_set), 2)?;
        let mut parts = Vec::new();
        for (key, fields) in collected {
            let kind = match fields[0].node.name.node.as_str() {
                "nodes" => PartKind::Nodes(self.object(of, &fields, 3)?),
                "edges" => PartKind::Edges(self.edges(of, &fields)?),
                "pageInfo" => PartKind::PageInfo(self.page_info(&fields)?),
                "totalCount" => PartKind::TotalCount,
                "__typename" => PartKind::Typename,
                other => return Err(unexpected(other)),
            };
            parts.push(Part { key, kind });
        }
        Ok(parts)
    }

    fn edges(&mut self, of: TypeId, fields: &[&'a Positioned<Field>]) -> Result<Vec<EdgePart>, Refusal> {
        let collected = self.collect(fields.iter().map(|field| &field.node.selection_set), 3)?;
        let mut parts = Vec::new();
        for (key, fields) in collected {
            let kind = match fields[0].node.name.node.as_str() {
                "node" => EdgeKind::Node(self.object(of, &fields, 4)?),
                "cursor" => EdgeKind::Cursor,
                "__typename" => EdgeKind::Typename,
                other => return Err(unexpected(other)),
            };
            parts.push(EdgePart { key, kind });
        }
        Ok(parts)
    }

    fn page_info(&mut self, fields: &[&'a Positioned<Field>]) -> Result<Vec<(String, PageField)>, Refusal> {
        let collected = self.collect(fields.iter().map(|field| &field.node.selection_set), 3)?;
        let kind = |name: &str| match name {
            "hasNextPage" => Ok(PageField::HasNext),
            "hasPreviousPage" => Ok(PageField::HasPrevious),
            "startCursor" => Ok(PageField::Start),
            "endCursor" => Ok(PageField::End),
            "__typename" => Ok(PageField::Typename),
            other => Err(unexpected(other)),
        };
        collected.into_iter().map(|(key, fields)| Ok((key, kind(fields[0].node.name.node.as_str())?))).collect()
    }

    fn object(&mut self, of: TypeId, fields: &[&'a Positioned<Field>], depth: u32) -> Result<Object, Refusal> {
        let collected = self.collect(fields.iter().map(|field| &field.node.selection_set), depth)?;
        let fields = collected.into_iter().map(|(key, fields)| self.selected(of, key, &fields, depth));
        Ok(Object { of, fields: fields.collect::<Result<_, _>>()? })
    }

    fn selected(
        &mut self,
        of: TypeId,
        key: String,
        fields: &[&'a Positioned<Field>],
        depth: u32,
    ) -> Result<Selected, Refusal> {
        let position = position(fields[0].pos);
        let name = fields[0].node.name.node.as_str();
        if name == "__typename" {
            return Ok(Selected { key, position, kind: SelectedKind::Typename });
        }
        let field = self.catalog.find_field(of, name).ok_or_else(|| unexpected(name))?;
        let (id, join) = match &field.kind {
            FieldKind::Column(_) => return Ok(Selected { key, position, kind: SelectedKind::Column(field.id) }),
            FieldKind::Join(join) => (field.id, join),
            _ => return Err(unexpected(name)),
        };
        let (target, many) = (join.target, join.many);
        let window = match many {
            true => window::read(self, target, &fields[0].node, position)?,
            false => Window::default(),
        };
        let object = self.object(target, fields, depth + 1)?;
        Ok(Selected { key, position, kind: SelectedKind::Join { field: id, window: Box::new(window), object } })
    }

    /// CollectFields of the GraphQL specification: fragments expanded, `@skip` and `@include` obeyed, keys merged.
    fn collect(
        &mut self,
        sets: impl IntoIterator<Item = &'a Positioned<SelectionSet>>,
        depth: u32,
    ) -> Result<Collected<'a>, Refusal> {
        self.deepest = self.deepest.max(depth);
        self.bounds.depth(depth)?;
        let mut collected = Collected::new();
        for set in sets {
            self.collect_into(&set.node, &mut collected, &mut Vec::new())?;
        }
        Ok(collected)
    }

    fn collect_into(
        &mut self,
        set: &'a SelectionSet,
        collected: &mut Collected<'a>,
        spread: &mut Vec<&'a str>,
    ) -> Result<(), Refusal> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    if self.is_left_out(&field.node.directives)? {
                        continue;
                    }
                    self.count(&field.node)?;
                    collected.entry(field.node.response_key().node.to_string()).or_default().push(field);
                }
                Selection::FragmentSpread(fragment) => {
                    self.count_spread()?;
                    let name = fragment.node.fragment_name.node.as_str();
                    if self.is_left_out(&fragment.node.directives)? || spread.contains(&name) {
                        continue;
                    }
                    let definition = self.fragments.get(name).ok_or_else(|| unexpected(name))?;
                    spread.push(name);
                    self.collect_into(&definition.node.selection_set.node, collected, spread)?;
                    spread.pop();
                }
                Selection::InlineFragment(fragment) => {
                    if !self.is_left_out(&fragment.node.directives)? {
                        self.collect_into(&fragment.node.selection_set.node, collected, spread)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, field: &Field) -> Result<(), Refusal> {
        self.fields += 1;
        self.aliases += u32::from(field.alias.is_some());
        self.bounds.fields(self.fields)?;
        self.bounds.aliases(self.aliases)
    }

    /// Fragments within fragments can multiply without selecting a single field.
    fn count_spread(&mut self) -> Result<(), Refusal> {
        self.spreads += 1;
        self.bounds.fields(self.spreads)
    }

    /// The limits.
    pub(super) fn bounds(&self) -> &'a Bounds {
        self.bounds
    }

    /// Notes one more condition of the operation.
    pub(super) fn count_condition(&mut self) -> Result<(), Refusal> {
        self.conditions += 1;
        self.bounds.conditions(self.conditions)
    }

    fn is_left_out(&mut self, directives: &'a [Positioned<Directive>]) -> Result<bool, Refusal> {
        for directive in directives {
            let leave_on = match directive.node.name.node.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let given = directive.node.get_argument("if").ok_or_else(|| unexpected("if"))?;
            let value = match &given.node {
                Value::Boolean(value) => *value,
                Value::Variable(name) => {
                    matches!(self.sent.get(name), Some(ConstValue::Boolean(true)))
                }
                _ => return Err(unexpected("if")),
            };
            if value == leave_on {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An argument that was left out by leaving its variable out, or that is null.
    pub(super) fn is_absent(&mut self, value: &Value) -> Result<bool, Refusal> {
        match value {
            Value::Null => Ok(true),
            Value::Variable(name) => Ok(matches!(self.sent.get(name), None | Some(ConstValue::Null))),
            _ => Ok(false),
        }
    }

    /// A variable that was not sent and has no default: as if its field of an input object were not there.
    pub(super) fn is_left_unset(&mut self, value: &Value) -> Result<bool, Refusal> {
        let Value::Variable(name) = value else { return Ok(false) };
        Ok(self.sent.get(name).is_none())
    }

    /// Puts the value of a variable in its place where a structure is needed; the plan then fits this request only.
    pub(super) fn structure(&mut self, value: &Value) -> Result<Value, Refusal> {
        match value {
            Value::Variable(name) => {
                self.single_use = true;
                Ok(self.sent.get(name).cloned().unwrap_or_default().into_value())
            }
            value => Ok(value.clone()),
        }
    }
}
