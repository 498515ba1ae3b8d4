//! Made-up operations under made-up rights: the record expanded is what a naive recorder notes field by field; no
//! statement names a column that was not granted; and there are no more statements than databases times edges.

use crate::support;

use std::collections::HashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::support::ask::{Asked, Asker, EdgeKind, Filter, Object, PartKind, RootKind, SelectedKind, Window};
use crate::support::ask_text::{self, Sent};
use crate::support::caller::{caller, engine, limits};
use crate::support::city::City;
use crate::support::dice::Dice;
use crate::support::recorder::{Noted, Recorder};
use crate::support::{Databases, Layout};
use cityquery::access::{Item, Rights, Use, Uses};
use cityquery::audit::expand::expand;
use cityquery::audit::{Asked as Recorded, Shape};
use cityquery::catalog::{Catalog, Class, FieldKind, load_builtin};
use cityquery::graphql::Face;
use cityquery::graphql::engine::Request;
use cityquery::graphql::reply::Reply;
use cityquery::query::cost::Bounds;
use cityquery::query::plan::Plan;
use cityquery::query::{planner, resolve};
use cityquery::store::layout::Databases as Opened;
use cityquery::store::migrate;
use serde_json::Value;

/// Operations made up for each layout.
const OPERATIONS: usize = 200;

/// Rights to a part: some fields not at all, some masked, a few uses missing.
fn some_rights(catalog: &Catalog, dice: &mut Dice) -> Rights {
    let mut items = Vec::new();
    for field in &catalog.fields {
        let root = matches!(field.kind, FieldKind::One(_) | FieldKind::List(_));
        let number = field.name == "id" && !root;
        let mut uses = Uses::NONE;
        if number || !dice.once_in(if root { 12 } else { 6 }) {
            uses = uses.with(Use::Select);
        }
        for one in [Use::Filter, Use::Order, Use::Aggregate] {
            if !dice.once_in(if one == Use::Aggregate { 4 } else { 60 }) {
                uses = uses.with(one);
            }
        }
        let masked = !number && field.mask.is_some() && dice.once_in(3);
        items.push(Item { coordinate: field.coordinate.clone(), uses, masked, districts: None });
    }
    let (rights, problems) = Rights::compile(catalog, &items);
    assert_eq!(problems, []);
    rights
}

