//! Attempts to learn what was not granted, each a folder of `tests/leaks`: the operation with the form it is asked under,
//! the whole answer, and why the case is there (`UPDATE_EXPECTED=1` writes the answers, then read them). What takes
//! more than one operation stands below. How long an answer takes is not tested here; whether it depends on what was
//! not granted in any other way is `twins.rs`'s.

use crate::support;

use std::path::PathBuf;

use crate::support::gate::{Gate, Grant, Setup, dead, everything, grant, items};
use crate::support::plots;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Forms {
    form: Vec<Form>,
}

#[derive(Deserialize)]
struct Form {
    number: String,
    grants: Vec<Grant>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/leaks")
}

async fn city(people: &[&str]) -> Gate {
    let gate = Gate::open(Setup::default(), people).await;
    plots::load(&plots::plots(&gate.catalog), &gate.catalog.connections(&gate.app.config.datasets)).await;
    gate
}

async fn city_with_forms() -> Gate {
    let gate = city(&["asker", "other"]).await;
    let text = std::fs::read_to_string(folder().join("forms.toml")).expect("forms");
    let forms: Forms = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    for form in forms.form {
        gate.form(&form.number, items(&gate.catalog, &form.grants), &["asker", "other"]).await;
    }
    gate
}

/// The answer without what differs each time.
fn settled(mut body: Value) -> Value {
    if let Some(extensions) = body.get_mut("extensions").and_then(Value::as_object_mut) {
        extensions.remove("audit");
    }
    body
}

