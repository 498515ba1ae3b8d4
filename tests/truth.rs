//! Hundreds of made-up queries, each answered in every layout as a naive reckoning over the same tables answers it.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use crate::support::app::everything;
use crate::support::ask::{
    Asked, Asker, EdgeKind, Object, Part, PartKind, Root, RootKind, Selected, SelectedKind, Window,
};
use crate::support::ask_text;
use crate::support::caller::{TestEngine, caller, engine};
use crate::support::city::{City, DISTRICTS};
use crate::support::dice::Dice;
use crate::support::grants::{Grant, Grants};
use crate::support::naive::{CURSOR, Naive};
use crate::support::predicate::Oracle;
use crate::support::{Databases, Layout};
use cityquery::access::{Caller, Item, Rights, Use, Uses};
use cityquery::catalog::{Catalog, FieldDef, FieldId, FieldKind, load_builtin};
use cityquery::config::Connection;
use cityquery::graphql::engine::{Engine, Request};
use cityquery::store::migrate;
use serde_json::{Map, Value, json};

/// Operations made up for each layout; `CITYQUERY_TRUTH` asks for more of them, `CITYQUERY_TRUTH_SEED` for others.
const OPERATIONS: usize = 300;

/// A layout with its data and its engine.
struct Bed {
    catalog: Arc<Catalog>,
    city: City,
    engine: TestEngine,
    caller: Caller,
    connections: BTreeMap<String, Connection>,
    _databases: Databases,
}

impl Bed {
    async fn new(layout: Layout) -> Bed {
        let catalog = Arc::new(load_builtin().expect("sound declarations"));
        let databases = Databases::empty(layout).await;
        let connections = catalog.connections(&databases.connections);
        migrate::migrate(&connections).await.expect("migrates");
        let city = City::new(&catalog, 1);
        city.load(&connections).await;
        let engine = engine(&catalog, &databases.connections).await;
        let caller = caller(Rights::compile(&catalog, &everything(&catalog)).0);
        Bed { catalog, city, engine, caller, connections, _databases: databases }
    }

    /// `data` of the answer as sent, in the order sent.
    async fn ask(&self, query: &str, variables: &Map<String, Value>) -> Result<Value, String> {
        self.ask_of(&self.engine, query, variables).await
    }

    async fn ask_of(&self, engine: &Arc<Engine>, query: &str, variables: &Map<String, Value>) -> Result<Value, String> {
        let request = Request { query: query.to_owned(), variables: variables.clone(), ..Request::default() };
        let reply = engine.answer(Ok(&self.caller), &request).await;
        match (&reply.data, reply.errors.as_slice()) {
            (Some(data), []) => serde_json::from_slice(data).map_err(|error| format!("{error}")),
            (_, errors) => Err(format!("{errors:?}")),
        }
    }
}