fn expanded(recorded: &Recorded, reply: &Reply) -> Vec<Noted> {
    let shape = Shape::from_bytes(&recorded.shape.bytes).expect("a shape");
    let mut lines = Vec::new();
    let take = |line: cityquery::audit::Line| {
        let text = |text: &str| text.to_owned();
        let (path, of) = (text(line.path), text(line.type_name));
        lines.push((path, of, text(line.field), text(line.key), line.row, line.use_, line.outcome.name()));
        Ok(())
    };
    expand(&shape, &reply.touched, take).expect("expands");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_expands_to_what_a_naive_recorder_notes() {
    let catalog = Arc::new(load_builtin().expect("sound declarations"));
    for layout in Layout::all() {
        let databases = Databases::empty(layout).await;
        let connections = catalog.connections(&databases.connections);
        migrate::migrate(&connections).await.expect("migrates");
        let city = City::new(&catalog, 1);
        city.load(&connections).await;
        let engine = engine(&catalog, &databases.connections).await;
        let mut asker =
            Asker { catalog: &catalog, city: &city, dice: Dice::new(6), with_id: true, searched: HashSet::new() };
        let mut dice = Dice::new(7);
        let (mut refused, mut lines) = (0, 0);
        for number in 0..OPERATIONS {
            let asked = asker.operation();
            let caller = caller(some_rights(&catalog, &mut dice));
            let sent = ask_text::write(&catalog, &asked, &mut dice);
            let request =
                Request { query: sent.query.clone(), variables: sent.variables.clone(), ..Request::default() };
            let reply = engine.answer(Ok(&caller), &request).await;
            let Some(data) = &reply.data else {
                assert!(reply.errors.iter().all(|error| error.code.word() == "FORBIDDEN"), "{:?}", reply.errors);
                assert!(reply.touched.is_empty(), "nothing was touched");
                refused += 1;
                continue;
            };
            let data: Value = serde_json::from_slice(data).expect("JSON");
            let form = caller.form.as_ref().expect("a form");
            let mut naive = Recorder { catalog: &catalog, city: &city, rights: &form.rights, noted: Vec::new() };
            naive.follow(&asked, &data);
            let mut found = expanded(reply.asked.as_ref().expect("asked"), &reply);
            lines += found.len();
            naive.noted.sort();
            found.sort();
            if naive.noted != found {
                let missing: Vec<_> = naive.noted.iter().filter(|line| !found.contains(line)).take(5).collect();
                let extra: Vec<_> = found.iter().filter(|line| !naive.noted.contains(line)).take(5).collect();
                panic!(
                    "{layout:?} #{number}\n{}\nnoted {}, recorded {}\nnot recorded: {missing:#?}\nnot noted: {extra:#?}",
                    sent.query,
                    naive.noted.len(),
                    found.len()
                );
            }
        }
        eprintln!("{layout:?}: {OPERATIONS} operations, {refused} refused, {lines} lines alike");
        assert!(refused < OPERATIONS / 2, "{layout:?}: hardly anything was answered");
    }
}

/// Plans without databases to ask: where they are is enough.
struct Desk {
    catalog: Arc<Catalog>,
    face: Face,
    opened: Opened,
    bounds: Bounds,
}

impl Desk {
    fn plan(&self, sent: &Sent, rights: &Rights) -> Option<Plan> {
        let validated = self.face.validate(&sent.query, None, &limits()).expect("valid");
        let variables = self.face.variables(&validated, &sent.variables).expect("coerced");
        let fragments = &validated.document.fragments;
        let operation = resolve::resolve(&self.catalog, validated.operation(), fragments, &variables, &self.bounds)
            .expect("resolves");
        let open = |_: &str, _: &str| panic!("there is no cursor in it");
        planner::plan(&self.catalog, &self.opened, rights, &self.bounds, &open, &operation).ok()
    }
}

/// Two databases' worth of files that hold nothing: `land` and `zoning` apart from the rest.
async fn desks() -> Vec<(Desk, Databases)> {
    let catalog = Arc::new(load_builtin().expect("sound declarations"));
    let mut desks = Vec::new();
    for layout in [Layout::SqliteFive, Layout::SqliteOne] {
        let databases = Databases::empty(layout).await;
        migrate::migrate(&catalog.connections(&databases.connections)).await.expect("migrates");
        let config = cityquery::config::Config::load(None).expect("the defaults");
        let (sqlite, postgres) = (&config.sqlite, &config.postgres);
        let opened = Opened::open(&databases.connections, sqlite, postgres, Duration::from_secs(1)).expect("opens");
        let bounds = Bounds::new(&limits());
        desks.push((Desk { catalog: catalog.clone(), face: Face::new(catalog.clone()), opened, bounds }, databases));
    }
    desks
}

/// `alias.column` of a statement as `table.column`.
fn columns_named(sql: &str) -> BTreeSet<String> {
    let quoted = |text: &str| -> Vec<String> { text.split('"').skip(1).step_by(2).map(str::to_owned).collect() };
    let mut tables: BTreeMap<String, String> = BTreeMap::new();
    for (at, _) in sql.match_indices("\" AS \"t") {
        let before = sql[..at].rsplit('"').next().expect("a table's name");
        let alias = sql[at + 6..].split('"').next().expect("an alias");
        tables.insert(alias.to_owned(), before.to_owned());
    }
    let mut named = BTreeSet::new();
    for (at, _) in sql.match_indices("\".\"") {
        let alias = sql[..at].rsplit('"').next().expect("an alias");
        if sql[at + 3..].split_once('"').is_some_and(|(_, rest)| rest.starts_with(" AS ")) {
            continue; // a table of a schema
        }
        let column = sql[at + 3..].split('"').next().expect("a column");
        if alias == "k" && column == "value" && sql.contains("rarray(?) AS \"k\"") {
            continue; // the keys that are a parameter
        }
        let table = tables.get(alias).unwrap_or_else(|| panic!("{alias} is no table in {sql}: {:?}", quoted(sql)));
        named.insert(format!("{table}.{column}"));
    }
    named
}

/// What may be named: columns of granted fields; sides of granted joins; row numbers; district columns.
fn may_be_named(catalog: &Catalog, rights: &Rights) -> BTreeSet<String> {
    let mut may = BTreeSet::new();
    for of in &catalog.types {
        may.insert(format!("{}.{}", of.table, of.id_column));
        may.extend(of.scope_column.iter().map(|column| format!("{}.{column}", of.table)));
    }
    for field in catalog.fields.iter().filter(|field| rights.uses(field.id) != Uses::NONE) {
        let table = &catalog.type_def(field.owner).table;
        match &field.kind {
            FieldKind::Column(column) => {
                may.insert(format!("{table}.{}", column.name));
            }
            FieldKind::Join(join) => {
                may.insert(format!("{table}.{}", join.from));
                may.insert(format!("{}.{}", catalog.type_def(join.target).table, join.to));
                if let Some(through) = &join.through {
                    may.insert(format!("{}.{}", through.table, through.from));
                    may.insert(format!("{}.{}", through.table, through.to));
                }
            }
            FieldKind::One(_) | FieldKind::List(_) => {}
        }
    }
    may
}

/// Rights to few fields, each for few uses.
fn few_rights(catalog: &Catalog, dice: &mut Dice) -> Rights {
    let mut items = Vec::new();
    for field in &catalog.fields {
        let root = matches!(field.kind, FieldKind::One(_) | FieldKind::List(_));
        if !root && dice.once_in(2) {
            continue;
        }
        let uses = Use::ALL.into_iter().filter(|_| root || !dice.once_in(3)).collect();
        items.push(Item { coordinate: field.coordinate.clone(), uses, masked: false, districts: None });
    }
    Rights::compile(catalog, &items).0
}

#[tokio::test]
async fn statements_name_granted_columns_only() {
    for (desk, _databases) in desks().await {
        let city = City::new(&desk.catalog, 1);
        let mut asker =
            Asker { catalog: &desk.catalog, city: &city, dice: Dice::new(8), with_id: false, searched: HashSet::new() };
        let mut dice = Dice::new(9);
        let (mut planned, mut columns) = (0, 0);
        for number in 0..600 {
            let mut asked = asker.operation();
            if number % 2 == 0 {
                asked.roots.iter_mut().for_each(bare);
            }
            let rights = few_rights(&desk.catalog, &mut dice);
            let sent = ask_text::write(&desk.catalog, &asked, &mut dice);
            let Some(plan) = desk.plan(&sent, &rights) else { continue };
            planned += 1;
            let may = may_be_named(&desk.catalog, &rights);
            for step in &plan.steps {
                let named = columns_named(&step.statement.sql);
                columns += named.len();
                let leaked: Vec<_> = named.difference(&may).collect();
                assert!(leaked.is_empty(), "{leaked:?} in {}\n{}", step.statement.sql, sent.query);
            }
        }
        eprintln!("{planned} plans, {columns} columns named");
        assert!(planned > 200 && columns > 1_000, "{planned} plans, {columns} columns: too few to tell");
    }
}

/// Without conditions and orders, which rights to little would refuse.
fn bare(root: &mut support::ask::Root) {
    let strip = |window: &mut Window| (window.filter, window.order) = (None, Vec::new());
    fn strip_object(object: &mut Object, strip: &dyn Fn(&mut Window)) {
        for selected in &mut object.fields {
            if let SelectedKind::Join { window, object, .. } = &mut selected.kind {
                strip(window);
                strip_object(object, strip);
            }
        }
    }
    match &mut root.kind {
        RootKind::One { object, .. } => strip_object(object, &strip),
        RootKind::List { window, parts } => {
            strip(window);
            for part in parts {
                match &mut part.kind {
                    PartKind::Nodes(object) => strip_object(object, &strip),
                    PartKind::Edges(fields) => {
                        for (_, field) in fields {
                            if let EdgeKind::Node(object) = field {
                                strip_object(object, &strip);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Databases that an edge touches: that of the far end, and that of its link table.
fn edge_databases(desk: &Desk, field: cityquery::catalog::FieldId) -> usize {
    let catalog = &desk.catalog;
    let FieldKind::Join(join) = &catalog.field(field).kind else { panic!("a join") };
    let place = |dataset| {
        let dataset = catalog.dataset(dataset);
        let own = desk.opened.place(&dataset.code);
        own.or_else(|| desk.opened.place(dataset.lives_with.as_deref()?)).expect("a place").database
    };
    let mut touched = BTreeSet::from([place(catalog.type_def(join.target).dataset)]);
    touched.extend(join.through.as_ref().map(|through| place(through.dataset)));
    touched.len()
}

/// (database, edge) pairs of an operation: roots, counts, walks, and the relations of conditions.
fn pairs(desk: &Desk, asked: &Asked) -> usize {
    fn filter(desk: &Desk, of: &Filter) -> usize {
        match of {
            Filter::And(all) | Filter::Or(all) => all.iter().map(|one| filter(desk, one)).sum(),
            Filter::Not(one) => filter(desk, one),
            Filter::Related { field, filter: inner, .. } => edge_databases(desk, *field) + filter(desk, inner),
            // Whoever a condition looks for by a personal key is found once more, for the record.
            Filter::Compare { field, .. } => {
                let is_key = desk.catalog.types.iter().any(|of| of.keys.contains(field));
                usize::from(is_key && desk.catalog.field(*field).class >= Class::Personal)
            }
            Filter::IsNull { .. } => 0,
        }
    }
    fn object(desk: &Desk, of: &Object) -> usize {
        let one = |selected: &support::ask::Selected| match &selected.kind {
            SelectedKind::Join { field, window, object: inner } => {
                let narrowed = window.filter.as_ref().map_or(0, |one| filter(desk, one));
                edge_databases(desk, *field) + narrowed + object(desk, inner)
            }
            _ => 0,
        };
        of.fields.iter().map(one).sum()
    }
    let root = |root: &support::ask::Root| match &root.kind {
        RootKind::One { object: inner, .. } => 1 + object(desk, inner),
        RootKind::List { window, parts } => {
            let part = |part: &support::ask::Part| match &part.kind {
                PartKind::Nodes(inner) => object(desk, inner),
                PartKind::Edges(fields) => fields
                    .iter()
                    .map(|(_, field)| if let EdgeKind::Node(inner) = field { object(desk, inner) } else { 0 })
                    .sum(),
                PartKind::TotalCount => 1,
                _ => 0,
            };
            1 + window.filter.as_ref().map_or(0, |one| filter(desk, one)) + parts.iter().map(part).sum::<usize>()
        }
    };
    asked.roots.iter().map(root).sum()
}

#[tokio::test]
async fn statements_are_no_more_than_databases_times_edges() {
    for (desk, _databases) in desks().await {
        let city = City::new(&desk.catalog, 1);
        let mut asker = Asker {
            catalog: &desk.catalog,
            city: &city,
            dice: Dice::new(10),
            with_id: false,
            searched: HashSet::new(),
        };
        let mut dice = Dice::new(11);
        let rights = Rights::compile(&desk.catalog, &support::app::everything(&desk.catalog)).0;
        let (mut statements, mut most) = (0, 0);
        for _ in 0..400 {
            let asked = asker.operation();
            let sent = ask_text::write(&desk.catalog, &asked, &mut dice);
            let plan = desk.plan(&sent, &rights).expect("all is granted");
            let pairs = pairs(&desk, &asked);
            assert!(plan.steps.len() <= pairs, "{} statements for {pairs} pairs\n{}", plan.steps.len(), sent.query);
            statements += plan.steps.len();
            most += pairs;
        }
        eprintln!("{statements} statements where {most} are allowed");
    }
}