#[tokio::test]
async fn nothing_leaks() {
    let gate = city_with_forms().await;
    let entries = std::fs::read_dir(folder()).expect("the cases");
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 28, "cases are missing");
    let mut wrong = String::new();
    for case in cases {
        let read = |name: &str| std::fs::read_to_string(case.join(name));
        let operation = read("operation.graphql").expect("operation.graphql");
        assert!(read("readme.md").is_ok_and(|text| text.len() > 20), "{}: says why it is there", case.display());
        let form = operation.lines().next().and_then(|line| line.strip_prefix("# form: ")).expect("a form");
        let variables = read("variables.json").map_or(json!({}), |text| serde_json::from_str(&text).expect("JSON"));
        let got = gate.ask("asker", form, &operation, variables).await;
        let said = serde_json::to_string_pretty(&settled(got.body)).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(case.join("expected.json"), &said).expect("written");
        }
        let expected = read("expected.json").unwrap_or_default();
        if said != expected {
            wrong += &format!("== {}\n-- expected\n{expected}-- said\n{said}\n", case.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Signed in, granted nothing: the schema and no row; no database is asked (they are dead and would say so).
#[tokio::test]
async fn a_newcomer_sees_the_schema_and_no_row() {
    let gate = Gate::open(Setup { datasets: Some(dead()), ..Setup::default() }, &["newcomer"]).await;
    let catalog = &gate.catalog;
    let schema = gate.ask("newcomer", "", "{ __schema { queryType { fields { name } } } }", json!({})).await;
    let roots = schema.body["data"]["__schema"]["queryType"]["fields"].as_array().expect("the roots");
    // The procedure's questions have a table of their own: tests/procedure/operations.txt.
    let ruled = |name: &str| cityquery::procedure::rules::find(name).is_some();
    let roots = roots.iter().filter(|root| !ruled(root["name"].as_str().expect("a name"))).count();
    let mut asked = 0;
    for of in &catalog.types {
        if let Some(list) = of.list {
            let root = &catalog.field(list).name;
            let dataset = catalog.dataset(catalog.field(list).dataset);
            for parts in [
                "nodes { __typename }",
                "nodes { id }",
                "edges { cursor }",
                "pageInfo { hasNextPage }",
                "__typename",
                "totalCount",
            ] {
                let got = gate.ask("newcomer", "", &format!("{{ {root} {{ {parts} }} }}"), json!({})).await;
                assert_eq!(got.status, 200);
                assert_eq!(got.body["data"], json!({ root: null }), "{root} {parts}: {}", got.text);
                let extensions = &got.body["errors"][0]["extensions"];
                assert_eq!(got.codes(), ["FORBIDDEN"], "{root} {parts}: {}", got.text);
                assert_eq!(extensions["coordinate"], json!(format!("Query.{root}")));
                assert_eq!(extensions["dataset"], json!(dataset.code));
                assert_eq!(extensions["custodian"], json!(dataset.custodian));
                assert_eq!(got.body["extensions"]["cost"]["rows"], json!(0));
            }
            asked += 1;
        }
        if let Some(one) = of.one {
            let root = &catalog.field(one).name;
            for key in &of.keys {
                let key = catalog.field(*key);
                let query = format!("{{ {root}({}: \"A123456789\") {{ __typename }} }}", key.name);
                let got = gate.ask("newcomer", "", &query, json!({})).await;
                // A key of another form is refused as one; a right one is not looked up.
                if got.code() != "BAD_USER_INPUT" {
                    assert_eq!(got.denied(), [format!("filter {}", key.coordinate)], "{query}: {}", got.text);
                    assert_eq!(got.body["data"], Value::Null);
                }
            }
            asked += 1;
        }
    }
    assert_eq!(asked, roots, "every root was asked");
}

/// The same schema, the same refusals: for one who holds everything, and for one who holds nothing.
#[tokio::test]
async fn the_schema_does_not_depend_on_rights() {
    let gate = Gate::open(Setup { datasets: Some(dead()), ..Setup::default() }, &["newcomer", "asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    let queries = [
        include_str!("graphql/introspection.graphql"),
        "{ __type(name: \"Person\") { fields { name } } }",
        "{ persons { nodes { nam } } }",
        "{ persns { nodes { name } } }",
        "{ persons(where: { birthDate: { _eq: \"x\" } }) { nodes { name } } }",
        "{ persons(first: -1) { nodes { name } } }",
    ];
    for query in queries {
        let (all, none) =
            (gate.ask("asker", "", query, json!({})).await, gate.ask("newcomer", "", query, json!({})).await);
        if query.contains("first") {
            // Read with the plan: one who may not ask at all is told that.
            assert_eq!((all.code(), none.code()), ("BAD_USER_INPUT", "FORBIDDEN"));
            continue;
        }
        assert_eq!(settled(all.body), settled(none.body), "{query}");
    }
}

/// Denials say the same whatever is in the databases, and whether they answer at all.
#[tokio::test]
async fn denials_do_not_depend_on_data() {
    let narrow =
        [grant("select", &["Query.persons", "Person.sex", "Person.household"]), grant("filter", &["Person.birthDate"])];
    let full = city(&["asker"]).await;
    full.form("NARROW", items(&full.catalog, &narrow), &["asker"]).await;
    let empty = Gate::open(Setup::default(), &["asker"]).await;
    empty.form("NARROW", items(&empty.catalog, &narrow), &["asker"]).await;
    let queries = [
        "{ persons { nodes { sex name household { householdNo } } } }",
        "{ persons { edges { node { name notes } } } }",
        "{ persons(where: { birthDate: { _gt: \"1900-01-01\" } }) { totalCount nodes { name } } }",
        "{ persons(where: { name: { _eq: \"persons-name-1\" } }) { nodes { sex } } }",
        "{ parcels { nodes { areaM2 } } }",
    ];
    for query in queries {
        let (full, empty) =
            (full.ask("asker", "", query, json!({})).await, empty.ask("asker", "", query, json!({})).await);
        assert!(!full.codes().is_empty());
        assert_eq!(full.body["errors"], empty.body["errors"], "{query}");
        assert_eq!(
            full.body["extensions"]["cost"]["estimated"], empty.body["extensions"]["cost"]["estimated"],
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_cursor_holds_for_its_caller_order_and_rights_alone() {
    let gate = city(&["asker", "other"]).await;
    let page = "query ($after: String, $order: [PersonOrder!]) {
        persons(first: 1, after: $after, orderBy: $order) { nodes { sex } pageInfo { endCursor } } }";
    let all = [grant("select", &["Query.persons", "Person.sex"]), grant("order", &["Person.{name birthDate}"])];
    gate.form("PAGES", items(&gate.catalog, &all), &["asker", "other"]).await;
    let by_name = json!([{ "name": "ASC" }]);
    let first = gate.ask("asker", "", page, json!({ "order": by_name })).await;
    let cursor = first.body["data"]["persons"]["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
    let with = |order: &Value, cursor: &str| json!({ "order": order, "after": cursor });

    let next = gate.ask("asker", "", page, with(&by_name, &cursor)).await;
    assert_eq!(next.body["data"]["persons"]["nodes"], json!([{ "sex": "persons-sex-2" }]), "{}", next.text);
    assert!(!cursor.contains("persons"), "sealed");
    let again = gate.ask("asker", "", page, json!({ "order": by_name })).await;
    assert_ne!(again.body["data"]["persons"]["pageInfo"]["endCursor"], json!(cursor), "no two seals are alike");

    let refused = |got: &support::gate::Got, why: &str| {
        assert_eq!((got.code(), &got.body["data"]), ("BAD_USER_INPUT", &Value::Null), "{why}: {}", got.text);
        got.body["errors"][0]["message"].clone()
    };
    let mut texts = Vec::new();
    texts.push(refused(&gate.ask("other", "", page, with(&by_name, &cursor)).await, "another caller's"));
    for order in [
        json!([{ "birthDate": "ASC" }]),
        json!([{ "name": "DESC" }]),
        json!([{ "name": "ASC" }, { "birthDate": "ASC" }]),
        json!([]),
    ] {
        texts.push(refused(&gate.ask("asker", "", page, with(&order, &cursor)).await, "of another order"));
    }
    for at in [0, 23, 24, cursor.len() / 2, cursor.len() - 1] {
        let mut altered: Vec<u8> = cursor.clone().into_bytes();
        altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
        let altered = String::from_utf8(altered).expect("text");
        texts.push(refused(&gate.ask("asker", "", page, with(&by_name, &altered)).await, "altered"));
    }
    texts.push(refused(&gate.ask("asker", "", page, with(&by_name, &cursor[..cursor.len() - 2])).await, "cut off"));
    texts.dedup();
    assert_eq!(texts.len(), 1, "the refusal does not say which it was: {texts:?}");

    // The same rights in a new version: it still holds. Other rights: it does not, and the order is refused besides.
    gate.form("PAGES", items(&gate.catalog, &all), &["asker", "other"]).await;
    let kept = gate.ask("asker", "", page, with(&by_name, &cursor)).await;
    assert_eq!(kept.code(), "-", "{}", kept.text);
    let less = [grant("select", &["Query.persons", "Person.sex"]), grant("order", &["Person.birthDate"])];
    gate.form("PAGES", items(&gate.catalog, &less), &["asker", "other"]).await;
    let got = gate.ask("asker", "", page, with(&by_name, &cursor)).await;
    assert_eq!(got.denied(), ["order Person.name"], "{}", got.text);
    let more = [grant("select", &["Query.persons", "Person.sex"]), grant("order,select", &["Person.name"])];
    gate.form("PAGES", items(&gate.catalog, &more), &["asker", "other"]).await;
    refused(&gate.ask("asker", "", page, with(&by_name, &cursor)).await, "of earlier rights");
}

/// Whoever may order by a name, and not see it, learns nothing of it from how long its cursor is: not how many letters it has,
/// nor whether there is one at all.
#[tokio::test]
async fn the_length_of_a_cursor_tells_nothing() {
    let gate = city(&["asker"]).await;
    let url = gate.catalog.connections(&gate.app.config.datasets)["household"].url.clone();
    let names = "UPDATE persons SET name = '王明' WHERE id = 1;
        UPDATE persons SET name = '歐陽小明明' WHERE id = 2;
        UPDATE persons SET died_on = '2020-02-02' WHERE id IN (1, 2, 3);
        UPDATE persons SET died_on = NULL WHERE id IN (4, 5, 6);";
    plots::execute(&url, names).await;
    let grants = [grant("select", &["Query.persons"]), grant("order", &["Person.{name diedOn}"])];
    gate.form("A-1", items(&gate.catalog, &grants), &["asker"]).await;
    for order in ["name: ASC", "diedOn: ASC", "name: ASC, diedOn: DESC"] {
        let query = format!("{{ persons(orderBy: [{{ {order} }}]) {{ edges {{ cursor }} }} }}");
        let got = gate.ask("asker", "", &query, json!({})).await;
        let edges = got.body["data"]["persons"]["edges"].as_array().unwrap_or_else(|| panic!("{}", got.text));
        let mut lengths: Vec<usize> =
            edges.iter().map(|edge| edge["cursor"].as_str().expect("a cursor").len()).collect();
        lengths.dedup();
        assert_eq!((edges.len(), lengths.len()), (6, 1), "{order}: {lengths:?}");
    }
}

/// Data granted for one purpose is not readable for another: what two forms grant together is granted by neither.
#[tokio::test]
async fn two_forms_are_never_united() {
    let gate = city(&["asker"]).await;
    let list = [grant("select", &["Query.persons", "Person.sex"])];
    let search = [grant("select", &["Query.persons", "Person.name"]), grant("filter,order", &["Person.birthDate"])];
    gate.form("A-1", items(&gate.catalog, &list), &["asker"]).await;
    gate.form("B-1", items(&gate.catalog, &search), &["asker"]).await;
    let none = gate.ask("asker", "", "{ persons { nodes { sex } } }", json!({})).await;
    assert_eq!(none.code(), "FORM_REQUIRED");
    let both = "{ persons { nodes { sex name } } }";
    assert_eq!(gate.ask("asker", "A-1", both, json!({})).await.denied(), ["select Person.name"]);
    assert_eq!(gate.ask("asker", "B-1", both, json!({})).await.denied(), ["select Person.sex"]);
    let found = "{ persons(where: { birthDate: { _gt: \"1900-01-01\" } }) { nodes { sex } } }";
    assert_eq!(gate.ask("asker", "A-1", found, json!({})).await.denied(), ["filter Person.birthDate"]);
    let twice = format!("{both} ");
    for form in ["A-1, B-1", "A-1,B-1", "A-1 B-1"] {
        assert_eq!(gate.ask("asker", form, &twice, json!({})).await.code(), "FORM_REQUIRED");
    }
    // A plan that was made under one form is not found under the other.
    let got = gate.ask("asker", "A-1", both, json!({})).await;
    assert!(!got.text.contains("persons-name"), "{}", got.text);
}

/// Taken away, it is gone with the next request, plans and all.
#[tokio::test]
async fn what_is_withdrawn_is_gone_at_once() {
    let gate = city(&["asker"]).await;
    let query = "{ persons(first: 1) { nodes { sex name } } }";
    let all = [grant("select", &["Query.persons", "Person.{sex name}"])];
    gate.form("A-1", items(&gate.catalog, &all), &["asker"]).await;
    assert_eq!(gate.ask("asker", "", query, json!({})).await.code(), "-");
    gate.form("A-1", items(&gate.catalog, &[grant("select", &["Query.persons", "Person.sex"])]), &["asker"]).await;
    let got = gate.ask("asker", "", query, json!({})).await;
    assert_eq!((got.denied(), got.text.contains("persons-name")), (vec!["select Person.name".to_owned()], false));
    gate.app.accounts.set_form_status("A-1", "suspended").await.expect("suspended");
    let got = gate.ask("asker", "", query, json!({})).await;
    assert_eq!(got.body["data"], json!({ "persons": null }));
    assert_eq!(gate.ask("asker", "A-1", query, json!({})).await.code(), "FORM_REQUIRED");
}

/// What was loaded besides the answer is not counted in it: rows of the next page, rows and links outside the scope.
#[tokio::test]
async fn the_cost_tells_nothing_of_rows_not_shown() {
    let gate = city(&["asker"]).await;
    let grants = [
        grant("select", &["Query.usePermits", "UsePermit.{id parcels premises}", "UsePermit.districtCode"]),
        Grant { districts: Some(vec!["63000020".to_owned()]), ..grant("select", &["Parcel.id", "FirePremises.id"]) },
    ];
    gate.form("A-1", items(&gate.catalog, &grants), &["asker"]).await;
    let objects = |value: &Value| -> u64 {
        fn count(value: &Value, inside: bool) -> u64 {
            match value {
                Value::Array(all) => all.iter().map(|one| count(one, true)).sum(),
                Value::Object(map) => u64::from(inside) + map.values().map(|one| count(one, false)).sum::<u64>(),
                _ => 0,
            }
        }
        count(value, false)
    };
    for query in [
        "{ usePermits(first: 2) { nodes { id parcels { id } premises { id } } } }",
        "{ usePermits(first: 2) { nodes { id parcels(first: 1) { id } premises(first: 0) { id } } } }",
        "{ usePermits(first: 6) { nodes { id } } }",
        "{ usePermits(first: 5) { nodes { id } } }",
    ] {
        let got = gate.ask("asker", "", query, json!({})).await;
        assert_eq!(got.code(), "-", "{}", got.text);
        assert_eq!(got.body["extensions"]["cost"]["rows"], json!(objects(&got.body["data"])), "{query}: {}", got.text);
    }
}
