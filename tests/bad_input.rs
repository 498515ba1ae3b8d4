//! Bad input of every kind, through the router: each gets its code, a text in both languages, quickly, and the server
//! goes on. What is too large is `too_large.rs`'s.

use crate::support::gate::everything;
use crate::support::trial::{Trial, gate, post};
use axum::body::Body;
use axum::http::{Method, header};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let bodies: &[(&str, &[u8])] = &[
        ("an empty body", b""),
        ("no JSON", b"{ persons { nodes { id } } }"),
        ("JSON cut off", b"{\"query\": \"{ persons"),
        ("a batch", b"[{\"query\": \"{ __typename }\"}, {\"query\": \"{ __typename }\"}]"),
        ("a number", b"17"),
        ("null", b"null"),
        ("no query", b"{\"variables\": {}}"),
        ("an empty query", b"{\"query\": \"  \"}"),
        ("a query that is a number", b"{\"query\": 5}"),
        ("query twice", b"{\"query\": \"{__typename}\", \"query\": \"{__typename}\"}"),
        ("variables that are a list", b"{\"query\": \"{__typename}\", \"variables\": [1]}"),
        ("variables that are a text", b"{\"query\": \"{__typename}\", \"variables\": \"{}\"}"),
        ("an operation name that is a list", b"{\"query\": \"{__typename}\", \"operationName\": []}"),
        ("half a surrogate in JSON", b"{\"query\": \"{ persons(first: 1) { nodes { id } } } # \\ud800\"}"),
        ("bytes that are no UTF-8", b"{\"query\": \"{ \xff }\"}"),
    ];
    for (name, body) in bodies {
        let got = trial.body(name, "BAD_USER_INPUT", *body).await;
        assert_eq!(got.status, 400, "{name}");
    }
    let nested =
        format!("{{\"query\": \"{{__typename}}\", \"variables\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    trial.body("JSON nested 5,000 deep", "BAD_USER_INPUT", nested).await;
    let got = trial.body("10 MB", "BAD_USER_INPUT", vec![b' '; 10 << 20]).await;
    assert_eq!(got.status, 413);
    let token = gate.token("asker").to_owned();
    for content in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let got = trial
            .send(content, "BAD_USER_INPUT", |language| {
                let body = json!({ "query": "{ __typename }" }).to_string();
                let mut request = post(&token, language).body(body.into()).expect("a request");
                request.headers_mut().insert(header::CONTENT_TYPE, content.parse().expect("a header"));
                request
            })
            .await;
        assert_eq!(got.status, 415, "{content}");
    }
    let got = trial
        .send("Accept: text/html", "BAD_USER_INPUT", |language| {
            let body = json!({ "query": "{ __typename }" }).to_string();
            post(&token, language).header(header::ACCEPT, "text/html").body(body.into()).expect("a request")
        })
        .await;
    assert_eq!(got.status, 406);
    trial.end();
}

#[tokio::test]
async fn a_url_takes_what_may_stand_in_histories() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let token = gate.token("asker").to_owned();
    let cases = [
        ("", "BAD_USER_INPUT", 400),
        ("query=", "BAD_USER_INPUT", 400),
        ("query=%7B__typename%7D&variables=notjson", "BAD_USER_INPUT", 400),
        ("query=%7B__typename%7D&variables=%5B1%5D", "BAD_USER_INPUT", 400),
        ("query=query(%24a%3AInt)%7B__typename%7D&variables=%7B%22a%22%3A1%7D", "BAD_USER_INPUT", 405),
        ("query=%7Bperson(nationalId%3A%22A123456789%22)%7Bname%7D%7D", "BAD_USER_INPUT", 405),
        ("query=%7Bexplain(operation%3A%22%7B__typename%7D%22)%7Bcost%7D%7D", "BAD_USER_INPUT", 405),
        (
            "query=query(%24a%3ADate%3D%221950-01-01%22)%7Bpersons(where%3A%7BbirthDate%3A%7B_lt%3A%24a%7D%7D)%7BtotalCount%7D%7D",
            "BAD_USER_INPUT",
            405,
        ),
    ];
    for (query, code, status) in cases {
        let got = trial
            .send(query, code, |language| {
                let mut request = post(&token, language).body(Body::empty()).expect("a request");
                *request.method_mut() = Method::GET;
                *request.uri_mut() = format!("/graphql?{query}").parse().expect("a URL");
                request
            })
            .await;
        assert_eq!(got.status, status, "{query}: {}", got.text);
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let mut request = post(&token, "en").body(Body::empty()).expect("a request");
        *request.method_mut() = method;
        assert_eq!(gate.send(request).await.status, 405);
    }
    trial.end();
}

