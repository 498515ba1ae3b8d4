//! CollectFields of the GraphQL specification for what the library executes: it knows no empty object, and answers a
//! field twice that is selected twice. Here fragments are expanded, `@skip` and `@include` obeyed and keys merged before.

use std::collections::BTreeSet;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value as Answer, Variables};
use async_graphql_value::{ConstValue, Value};
use indexmap::IndexMap;

/// Key of what stands for nothing where an object is left without fields. No document can hold it: it is no name.
const NOTHING: &str = "";

type ByKey<'a> = IndexMap<&'a str, Vec<&'a Positioned<Field>>>;

/// What is left of a selection.
pub(super) struct Collected {
    /// Fields only, each key once; empty if nothing is left.
    pub(super) set: SelectionSet,
    /// Some object is left without fields, so that the answer holds what stands for nothing.
    pub(super) hollow: bool,
}

/// What is left of a selection at the root, of those fields that are `wanted`. There are no interfaces: every fragment
/// that may stand somewhere applies there.
pub(super) fn collect(
    document: &ExecutableDocument,
    variables: &Variables,
    set: &SelectionSet,
    wanted: &impl Fn(&Field) -> bool,
) -> Collected {
    let mut collector = Collector { document, variables, hollow: false };
    let mut by_key = collector.gather([set]);
    by_key.retain(|_, fields| wanted(&fields[0].node));
    let items = by_key.values().map(|fields| collector.merge(fields)).collect();
    Collected { set: SelectionSet { items }, hollow: collector.hollow }
}

/// Takes out of an answer what stood for nothing.
pub(super) fn take_out_nothing(answer: &mut Answer) {
    match answer {
        Answer::Object(fields) if fields.len() == 1 && fields.contains_key(NOTHING) => fields.clear(),
        Answer::Object(fields) => fields.values_mut().for_each(take_out_nothing),
        Answer::List(items) => items.iter_mut().for_each(take_out_nothing),
        _ => {}
    }
}

struct Collector<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    hollow: bool,
}

impl<'a> Collector<'a> {
    fn gather(&self, sets: impl IntoIterator<Item = &'a SelectionSet>) -> ByKey<'a> {
        let mut by_key = ByKey::new();
        let mut spread = BTreeSet::new();
        sets.into_iter().for_each(|set| self.gather_into(set, &mut by_key, &mut spread));
        by_key
    }

    fn gather_into(&self, set: &'a SelectionSet, by_key: &mut ByKey<'a>, spread: &mut BTreeSet<&'a str>) {
        for item in set.items.iter().filter(|item| !self.is_left_out(item.node.directives())) {
            match &item.node {
                Selection::Field(field) => {
                    by_key.entry(field.node.response_key().node.as_str()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    self.gather_into(&inline.node.selection_set.node, by_key, spread);
                }
                Selection::FragmentSpread(named) => {
                    let name = &named.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && spread.insert(name.as_str())
                    {
                        self.gather_into(&fragment.node.selection_set.node, by_key, spread);
                    }
                }
            }
        }
    }

    /// The fields of one key as one.
    fn merge(&mut self, fields: &[&'a Positioned<Field>]) -> Positioned<Selection> {
        let Positioned { pos, node: first } = fields[0];
        let below = self.gather(fields.iter().map(|field| &field.node.selection_set.node));
        let mut items: Vec<_> = below.values().map(|fields| self.merge(fields)).collect();
        if items.is_empty() && !first.selection_set.node.items.is_empty() {
            self.hollow = true;
            items.push(Positioned::new(nothing(*pos), *pos));
        }
        let selection_set = Positioned::new(SelectionSet { items }, first.selection_set.pos);
        let (alias, name, arguments) = (first.alias.clone(), first.name.clone(), first.arguments.clone());
        let field = Field { alias, name, arguments, directives: Vec::new(), selection_set };
        Positioned::new(Selection::Field(Positioned::new(field, *pos)), *pos)
    }

    fn is_left_out(&self, directives: &[Positioned<Directive>]) -> bool {
        let holds = |directive: &Directive| match directive.get_argument("if").map(|value| &value.node) {
            Some(Value::Boolean(value)) => *value,
            Some(Value::Variable(name)) => self.variables.get(name) == Some(&ConstValue::Boolean(true)),
            // Validation left no other.
            _ => false,
        };
        directives.iter().any(|directive| match directive.node.name.node.as_str() {
            "skip" => holds(&directive.node),
            "include" => !holds(&directive.node),
            _ => false,
        })
    }
}

/// `__typename`, which every object has, under a key of ours.
fn nothing(pos: async_graphql::Pos) -> Selection {
    let field = Field {
        alias: Some(Positioned::new(Name::new(NOTHING), pos)),
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items: Vec::new() }, pos),
    };
    Selection::Field(Positioned::new(field, pos))
}
