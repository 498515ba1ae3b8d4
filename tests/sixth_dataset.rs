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

/// A field that its mask hides whole answers null for every value, also for one that no scalar can tell: an error would tell the
/// one from the others.
#[tokio::test]
async fn of_a_field_that_is_hidden_whole_an_odd_value_shows_nothing() {
    let Some(server) = postgres::server() else { return };
    let database = postgres::Database::create(&server).await;
    let declaration = r#"extend schema @dataset(code: "welfare", title: "社福", custodian: "welfare-office", custodianTitle: "社會局")

"補助: one allowance"
type Allowance @table(name: "allowances", list: "allowances") {
  "編號: its number"
  allowanceNo: String! @column(class: OPEN)
  "核定日: when it was granted"
  grantedOn: Date @column(class: PERSONAL, mask: HIDE)
  "金額: the sum"
  amount: Decimal @column(class: PERSONAL, mask: HIDE, scale: 2)
}
"#;
    plots::execute(
        &database.url,
        "CREATE TABLE allowances (id bigint PRIMARY KEY, allowance_no text NOT NULL, granted_on date, amount numeric);
         INSERT INTO allowances VALUES (1, 'A', '2024-02-29', 5), (2, 'B', 'infinity', 'NaN'), (3, 'C', NULL, NULL)",
    )
    .await;
    let further = vec![("welfare.graphql".to_owned(), declaration.to_owned())];
    let databases = Databases::empty(Layout::SqliteFive).await;
    let mut connections = databases.connections.clone();
    connections.insert("welfare".to_owned(), Connection { url: database.url.clone(), schema: None });
    let catalog = cityquery::catalog::load_with(&further).unwrap_or_else(|faults| panic!("{faults:?}"));
    let connections = catalog.connections(&connections);
    cityquery::store::migrate::migrate(&connections).await.expect("migrates the five");
    let setup = Setup { further, datasets: Some(connections), ..Setup::default() };
    let gate = Gate::open(setup, &["masked", "full"]).await;
    for (who, masked) in [("masked", true), ("full", false)] {
        let personal = support::gate::Grant { masked, ..grant("select", &["Allowance.{grantedOn amount}"]) };
        let grants = [grant("select", &["Query.allowances", "Allowance.allowanceNo"]), personal];
        gate.form(&who.to_uppercase(), items(&gate.catalog, &grants), &[who]).await;
    }
    let query = "{ allowances { nodes { allowanceNo grantedOn amount } } }";
    let hidden = gate.ask("masked", "", query, json!({})).await;
    let none = |number: &str| json!({ "allowanceNo": number, "grantedOn": null, "amount": null });
    assert_eq!(hidden.body["data"]["allowances"]["nodes"], json!([none("A"), none("B"), none("C")]), "{}", hidden.text);
    assert!(hidden.body["errors"].is_null(), "{}", hidden.text);
    let shown = gate.ask("full", "", query, json!({})).await;
    assert_eq!(shown.body["errors"].as_array().map(Vec::len), Some(2), "odd they are: {}", shown.text);
}
