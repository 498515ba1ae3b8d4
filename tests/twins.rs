//! Two cities that differ only in what was not granted give the same answers: to any question, under any form, to the
//! byte. Forms and questions are drawn by lot. What was not granted is: columns without any use (and that no granted
//! join leads by), what a mask hides, rows outside every granted district, rows to which no way leads, and rows of a
//! type of which its custodian granted nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::support::dice::Dice;
use crate::support::gate::{Gate, Setup, in_one};
use crate::support::plots::{self, Plots, ROWS};
use crate::support::postgres;
use cityquery::access::{Item, Rights, Use, Uses};
use cityquery::catalog::scalar::Scalar;
use cityquery::catalog::{Catalog, FieldDef, FieldKind, Mask, TypeId};
use serde_json::json;

/// Forms of one run; `CITYQUERY_TWINS` sets another number, `CITYQUERY_TWINS_SEED` where they begin.
const FORMS: u64 = 20;
const QUESTIONS: usize = 60;

/// Items by lot: narrow enough that much is left out, wide enough that much is answered.
fn lot(catalog: &Catalog, dice: &mut Dice) -> Vec<Item> {
    let narrow = 2 + dice.below(4);
    // Districts by form, by type, or none; now and then a field has its own.
    let kind = dice.below(3);
    let of_types: Vec<bool> = catalog.types.iter().map(|_| kind == 0 || kind == 1 && dice.below(2) == 0).collect();
    // Now and then one custodian grants nothing at all.
    let silent = catalog.datasets.get(dice.below(2 * catalog.datasets.len())).map(|dataset| &dataset.custodian);
    let mut items = Vec::new();
    for field in &catalog.fields {
        if silent == Some(&catalog.dataset(field.dataset).custodian) {
            continue;
        }
        let root = matches!(field.kind, FieldKind::One(_) | FieldKind::List(_));
        let join = matches!(field.kind, FieldKind::Join(_));
        let often = if root {
            4
        } else if join {
            3
        } else {
            narrow
        };
        let mut uses = Uses::NONE;
        for (one, weight) in [(Use::Select, 6), (Use::Filter, 4), (Use::Order, 3), (Use::Aggregate, 2)] {
            if dice.below(10) < weight * often / 3 {
                uses = uses.with(one);
            }
        }
        if uses == Uses::NONE || dice.below(6) >= often {
            continue;
        }
        let scoped = catalog.type_def(field.owner).scope_column.is_some();
        let districts = match dice.below(if kind == 0 { 40 } else { 16 }) {
            _ if !scoped => None,
            0 => Some(vec![]),
            1 => Some(vec!["63000010".to_owned(), "63000020".to_owned()]),
            2 => Some(vec!["63000020".to_owned()]),
            3 => None,
            _ => of_types[field.owner.0 as usize].then(|| vec!["63000010".to_owned()]),
        };
        let masked = field.mask.is_some() && dice.below(4) == 0;
        items.push(Item { coordinate: field.coordinate.clone(), uses, masked, districts });
    }
    items
}

/// Districts; none: the whole city.
type Reach = Option<BTreeSet<String>>;

fn covers(reach: &Reach, district: Option<&String>) -> bool {
    reach.as_ref().is_none_or(|codes| district.is_some_and(|code| codes.contains(code)))
}

/// Both together.
fn widen(known: &mut HashMap<(String, String), Reach>, column: (String, String), by: Reach) {
    match (known.get_mut(&column), by) {
        (Some(Some(codes)), Some(more)) => codes.extend(more),
        (Some(all), _) => *all = None,
        (None, by) => drop(known.insert(column, by)),
    }
}