#[tokio::test]
async fn wrong_documents_are_refused() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let (parse, validate, input) = ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT");
    let cases = [
        ("{", parse),
        ("}{", parse),
        ("{ persons { nodes { id } }", parse),
        ("query { }", parse),
        (r#"{ person(nationalId: "\uD800") { name } }"#, parse),
        (r#"{ persons(where: { name: { _eq: "\ude00\ud83d" } }) { nodes { id } } }"#, parse),
        ("{ persons(first: 1e) { nodes { id } } }", parse),
        ("{ persns { nodes { id } } }", validate),
        ("{ persons { nodes { nme } } }", validate),
        ("{ persons(frist: 1) { nodes { id } } }", validate),
        ("{ persons(where: { nme: { _eq: \"x\" } }) { nodes { id } } }", validate),
        ("{ persons(where: { name: { _equals: \"x\" } }) { nodes { id } } }", validate),
        ("{ persons(orderBy: [{ name: UP }]) { nodes { id } } }", validate),
        ("{ persons { nodes } }", validate),
        ("{ persons { nodes { id { x } } } }", validate),
        ("query ($a: Nothing) { persons(first: $a) { nodes { id } } }", validate),
        ("query ($a: String) { persons(first: $a) { nodes { id } } }", validate),
        ("{ persons(first: $a) { nodes { id } } }", validate),
        ("query ($a: Int) { __typename }", validate),
        ("mutation { deleteEverything }", validate),
        ("subscription { __typename }", validate),
        ("mutation M { grant }", validate),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", validate),
        ("{ ...A } fragment A on Query { ...A }", validate),
        ("{ ...Nothing }", validate),
        ("{ persons { nodes { ... on Parcel { areaM2 } } } }", validate),
        ("{ __typename } fragment A on Query { __typename }", validate),
        ("query A { __typename } query B { __typename }", input),
        ("{ person { name } }", validate),
        ("{ __typename @nothing }", validate),
        ("{ __typename @skip }", validate),
        ("{ __typename @skip(if: 5) }", input),
        ("{ persons(first: 99999999999999999999) { nodes { id } } }", input),
        ("{ persons(first: 2147483648) { nodes { id } } }", input),
        ("{ persons(first: 1.5) { nodes { id } } }", input),
        ("{ persons(first: \"1\") { nodes { id } } }", input),
        ("{ persons(where: { birthDate: { _eq: \"2015-02-30\" } }) { nodes { id } } }", input),
        ("{ persons(where: { birthDate: { _eq: \"民國104年13月1日\" } }) { nodes { id } } }", input),
        ("{ persons(where: { id: { _eq: \"9223372036854775808\" } }) { nodes { id } } }", input),
        ("{ persons(where: { name: { _eq: \"a\\u0000b\" } }) { nodes { id } } }", input),
        ("{ persons(where: { name: { _like: \"a\\\\\" } }) { nodes { id } } }", input),
        ("{ persons(where: { name: { _like: \"%a%b%c%d%e%f%\" } }) { nodes { id } } }", input),
        ("{ persons(where: { name: { _eq: null } }) { nodes { id } } }", input),
        ("{ persons(where: { name: { _in: [\"a\", null] } }) { nodes { id } } }", validate),
        ("{ person(nationalId: null) { name } }", validate),
    ];
    for (query, code) in cases {
        trial.ask(query, code, query, json!({})).await;
    }
    trial.end();
}

#[tokio::test]
async fn wrong_variables_of_every_scalar_are_refused() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let texts = ["", " ", "x", "\u{0}", "1\u{0}", "😀", "'; DROP TABLE persons; --", "-", "1e400", "NaN"];
    let others = [json!(null), json!(true), json!([]), json!({}), json!([[1]]), json!(1.5e300), json!({ "a": 1 })];
    // A field of each scalar, and what besides the wrong ones above is right for it.
    let fields = [
        ("persons", "birthDate", "Date", &["2015-13-01", "0/0/0", "民國0年1月1日", "99999-01-01", "1150230"][..]),
        ("parcels", "areaM2", "Decimal", &["1,5", "1.2.3", "99999999999999999999999999999999", "0x10"]),
        ("persons", "nationalId", "NationalId", &["A123456780", "A1987654", "AA23456789", "a123456789x"]),
        ("parcels", "parcelNo", "ParcelNumber", &["123456789", "0018-00012", "18--1"]),
        ("registeredBuildings", "buildingNo", "BuildingNumber", &["123456789", "1157--0"]),
        ("usePermits", "permitNo", "PermitNumber", &["115使字第號", "字第1號", "115"]),
        ("usePermits", "floorsAbove", "Int", &["1", "-"]),
        ("persons", "protectionMark", "Boolean", &["true", "yes"]),
    ];
    for (root, field, scalar, wrong) in fields {
        let query =
            format!("query ($v: {scalar}) {{ {root}(where: {{ {field}: {{ _eq: $v }} }}) {{ nodes {{ id }} }} }}");
        let right = |value: &Value| scalar == "Boolean" && value.is_boolean();
        let wrong = texts.iter().chain(wrong.iter()).map(|text| json!(text)).chain(others.clone());
        for value in wrong.filter(|value| !right(value)) {
            let got = trial.ask(&format!("{scalar} {value}"), "BAD_USER_INPUT", &query, json!({ "v": value })).await;
            // A value of some length that is no word of ours does not come back.
            if let Some(text) = value.as_str().filter(|text| text.len() > 4) {
                assert!(!got.text.contains(text), "{text} is repeated: {}", got.text);
            }
        }
    }
    let needs = "query ($no: PermitNumber!) { usePermit(permitNo: $no) { permitNo } }";
    trial.ask("a variable is missing", "BAD_USER_INPUT", needs, json!({})).await;
    trial.ask("a needed variable is null", "BAD_USER_INPUT", needs, json!({ "no": null })).await;
    let needs = "query ($where: PersonFilter, $order: [PersonOrder!]) { persons(where: $where, orderBy: $order) { nodes { id } } }";
    let objects = [
        json!({ "where": { "nothing": {} } }),
        json!({ "where": { "name": { "_nothing": 1 } } }),
        json!({ "where": { "name": "x" } }),
        json!({ "where": { "name": { "_eq": null } } }),
        json!({ "where": { "name": { "_in": [null] } } }),
        json!({ "where": { "name": { "_like": "a".repeat(201) } } }),
        json!({ "where": { "name": null } }),
        json!({ "where": { "_not": null } }),
        json!({ "where": [1, 2] }),
        json!({ "order": [{ "name": "UP" }] }),
        json!({ "order": [{ "nothing": "ASC" }] }),
        json!({ "order": "name" }),
        json!({ "order": [null] }),
    ];
    for object in objects {
        trial.ask(&object.to_string(), "BAD_USER_INPUT", needs, object.clone()).await;
    }
    trial.end();
}

