//! Golden plans: a folder of `tests/plans` is an operation, its variables, the form it runs under and the plan that is
//! expected: which statements, how their rows hang together, what the record's shape is. Adding a case adds no Rust;
//! review what changed with `cargo insta`, or `INSTA_UPDATE=always`, and read it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cityquery::access::{Item, Rights, Uses};
use cityquery::audit::Shape;
use cityquery::catalog::{Catalog, load_builtin};
use cityquery::config::{Config, Connection, Limits};

use cityquery::graphql::Face;
use cityquery::query::cost::Bounds;
use cityquery::query::plan::{Link, Plan};
use cityquery::query::slot::{Number, Slot};
use cityquery::query::{planner, resolve};
use cityquery::store::layout::Databases;
use serde::Deserialize;
use serde_json::{Map, Value};

/// `form.toml`: which databases there are, and what is granted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    /// What the case guards, in a sentence.
    says: String,
    /// Datasets that share a database; PostgreSQL with schemas, if more than one.
    #[serde(default)]
    together: Vec<String>,
    /// Coordinates; `Person.*` is every field of a type, `*` everything.
    items: Vec<Granted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Granted {
    of: Vec<String>,
    uses: String,
    #[serde(default)]
    masked: bool,
    districts: Option<Vec<String>>,
}

/// As they are by default.
fn limits() -> Limits {
    Config::load(None).expect("the defaults load").limits
}

fn rights(catalog: &Catalog, form: &Form) -> Rights {
    let mut items: Vec<Item> = Vec::new();
    let mut coordinates: Vec<&String> = catalog.fields_by_coordinate.keys().collect();
    coordinates.sort();
    for granted in &form.items {
        for pattern in &granted.of {
            let fits = |coordinate: &str| match pattern.strip_suffix('*') {
                Some(front) => coordinate.starts_with(front),
                None => coordinate == pattern,
            };
            let before = items.len();
            for coordinate in coordinates.iter().filter(|coordinate| fits(coordinate)) {
                // What stands further down says more.
                items.retain(|item| item.coordinate != **coordinate);
                let maskable = catalog.field(catalog.fields_by_coordinate[*coordinate]).mask.is_some();
                items.push(Item {
                    coordinate: (*coordinate).clone(),
                    uses: Uses::parse(&granted.uses).expect("uses"),
                    masked: granted.masked && maskable,
                    districts: granted.districts.clone(),
                });
            }
            assert!(items.len() > before || items.iter().any(|item| fits(&item.coordinate)), "{pattern} is nothing");
        }
    }
    let (rights, problems) = Rights::compile(catalog, &items);
    assert_eq!(problems, []);
    rights
}

/// Connections are opened when first asked; nobody asks here.
fn databases(form: &Form) -> Databases {
    let connection = |dataset: &str| {
        let together = form.together.iter().any(|one| one == dataset);
        let url = format!("postgres://nobody@127.0.0.1:1/{}", if together { "city" } else { dataset });
        Connection { url, schema: together.then(|| dataset.to_owned()) }
    };
    let datasets = ["household", "land", "building", "zoning", "fire"];
    let connections = datasets.iter().map(|dataset| ((*dataset).to_owned(), connection(dataset))).collect();
    let config = cityquery::config::Config::load(None).expect("the defaults");
    Databases::open(&connections, &config.sqlite, &config.postgres, Duration::from_secs(1)).expect("addresses")
}

fn shown(case: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(case.join(name));
    let form: Form = toml::from_str(&read("form.toml").expect("form.toml")).expect("a form");
    let catalog = Arc::new(load_builtin().expect("sound declarations"));
    let face = Face::new(catalog.clone());
    let text = read("operation.graphql").expect("operation.graphql");
    let sent: Map<String, Value> =
        serde_json::from_str(&read("variables.json").unwrap_or_else(|_| "{}".into())).expect("variables");
    let validated = face.validate(&text, None, &limits()).expect("valid");
    let variables = face.variables(&validated, &sent).expect("coerced");
    let bounds = Bounds::new(&limits());
    let fragments = &validated.document.fragments;
    let operation =
        resolve::resolve(&catalog, validated.operation(), fragments, &variables, &bounds).expect("resolves");
    let databases = databases(&form);
    let open = |_: &str, _: &str| panic!("no case has a cursor");
    let mut out = format!("{}\n", form.says);
    match planner::plan(&catalog, &databases, &rights(&catalog, &form), &bounds, &open, &operation) {
        Ok(plan) => write_plan(&plan, operation.single_use, &databases, &mut out),
        Err(refusals) => refusals.iter().for_each(|refusal| {
            let _ = writeln!(out, "\nrefused  {} {}", refusal.code.word(), refusal.en);
        }),
    }
    out
}

