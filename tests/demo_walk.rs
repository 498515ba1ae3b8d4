//! The ready-made operations of the procedure, walked in their order on the demo's installation: each by the account that
//! it names, with the values that it names, and with the numbers of records as the page fills them in.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use cityquery::cli::demo::{cast, walk};
use serde_json::{Map, Value, json};

use crate::demo::{Ready, ready_made};
use crate::support::TestApp;

/// Stands where only a walk can tell the value.
const TOLD_ON_THE_WAY: &str = "…";

#[tokio::test]
async fn the_procedure_is_walked_in_order_by_the_demos_accounts() {
    let test = TestApp::on_sqlite_without_people().await;
    walk::walk(&test.app).await.expect("the demo's rights");
    let all = ready_made("playground/operations/procedure");
    assert!(all.len() > 20, "{} operations", all.len());
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for ready in &all {
        let token = sign_in(&test, &ready.account).await;
        for variables in filled_in(ready, &answers) {
            let answer = ask(&test, &token, ready, &variables).await;
            assert!(answer.get("errors").is_none(), "{} as {}: {answer:#}", ready.file, ready.account);
            answers.insert(number_of(&ready.file).to_owned(), answer);
        }
    }
    let why = &answers["15"]["data"]["provenance"];
    assert_eq!((&why["account"], &why["openedBy"]), (&json!("newcomer"), &json!("it.admin")), "{why:#}");
    // The last ones take everything back: the newcomer is granted nothing, as before.
    let token = sign_in(&test, "newcomer").await;
    assert_eq!(test.me(&token).await.body["forms"], json!([]));
}

/// Signed in anew for each operation: rights and sessions change on the way.
async fn sign_in(test: &TestApp, account: &str) -> String {
    let body = json!({ "account": account, "password": cast::password_of(account) });
    test.post("/auth/sign-in", body).await.text("access_token")
}

/// Sends the first operation of the document, as the page does.
async fn ask(test: &TestApp, token: &str, ready: &Ready, variables: &Map<String, Value>) -> Value {
    let body = json!({ "query": ready.document, "operationName": name_of(ready), "variables": variables });
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    if !ready.purpose.is_empty() {
        request = request.header("x-form", form_for(test, token, ready).await).header("x-purpose", &ready.purpose);
    }
    if !ready.case.is_empty() {
        request = request.header("x-case-number", &ready.case);
    }
    test.send(request.body(Body::from(body.to_string())).expect("a request")).await.body
}

/// The form of the caller that serves the purpose.
async fn form_for(test: &TestApp, token: &str, ready: &Ready) -> String {
    let me = test.me(token).await.body;
    let serves = |form: &&Value| {
        form["purposes"].as_array().is_some_and(|all| all.iter().any(|one| one["code"] == *ready.purpose))
    };
    let form = me["forms"].as_array().and_then(|forms| forms.iter().find(serves));
    let number = form.and_then(|form| form["number"].as_str());
    number.unwrap_or_else(|| panic!("{}: {} holds no form for {}", ready.file, ready.account, ready.purpose)).to_owned()
}

/// The variables with what was answered before; several of them where each of a list is meant. What a fresh demo gives is
/// what the document says.
fn filled_in(ready: &Ready, answers: &BTreeMap<String, Value>) -> Vec<Map<String, Value>> {
    let mut all = vec![ready.variables.clone()];
    for take in ready.takes.split(", ").filter(|take| !take.is_empty()) {
        let [variable, "from", number, pointer] = take.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{}: takes: {take}", ready.file)
        };
        let number = number.rsplit('-').next().unwrap_or(number); // of several, the last: here each is walked
        let (front, each) = pointer.split_once("/*").unwrap_or((pointer, ""));
        let found = answers[number].pointer(front).unwrap_or_else(|| panic!("{}: {take}", ready.file));
        let values: Vec<&Value> = match found.as_array() {
            Some(list) => list.iter().filter_map(|one| one.pointer(each)).collect(),
            None => vec![found],
        };
        assert!(!values.is_empty(), "{}: {take}", ready.file);
        let said = &ready.variables[variable];
        assert!(*said == *TOLD_ON_THE_WAY || *said == *values[0], "{}: {variable} is {}", ready.file, values[0]);
        let with = |value: &Value| {
            let set = |mut variables: Map<String, Value>| {
                variables.insert(variable.to_owned(), value.clone());
                variables
            };
            all.iter().cloned().map(set).collect::<Vec<_>>()
        };
        all = values.into_iter().flat_map(with).collect();
    }
    all
}

fn number_of(file: &str) -> &str {
    file.split('-').next().unwrap_or_default()
}

fn name_of(ready: &Ready) -> String {
    let starts = ready.document.lines().find_map(|line| {
        let rest = line.strip_prefix("query ").or_else(|| line.strip_prefix("mutation "))?;
        rest.split(['(', ' ', '{']).next()
    });
    starts.unwrap_or_else(|| panic!("{} has no operation", ready.file)).to_owned()
}
