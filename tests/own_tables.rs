//! Tables that a custodian made and keeps: what stands in them is not always as the default tables would have it.

use crate::support::gate::{Gate, Got, Grant, Setup, grant, items};
use crate::support::{Databases, Layout, plots, postgres};
use cityquery::config::Connection;
use serde_json::{Value, json};

const DECLARATION: &str = r#"extend schema @dataset(code: "welfare", title: "社福", custodian: "welfare-office", custodianTitle: "社會局")

"補助: one allowance"
type Allowance @table(name: "allowances", list: "allowances") {
  "編號: its number"
  allowanceNo: String! @column(class: OPEN)
  "核定日: when it was granted"
  grantedOn: Date @column(class: PERSONAL, mask: YEAR)
  "金額: the sum"
  amount: Decimal @column(class: OPEN, scale: 1)
  "期數: how many payments"
  payments: Int @column(class: OPEN)
}
"#;

/// The five datasets in SQLite files and the sixth where the address says, with the rows of the script; `full` may do everything
/// with it, `masked` sees it masked where it can be.
async fn welfare(url: String, script: &str) -> (Gate, Databases) {
    plots::execute(&url, script).await;
    let further = vec![("welfare.graphql".to_owned(), DECLARATION.to_owned())];
    let databases = Databases::empty(Layout::SqliteFive).await;
    let mut connections = databases.connections.clone();
    connections.insert("welfare".to_owned(), Connection { url, schema: None });
    let catalog = cityquery::catalog::load_with(&further).unwrap_or_else(|faults| panic!("{faults:?}"));
    let connections = catalog.connections(&connections);
    cityquery::store::migrate::migrate(&connections).await.expect("migrates the five");
    let gate =
        Gate::open(Setup { further, datasets: Some(connections), ..Setup::default() }, &["masked", "full"]).await;
    let uses = "select,filter,order";
    let open = grant(uses, &["Query.allowances", "Allowance.{id allowanceNo amount payments}"]);
    for (who, masked) in [("masked", true), ("full", false)] {
        let day = Grant { masked, ..grant(uses, &["Allowance.grantedOn"]) };
        gate.form(&who.to_uppercase(), items(&gate.catalog, &[open.clone(), day]), &[who]).await;
    }
    (gate, databases)
}

/// A SQLite file and, where there is a server, a PostgreSQL database; they are gone with what comes with the addresses.
async fn addresses() -> (Vec<String>, tempfile::TempDir, Option<postgres::Database>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut addresses = vec![format!("sqlite:{}", folder.path().join("welfare.db").display())];
    let database = match postgres::server() {
        Some(server) => Some(postgres::Database::create(&server).await),
        None => None,
    };
    addresses.extend(database.as_ref().map(|database| database.url.clone()));
    (addresses, folder, database)
}

fn nodes(got: &Got) -> &Vec<Value> {
    got.body["data"]["allowances"]["nodes"].as_array().unwrap_or_else(|| panic!("{}", got.text))
}

/// SQLite keeps any text as a day. What is none is told to nobody, least of all under a mask that would cut it where a day
/// has its year.
#[tokio::test]
async fn what_is_no_day_or_number_is_null_with_an_error() {
    let (addresses, _folder, _database) = addresses().await;
    let (gate, _databases) = welfare(
        addresses[0].clone(),
        "CREATE TABLE allowances (id INTEGER PRIMARY KEY, allowance_no TEXT NOT NULL, granted_on TEXT, amount NUMERIC, payments INTEGER);
         INSERT INTO allowances VALUES (1, 'A', '1986-03-02', 5, 1), (2, 'B', '1986/03/02', 1e300, 1), (3, 'C', '19860302', 'five', 1),
            (4, 'D', '750302', 2.5, 1), (5, 'E', '1986-03-02 00:00', NULL, 1), (6, 'F', '1986-02-30', 7, 1), (7, 'G', NULL, x'31', 1)",
    )
    .await;
    let query = "{ allowances { nodes { allowanceNo grantedOn amount } } }";
    for (who, day) in [("masked", "1986-01-01"), ("full", "1986-03-02")] {
        let got = gate.ask(who, "", query, json!({})).await;
        let days: Vec<&Value> = nodes(&got).iter().map(|node| &node["grantedOn"]).collect();
        let none = &Value::Null;
        assert_eq!(days, [&json!(day), none, none, none, none, none, none], "{}", got.text);
        let amounts: Vec<&Value> = nodes(&got).iter().map(|node| &node["amount"]).collect();
        assert_eq!(amounts, [&json!("5.0"), none, none, &json!("2.5"), none, &json!("7.0"), none], "{}", got.text);
        assert_eq!(got.body["errors"].as_array().map(Vec::len), Some(2), "one for each field: {}", got.text);
    }
    // Nor is it compared by what stands where a day has its year: here by a month.
    let named = "{ allowances(where: { grantedOn: { _gte: \"7503-01-01\" } }) { nodes { allowanceNo } } }";
    let got = gate.ask("masked", "", named, json!({})).await;
    assert_eq!(nodes(&got).len(), 0, "{}", got.text);
    let page = "{ allowances(first: 2, orderBy: [{ grantedOn: DESC }]) { pageInfo { endCursor } } }";
    let got = gate.ask("full", "", page, json!({})).await;
    assert!(got.body.get("data").is_none() && got.text.contains("no cursor can tell"), "{}", got.text);
}