/// The districts in which a type's custodian granted some field of it, worked out apart from the program; none: the
/// whole city. A way that the custodian itself granted does where no field is.
fn reach(catalog: &Catalog, items: &[Item], of: TypeId) -> Reach {
    let custodian = |dataset| &catalog.dataset(dataset).custodian;
    let own = custodian(catalog.type_def(of).dataset);
    let field = |item: &Item| catalog.field(catalog.fields_by_coordinate[&item.coordinate]);
    let by_own: Vec<&Item> = items.iter().filter(|item| custodian(field(item).dataset) == own).collect();
    let granted: Vec<&&Item> = by_own.iter().filter(|item| field(item).owner == of).collect();
    if granted.is_empty() {
        let leads = |item: &&Item| matches!(&field(item).kind, FieldKind::Join(join) if join.target == of);
        return if by_own.iter().any(leads) { None } else { Some(BTreeSet::new()) };
    }
    if granted.iter().any(|item| item.districts.is_none()) {
        return None;
    }
    Some(granted.iter().flat_map(|item| item.districts.iter().flatten().cloned()).collect())
}

/// Another value that looks the same under a mask; nothing for masks that are left alone here.
fn under(mask: Mask, value: &str) -> Option<String> {
    let turned = |letter: char| letter.to_digit(10).map_or('x', |digit| char::from(b'9' - digit as u8));
    let letters: Vec<char> = value.chars().collect();
    let kept = match mask {
        Mask::Year => return value.get(..4).map(|year| format!("{year}-11-11")),
        Mask::Hide => return Some(format!("{value}-hidden")),
        Mask::Name => (1, usize::from(letters.len() > 2)),
        Mask::NationalId if letters.len() == 10 => (3, 3),
        _ => return None,
    };
    let hidden = kept.0..letters.len().saturating_sub(kept.1);
    Some(
        letters
            .iter()
            .enumerate()
            .map(|(at, letter)| if hidden.contains(&at) { turned(*letter) } else { *letter })
            .collect(),
    )
}

/// The city with everything changed that was not granted.
fn twin(catalog: &Catalog, items: &[Item], city: &Plots, dice: &mut Dice) -> Plots {
    let names = plots::names(catalog, city);
    let mut visible: HashMap<(String, String), Reach> = HashMap::new();
    let mut reached: HashSet<TypeId> = HashSet::new();
    let mut masked: HashMap<(String, String), Mask> = HashMap::new();
    for item in items {
        let field = catalog.field(catalog.fields_by_coordinate[&item.coordinate]);
        let owner = catalog.type_def(field.owner);
        let scope: Reach = item.districts.as_ref().map(|codes| codes.iter().cloned().collect());
        let see = |visible: &mut _, table: &str, column: &str, scope| {
            widen(visible, (table.to_owned(), column.to_owned()), scope)
        };
        match &field.kind {
            // Texts alone: what is hidden of a number or a choice is drawn anew below, like what was not granted.
            FieldKind::Column(column) if item.masked && column.scalar != Scalar::Boolean => {
                masked.extend(field.mask.map(|mask| ((owner.table.clone(), column.name.clone()), mask)));
            }
            FieldKind::Column(column) => see(&mut visible, &owner.table, &column.name, scope),
            FieldKind::Join(join) => {
                reached.insert(join.target);
                see(&mut visible, &owner.table, &join.from, scope);
                see(&mut visible, &catalog.type_def(join.target).table, &join.to, None);
                if let Some(through) = &join.through {
                    see(&mut visible, &through.table, &through.from, None);
                    see(&mut visible, &through.table, &through.to, None);
                }
            }
            FieldKind::One(of) | FieldKind::List(of) => drop(reached.insert(*of)),
        }
    }
    let mut twin = city.clone();
    for of in &catalog.types {
        let Some(table) = twin.get_mut(&of.table) else { continue };
        if !reached.contains(&of.id) {
            table.rows.truncate(dice.below(3));
            continue;
        }
        let scope =
            of.scope_column.as_ref().and_then(|name| table.columns.iter().position(|column| column.name == *name));
        let reach = reach(catalog, items, of.id);
        let columns = table.columns.clone();
        table.rows.retain_mut(|row| {
            let district = scope.and_then(|at| row[at].clone());
            let inside = scope.is_none() || covers(&reach, district.as_ref());
            if !inside && dice.below(3) == 0 {
                return false;
            }
            let number = ROWS + 10 + row[0].as_deref().and_then(|id| id.parse::<usize>().ok()).unwrap_or(0);
            for (at, column) in columns.iter().enumerate() {
                let known = visible.get(&(of.table.clone(), column.name.clone()));
                let seen = inside && known.is_some_and(|reach| scope.is_none() || covers(reach, district.as_ref()));
                let stays = Some(at) == scope || inside && at == 0;
                let by_mask = masked.get(&(of.table.clone(), column.name.clone())).filter(|_| inside);
                if let Some(mask) = by_mask.filter(|_| !seen && !stays) {
                    row[at] = row[at].as_deref().map(|value| under(*mask, value).unwrap_or_else(|| value.to_owned()));
                    continue;
                }
                if seen || stays || dice.below(4) == 0 && at > 0 {
                    continue;
                }
                row[at] = match dice.below(3) {
                    0 if !column.required && !column.unique => None,
                    _ if at == 0 => Some(format!("{}", number * 1_000)),
                    _ => plots::cell(&names, &of.table, column, number),
                };
            }
            true
        });
    }
    // Links that no granted join leads over.
    for (name, table) in &mut twin {
        let used = table.columns.iter().any(|column| visible.contains_key(&(name.clone(), column.name.clone())));
        if !catalog.types.iter().any(|of| of.table == *name) && !used {
            table.rows.truncate(dice.below(3));
        }
    }
    twin
}