#[tokio::test]
async fn impossible_pages_are_refused() {
    let gate = gate().await;
    let mut trial = Trial::new(&gate);
    let pages = [
        ("first: -1", "BAD_USER_INPUT"),
        ("last: -1", "BAD_USER_INPUT"),
        ("first: 1, offset: -1", "BAD_USER_INPUT"),
        ("first: 1, last: 1", "BAD_USER_INPUT"),
        ("after: \"aa\", before: \"bb\"", "BAD_USER_INPUT"),
        ("last: 1, offset: 1", "BAD_USER_INPUT"),
        ("last: 1, after: \"aa\"", "BAD_USER_INPUT"),
        ("first: 1, before: \"aa\"", "BAD_USER_INPUT"),
        ("first: 1, after: \"\"", "BAD_USER_INPUT"),
        ("first: 1, after: \"zz\"", "BAD_USER_INPUT"),
        ("first: 1, after: \"游標\"", "BAD_USER_INPUT"),
        ("first: 1, after: \"00112233445566778899aabbccddeeff00112233\"", "BAD_USER_INPUT"),
        ("first: 1001", "QUERY_TOO_COSTLY"),
        ("last: 1001", "QUERY_TOO_COSTLY"),
        ("first: 1, offset: 1000001", "QUERY_TOO_COSTLY"),
    ];
    for (page, code) in pages {
        for asked in ["nodes { id }", "totalCount"] {
            let query = format!("{{ persons({page}) {{ {asked} }} }}");
            let got = trial.ask(&query, code, &query, json!({})).await;
            assert_eq!(got.body["errors"][0]["locations"], json!([{ "line": 1, "column": 3 }]), "{query}");
        }
    }
    // Deep inside, and by variable: still before any SQL.
    let query = "query ($first: Int, $offset: Int) { parcel(parcelKey: \"AD060900180001\") {
        ownerships(first: $first, offset: $offset) { share } } }";
    for (variables, code) in [
        (json!({ "first": -1 }), "BAD_USER_INPUT"),
        (json!({ "offset": -1 }), "BAD_USER_INPUT"),
        (json!({ "first": 1001 }), "QUERY_TOO_COSTLY"),
        (json!({ "offset": 1_000_001 }), "QUERY_TOO_COSTLY"),
    ] {
        let got = trial.ask(&variables.to_string(), code, query, variables.clone()).await;
        assert_eq!(got.body["errors"][0]["locations"], json!([{ "line": 2, "column": 9 }]), "{variables}");
    }
    let query = "query ($like: String) { parcel(parcelKey: \"AD060900180001\") {
        ownerships(where: { ownerName: { _like: $like } }) { share } } }";
    trial.ask("a pattern deep inside", "BAD_USER_INPUT", query, json!({ "like": "\\" })).await;
    trial.end();
}

