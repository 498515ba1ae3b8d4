//! A sixth dataset by one file and one connection, without a line of Rust: the very example of `docs/declarations.md`, over
//! tables of its own, beside five datasets in SQLite files and in PostgreSQL databases.

use crate::support;

use crate::support::gate::{Gate, Setup, grant, items};
use crate::support::{Databases, Layout, plots, postgres};
use cityquery::config::Connection;
use serde_json::{Value, json};

const TABLES: &str = "
    CREATE TABLE schools (id INTEGER PRIMARY KEY, school_no TEXT NOT NULL UNIQUE, district_code TEXT NOT NULL, head TEXT, plate_key TEXT);
    CREATE TABLE pupils (id INTEGER PRIMARY KEY, national_id TEXT NOT NULL, school_no TEXT NOT NULL, district_code TEXT NOT NULL);";

/// The declaration as the documentation shows it.
fn declaration() -> (String, String) {
    let page = include_str!("../docs/declarations.md");
    let (_, after) = page.split_once("## The file").expect("the section");
    let (example, _) = after.split_once("Every type and field").expect("its end");
    let lines: Vec<&str> = example.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    ("schools.graphql".to_owned(), lines.join("\n"))
}

/// Five datasets in a layout and the sixth in a SQLite file of its own, filled.
async fn city(layout: Layout) -> (Gate, Databases) {
    let databases = Databases::empty(layout).await;
    let url = format!("sqlite:{}", databases.folder.path().join("schools.db").display());
    plots::execute(&url, TABLES).await;
    let mut connections = databases.connections.clone();
    connections.insert("schools".to_owned(), Connection { url, schema: None });
    let catalog = cityquery::catalog::load_with(&[declaration()]).unwrap_or_else(|faults| panic!("{faults:?}"));
    let connections = catalog.connections(&connections);
    cityquery::store::migrate::migrate(&connections).await.expect("migrates the five, and leaves the sixth alone");
    plots::load(&plots::plots(&catalog), &connections).await;
    let setup = Setup { further: vec![declaration()], datasets: Some(connections), ..Setup::default() };
    let gate = Gate::open(setup, &["asker", "newcomer"]).await;
    let masked = |items: &[&str]| support::gate::Grant { masked: true, ..grant("select", items) };
    let grants = [
        grant("select,filter,order", &["Query.schools", "School.{schoolNo districtCode pupils plateKey}"]),
        masked(&["School.headName", "Pupil.nationalId"]),
        grant("select", &["Pupil.person", "Person.birthDate", "Query.addresses", "Address.addressKey"]),
        grant("select,filter", &["Address.schools"]),
    ];
    gate.form("SCHOOLS", items(&gate.catalog, &grants), &["asker"]).await;
    (gate, databases)
}

#[tokio::test]
async fn a_sixth_dataset_is_asked_like_the_five() {
    let layouts = [Layout::SqliteFive, Layout::PostgresFive];
    let layouts = layouts.into_iter().filter(|layout| *layout == Layout::SqliteFive || postgres::server().is_some());
    let mut answers: Vec<Vec<Value>> = Vec::new();
    for layout in layouts {
        let (gate, _databases) = city(layout).await;
        let ask = async |query: &str| gate.ask("asker", "", query, json!({})).await;

        let got =
            ask("{ schools(where: { districtCode: { _eq: \"63000010\" } }, orderBy: [{ schoolNo: DESC }], first: 2) {
            nodes { schoolNo headName pupils { nationalId person { birthDate name } } } } }")
            .await;
        let nodes = got.body["data"]["schools"]["nodes"].as_array().unwrap_or_else(|| panic!("{}", got.text)).clone();
        assert_eq!(nodes.len(), 2, "{}", got.text);
        assert!(nodes.iter().all(|school| school["headName"].as_str().is_some_and(|name| name.contains('○'))));
        let pupils: Vec<&Value> =
            nodes.iter().flat_map(|school| school["pupils"].as_array().expect("a list")).collect();
        assert!(
            !pupils.is_empty() && pupils.iter().all(|pupil| !pupil["person"]["birthDate"].is_null()),
            "{}",
            got.text
        );
        assert!(pupils.iter().all(|pupil| pupil["nationalId"].as_str().is_some_and(|id| id.contains('*'))));
        assert_eq!(got.denied(), ["select Person.name"], "one denial, of another dataset's field");
        assert!(got.body["extensions"]["audit"].is_string(), "recorded like any other: {}", got.text);

        let far = ask("{ addresses(where: { schools: { _some: { schoolNo: { _eq: \"school_no-2\" } } } }) {
            nodes { addressKey schools { schoolNo } } } }")
        .await;
        let found = far.body["data"]["addresses"]["nodes"].as_array().unwrap_or_else(|| panic!("{}", far.text)).clone();
        assert!(!found.is_empty() && found.iter().all(|at| at["schools"][0]["schoolNo"].is_string()), "{}", far.text);

        let none = gate.ask("newcomer", "", "{ schools { nodes { schoolNo } } }", json!({})).await;
        let extensions = &none.body["errors"][0]["extensions"];
        assert_eq!((none.code(), &none.body["data"]), ("FORBIDDEN", &json!({ "schools": null })));
        assert_eq!((&extensions["dataset"], &extensions["custodian"]), (&json!("schools"), &json!("education")));
        answers.push(vec![got.body["data"].clone(), far.body["data"].clone()]);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "every layout answers alike: {answers:#?}");
}
