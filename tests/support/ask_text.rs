//! Writes made-up operations as GraphQL, each time in another of the ways that mean the same: variables or literals,
//! defaults, fragments, selections in parts, directives that change nothing, fields that are left out.

use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldId, FieldKind};
use serde_json::{Map, Value, json};

use super::ask::{Asked, EdgeKind, Filter, Object, PartKind, RootKind, Selected, SelectedKind, Window};
use super::city::Cell;
use super::dice::Dice;

/// An operation as it is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The document.
    pub query: String,
    /// Its variables.
    pub variables: Map<String, Value>,
}

/// Writes an operation.
pub fn write(catalog: &Catalog, asked: &Asked, dice: &mut Dice) -> Sent {
    let mut writer = Writer { catalog, dice, declared: Vec::new(), variables: Map::new(), fragments: Vec::new() };
    let mut roots = String::new();
    for root in &asked.roots {
        let field = catalog.field(root.field);
        let (arguments, selections) = match &root.kind {
            RootKind::One { by, value, object } => {
                let scalar = writer.scalar(*by).graphql_name();
                let name = &catalog.field(*by).name;
                let nullness = if catalog.type_def(field.owner).keys.len() == 1 { "!" } else { "" };
                let value = Lit::Typed(Box::new(lit(value)), format!("{scalar}{nullness}"));
                (format!("({name}: {})", writer.value(&value)), writer.object(object))
            }
            RootKind::List { window, parts } => {
                let of = catalog.type_def(field.owner).name.clone();
                let parts: Vec<String> = parts.iter().map(|part| writer.part(&part.key, &part.kind)).collect();
                (writer.window(&of, window), parts.join(" "))
            }
        };
        roots += &format!("  {}: {}{arguments} {{ {selections} }}\n", root.key, field.name);
    }
    let declared = writer.declared.join(", ");
    let declared = if declared.is_empty() { declared } else { format!("({declared})") };
    let query = format!("query Made{declared} {{\n{roots}}}\n{}", writer.fragments.join("\n"));
    Sent { query, variables: writer.variables }
}

/// A value of an argument.
#[derive(Clone, Debug)]
enum Lit {
    Json(Value),
    Enum(&'static str),
    List(Vec<Lit>),
    Object(Vec<(String, Lit)>),
    /// May stand in a variable of that type.
    Typed(Box<Lit>, String),
}

fn lit(cell: &Cell) -> Lit {
    Lit::Json(match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => json!(value),
        Cell::Bool(value) => json!(value),
        Cell::Text(text) => json!(text),
    })
}

fn as_json(lit: &Lit) -> Value {
    match lit {
        Lit::Json(value) => value.clone(),
        Lit::Enum(word) => json!(word),
        Lit::List(items) => items.iter().map(as_json).collect(),
        Lit::Object(entries) => Value::Object(entries.iter().map(|(name, lit)| (name.clone(), as_json(lit))).collect()),
        Lit::Typed(lit, _) => as_json(lit),
    }
}

struct Writer<'a> {
    catalog: &'a Catalog,
    dice: &'a mut Dice,
    declared: Vec<String>,
    variables: Map<String, Value>,
    fragments: Vec<String>,
}

