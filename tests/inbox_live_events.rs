//! The inbox, watched by `Accept: text/event-stream`: a real HTTP client hears what it is told as it is told, each event
//! recorded before it is sent, and no longer once its account is suspended.

use std::time::Duration;

use crate::support::hall::Hall;
use crate::support::socket::listening;
use reqwest::{Client, Response};
use serde_json::{Value, json};

const WATCH: &str = "subscription { inboxNotices { number } }";

/// The next event: its name and its data.
async fn next(response: &mut Response, read: &mut String) -> (String, Value) {
    loop {
        while let Some((event, rest)) = read.split_once("\n\n") {
            let line = |name: &str| {
                let found = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                found.map(|value| value.trim().to_owned())
            };
            let (name, data) = (line("event"), line("data").unwrap_or_default());
            *read = rest.to_owned();
            if let Some(name) = name {
                return (name, serde_json::from_str(&data).unwrap_or_default());
            }
        }
        let chunk = tokio::time::timeout(Duration::from_secs(20), response.chunk()).await.expect("in time");
        let chunk = chunk.expect("bytes").expect("more");
        read.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_is_told_arrives_as_events() {
    for mut hall in Hall::on_each().await {
        hall.staffed().await;
        let url = format!("http://{}/graphql", listening(&hall).await);
        let watching = hall.app.accounts.watch();
        let client = Client::new();
        let ask = |who: &str, query: &str| {
            let request = client.post(&url).header("accept", "text/event-stream").json(&json!({ "query": query }));
            if who.is_empty() { request } else { request.bearer_auth(hall.token(who)) }
        };
        // What is refused before there is an event is refused as ever.
        for (who, query, status, code) in [
            ("", WATCH, 401, "UNAUTHENTICATED"),
            ("fire.officer", "subscription { nothing }", 400, "GRAPHQL_VALIDATION_FAILED"),
            ("fire.officer", "{ agencies { code } }", 406, "BAD_USER_INPUT"),
        ] {
            let refused = ask(who, query).send().await.expect("answered");
            assert_eq!(refused.status(), status, "{query}");
            let body: Value = refused.json().await.expect("JSON");
            assert_eq!(body["errors"][0]["extensions"]["code"], code, "{query}: {body:#}");
        }
        let plain = client.post(&url).bearer_auth(hall.token("fire.officer")).json(&json!({ "query": WATCH }));
        let refused = plain.send().await.expect("answered");
        assert_eq!(refused.status(), 400, "events are for those who accept them");
        let by_get = client.get(&url).query(&[("query", WATCH)]).header("accept", "text/event-stream");
        let refused = by_get.bearer_auth(hall.token("fire.officer")).send().await.expect("answered");
        assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"POST".parse().expect("a header")));

        let mut response = ask("fire.officer", WATCH).send().await.expect("answered");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut read = String::new();
        let group = "mutation { step: putUserGroup(name: \"users\", title: \"使用者\") { name } }";
        hall.ask("fire.admin", group, json!({})).await.step();
        hall.clock.advance(time::Duration::minutes(10));
        let before = hall.app.audit.record_count()();
        hall.add_member("fire.admin", "fire.officer").await;
        let told = next(&mut response, &mut read).await;
        assert_eq!(told, ("next".to_owned(), json!({ "data": { "inboxNotices": { "number": "users" } } })));
        // The step's two records, and the event's own.
        assert!(hall.app.audit.record_count()() >= before + 3);
        let records = hall.records();
        let event =
            records.iter().find(|record| record.note.as_deref().is_some_and(|note| note.starts_with("event of")));
        let told_us = i64::try_from(hall.clock.now().unix_timestamp_nanos() / 1_000).expect("a time");
        assert_eq!(
            event.expect("its record").started_us,
            told_us,
            "it says when, and not since when it was waited for"
        );

        let suspend = "mutation { step: suspendAccount(account: \"fire.officer\", reason: \"停用\") { status } }";
        hall.ask("fire.admin", suspend, json!({})).await.step();
        assert_eq!(next(&mut response, &mut read).await, ("complete".to_owned(), Value::Null));
        assert_eq!(response.chunk().await.expect("the end"), None);
        watching.abort();
    }
}