#[tokio::test]
async fn headers_that_do_not_hold_are_refused() {
    let gate = gate().await;
    gate.form("ALL-2", everything(&gate.catalog), &["asker"]).await;
    let mut trial = Trial::new(&gate);
    let token = gate.token("asker").to_owned();
    let long = "x".repeat(201);
    let cases = [
        ("x-form", "NONE-1", "FORM_REQUIRED"),
        ("x-form", "' OR 1=1", "FORM_REQUIRED"),
        ("x-form", long.as_str(), "BAD_USER_INPUT"),
        ("x-form", "a%0Ab", "BAD_USER_INPUT"),
        ("x-nothing", "-", "FORM_REQUIRED"),
    ];
    for (name, value, code) in cases {
        trial
            .send(&format!("{name}: {value}"), code, |language| {
                let body = json!({ "query": "{ persons { nodes { id } } }" }).to_string();
                post(&token, language).header(name, value).body(body.into()).expect("a request")
            })
            .await;
    }
    for (name, value, code) in
        [("x-purpose", "curiosity", "PURPOSE_REQUIRED"), ("x-case-number", "\u{7f}", "BAD_USER_INPUT")]
    {
        let Ok(value) = axum::http::HeaderValue::from_bytes(value.as_bytes()) else { continue };
        trial
            .send(name, code, |language| {
                let body = json!({ "query": "{ persons { nodes { id } } }" }).to_string();
                let request = post(&token, language).header("x-form", "ALL-1").header(name, value.clone());
                request.body(body.into()).expect("a request")
            })
            .await;
    }
    for value in ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic Zm9vOmJhcg==", "Bearer \u{e9}"] {
        trial
            .send(&format!("Authorization: {value}"), "UNAUTHENTICATED", |language| {
                let body = json!({ "query": "{ persons { nodes { id } } }" }).to_string();
                let mut request = post(&token, language).body(body.into()).expect("a request");
                let value = axum::http::HeaderValue::from_bytes(value.as_bytes()).expect("a header");
                request.headers_mut().insert(header::AUTHORIZATION, value);
                request
            })
            .await;
    }
    trial
        .send("no Authorization", "UNAUTHENTICATED", |language| {
            let body = json!({ "query": "{ __typename persons @skip(if: true) { nodes { id } } }" }).to_string();
            let mut request = post(&token, language).body(body.into()).expect("a request");
            request.headers_mut().remove(header::AUTHORIZATION);
            request
        })
        .await;
    trial.end();
}