impl Writer<'_> {
    fn scalar(&self, field: FieldId) -> Scalar {
        match &self.catalog.field(field).kind {
            FieldKind::Column(column) => column.scalar,
            _ => panic!("a column"),
        }
    }

    fn value(&mut self, value: &Lit) -> String {
        match value {
            Lit::Json(value) => value.to_string(),
            Lit::Enum(word) => (*word).to_owned(),
            Lit::List(items) => {
                format!("[{}]", items.iter().map(|item| self.value(item)).collect::<Vec<_>>().join(", "))
            }
            Lit::Object(entries) => {
                let entries: Vec<String> =
                    entries.iter().map(|(name, lit)| format!("{name}: {}", self.value(lit))).collect();
                format!("{{{}}}", entries.join(", "))
            }
            Lit::Typed(lit, of) => {
                if !self.dice.once_in(3) {
                    return self.value(lit);
                }
                let name = format!("v{}", self.declared.len());
                if self.dice.once_in(4) {
                    let default = constant(lit);
                    self.declared.push(format!("${name}: {of} = {default}"));
                } else {
                    self.declared.push(format!("${name}: {of}"));
                    self.variables.insert(name.clone(), as_json(lit));
                }
                format!("${name}")
            }
        }
    }

    fn window(&mut self, of: &str, window: &Window) -> String {
        let mut arguments = Vec::new();
        if let Some(filter) = &window.filter {
            let filter = Lit::Typed(Box::new(self.filter(filter)), format!("{of}Filter"));
            arguments.push(format!("where: {}", self.value(&filter)));
        }
        if !window.order.is_empty() {
            let word = |(field, descending): &(FieldId, bool)| {
                let direction = Lit::Enum(if *descending { "DESC" } else { "ASC" });
                let direction = Lit::Typed(Box::new(direction), "OrderDirection".into());
                (self.catalog.field(*field).name.clone(), direction)
            };
            let words: Vec<(String, Lit)> = window.order.iter().map(word).collect();
            let list = match self.dice.once_in(2) {
                true => vec![Lit::Object(words)],
                false => words.into_iter().map(|word| Lit::Object(vec![word])).collect(),
            };
            let list = Lit::Typed(Box::new(Lit::List(list)), format!("[{of}Order!]"));
            arguments.push(format!("orderBy: {}", self.value(&list)));
        }
        for (name, number) in [("first", window.first), ("last", window.last), ("offset", window.offset)] {
            if let Some(number) = number {
                let number = Lit::Typed(Box::new(Lit::Json(json!(number))), "Int".into());
                arguments.push(format!("{name}: {}", self.value(&number)));
            }
        }
        for (name, cursor) in [("after", &window.after), ("before", &window.before)] {
            if let Some(cursor) = cursor {
                let cursor = Lit::Typed(Box::new(Lit::Json(json!(cursor))), "String".into());
                arguments.push(format!("{name}: {}", self.value(&cursor)));
            }
        }
        if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) }
    }

    fn filter(&mut self, filter: &Filter) -> Lit {
        let one = |name: &str, lit: Lit| Lit::Object(vec![(name.to_owned(), lit)]);
        match filter {
            Filter::And(all) if all.is_empty() && self.dice.once_in(2) => Lit::Object(vec![]),
            Filter::And(all) => {
                let entries: Vec<Lit> = all.iter().map(|filter| self.filter(filter)).collect();
                self.merged(&entries).unwrap_or_else(|| one("_and", Lit::List(entries)))
            }
            Filter::Or(any) => one("_or", Lit::List(any.iter().map(|filter| self.filter(filter)).collect())),
            Filter::Not(filter) => one("_not", self.filter(filter)),
            Filter::IsNull { field, wanted } => {
                let wanted = Lit::Typed(Box::new(Lit::Json(json!(wanted))), "Boolean".into());
                one(&self.catalog.field(*field).name.clone(), one("_isNull", wanted))
            }
            Filter::Compare { field, operator, values } => {
                let pattern = matches!(*operator, "_like" | "_ilike" | "_startsWith");
                let scalar = if pattern { "String" } else { self.scalar(*field).graphql_name() };
                let value = if matches!(*operator, "_in" | "_nin") {
                    let items = values.iter().map(|value| Lit::Typed(Box::new(lit(value)), format!("{scalar}!")));
                    Lit::Typed(Box::new(Lit::List(items.collect())), format!("[{scalar}!]"))
                } else {
                    Lit::Typed(Box::new(lit(&values[0])), scalar.to_owned())
                };
                one(&self.catalog.field(*field).name.clone(), one(operator, value))
            }
            Filter::Related { field, word, filter } => {
                let inner = self.filter(filter);
                let inner = if word.is_empty() { inner } else { one(word, inner) };
                one(&self.catalog.field(*field).name.clone(), inner)
            }
        }
    }

    /// Several conditions in one object, where no two share a name.
    fn merged(&mut self, entries: &[Lit]) -> Option<Lit> {
        let mut all: Vec<(String, Lit)> = Vec::new();
        for entry in entries {
            let Lit::Object(fields) = entry else { return None };
            for (name, lit) in fields {
                if all.iter().any(|(known, _)| known == name) {
                    return None;
                }
                all.push((name.clone(), lit.clone()));
            }
        }
        self.dice.once_in(2).then_some(Lit::Object(all))
    }

    fn part(&mut self, key: &str, kind: &PartKind) -> String {
        let keyed = |name: &str| if key == name { name.to_owned() } else { format!("{key}: {name}") };
        match kind {
            PartKind::Nodes(object) => format!("{} {{ {} }}", keyed("nodes"), self.object(object)),
            PartKind::Edges(fields) => {
                let fields = fields.iter().map(|(key, field)| match field {
                    EdgeKind::Node(object) => format!("{key}: node {{ {} }}", self.object(object)),
                    EdgeKind::Cursor => format!("{key}: cursor"),
                    EdgeKind::Typename => format!("{key}: __typename"),
                });
                format!("{} {{ {} }}", keyed("edges"), fields.collect::<Vec<_>>().join(" "))
            }
            PartKind::PageInfo(fields) => {
                let fields: Vec<String> = fields.iter().map(|(key, field)| format!("{key}: {field}")).collect();
                format!("{} {{ {} }}", keyed("pageInfo"), fields.join(" "))
            }
            PartKind::TotalCount => keyed("totalCount"),
            PartKind::Typename => keyed("__typename"),
        }
    }

    /// The selections of an object, some of them in fragments.
    fn object(&mut self, object: &Object) -> String {
        let of = self.catalog.type_def(object.of).name.clone();
        let mut out = Vec::new();
        let mut rest = &object.fields[..];
        while !rest.is_empty() {
            let run = 1 + self.dice.below(rest.len());
            let (some, others) = rest.split_at(run);
            rest = others;
            let text = some.iter().map(|selected| self.selected(selected)).collect::<Vec<_>>().join(" ");
            out.push(match self.dice.below(8) {
                0 => format!("... on {of} {{ {text} }}"),
                1 => format!("... @include(if: true) {{ {text} }}"),
                2 => {
                    let name = format!("F{}", self.fragments.len());
                    self.fragments.push(format!("fragment {name} on {of} {{ {text} }}"));
                    format!("...{name}")
                }
                3 => format!("{text} ... @skip(if: true) {{ left: __typename }}"),
                _ => text,
            });
        }
        out.join(" ")
    }

    fn selected(&mut self, selected: &Selected) -> String {
        let key = &selected.key;
        let keyed = |name: &str| if key == name { name.to_owned() } else { format!("{key}: {name}") };
        match &selected.kind {
            SelectedKind::Typename => keyed("__typename"),
            SelectedKind::Column(field) => {
                let text = keyed(&self.catalog.field(*field).name);
                match self.dice.below(12) {
                    0 => format!("{text} {text}"),
                    1 => {
                        let no = self.dice.once_in(2);
                        let name = format!("b{}", self.declared.len());
                        self.declared.push(format!("${name}: Boolean!"));
                        self.variables.insert(name.clone(), json!(no));
                        let directive = if no { "skip" } else { "include" };
                        format!("{text} gone{}: __typename @{directive}(if: ${name})", self.declared.len())
                    }
                    _ => text,
                }
            }
            SelectedKind::Join { field, window, object: inner } => {
                let FieldKind::Join(join) = &self.catalog.field(*field).kind else { panic!("a join") };
                let of = self.catalog.type_def(join.target).name.clone();
                let name = keyed(&self.catalog.field(*field).name);
                let arguments = self.window(&of, window);
                if arguments.is_empty() && inner.fields.len() > 1 && self.dice.once_in(3) {
                    let (a, b) = inner.fields.split_at(inner.fields.len() / 2);
                    let part = |fields: &[Selected]| Object { of: inner.of, fields: fields.to_vec() };
                    let (a, b) = (self.object(&part(a)), self.object(&part(b)));
                    return format!("{name} {{ {a} }} {name} {{ {b} }}");
                }
                format!("{name}{arguments} {{ {} }}", self.object(inner))
            }
        }
    }
}

fn constant(lit: &Lit) -> String {
    match lit {
        Lit::Json(value) => value.to_string(),
        Lit::Enum(word) => (*word).to_owned(),
        Lit::List(items) => format!("[{}]", items.iter().map(constant).collect::<Vec<_>>().join(", ")),
        Lit::Object(entries) => {
            let entries: Vec<String> = entries.iter().map(|(name, lit)| format!("{name}: {}", constant(lit))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Lit::Typed(lit, _) => constant(lit),
    }
}