/// Questions by lot: mostly such that are answered, some that are refused.
struct Asker<'a> {
    catalog: &'a Catalog,
    rights: &'a Rights,
    names: &'a plots::Names,
    dice: &'a mut Dice,
    fields: usize,
    aliases: usize,
}

impl<'a> Asker<'a> {
    fn operation(&mut self) -> String {
        (self.fields, self.aliases) = (0, 0);
        let count = 1 + self.dice.below(2);
        let roots: Vec<String> = (0..count).map(|number| self.root(number)).collect();
        format!("{{ {} }}", roots.join(" "))
    }

    /// A field that is granted, nearly always.
    fn pick(&mut self, fields: Vec<&'a FieldDef>, used: Use) -> Option<&'a FieldDef> {
        let granted: Vec<&FieldDef> =
            fields.iter().copied().filter(|field| self.rights.uses(field.id).has(used)).collect();
        let among = if self.dice.below(40) == 0 { fields } else { granted };
        (!among.is_empty()).then(|| among[self.dice.below(among.len())])
    }

    fn root(&mut self, number: usize) -> String {
        let roots: Vec<&FieldDef> = self
            .catalog
            .fields
            .iter()
            .filter(|field| matches!(field.kind, FieldKind::One(_) | FieldKind::List(_)))
            .collect();
        let used = if self.dice.below(8) == 0 { Use::Aggregate } else { Use::Select };
        let Some(root) = self.pick(roots, used) else { return "__typename".to_owned() };
        let (name, of) = (&root.name, root.owner);
        if matches!(root.kind, FieldKind::One(_)) {
            let keys = &self.catalog.type_def(of).keys;
            let key = self.catalog.field(keys[self.dice.below(keys.len())]);
            let value = self.value(key);
            return format!("r{number}: {name}({}: {value}) {}", key.name, self.object(of, 1));
        }
        let window = self.window(of, true);
        let mut parts = Vec::new();
        if used == Use::Aggregate || self.dice.below(5) == 0 {
            parts.push("totalCount".to_owned());
        }
        if used == Use::Select {
            parts.push(format!("nodes {}", self.object(of, 1)));
            if self.dice.below(4) == 0 {
                parts.push("pageInfo { hasNextPage hasPreviousPage startCursor endCursor }".to_owned());
            }
            if self.dice.below(6) == 0 {
                parts.push(format!("edges {{ cursor node {} }}", self.object(of, 2)));
            }
        }
        format!("r{number}: {name}{window} {{ {} }}", parts.join(" "))
    }

    fn own(&self, of: TypeId, wanted: fn(&FieldKind) -> bool) -> Vec<&'a FieldDef> {
        let catalog = self.catalog;
        catalog.type_def(of).fields.iter().map(|id| catalog.field(*id)).filter(|field| wanted(&field.kind)).collect()
    }