/// A form that wants a case number for personal data, and the same without personal data.
#[tokio::test]
async fn personal_data_needs_its_case_number() {
    use cityquery::accounts::forms::NewForm;
    use time::macros::date;
    let gate = gate().await;
    let form = NewForm {
        number: "CASE-1".to_owned(),
        title: "測試".to_owned(),
        agency: "fire-department".to_owned(),
        purposes: vec![("test".to_owned(), "測試".to_owned())],
        legal_basis: "-".to_owned(),
        case_required: true,
        from: date!(2026 - 01 - 01),
        until: date!(2026 - 12 - 31),
        items: everything(&gate.catalog),
        holders: vec!["asker".to_owned()],
    };
    gate.app.accounts.open_form(&form).await.expect("a form");
    let personal = [
        "{ persons { nodes { name } } }",
        "{ parcels(where: { ownerships: { _some: { ownerName: { _eq: \"x\" } } } }) { nodes { areaM2 } } }",
        "{ households(orderBy: [{ establishedOn: ASC }]) { totalCount } }",
        "{ parcels { nodes { ownerships { owner { id } } } } }",
    ];
    for query in personal {
        let got = gate.ask("asker", "CASE-1", query, json!({})).await;
        assert_eq!(got.code(), "PURPOSE_REQUIRED", "{query}: {}", got.text);
    }
    let got = gate.ask("asker", "CASE-1", "{ parcels { nodes { areaM2 } } }", json!({})).await;
    assert_eq!(got.code(), "SOURCE_UNAVAILABLE", "open data needs none: {}", got.text);
}

/// The server goes on, and what is merely unusual is let through to the databases (which here are dead).
#[tokio::test]
async fn what_is_unusual_is_not_refused() {
    let gate = gate().await;
    let pass = [
        "{ persons(first: 0) { nodes { id } } }",
        "{ persons(first: 1000, offset: 1000000) { nodes { id } } }",
        "{ persons(where: {}) { nodes { id } } }",
        "{ persons(where: { name: { _in: [] } }) { nodes { id } } }",
        "{ persons(where: { name: { _like: \"100\\\\%\" } }) { nodes { id } } }",
        "{ persons(where: { birthDate: { _eq: \"民國104年4月22日\" } }) { nodes { id } } }",
        "{ persons(where: { name: { _eq: \"\\u4e2d\" } }) { nodes { id } } }",
        "{ persons { ...A ...A } } fragment A on PersonConnection { nodes { id } }",
        "{ a: persons { nodes { id } } b: persons(first: 1) { nodes { id } } }",
    ];
    for query in pass {
        let got = gate.ask("asker", "", query, json!({})).await;
        assert_eq!(got.code(), "SOURCE_UNAVAILABLE", "{query}: {}", got.text);
    }
    let got = gate.ask("asker", "", "{ __typename persons @skip(if: true) { nodes { id } } }", json!({})).await;
    assert_eq!(got.body["data"], json!({ "__typename": "Query" }));
}