fn write_plan(plan: &Plan, single_use: bool, databases: &Databases, out: &mut String) {
    let names: Vec<(usize, &str)> = ["building", "fire", "household", "land", "zoning"]
        .into_iter()
        .filter_map(|dataset| Some((databases.place(dataset)?.database, dataset)))
        .collect();
    let name = |database: usize| {
        let mine: Vec<&str> = names.iter().filter(|(number, _)| *number == database).map(|(_, name)| *name).collect();
        mine.join("+")
    };
    if single_use {
        let _ = writeln!(out, "for this request only");
    }
    for (number, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(out, "\nstep {number}  {}  in {}", step.path, name(step.database));
        let _ = writeln!(out, "  {}", step.statement.sql);
        for (number, slot) in step.slots.iter().enumerate() {
            let _ = writeln!(out, "  ${} {}", number + 1, slot_text(slot));
        }
        let _ = writeln!(out, "  {}", link_text(&step.link));
    }
    let shape = Shape::from_bytes(&plan.shape.bytes).expect("a shape");
    let _ = writeln!(out, "\nrecord");
    for rectangle in &shape.rectangles {
        let columns: Vec<String> = rectangle
            .columns
            .iter()
            .map(|column| {
                let of = column.of.as_ref().map(|of| format!("{of}.")).unwrap_or_default();
                let key = if column.key == column.field { String::new() } else { format!("{}: ", column.key) };
                format!("{key}{of}{} {} {:?}", column.field, column.use_.name(), column.outcome)
            })
            .collect();
        let _ = writeln!(out, "  {} {}\n    {}", rectangle.path, rectangle.type_name, columns.join("\n    "));
    }
    for refusal in &plan.denied {
        let _ = writeln!(
            out,
            "denied  {}  {}",
            refusal.path.iter().map(ToString::to_string).collect::<Vec<_>>().join("."),
            refusal.en
        );
    }
}

fn slot_text(slot: &Slot) -> String {
    match slot {
        Slot::Ready(bind) => format!("{bind:?}"),
        Slot::Texts(texts) => format!("one of {:?}", texts.iter().collect::<Vec<_>>()),
        Slot::Variable(read) => format!("{} as {} for {:?}", read.value, read.coordinate, read.operator),
        Slot::Keys { step, column } => format!("the keys in column {column} of step {step}"),
        Slot::Key { step, column } => format!("the key in column {column} of step {step}"),
        Slot::Number(number) => number_text(number),
    }
}

fn number_text(number: &Number) -> String {
    let own = match &number.value {
        Some(value) => format!("{} {value}", number.argument),
        None => format!("{} left out, {}", number.argument, number.default),
    };
    let and = number.and.as_ref().map(|other| format!(" + {}", number_text(other))).unwrap_or_default();
    let plus = if number.plus > 0 { format!(" + {}", number.plus) } else { String::new() };
    own + &and + &plus
}

fn link_text(link: &Link) -> String {
    match link {
        Link::Root { page: None } => "the root's row".into(),
        Link::Root { page: Some((size, backward)) } => {
            format!("a page of the root: {}{}", number_text(size), if *backward { ", from the end" } else { "" })
        }
        Link::Keys { parent, column, own, by_number } => {
            let order = by_number.map_or(String::new(), |number| format!(", ordered by column {number}"));
            format!("rows whose column {own} is column {column} of step {parent}{order}")
        }
        Link::Through { parent, column, links, own, page } => {
            let page =
                page.as_ref().map(|(first, offset)| format!(", {}, {}", number_text(first), number_text(offset)));
            let page = page.unwrap_or_default();
            format!("rows whose column {own} step {links} ties to column {column} of step {parent}{page}")
        }
        Link::Loose { keys: true } => "keys for a condition".into(),
        Link::Loose { keys: false } => "read by other steps".into(),
    }
}

#[test]
fn plans_are_as_expected() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let entries = std::fs::read_dir(&folder).expect("the cases").map(|entry| entry.expect("readable").path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 12, "the cases are missing");
    for case in cases {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _inside = runtime.enter();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("plan", shown(&case)));
    }
}