/// A number beyond what the column can hold is compared like any other.
#[tokio::test]
async fn small_integers_are_compared_with_large_ones() {
    let (addresses, _folder, _database) = addresses().await;
    for url in addresses {
        let (gate, _databases) = welfare(
            url.clone(),
            "CREATE TABLE allowances (id INTEGER PRIMARY KEY, allowance_no TEXT NOT NULL, granted_on DATE, amount NUMERIC, payments SMALLINT);
             INSERT INTO allowances VALUES (1, 'A', NULL, NULL, 12), (2, 'B', NULL, NULL, 32767)",
        )
        .await;
        for (condition, found) in [
            ("payments: { _lt: 40000 }", 2),
            ("payments: { _gt: 40000 }", 0),
            ("payments: { _eq: 40000 }", 0),
            ("payments: { _in: [12, 40000] }", 1),
            ("payments: { _nin: [12, 40000] }", 1),
            ("id: { _eq: \"9999999999\" }", 0),
            ("id: { _in: [\"2\", \"9999999999\"] }", 1),
        ] {
            let query = format!("{{ allowances(where: {{ {condition} }}) {{ nodes {{ id }} }} }}");
            let got = gate.ask("full", "", &query, json!({})).await;
            assert_eq!(nodes(&got).len(), found, "{url} {condition}: {}", got.text);
        }
    }
}

/// A list goes on behind its cursor also where a column has more digits than are shown.
#[tokio::test]
async fn pages_by_a_number_with_more_digits_than_are_shown_hold_every_row_once() {
    let (addresses, _folder, _database) = addresses().await;
    for url in addresses {
        let (gate, _databases) = welfare(
            url.clone(),
            "CREATE TABLE allowances (id INTEGER PRIMARY KEY, allowance_no TEXT NOT NULL, granted_on DATE, amount NUMERIC, payments INTEGER);
             INSERT INTO allowances VALUES (1, 'A', NULL, 2.26, 1), (2, 'B', NULL, 2.34, 1), (3, 'C', NULL, 2.34, 1), (4, 'D', NULL, 2.28, 1),
                (5, 'E', NULL, 0.1, 1), (6, 'F', NULL, 9007199254740993, 1), (7, 'G', NULL, NULL, 1)",
        )
        .await;
        for (direction, expected) in
            [("ASC", ["5", "1", "4", "2", "3", "6", "7"]), ("DESC", ["6", "2", "3", "4", "1", "5", "7"])]
        {
            let (mut found, mut after) = (Vec::new(), Value::Null);
            loop {
                let query = format!(
                    "query ($after: String) {{ allowances(first: 1, after: $after, orderBy: [{{ amount: {direction} }}]) {{
                        nodes {{ id amount }} pageInfo {{ hasNextPage endCursor }} }} }}"
                );
                let got = gate.ask("full", "", &query, json!({ "after": after })).await;
                found.extend(nodes(&got).iter().map(|node| node["id"].as_str().expect("an id").to_owned()));
                let page = &got.body["data"]["allowances"]["pageInfo"];
                if page["hasNextPage"] == json!(false) || found.len() > 9 {
                    break;
                }
                after = page["endCursor"].clone();
            }
            assert_eq!(found, expected, "{url} {direction}");
        }
    }
}

/// SQLite compares a number with a text as texts: a column of texts is not taken for one of numbers or truth values.
#[tokio::test]
async fn a_column_of_texts_holds_no_numbers() {
    let (addresses, _folder, _database) = addresses().await;
    let (gate, _databases) = welfare(
        addresses[0].clone(),
        "CREATE TABLE allowances (id INTEGER PRIMARY KEY, allowance_no TEXT NOT NULL, granted_on TEXT, amount TEXT, payments INTEGER);
         INSERT INTO allowances VALUES (1, 'A', '1986-03-02', '9.0', 1), (2, 'B', NULL, '10.0', 1), (3, 'C', NULL, '100.50', 1)",
    )
    .await;
    let connections = [("welfare".to_owned(), Connection { url: addresses[0].clone(), schema: None })].into();
    let declared = gate.catalog.declared_columns();
    let own: Vec<_> = declared.into_iter().filter(|column| column.dataset == "welfare").collect();
    let faults = cityquery::store::columns::check(&connections, &own).await.expect("asks");
    let query = "{ allowances(where: { amount: { _gt: \"9.5\" } }) { nodes { id amount } } }";
    let got = gate.ask("full", "", query, json!({})).await;
    assert_eq!(
        faults,
        ["dataset welfare: column allowances.amount is TEXT, which cannot hold Allowance.amount (Decimal)"],
        "{}",
        got.text
    );
}