    fn object(&mut self, of: TypeId, depth: usize) -> String {
        let mut parts: Vec<String> = Vec::new();
        for _ in 0..1 + self.dice.below(4) {
            self.fields += 1;
            if self.dice.below(8) == 0 {
                parts.push("__typename".to_owned());
            } else if depth < 4 && self.fields < 60 && self.dice.below(3) == 0 {
                let Some(join) = self.pick(self.own(of, |kind| matches!(kind, FieldKind::Join(_))), Use::Select) else {
                    continue;
                };
                let FieldKind::Join(declared) = &join.kind else { continue };
                let window = if declared.many { self.window(declared.target, false) } else { String::new() };
                self.aliases += 1;
                let below = self.object(declared.target, depth + 1);
                parts.push(match self.aliases < 25 {
                    true => format!("a{}: {}{window} {below}", self.aliases, join.name),
                    false => "__typename".to_owned(),
                });
            } else {
                let columns = self.own(of, |kind| matches!(kind, FieldKind::Column(_)));
                // Denied selections are answered, too.
                let column = if self.dice.below(3) == 0 {
                    Some(columns[self.dice.below(columns.len())])
                } else {
                    self.pick(columns, Use::Select)
                };
                parts.extend(column.map(|column| column.name.clone()));
            }
        }
        if parts.is_empty() { "{ __typename }".to_owned() } else { format!("{{ {} }}", parts.join(" ")) }
    }

    fn window(&mut self, of: TypeId, root: bool) -> String {
        let mut arguments = Vec::new();
        if self.dice.below(2) == 0 {
            arguments.push(format!("where: {}", self.filter(of, 0)));
        }
        if self.dice.below(3) == 0 {
            let columns = self.own(of, |kind| matches!(kind, FieldKind::Column(_)));
            if let Some(column) = self.pick(columns, Use::Order) {
                let direction = if self.dice.below(2) == 0 { "ASC" } else { "DESC" };
                arguments.push(format!("orderBy: [{{ {}: {direction} }}]", column.name));
            }
        }
        match self.dice.below(5) {
            0 => arguments.push(format!("first: {}", self.dice.below(7))),
            1 => arguments.push(format!("first: {}, offset: {}", 1 + self.dice.below(4), self.dice.below(4))),
            2 if root => arguments.push(format!("last: {}", self.dice.below(7))),
            _ => {}
        }
        if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) }
    }

    fn filter(&mut self, of: TypeId, depth: usize) -> String {
        let word = self.dice.below(10);
        if depth < 3 && word == 0 {
            return format!("{{ _not: {} }}", self.filter(of, depth + 1));
        }
        if depth < 3 && word == 1 {
            return format!("{{ _or: [{}, {}] }}", self.filter(of, depth + 1), self.filter(of, depth + 1));
        }
        if depth < 3 && word < 7 {
            let joins = self.own(of, |kind| matches!(kind, FieldKind::Join(_)));
            if let Some(join) = self.pick(joins, Use::Filter)
                && let FieldKind::Join(declared) = &join.kind
            {
                let below =
                    if self.dice.below(3) == 0 { "{}".to_owned() } else { self.filter(declared.target, depth + 1) };
                let quantifier = ["_some", "_none", "_every"][self.dice.below(3)];
                return match declared.many {
                    true => format!("{{ {}: {{ {quantifier}: {below} }} }}", join.name),
                    false => format!("{{ {}: {below} }}", join.name),
                };
            }
        }
        let columns = self.own(of, |kind| matches!(kind, FieldKind::Column(_)));
        let Some(column) = self.pick(columns, Use::Filter) else { return "{}".to_owned() };
        let FieldKind::Column(declared) = &column.kind else { return "{}".to_owned() };
        if self.dice.below(5) == 0 {
            return format!("{{ {}: {{ _isNull: {} }} }}", column.name, self.dice.below(2) == 0);
        }
        let operators: &[&str] = match declared.scalar {
            Scalar::Boolean | Scalar::Id => &["_eq", "_neq"],
            _ => &["_eq", "_neq", "_gt", "_lte"],
        };
        let operator = operators[self.dice.below(operators.len())];
        format!("{{ {}: {{ {operator}: {} }} }}", column.name, self.value(column))
    }

    fn value(&mut self, field: &FieldDef) -> String {
        let FieldKind::Column(declared) = &field.kind else { return "\"x\"".to_owned() };
        let row = 1 + self.dice.below(ROWS);
        match declared.scalar {
            Scalar::Int => (10 + row).to_string(),
            Scalar::Id => format!("\"{row}\""),
            Scalar::Boolean => row.is_multiple_of(2).to_string(),
            Scalar::Date => format!("\"19{}-06-15\"", 50 + row),
            Scalar::Decimal => format!("\"{row}\""),
            Scalar::String if field.coordinate.ends_with("districtCode") => {
                format!("\"{}\"", plots::DISTRICTS[row % 3])
            }
            Scalar::String => {
                let table = &self.catalog.type_def(field.owner).table;
                let group = self.names.get(&(table.clone(), declared.name.clone()));
                match group {
                    Some((group, scalar)) => format!("\"{}\"", plots::value(group, *scalar, row)),
                    None => format!("\"{table}-{}-{row}\"", declared.name),
                }
            }
            other => format!("\"{}\"", plots::value("", other, row)),
        }
    }
}

