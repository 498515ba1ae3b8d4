//! What the GraphQL-over-HTTP specification says of methods, media types and the entry `data`, through the router.

use crate::support::gate::{Gate, Setup, everything};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

const ANSWER: &str = "application/graphql-response+json";
const PLAIN: &str = "application/json";

async fn gate() -> Gate {
    let gate = Gate::open(Setup::default(), &["asker"]).await;
    gate.form("ALL-1", everything(&gate.catalog), &["asker"]).await;
    gate
}

/// Sends it and gives status, headers and text.
async fn send(gate: &Gate, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let Ok(response) = gate.router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
}

fn post(gate: &Gate, accept: &[&str], body: &str) -> Request<Body> {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, PLAIN)
        .header(header::AUTHORIZATION, format!("Bearer {}", gate.token("asker")));
    for accept in accept {
        request = request.header(header::ACCEPT, *accept);
    }
    request.body(body.to_owned().into()).expect("a request")
}

#[tokio::test]
async fn the_media_type_is_the_one_that_is_accepted_most() {
    let gate = gate().await;
    let cases: &[(&[&str], Option<&str>)] = &[
        (&[], Some(PLAIN)),
        (&["*/*"], Some(PLAIN)),
        (&[""], Some(PLAIN)),
        (&["application/json"], Some(PLAIN)),
        (&["application/graphql-response+json"], Some(ANSWER)),
        (&["Application/GraphQL-Response+JSON; charset=utf-8"], Some(ANSWER)),
        (&["application/graphql-response+json, application/json;q=0.9"], Some(ANSWER)),
        (&["application/json;q=0.5, application/graphql-response+json;q=0.9"], Some(ANSWER)),
        (&["application/graphql-response+json;q=0.1, application/json"], Some(PLAIN)),
        (&["application/graphql-response+json; q=0, application/json"], Some(PLAIN)),
        (&["application/json;Q=0, */*"], Some(ANSWER)),
        (&["application/graphql-response+json, */*"], Some(ANSWER)),
        (&["text/html", "application/json"], Some(PLAIN)),
        (&["text/html", "application/graphql-response+json"], Some(ANSWER)),
        (&["application/json;q=0"], None),
        (&["*/*;q=0"], None),
        (&["application/*;q=0.000, text/html"], None),
        (&["text/html"], None),
    ];
    for (accept, expected) in cases {
        let (status, headers, text) = send(&gate, post(&gate, accept, r#"{"query":"{__typename}"}"#)).await;
        match expected {
            Some(media) => {
                assert_eq!(
                    (status, headers[header::CONTENT_TYPE].to_str().ok()),
                    (StatusCode::OK, Some(*media)),
                    "{accept:?}: {text}"
                );
            }
            None => assert_eq!(status, StatusCode::NOT_ACCEPTABLE, "{accept:?}: {text}"),
        }
        let vary = headers[header::VARY].to_str().expect("text");
        assert!(vary.split(", ").any(|name| name == "accept"), "{accept:?}: {vary}");
    }
}

#[tokio::test]
async fn refusals_come_as_what_is_accepted() {
    let gate = gate().await;
    let query = r#"{"query":"{__typename}"}"#;
    let mut cases = vec![
        (400, post(&gate, &[ANSWER], "no JSON")),
        (400, post(&gate, &[ANSWER], r#"{"query":"{ nothing }"}"#)),
        (415, post(&gate, &[ANSWER], query)),
        (401, post(&gate, &[ANSWER], query)),
    ];
    cases[2].1.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().expect("a header"));
    cases[3].1.headers_mut().insert(header::AUTHORIZATION, "Bearer x.y.z".parse().expect("a header"));
    for (expected, request) in cases {
        let (status, headers, text) = send(&gate, request).await;
        assert_eq!(status, expected, "{text}");
        assert_eq!(headers[header::CONTENT_TYPE], ANSWER, "{text}");
        assert!(headers[header::VARY].to_str().is_ok_and(|vary| vary.contains("accept")), "{expected}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn head_is_get_without_a_body_and_what_needs_post_says_so() {
    let gate = gate().await;
    let ask = |method: Method, url: &str| {
        Request::builder()
            .method(method)
            .uri(url)
            .header(header::AUTHORIZATION, format!("Bearer {}", gate.token("asker")))
            .body(Body::empty())
            .expect("a request")
    };
    let url = "/graphql?query=%7B__typename%7D";
    let (status, _, text) = send(&gate, ask(Method::HEAD, url)).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, ""));
    for url in [
        "/graphql?query=query($a:Int)%7Bparcels(first:$a)%7BtotalCount%7D%7D&variables=%7B%22a%22:1%7D",
        "/graphql?query=mutation%7BmarkNoticesRead(notices:[])%7D",
    ] {
        for method in [Method::GET, Method::HEAD] {
            let (status, headers, text) = send(&gate, ask(method, url)).await;
            assert_eq!(
                (status, headers[header::ALLOW].to_str().ok()),
                (StatusCode::METHOD_NOT_ALLOWED, Some("POST")),
                "{text}"
            );
        }
    }
}

/// A field that fails while it is worked on is an error of execution: the answer has its entry `data`, which is null
/// since every root of the procedure is there or the whole is not. What fails before has none.
#[tokio::test]
async fn an_error_of_a_field_leaves_data_null() {
    let gate = gate().await;
    let query = "{ usePermits(first: 1) { nodes { permitNo } } userGroups { __typename } }";
    let got = gate.ask("asker", "ALL-1", query, json!({})).await;
    assert_eq!((got.status.as_u16(), got.code()), (403, "FORBIDDEN"), "{}", got.text);
    assert_eq!(got.body["errors"][0]["path"], json!(["userGroups"]));
    assert_eq!(got.body.get("data"), Some(&Value::Null), "{}", got.text);
    assert!(got.body["extensions"]["audit"].is_string(), "it is recorded: {}", got.text);
    let got = gate
        .ask(
            "asker",
            "ALL-1",
            "mutation { step: openAgency(code: \"a\", title: \"a\", kind: OFFICE) { code } }",
            json!({}),
        )
        .await;
    assert_eq!(got.body.get("data"), got.body["errors"][0].get("path").map(|_| &Value::Null), "{}", got.text);
    for before in ["{ nothing }", "{", "{ parcels(first: -1) { totalCount } }"] {
        let got = gate.ask("asker", "ALL-1", before, json!({})).await;
        assert!(!got.codes().is_empty() && got.body.get("data").is_none(), "{before}: {}", got.text);
    }
}