impl Bed {
    /// `data`, and the paths of what was denied.
    async fn ask_with_denials(&self, query: &str, variables: &Map<String, Value>) -> Value {
        let request = Request { query: query.to_owned(), variables: variables.clone(), ..Request::default() };
        let reply = self.engine.answer(Ok(&self.caller), &request).await;
        let Some(data) = &reply.data else { return json!({ "errors": format!("{:?}", reply.errors) }) };
        let mut denied: Vec<String> = reply
            .errors
            .iter()
            .map(|error| error.path.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
            .collect();
        denied.sort();
        json!({ "data": serde_json::from_slice::<Value>(data).expect("JSON"), "denied": denied })
    }
}

/// Cursors differ each time.
fn without_cursors(value: &mut Value, key: &str) {
    match value {
        Value::Object(entries) => entries.iter_mut().for_each(|(key, value)| without_cursors(value, key)),
        Value::Array(items) => items.iter_mut().for_each(|item| without_cursors(item, key)),
        Value::String(text) if matches!(key, "cursor" | "pstartCursor" | "pendCursor") => *text = CURSOR.to_owned(),
        _ => {}
    }
}

fn operations(catalog: &Catalog, city: &City, granted: bool) -> Vec<Asked> {
    let set = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let count = set("CITYQUERY_TRUTH").unwrap_or(if granted { OPERATIONS } else { OPERATIONS / 2 });
    let seed = set("CITYQUERY_TRUTH_SEED").unwrap_or(2) as u64;
    let mut asker = Asker { catalog, city, dice: Dice::new(seed), with_id: false, searched: HashSet::new() };
    let lists = catalog.types.iter().filter_map(|of| Some((of.list?, of.id)));
    let mut all: Vec<Asked> = lists.map(|(list, of)| asker.everything_of(list, of)).collect();
    all.extend((0..count).map(|_| asker.operation()));
    all
}

/// Both texts from a little before where they part.
fn apart(a: &str, b: &str) -> (String, String) {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count().saturating_sub(60);
    let part = |text: &str| text.chars().skip(same).take(400).collect();
    (part(a), part(b))
}

/// Compares answers with naive ones, all granted or under rights made up for each operation.
async fn compare(granted: bool) {
    let mut faults = Vec::new();
    let mut first: Vec<Value> = Vec::new();
    for layout in Layout::all() {
        let started = Instant::now();
        let mut bed = Bed::new(layout).await;
        let mut oracle = Oracle::new(&bed.catalog, &bed.connections);
        let mut dice = Dice::new(3);
        let (mut rows, mut denied, mut asked_in_all) = (0, 0, 0);
        for (number, asked) in operations(&bed.catalog, &bed.city, granted).iter().enumerate() {
            let grants = (!granted).then(|| some_grants(&bed.catalog, &asked.searched, &mut dice));
            if let Some(grants) = &grants {
                bed.caller = caller(rights(&bed.catalog, grants));
            }
            oracle.learn(asked).await;
            let naive = Naive {
                catalog: &bed.catalog,
                city: &bed.city,
                oracle: &oracle,
                page_default: 100,
                grants: grants.as_ref(),
            };
            let expected = json!({ "data": naive.answer(asked), "denied": naive.denied(asked) });
            let sent = ask_text::write(&bed.catalog, asked, &mut dice);
            rows += expected.to_string().matches('{').count();
            denied += expected["denied"].as_array().map_or(0, Vec::len);
            asked_in_all += 1;
            let mut found = bed.ask_with_denials(&sent.query, &sent.variables).await;
            without_cursors(&mut found, "");
            // As texts, since the order of the answer counts.
            let (wanted, got) = (expected.to_string(), found.to_string());
            if wanted != got {
                let (expected, found) = apart(&wanted, &got);
                let variables = Value::Object(sent.variables.clone());
                faults.push(format!(
                    "{layout:?} #{number}\n{}{variables}\nexpected {expected}\nfound    {found}\n",
                    sent.query
                ));
            }
            match first.get(number) {
                Some(known) if *known != found => faults.push(format!("{layout:?} #{number}: not as the first layout")),
                Some(_) => {}
                None => first.push(found),
            }
        }
        let total = started.elapsed();
        eprintln!("{layout:?}: {asked_in_all} operations, {rows} objects, {denied} denials in {total:.1?}");
    }
    let shown: String = faults.iter().take(8).map(|fault| format!("{fault}\n")).collect();
    assert!(faults.is_empty(), "{} faults, the first of them:\n{shown}", faults.len());
}

/// Some fields denied, some masked, some of a few districts only. What is searched by is not masked: that is refused.
fn some_grants(catalog: &Catalog, searched: &HashSet<FieldId>, dice: &mut Dice) -> Grants {
    let mut grants = Grants::new();
    // Of some types, no field is granted for the whole city.
    let tight: Vec<bool> = catalog.types.iter().map(|_| dice.once_in(5)).collect();
    for field in &catalog.fields {
        let root = matches!(field.kind, FieldKind::One(_) | FieldKind::List(_));
        let scoped =
            catalog.type_def(field.owner).scope_column.is_some() && (dice.once_in(8) || tight[field.owner.0 as usize]);
        let districts = scoped.then(|| {
            let mut districts = DISTRICTS.to_vec();
            // Mostly the same, or hardly a row would be in all of them.
            if !tight[field.owner.0 as usize] && dice.once_in(6) {
                dice.shuffle(&mut districts);
            }
            districts.into_iter().take(8).map(str::to_owned).collect()
        });
        let grant = Grant {
            select: !dice.once_in(if root { 15 } else { 8 }),
            aggregate: !dice.once_in(4),
            masked: field.mask.is_some() && dice.once_in(3) && !searched.contains(&field.id),
            districts,
        };
        grants.insert(field.id, grant);
    }
    grants
}

fn rights(catalog: &Catalog, grants: &Grants) -> Rights {
    let item = |field: &FieldDef| {
        let grant = &grants[&field.id];
        let mut uses: Uses = [Use::Filter, Use::Order].into_iter().collect();
        uses = if grant.select { uses.with(Use::Select) } else { uses };
        uses = if grant.aggregate { uses.with(Use::Aggregate) } else { uses };
        let (coordinate, districts) = (field.coordinate.clone(), grant.districts.clone());
        Item { coordinate, uses, masked: grant.masked, districts }
    };
    let items: Vec<Item> = catalog.fields.iter().map(item).collect();
    let (rights, problems) = Rights::compile(catalog, &items);
    assert_eq!(problems, []);
    rights
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_the_naive_one() {
    compare(true).await;
}

/// The same under partial rights: denied, masked, and rows of some districts only.
#[tokio::test(flavor = "multi_thread")]
async fn every_answer_under_partial_rights_is_the_naive_one() {
    compare(false).await;
}

/// Walks a list page by page, forward or backward, and gives the row numbers in the order of the list.
async fn walk(bed: &Bed, asked: (&Window, FieldId), size: u32, backward: bool, dice: &mut Dice) -> Vec<i64> {
    let (window, list) = asked;
    let object = |fields| Object { of: bed.catalog.field(list).owner, fields };
    let id = bed.catalog.type_def(bed.catalog.field(list).owner).fields[0];
    let node = object(vec![Selected { key: "id".into(), kind: SelectedKind::Column(id) }]);
    let edges = PartKind::Edges(vec![("node".into(), EdgeKind::Node(node)), ("cursor".into(), EdgeKind::Cursor)]);
    let info = ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"].map(|word| (word.to_owned(), word));
    let parts = vec![
        Part { key: "edges".into(), kind: edges },
        Part { key: "info".into(), kind: PartKind::PageInfo(info.into()) },
    ];
    let mut pages: Vec<Vec<i64>> = Vec::new();
    let mut window = window.clone();
    *(if backward { &mut window.last } else { &mut window.first }) = Some(size);
    loop {
        let kind = RootKind::List { window: window.clone(), parts: parts.clone() };
        let asked = Asked { roots: vec![Root { key: "list".into(), field: list, kind }], ..Asked::default() };
        let sent = ask_text::write(&bed.catalog, &asked, dice);
        let data =
            bed.ask(&sent.query, &sent.variables).await.unwrap_or_else(|errors| panic!("{}\n{errors}", sent.query));
        let (edges, info) = (data["list"]["edges"].as_array().expect("edges"), &data["list"]["info"]);
        pages.push(
            edges.iter().map(|edge| edge["node"]["id"].as_str().expect("an id").parse().expect("a number")).collect(),
        );
        let begun = window.after.is_some() || window.before.is_some();
        let (more, end, before) = match backward {
            false => ("hasNextPage", "endCursor", "hasPreviousPage"),
            true => ("hasPreviousPage", "startCursor", "hasNextPage"),
        };
        assert_eq!(info[before], json!(begun), "{}", sent.query);
        assert!(edges.len() <= size as usize && pages.len() < 100, "{}", sent.query);
        if info[more] == json!(false) {
            break;
        }
        // Any row's cursor will do, and the page's own is that of its last row.
        let cursor = if dice.once_in(2) {
            info[end].as_str()
        } else {
            (if backward { edges.first() } else { edges.last() }).and_then(|edge| edge["cursor"].as_str())
        };
        *(if backward { &mut window.before } else { &mut window.after }) = Some(cursor.expect("a cursor").to_owned());
    }
    if backward {
        pages.reverse();
    }
    pages.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_walked_by_cursor_hold_every_row_once() {
    for layout in Layout::all() {
        let bed = Bed::new(layout).await;
        let mut oracle = Oracle::new(&bed.catalog, &bed.connections);
        let mut asker = Asker {
            catalog: &bed.catalog,
            city: &bed.city,
            dice: Dice::new(4),
            with_id: false,
            searched: HashSet::new(),
        };
        let mut dice = Dice::new(5);
        for of in bed.catalog.types.iter().filter(|of| of.list.is_some()) {
            for round in 0..2 {
                let filter = (round == 1).then(|| asker.filter(of.id, 1));
                let window = Window { filter, order: asker.order(of.id), ..Window::default() };
                let list = of.list.expect("only such types are walked");
                let kind = RootKind::List { window: window.clone(), parts: Vec::new() };
                oracle
                    .learn(&Asked { roots: vec![Root { key: "list".into(), field: list, kind }], ..Asked::default() })
                    .await;
                let naive =
                    Naive { catalog: &bed.catalog, city: &bed.city, oracle: &oracle, page_default: 100, grants: None };
                let expected: Vec<i64> =
                    naive.list(of.id, &window, &[]).into_iter().map(|row| naive.id(of.id, row)).collect();
                for backward in [false, true] {
                    let size = 1 + dice.below(7) as u32;
                    let found = walk(&bed, (&window, list), size, backward, &mut dice).await;
                    assert_eq!(found, expected, "{layout:?} {} by {size}, backward: {backward}, {window:?}", of.name);
                }
            }
        }
    }
}

/// What one database would fail on and another pass over is refused everywhere, with the same words.
#[tokio::test(flavor = "multi_thread")]
async fn what_databases_differ_on_is_refused_by_all() {
    for layout in Layout::all() {
        let bed = Bed::new(layout).await;
        for condition in [r#"_like: "a\\""#, r#"_ilike: "\\""#, r#"_eq: "a\u0000""#, r#"_startsWith: "\u0000""#] {
            let literal = format!("{{ persons(where: {{name: {{{condition}}}}}) {{ nodes {{ id }} }} }}");
            let refused = bed.ask(&literal, &Map::new()).await.expect_err("refused");
            assert!(refused.contains("BadUserInput"), "{layout:?} {condition}: {refused}");
        }
        let text = "query($p: String) { persons(where: {name: {_like: $p}}) { nodes { id } } }";
        let refused = bed.ask(text, &Map::from_iter([("p".to_owned(), json!("a\\"))])).await.expect_err("refused");
        assert!(refused.contains("BadUserInput"), "{layout:?}: {refused}");
        // A pair of them is one letter.
        assert!(bed.ask(text, &Map::from_iter([("p".to_owned(), json!("a\\\\"))])).await.is_ok());
    }
}

/// A plan that was kept answers other variables as a fresh one does: null, left out, true, false, lists, whole conditions.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_plan_answers_other_variables() {
    let text =
        "query Kept($eq: String, $in: [String!], $no: Boolean, $first: Int = 3, $offset: Int, $up: OrderDirection, \
                $show: Boolean!, $hide: Boolean = false, $rest: FirePremisesFilter, $of: String) {
      firePremises(where: {_and: [{name: {_neq: $eq}}, {status: {_in: $in}}, {brigade: {_isNull: $no}}], _not: $rest},
                   orderBy: [{name: $up}], first: $first, offset: $offset) {
        totalCount
        nodes { id name @include(if: $show) ... @skip(if: $hide) { usage }
                inspections(where: {result: {_eq: $of}}, first: $first, offset: $offset) { id } }
      }
    }";
    let values = [
        ("eq", vec![json!("a"), json!("zz")]),
        ("in", vec![json!(["a", "A", "b"]), json!([]), json!("a")]),
        ("no", vec![json!(true), json!(false)]),
        ("first", vec![json!(0), json!(5), json!(null)]),
        ("offset", vec![json!(0), json!(2), json!(null)]),
        ("up", vec![json!("ASC"), json!("DESC")]),
        ("hide", vec![json!(true), json!(false)]),
        ("rest", vec![json!({}), json!({ "name": { "_like": "a%" } }), json!({ "residents": { "_some": {} } })]),
        ("of", vec![json!("a"), json!("b")]),
    ];
    let bed = Bed::new(Layout::SqliteFive).await;
    let mut dice = Dice::new(12);
    let (mut different, mut refused) = (std::collections::HashSet::new(), 0);
    for _ in 0..150 {
        let mut variables = Map::from_iter([("show".to_owned(), json!(dice.once_in(2)))]);
        for (name, values) in &values {
            if !dice.once_in(3) {
                variables.insert((*name).to_owned(), dice.pick(values).clone());
            }
        }
        let fresh = engine(&bed.catalog, &bed.connections).await;
        let (kept, new) = (bed.ask(text, &variables).await, bed.ask_of(&fresh, text, &variables).await);
        assert_eq!(kept.as_ref().map(Value::to_string), new.as_ref().map(Value::to_string), "{variables:?}");
        refused += usize::from(kept.is_err());
        different.insert(format!("{kept:?}"));
    }
    assert!(
        different.len() > 40,
        "{} answers differ, {refused} refused: {:?}",
        different.len(),
        different.iter().next()
    );
}