/// The body without what differs each time: the record's id, and a cursor's seal but for its length.
fn settled(text: &str) -> String {
    let audit = regex::Regex::new(r#""audit":"[^"]*""#).expect("a pattern");
    let cursor = regex::Regex::new(r#"("(?:cursor|startCursor|endCursor)":")([0-9a-f]+)""#).expect("a pattern");
    let text = audit.replace(text, "\"audit\":\"\"");
    cursor.replace_all(&text, |found: &regex::Captures| format!("{}{}\"", &found[1], found[2].len())).into_owned()
}

/// Asks both cities, under as many forms.
async fn compare(here: Setup, there: Setup, forms: u64) {
    let (here, there) = (Gate::open(here, &["asker"]).await, Gate::open(there, &["asker"]).await);
    let catalog = here.catalog.clone();
    let city = plots::plots(&catalog);
    plots::load(&city, &catalog.connections(&here.app.config.datasets)).await;
    let names = plots::names(&catalog, &city);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let set = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = set("CITYQUERY_TWINS_SEED").unwrap_or(1);
    for seed in first..first + set("CITYQUERY_TWINS").unwrap_or(forms) {
        let mut dice = Dice::new(seed);
        let items = lot(&catalog, &mut dice);
        let (rights, problems) = Rights::compile(&catalog, &items);
        assert!(problems.is_empty(), "{problems:?}");
        let twin = twin(&catalog, &items, &city, &mut dice);
        plots::load(&twin, &catalog.connections(&there.app.config.datasets)).await;
        here.form("LOT", items.clone(), &["asker"]).await;
        there.form("LOT", items.clone(), &["asker"]).await;
        for _ in 0..QUESTIONS {
            let mut asker =
                Asker { catalog: &catalog, rights: &rights, names: &names, dice: &mut dice, fields: 0, aliases: 0 };
            let query = asker.operation();
            let (one, other) =
                (here.ask("asker", "", &query, json!({})).await, there.ask("asker", "", &query, json!({})).await);
            let (a, b) = (settled(&one.text), settled(&other.text));
            assert!(a == b && one.status == other.status, "form {seed}: {query}\n{a}\n{b}");
            assert_ne!(one.code(), "INTERNAL", "{query}: {}", one.text);
            let rows = one.body["extensions"]["cost"]["rows"].as_u64().unwrap_or(0);
            *told.entry(if rows > 0 { "rows".to_owned() } else { one.code().to_owned() }).or_default() += 1;
        }
    }
    assert!(told["rows"] > QUESTIONS, "too few questions are answered with rows: {told:?}");
}

#[tokio::test]
async fn answers_do_not_depend_on_what_was_not_granted() {
    compare(Setup::default(), Setup::default(), FORMS).await;
}

#[tokio::test]
async fn nor_do_they_on_postgresql() {
    let Some(server) = postgres::server() else { return };
    let (here, there) = (postgres::Database::create(&server).await, postgres::Database::create(&server).await);
    compare(in_one(&here).await, in_one(&there).await, FORMS / 2).await;
}
